package org.alignlang.compiler.symbolic;

/** The inverse of f', which maps a value y = f'(u) back to u. */
public sealed interface Inverse {

  /**
   * A closed form.
   *
   * @param shape what f' looks like, for a code generator
   * @param formula u as a formula in y
   * @param range the values that f' takes
   */
  record Closed(InverseShape shape, Formula formula, Range range) implements Inverse {
    /** log u; minus or plus infinity for y at or beyond the ends of the range. */
    public double logAt(double y) {
      return range.clip(y, shape::logAt);
    }
  }

  /**
   * No closed form: f' is increasing, and each value needs a root.
   *
   * @param derivative f' in log space
   * @param range the values that f' takes
   */
  record Numeric(LogSpace.LogForm derivative, Range range) implements Inverse {
    /** log u; minus or plus infinity for y at or beyond the ends of the range. */
    public double logAt(double y) {
      return range.clip(y, inside -> MonotoneSolver.solve(derivative, inside));
    }
  }

  /** f' takes some value on a whole interval, or jumps over some: it has no inverse. */
  record None(String reason) implements Inverse {}
}
