package org.alignlang.compiler.symbolic;

/** An atom with its exponent, which is finite and not zero. */
public record Factor(Atom atom, double exponent) {
  public Factor {
    if (!Double.isFinite(exponent)) {
      throw new SymbolicException("An exponent in this expression is not a finite number.");
    }
    if (exponent == 0) {
      throw new IllegalArgumentException("A factor with exponent 0 is the number 1.");
    }
  }
}
