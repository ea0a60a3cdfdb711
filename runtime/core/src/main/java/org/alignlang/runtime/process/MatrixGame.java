package org.alignlang.runtime.process;

import java.util.Arrays;

/**
 * A two-player zero-sum game in a matrix: the row player gets {@code payoff[i][j]}, the column
 * player loses it. Solved as a linear programme (von Neumann 1928; Dantzig 1951).
 */
public final class MatrixGame {
  private final double[][] payoff;

  /**
   * @param payoff {@code [rows][columns]}, finite
   */
  public MatrixGame(double[][] payoff) {
    if (payoff.length == 0 || payoff[0].length == 0) {
      throw new IllegalArgumentException("a game needs at least one row and one column");
    }
    for (double[] row : payoff) {
      if (row.length != payoff[0].length || !Arrays.stream(row).allMatch(Double::isFinite)) {
        throw new IllegalArgumentException("a game's rows have the same number of finite payoffs");
      }
    }
    this.payoff = Tables.copy(payoff);
  }

  /**
   * A Nash equilibrium.
   *
   * @param row the row player's mixed strategy
   * @param column the column player's
   * @param value what the row player gets
   */
  public record Equilibrium(double[] row, double[] column, double value) {}

  /** A Nash equilibrium; where there are several, one of them. */
  public Equilibrium nash() {
    double[] row = maximin(payoff);
    double[][] transposed = new double[payoff[0].length][payoff.length];
    for (int i = 0; i < payoff.length; i++) {
      for (int j = 0; j < payoff[0].length; j++) {
        transposed[j][i] = -payoff[i][j];
      }
    }
    double[] column = maximin(transposed);
    return new Equilibrium(row, column, value(row, column));
  }

  /** What the row player gets from two mixed strategies. */
  public double value(double[] row, double[] column) {
    double sum = 0;
    for (int i = 0; i < payoff.length; i++) {
      sum += row[i] * Tables.dot(payoff[i], column);
    }
    return sum;
  }

  /**
   * The duality gap {@code max_i (payoff column)_i - min_j (row payoff)_j}: 0 exactly at an
   * equilibrium.
   */
  public double gap(double[] row, double[] column) {
    double best = Double.NEGATIVE_INFINITY;
    for (double[] own : payoff) {
      best = Math.max(best, Tables.dot(own, column));
    }
    double worst = Double.POSITIVE_INFINITY;
    for (int j = 0; j < payoff[0].length; j++) {
      double sum = 0;
      for (int i = 0; i < payoff.length; i++) {
        sum += row[i] * payoff[i][j];
      }
      worst = Math.min(worst, sum);
    }
    return best - worst;
  }

  /** The mixed row with the greatest guaranteed payoff. */
  private static double[] maximin(double[][] payoff) {
    int rows = payoff.length;
    // Payoffs are shifted to be at least 1, so that the value is a non-negative variable.
    double least = Arrays.stream(payoff).flatMapToDouble(Arrays::stream).min().orElseThrow();
    LinearProgram program = new LinearProgram(rows + 1, true);
    for (int j = 0; j < payoff[0].length; j++) {
      double[] constraint = new double[rows + 1];
      for (int i = 0; i < rows; i++) {
        constraint[i] = payoff[i][j] - least + 1;
      }
      constraint[rows] = -1;
      program.atLeast(constraint, 0);
    }
    double[] ones = new double[rows + 1];
    Arrays.fill(ones, 0, rows, 1);
    double[] objective = new double[rows + 1];
    objective[rows] = 1;
    double[] point = program.equal(ones, 1).maximise(objective).orElseThrow().point();
    double[] row = Arrays.copyOf(point, rows);
    double sum = Arrays.stream(row).map(x -> Math.max(x, 0)).sum();
    return Arrays.stream(row).map(x -> Math.max(x, 0) / sum).toArray();
  }
}
