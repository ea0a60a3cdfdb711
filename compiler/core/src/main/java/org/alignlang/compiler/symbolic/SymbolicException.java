package org.alignlang.compiler.symbolic;

/**
 * An expression that has no meaning for real {@code u > 0}, or that outgrows the bounds of the
 * algebra.
 *
 * <p>The message is one sentence for the person who wrote the expression.
 */
public final class SymbolicException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SymbolicException(String message) {
    super(message);
  }
}
