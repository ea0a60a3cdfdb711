package org.alignlang.compiler.symbolic;

/** Puts one expression in the place of u in another, and normalises. */
final class Substitution {
  private Substitution() {}

  static Sum apply(Sum sum, Sum replacement) {
    Sum result = Sum.ZERO;
    for (Term term : sum.terms()) {
      Sum product = Sum.constant(term.coefficient());
      for (Factor factor : term.factors()) {
        product = product.times(apply(factor.atom(), replacement).power(factor.exponent()));
      }
      result = result.plus(product);
    }
    return result;
  }

  private static Sum apply(Atom atom, Sum replacement) {
    return switch (atom) {
      case Atom.U() -> replacement;
      case Atom.Log(Sum argument) -> apply(argument, replacement).log();
      case Atom.Exp(Sum argument) -> apply(argument, replacement).exp();
      case Atom.Abs(Sum argument) -> apply(argument, replacement).abs();
      case Atom.Sign(Sum argument) -> apply(argument, replacement).sign();
      case Atom.Group(Sum base) -> apply(base, replacement);
    };
  }
}
