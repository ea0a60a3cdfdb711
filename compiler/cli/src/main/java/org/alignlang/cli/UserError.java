package org.alignlang.cli;

/**
 * The user asked for something that cannot be done; the message says what, in one sentence. The
 * command ends with {@link ExitCode#USAGE}.
 */
public final class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UserError(String message) {
    super(message);
  }
}
