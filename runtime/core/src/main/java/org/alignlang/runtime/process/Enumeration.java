package org.alignlang.runtime.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Everything of a small process, one by one: its deterministic policies and its histories. */
public final class Enumeration {
  private Enumeration() {}

  /**
   * A history {@code s_0, a_0, s_1, ..., s_{H-1}, a_{H-1}, s_H}.
   *
   * @param states {@code [H + 1]}
   * @param actions {@code [H]}
   * @param dynamics the product of the start and transition probabilities
   */
  public record History(int[] states, int[] actions, double dynamics) {

    /** The probability under a stationary policy, {@code [S][A]}. */
    public double probability(double[][] policy) {
      double p = dynamics;
      for (int h = 0; h < actions.length; h++) {
        p *= policy[states[h]][actions[h]];
      }
      return p;
    }

    /** The probability under a policy of each step, {@code [H][S][A]}. */
    public double probability(double[][][] policy) {
      double p = dynamics;
      for (int h = 0; h < actions.length; h++) {
        p *= policy[h][states[h]][actions[h]];
      }
      return p;
    }

    /** {@code sum_h g^h r(s_h, a_h)}. */
    public double discountedSum(double[][] reward, double discount) {
      double sum = 0;
      double factor = 1;
      for (int h = 0; h < actions.length; h++) {
        sum += factor * reward[states[h]][actions[h]];
        factor *= discount;
      }
      return sum;
    }
  }

  /**
   * All stationary deterministic policies, {@code [A^S][S]}, the last state's action fastest.
   *
   * @throws IllegalArgumentException if there are more than {@code limit}
   */
  public static List<int[]> policies(DecisionProcess process, int limit) {
    double count = Math.pow(process.actions(), process.states());
    if (count > limit) {
      throw new IllegalArgumentException(
          "%d states and %d actions have %.0f deterministic policies, more than %d"
              .formatted(process.states(), process.actions(), count, limit));
    }
    List<int[]> policies = new ArrayList<>();
    int[] choice = new int[process.states()];
    while (true) {
      policies.add(choice.clone());
      int s = choice.length - 1;
      while (s >= 0 && ++choice[s] == process.actions()) {
        choice[s--] = 0;
      }
      if (s < 0) {
        return policies;
      }
    }
  }

  /**
   * All histories of a number of steps that some policy can have.
   *
   * @throws IllegalArgumentException if there are more than {@code limit}
   */
  public static List<History> histories(DecisionProcess process, int steps, int limit) {
    List<History> histories = new ArrayList<>();
    for (int s = 0; s < process.states(); s++) {
      if (process.start(s) > 0) {
        histories.add(new History(new int[] {s}, new int[0], process.start(s)));
      }
    }
    for (int h = 0; h < steps; h++) {
      List<History> longer = new ArrayList<>();
      for (History history : histories) {
        extend(process, history, longer);
        if (longer.size() > limit) {
          throw new IllegalArgumentException(
              "there are more than %d histories of %d steps".formatted(limit, steps));
        }
      }
      histories = longer;
    }
    return histories;
  }

  private static void extend(DecisionProcess process, History history, List<History> longer) {
    int h = history.actions().length;
    int state = history.states()[h];
    for (int a = 0; a < process.actions(); a++) {
      for (int i = 0; i < process.successors(state, a); i++) {
        int[] states = Arrays.copyOf(history.states(), h + 2);
        int[] actions = Arrays.copyOf(history.actions(), h + 1);
        states[h + 1] = process.successor(state, a, i);
        actions[h] = a;
        longer.add(
            new History(states, actions, history.dynamics() * process.probability(state, a, i)));
      }
    }
  }
}
