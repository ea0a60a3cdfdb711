package org.alignlang.compiler.symbolic;

import java.util.List;

/**
 * An expression in u > 0 in normal form: a sum of terms, no two alike, in a fixed order.
 *
 * <p>Build sums with {@link #constant}, {@link #variable} and the operations below, which keep the
 * normal form: products are expanded, like terms merged (what round-off leaves of a sum that
 * cancels is dropped), positive factors leave logarithms and roots, fractions are reduced. Then
 * sums that are equal as records are equal as functions wherever both are defined; the converse
 * holds for what the normal form covers, which is what {@link #isConstant} decides a little
 * further.
 *
 * <p>All operations throw {@link SymbolicException} where the result is defined for no u or
 * outgrows the bounds ({@value Normaliser#MAX_TERMS} terms, {@value Normaliser#MAX_DEPTH} levels).
 */
public record Sum(List<Term> terms) {
  /** The number 0. */
  public static final Sum ZERO = new Sum(List.of());

  /** The number 1. */
  public static final Sum ONE = constant(1);

  private static final Sum VARIABLE =
      new Sum(List.of(new Term(1, List.of(new Factor(new Atom.U(), 1)))));

  public Sum {
    terms = List.copyOf(terms);
  }

  /** A number. */
  public static Sum constant(double value) {
    double snapped = Numbers.snap(value);
    return snapped == 0 ? new Sum(List.of()) : new Sum(List.of(new Term(snapped, List.of())));
  }

  /** The variable u. */
  public static Sum variable() {
    return VARIABLE;
  }

  public Sum plus(Sum other) {
    return Normaliser.add(this, other);
  }

  public Sum minus(Sum other) {
    return Normaliser.add(this, other.times(-1));
  }

  public Sum times(Sum other) {
    return Normaliser.multiply(this, other);
  }

  public Sum times(double factor) {
    return Normaliser.scale(this, factor);
  }

  /** The quotient; a divisor that is 0 is refused. */
  public Sum dividedBy(Sum divisor) {
    return Normaliser.multiply(this, Normaliser.power(divisor, -1));
  }

  public Sum negated() {
    return times(-1);
  }

  /** This to a constant power. */
  public Sum power(double exponent) {
    return Normaliser.power(this, exponent);
  }

  public Sum sqrt() {
    return Normaliser.power(this, 0.5);
  }

  /** The natural logarithm. */
  public Sum log() {
    return Normaliser.log(this);
  }

  public Sum exp() {
    return Normaliser.exp(this);
  }

  public Sum abs() {
    return Normaliser.abs(this);
  }

  /** -1, 0 or 1. */
  public Sum sign() {
    return Normaliser.sign(this);
  }

  /** The larger one, (a + b + |a - b|) / 2. */
  public Sum max(Sum other) {
    return plus(other).plus(minus(other).abs()).times(0.5);
  }

  /** The smaller one, (a + b - |a - b|) / 2. */
  public Sum min(Sum other) {
    return plus(other).minus(minus(other).abs()).times(0.5);
  }

  /**
   * The derivative with respect to u; where an absolute value has its kink, the mean of both sides.
   */
  public Sum derivative() {
    return Derivative.of(this);
  }

  /** This expression with another one in the place of u. */
  public Sum substitute(Sum replacement) {
    return Substitution.apply(this, replacement);
  }

  /** The value at u; at 0 and at infinity the limit. */
  public double evaluate(double u) {
    return LogSpace.lower(this).at(Math.log(u), u, this);
  }

  /** The value at u = exp(x), without overflow on the way. */
  public double evaluateLog(double x) {
    return LogSpace.lower(this).at(x, Math.exp(x), this);
  }

  public boolean isZero() {
    return terms.isEmpty();
  }

  /** Whether this is written as a number. */
  public boolean isNumber() {
    return terms.isEmpty() || (terms.size() == 1 && terms.get(0).isConstant());
  }

  /** The term without u; 0 where there is none. */
  public double constantTerm() {
    for (Term term : terms) {
      if (term.isConstant()) {
        return term.coefficient();
      }
    }
    return 0;
  }

  /**
   * Whether this takes one value for all u, also where fractions must be brought to one denominator
   * to see it.
   */
  public boolean isConstant() {
    return Identity.isConstant(this);
  }

  /** The expression as Align text in u. */
  public String toText() {
    return SumPrinter.text(this);
  }

  /** The expression as mathematics in plain Unicode. */
  public String toUnicode() {
    return SumPrinter.unicode(this);
  }

  /** The expression in LaTeX, without dollar signs. */
  public String toLatex() {
    return SumPrinter.latex(this);
  }

  @Override
  public String toString() {
    return toText();
  }
}
