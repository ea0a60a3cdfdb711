package org.alignlang.runtime.metric;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.math3.stat.correlation.KendallsCorrelation;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;
import org.apache.commons.math3.stat.regression.SimpleRegression;
import org.junit.jupiter.api.Test;

class MetricsTest {

  @Test
  void equallySpacedPointsOnADiagonalHaveTheVolumeOfTheirStairs() {
    for (int n : List.of(2, 4, 10)) {
      List<double[]> points = new ArrayList<>();
      for (int i = 0; i <= n; i++) {
        points.add(new double[] {(double) i / n, 1 - (double) i / n});
      }
      ParetoFront front = ParetoFront.of(points);
      assertThat(front.hypervolume(new double[] {0, 0}))
          .isCloseTo((n - 1) / (2.0 * n), within(1e-12));
      assertThat(front.sparsity()).isCloseTo(2.0 / (n * n), within(1e-12));
    }
    ParetoFront vertices = ParetoFront.of(List.of(new double[] {1, 0}, new double[] {0, 1}));
    assertThat(vertices.hypervolume(new double[] {0, 0})).isZero();
    assertThat(vertices.expectedUtility()).isCloseTo(0.75, within(1e-12));
  }

  @Test
  void dominatedAndRepeatedPointsAreNotOnTheFront() {
    ParetoFront front =
        ParetoFront.of(
            List.of(
                new double[] {1, 1},
                new double[] {2, 0},
                new double[] {1, 0.5},
                new double[] {1, 1},
                new double[] {2, 0}));
    assertThat(front.points()).containsExactly(new double[] {1, 1}, new double[] {2, 0});
    assertThat(front.hypervolume(new double[] {-1, -1})).isCloseTo(2 * 2 + 1, within(1e-12));
    assertThat(ParetoFront.of(List.of(new double[] {1, 2, 3})).hypervolume(new double[] {0, 1, 1}))
        .isCloseTo(2, within(1e-12));
  }

