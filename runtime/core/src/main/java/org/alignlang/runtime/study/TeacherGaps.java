package org.alignlang.runtime.study;

import java.util.Arrays;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.LinearProgram;
import org.alignlang.runtime.process.Planning;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.LUDecomposition;

/**
 * By how much a teacher's policy is better than every other action, as linear functions of a reward
 * {@code R(s, a)} that is designed: {@code Q^T(s, pi_T(s)) - Q^T(s, a)}. States that end an episode
 * have no reward.
 */
final class TeacherGaps {
  private final DecisionProcess process;
  private final int[] teacher;
  private final double[][] original;
  private final Planning.Stationary plan;

  /**
   * @param original the reward that the teacher is optimal for, {@code [S][A]}
   */
  TeacherGaps(DecisionProcess process, double[][] original) {
    this.process = process;
    this.original = original;
    plan = Planning.optimal(process, original);
    teacher = new int[process.states()];
    for (int s = 0; s < teacher.length; s++) {
      for (int a = 0; a < process.actions(); a++) {
        if (plan.policy()[s][a] > 0) {
          teacher[s] = a;
        }
      }
    }
  }

  /** The teacher's policy, {@code [S][A]}. */
  double[][] policy() {
    return plan.policy();
  }

  /** The teacher's action in a state. */
  int action(int state) {
    return teacher[state];
  }

  /** The teacher's advantages under the original reward, {@code [S][A]}. */
  double[][] advantages() {
    return Evaluation.advantages(process, plan.policy(), original);
  }

  /** The place of {@code R(s, a)} among the variables. */
  int variable(int state, int action) {
    return state * process.actions() + action;
  }

  /** How many entries a reward has. */
  int variables() {
    return process.states() * process.actions();
  }

  /** By how much the teacher's action is better than the others in a state, at most {@code cap}. */
  double margin(int state, double cap) {
    double least = cap;
    for (int a = 0; a < process.actions(); a++) {
      if (a != teacher[state]) {
        least =
            Math.min(
                least, plan.actionValues()[state][teacher[state]] - plan.actionValues()[state][a]);
      }
    }
    return Math.max(0, least);
  }

  /** The gap of an action over an endless horizon, as coefficients of the reward. */
  double[][] endless() {
    int states = process.states();
    double[][] matrix = new double[states][states];
    for (int s = 0; s < states; s++) {
      matrix[s][s] += 1;
      for (int i = 0; i < process.successors(s, teacher[s]); i++) {
        matrix[s][process.successor(s, teacher[s], i)] -=
            process.discount() * process.probability(s, teacher[s], i);
      }
    }
    double[][] visits =
        new LUDecomposition(new Array2DRowRealMatrix(matrix, false))
            .getSolver()
            .getInverse()
            .getData();
    double[][] values = new double[states][variables()];
    for (int s = 0; s < states; s++) {
      for (int x = 0; x < states; x++) {
        values[s][variable(x, teacher[x])] = visits[s][x];
      }
    }
    return gaps(values);
  }

  /** The gap of an action over a number of steps, as coefficients of the reward. */
  double[][] after(int steps) {
    double[][] values = new double[process.states()][variables()];
    for (int h = 1; h < steps; h++) {
      double[][] next = new double[process.states()][];
      for (int s = 0; s < next.length; s++) {
        next[s] = backup(s, teacher[s], values);
      }
      values = next;
    }
    return gaps(values);
  }

  /** Requires that the teacher's policy stays optimal by its margins and rewards are bounded. */
  LinearProgram constrained(int extra, double[][] endless, double cap, double bound) {
    LinearProgram program = new LinearProgram(variables() + extra, false);
    for (int s = 0; s < process.states(); s++) {
      for (int a = 0; a < process.actions(); a++) {
        double most = process.absorbing(s) ? 0 : bound;
        program.between(variable(s, a), -most, most);
        if (a != teacher[s] && !process.absorbing(s)) {
          program.atLeast(
              Arrays.copyOf(endless[variable(s, a)], variables() + extra), margin(s, cap));
        }
      }
    }
    return program;
  }

  /** For each state and action, {@code Q(s, teacher) - Q(s, a)} from the values' coefficients. */
  private double[][] gaps(double[][] values) {
    double[][] gaps = new double[variables()][];
    for (int s = 0; s < process.states(); s++) {
      double[] own = backup(s, teacher[s], values);
      for (int a = 0; a < process.actions(); a++) {
        double[] other = backup(s, a, values);
        double[] gap = new double[variables()];
        Arrays.setAll(gap, i -> own[i] - other[i]);
        gaps[variable(s, a)] = gap;
      }
    }
    return gaps;
  }

  private double[] backup(int state, int action, double[][] values) {
    double[] row = new double[variables()];
    row[variable(state, action)] = 1;
    for (int i = 0; i < process.successors(state, action); i++) {
      double p = process.discount() * process.probability(state, action, i);
      double[] next = values[process.successor(state, action, i)];
      for (int k = 0; k < row.length; k++) {
        row[k] += p * next[k];
      }
    }
    return row;
  }
}
