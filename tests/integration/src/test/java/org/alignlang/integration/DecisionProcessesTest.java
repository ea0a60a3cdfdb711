package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.alignlang.integration.Experiments.assertGoesOnToTheSameBits;
import static org.alignlang.integration.Experiments.plan;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.train.Trainer;
import org.alignlang.runtime.train.TrainingState;
import org.alignlang.runtime.train.WorkerPool;
import org.junit.jupiter.api.Test;

/** Objectives of the language on episodes of decision processes. */
class DecisionProcessesTest {
  private static final String TO_GO =
      """
      estimator to_go(v) for r: token {
        let g = togo(r)
        let a = stop(g - old(v))
        surrogate mean[sequence](sum[token](a * log(pi(y.token))))
          - 0.5 * mean[sequence](sum[token]((v - stop(g))^2))
      }
      """;

  private static final String GRID =
      TO_GO
          + """
          objective Reach(beta: Real = 0.01) {
            policy    pi
            reference ref
            learn     v: token
            reward    score: token
            maximize  E[return(score, 0.9)] - beta * KL(pi || ref)
            estimate  with to_go(v)
          }
          experiment Walk {
            task      grid(map = ["S.#G", "...."], slip = 0.1, horizon = 20, discount = 0.9)
            train     Reach()
            optimizer natural(rate = 0.5)
            v         table(optimizer = adam(rate = 0.1))
            steps     80
            batch     64
            every     20
            record    value = E[return(task.score.token, 0.9)], rate = 0.1 * value, sampled = E[task.return]
            record    arrived = E[sum[token](task.at_G.token)], often = E[task.success], moves = E[length(y)]
            record    apart = KL(pi || ref), also = E[sum[token](log(pi(y.token) / ref(y.token)))]
            expect    final(value) > first(value) + 0.3
            expect    final(arrived) > 0.95
            expect    final(sampled) within 0.01 of final(value)
            expect    final(often) within 0.01 of final(arrived)
            expect    final(apart) within 0.000001 of final(also)
            expect    final(moves) < first(moves) - 5
          }
          """;

  @Test
  void aPolicyOfStatesLearnsAndExpectationsAreExact() {
    assertClaimsHold(GRID);
  }

  @Test
  void anInterruptedTrainingGoesOnToTheSameBits() {
    assertGoesOnToTheSameBits(plan(GRID));
  }

  @Test
  void threadsChangeNoBits() {
    TrainingState alone = Experiments.trained(Experiments.trainer(plan(GRID)), 20);
    try (WorkerPool pool = new WorkerPool(3)) {
      var plan = plan(GRID);
      Trainer trainer = new Trainer(plan, new TrainingId(0, 0, 1, Map.of()), plan.records(), pool);
      Experiments.assertSameNumbers(alone.arrays(), Experiments.trained(trainer, 20).arrays());
    }
  }

  @Test
  void certainProcessesHaveExactEstimatesAndClosedForms() {
    assertClaimsHold(
        """
        objective Tilt(beta: Real = 0.2) {
          policy    pi
          reference ref
          reward    at_G: token
          maximize  E[return(at_G, 0.9)] - beta * KL(pi || ref)
          estimate  with exact()
        }
        experiment Exact {
          task      grid(map = ["S.", ".G"], horizon = 4, discount = 0.9, timed = true)
          train     Tilt()
          optimizer adam(rate = linear(from = 0.1, to = 0.001, steps = 300))
          steps     300
          every     100
          record    value = E[return(at_G, 0.9)] - 0.2 * KL(pi || ref)
          expect    final(value) within 0.1% of exact(value) "time and state are enough for it"
        }
        """);
  }

  @Test
  void tablesOfAScoreAreTrained() {
    assertClaimsHold(
        """
        /// What each action is worth, regressed on the reward.
        objective Fit {
          learn  q: token
          reward at_b: token
          policy pi
          minimize mean[token, sequence]((q - at_b)^2) - 1e-9 * mean[token, sequence](log(pi(y.token)))
        }
        experiment Values {
          task      process(rules = ["a go -> b 0.75, a", "a wait -> a"], horizon = 3)
          train     Fit()
          q         table(of = "choice", optimizer = adam(rate = linear(from = 0.1, to = 0.001, steps = 150)))
          steps     150
          batch     1000
          every     50
          record    believed = E[sum[token](q)], truth = E[sum[token](at_b)]
          expect    final(believed) within 0.01 of final(truth)
        }
        """);
  }

  @Test
  void whatFollowsAtRandomIsNotListed() {
    String exact =
        """
        objective Exact {
          policy   pi
          reward   score: token
          maximize E[sum[token](score)]
          estimate with exact()
        }
        experiment Slips {
          task  grid(map = ["S.G"], slip = 0.2, horizon = 4)
          train Exact()
          steps 2
        }
        """;
    assertThatThrownBy(() -> Experiments.trainer(plan(exact)))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("the states of task `grid` follow at random");
    assertThat(plan(exact).points()).hasSize(1);
  }
}
