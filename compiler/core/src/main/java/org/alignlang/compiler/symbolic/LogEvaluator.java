package org.alignlang.compiler.symbolic;

import java.util.List;
import org.alignlang.compiler.symbolic.LogSpace.LogForm;
import org.alignlang.compiler.symbolic.LogSpace.LogTerm;
import org.alignlang.compiler.symbolic.LogSpace.Tree;

/** Values of lowered expressions in double precision. */
final class LogEvaluator {
  /**
   * Exponents beyond this are combined with the logarithm of the other factors before exp is taken.
   */
  private static final double LARGE = 600;

  /** Up to this |k x|, u^k is split into 1 + expm1(k x), so that constants cancel exactly. */
  private static final double NEAR_ONE = 0.7;

  private LogEvaluator() {}

  static double sum(LogForm form, double x, double u) {
    Total total = new Total();
    for (LogTerm term : form.terms()) {
      double power = term.exponent() * x;
      if (term.isPower() && Math.abs(power) <= NEAR_ONE) {
        total.add(term.coefficient());
        total.add(term.coefficient() * Math.expm1(power));
      } else {
        total.add(value(term, x, u));
      }
    }
    return total.value();
  }

  static double size(LogForm form, double x) {
    double u = Math.exp(x);
    double size = 0;
    for (LogTerm term : form.terms()) {
      size += Math.abs(value(term, x, u));
    }
    return size;
  }

  private static double value(LogTerm term, double x, double u) {
    double exponent = term.exponent() * x;
    double product = term.coefficient();
    boolean powerOnly = true;
    List<Tree> factors =
        term.rest() instanceof Tree.Times(List<Tree> inner) ? inner : List.of(term.rest());
    for (Tree factor : factors) {
      if (factor instanceof Tree.Exp(Tree argument)) {
        exponent += value(argument, x);
        powerOnly = false;
      } else {
        product *= value(factor, x);
      }
    }
    if (Math.abs(exponent) < LARGE) {
      return product * (powerOnly ? power(u, term.exponent(), exponent) : Math.exp(exponent));
    }
    return product == 0
        ? 0
        : Math.signum(product) * Math.exp(exponent + Math.log(Math.abs(product)));
  }

  private static double power(double u, double k, double kx) {
    if (k == 0) {
      return 1;
    }
    return k == 1
        ? u
        : Numbers.isInteger(k) && Math.abs(kx) < LARGE ? Math.pow(u, k) : Math.exp(kx);
  }

  static double value(Tree tree, double x) {
    return switch (tree) {
      case Tree.X() -> x;
      case Tree.Constant(double value) -> value;
      case Tree.Softplus(Tree argument) -> softplus(value(argument, x));
      case Tree.LogSigmoid(Tree argument) -> -softplus(-value(argument, x));
      case Tree.Log(Tree argument) -> Math.log(value(argument, x));
      case Tree.Abs(Tree argument) -> Math.abs(value(argument, x));
      case Tree.Sign(Tree argument) -> Math.signum(value(argument, x));
      case Tree.Power(Tree base, double exponent) -> Math.pow(value(base, x), exponent);
      case Tree.Exp(Tree argument) -> Math.exp(value(argument, x));
      case Tree.Expm1(Tree argument) -> Math.expm1(value(argument, x));
      case Tree.Plus(List<Tree> addends) -> {
        Total total = new Total();
        for (Tree addend : addends) {
          total.add(value(addend, x));
        }
        yield total.value();
      }
      case Tree.Times(List<Tree> factors) -> product(factors, x);
    };
  }

  /** A product whose exponentials are taken together, so that none of them overflows alone. */
  private static double product(List<Tree> factors, double x) {
    double product = 1;
    double exponent = 0;
    for (Tree factor : factors) {
      if (factor instanceof Tree.Exp(Tree argument)) {
        exponent += value(argument, x);
      } else {
        product *= value(factor, x);
      }
    }
    if (exponent == 0 || product == 0) {
      return product;
    }
    return Math.abs(exponent) < LARGE
        ? product * Math.exp(exponent)
        : Math.signum(product) * Math.exp(exponent + Math.log(Math.abs(product)));
  }

  static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** Compensated summation (Neumaier 1974). */
  private static final class Total {
    private double sum;
    private double lost;

    void add(double value) {
      double next = sum + value;
      if (Double.isFinite(next)) {
        lost += Math.abs(sum) >= Math.abs(value) ? (sum - next) + value : (value - next) + sum;
      }
      sum = next;
    }

    double value() {
      return sum + lost;
    }
  }
}
