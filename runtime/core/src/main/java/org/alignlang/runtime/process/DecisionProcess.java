package org.alignlang.runtime.process;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import org.alignlang.runtime.argument.Names;

/**
 * A finite Markov decision process: states {@code 0 .. S-1}, actions {@code 0 .. A-1}, a start
 * distribution, transitions {@code P(s' | s, a)}, named rewards {@code r(s, a)}, a discount and,
 * where episodes end, a horizon. It is immutable; the {@code with...} methods give changed copies.
 *
 * <p>Only successors of positive probability are kept, so a step from a state costs as much as it
 * has successors. A state that ends an episode is one whose actions all lead back to it.
 *
 * <p>Source for the notation: Puterman, "Markov Decision Processes", 1994.
 */
public final class DecisionProcess {
  /** How far a distribution's sum may be from 1. */
  static final double TOLERANCE = 1e-9;

  private final double[] start;
  private final int[][][] successors;
  private final double[][][] probabilities;
  private final Map<String, double[][]> rewards;
  private final double discount;
  private final OptionalInt horizon;
  private final List<String> stateNames;
  private final List<String> actionNames;

  private DecisionProcess(
      double[] start,
      int[][][] successors,
      double[][][] probabilities,
      Map<String, double[][]> rewards,
      double discount,
      OptionalInt horizon,
      List<String> stateNames,
      List<String> actionNames) {
    this.start = start;
    this.successors = successors;
    this.probabilities = probabilities;
    this.rewards = rewards;
    this.discount = discount;
    this.horizon = horizon;
    this.stateNames = stateNames;
    this.actionNames = actionNames;
  }

  /** Begins a process whose states and actions are named by their numbers. */
  public static Builder builder(int states, int actions) {
    return new Builder(states, actions);
  }

  /** The number of states. */
  public int states() {
    return start.length;
  }

  /** The number of actions, the same in every state. */
  public int actions() {
    return successors[0].length;
  }

  /** The start distribution, {@code [S]}; a copy. */
  public double[] start() {
    return start.clone();
  }

  /** The probability that an episode starts in a state. */
  public double start(int state) {
    return start[state];
  }

  /** The number of successors of positive probability. */
  public int successors(int state, int action) {
    return successors[state][action].length;
  }

  /** One successor of a state and an action, in increasing order of the states. */
  public int successor(int state, int action, int index) {
    return successors[state][action][index];
  }

  /** The probability of {@link #successor}; it is positive. */
  public double probability(int state, int action, int index) {
    return probabilities[state][action][index];
  }

  /** {@code P(next | state, action)}. */
  public double transition(int state, int action, int next) {
    int index = Arrays.binarySearch(successors[state][action], next);
    return index < 0 ? 0 : probabilities[state][action][index];
  }

  /** {@code sum_s' P(s' | s, a) f(s')} for a function of states, {@code [S]}. */
  public double expectation(int state, int action, double[] f) {
    int[] next = successors[state][action];
    double[] p = probabilities[state][action];
    double sum = 0;
    for (int i = 0; i < next.length; i++) {
      sum += p[i] * f[next[i]];
    }
    return sum;
  }

  /** Whether all actions of a state lead back to it. */
  public boolean absorbing(int state) {
    for (int action = 0; action < actions(); action++) {
      if (successors[state][action].length != 1 || successors[state][action][0] != state) {
        return false;
      }
    }
    return true;
  }

  /** The discount, from 0 to 1; 1 only where there is a horizon. */
  public double discount() {
    return discount;
  }

  /** The number of steps of an episode; empty where it goes on for ever. */
  public OptionalInt horizon() {
    return horizon;
  }

  /**
   * The number of steps of an episode.
   *
   * @throws IllegalArgumentException if the process has no horizon
   */
  public int requireHorizon() {
    return horizon.orElseThrow(
        () -> new IllegalArgumentException("this needs a process with a horizon"));
  }

