package org.alignlang.compiler.symbolic;

/**
 * Solves g(exp(x)) = y for a function that does not decrease, by bisection; jumps and flat pieces
 * do no harm.
 */
final class MonotoneSolver {
  private static final double END = 745;
  private static final int MAX_STEPS = 200;

  private MonotoneSolver() {}

  /** x with g(exp(x)) = y, or where g jumps over y; minus or plus 745 where y is out of reach. */
  static double solve(LogSpace.LogForm function, double y) {
    double low = -1;
    double high = 1;
    while (low > -END && !(function.at(low) <= y)) {
      high = low;
      low = Math.max(2 * low, -END);
    }
    while (high < END && !(function.at(high) >= y)) {
      low = high;
      high = high < 0 ? high / 2 + 0.5 : Math.min(2 * high, END);
    }
    for (int i = 0; i < MAX_STEPS; i++) {
      double middle = 0.5 * (low + high);
      if (middle == low || middle == high || high - low <= 1e-16 * Math.abs(middle)) {
        break;
      }
      if (function.at(middle) < y) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return 0.5 * (low + high);
  }
}
