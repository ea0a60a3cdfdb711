package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.alignlang.integration.Experiments.assertGoesOnToTheSameBits;
import static org.alignlang.integration.Experiments.plan;
import static org.alignlang.integration.Experiments.trained;
import static org.alignlang.integration.Experiments.trainer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Critics, kept numbers, fresh draws, lagged references, schedules, and ways to keep a constraint.
 */
class TrainedBesideThePolicyTest {
  private static final String CRITIC =
      """
      estimator critic(v, clip: Real = 0.2, lambda: Real = 0.95) for r: token {
        let a = stop(gae(r, old(v), 1, lambda))
        let returns = stop(a + old(v))
        let ratio = pi(y.token) / old(y.token)
        surrogate mean[token, sequence](min(ratio * a, clamp(ratio, 1 - clip, 1 + clip) * a))
          - 0.5 * mean[token, sequence]((v - returns)^2)
      }
      objective WithCritic(beta: Real = 0.2) {
        policy    pi
        reference ref
        learn     v: token
        reward    score: sequence
        state     steps = steps + 1 from 0
        maximize  E[score] - beta * KL(pi || ref)
        estimate  with critic(v)
        metric    seen = steps
      }
      experiment Critic {
        task      sequences(letters = 2, length = 3, prompts = 2)
        train     WithCritic()
        optimizer adam(rate = linear(from = 0.05, to = 0.001, steps = 300))
        v         table(optimizer = adam(rate = 0.1))
        steps     300
        batch     128   epochs 2
        every     100
        record    value = E[task.score] - 0.2 * KL(pi || ref)
        expect    final(value) within 2% of exact(value)
        expect    final(steps) == 301
        expect    final(seen) == 300
      }
      """;

  @Test
  void aCriticLeadsToTheClosedForm() {
    assertClaimsHold(CRITIC);
  }

  @Test
  void anInterruptedTrainingGoesOnToTheSameBits() {
    assertThat(assertGoesOnToTheSameBits(plan(CRITIC)).arrays())
        .containsKeys("block v", "block v sampled", "block v optimizer", "kept");
  }

  private static final String HEADS =
      """
      estimator sharing(v) for r: token {
        let a = stop(gae(r, old(v), 0.95, 0.95))
        let ratio = pi(y.token) / old(y.token)
        surrogate mean[token, sequence](min(ratio * a, clamp(ratio, 0.8, 1.2) * a))
          - 0.5 * mean[token, sequence]((v - stop(a + old(v)))^2)
      }
      objective Reading(weight: Real = 1) {
        policy   pi
        behavior old
        learn    v:     token
        learn    guess: token[2]
        reward   score: token
        feature  sense: token[2]
        let blurred = mean[token, sequence](sum[member]((guess - sense)^2))
        maximize E[sum[token](score)] - weight * blurred
        estimate with sharing(v)
        metric   error = blurred
      }
      experiment Heads {
        task      chain(states = 5, horizon = 12, senses = 2)
        train     Reading()
        policy    mlp(hidden = [8], features = "state")
        v         head()
        guess1    head()
        guess2    head()
        optimizer adam(rate = 0.01)
        steps     150
        batch     16   group 16   epochs 2
        every     50
        record    arrived = E[sum[token](task.score.token)]
        expect    final(error) < 0.2 * first(error)
        expect    final(arrived) > first(arrived) + 0.1
      }
      """;

  @Test
  void headsStandOnTheHiddenLayerOfThePolicy() {
    assertClaimsHold(HEADS);
    assertThat(assertGoesOnToTheSameBits(plan(HEADS)).arrays())
        .containsKeys("block guess1", "block guess1 trunk");
  }

  /**
   * A head's gradient is made of the hidden layer that was evaluated, however far that then moves.
   */
  @Test
  void aHeadMovesByTheGradientFromBeforeThePolicyMoved() {
    Map<String, double[]> near = afterOneStep("sgd(rate = 0.001)");
    Map<String, double[]> far = afterOneStep("sgd(rate = 10)");

    assertThat(far.get("parameters")).isNotNull().isNotEqualTo(near.get("parameters"));
    assertThat(far.get("block guess1")).isNotNull().isEqualTo(near.get("block guess1"));
  }

  private static Map<String, double[]> afterOneStep(String optimizer) {
    String text =
        HEADS
            .replace("optimizer adam(rate = 0.01)", "optimizer " + optimizer)
            .replaceAll("head\\(\\)", "head(optimizer = sgd(rate = 0.1))");
    return trained(trainer(plan(text)), 1).arrays();
  }

