package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * A point where an expression with absolute values or signs changes its branch.
 *
 * @param x log u of the point
 * @param before the value just below it
 * @param after the value just above it
 */
record Kink(double x, double before, double after) {
  private static final double END = 30;
  private static final double STEP = 0.0625;
  private static final double BESIDE = 1e-9;

  boolean jumpsUp() {
    return after - before > 1e-6 * (1 + Math.abs(before) + Math.abs(after));
  }

  boolean jumpsDown() {
    return before - after > 1e-6 * (1 + Math.abs(before) + Math.abs(after));
  }

  double u() {
    return Numbers.snap(Math.rint(Math.exp(x) * 1e9) / 1e9);
  }

  /** The kinks of an expression for u between e^-30 and e^30. */
  static List<Kink> of(Sum sum) {
    Set<Sum> arguments = new LinkedHashSet<>();
    collect(sum, arguments);
    LogSpace.LogForm form = LogSpace.lower(sum);
    List<Kink> kinks = new ArrayList<>();
    for (Sum argument : arguments) {
      LogSpace.LogForm inner = LogSpace.lower(argument);
      double lastSign = 0;
      double lastX = -END;
      for (double x = -END; x <= END; x += STEP) {
        double sign = Math.signum(inner.at(x));
        if (sign != 0 && lastSign != 0 && sign != lastSign) {
          double root = root(inner, lastX, x, lastSign);
          kinks.add(new Kink(root, form.at(root - BESIDE), form.at(root + BESIDE)));
        }
        if (sign != 0 && !Double.isNaN(sign)) {
          lastSign = sign;
          lastX = x;
        }
      }
    }
    return kinks;
  }

  private static double root(LogSpace.LogForm form, double from, double to, double signAtLow) {
    double low = from;
    double high = to;
    for (int i = 0; i < 80; i++) {
      double middle = 0.5 * (low + high);
      if (Math.signum(form.at(middle)) == signAtLow) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return 0.5 * (low + high);
  }

  private static void collect(Sum sum, Set<Sum> arguments) {
    for (Term term : sum.terms()) {
      for (Factor factor : term.factors()) {
        switch (factor.atom()) {
          case Atom.Abs(Sum argument) -> {
            arguments.add(argument);
            collect(argument, arguments);
          }
          case Atom.Sign(Sum argument) -> {
            arguments.add(argument);
            collect(argument, arguments);
          }
          case Atom.U() -> {}
          case Atom.Log(Sum argument) -> collect(argument, arguments);
          case Atom.Exp(Sum argument) -> collect(argument, arguments);
          case Atom.Group(Sum base) -> collect(base, arguments);
        }
      }
    }
  }

  /** Whether an expression has absolute values or signs. */
  static boolean hasBranches(Sum sum) {
    Set<Sum> arguments = new LinkedHashSet<>();
    collect(sum, arguments);
    return !arguments.isEmpty();
  }
}
