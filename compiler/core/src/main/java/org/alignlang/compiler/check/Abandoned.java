package org.alignlang.compiler.check;

/** A statement was given up after a diagnostic was reported; the checker goes on with the next. */
final class Abandoned extends RuntimeException {
  private static final long serialVersionUID = 1L;

  Abandoned() {
    super("reported", null, false, false);
  }
}
