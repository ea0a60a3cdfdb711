package org.alignlang.compiler.check;

/** What a value is, apart from its level. */
public enum Kind {
  /** A real number. */
  REAL,
  /** A truth value. */
  BOOL,
  /** A positive number, such as a probability or a ratio of two, held as its logarithm. */
  PROB;

  /** The name in the language. */
  public String word() {
    return switch (this) {
      case REAL -> "Real";
      case BOOL -> "Bool";
      case PROB -> "Prob";
    };
  }
}
