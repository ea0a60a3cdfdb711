package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.List;

/** The derivative of a sum with respect to u, by the product and the chain rule. */
final class Derivative {
  private Derivative() {}

  static Sum of(Sum sum) {
    Sum result = Sum.ZERO;
    for (Term term : sum.terms()) {
      result = Normaliser.add(result, of(term));
    }
    return result;
  }

  /** (c a^m b^n)' = c m a^(m - 1) a' b^n + c n a^m b^(n - 1) b'. */
  private static Sum of(Term term) {
    Sum result = Sum.ZERO;
    for (int i = 0; i < term.factors().size(); i++) {
      Factor factor = term.factors().get(i);
      Sum inner = of(factor.atom());
      if (inner.isZero()) {
        continue;
      }
      List<Factor> others = new ArrayList<>(term.factors());
      others.remove(i);
      double lowered = Numbers.snapSum(factor.exponent() - 1, Math.abs(factor.exponent()) + 1);
      if (lowered != 0) {
        others.add(new Factor(factor.atom(), lowered));
      }
      Sum outer = Normaliser.product(term.coefficient() * factor.exponent(), others);
      result = Normaliser.add(result, Normaliser.multiply(outer, inner));
    }
    return result;
  }

  private static Sum of(Atom atom) {
    return switch (atom) {
      case Atom.U() -> Sum.ONE;
      case Atom.Log(Sum argument) -> of(argument).dividedBy(argument);
      case Atom.Exp(Sum argument) -> of(argument).times(single(atom));
      case Atom.Abs(Sum argument) -> of(argument).times(argument.sign());
      case Atom.Sign(Sum argument) -> Sum.ZERO;
      case Atom.Group(Sum base) -> of(base);
    };
  }

  private static Sum single(Atom atom) {
    return new Sum(List.of(new Term(1, List.of(new Factor(atom, 1)))));
  }
}
