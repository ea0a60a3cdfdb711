package org.alignlang.runtime.experiment;

/**
 * How a recorded number was found.
 *
 * @param exact whether it was computed from all responses, or needs none; otherwise it is an
 *     estimate
 * @param count how many responses were summed over or sampled; 0 if none were needed
 */
public record Method(boolean exact, int count) {
  /** A number that is simply there, such as a loss or a multiplier. */
  public static final Method GIVEN = new Method(true, 0);

  /** All responses were summed over. */
  public static Method enumerated(int count) {
    return new Method(true, count);
  }

  /** Responses were sampled. */
  public static Method sampled(int count) {
    return new Method(false, count);
  }

  /** The method of a number computed from two: the less exact one. */
  public Method with(Method other) {
    if (exact != other.exact) {
      return exact ? other : this;
    }
    if (count == 0 || other.count == 0) {
      return count == 0 ? other : this;
    }
    return count <= other.count ? this : other;
  }

  /** For reports, such as {@code exact, 64 responses} or {@code sampled, n = 4096}. */
  public String show() {
    if (!exact) {
      return "sampled, n = " + count;
    }
    return count == 0 ? "exact" : "exact, " + count + " responses";
  }
}
