package org.alignlang.compiler.diagnostic;

/** How much a diagnostic matters. Errors stop compilation. */
public enum Severity {
  NOTE,
  WARNING,
  ERROR;

  public String word() {
    return name().toLowerCase(java.util.Locale.ROOT);
  }
}
