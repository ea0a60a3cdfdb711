package org.alignlang.runtime.batch;

/**
 * A file or tensor that cannot be used; the message is one sentence that names it and the place.
 */
public final class BatchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BatchException(String message) {
    super(printable(message));
  }

  BatchException(String message, Throwable cause) {
    super(printable(message), cause);
  }

  /** Names come from files of strangers, and must not write to a terminal as they like. */
  private static String printable(String message) {
    return message.replaceAll("\\p{Cntrl}", "?");
  }
}
