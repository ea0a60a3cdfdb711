package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.alignlang.integration.Experiments.plan;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.junit.jupiter.api.Test;

/** General preferences, ranked lists, ensembles of trained models, and gated rewards. */
class PreferenceGamesTest {

  /** Rock, paper and scissors with unequal wins. */
  private static final String CIRCLE =
      "task bandit(wins = [0.5, 0.9, 0.2,  0.1, 0.5, 0.8,  0.8, 0.2, 0.5], base = [0.6, 0.3, 0.1])";

  private static final String NASH =
      """
      objective Nash(tau: Real = 0.2) {
        policy     pi
        reference  ref
        preference P(y > y')
        maximize   E[P(y > pi)] - tau * KL(pi || ref)
        estimate   with exact()
      }
      """;

  @Test
  void selfPlayComesToTheEquilibriumOfTheRegularisedGame() {
    // The solver of `exact` shares nothing with the training but the preference.
    assertClaimsHold(
        NASH
            + """
            experiment Circle {
              %s
              train     Nash(tau = [0.15, 0.3])
              optimizer adam(rate = linear(from = 0.05, to = 0.001, steps = 1500))
              steps     1500
              record    gap = exploitability(pi), far = KL(pi || ref), even = E[P(y > pi)]
              record    wins = E[P(y > ref)]
              expect    final(gap) within 1e-4 of exact(gap)
              expect    final(far) within 1e-4 of exact(far)
              expect    final(even) within 1e-9 of 0.5
              expect    final(wins) > 0.51
            }
            """
                .formatted(CIRCLE));
  }

  @Test
  void identityPreferenceOptimisationOnFreshDrawsHasTheSameFixedPoint() {
    // Calandriello et al. 2024: online IPO and self-play meet in one policy.
    assertClaimsHold(
        """
        objective OnlineIpo(tau: Real = 0.2) {
          policy     pi
          reference  ref
          behavior   old
          sample     a, b ~ old
          preference P(y > y')
          let h(s) = log(pi(s) / ref(s))
          minimize   mean[pair]((h(a) - h(b) - (P(a > old) - P(b > old)) / tau)^2)
          metric     won = mean[pair](P(a > b) + P(b > a))
        }
        """
            + NASH
            + """
            experiment Circle {
              %s
              train     [OnlineIpo(), Nash()]
              optimizer adam(rate = linear(from = 0.05, to = 0.001, steps = 1000))
              steps     1000
              batch     256
              record    gap = exploitability(pi)
              expect    final(gap, objective = OnlineIpo) within 0.003 of exact(gap, objective = Nash)
              expect    final(gap) < 0.25 where objective == OnlineIpo
            }
            """
                .formatted(CIRCLE));
  }

  @Test
  void aTransitivePreferenceHasTheReferenceTiltedByWinRates() {
    assertClaimsHold(
        NASH
            + """
            experiment Transitive {
              task      bandit(arms = 5)
              train     Nash(tau = 0.1)
              optimizer adam(rate = 0.03)
              steps     1500
              record    gold = E[task.gold], far = KL(pi || ref)
              expect    final(far) within 1e-4 of exact(far)
              expect    final(gold) > first(gold) + 0.1
            }
            """);
  }

  @Test
  void tasksWithoutPreferencesAreRefused() {
    assertThatThrownBy(() ->
            run(
                NASH
                    + """
                    experiment None {
                      task   text(prompts = 1)
                      train  Nash()
                      steps  2
                    }
                    """))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("responses");
  }

  @Test
  void rankedListsAreLearned() {
    assertClaimsHold(
        """
        objective Listwise(beta: Real = 1) {
          policy    pi
          reference ref
          ranked    y[4]
          let h(s) = log(pi(s) / ref(s))
          let u = exp(beta * h(y))
          minimize -mean[pair](sum[rank](log(u / togo[rank](u))))
          metric   ordered = mean[pair](if h(y[1]) > h(y[4]) then 1 else 0)
        }
        /// The same over one random order: nothing to learn.
        objective Unranked(beta: Real = 1) {
          policy    pi
          reference ref
          ranked    y[4]
          let h(s) = log(pi(s) / ref(s))
          minimize mean[pair](sum[rank](h(y))^2 * beta)
        }
        experiment Lists {
          task      bandit(arms = 6)
          train     [Listwise(), Unranked()]
          optimizer adam(rate = 0.05)
          steps     600
          batch     0
          record    gold = E[task.gold]
          expect    final(gold) > first(gold) + 0.3  where objective == Listwise
          expect    final(ordered) > 0.6 where objective == Listwise
          expect    final(gold) < first(gold) + 0.1  where objective == Unranked
        }
        """);
  }

  @Test
  void anEnsembleOfRewardModelsDiffersAndItsMembersAreTrained() {
    assertClaimsHold(
        """
        objective Models {
          learn r: sequence[3]
          pairs chosen > rejected
          minimize mean[pair](-mean[member](log_sigmoid(r(chosen) - r(rejected))))
          metric   agree = mean[pair](if min[member](r(chosen) - r(rejected)) > 0 then 1 else 0)
          metric   spread = mean[pair](std[member](r(chosen), ddof = 1))
        }
        experiment Three {
          task      gold_proxy(arms = 8, prompts = 1)
          train     Models()
          r         table(init = 0)
          r2        table(init = 1, optimizer = sgd(rate = 1))
          optimizer adam(rate = 0.05)
          steps     200
          batch     0
          expect    final(loss) < first(loss) - 0.015
          expect    final(agree) > 0.5
          expect    final(spread) > 0.1
        }
        """);
  }

  @Test
  void gatesAndTailsOfEnsemblesShapeAReward() {
    // A reward that counts only where another holds, and the worst two fifths of an ensemble.
    assertClaimsHold(
        """
        objective Gated(q: Real = 0.4) {
          policy   pi
          reference ref
          reward   proxy: sequence[5]
          reward   novelty: sequence
          reward   safe = cvar[member](proxy, q) when novelty < 1
          maximize E[safe] - 0.1 * KL(pi || ref)
          estimate with exact()
        }
        experiment Tails {
          task      gold_proxy(arms = 8, prompts = 2, members = 5)
          train     Gated()
          optimizer adam(rate = 0.05)
          steps     400
          record    value = E[safe] - 0.1 * KL(pi || ref), odd = E[task.novelty]
          expect    final(value) within 1% of exact(value)
        }
        """);
  }

  private static void run(String text) {
    new ExperimentRunner(
            plan(text), new ExperimentRunner.Options(1, 1, 60), Progress.silent(), RunLog.none())
        .run();
  }
}
