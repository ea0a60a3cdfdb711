package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Shapes of f' whose inverse has a closed form. In all of them the argument is y = f'(u).
 *
 * <p>{@link #logAt} gives log u for y inside the range of f'; callers deal with the ends.
 */
public sealed interface InverseShape {

  /** f'(u) = offset + scale log u, so u = exp((y - offset) / scale). */
  record Logarithm(double offset, double scale) implements InverseShape {}

  /** f'(u) = offset + scale u^exponent, so u = ((y - offset) / scale)^(1 / exponent). */
  record Power(double offset, double scale, double exponent) implements InverseShape {}

  /** f'(u) = offset + scale log(u + shift), so u = exp((y - offset) / scale) - shift. */
  record ShiftedLogarithm(double offset, double scale, double shift) implements InverseShape {}

  /**
   * f'(u) = offset + scale (u + shift)^exponent, so u = ((y - offset) / scale)^(1 / exponent) -
   * shift.
   */
  record ShiftedPower(double offset, double scale, double shift, double exponent)
      implements InverseShape {}

  /**
   * f'(u) = offset + scale log(u / (u + shift)), so u = shift s / (1 - s) with s = exp((y - offset)
   * / scale).
   */
  record LogRatio(double offset, double scale, double shift) implements InverseShape {}

  /**
   * f'(u) = offset + logScale log u + powerScale u^exponent, increasing in both parts. With r =
   * powerScale exponent / logScale, u^exponent = omega(exponent (y - offset) / logScale + log r) /
   * r, where omega(t) is the solution w of w + log w = t (Corless and Jeffrey 2002).
   */
  record LogPlusPower(double offset, double logScale, double powerScale, double exponent)
      implements InverseShape {
    double ratio() {
      return powerScale * exponent / logScale;
    }
  }

  /** log u for f'(u) = y, for y inside the range of f'. */
  default double logAt(double y) {
    return switch (this) {
      case Logarithm(double offset, double scale) -> (y - offset) / scale;
      case Power(double offset, double scale, double exponent) ->
          logRatio(y, offset, scale) / exponent;
      case ShiftedLogarithm(double offset, double scale, double shift) ->
          logDifference((y - offset) / scale, Math.log(shift));
      case ShiftedPower(double offset, double scale, double shift, double exponent) ->
          logDifference(logRatio(y, offset, scale) / exponent, Math.log(shift));
      case LogRatio(double offset, double scale, double shift) -> {
        double z = (y - offset) / scale;
        yield Math.log(shift) + z - logOneMinusExp(z);
      }
      case LogPlusPower shape -> {
        double logRatio = Math.log(shape.ratio());
        double t = shape.exponent() * (y - shape.offset()) / shape.logScale() + logRatio;
        yield (logOmega(t) - logRatio) / shape.exponent();
      }
    };
  }

  /** The shape of a derivative, if it is one of these. */
  static Optional<InverseShape> of(Sum derivative) {
    double offset = derivative.constantTerm();
    List<Term> terms = new ArrayList<>(derivative.terms());
    terms.removeIf(Term::isConstant);
    return switch (terms.size()) {
      case 1 -> ofOne(offset, terms.get(0));
      case 2 -> ofTwo(offset, terms.get(0), terms.get(1));
      default -> Optional.empty();
    };
  }

  private static Optional<InverseShape> ofOne(double offset, Term term) {
    if (term.factors().size() != 1) {
      return Optional.empty();
    }
    double scale = term.coefficient();
    double exponent = term.factors().get(0).exponent();
    return switch (term.factors().get(0).atom()) {
      case Atom.U() -> Optional.of(new Power(offset, scale, exponent));
      case Atom.Log(Sum argument) when exponent == 1 && argument.equals(Sum.variable()) ->
          Optional.of(new Logarithm(offset, scale));
      case Atom.Log(Sum argument) when exponent == 1 ->
          shift(argument).map(shift -> new ShiftedLogarithm(offset, scale, shift));
      case Atom.Group(Sum base) ->
          shift(base).map(shift -> new ShiftedPower(offset, scale, shift, exponent));
      case Atom.Log(Sum _), Atom.Exp(Sum _), Atom.Abs(Sum _), Atom.Sign(Sum _) -> Optional.empty();
    };
  }

  private static Optional<InverseShape> ofTwo(double offset, Term a, Term b) {
    if (isLogarithm(b) && !isLogarithm(a)) {
      return ofTwo(offset, b, a);
    }
    if (!isLogarithm(a) || b.factors().size() != 1) {
      return Optional.empty();
    }
    double scale = a.coefficient();
    Factor other = b.factors().get(0);
    if (other.atom() instanceof Atom.U) {
      // Both parts increase, or both decrease.
      return scale * b.coefficient() * other.exponent() > 0
          ? Optional.of(new LogPlusPower(offset, scale, b.coefficient(), other.exponent()))
          : Optional.empty();
    }
    return other.atom() instanceof Atom.Log(Sum argument)
            && other.exponent() == 1
            && Numbers.close(b.coefficient(), -scale)
        ? shift(argument).map(shift -> new LogRatio(offset, scale, shift))
        : Optional.empty();
  }

  private static boolean isLogarithm(Term term) {
    return term.factors().equals(List.of(new Factor(new Atom.Log(Sum.variable()), 1)));
  }

  /** b in u + b with b > 0. */
  private static Optional<Double> shift(Sum sum) {
    return LogSpace.Shifted.of(sum)
        .filter(shifted -> shifted.exponent() == 1)
        .map(LogSpace.Shifted::constant);
  }

  /** log((y - offset) / scale), accurate where that is near 0. */
  private static double logRatio(double y, double offset, double scale) {
    double distance = (y - (offset + scale)) / scale;
    return Math.abs(distance) < 0.5 ? Math.log1p(distance) : Math.log((y - offset) / scale);
  }

  /** log(exp(a) - exp(b)) for a > b. */
  private static double logDifference(double a, double b) {
    return a + logOneMinusExp(b - a);
  }

  /** log(1 - exp(z)) for z < 0 (Maechler 2012). */
  private static double logOneMinusExp(double z) {
    return z > -0.6931471805599453 ? Math.log(-Math.expm1(z)) : Math.log1p(-Math.exp(z));
  }

  /**
   * log omega(t): the solution l of l + exp(l) = t, by Newton's method from the side where it is
   * monotone.
   */
  private static double logOmega(double t) {
    double l = t > 1 ? Math.log(t) : t;
    for (int i = 0; i < 60; i++) {
      double exp = Math.exp(l);
      double step = (l + exp - t) / (1 + exp);
      l -= step;
      if (Math.abs(step) <= 1e-16 * Math.max(1, Math.abs(l))) {
        break;
      }
    }
    return l;
  }
}
