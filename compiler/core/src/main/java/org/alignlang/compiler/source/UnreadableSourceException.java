package org.alignlang.compiler.source;

/** A source file cannot be read; the message says which and why. */
public final class UnreadableSourceException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UnreadableSourceException(String message) {
    super(message);
  }
}
