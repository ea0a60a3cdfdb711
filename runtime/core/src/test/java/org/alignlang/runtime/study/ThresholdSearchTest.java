package org.alignlang.runtime.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Tasks;
import org.junit.jupiter.api.Test;

class ThresholdSearchTest {
  private static final List<String> REWARDS = List.of("reward1", "reward2");

  private static Task task() {
    return Tasks.create("proxy_points", Map.of("arms", 60, "prompts", 2), Path.of("."), 3);
  }

  /** The tilt with the multipliers has the expected rewards that were asked for. */
  @Test
  void theNearestPolicyMeetsTheThresholds() {
    Task task = task();
    var problem = ThresholdSearch.Problem.of(task, REWARDS, "gold");
    var nearest = problem.at(new double[] {0.7, 0.4}).orElseThrow();
    double[] earned = new double[2];
    double divergence = 0;
    for (int prompt = 0; prompt < 2; prompt++) {
      double z = 0;
      for (int arm = 0; arm < 60; arm++) {
        z += weight(problem, prompt, arm, nearest.multipliers()) / 60;
      }
      for (int arm = 0; arm < 60; arm++) {
        double p = weight(problem, prompt, arm, nearest.multipliers()) / 60 / z;
        earned[0] += p * problem.rewards()[prompt][arm][0] / 2;
        earned[1] += p * problem.rewards()[prompt][arm][1] / 2;
        divergence += p * Math.log(p * 60) / 2;
      }
    }
    assertThat(earned[0]).isCloseTo(0.7, offset(1e-8));
    assertThat(earned[1]).isCloseTo(0.4, offset(1e-8));
    assertThat(nearest.divergence()).isCloseTo(divergence, offset(1e-9));
    assertThat(problem.at(new double[] {1.5, 0.4})).isEmpty();
  }

  private static double weight(
      ThresholdSearch.Problem problem, int prompt, int arm, double[] multipliers) {
    double[] r = problem.rewards()[prompt][arm];
    return Math.exp(multipliers[0] * r[0] + multipliers[1] * r[1]);
  }

  /** No point of a fine grid is better than what the search finds, but for the grid's step. */
  @Test
  void theSearchFindsTheBestThresholds() {
    Task task = task();
    Findings found =
        Studies.run(
            "threshold_search",
            Map.of("rewards", REWARDS, "start", List.of(0.5, 0.5), "evaluations", 120),
            Optional.of(task),
            Path.of("."),
            1);
    double[] gold = found.series().get("gold");
    var problem = ThresholdSearch.Problem.of(task, REWARDS, "gold");
    double best = Double.NEGATIVE_INFINITY;
    for (double a = 0.3; a < 0.95; a += 0.02) {
      for (double b = 0.3; b < 0.95; b += 0.02) {
        best =
            Math.max(
                best,
                problem
                    .at(new double[] {a, b})
                    .map(ThresholdSearch.Nearest::gold)
                    .orElse(Double.NEGATIVE_INFINITY));
      }
    }
    assertThat(gold).isSorted();
    assertThat(gold[119]).isGreaterThan(gold[0] + 0.02).isGreaterThan(best - 1e-3);
    assertThat(found.series().get("shift")[119]).isGreaterThan(0.05);
  }

  @Test
  void whatCannotBeIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("rewards", REWARDS, "start", List.of(2.0, 0.5))))
        .withMessageContaining("thresholds that a policy meets");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("rewards", REWARDS, "start", 0.5)))
        .withMessageContaining("2 numbers, one per reward");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("rewards", List.of("reward3"), "start", 0.5)))
        .withMessageContaining("reward3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("rewards", 3.0, "start", 0.5)))
        .withMessageContaining("names in quotes");
  }

  private static Findings run(Map<String, Object> arguments) {
    return Studies.run("threshold_search", arguments, Optional.of(task()), Path.of("."), 1);
  }
}
