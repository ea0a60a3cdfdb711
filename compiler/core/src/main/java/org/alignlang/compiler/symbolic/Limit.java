package org.alignlang.compiler.symbolic;

import java.util.Optional;

/**
 * The limit of an expression at an end of (0, infinity).
 *
 * @param value a number, an infinity, or NaN where none was found
 * @param symbolic whether it was derived from the expansion at that end, rather than read off
 *     values
 */
public record Limit(double value, boolean symbolic) {
  /** Where the limit is taken. */
  public enum End {
    ZERO,
    INFINITY
  }

  /** Longer sums are not expanded. */
  private static final int LONG = 100;

  private static final double[] FAR = {300, 450, 600, 690};

  public static Limit of(Sum sum, End end) {
    Optional<Double> exact;
    try {
      exact =
          sum.terms().size() > LONG
              ? Optional.empty()
              : Expansion.of(sum, end).flatMap(Expansion::limit);
    } catch (SymbolicException _) {
      exact = Optional.empty();
    }
    return exact.map(value -> new Limit(value, true)).orElseGet(() -> numeric(sum, end));
  }

  public boolean isFinite() {
    return Double.isFinite(value);
  }

  /** Values further and further out: settled, or growing without bound. */
  private static Limit numeric(Sum sum, End end) {
    LogSpace.LogForm form = LogSpace.lower(sum);
    double sign = end == End.ZERO ? -1 : 1;
    double[] values = new double[FAR.length];
    for (int i = 0; i < FAR.length; i++) {
      values[i] = form.at(sign * FAR[i]);
    }
    double last = values[FAR.length - 1];
    double before = values[FAR.length - 2];
    if (Double.isNaN(last) || Double.isNaN(before)) {
      return new Limit(Double.NaN, false);
    }
    if (Double.isInfinite(last)) {
      return new Limit(last, false);
    }
    if (Math.abs(last - before) <= 1e-9 * Math.max(1, Math.abs(last))) {
      return new Limit(last, false);
    }
    boolean growing = true;
    for (int i = 1; i < FAR.length; i++) {
      growing &= Math.abs(values[i]) > Math.abs(values[i - 1]);
    }
    return new Limit(growing ? Math.copySign(Double.POSITIVE_INFINITY, last) : Double.NaN, false);
  }
}