  @Test
  void frontsAgreeWithCountingAtRandom() {
    CounterRandom random = CounterRandom.of(5);
    for (int objectives = 2; objectives <= 3; objectives++) {
      int m = objectives;
      List<double[]> points = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        points.add(IntStream.range(0, m).mapToDouble(j -> random.nextDouble()).toArray());
      }
      ParetoFront front = ParetoFront.of(points);
      int draws = 200_000;
      int inside = 0;
      double utility = 0;
      for (int d = 0; d < draws; d++) {
        double[] at = IntStream.range(0, m).mapToDouble(j -> random.nextDouble()).toArray();
        inside += points.stream().anyMatch(p -> allAbove(p, at)) ? 1 : 0;
        double[] weights =
            IntStream.range(0, m).mapToDouble(j -> -Math.log(1 - random.nextDouble())).toArray();
        double sum = IntStream.range(0, m).mapToDouble(j -> weights[j]).sum();
        utility +=
            points.stream()
                .mapToDouble(
                    p -> IntStream.range(0, m).mapToDouble(j -> weights[j] / sum * p[j]).sum())
                .max()
                .orElseThrow();
      }
      assertThat(front.hypervolume(new double[m]))
          .isCloseTo((double) inside / draws, within(0.005));
      assertThat(front.expectedUtility()).isCloseTo(utility / draws, within(0.002));
    }
  }

  private static boolean allAbove(double[] point, double[] at) {
    return IntStream.range(0, at.length).allMatch(j -> point[j] >= at[j]);
  }

  @Test
  void correlationsAreThoseOfCommonsMathWhereWeightsAreEqual() {
    CounterRandom random = CounterRandom.of(7);
    double[] x = IntStream.range(0, 40).mapToDouble(i -> random.nextInt(12)).toArray();
    double[] y = IntStream.range(0, 40).mapToDouble(i -> x[i] + random.nextInt(12)).toArray();
    double[] alike = Agreement.alike(40);
    assertThat(Agreement.correlation(x, y, alike))
        .isCloseTo(new PearsonsCorrelation().correlation(x, y), within(1e-12));
    assertThat(Agreement.spearman(x, y, alike))
        .isCloseTo(new SpearmansCorrelation().correlation(x, y), within(1e-12));
    assertThat(Agreement.kendall(x, y, alike))
        .isCloseTo(new KendallsCorrelation().correlation(x, y), within(1e-12));
    assertThat(Agreement.spearman(x, new double[40], alike)).isNaN();
  }

  @Test
  void aWeightCountsLikeARepetition() {
    double[] x = {1, 2, 3, 3};
    double[] y = {2, 1, 5, 4};
    double[] repeatedX = {1, 2, 2, 2, 3, 3};
    double[] repeatedY = {2, 1, 1, 1, 5, 4};
    double[] weights = {1 / 6.0, 3 / 6.0, 1 / 6.0, 1 / 6.0};
    assertThat(Agreement.spearman(x, y, weights))
        .isCloseTo(Agreement.spearman(repeatedX, repeatedY, Agreement.alike(6)), within(1e-12));
    assertThat(Agreement.kendall(x, y, weights))
        .isCloseTo(Agreement.kendall(repeatedX, repeatedY, Agreement.alike(6)), within(1e-12));
  }

  @Test
  void theTopOfTwoListsOverlaps() {
    double[] x = {5, 4, 3, 2, 1};
    double[] y = {5, 1, 4, 3, 2};
    assertThat(Agreement.overlap(x, y, 2)).isCloseTo(1 / 3.0, within(1e-12));
    assertThat(Agreement.overlap(x, x, 3)).isEqualTo(1);
    assertThatThrownBy(() -> Agreement.overlap(x, y, 6)).hasMessageContaining("top 6 of 5");
  }

  @Test
  void calibrationIsTheDistanceOfPredictionsFromOutcomesByBins() {
    double[] predicted = {0.1, 0.15, 0.9, 1};
    double[] outcome = {0, 1, 1, 1};
    // The lower bin predicts 0.125 where 0.5 comes, the upper one 0.95 where 1 does.
    assertThat(Agreement.calibrationError(predicted, outcome, Agreement.alike(4), 2))
        .isCloseTo(0.5 * 0.375 + 0.5 * 0.05, within(1e-12));
    assertThatThrownBy(
            () -> Agreement.calibrationError(new double[] {2}, new double[] {1}, alike(), 2))
        .hasMessageContaining("from 0 to 1");
  }

  private static double[] alike() {
    return Agreement.alike(1);
  }

  @Test
  void sequencesAreComparedTokenByToken() {
    int[] kitten = "kitten".chars().toArray();
    int[] sitting = "sitting".chars().toArray();
    assertThat(TokenSequences.editDistance(kitten, sitting)).isCloseTo(3 / 7.0, within(1e-12));
    assertThat(TokenSequences.editDistance(new int[0], new int[0])).isZero();
    // Common pairs: it, tt; five and six pairs in all.
    assertThat(TokenSequences.similarity(kitten, sitting, 2))
        .isCloseTo(2 * 2 / 11.0, within(1e-12));
    assertThat(TokenSequences.similarity(kitten, kitten, 3)).isEqualTo(1);
    assertThat(TokenSequences.distinct(List.of(new int[] {1, 1, 1}, new int[] {1, 1, 2}), 2))
        .isCloseTo(2 / 4.0, within(1e-12));
    assertThat(TokenSequences.distinct(List.of(new int[] {1}), 2)).isNaN();
  }

  @Test
  void aFormulaThatIsLinearInItsCoefficientsIsFittedExactly() {
    double[] d = {0.3, 0.7, 1.1, 1.9, 2.6};
    double[] gold =
        IntStream.range(0, 5).mapToDouble(i -> d[i] * (1.3 - 0.4 * Math.log(d[i]))).toArray();
    FormulaFit fit = FormulaFit.of(gold, 2, (i, c) -> d[i] * (c[0] - c[1] * Math.log(d[i])));
    assertThat(fit.coefficients()[0]).isCloseTo(1.3, within(1e-8));
    assertThat(fit.coefficients()[1]).isCloseTo(0.4, within(1e-8));
    assertThat(fit.rSquared()).isCloseTo(1, within(1e-12));
  }

  @Test
  void aLineIsThatOfTheNormalEquationsAndAPowerIsFound() {
    double[] x = {1, 2, 3, 4, 5, 6};
    double[] y = {2.1, 3.9, 6.2, 7.8, 10.1, 12.2};
    FormulaFit line = FormulaFit.of(y, 2, (i, c) -> c[0] + c[1] * x[i]);
    SimpleRegression regression = new SimpleRegression();
    IntStream.range(0, 6).forEach(i -> regression.addData(x[i], y[i]));
    assertThat(line.coefficients()[0]).isCloseTo(regression.getIntercept(), within(1e-8));
    assertThat(line.coefficients()[1]).isCloseTo(regression.getSlope(), within(1e-8));
    assertThat(line.rSquared()).isCloseTo(regression.getRSquare(), within(1e-10));
    assertThat(line.error())
        .isCloseTo(Math.sqrt(regression.getSumSquaredErrors() / 6), within(1e-10));
    double[] power = IntStream.range(0, 6).mapToDouble(i -> 3 * Math.pow(x[i], -0.7)).toArray();
    FormulaFit law = FormulaFit.of(power, 2, (i, c) -> c[0] * Math.pow(x[i], c[1]));
    assertThat(law.coefficients()[0]).isCloseTo(3, within(1e-6));
    assertThat(law.coefficients()[1]).isCloseTo(-0.7, within(1e-6));
    assertThatThrownBy(() -> FormulaFit.of(new double[] {1, 2}, 2, (i, c) -> c[0] + c[1] * i))
        .hasMessageContaining("more numbers");
  }
}
