package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.alignlang.integration.Experiments.plan;
import static org.alignlang.integration.Experiments.trained;
import static org.alignlang.integration.Experiments.trainer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.train.Trainer;
import org.junit.jupiter.api.Test;

/** Divergences between occupancy measures. */
class OccupancyTest {
  private static final double DISCOUNT = 0.9;

  private static final String OBJECTIVE =
      """
      objective Near {
        policy    pi
        reference base
        minimize  sqrt(chi_squared(occupancy(pi) || occupancy(base), discount = 0.9) + 0.01)
                  + 0.5 * KL(occupancy(base) || occupancy(pi), discount = 0.9)
        estimate  with rloo()
      }
      """;

  @Test
  void theGradientOfSamplesIsThatOfTheExactFunctional() {
    // One step of plain gradient descent shows the sampled gradient; the functional itself comes of
    // the task's exact measures, and its gradient of central differences.
    Trainer trainer =
        trainer(
            plan(
                OBJECTIVE
                    + """
                    experiment One {
                      task      random_process(states = 3, actions = 2, horizon = 4)
                      train     Near()
                      optimizer sgd(rate = 1)
                      batch     60000
                      steps     1
                    }
                    """));
    double[] parameters = trainer.policy().parameters();
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] = 0.8 * Math.sin(1 + 2 * i);
    }
    Policy before = trainer.policy().copy();
    trained(trainer, 1);
    double[] after = trainer.policy().parameters();
    Task task = trainer.task();
    double h = 1e-5;
    double largest = 0;
    for (int i = 0; i < after.length; i++) {
      Policy moved = before.copy();
      moved.parameters()[i] += h;
      double above = functional(task, moved);
      moved.parameters()[i] -= 2 * h;
      double exact = (above - functional(task, moved)) / (2 * h);
      assertThat(before.parameters()[i] - after[i])
          .as("parameter %d", i)
          .isCloseTo(exact, within(0.006));
      largest = Math.max(largest, Math.abs(exact));
    }
    assertThat(largest).isGreaterThan(0.05);
  }

  private static double functional(Task task, Policy policy) {
    double[][] mu = task.occupancy(policy, DISCOUNT).orElseThrow();
    double[][] base = task.occupancy(task.base(), DISCOUNT).orElseThrow();
    double chiSquared = 0;
    double divergence = 0;
    for (int s = 0; s < mu.length; s++) {
      for (int a = 0; a < mu[s].length; a++) {
        if (base[s][a] > 0) {
          chiSquared += Math.pow(mu[s][a] - base[s][a], 2) / base[s][a];
          divergence += base[s][a] * Math.log(base[s][a] / mu[s][a]);
        }
      }
    }
    return Math.sqrt(chiSquared + 0.01) + 0.5 * divergence;
  }

  @Test
  void itBringsAPolicyToTheReference() {
    assertClaimsHold(
        OBJECTIVE
            + """
            experiment Home {
              task      chain(states = 4, horizon = 6)
              train     Near()
              policy    mlp(hidden = [8], relative = false)
              optimizer adam(rate = 0.05)
              steps     150
              record    apart = KL(occupancy(pi) || occupancy(base), discount = 0.9)
              expect    final(apart) < 0.01
            }
            """);
  }

  @Test
  void otherTasksHaveNoSuchMeasure() {
    assertThatThrownBy(() ->
            trainer(
                plan(
                    OBJECTIVE
                        + """
                        experiment None {
                          task  bandit(arms = 4)
                          train Near()
                          steps 1
                        }
                        """)))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("task `bandit` is no decision process");
  }
}