  /** The names of the rewards. */
  public List<String> rewardNames() {
    return List.copyOf(rewards.keySet());
  }

  /**
   * A reward {@code r(s, a)}, {@code [S][A]}; a copy.
   *
   * @throws IllegalArgumentException if the process has no reward of that name
   */
  public double[][] reward(String name) {
    double[][] reward = rewards.get(name);
    if (reward == null) {
      throw Names.unknown("reward of the process called", name, rewards.keySet());
    }
    return Tables.copy(reward);
  }

  /** The name of a state. */
  public String stateName(int state) {
    return stateNames.isEmpty() ? String.valueOf(state) : stateNames.get(state);
  }

  /** The name of an action. */
  public String actionName(int action) {
    return actionNames.isEmpty() ? String.valueOf(action) : actionNames.get(action);
  }

  /** The same process with one more reward, or with another reward of that name. */
  public DecisionProcess withReward(String name, double[][] reward) {
    requireTable(name, reward, states(), actions());
    Map<String, double[][]> more = new TreeMap<>(rewards);
    more.put(name, Tables.copy(reward));
    return copy(start, more, discount, horizon);
  }

  /** The same process with another start distribution. */
  public DecisionProcess withStart(double[] distribution) {
    requireDistribution("start", distribution, states());
    return copy(distribution.clone(), rewards, discount, horizon);
  }

  /** The same process with another discount. */
  public DecisionProcess withDiscount(double factor) {
    requireDiscount(factor, horizon);
    return copy(start, rewards, factor, horizon);
  }

  /** The same process with episodes of that many steps. */
  public DecisionProcess withHorizon(int steps) {
    requireHorizon(steps);
    return copy(start, rewards, discount, OptionalInt.of(steps));
  }

  private DecisionProcess copy(
      double[] distribution, Map<String, double[][]> tables, double factor, OptionalInt steps) {
    return new DecisionProcess(
        distribution, successors, probabilities, tables, factor, steps, stateNames, actionNames);
  }

  /** Collects the parts of a process; {@link #build} checks them. */
  public static final class Builder {
    private final int states;
    private final int actions;
    private final double[][][] transitions;
    private final Map<String, double[][]> rewards = new TreeMap<>();
    private double[] start;
    private double discount = 1;
    private OptionalInt horizon = OptionalInt.empty();
    private List<String> stateNames = List.of();
    private List<String> actionNames = List.of();

    private Builder(int states, int actions) {
      if (states < 1 || actions < 1) {
        throw new IllegalArgumentException(
            "a process has at least one state and one action, not %d and %d"
                .formatted(states, actions));
      }
      this.states = states;
      this.actions = actions;
      transitions = new double[states][actions][];
      start = new double[states];
      start[0] = 1;
    }

    /** Starts in one state; state 0 unless told otherwise. */
    public Builder start(int state) {
      requireState(state);
      start = new double[states];
      start[state] = 1;
      return this;
    }

    /** Starts by a distribution, {@code [S]}. */
    public Builder start(double[] distribution) {
      requireDistribution("start", distribution, states);
      start = distribution.clone();
      return this;
    }

    /** Adds probability that an action leads from a state to another. */
    public Builder transition(int state, int action, int next, double probability) {
      requireState(state);
      requireState(next);
      if (action < 0 || action >= actions) {
        throw new IllegalArgumentException(
            "there is no action %d among %d".formatted(action, actions));
      }
      if (!(probability >= 0) || probability > 1 + TOLERANCE) {
        throw new IllegalArgumentException(
            "the probability of state %d after state %d and action %d is %s, not from 0 to 1"
                .formatted(next, state, action, probability));
      }
      if (transitions[state][action] == null) {
        transitions[state][action] = new double[states];
      }
      transitions[state][action][next] += probability;
      return this;
    }

    /** All actions of a state lead back to it. */
    public Builder absorbing(int state) {
      for (int action = 0; action < actions; action++) {
        transition(state, action, state, 1);
      }
      return this;
    }

