package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.List;

/** Whether a function is convex on u > 0, and how that is known. */
public sealed interface Convexity {

  /** f'' is a sum of terms that cannot be negative. */
  record Proved() implements Convexity {}

  /** f'' is nowhere negative on a grid of log u between the two ends. */
  record Checked(double lowestLog, double highestLog) implements Convexity {}

  /**
   * f is not convex, or not defined.
   *
   * @param u where
   * @param value f'' there; at a kink the change of f'; NaN where f or f'' is not a number
   */
  record Violated(double u, double value) implements Convexity {}

  double END = 30;

  /** Proves or checks that f is convex. */
  static Convexity of(Sum f) {
    Sum second = f.derivative().derivative();
    if (isProved(f, second)) {
      return new Proved();
    }
    return Grid.check(f, second);
  }

  /** Multiples of |a u + b| are convex; what is left must be smooth with f'' of known sign. */
  private static boolean isProved(Sum f, Sum second) {
    if (!Kink.hasBranches(f)) {
      return Signs.of(second).atLeastZero();
    }
    List<Term> others = new ArrayList<>();
    for (Term term : f.terms()) {
      boolean convexKink =
          term.coefficient() > 0
              && term.factors().size() == 1
              && term.factors().get(0).exponent() == 1
              && term.factors().get(0).atom() instanceof Atom.Abs(Sum argument)
              && argument.derivative().isNumber();
      if (!convexKink) {
        others.add(term);
      }
    }
    Sum smooth = new Sum(others);
    return !Kink.hasBranches(smooth) && Signs.of(smooth.derivative().derivative()).atLeastZero();
  }

  /** The numerical check. */
  final class Grid {
    private static final double STEP = 0.05;
    private static final double TOLERANCE = 1e-11;
    private static final double GOLDEN = 0.6180339887498949;

    private Grid() {}

    static Convexity check(Sum f, Sum second) {
      for (Kink kink : Kink.of(f.derivative())) {
        if (kink.jumpsDown()) {
          return new Violated(kink.u(), kink.after() - kink.before());
        }
      }
      LogSpace.LogForm values = LogSpace.lower(f);
      LogSpace.LogForm form = LogSpace.lower(second);
      int points = (int) Math.round(2 * END / STEP);
      double[] relative = new double[points + 1];
      for (int i = 0; i <= points; i++) {
        double x = -END + i * STEP;
        if (Double.isNaN(values.at(x))) {
          return new Violated(Math.exp(x), Double.NaN);
        }
      }
      // From u = 1 outwards, so that a counterexample is a readable number.
      for (int step = 0; step <= points; step++) {
        int i = points / 2 + (step % 2 == 0 ? step / 2 : -(step + 1) / 2);
        double x = -END + i * STEP;
        if (Double.isNaN(form.at(x))) {
          return new Violated(Math.exp(x), Double.NaN);
        }
        relative[i] = relative(form, x);
        if (relative[i] < -TOLERANCE) {
          return new Violated(Math.exp(x), form.at(x));
        }
      }
      // Between the points: search where the grid has a low point.
      for (int i = 1; i < points; i++) {
        if (relative[i] <= relative[i - 1] && relative[i] <= relative[i + 1] && relative[i] < 0.5) {
          double x = lowest(form, -END + (i - 1) * STEP, -END + (i + 1) * STEP);
          if (relative(form, x) < -TOLERANCE) {
            return new Violated(Math.exp(x), form.at(x));
          }
        }
      }
      return new Checked(-END, END);
    }

    /** f'' by the size of its terms, so that round-off is about 1e-16. */
    private static double relative(LogSpace.LogForm form, double x) {
      double size = form.sizeAt(x);
      double value = form.at(x);
      return value == 0 || size == 0 || Double.isInfinite(size) ? Math.signum(value) : value / size;
    }

    private static double lowest(LogSpace.LogForm form, double from, double to) {
      double low = from;
      double high = to;
      for (int i = 0; i < 40; i++) {
        double left = high - GOLDEN * (high - low);
        double right = low + GOLDEN * (high - low);
        if (relative(form, left) < relative(form, right)) {
          high = right;
        } else {
          low = left;
        }
      }
      return 0.5 * (low + high);
    }
  }
}
