package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Formulas in y for the inverse of f' and for the conjugate, from the shape of f'. */
final class ClosedForms {
  private static final double MAX_EXPANDED = 4;

  private ClosedForms() {}

  /**
   * u in terms of a quantity w > 0 that y determines.
   *
   * @param u an expression in which the variable stands for w
   * @param w what w is in terms of y
   */
  private record Parametrisation(Sum u, SumPrinter.Variable w) {}

  static Formula inverse(InverseShape shape) {
    Parametrisation parametrisation = of(shape);
    return formula(parametrisation.u(), parametrisation);
  }

  /** A function of u, at u = g(y); empty where that grows out of bounds. */
  static Optional<Formula> composed(Sum function, InverseShape shape) {
    Parametrisation parametrisation = of(shape);
    try {
      return Optional.of(formula(function.substitute(parametrisation.u()), parametrisation));
    } catch (SymbolicException _) {
      return Optional.empty();
    }
  }

  /**
   * Whole powers of a w that is linear in y are written in y, where they may cancel with other
   * terms.
   */
  /**
   * Whole powers of a w that is linear in y are written in y, where they may cancel with other
   * terms.
   */
  private static Formula formula(Sum inW, Parametrisation parametrisation) {
    if (!(parametrisation.w() instanceof SumPrinter.Variable.Value(Sum inner))) {
      return SumPrinter.formula(inW, parametrisation.w(), Sum.ZERO);
    }
    List<Term> whole = new ArrayList<>();
    List<Term> others = new ArrayList<>();
    for (Term term : inW.terms()) {
      boolean isWhole =
          term.rest().isEmpty()
              && Numbers.isInteger(term.exponent())
              && Math.abs(term.exponent()) <= MAX_EXPANDED;
      (isWhole ? whole : others).add(term);
    }
    return SumPrinter.formula(
        new Sum(others), parametrisation.w(), new Sum(whole).substitute(inner));
  }

  private static Parametrisation of(InverseShape shape) {
    Sum w = Sum.variable();
    return switch (shape) {
      case InverseShape.Logarithm(double offset, double scale) -> exponential(w, offset, scale);
      case InverseShape.Power(double offset, double scale, double exponent) ->
          root(offset, scale, 0, exponent);
      case InverseShape.ShiftedLogarithm(double offset, double scale, double shift) ->
          exponential(w.minus(Sum.constant(shift)), offset, scale);
      case InverseShape.ShiftedPower(double offset, double scale, double shift, double exponent) ->
          root(offset, scale, shift, exponent);
      case InverseShape.LogRatio(double offset, double scale, double shift) ->
          exponential(w.times(shift).dividedBy(Sum.ONE.minus(w)), offset, scale);
      case InverseShape.LogPlusPower powers -> {
        double k = powers.exponent();
        Sum argument =
            linear(powers.offset(), powers.logScale())
                .times(k)
                .plus(Sum.constant(Math.log(powers.ratio())));
        yield new Parametrisation(
            w.times(1 / powers.ratio()).power(1 / k), new SumPrinter.Variable.OmegaOf(argument));
      }
    };
  }

  /**
   * w = exp(y / scale) with the rest as a factor where that is a simple number, else exp((y -
   * offset) / scale).
   */
  private static Parametrisation exponential(Sum u, double offset, double scale) {
    double factor = Numbers.snap(Math.exp(-offset / scale));
    boolean simple = Numbers.isInteger(factor * 12) && factor * 12 <= 144 && factor > 0;
    return simple
        ? new Parametrisation(
            u.substitute(Sum.variable().times(factor)),
            new SumPrinter.Variable.ExponentialOf(linear(0, scale)))
        : new Parametrisation(u, new SumPrinter.Variable.ExponentialOf(linear(offset, scale)));
  }

  /**
   * u = w^(1 / exponent) - shift with w = (y - offset) / scale; or with w = |y - offset| and the
   * scale as a factor, where that is a simple number.
   */
  private static Parametrisation root(double offset, double scale, double shift, double exponent) {
    double factor = Numbers.snap(Math.pow(Math.abs(scale), -1 / exponent));
    boolean simple = Numbers.isInteger(factor * 12) && factor * 12 <= 144 && factor > 0;
    Sum root = Sum.variable().power(1 / exponent);
    return new Parametrisation(
        (simple ? root.times(factor) : root).minus(Sum.constant(shift)),
        new SumPrinter.Variable.Value(linear(offset, simple ? Math.signum(scale) : scale)));
  }

  /** (y - offset) / scale, where the variable stands for y. */
  private static Sum linear(double offset, double scale) {
    return Sum.variable().minus(Sum.constant(offset)).times(1 / scale);
  }
}
