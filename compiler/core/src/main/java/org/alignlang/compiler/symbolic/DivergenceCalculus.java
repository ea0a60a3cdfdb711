package org.alignlang.compiler.symbolic;

import java.util.Optional;

/** Derives everything about a divergence from its generator. */
public final class DivergenceCalculus {
  private static final double FLAT = 1e-13;

  private DivergenceCalculus() {}

  /**
   * Derives a divergence from f.
   *
   * @throws SymbolicException if f or a derivative of it has no value for any u > 0, or is too
   *     large
   */
  public static DerivedDivergence derive(Sum f) {
    Sum derivative = f.derivative();
    Sum second = derivative.derivative();
    Convexity convexity = Convexity.of(f);
    Range range =
        new Range(Limit.of(derivative, Limit.End.ZERO), Limit.of(derivative, Limit.End.INFINITY));
    Inverse inverse = inverse(derivative, second, convexity, range);
    return new DerivedDivergence(
        f,
        derivative,
        second,
        dual(f),
        atOne(f),
        atOne(derivative),
        atOne(second),
        range,
        convexity,
        inverse,
        conjugate(f, derivative, inverse, range));
  }

  /** u f(1 / u): D_f(p || q) = D_dual(q || p). */
  public static Sum dual(Sum f) {
    return f.substitute(Sum.variable().power(-1)).times(Sum.variable());
  }

  /** f(u) - f'(1) (u - 1): the same divergence, as terms in u - 1 have expectation 0. */
  public static Sum normalise(Sum f) {
    double slope = atOne(f.derivative());
    if (!Double.isFinite(slope)) {
      throw new SymbolicException("f' has no value at u = 1, so f cannot be normalised.");
    }
    return f.minus(Sum.variable().minus(Sum.ONE).times(slope));
  }

  /** The value at u = 1, without round-off where that is a simple number. */
  static double atOne(Sum sum) {
    LogSpace.LogForm form = LogSpace.lower(sum);
    double value = form.at(0);
    return Double.isFinite(value) ? Numbers.snapSum(value, form.sizeAt(0)) : value;
  }

  private static Inverse inverse(Sum derivative, Sum second, Convexity convexity, Range range) {
    return switch (convexity) {
      case Convexity.Violated(double u, double value) ->
          new Inverse.None(
              Double.isNaN(value)
                  ? "f is not defined at u = " + SumPrinter.number(rounded(u))
                  : "f' decreases at u = " + SumPrinter.number(rounded(u)));
      case Convexity.Proved(), Convexity.Checked(double _, double _) ->
          inverse(derivative, second, range);
    };
  }

  private static Inverse inverse(Sum derivative, Sum second, Range range) {
    if (derivative.isNumber()) {
      return new Inverse.None("f' is constant");
    }
    for (Kink kink : Kink.of(derivative)) {
      if (kink.jumpsUp()) {
        return new Inverse.None(
            "f' jumps from "
                + SumPrinter.number(rounded(kink.before()))
                + " to "
                + SumPrinter.number(rounded(kink.after()))
                + " at u = "
                + SumPrinter.number(rounded(kink.u())));
      }
    }
    Optional<Double> flat = flatAt(second);
    if (flat.isPresent()) {
      return new Inverse.None(
          "f' is constant around u = " + SumPrinter.number(rounded(Math.exp(flat.get()))));
    }
    return InverseShape.of(derivative)
        .<Inverse>map(shape -> new Inverse.Closed(shape, ClosedForms.inverse(shape), range))
        .orElseGet(() -> new Inverse.Numeric(LogSpace.lower(derivative), range));
  }

  /** Some x = log u where f'' is 0 to round-off there and at both neighbours. */
  private static Optional<Double> flatAt(Sum second) {
    LogSpace.LogForm form = LogSpace.lower(second);
    int run = 0;
    for (double x = -10; x <= 10; x += 0.0625) {
      double size = form.sizeAt(x);
      boolean zero = Double.isFinite(size) && Math.abs(form.at(x)) <= FLAT * size;
      run = zero ? run + 1 : 0;
      if (run >= 3) {
        return Optional.of(x - 0.0625);
      }
    }
    return Optional.empty();
  }

  private static Conjugate conjugate(Sum f, Sum derivative, Inverse inverse, Range range) {
    Sum excess = Sum.variable().times(derivative).minus(f);
    Optional<Formula> formula =
        inverse instanceof Inverse.Closed closed
            ? ClosedForms.composed(excess, closed.shape())
            : Optional.empty();
    return new Conjugate(formula, f, derivative, excess, inverse, range);
  }

  /** A number for a message. */
  private static double rounded(double value) {
    double scale = Math.pow(10, 4 - Math.ceil(Math.log10(Math.max(Math.abs(value), 1e-300))));
    double result = Math.rint(value * scale) / scale;
    return Double.isFinite(result) ? result : value;
  }
}
