package org.alignlang.runtime.process;

import org.apache.commons.math3.linear.ArrayRealVector;

/**
 * Occupancy measures: how often a policy is in a state and takes an action. For an endless horizon
 * {@code mu(s, a) = (1 - g) sum_t g^t P(s_t = s, a_t = a)}, which sums to 1; the return is then
 * {@code <r, mu> / (1 - g)}.
 */
public final class Occupancy {
  private Occupancy() {}

  /** The normalised discounted occupancy of the states, {@code [S]}. */
  public static double[] states(DecisionProcess process, double[][] policy) {
    double[] source = process.start();
    for (int s = 0; s < source.length; s++) {
      source[s] *= 1 - process.discount();
    }
    return Evaluation.resolvent(process, policy, true)
        .solve(new ArrayRealVector(source, false))
        .toArray();
  }

  /** The normalised discounted occupancy of states and actions, {@code [S][A]}. */
  public static double[][] pairs(DecisionProcess process, double[][] policy) {
    return times(states(process, policy), policy);
  }

  /**
   * The probability of being in a state at a step of the process's horizon, {@code [H][S]}, not
   * discounted.
   */
  public static double[][] states(DecisionProcess process, double[][][] policy) {
    int horizon = process.requireHorizon();
    double[][] occupancy = new double[horizon][process.states()];
    occupancy[0] = process.start();
    for (int h = 0; h + 1 < horizon; h++) {
      for (int s = 0; s < process.states(); s++) {
        for (int a = 0; a < process.actions() && occupancy[h][s] > 0; a++) {
          double mass = occupancy[h][s] * policy[h][s][a];
          for (int i = 0; i < process.successors(s, a); i++) {
            occupancy[h + 1][process.successor(s, a, i)] += mass * process.probability(s, a, i);
          }
        }
      }
    }
    return occupancy;
  }

  /**
   * The probability of a state and an action at a step of the process's horizon, {@code [H][S][A]},
   * not discounted.
   */
  public static double[][][] pairs(DecisionProcess process, double[][][] policy) {
    double[][] states = states(process, policy);
    double[][][] pairs = new double[states.length][][];
    for (int h = 0; h < pairs.length; h++) {
      pairs[h] = times(states[h], policy[h]);
    }
    return pairs;
  }

  /**
   * The policy of an occupancy measure, {@code mu(s, a) / sum_b mu(s, b)}; uniform in states that
   * are never visited.
   */
  public static double[][] policy(double[][] pairs) {
    double[][] policy = Tables.uniform(pairs.length, pairs[0].length);
    for (int s = 0; s < pairs.length; s++) {
      double mass = 0;
      for (double x : pairs[s]) {
        mass += x;
      }
      for (int a = 0; a < pairs[s].length && mass > 0; a++) {
        policy[s][a] = pairs[s][a] / mass;
      }
    }
    return policy;
  }

  private static double[][] times(double[] states, double[][] policy) {
    double[][] pairs = Tables.copy(policy);
    for (int s = 0; s < states.length; s++) {
      for (int a = 0; a < pairs[s].length; a++) {
        pairs[s][a] *= states[s];
      }
    }
    return pairs;
  }
}
