package org.alignlang.compiler.symbolic;

import java.util.function.DoubleUnaryOperator;

/**
 * The values that an increasing f' takes: the open interval between its limits.
 *
 * @param atZero the limit for u to 0
 * @param atInfinity the limit for u to infinity
 */
public record Range(Limit atZero, Limit atInfinity) {
  /** Whether f' takes this value. */
  public boolean contains(double y) {
    return !(y <= atZero.value()) && !(y >= atInfinity.value()) && !Double.isNaN(y);
  }

  /**
   * log u by the given rule inside the range; minus or plus infinity, u = 0 or infinity, outside.
   */
  double clip(double y, DoubleUnaryOperator logInside) {
    if (Double.isNaN(y)) {
      return Double.NaN;
    }
    if (y <= atZero.value()) {
      return Double.NEGATIVE_INFINITY;
    }
    return y >= atInfinity.value() ? Double.POSITIVE_INFINITY : logInside.applyAsDouble(y);
  }
}