    /** A named reward {@code r(s, a)}, {@code [S][A]}. */
    public Builder reward(String name, double[][] reward) {
      requireTable(name, reward, states, actions);
      rewards.put(name, Tables.copy(reward));
      return this;
    }

    /** The discount; 1 unless told otherwise. */
    public Builder discount(double factor) {
      discount = factor;
      return this;
    }

    /** The number of steps of an episode. */
    public Builder horizon(int steps) {
      DecisionProcess.requireHorizon(steps);
      horizon = OptionalInt.of(steps);
      return this;
    }

    /** Names of the states, for reports. */
    public Builder stateNames(List<String> names) {
      requireNames("states", names, states);
      stateNames = List.copyOf(names);
      return this;
    }

    /** Names of the actions, for reports. */
    public Builder actionNames(List<String> names) {
      requireNames("actions", names, actions);
      actionNames = List.copyOf(names);
      return this;
    }

    /**
     * The process.
     *
     * @throws IllegalArgumentException if a row of transitions does not sum to 1, or the discount
     *     does not fit the horizon
     */
    public DecisionProcess build() {
      requireDiscount(discount, horizon);
      int[][][] successors = new int[states][actions][];
      double[][][] probabilities = new double[states][actions][];
      for (int s = 0; s < states; s++) {
        for (int a = 0; a < actions; a++) {
          double[] row = transitions[s][a];
          double sum = row == null ? 0 : Arrays.stream(row).sum();
          if (row == null || Math.abs(sum - 1) > TOLERANCE) {
            throw new IllegalArgumentException(
                "the transitions from state %d by action %d sum to %s, not 1".formatted(s, a, sum));
          }
          int count = 0;
          for (double p : row) {
            count += p > 0 ? 1 : 0;
          }
          successors[s][a] = new int[count];
          probabilities[s][a] = new double[count];
          int index = 0;
          for (int next = 0; next < states; next++) {
            if (row[next] > 0) {
              successors[s][a][index] = next;
              probabilities[s][a][index++] = row[next] / sum;
            }
          }
        }
      }
      return new DecisionProcess(
          start.clone(),
          successors,
          probabilities,
          new TreeMap<>(rewards),
          discount,
          horizon,
          stateNames,
          actionNames);
    }

    private void requireState(int state) {
      if (state < 0 || state >= states) {
        throw new IllegalArgumentException(
            "there is no state %d among %d".formatted(state, states));
      }
    }

    private static void requireNames(String what, List<String> names, int count) {
      if (names.size() != count) {
        throw new IllegalArgumentException(
            "%d names are given for %d %s".formatted(names.size(), count, what));
      }
    }
  }

  private static void requireHorizon(int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("an episode has at least one step, not " + steps);
    }
  }

  private static void requireDiscount(double factor, OptionalInt horizon) {
    if (!(factor >= 0) || factor > 1 || (factor == 1 && horizon.isEmpty())) {
      throw new IllegalArgumentException(
          "the discount is %s; it must be from 0 to 1, and below 1 without a horizon"
              .formatted(factor));
    }
  }

  private static void requireTable(String name, double[][] table, int states, int actions) {
    boolean fits = table.length == states;
    for (double[] row : table) {
      fits = fits && row.length == actions;
      for (double x : row) {
        if (!Double.isFinite(x)) {
          throw new IllegalArgumentException(
              "reward `%s` has an entry that is not finite: %s".formatted(name, x));
        }
      }
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "reward `%s` needs %d rows (states) of %d numbers (actions)"
              .formatted(name, states, actions));
    }
  }

  static void requireDistribution(String what, double[] distribution, int size) {
    double sum = 0;
    boolean proper = distribution.length == size;
    for (double p : distribution) {
      proper = proper && p >= 0;
      sum += p;
    }
    if (!proper || !(Math.abs(sum - 1) <= TOLERANCE)) {
      throw new IllegalArgumentException(
          "%s must be %d probabilities that sum to 1".formatted(what, size));
    }
  }
}
