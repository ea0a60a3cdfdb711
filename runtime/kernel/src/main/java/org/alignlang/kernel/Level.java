package org.alignlang.kernel;

/** Where a value lives: one number per batch, group, pair, sequence, token, or vocabulary entry. */
public enum Level {
  BATCH,
  GROUP,
  PAIR,
  SEQUENCE,
  TOKEN,
  VOCAB;

  /** The name used in specs and messages, such as {@code token}. */
  public String word() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
