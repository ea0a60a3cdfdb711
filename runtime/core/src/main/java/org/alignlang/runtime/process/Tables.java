package org.alignlang.runtime.process;

import java.util.Arrays;

/**
 * Tables over states and actions, {@code [S][A]}: stationary policies {@code pi(a | s)}, rewards,
 * action values. A policy of a finite horizon is one such table per step, {@code [H][S][A]}.
 */
public final class Tables {
  private Tables() {}

  /** A deep copy. */
  public static double[][] copy(double[][] table) {
    double[][] copy = new double[table.length][];
    Arrays.setAll(copy, i -> table[i].clone());
    return copy;
  }

  /** The policy that takes every action equally often. */
  public static double[][] uniform(int states, int actions) {
    double[][] policy = new double[states][actions];
    for (double[] row : policy) {
      Arrays.fill(row, 1.0 / actions);
    }
    return policy;
  }

  /** The policy that takes one action in every state. */
  public static double[][] deterministic(int[] choice, int actions) {
    double[][] policy = new double[choice.length][actions];
    for (int s = 0; s < choice.length; s++) {
      policy[s][choice[s]] = 1;
    }
    return policy;
  }

  /** The softmax of every row: {@code pi(a | s) = exp(theta(s, a)) / sum_b exp(theta(s, b))}. */
  public static double[][] softmax(double[][] logits) {
    double[][] policy = new double[logits.length][];
    Arrays.setAll(policy, s -> softmax(logits[s]));
    return policy;
  }

  /** The softmax of a row. */
  public static double[] softmax(double[] logits) {
    double largest = Double.NEGATIVE_INFINITY;
    for (double x : logits) {
      largest = Math.max(largest, x);
    }
    double[] p = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < p.length; i++) {
      p[i] = Math.exp(logits[i] - largest);
      sum += p[i];
    }
    for (int i = 0; i < p.length; i++) {
      p[i] /= sum;
    }
    return p;
  }

  /** The greedy policy; actions within {@code 1e-12} of the best count as equal, the first wins. */
  public static double[][] greedy(double[][] actionValues) {
    int[] choice = new int[actionValues.length];
    for (int s = 0; s < choice.length; s++) {
      choice[s] = argmax(actionValues[s]);
    }
    return deterministic(choice, actionValues[0].length);
  }

  /** {@code share * a + (1 - share) * b}, entry by entry. */
  public static double[][] mix(double share, double[][] a, double[][] b) {
    double[][] mixed = copy(a);
    for (int s = 0; s < mixed.length; s++) {
      for (int i = 0; i < mixed[s].length; i++) {
        mixed[s][i] = share * a[s][i] + (1 - share) * b[s][i];
      }
    }
    return mixed;
  }

  /** {@code sum_{s,a} a b}, entry by entry. */
  public static double dot(double[][] a, double[][] b) {
    double sum = 0;
    for (int s = 0; s < a.length; s++) {
      sum += dot(a[s], b[s]);
    }
    return sum;
  }

  /** The inner product of two rows. */
  public static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** The same table at each of {@code horizon} steps. */
  public static double[][][] atEveryStep(double[][] table, int horizon) {
    double[][][] steps = new double[horizon][][];
    Arrays.fill(steps, table);
    return steps;
  }

  /** The index of the largest entry; entries within {@code 1e-12} are equal, the first wins. */
  static int argmax(double[] row) {
    int best = 0;
    for (int i = 1; i < row.length; i++) {
      if (row[i] > row[best] + 1e-12) {
        best = i;
      }
    }
    return best;
  }

  static void requirePolicy(DecisionProcess process, double[][] policy) {
    if (policy.length != process.states()) {
      throw new IllegalArgumentException(
          "a policy of %d states is given for a process of %d"
              .formatted(policy.length, process.states()));
    }
    for (int s = 0; s < policy.length; s++) {
      DecisionProcess.requireDistribution("the policy in state " + s, policy[s], process.actions());
    }
  }
}
