package org.alignlang.runtime.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.alignlang.runtime.experiment.BestOfLaw;
import org.junit.jupiter.api.Test;

class MemorylessAlignmentTest {

  private static Findings run(Map<String, Object> arguments) {
    return Studies.run("memoryless_alignment", arguments, Optional.empty(), Path.of("."), 1);
  }

  private static double at(Findings findings, String quantity, int index) {
    return findings.series().get(quantity)[index];
  }

  /** A fair coin with the budget of 0.1 nats: b and E[r] to six digits, by another program. */
  @Test
  void theTiltOfACoin() {
    Findings coin =
        run(
            Map.of(
                "law", List.of(0.5, 0.5),
                "reward", List.of(0.0, 1.0),
                "budget", 0.1,
                "lengths", List.of(10.0, 200.0)));
    assertThat(at(coin, "tilt", 0)).isCloseTo(0.943443, offset(1e-6));
    assertThat(at(coin, "tilt_reward", 0)).isCloseTo(0.719795, offset(1e-6));
    assertThat(at(coin, "drawn", 0)).isEqualTo(3);
    assertThat(at(coin, "drawn", 1)).isCloseTo(Math.exp(20), offset(0.5));
    assertThat(at(coin, "tail", 1)).isCloseTo(at(coin, "rate", 1), offset(0.02));
    assertThat(at(coin, "tail", 0)).isGreaterThan(at(coin, "rate", 0));
  }

  /** All sequences of five tokens, one by one, with three letters two of which earn the same. */
  @Test
  void whatTheTotalsSayIsWhatAllSequencesSay() {
    double[] law = {0.2, 0.3, 0.5};
    double[] reward = {1.5, -0.25, 1.5};
    int m = 5;
    double draws = 3;
    Findings found =
        run(
            Map.of(
                "law",
                List.of(0.2, 0.3, 0.5),
                "reward",
                List.of(1.5, -0.25, 1.5),
                "budget",
                0.1,
                "draws",
                draws,
                "level",
                1.4,
                "lengths",
                List.of((double) m)));
    double b = at(found, "tilt", 0);
    int count = (int) Math.pow(3, m);
    double[] logProbabilities = new double[count];
    double[] totals = new double[count];
    for (int y = 0; y < count; y++) {
      for (int t = 0, rest = y; t < m; t++, rest /= 3) {
        logProbabilities[y] += Math.log(law[rest % 3]);
        totals[y] += reward[rest % 3];
      }
    }
    double logZ =
        Math.log(
            IntStream.range(0, count)
                .mapToDouble(y -> Math.exp(logProbabilities[y] + b * totals[y]))
                .sum());
    double[] best = BestOfLaw.of(logProbabilities, totals, draws);
    double apart = 0;
    double moved = 0;
    double earned = 0;
    double divergence = 0;
    double tail = 0;
    for (int y = 0; y < count; y++) {
      double q = Math.exp(best[y]);
      double tilted = logProbabilities[y] + b * totals[y] - logZ;
      apart += q * (best[y] - tilted);
      moved += q * (best[y] - logProbabilities[y]);
      earned += q * totals[y];
      divergence += Math.exp(tilted) * (tilted - logProbabilities[y]);
      tail += totals[y] >= m * 1.4 - 1e-9 ? Math.exp(tilted) : 0;
    }
    assertThat(divergence / m).isCloseTo(0.1, offset(1e-9));
    assertThat(at(found, "apart", 0)).isCloseTo(apart / m, offset(1e-10));
    assertThat(at(found, "moved", 0)).isCloseTo(moved / m, offset(1e-10));
    assertThat(at(found, "best_of_reward", 0)).isCloseTo(earned / m, offset(1e-10));
    assertThat(at(found, "tail", 0)).isCloseTo(-Math.log(tail) / m, offset(1e-10));
  }

  /** The rate is {@code sup over s of s x - (L(b + s) - L(b))}, here on a fine grid. */
  @Test
  void theRateIsTheConjugateOfTheCumulant() {
    Findings found =
        run(
            Map.of(
                "law", List.of(0.6, 0.3, 0.1),
                "reward", List.of(0.0, 1.0, 3.0),
                "budget", 0.2,
                "level", 2.0,
                "lengths", 3.0));
    double b = at(found, "tilt", 0);
    double best = 0;
    for (double s = 0; s < 5; s += 1e-4) {
      best = Math.max(best, s * 2 - (cumulant(b + s) - cumulant(b)));
    }
    assertThat(at(found, "rate", 0)).isCloseTo(best, offset(1e-7));
  }

  private static double cumulant(double s) {
    return Math.log(0.6 + 0.3 * Math.exp(s) + 0.1 * Math.exp(3 * s));
  }

  @Test
  void whatCannotBeIsRefused() {
    Map<String, Object> coin =
        Map.of(
            "law", List.of(0.5, 0.5),
            "reward", List.of(0.0, 1.0),
            "budget", 0.1,
            "lengths", List.of(4.0));
    refused(coin, "budget", 0.7, "must be below 0.69");
    refused(coin, "law", List.of(0.5, 0.4), "probabilities that sum to 1");
    refused(coin, "reward", List.of(1.0), "2 numbers, one per token");
    refused(coin, "reward", List.of(1.0, 1.0), "different for some tokens");
    refused(coin, "level", 0.5, "must be between 0.7197");
    refused(coin, "lengths", List.of(60_000.0), "e^(m budget) is a number");
  }

  private static void refused(
      Map<String, Object> arguments, String name, Object value, String message) {
    Map<String, Object> changed = new HashMap<>(arguments);
    changed.put(name, value);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run(changed))
        .withMessageContaining(message);
  }
}
