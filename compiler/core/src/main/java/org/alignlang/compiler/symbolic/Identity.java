package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Decides whether an expression is one number for all u. */
final class Identity {
  private static final int MAX_EXPONENT = 12;

  private Identity() {}

  static boolean isConstant(Sum sum) {
    if (sum.isNumber()) {
      return true;
    }
    try {
      Sum derivative = sum.derivative();
      return derivative.isZero() || overCommonDenominator(derivative).isZero();
    } catch (SymbolicException _) {
      // Too large to bring to one denominator: what is left is to say no.
      return false;
    }
  }

  /** The numerator over the product of all groups with negative whole exponents. */
  static Sum overCommonDenominator(Sum sum) {
    Map<Atom.Group, Double> lowest = new LinkedHashMap<>();
    for (Term term : sum.terms()) {
      for (Factor factor : term.factors()) {
        if (factor.atom() instanceof Atom.Group group) {
          lowest.merge(group, factor.exponent(), Math::min);
        }
      }
    }
    List<Term> numerator = new ArrayList<>(sum.terms());
    for (Map.Entry<Atom.Group, Double> entry : lowest.entrySet()) {
      double exponent = Math.min(Math.floor(entry.getValue()), 0);
      if (exponent == 0 || exponent < -MAX_EXPONENT) {
        continue;
      }
      List<Term> next = new ArrayList<>();
      for (Term term : numerator) {
        List<Factor> factors = new ArrayList<>(term.factors());
        factors.add(new Factor(entry.getKey(), -exponent));
        next.addAll(expanded(Normaliser.product(term.coefficient(), factors)).terms());
      }
      numerator = Normaliser.merged(next);
    }
    return new Sum(Normaliser.merged(numerator));
  }

  /** The sum with all positive whole powers of groups written out. */
  private static Sum expanded(Sum sum) {
    Sum result = Sum.ZERO;
    List<Term> terms = new ArrayList<>();
    for (Term term : sum.terms()) {
      Sum product = Sum.constant(term.coefficient());
      for (Factor factor : term.factors()) {
        double exponent = factor.exponent();
        if (factor.atom() instanceof Atom.Group(Sum base)
            && Numbers.isInteger(exponent)
            && exponent > 0
            && exponent <= MAX_EXPONENT) {
          for (int i = 0; i < exponent; i++) {
            product = Normaliser.multiplyWithoutReduction(product, base);
          }
        } else {
          product =
              Normaliser.multiplyWithoutReduction(
                  product, new Sum(List.of(new Term(1, List.of(factor)))));
        }
      }
      terms.addAll(product.terms());
    }
    result = new Sum(Normaliser.merged(terms));
    return result;
  }
}
