package org.alignlang.runtime.metric;

import java.util.Arrays;
import org.apache.commons.math3.exception.MathIllegalStateException;
import org.apache.commons.math3.fitting.leastsquares.LeastSquaresBuilder;
import org.apache.commons.math3.fitting.leastsquares.LeastSquaresOptimizer;
import org.apache.commons.math3.fitting.leastsquares.LevenbergMarquardtOptimizer;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.RealVector;
import org.apache.commons.math3.util.Pair;

/**
 * The least-squares fit of a formula with free coefficients to numbers, by Levenberg and
 * Marquardt's method from several starts, of which the best end counts. A formula that is linear in
 * its coefficients has one minimum, which every start finds.
 *
 * @param coefficients in the formula's order
 * @param rSquared {@code 1 - sum of squared residuals / sum of squared distances from the mean}
 * @param error root of the mean squared residual
 */
public record FormulaFit(double[] coefficients, double rSquared, double error) {
  private static final double[] STARTS = {1, 0.1, -1, 10};
  private static final int MOST_EVALUATIONS = 2000;

  /** What is fitted: a number for every place, given the coefficients. */
  @FunctionalInterface
  public interface Formula {
    double at(int place, double[] coefficients);
  }

  /**
   * Fits.
   *
   * @param targets one number per place, finite
   * @param free how many coefficients the formula has, fewer than there are places
   * @throws IllegalArgumentException if there are too few places, or no start has finite values
   */
  public static FormulaFit of(double[] targets, int free, Formula formula) {
    if (targets.length <= free) {
      throw new IllegalArgumentException(
          "%d coefficients cannot be fitted to %d numbers; there must be more numbers"
              .formatted(free, targets.length));
    }
    double least = Double.POSITIVE_INFINITY;
    double[] best = new double[0];
    for (double start : STARTS) {
      double[] from = new double[free];
      Arrays.fill(from, start);
      double[] end = descend(targets, from, formula);
      double squares = squares(targets, end, formula);
      if (squares < least) {
        least = squares;
        best = end;
      }
    }
    if (best.length == 0) {
      throw new IllegalArgumentException("the formula has no finite values at all places");
    }
    double mean = Arrays.stream(targets).sum() / targets.length;
    double spread = Arrays.stream(targets).map(t -> (t - mean) * (t - mean)).sum();
    return new FormulaFit(
        best, spread > 0 ? 1 - least / spread : Double.NaN, Math.sqrt(least / targets.length));
  }

  private static double squares(double[] targets, double[] coefficients, Formula formula) {
    double sum = 0;
    for (int i = 0; i < targets.length; i++) {
      double residual = targets[i] - formula.at(i, coefficients);
      sum += residual * residual;
    }
    return Double.isNaN(sum) ? Double.POSITIVE_INFINITY : sum;
  }

  private static double[] descend(double[] targets, double[] start, Formula formula) {
    if (!Double.isFinite(squares(targets, start, formula))) {
      return start;
    }
    try {
      LeastSquaresOptimizer.Optimum optimum =
          new LevenbergMarquardtOptimizer()
              .optimize(
                  new LeastSquaresBuilder()
                      .start(start)
                      .target(targets)
                      .model(point -> model(point, targets.length, formula))
                      .lazyEvaluation(false)
                      .maxEvaluations(MOST_EVALUATIONS)
                      .maxIterations(MOST_EVALUATIONS)
                      .build());
      return optimum.getPoint().toArray();
    } catch (MathIllegalStateException e) {
      // No end within the bound, or a singular step: this start counts for what it is.
      return start;
    }
  }

  private static Pair<RealVector, RealMatrix> model(RealVector point, int places, Formula formula) {
    double[] at = point.toArray();
    double[] values = new double[places];
    double[][] slopes = new double[places][at.length];
    for (int i = 0; i < places; i++) {
      values[i] = formula.at(i, at);
    }
    for (int k = 0; k < at.length; k++) {
      double step = 1e-6 * Math.max(1, Math.abs(at[k]));
      double[] above = at.clone();
      double[] below = at.clone();
      above[k] += step;
      below[k] -= step;
      for (int i = 0; i < places; i++) {
        slopes[i][k] = (formula.at(i, above) - formula.at(i, below)) / (above[k] - below[k]);
      }
    }
    return Pair.create(new ArrayRealVector(values), new Array2DRowRealMatrix(slopes));
  }
}
