package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every policy learns with every optimiser, over several tokens and over arms with features. */
class PoliciesLearnTest {

  /** A table ends at the closed form, and the others near to it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(rate = 1)",
        "adam(rate = cosine(from = 0.1, to = 0.01, steps = 250))",
        "natural(rate = warmup(steps = 10, to = 0.2))"
      })
  void overSeveralTokens(String optimizer) {
    assertClaimsHold(
        """
        objective Keyword(beta: Real = 0.3) {
          policy    pi
          reference ref
          reward    count: sequence

          maximize E[count] - beta * KL(pi || ref)
          estimate with exact()
        }
        experiment Learn {
          task      sequences(letters = 2, length = 3, prompts = 2)
          train     Keyword()
          policy    [softmax_table(), autoregressive(context = 2, embedding = 3, hidden = 8),
                     linear(), mlp(hidden = [6])]
          optimizer OPTIMIZER
          steps     250
          batch     0
          every     250
          record    value = E[task.count] - beta * KL(pi || ref)
          expect    final(value) > first(value) + 0.5
          expect    final(value, policy = softmax_table())
            within 2% of exact(value, policy = softmax_table())
          expect    final(value) within 5% of exact(value)
        }
        """
            .replace("OPTIMIZER", optimizer));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(rate = linear(from = 2, to = 0.2, steps = 250))",
        "adam(rate = 0.05)",
        "natural(rate = 0.2)"
      })
  void overArmsWithFeatures(String optimizer) {
    assertClaimsHold(
        """
        objective Gold(beta: Real = 0.3) {
          policy    pi
          reference ref
          reward    gold: sequence

          maximize E[gold] - beta * KL(pi || ref)
          estimate with exact()
        }
        experiment Learn {
          task      [gold_proxy(arms = 6, prompts = 2, features = 3), bandit(arms = 4)]
          train     Gold()
          policy    [softmax_table(), mlp(hidden = [6]), linear()]
          optimizer OPTIMIZER
          steps     250
          batch     0
          every     250
          record    value = E[task.gold] - beta * KL(pi || ref)
          expect    final(value) > first(value) + 0.1
          expect    final(value, policy = softmax_table())
            within 2% of exact(value, policy = softmax_table())
        }
        """
            .replace("OPTIMIZER", optimizer));
  }

  @Test
  void experimentsNameObjectives() {
    assertClaimsHold(
        """
        objective More() {
          policy pi
          reference ref
          reward helpful: sequence
          maximize E[helpful] - KL(pi || ref)
          estimate with exact()
        }
        objective Less() {
          policy pi
          reference ref
          reward helpful: sequence
          maximize -E[helpful] - KL(pi || ref)
          estimate with exact()
        }
        experiment Both {
          task   bandit(arms = 4)
          train  [More(), Less()]
          steps  50
          batch  0
          record useful = E[task.helpful], negative = -E[task.helpful]
          plot   useful against step by objective
          expect final(useful) > first(useful) where objective == More
          expect final(useful, objective = More) > final(useful, objective = Less)
          expect final(negative) == -final(useful)
          expect final(objective) > first(objective)
        }
        """);
  }
}
