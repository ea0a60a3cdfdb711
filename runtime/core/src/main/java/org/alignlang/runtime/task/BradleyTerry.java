package org.alignlang.runtime.task;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;

/**
 * Fits a linear reward to preferences: the maximum of {@code sum_i log sigmoid(w . d_i) - ridge / 2
 * * |w|^2}, where {@code d_i} is the chosen response's features less the rejected one's. The
 * function is strictly concave, so Newton's method with step halving finds its only maximum.
 *
 * <p>Source: Bradley and Terry, "Rank Analysis of Incomplete Block Designs", Biometrika 1952, with
 * a Gaussian prior of precision {@code ridge}.
 */
final class BradleyTerry {
  private static final int MAXIMUM_STEPS = 100;
  private static final double TOLERANCE = 1e-10;

  private final double[][] differences;
  private final double ridge;

  private BradleyTerry(double[][] differences, double ridge) {
    this.differences = differences;
    this.ridge = ridge;
  }

  /**
   * Fits the weights.
   *
   * @param differences per comparison the features of the chosen less those of the rejected; at
   *     least one row
   * @param ridge the precision of the prior, above 0
   * @return one weight per feature
   */
  static double[] fit(double[][] differences, double ridge) {
    return new BradleyTerry(differences, ridge).maximise();
  }

  private double[] maximise() {
    double[] weights = new double[differences[0].length];
    double value = logPosterior(weights);
    for (int step = 0; step < MAXIMUM_STEPS; step++) {
      double[] direction = newtonDirection(weights);
      double size = 1;
      double[] next = moved(weights, direction, size);
      double nextValue = logPosterior(next);
      // The Newton step may be too long far from the maximum; a short enough one always climbs.
      while (nextValue < value && size > TOLERANCE) {
        size /= 2;
        next = moved(weights, direction, size);
        nextValue = logPosterior(next);
      }
      double change = new ArrayRealVector(direction, false).getLInfNorm() * size;
      if (nextValue < value) {
        return weights;
      }
      weights = next;
      value = nextValue;
      if (change < TOLERANCE) {
        return weights;
      }
    }
    return weights;
  }

  private static double[] moved(double[] weights, double[] direction, double size) {
    double[] next = weights.clone();
    for (int i = 0; i < next.length; i++) {
      next[i] += size * direction[i];
    }
    return next;
  }

  private double logPosterior(double[] weights) {
    double sum = -ridge / 2 * dot(weights, weights);
    for (double[] difference : differences) {
      double margin = dot(weights, difference);
      sum += Math.min(margin, 0) - Math.log1p(Math.exp(-Math.abs(margin)));
    }
    return sum;
  }

  private double[] newtonDirection(double[] weights) {
    int size = weights.length;
    double[] gradient = new double[size];
    double[][] curvature = new double[size][size];
    for (int i = 0; i < size; i++) {
      gradient[i] = -ridge * weights[i];
      curvature[i][i] = ridge;
    }
    for (double[] difference : differences) {
      double wrong = 1 / (1 + Math.exp(dot(weights, difference)));
      double weight = wrong * (1 - wrong);
      for (int i = 0; i < size; i++) {
        gradient[i] += wrong * difference[i];
        for (int j = 0; j <= i; j++) {
          curvature[i][j] += weight * difference[i] * difference[j];
        }
      }
    }
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < i; j++) {
        curvature[j][i] = curvature[i][j];
      }
    }
    return new CholeskyDecomposition(new Array2DRowRealMatrix(curvature, false))
        .getSolver()
        .solve(new ArrayRealVector(gradient, false))
        .toArray();
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
