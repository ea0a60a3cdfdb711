package org.alignlang.runtime.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.apache.commons.math3.distribution.TDistribution;
import org.apache.commons.math3.stat.descriptive.DescriptiveStatistics;
import org.apache.commons.math3.stat.inference.TTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class IntervalTest {
  @ParameterizedTest
  @ValueSource(ints = {2, 3, 5, 30, 400})
  void isStudentsInterval(int count) {
    Random random = new Random(count);
    double[] numbers = random.doubles(count, -3, 8).toArray();
    DescriptiveStatistics statistics = new DescriptiveStatistics(numbers);
    double quantile = new TDistribution(count - 1).inverseCumulativeProbability(0.975);
    double half = quantile * statistics.getStandardDeviation() / Math.sqrt(count);
    Interval interval = Interval.of(numbers);
    assertThat(interval.mean()).isCloseTo(statistics.getMean(), within(1e-12));
    assertThat(interval.high() - interval.mean()).isCloseTo(half, within(1e-8 * half));
    assertThat(interval.mean() - interval.low()).isCloseTo(half, within(1e-8 * half));
    assertThat(interval.count()).isEqualTo(count);
  }

  /** Excluding 0 at 95 % is what the two-sided t-test rejects at 5 %. */
  @Test
  void excludesZeroWhereTheTestRejects() {
    Random random = new Random(1);
    int rejected = 0;
    for (int i = 0; i < 200; i++) {
      double[] numbers = new double[4];
      for (int j = 0; j < numbers.length; j++) {
        numbers[j] = 1 + random.nextGaussian();
      }
      Interval interval = Interval.of(numbers);
      boolean excludes = interval.low() > 0 || interval.high() < 0;
      assertThat(excludes).isEqualTo(new TTest().tTest(0, numbers, 0.05));
      rejected += excludes ? 1 : 0;
    }
    assertThat(rejected).isBetween(20, 180);
  }

  /** Over normal numbers it covers the mean 19 times of 20. */
  @Test
  void coversTheMean() {
    Random random = new Random(2);
    int covered = 0;
    for (int i = 0; i < 20_000; i++) {
      Interval interval =
          Interval.of(random.nextGaussian(), random.nextGaussian(), random.nextGaussian());
      covered += interval.low() <= 0 && interval.high() >= 0 ? 1 : 0;
    }
    assertThat(covered / 20_000.0).isCloseTo(0.95, within(0.005));
  }

  /** Welch's test rejects where his interval excludes 0. */
  @Test
  void ofDifferenceIsWelchs() {
    Random random = new Random(3);
    int rejected = 0;
    for (int i = 0; i < 200; i++) {
      double[] first = random.doubles(3, 0, 2).toArray();
      double[] second = random.doubles(5, 0.8, 1.8).toArray();
      Interval interval = Interval.ofDifference(first, second);
      boolean excludes = interval.low() > 0 || interval.high() < 0;
      assertThat(excludes).isEqualTo(new TTest().tTest(first, second, 0.05));
      rejected += excludes ? 1 : 0;
    }
    assertThat(rejected).isBetween(5, 195);
    assertThat(Interval.ofDifference(new double[] {3}, new double[] {1, 2}))
        .isEqualTo(new Interval(1.5, 1.5, 1.5, 1));
  }

  @Test
  void oneNumberOrEqualNumbersHaveNoSpread() {
    assertThat(Interval.of(2)).isEqualTo(new Interval(2, 2, 2, 1));
    assertThat(Interval.of(0.1, 0.1, 0.1)).isEqualTo(new Interval(0.1, 0.1, 0.1, 3));
    assertThat(Interval.of(0.1, 0.1, 0.1).spread()).isFalse();
    assertThat(Interval.of().mean()).isNaN();
  }

  @Test
  void numbersAreShownWithoutIdleZeros() {
    assertThat(Interval.show(0.2)).isEqualTo("0.2");
    assertThat(Interval.show(-1.25e-9)).isEqualTo("-1.25e-09");
    assertThat(Interval.show(1e20)).isEqualTo("1e+20");
    assertThat(Interval.show(123456.5)).isEqualTo("1.2346e+05");
    assertThat(new Interval(0.5123451, 0.498, 0.52669, 3).showShort()).isEqualTo("0.51235 ± 0.014");
    assertThat(Interval.of(3).showShort()).isEqualTo("3");
  }

  @Test
  void nearlyEqualLargeNumbersKeepTheirSpread() {
    Interval interval = Interval.of(1e9 + 0.25, 1e9 + 0.5, 1e9 + 0.75);
    assertThat(interval.mean()).isEqualTo(1e9 + 0.5);
    assertThat(interval.high() - interval.mean())
        .isCloseTo(4.302652729749 * 0.25 / Math.sqrt(3), within(1e-6));
  }
}
