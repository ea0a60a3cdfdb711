package org.alignlang.kernel;

import java.util.Arrays;

/**
 * Reductions of rows to groups and to the batch, in the order of the rows and in one thread, so
 * that the result does not depend on how rows were spread. Sums are compensated (Neumaier 1974): a
 * batch of many rows loses nothing.
 */
public final class Reductions {
  private Reductions() {}

  /** The sum of the first {@code count} values; 0 if there are none. */
  public static double sum(double[] values, int count) {
    double total = 0;
    double lost = 0;
    for (int i = 0; i < count; i++) {
      double before = total;
      total = before + values[i];
      lost += lost(before, values[i], total);
    }
    return Double.isFinite(total) ? total + lost : total;
  }

  /** The largest value; negative infinity if there are none. */
  public static double max(double[] values, int count) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      largest = Math.max(largest, values[i]);
    }
    return largest;
  }

  /** The smallest value; positive infinity if there are none. */
  public static double min(double[] values, int count) {
    double smallest = Double.POSITIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      smallest = Math.min(smallest, values[i]);
    }
    return smallest;
  }

  /** {@code log(sum(exp(x)))}; negative infinity if there are none. */
  public static double logSumExp(double[] values, int count) {
    double largest = max(values, count);
    if (largest == Double.NEGATIVE_INFINITY || Double.isNaN(largest)) {
      return largest;
    }
    double total = 0;
    for (int i = 0; i < count; i++) {
      total += values[i] == largest ? 1 : Math.exp(values[i] - largest);
    }
    return largest + Math.log(total);
  }

  /**
   * The sum of each group's rows.
   *
   * @param groupOf the group of each row
   * @param result one value per group; overwritten
   * @param lost room for one value per group
   */
  public static void sum(double[] rows, int[] groupOf, double[] result, double[] lost) {
    Arrays.fill(result, 0);
    Arrays.fill(lost, 0);
    for (int row = 0; row < groupOf.length; row++) {
      int group = groupOf[row];
      double before = result[group];
      result[group] = before + rows[row];
      lost[group] += lost(before, rows[row], result[group]);
    }
    for (int group = 0; group < result.length; group++) {
      if (Double.isFinite(result[group])) {
        result[group] += lost[group];
      }
    }
  }

  /** The largest value of each group. */
  public static void max(double[] rows, int[] groupOf, double[] result) {
    Arrays.fill(result, Double.NEGATIVE_INFINITY);
    for (int row = 0; row < groupOf.length; row++) {
      result[groupOf[row]] = Math.max(result[groupOf[row]], rows[row]);
    }
  }

  /** The smallest value of each group. */
  public static void min(double[] rows, int[] groupOf, double[] result) {
    Arrays.fill(result, Double.POSITIVE_INFINITY);
    for (int row = 0; row < groupOf.length; row++) {
      result[groupOf[row]] = Math.min(result[groupOf[row]], rows[row]);
    }
  }

  /**
   * {@code log(sum(exp(x)))} of each group's rows.
   *
   * @param largest room for one value per group
   */
  public static void logSumExp(double[] rows, int[] groupOf, double[] result, double[] largest) {
    max(rows, groupOf, largest);
    Arrays.fill(result, 0);
    for (int row = 0; row < groupOf.length; row++) {
      double top = largest[groupOf[row]];
      result[groupOf[row]] += rows[row] == top ? 1 : Math.exp(rows[row] - top);
    }
    for (int group = 0; group < result.length; group++) {
      result[group] =
          largest[group] == Double.NEGATIVE_INFINITY
              ? Double.NEGATIVE_INFINITY
              : largest[group] + Math.log(result[group]);
    }
  }

  /** How many tokens each row has. */
  public static void lengths(int[] offsets, double[] result) {
    for (int row = 0; row < result.length; row++) {
      result[row] = offsets[row + 1] - offsets[row];
    }
  }

  /** How many rows each group has. */
  public static void count(int[] groupOf, double[] result) {
    Arrays.fill(result, 0);
    for (int group : groupOf) {
      result[group]++;
    }
  }

  private static double lost(double before, double term, double after) {
    return Math.abs(before) >= Math.abs(term) ? (before - after) + term : (term - after) + before;
  }
}
