package org.alignlang.runtime.process;

import java.util.Arrays;
import java.util.Optional;

/**
 * Optimal and soft-optimal policies of a process.
 *
 * <p>Soft planning maximises the return less {@code temperature * KL(pi(. | s) || ref(. | s))} at
 * every step: {@code V(s) = tau log sum_a ref(a | s) e^(Q(s,a) / tau)} and {@code pi = ref e^((Q -
 * V) / tau)}. Without a reference the bonus is the entropy: {@code V(s) = tau log sum_a e^(Q(s,a) /
 * tau)}.
 *
 * <p>Source: Bellman 1957; Howard 1960 (policy iteration); Ziebart 2010, Todorov 2009 (soft).
 */
public final class Planning {
  private static final int MAXIMUM_ITERATIONS = 1_000_000;

  private Planning() {}

  /**
   * A stationary solution.
   *
   * @param values {@code [S]}
   * @param actionValues {@code [S][A]}
   * @param policy {@code [S][A]}
   */
  public record Stationary(double[] values, double[][] actionValues, double[][] policy) {}

  /**
   * A solution over a horizon.
   *
   * @param values {@code [H + 1][S]}, the last row 0
   * @param actionValues {@code [H][S][A]}
   * @param policy {@code [H][S][A]}
   */
  public record Stepwise(double[][] values, double[][][] actionValues, double[][][] policy) {}

  /**
   * The optimum over an endless horizon, by policy iteration, exact up to rounding. Of equally good
   * actions the first is taken.
   */
  public static Stationary optimal(DecisionProcess process, double[][] reward) {
    double[][] policy = Tables.greedy(reward);
    for (int i = 0; i < MAXIMUM_ITERATIONS; i++) {
      double[] values = Evaluation.values(process, policy, reward);
      double[][] q = Evaluation.actionValues(process, reward, values);
      double[][] better = improved(policy, q);
      if (Arrays.deepEquals(better, policy)) {
        return new Stationary(values, q, Tables.greedy(q));
      }
      policy = better;
    }
    throw new IllegalStateException("policy iteration does not end");
  }

  /** The optimum over the process's horizon, by backward induction. */
  public static Stepwise optimalStepwise(DecisionProcess process, double[][] reward) {
    int horizon = process.requireHorizon();
    double[][] values = new double[horizon + 1][process.states()];
    double[][][] actionValues = new double[horizon][][];
    double[][][] policy = new double[horizon][][];
    for (int h = horizon - 1; h >= 0; h--) {
      actionValues[h] = Evaluation.actionValues(process, reward, values[h + 1]);
      policy[h] = Tables.greedy(actionValues[h]);
      for (int s = 0; s < process.states(); s++) {
        values[h][s] = Arrays.stream(actionValues[h][s]).max().orElseThrow();
      }
    }
    return new Stepwise(values, actionValues, policy);
  }

  /**
   * The soft optimum over an endless horizon, by iteration of the soft backup until the values move
   * by less than {@code 1e-12} times their size (the backup contracts by the discount).
   *
   * @param temperature above 0
   * @param reference {@code [S][A]}, or empty for the entropy
   */
  public static Stationary soft(
      DecisionProcess process,
      double[][] reward,
      double temperature,
      Optional<double[][]> reference) {
    requireTemperature(temperature);
    if (process.discount() >= 1) {
      throw new IllegalArgumentException("an endless horizon needs a discount below 1");
    }
    reference.ifPresent(table -> Tables.requirePolicy(process, table));
    double[] values = new double[process.states()];
    for (int i = 0; i < MAXIMUM_ITERATIONS; i++) {
      double[][] q = Evaluation.actionValues(process, reward, values);
      double moved = 0;
      double size = 1;
      double[] next = new double[values.length];
      for (int s = 0; s < next.length; s++) {
        next[s] = softMaximum(q[s], temperature, row(reference, s));
        moved = Math.max(moved, Math.abs(next[s] - values[s]));
        size = Math.max(size, Math.abs(next[s]));
      }
      values = next;
      if (moved <= 1e-13 * size) {
        double[][] last = Evaluation.actionValues(process, reward, values);
        return new Stationary(values, last, softPolicy(last, temperature, reference));
      }
    }
    throw new IllegalStateException("soft value iteration does not settle");
  }

  /**
   * The soft optimum over the process's horizon.
   *
   * @param temperature above 0
   * @param reference {@code [H][S][A]}, or empty for the entropy
   */
  public static Stepwise softStepwise(
      DecisionProcess process,
      double[][] reward,
      double temperature,
      Optional<double[][][]> reference) {
    requireTemperature(temperature);
    int horizon = process.requireHorizon();
    double[][] values = new double[horizon + 1][process.states()];
    double[][][] actionValues = new double[horizon][][];
    double[][][] policy = new double[horizon][][];
    for (int h = horizon - 1; h >= 0; h--) {
      int step = h;
      Optional<double[][]> own = reference.map(steps -> steps[step]);
      actionValues[h] = Evaluation.actionValues(process, reward, values[h + 1]);
      policy[h] = softPolicy(actionValues[h], temperature, own);
      for (int s = 0; s < process.states(); s++) {
        values[h][s] = softMaximum(actionValues[h][s], temperature, row(own, s));
      }
    }
    return new Stepwise(values, actionValues, policy);
  }

  /**
   * {@code tau log sum_a ref(a) e^(q(a) / tau)}, or without {@code ref} where it is empty.
   *
   * @param reference {@code [A]}
   */
  public static double softMaximum(double[] q, double temperature, Optional<double[]> reference) {
    double largest = Double.NEGATIVE_INFINITY;
    for (int a = 0; a < q.length; a++) {
      if (weight(reference, a) > 0) {
        largest = Math.max(largest, q[a]);
      }
    }
    double sum = 0;
    for (int a = 0; a < q.length; a++) {
      sum += weight(reference, a) * Math.exp(Math.min(0, (q[a] - largest) / temperature));
    }
    return largest + temperature * Math.log(sum);
  }

  /** {@code pi(a | s)} proportional to {@code ref(a | s) e^(q(s, a) / tau)}, {@code [S][A]}. */
  public static double[][] softPolicy(
      double[][] q, double temperature, Optional<double[][]> reference) {
    double[][] policy = new double[q.length][];
    for (int s = 0; s < q.length; s++) {
      double[] logits = new double[q[s].length];
      for (int a = 0; a < logits.length; a++) {
        logits[a] = q[s][a] / temperature + Math.log(weight(row(reference, s), a));
      }
      policy[s] = Tables.softmax(logits);
    }
    return policy;
  }

  private static Optional<double[]> row(Optional<double[][]> reference, int state) {
    return reference.map(table -> table[state]);
  }

  private static double weight(Optional<double[]> reference, int action) {
    return reference.isPresent() ? reference.get()[action] : 1;
  }

  /** Keeps an action unless another is better by more than rounding, so that iteration ends. */
  private static double[][] improved(double[][] policy, double[][] q) {
    int[] choice = new int[q.length];
    for (int s = 0; s < q.length; s++) {
      int old = Tables.argmax(policy[s]);
      int best = Tables.argmax(q[s]);
      double margin = 1e-11 * Math.max(1, Math.abs(q[s][best]));
      choice[s] = q[s][best] > q[s][old] + margin ? best : old;
    }
    return Tables.deterministic(choice, q[0].length);
  }

  private static void requireTemperature(double temperature) {
    if (!(temperature > 0) || Double.isInfinite(temperature)) {
      throw new IllegalArgumentException("the temperature must be above 0, not " + temperature);
    }
  }
}
