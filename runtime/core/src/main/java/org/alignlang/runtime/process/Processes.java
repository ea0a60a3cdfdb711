package org.alignlang.runtime.process;

import java.util.List;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.DirichletSampler;

/** Processes of well-known kinds, made from numbers. */
public final class Processes {
  /** The most transition probabilities that are made. */
  private static final long MAXIMUM_SIZE = 1L << 24;

  private Processes() {}

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
