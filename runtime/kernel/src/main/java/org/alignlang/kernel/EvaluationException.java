package org.alignlang.kernel;

/** The data has no value under the objective; the message names the place in the spec and data. */
public final class EvaluationException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public EvaluationException(String message) {
    super(message);
  }

  /**
   * A failure of the whole batch.
   *
   * @param place where in the spec, as {@code path:line:column}
   * @param what what failed, such as {@code mean over no sequences}
   */
  public static EvaluationException at(String place, String what) {
    return new EvaluationException(place + ": " + what);
  }

  /** A failure of one group or row. */
  public static EvaluationException at(String place, String what, Level level, int index) {
    String holder = level == Level.GROUP ? "group " : "row ";
    return new EvaluationException(place + ": " + what + ", in " + holder + index);
  }
}
