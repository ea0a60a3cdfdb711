package org.alignlang.runtime.dual;

import java.util.Locale;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.DualForm;

/** What a multiplier asks of its constraint, its violations and its states. */
final class Checks {
  private Checks() {}

  static void require(Constraint constraint) {
    DualForm form = constraint.form();
    boolean equality = constraint.relation().equals("==");
    if (!equality && !constraint.relation().equals("<=") && !constraint.relation().equals(">=")) {
      throw wrong(constraint, "has the unknown relation `" + constraint.relation() + "`");
    }
    if (equality && form != DualForm.PROJECTED) {
      throw wrong(
          constraint,
          "belongs to an equality, which needs a multiplier of either sign; only the form"
              + " `projected` has one");
    }
    if (!(constraint.maximum() > 0)) {
      throw wrong(constraint, "needs a maximum above 0, not " + constraint.maximum());
    }
    double initial = constraint.initial();
    if (!Double.isFinite(initial) || Math.abs(initial) > constraint.maximum()) {
      throw wrong(constraint, "needs an initial value within its maximum, not " + initial);
    }
    switch (form) {
      case LOG, SOFTPLUS -> {
        if (initial <= 0) {
          throw wrong(
              constraint,
              "needs an initial value above 0 in the form `%s`, not %s"
                  .formatted(form.name().toLowerCase(Locale.ROOT), initial));
        }
      }
      case PROJECTED, PID -> {
        if (initial < 0 && !equality) {
          throw wrong(constraint, "needs an initial value of at least 0, not " + initial);
        }
      }
    }
    switch (form) {
      case PROJECTED, LOG, SOFTPLUS -> requireGain(constraint, "rate", constraint.rate());
      case PID -> {
        requireGain(constraint, "gain kp", constraint.kp());
        requireGain(constraint, "gain ki", constraint.ki());
        requireGain(constraint, "gain kd", constraint.kd());
      }
    }
  }

  static void requireFinite(Constraint constraint, double violation) {
    if (!Double.isFinite(violation)) {
      throw new ArithmeticException(
          "the violation of constraint `%s` (multiplier `%s`) is %s"
              .formatted(constraint.name(), constraint.multiplier(), violation));
    }
  }

  static void requireLength(Constraint constraint, double[] state, int length) {
    if (state.length != length) {
      throw wrong(constraint, "has a state of %d numbers, not %d".formatted(length, state.length));
    }
  }

  private static void requireGain(Constraint constraint, String what, double gain) {
    if (!(gain >= 0) || Double.isInfinite(gain)) {
      throw wrong(constraint, "needs a %s of at least 0, not %s".formatted(what, gain));
    }
  }

  private static IllegalArgumentException wrong(Constraint constraint, String complaint) {
    return new IllegalArgumentException(
        "multiplier `%s` %s".formatted(constraint.multiplier(), complaint));
  }
}
