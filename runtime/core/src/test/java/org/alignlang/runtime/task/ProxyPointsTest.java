package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.task.Task.Response;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.junit.jupiter.api.Test;

class ProxyPointsTest {

  private static double[] scores(Task task, String score) {
    return task.responses(0, 1 << 16).stream()
        .mapToDouble(response -> task.score(score, response)[0])
        .toArray();
  }

  /** Uniform margins, and the rank correlation of a Gaussian copula, 6 / pi asin(rho / 2). */
  @Test
  void theRewardsAreUniformAndCorrelated() {
    Task task =
        Tasks.create("proxy_points", Map.of("arms", 20_000, "correlation", 0.4), Path.of("."), 1);
    double[] first = scores(task, "reward1");
    double[] second = scores(task, "reward2");
    double mean = 0;
    int low = 0;
    for (double x : first) {
      assertThat(x).isBetween(0.0, 1.0);
      mean += x / first.length;
      low += x < 0.1 ? 1 : 0;
    }
    assertThat(mean).isCloseTo(0.5, offset(0.01));
    assertThat(low / (double) first.length).isCloseTo(0.1, offset(0.01));
    assertThat(new SpearmansCorrelation().correlation(first, second))
        .isCloseTo(6 / Math.PI * Math.asin(0.2), offset(0.02));
  }

  @Test
  void aRewardIsWorthHavingUpToItsPoint() {
    Task task =
        Tasks.create(
            "proxy_points",
            Map.of("arms", 300, "peaks", List.of(0.8, 0.3, 0.5), "slope", 2),
            Path.of("."),
            2);
    double[] peaks = {0.8, 0.3, 0.5};
    for (Response response : task.responses(0, 1000)) {
      double gold = 0;
      for (int i = 0; i < 3; i++) {
        double x = task.score("reward" + (i + 1), response)[0];
        double worth = Math.min(x, peaks[i]) - 2 * Math.max(0, x - peaks[i]);
        assertThat(task.score("worth" + (i + 1), response)[0]).isCloseTo(worth, offset(1e-12));
        gold += worth;
      }
      assertThat(task.score("gold", response)[0]).isCloseTo(gold, offset(1e-12));
    }
  }

  @Test
  void argumentsThatDoNotFitAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("proxy_points", Map.of("peaks", List.of()), Path.of("."), 1))
        .withMessageContaining("1 to 16 numbers");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Tasks.create("proxy_points", Map.of("correlation", -0.1), Path.of("."), 1))
        .withMessageContaining("a number from 0 to 1");
  }
}