  @Test
  void aHeadNeedsAPolicyWithAHiddenLayer() {
    assertThatThrownBy(
            () -> assertClaimsHold(HEADS.replaceFirst("policy    mlp.*", "policy softmax_table()")))
        .hasMessageContaining("stands on the hidden layer of the policy");
  }

  private static final String PER_PROMPT =
      """
      import align.objectives.control
      experiment PerPrompt {
        task      bandit(arms = 6, prompts = 4)
        train     PromptFit(beta = 0.5, D = forward_kl)
        policy    softmax_table()
        optimizer adam(rate = 0.03)
        z         table(of = "prompt", optimizer = sgd(rate = 1))
        seen      table(of = "prompt", optimizer = sgd(rate = 1))
        steps     400
        batch     64
        every     100
        record    kept = E[z], samples = E[seen], value = E[task.score] - 0.5 * KL(pi || ref)
        expect    final(kept) within 10% of final(normaliser)      "the mean of the weights so far"
        expect    final(samples) within 0.000001 of 6400           "each prompt counts its samples"
        expect    final(value) > first(value)                      "the policy comes closer"
      }
      """;

  @Test
  void aNumberIsKeptForEachPrompt() {
    assertClaimsHold(PER_PROMPT);
    assertThat(assertGoesOnToTheSameBits(plan(PER_PROMPT)).arrays())
        .containsKeys("block z", "block seen");
  }

  @Test
  void drawsBaselinesLaggedReferencesAndSchedulesTrain() {
    assertClaimsHold(
        """
        objective Online(beta: Real = 0.5) {
          policy    pi
          reference ref
          sample    a, b ~ old
          reward    score: sequence
          let h(s) = log(pi(s) / ref(s))
          let d = if score(a) > score(b) then h(a) - h(b) else h(b) - h(a)
          minimize mean[pair](-log_sigmoid(beta * d))
        }
        objective Baseline(decay: Real = 0.9) {
          policy pi
          reward score: sequence
          state  m = decay * m + (1 - decay) * mean[batch](score) from 0
          minimize -mean[sequence]((score - m) * log(pi(y)))
        }
        objective Lagged(beta: Real = 0.1) {
          policy    pi
          reference ref = ema(pi, 0.9)
          reward    score: sequence
          maximize  E[score] - beta * KL(pi || ref)
          estimate  with rloo()
        }
        experiment Train {
          task      sequences(letters = 2, length = 3)
          train     [Online(), Baseline(),
                     Lagged(beta = linear(from = 1, to = 0.1, steps = 100))]
          optimizer adam(rate = 0.05)
          steps     150   batch 64   every 50
          record    value = E[task.score]
          expect    final(value) > first(value) + 0.5
        }
        """);
  }

  /** At the limit 0.1 the multiplier is 3.8: an exact penalty must weigh more. */
  @Test
  void everyWayToKeepAConstraintComesAsNearAsItSays() {
    String objective =
        """
        objective %1$s {
          policy    pi
          reference ref
          reward    helpful: sequence
          reward    harm:    sequence
          maximize   E[helpful] - 0.3 * KL(pi || ref)
          subject to E[harm] <= %2$s %3$s
          estimate   with exact()
        }
        """;
    assertClaimsHold(
        objective.formatted("ByPenalty", "0.1", "by penalty(10)")
            + objective.formatted("BySquare", "0.1", "by penalty(10, power = 2)")
            + objective.formatted("BySwitching", "0.1", "by switching()")
            + objective.formatted(
                "ByAugmented",
                "0.1",
                "multiplier lambda(form = augmented(penalty = 10), rate = 0.5)")
            + objective.formatted("ByBarrier", "0.6", "by barrier(sharpness = 100)")
            + """
            experiment Kept {
              task      bandit(arms = 16, prompts = 4)
              train     [ByPenalty(), BySquare(), BySwitching(), ByAugmented(), ByBarrier()]
              optimizer adam(rate = linear(from = 0.05, to = 0.0005, steps = 800))
              steps     800   every 400
              record    value = E[task.helpful] - 0.3 * KL(pi || ref), harmful = E[task.harm]
              expect    final(harmful) within 0.002 of 0.1  where objective == ByPenalty
              expect    final(harmful) within 0.002 of 0.1  where objective == BySwitching
              expect    final(harmful) within 0.002 of 0.1  where objective == ByAugmented
              expect    final(value) within 0.02 of exact(value)  where objective == ByPenalty
              expect    final(value) within 0.02 of exact(value)  where objective == BySwitching
              expect    final(value) within 0.02 of exact(value)  where objective == ByAugmented
              expect    final(harmful) > 0.15  where objective == BySquare  "a square is never exact"
              expect    final(harmful) < 0.6 and final(harmful) > 0.55
                where objective == ByBarrier  "a barrier stays inside"
            }
            """);
  }
}
