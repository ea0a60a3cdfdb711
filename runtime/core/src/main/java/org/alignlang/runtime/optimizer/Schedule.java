package org.alignlang.runtime.optimizer;

/** How a step size changes over training. */
public sealed interface Schedule {

  /** The value at a step, counted from 0. */
  double at(long step);

  /** The same value at all steps. */
  record Constant(double value) implements Schedule {
    @Override
    public double at(long step) {
      return value;
    }
  }

  /** From one value to another in a straight line over {@code steps}, then constant. */
  record Linear(double from, double to, long steps) implements Schedule {
    @Override
    public double at(long step) {
      return from + (to - from) * fraction(step, steps);
    }
  }

  /** From one value to another along half a cosine over {@code steps}, then constant. */
  record Cosine(double from, double to, long steps) implements Schedule {
    @Override
    public double at(long step) {
      return to + (from - to) * (1 + Math.cos(Math.PI * fraction(step, steps))) / 2;
    }
  }

  /**
   * A rise over {@code steps} to where another schedule begins, by equal amounts from {@code 1 /
   * steps} of it, and then that schedule from its own step 0.
   */
  record Warmup(long steps, Schedule then) implements Schedule {
    @Override
    public double at(long step) {
      return step < steps ? then.at(0) * (step + 1) / steps : then.at(step - steps);
    }
  }

  private static double fraction(long step, long steps) {
    return Math.min(1, (double) step / steps);
  }
}
