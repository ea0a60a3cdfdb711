package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A polynomial in v = u^step with leading coefficient 1.
 *
 * @param coefficients lowest power first
 * @param step the power of u that v stands for
 */
@SuppressWarnings(
    "ArrayRecordComponent") // Never compared; a list of boxes would be slower and no clearer.
record Polynomial(double[] coefficients, double step) {
  private static final int MAX_DEGREE = 64;

  /** The polynomial that a sum is, or null if it is none. */
  static @Nullable Polynomial of(Sum sum) {
    double step = 0;
    double highest = 0;
    for (Term term : sum.terms()) {
      if (!term.rest().isEmpty() || term.exponent() < 0) {
        return null;
      }
      if (term.exponent() > 0 && (step == 0 || term.exponent() < step)) {
        step = term.exponent();
      }
      highest = Math.max(highest, term.exponent());
    }
    if (step == 0) {
      return null;
    }
    // The smallest exponent need not divide the others: try its halves and thirds.
    for (double divisor : new double[] {1, 2, 3, 4, 6}) {
      Polynomial polynomial = withStep(sum, step / divisor, highest);
      if (polynomial != null) {
        return polynomial;
      }
    }
    return null;
  }

  private static @Nullable Polynomial withStep(Sum sum, double step, double highest) {
    int degree = (int) Math.min(Math.rint(highest / step), MAX_DEGREE + 1);
    if (degree > MAX_DEGREE) {
      return null;
    }
    double[] coefficients = new double[degree + 1];
    for (Term term : sum.terms()) {
      int power = (int) Math.rint(term.exponent() / step);
      if (!Numbers.close(power * step, term.exponent())) {
        return null;
      }
      coefficients[power] += term.coefficient();
    }
    return coefficients[degree] == 1 ? new Polynomial(coefficients, step) : null;
  }

  int degree() {
    return coefficients.length - 1;
  }

  boolean hasRoot(double root) {
    double value = 0;
    double size = 0;
    for (int i = degree(); i >= 0; i--) {
      value = value * root + coefficients[i];
      size = size * Math.abs(root) + Math.abs(coefficients[i]);
    }
    return Math.abs(value) <= Numbers.CANCELLED * size;
  }

  Polynomial withoutRoot(double root) {
    double[] quotient = new double[degree()];
    double carried = 0;
    for (int i = degree(); i >= 1; i--) {
      carried =
          Numbers.snapSum(
              carried * root + coefficients[i],
              Math.abs(carried * root) + Math.abs(coefficients[i]));
      quotient[i - 1] = carried;
    }
    return new Polynomial(quotient, step);
  }

  /** v - root. */
  Polynomial linear(double root) {
    return new Polynomial(new double[] {-root, 1}, step);
  }

  Sum toSum() {
    List<Term> terms = new ArrayList<>();
    for (int i = degree(); i >= 0; i--) {
      if (coefficients[i] != 0) {
        double exponent = Numbers.snap(i * step);
        terms.add(
            new Term(
                Numbers.snap(coefficients[i]),
                exponent == 0 ? List.of() : List.of(new Factor(new Atom.U(), exponent))));
      }
    }
    return new Sum(Normaliser.merged(terms));
  }
}
