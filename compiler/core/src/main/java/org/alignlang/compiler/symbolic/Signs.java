package org.alignlang.compiler.symbolic;

/** What can be proved about the sign of an expression for all u > 0. */
enum Signs {
  POSITIVE,
  NONNEGATIVE,
  ZERO,
  NONPOSITIVE,
  NEGATIVE,
  UNKNOWN;

  boolean atLeastZero() {
    return this == POSITIVE || this == NONNEGATIVE || this == ZERO;
  }

  boolean atMostZero() {
    return this == NEGATIVE || this == NONPOSITIVE || this == ZERO;
  }

  private Signs opposite() {
    return switch (this) {
      case POSITIVE -> NEGATIVE;
      case NONNEGATIVE -> NONPOSITIVE;
      case ZERO -> ZERO;
      case NONPOSITIVE -> NONNEGATIVE;
      case NEGATIVE -> POSITIVE;
      case UNKNOWN -> UNKNOWN;
    };
  }

  private Signs plus(Signs other) {
    if (this == ZERO) {
      return other;
    }
    if (other == ZERO) {
      return this;
    }
    if (atLeastZero() && other.atLeastZero()) {
      return this == POSITIVE || other == POSITIVE ? POSITIVE : NONNEGATIVE;
    }
    if (atMostZero() && other.atMostZero()) {
      return this == NEGATIVE || other == NEGATIVE ? NEGATIVE : NONPOSITIVE;
    }
    return UNKNOWN;
  }

  private Signs times(Signs other) {
    if (this == ZERO || other == ZERO) {
      return ZERO;
    }
    if (this == UNKNOWN || other == UNKNOWN) {
      return UNKNOWN;
    }
    boolean strict =
        (this == POSITIVE || this == NEGATIVE) && (other == POSITIVE || other == NEGATIVE);
    boolean positive = atLeastZero() == other.atLeastZero();
    return strict ? (positive ? POSITIVE : NEGATIVE) : (positive ? NONNEGATIVE : NONPOSITIVE);
  }

  static Signs of(Sum sum) {
    Signs sign = ZERO;
    for (Term term : sum.terms()) {
      sign = sign.plus(of(term));
    }
    return sign == UNKNOWN ? ofThreeTerms(sum) : sign;
  }

  static Signs of(Term term) {
    Signs sign = term.coefficient() > 0 ? POSITIVE : NEGATIVE;
    for (Factor factor : term.factors()) {
      sign = sign.times(of(factor));
    }
    return sign;
  }

  private static Signs of(Factor factor) {
    Signs base = of(factor.atom());
    double exponent = factor.exponent();
    if (base == POSITIVE) {
      return POSITIVE;
    }
    if (!Numbers.isInteger(exponent)) {
      // Defined only where the base is not negative.
      return exponent < 0 ? POSITIVE : NONNEGATIVE;
    }
    if (Numbers.isEven(exponent)) {
      return exponent < 0 || base == NEGATIVE ? POSITIVE : NONNEGATIVE;
    }
    if (exponent < 0) {
      return switch (base) {
        case POSITIVE, NONNEGATIVE -> POSITIVE;
        case NEGATIVE, NONPOSITIVE -> NEGATIVE;
        case ZERO, UNKNOWN -> UNKNOWN;
      };
    }
    return base;
  }

  static Signs of(Atom atom) {
    return switch (atom) {
      case Atom.U() -> POSITIVE;
      case Atom.Exp(Sum argument) -> POSITIVE;
      case Atom.Abs(Sum argument) -> NONNEGATIVE;
      case Atom.Sign(Sum argument) -> UNKNOWN;
      case Atom.Group(Sum base) -> of(base);
      case Atom.Log(Sum argument) -> ofLog(argument);
    };
  }

  /** log(1 + s) has the sign of s. */
  private static Signs ofLog(Sum argument) {
    Sum excess = Normaliser.withoutReduction(argument, -1);
    Signs sign = ZERO;
    for (Term term : excess.terms()) {
      sign = sign.plus(of(term));
    }
    return sign;
  }

  /** a v^2 + b v + c with a, c > 0 and b^2 <= 4 a c, where v is a power of u. */
  private static Signs ofThreeTerms(Sum sum) {
    if (sum.terms().size() != 3) {
      return UNKNOWN;
    }
    Term high = sum.terms().get(0);
    Term middle = sum.terms().get(1);
    Term low = sum.terms().get(2);
    if (!high.rest().equals(middle.rest())
        || !high.rest().equals(low.rest())
        || !Numbers.close(high.exponent() + low.exponent(), 2 * middle.exponent())
        || high.coefficient() * low.coefficient() <= 0) {
      return UNKNOWN;
    }
    double square = middle.coefficient() * middle.coefficient();
    double bound = 4 * high.coefficient() * low.coefficient();
    Signs outer = of(high);
    if (square < bound * (1 - Numbers.CANCELLED)) {
      return outer;
    }
    if (square <= bound * (1 + Numbers.CANCELLED)) {
      return NONNEGATIVE.times(outer);
    }
    return UNKNOWN;
  }

  /** The sign of the opposite expression. */
  Signs negated() {
    return opposite();
  }
}
