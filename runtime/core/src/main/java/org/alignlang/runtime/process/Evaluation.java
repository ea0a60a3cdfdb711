package org.alignlang.runtime.process;

import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.DecompositionSolver;
import org.apache.commons.math3.linear.LUDecomposition;

/**
 * The value of policies: {@code V(s)}, the expected discounted sum of rewards from a state, and
 * {@code Q(s, a) = r(s, a) + g sum_s' P(s' | s, a) V(s')}.
 */
public final class Evaluation {
  private Evaluation() {}

  /**
   * The values of a stationary policy over an endless horizon: the solution of {@code (I - g P_pi)
   * V = r_pi}.
   *
   * @param policy {@code [S][A]}
   * @param reward {@code [S][A]}
   * @return {@code [S]}
   * @throws IllegalArgumentException if the discount is 1 or the policy is none
   */
  public static double[] values(DecisionProcess process, double[][] policy, double[][] reward) {
    int states = process.states();
    double[] expected = new double[states];
    for (int s = 0; s < states; s++) {
      expected[s] = Tables.dot(policy[s], reward[s]);
    }
    return resolvent(process, policy, false).solve(new ArrayRealVector(expected, false)).toArray();
  }

  /**
   * The values of a policy over the process's horizon, discounted.
   *
   * @param policy {@code [H][S][A]}
   * @param reward {@code [S][A]}
   * @return {@code [H + 1][S]}; the last row is 0
   */
  public static double[][] values(DecisionProcess process, double[][][] policy, double[][] reward) {
    int horizon = process.requireHorizon();
    double[][] values = new double[horizon + 1][process.states()];
    for (int h = horizon - 1; h >= 0; h--) {
      double[][] q = actionValues(process, reward, values[h + 1]);
      for (int s = 0; s < process.states(); s++) {
        values[h][s] = Tables.dot(policy[h][s], q[s]);
      }
    }
    return values;
  }

  /** One backup: {@code r(s, a) + g sum_s' P(s' | s, a) V(s')}, {@code [S][A]}. */
  public static double[][] actionValues(
      DecisionProcess process, double[][] reward, double[] values) {
    double[][] q = new double[process.states()][process.actions()];
    for (int s = 0; s < q.length; s++) {
      for (int a = 0; a < q[s].length; a++) {
        q[s][a] = reward[s][a] + process.discount() * process.expectation(s, a, values);
      }
    }
    return q;
  }

  /** The advantage of a stationary policy, {@code Q(s, a) - V(s)}, {@code [S][A]}. */
  public static double[][] advantages(
      DecisionProcess process, double[][] policy, double[][] reward) {
    double[] values = values(process, policy, reward);
    double[][] advantages = actionValues(process, reward, values);
    for (int s = 0; s < values.length; s++) {
      for (int a = 0; a < advantages[s].length; a++) {
        advantages[s][a] -= values[s];
      }
    }
    return advantages;
  }

  /** The expected discounted sum of rewards of an episode of a stationary policy, endless. */
  public static double expectedReturn(
      DecisionProcess process, double[][] policy, double[][] reward) {
    return Tables.dot(process.start(), values(process, policy, reward));
  }

  /** The expected discounted sum of rewards of an episode over the process's horizon. */
  public static double expectedReturn(
      DecisionProcess process, double[][][] policy, double[][] reward) {
    return Tables.dot(process.start(), values(process, policy, reward)[0]);
  }

  /** Solves {@code (I - g P_pi) x = b}, or the transposed system. */
  static DecompositionSolver resolvent(
      DecisionProcess process, double[][] policy, boolean transposed) {
    if (process.discount() >= 1) {
      throw new IllegalArgumentException("an endless horizon needs a discount below 1");
    }
    Tables.requirePolicy(process, policy);
    int states = process.states();
    double[][] matrix = new double[states][states];
    for (int s = 0; s < states; s++) {
      matrix[s][s] += 1;
      for (int a = 0; a < process.actions(); a++) {
        for (int i = 0; i < process.successors(s, a); i++) {
          int next = process.successor(s, a, i);
          double flow = process.discount() * policy[s][a] * process.probability(s, a, i);
          if (transposed) {
            matrix[next][s] -= flow;
          } else {
            matrix[s][next] -= flow;
          }
        }
      }
    }
    return new LUDecomposition(new Array2DRowRealMatrix(matrix, false)).getSolver();
  }
}
