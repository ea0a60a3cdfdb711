package org.alignlang.runtime.study;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;

/** Weighted least squares by the normal equations, row by row. */
final class LeastSquares {
  private final double[][] products;
  private final double[] targets;

  LeastSquares(int size) {
    products = new double[size][size];
    targets = new double[size];
  }

  /** Adds {@code weight (target - w . features)^2}. */
  void add(double[] features, double target, double weight) {
    for (int i = 0; i < features.length; i++) {
      double scaled = weight * features[i];
      targets[i] += scaled * target;
      double[] row = products[i];
      for (int j = 0; j <= i; j++) {
        row[j] += scaled * features[j];
      }
    }
  }

  /** The weights, held to 0 by {@code ridge |w|^2}, with {@code ridge} above 0. */
  double[] solve(double ridge) {
    double[][] full = new double[targets.length][];
    for (int i = 0; i < targets.length; i++) {
      full[i] = products[i].clone();
      full[i][i] += ridge;
    }
    for (int i = 0; i < targets.length; i++) {
      for (int j = 0; j < i; j++) {
        full[j][i] = full[i][j];
      }
    }
    return new CholeskyDecomposition(new Array2DRowRealMatrix(full, false), 1e-9, 1e-14)
        .getSolver()
        .solve(new ArrayRealVector(targets))
        .toArray();
  }
}
