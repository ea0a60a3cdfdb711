package org.alignlang.compiler.symbolic;

import java.util.Optional;

/**
 * The convex conjugate f*(y) = sup over u > 0 of y u - f(u) = y g(y) - f(g(y)), where g is the
 * inverse of f'.
 *
 * @param formula f* as a formula in y, for y in the range of f'; empty where there is no closed
 *     form
 * @param function f
 * @param derivative f'
 * @param excess u f'(u) - f(u), which is f* at y = f'(u)
 * @param inverse the inverse of f'
 * @param range the values of f'
 */
public record Conjugate(
    Optional<Formula> formula,
    Sum function,
    Sum derivative,
    Sum excess,
    Inverse inverse,
    Range range) {

  /** f*(y); -f(0) for y below the range of f', infinity above it. */
  public double at(double y) {
    if (Double.isNaN(y)) {
      return Double.NaN;
    }
    if (y > range.atInfinity().value()) {
      return Double.POSITIVE_INFINITY;
    }
    if (y <= range.atZero().value()) {
      return -function.evaluate(0);
    }
    return switch (inverse) {
      case Inverse.Closed closed -> excess.evaluateLog(closed.logAt(y));
      case Inverse.Numeric numeric -> excess.evaluateLog(numeric.logAt(y));
      case Inverse.None(String reason) -> {
        if (y >= range.atInfinity().value()) {
          // The slope is reached in the limit only, or on a last straight piece.
          yield y == 0 && function.isZero() ? 0 : supremum(y);
        }
        yield supremum(y);
      }
    };
  }

  /** Where f' jumps over y or stays at it, y u - f(u) itself is taken there. */
  private double supremum(double y) {
    double u = Math.exp(MonotoneSolver.solve(LogSpace.lower(derivative), y));
    return y * u - function.evaluate(u);
  }
}
