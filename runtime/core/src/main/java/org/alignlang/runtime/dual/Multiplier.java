package org.alignlang.runtime.dual;

import org.alignlang.kernel.Signature.Constraint;

/**
 * The Lagrange multiplier of one constraint. It rises while the violation is positive; how is the
 * constraint's form:
 *
 * <ul>
 *   <li>{@code PROJECTED}: {@code lambda = max(0, lambda + rate * violation)} from {@code initial};
 *       for an equality without the {@code max}, so it takes either sign.
 *   <li>{@code LOG}: {@code lambda = exp(nu)}, {@code nu += rate * violation * lambda} from {@code
 *       nu = log(initial)}.
 *   <li>{@code SOFTPLUS}: {@code lambda = log(1 + exp(nu))}, {@code nu += rate * violation *
 *       sigmoid(nu)} from {@code nu = log(exp(initial) - 1)}.
 *   <li>{@code PID}: with {@code I = initial} at first, {@code I = max(0, I + ki * violation)} and
 *       {@code lambda = max(0, kp * violation + I + kd * max(0, violation - previous violation))};
 *       the derivative term is 0 at the first update. This is the rule of OmniSafe's PID Lagrangian
 *       without its moving averages and with a delay of one update; before the first update {@code
 *       lambda = initial}.
 * </ul>
 *
 * <p>In each form {@code lambda} never exceeds {@code maximum} (nor falls below {@code -maximum}
 * for an equality); {@code nu} is held back with it, so that the multiplier leaves its bound at
 * once when the violation changes sign. {@code I} is not held back.
 *
 * <p>Sources: the forms are those of {@link org.alignlang.kernel.Signature.DualForm}; Stooke,
 * Achiam and Abbeel, "Responsive Safety in Reinforcement Learning by PID Lagrangian Methods", ICML
 * 2020.
 */
public sealed interface Multiplier {

  /** The multiplier's value, to be given to the kernel. */
  double value();

  /**
   * Moves the multiplier once.
   *
   * @param violation how far the constraint is broken, positive where it is
   * @throws ArithmeticException if the violation is not finite
   */
  void update(double violation);

  /** What must be kept to go on to the same bits. */
  double[] state();

  /**
   * Continues from a state that {@link #state} returned.
   *
   * @throws IllegalArgumentException if the state is not one of this form
   */
  void restore(double[] state);

  /**
   * Creates the multiplier of a constraint at its initial value.
   *
   * @throws IllegalArgumentException if the form cannot have the initial value, gains or relation;
   *     the message names the multiplier
   */
  static Multiplier of(Constraint constraint) {
    Checks.require(constraint);
    return switch (constraint.form()) {
      case PROJECTED -> new Projected(constraint);
      case LOG -> new Log(constraint);
      case SOFTPLUS -> new Softplus(constraint);
      case PID -> new Pid(constraint);
    };
  }

  /** Projected gradient ascent. */
  final class Projected implements Multiplier {
    private final Constraint constraint;
    private final double least;
    private double value;

    private Projected(Constraint constraint) {
      this.constraint = constraint;
      least = constraint.relation().equals("==") ? -constraint.maximum() : 0;
      value = constraint.initial();
    }

    @Override
    public double value() {
      return value;
    }

    @Override
    public void update(double violation) {
      Checks.requireFinite(constraint, violation);
      value = Math.clamp(value + constraint.rate() * violation, least, constraint.maximum());
    }

    @Override
    public double[] state() {
      return new double[] {value};
    }

    @Override
    public void restore(double[] state) {
      Checks.requireLength(constraint, state, 1);
      value = state[0];
    }
  }

  /** Gradient ascent on the multiplier's logarithm. */
  final class Log implements Multiplier {
    /** Keeps the multiplier a positive normal number. */
    private static final double LARGEST_EXPONENT = 700;

    private final Constraint constraint;
    private double nu;

    private Log(Constraint constraint) {
      this.constraint = constraint;
      nu = Math.log(constraint.initial());
    }

    @Override
    public double value() {
      return Math.min(Math.exp(nu), constraint.maximum());
    }

    @Override
    public void update(double violation) {
      Checks.requireFinite(constraint, violation);
      nu =
          Math.clamp(
              nu + constraint.rate() * violation * value(),
              -LARGEST_EXPONENT,
              Math.min(LARGEST_EXPONENT, Math.log(constraint.maximum())));
    }

    @Override
    public double[] state() {
      return new double[] {nu};
    }

    @Override
    public void restore(double[] state) {
      Checks.requireLength(constraint, state, 1);
      nu = state[0];
    }
  }

  /** Gradient ascent before a softplus. */
  final class Softplus implements Multiplier {
    private final Constraint constraint;
    private final double largest;
    private double nu;

    private Softplus(Constraint constraint) {
      this.constraint = constraint;
      nu = inverse(constraint.initial());
      largest = inverse(constraint.maximum());
    }

    @Override
    public double value() {
      return Math.min(Math.max(nu, 0) + Math.log1p(Math.exp(-Math.abs(nu))), constraint.maximum());
    }

    @Override
    public void update(double violation) {
      Checks.requireFinite(constraint, violation);
      double slope = 1 / (1 + Math.exp(-nu));
      nu = Math.min(nu + constraint.rate() * violation * slope, largest);
    }

    @Override
    public double[] state() {
      return new double[] {nu};
    }

    @Override
    public void restore(double[] state) {
      Checks.requireLength(constraint, state, 1);
      nu = state[0];
    }

    /** log(exp(x) - 1), without overflow. */
    private static double inverse(double x) {
      return x + Math.log(-Math.expm1(-x));
    }
  }

  /** Proportional, integral and derivative control. */
  final class Pid implements Multiplier {
    private final Constraint constraint;
    private double integral;
    private double previous = Double.NaN;
    private double value;

    private Pid(Constraint constraint) {
      this.constraint = constraint;
      integral = constraint.initial();
      value = constraint.initial();
    }

    @Override
    public double value() {
      return value;
    }

    @Override
    public void update(double violation) {
      Checks.requireFinite(constraint, violation);
      double derivative = Double.isNaN(previous) ? 0 : Math.max(0, violation - previous);
      previous = violation;
      integral = Math.max(0, integral + constraint.ki() * violation);
      double control = constraint.kp() * violation + integral + constraint.kd() * derivative;
      value = Math.clamp(control, 0, constraint.maximum());
    }

    /** The integral, the previous violation (NaN before the first update), the value. */
    @Override
    public double[] state() {
      return new double[] {integral, previous, value};
    }

    @Override
    public void restore(double[] state) {
      Checks.requireLength(constraint, state, 3);
      integral = state[0];
      previous = state[1];
      value = state[2];
    }
  }
}
