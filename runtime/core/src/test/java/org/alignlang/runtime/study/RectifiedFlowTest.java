package org.alignlang.runtime.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.study.RectifiedFlow.Bumps;
import org.alignlang.runtime.study.RectifiedFlow.Mixture;
import org.alignlang.runtime.study.RectifiedFlow.Preference;
import org.apache.commons.statistics.distribution.NormalDistribution;
import org.junit.jupiter.api.Test;

class RectifiedFlowTest {
  private static final Mixture MIXTURE =
      new Mixture(new double[] {-1, 1}, new double[] {0.3, 0.5}, new double[] {0.7, 0.3});

  private static Findings run(Map<String, Object> arguments) {
    return Studies.run("rectified_flow", arguments, Optional.empty(), Path.of("."), 1);
  }

  /** The mean velocity at a place, by a sum over where the path may end. */
  @Test
  void velocityIsTheMeanOverPathsThroughAPlace() {
    for (double t : new double[] {0.2, 0.5, 0.9}) {
      for (double x : new double[] {-1.2, 0.1, 0.8}) {
        double mass = 0;
        double sum = 0;
        for (double x0 = -5; x0 < 5; x0 += 1e-3) {
          double e = (x - (1 - t) * x0) / t;
          double density =
              (0.7 * NormalDistribution.of(-1, 0.3).density(x0)
                      + 0.3 * NormalDistribution.of(1, 0.5).density(x0))
                  * NormalDistribution.of(0, 1).density(e);
          mass += density;
          sum += density * (e - x0);
        }

        assertThat(MIXTURE.velocity(x, t)).isCloseTo(sum / mass, offset(1e-9));
      }
    }
  }

  /** What is expected of the end of a path is {@code x - t v}. */
  @Test
  void sensitivityIsTheDerivativeOfTheExpectedEnd() {
    double t = 0.4;
    double h = 1e-5;
    for (double x : new double[] {-1.2, 0.1, 0.8}) {
      double numeric =
          (x + h - t * MIXTURE.velocity(x + h, t) - (x - h - t * MIXTURE.velocity(x - h, t)))
              / (2 * h);

      assertThat(MIXTURE.sensitivity(x, t)).isCloseTo(numeric, offset(1e-7));
    }
  }

  @Test
  void thePreferenceLossHasTheGradientOfFiniteDifferences() {
    Bumps shape = Bumps.over(3, 5, 3);
    double[] start = new double[15];
    double[] now = new double[15];
    for (int i = 0; i < 15; i++) {
      start[i] = Math.sin(i);
      now[i] = Math.cos(2 * i);
    }
    Preference loss = new Preference(shape.with(start), shape.with(now));
    double[] gradient = new double[15];
    loss.add(0.8, -0.6, 0.3, 0.4, 1.7, 1, gradient);
    double h = 1e-6;
    for (int i = 0; i < 15; i++) {
      double here = now[i];
      now[i] = here + h;
      double above = loss.add(0.8, -0.6, 0.3, 0.4, 1.7, 1, new double[15]);
      now[i] = here - h;
      double below = loss.add(0.8, -0.6, 0.3, 0.4, 1.7, 1, new double[15]);
      now[i] = here;

      assertThat(gradient[i]).isCloseTo((above - below) / (2 * h), offset(1e-7));
    }
  }

  @Test
  void leastSquaresFindWhatMadeTheTargets() {
    LeastSquares fit = new LeastSquares(2);
    for (int i = 0; i < 10; i++) {
      fit.add(new double[] {1, i}, 3 - 2 * i, 1 + i);
    }

    assertThat(fit.solve(1e-12)).containsExactly(new double[] {3, -2}, offset(1e-9));
  }

  /** Guided samples of a normal distribution are shifted by the weighted slopes, no more. */
  @Test
  void guidanceShiftsANormalDistributionByItsWeight() {
    Map<String, double[]> found =
        run(Map.of(
                "method", "guidance",
                "means", List.of(0.0),
                "deviations", List.of(1.0),
                "shares", List.of(1.0),
                "slopes", List.of(1.0, 0.5),
                "weights", List.of(0.4, 0.6),
                "strength", 2.0,
                "samples", 50.0))
            .series();

    assertThat(found.get("average")[0]).isCloseTo(1.4, offset(1e-4));
    assertThat(found.get("deviation")[0]).isCloseTo(0.99, offset(0.02));
  }

  @Test
  void wrongArgumentsAreNamed() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("shares", List.of(0.5, 0.4))))
        .withMessageContaining("argument `shares` of study `rectified_flow`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("weights", List.of(1.0, 1.0))))
        .withMessageContaining("one number for each of `slopes`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(Map.of("method", "regression", "beta", 2.0)))
        .withMessageContaining("has no argument `beta`");
  }
}
