package org.alignlang.compiler.symbolic;

/**
 * Coefficients and exponents: what round-off left behind is removed, so that like things are equal.
 */
final class Numbers {
  /** Relative round-off that a short chain of sums and products leaves behind. */
  static final double ROUND_OFF = 1e-15;

  /** A sum that is smaller than this share of its addends is zero. */
  static final double CANCELLED = 8e-15;

  private static final int LARGEST_DENOMINATOR = 64;
  private static final double LARGEST_SNAPPED = 1e4;

  private Numbers() {}

  /**
   * The number itself, or the simple fraction or short decimal that it differs from by round-off.
   */
  static double snap(double value) {
    return snap(value, ROUND_OFF * Math.abs(value));
  }

  /** As {@link #snap(double)} for a sum whose addends had the given total size. */
  static double snapSum(double value, double size) {
    if (Math.abs(value) <= CANCELLED * size) {
      return 0;
    }
    return snap(value, Math.max(ROUND_OFF * Math.abs(value), 0.25 * ROUND_OFF * size));
  }

  private static double snap(double value, double tolerance) {
    if (!Double.isFinite(value)) {
      throw new SymbolicException("A constant in this expression is not a finite number.");
    }
    if (value == 0) {
      return 0;
    }
    if (Math.abs(value) > LARGEST_SNAPPED) {
      double whole = Math.rint(value);
      return Math.abs(value) < 1e12 && Math.abs(value - whole) <= tolerance ? whole : value;
    }
    for (int denominator = 1; denominator <= LARGEST_DENOMINATOR; denominator++) {
      double numerator = Math.rint(value * denominator);
      double candidate = numerator / denominator;
      if (numerator != 0 && Math.abs(value - candidate) <= tolerance) {
        return candidate;
      }
    }
    for (double scale = 1e2; scale <= 1e6; scale *= 10) {
      double numerator = Math.rint(value * scale);
      double candidate = numerator / scale;
      if (numerator != 0 && Math.abs(value - candidate) <= tolerance) {
        return candidate;
      }
    }
    return value;
  }

  static boolean isInteger(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e9;
  }

  static boolean isEven(double value) {
    return isInteger(value) && value % 2 == 0;
  }

  /** Whether two numbers agree up to accumulated round-off. */
  static boolean close(double a, double b) {
    return a == b || Math.abs(a - b) <= 1e-13 * Math.max(Math.abs(a), Math.abs(b));
  }
}
