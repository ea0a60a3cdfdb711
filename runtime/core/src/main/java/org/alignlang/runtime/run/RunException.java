package org.alignlang.runtime.run;

/**
 * A run's files cannot be written or read, or a run cannot go on. The message is one sentence for
 * the user: which file, what is wrong, what to do.
 */
public final class RunException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public RunException(String message) {
    super(message);
  }

  public RunException(String message, Throwable cause) {
    super(message, cause);
  }
}
