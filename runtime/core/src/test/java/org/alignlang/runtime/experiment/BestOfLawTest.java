package org.alignlang.runtime.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.alignlang.runtime.random.CounterRandom;
import org.junit.jupiter.api.Test;

class BestOfLawTest {
  private static double[] logs(double... probabilities) {
    return Arrays.stream(probabilities).map(Math::log).toArray();
  }

  private static double[] law(double[] reference, double[] scores, double n) {
    return Arrays.stream(BestOfLaw.of(logs(reference), scores, n)).map(Math::exp).toArray();
  }

  private static double kl(double[] p, double[] q) {
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      sum += p[i] > 0 ? p[i] * Math.log(p[i] / q[i]) : 0;
    }
    return sum;
  }

  @Test
  void bestOfTwoAmongThreeEquallyLikelyArms() {
    // F = 1/3, 2/3, 1, so F^2 = 1/9, 4/9, 1.
    double[] law = law(new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0}, new double[] {5, 7, 9}, 2);

    assertThat(law).containsExactly(new double[] {1 / 9.0, 3 / 9.0, 5 / 9.0}, within(1e-15));
  }

  @Test
  void tiesShareByTheReference() {
    // The top two have 1/2 together: 1 - (1/2)^3 = 7/8, shared 2 : 3.
    double[] law = law(new double[] {0.5, 0.2, 0.3}, new double[] {0, 1, 1}, 3);

    assertThat(law).containsExactly(new double[] {0.125, 0.35, 0.525}, within(1e-15));
  }

  /** (1 - 1/n)^n tends to 1/e, however near 1 the probability of the common response is. */
  @Test
  void manyDrawsFindWhatIsRarerThanTheRoundingOfOne() {
    for (double n : new double[] {1e6, 1e14, 1e20}) {
      double[] law = law(new double[] {1 - 1.5 / n, 1 / n, 0.5 / n}, new double[] {0, 1, 2}, n);

      assertThat(law[0]).isCloseTo(Math.exp(-1.5), within(2e-6));
      assertThat(law[1]).isCloseTo(Math.exp(-0.5) - Math.exp(-1.5), within(2e-6));
      assertThat(law[2]).isCloseTo(1 - Math.exp(-0.5), within(2e-6));
    }
  }

  @Test
  void equalScoresLeaveTheReference() {
    double[] reference = {0.5, 0.2, 0.3};

    assertThat(law(reference, new double[] {1, 1, 1}, 64))
        .containsExactly(reference, within(1e-15));
  }

  @Test
  void equalsTheCountOverAllDraws() {
    double[] reference = {0.1, 0.25, 0.05, 0.4, 0.2};
    double[] scores = {1, 3, 3, 0, 1};
    double[] counted = new double[5];
    for (int a = 0; a < 5; a++) {
      for (int b = 0; b < 5; b++) {
        for (int c = 0; c < 5; c++) {
          int[] draws = {a, b, c};
          double best = Arrays.stream(draws).mapToDouble(d -> scores[d]).max().orElseThrow();
          long tied = Arrays.stream(draws).filter(d -> scores[d] == best).count();
          for (int d : draws) {
            if (scores[d] == best) {
              counted[d] += reference[a] * reference[b] * reference[c] / tied;
            }
          }
        }
      }
    }

    assertThat(law(reference, scores, 3)).containsExactly(counted, within(1e-14));
  }

  @Test
  void theDivergenceStaysBelowItsBoundAndApproachesIt() {
    CounterRandom random = CounterRandom.of(3);
    for (int arms : new int[] {2, 10, 2000}) {
      double[] reference = new double[arms];
      double[] scores = new double[arms];
      for (int i = 0; i < arms; i++) {
        reference[i] = arms == 2000 ? 1 : -Math.log(random.nextDouble());
        scores[i] = random.nextDouble();
      }
      double total = Arrays.stream(reference).sum();
      for (int i = 0; i < arms; i++) {
        reference[i] /= total;
      }
      for (double n : new double[] {1, 2, 4, 16}) {
        double[] law = law(reference, scores, n);
        double divergence = kl(law, reference);
        assertThat(Arrays.stream(law).sum()).isCloseTo(1, within(1e-12));
        assertThat(divergence).isBetween(-1e-15, BestOfLaw.divergenceBound(n) + 1e-12);
        if (arms == 2000) {
          assertThat(divergence).isCloseTo(BestOfLaw.divergenceBound(n), within(0.01));
        }
      }
    }
  }

  @Test
  void impossibleResponsesStayImpossibleAndLargeNKeepsItsDigits() {
    double[] log =
        BestOfLaw.of(
            new double[] {Math.log(0.5), Double.NEGATIVE_INFINITY, Math.log(0.5)},
            new double[] {0, 9, 1},
            1000);

    // 2^-1000 of the worse arm, which 1 - F^n could not show.
    assertThat(log[0]).isCloseTo(-1000 * Math.log(2), within(1e-9));
    assertThat(log[1]).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(log[2]).isCloseTo(0, within(1e-15));
  }

  @Test
  void lessThanOneDrawIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> BestOfLaw.of(logs(1), new double[] {0}, 0.5))
        .withMessageContaining("at least 1");
  }
}
