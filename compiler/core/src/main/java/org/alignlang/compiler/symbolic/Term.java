package org.alignlang.compiler.symbolic;

import java.util.List;

/** A coefficient times a product of atoms with exponents; no atom occurs twice. */
public record Term(double coefficient, List<Factor> factors) {
  public Term {
    factors = List.copyOf(factors);
    if (!Double.isFinite(coefficient)) {
      throw new SymbolicException("A constant in this expression is not a finite number.");
    }
    if (coefficient == 0) {
      throw new IllegalArgumentException("A term with coefficient 0 is no term.");
    }
  }

  /** Whether the term is a number. */
  public boolean isConstant() {
    return factors.isEmpty();
  }

  /** The exponent of u. */
  public double exponent() {
    for (Factor factor : factors) {
      if (factor.atom() instanceof Atom.U) {
        return factor.exponent();
      }
    }
    return 0;
  }

  /** Everything but the coefficient and the power of u. */
  List<Factor> rest() {
    return factors.stream().filter(factor -> !(factor.atom() instanceof Atom.U)).toList();
  }
}
