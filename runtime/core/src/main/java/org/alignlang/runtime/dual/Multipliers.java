package org.alignlang.runtime.dual;

import java.util.Arrays;
import java.util.List;
import org.alignlang.kernel.Signature.Constraint;

/** The multipliers of all constraints of an objective, in the signature's order. */
public final class Multipliers {
  private final List<Multiplier> multipliers;

  /**
   * Creates one multiplier per constraint, at its initial value.
   *
   * @throws IllegalArgumentException as {@link Multiplier#of}
   */
  public Multipliers(List<Constraint> constraints) {
    multipliers = constraints.stream().map(Multiplier::of).toList();
  }

  /** One value per constraint. */
  public double[] values() {
    return multipliers.stream().mapToDouble(Multiplier::value).toArray();
  }

  /**
   * Moves every multiplier once.
   *
   * @param violations one number per constraint, positive where it is broken
   */
  public void update(double[] violations) {
    if (violations.length != multipliers.size()) {
      throw new IllegalArgumentException(
          "%d violations for %d constraints".formatted(violations.length, multipliers.size()));
    }
    for (int j = 0; j < violations.length; j++) {
      multipliers.get(j).update(violations[j]);
    }
  }

  /** The states of all multipliers, one after the other. */
  public double[] state() {
    return multipliers.stream().map(Multiplier::state).flatMapToDouble(Arrays::stream).toArray();
  }

  /**
   * Continues from a state that {@link #state} returned.
   *
   * @throws IllegalArgumentException if the state is not one of these multipliers
   */
  public void restore(double[] state) {
    if (state.length != state().length) {
      throw new IllegalArgumentException(
          "the multipliers have a state of %d numbers, not %d"
              .formatted(state().length, state.length));
    }
    int from = 0;
    for (Multiplier multiplier : multipliers) {
      int to = from + multiplier.state().length;
      multiplier.restore(Arrays.copyOfRange(state, from, to));
      from = to;
    }
  }
}
