package org.alignlang.runtime.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.DirichletSampler;

/** Processes of well-known kinds, made from numbers. */
public final class Processes {
  /** The actions of a grid, in their order. */
  public static final List<String> GRID_ACTIONS = List.of("up", "down", "left", "right");

  /** The most transition probabilities that are made. */
  private static final long MAXIMUM_SIZE = 1L << 24;

  private Processes() {}

  /**
   * A grid world from a map. {@code #} is a wall, {@code .} an open cell, {@code S} an open cell in
   * which episodes start (equally often, if there are several). Every other character {@code X}
   * marks open cells and gives the reward {@code X}: 1 in such a cell, whatever is done there, and
   * 0 elsewhere. The states are the open cells, row by row.
   *
   * <p>Actions move up, down, left and right; a move into a wall or off the map stays. With
   * probability {@code slip} a uniformly random one of the four actions is carried out instead of
   * the chosen one.
   *
   * @param rows the map, of equal lengths
   * @param slip from 0 to 1
   * @param absorbing the characters whose cells end an episode: all actions stay there
   * @param stay whether a fifth action {@code stay} is added; it does not slip
   */
  public static DecisionProcess grid(
      List<String> rows, double slip, String absorbing, double discount, boolean stay) {
    requireMap(rows, slip);
    int[][] states = new int[rows.size()][rows.getFirst().length()];
    List<int[]> cells = new ArrayList<>();
    for (int y = 0; y < states.length; y++) {
      for (int x = 0; x < states[y].length; x++) {
        states[y][x] = rows.get(y).charAt(x) == '#' ? -1 : cells.size();
        if (states[y][x] >= 0) {
          cells.add(new int[] {y, x});
        }
      }
    }
    int actions = stay ? 5 : 4;
    requireSize(cells.size(), actions);
    DecisionProcess.Builder builder = DecisionProcess.builder(cells.size(), actions);
    double[] start = new double[cells.size()];
    TreeMap<String, double[][]> rewards = new TreeMap<>();
    List<String> names = new ArrayList<>();
    int[][] moves = {{-1, 0}, {1, 0}, {0, -1}, {0, 1}};
    for (int s = 0; s < cells.size(); s++) {
      int y = cells.get(s)[0];
      int x = cells.get(s)[1];
      char mark = rows.get(y).charAt(x);
      names.add("%d,%d".formatted(y, x));
      if (mark == 'S') {
        start[s] = 1;
      } else if (mark != '.') {
        double[][] reward =
            rewards.computeIfAbsent(String.valueOf(mark), key -> new double[cells.size()][actions]);
        Arrays.fill(reward[s], 1);
      }
      if (absorbing.indexOf(mark) >= 0) {
        builder.absorbing(s);
        continue;
      }
      int[] reached = new int[4];
      for (int a = 0; a < 4; a++) {
        int row = y + moves[a][0];
        int column = x + moves[a][1];
        boolean inside =
            row >= 0 && row < states.length && column >= 0 && column < states[row].length;
        reached[a] = inside && states[row][column] >= 0 ? states[row][column] : s;
      }
      for (int a = 0; a < 4; a++) {
        builder.transition(s, a, reached[a], 1 - slip);
        for (int other : reached) {
          builder.transition(s, a, other, slip / 4);
        }
      }
      if (stay) {
        builder.transition(s, 4, s, 1);
      }
    }
    double starts = Arrays.stream(start).sum();
    if (starts == 0) {
      throw new IllegalArgumentException("a map needs a cell `S` in which episodes start");
    }
    rewards.forEach(builder::reward);
    List<String> actionNames = new ArrayList<>(GRID_ACTIONS);
    if (stay) {
      actionNames.add("stay");
    }
    return builder
        .start(Arrays.stream(start).map(x -> x / starts).toArray())
        .stateNames(names)
        .actionNames(actionNames)
        .discount(discount)
        .build();
  }

  /**
   * A process with transitions drawn from a symmetric Dirichlet distribution, which starts in state
   * 0 and has no reward.
   *
   * @param concentration of the Dirichlet distribution, above 0; the smaller, the nearer the
   *     transitions are to certain ones
   * @param random where the transitions come from; it is advanced
   */
  public static DecisionProcess random(
      int states, int actions, double concentration, double discount, CounterRandom random) {
    requireSize(states, actions);
    if (!(concentration > 0) || !Double.isFinite(concentration)) {
      throw new IllegalArgumentException("the concentration must be above 0");
    }
    DecisionProcess.Builder builder = DecisionProcess.builder(states, actions).discount(discount);
    for (int s = 0; s < states; s++) {
      for (int a = 0; a < actions; a++) {
        double[] row =
            states == 1
                ? new double[] {1}
                : DirichletSampler.symmetric(random, states, concentration).sample();
        for (int next = 0; next < states; next++) {
          builder.transition(s, a, next, row[next]);
        }
      }
    }
    return builder.build();
  }

  /**
   * A corridor {@code 0 .. states-1} with the actions {@code left} and {@code right}. With
   * probability {@code slip} the other direction is taken. The last state ends an episode; reward
   * {@code goal} is the probability of entering it by an action.
   *
   * @param start the state in which episodes start
   */
  public static DecisionProcess chain(int states, int start, double slip, double discount) {
    requireSize(states, 2);
    if (states < 2 || start < 0 || start >= states) {
      throw new IllegalArgumentException(
          "a chain has at least 2 states and starts in one of them, not %d and %d"
              .formatted(states, start));
    }
    requireProbability("slip", slip);
    int last = states - 1;
    DecisionProcess.Builder builder =
        DecisionProcess.builder(states, 2).start(start).discount(discount).absorbing(last);
    double[][] goal = new double[states][2];
    for (int s = 0; s < last; s++) {
      int below = Math.max(s - 1, 0);
      builder.transition(s, 0, below, 1 - slip).transition(s, 0, s + 1, slip);
      builder.transition(s, 1, s + 1, 1 - slip).transition(s, 1, below, slip);
      if (s + 1 == last) {
        goal[s][0] = slip;
        goal[s][1] = 1 - slip;
      }
    }
    return builder.reward("goal", goal).actionNames(List.of("left", "right")).build();
  }

  private static void requireMap(List<String> rows, double slip) {
    requireProbability("slip", slip);
    if (rows.isEmpty() || rows.getFirst().isEmpty()) {
      throw new IllegalArgumentException("a map needs at least one cell");
    }
    for (int i = 0; i < rows.size(); i++) {
      if (rows.get(i).length() != rows.getFirst().length()) {
        throw new IllegalArgumentException(
            "row %d of the map has %d cells, the first has %d"
                .formatted(i + 1, rows.get(i).length(), rows.getFirst().length()));
      }
    }
  }

  private static void requireProbability(String name, double value) {
    if (!(value >= 0 && value <= 1)) {
      throw new IllegalArgumentException(
          "`%s` must be a probability, not %s".formatted(name, value));
    }
  }

  private static void requireSize(long states, long actions) {
    if (states * states * actions > MAXIMUM_SIZE) {
      throw new IllegalArgumentException(
          "a process of %d states and %d actions is too large: at most %d transitions"
              .formatted(states, actions, MAXIMUM_SIZE));
    }
  }
}
