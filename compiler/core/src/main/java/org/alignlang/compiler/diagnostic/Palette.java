package org.alignlang.compiler.diagnostic;

/** The colours of a terminal, or none. Nothing is said by colour alone. */
public enum Palette {
  PLAIN,
  ANSI;

  private static final String RESET = "\u001b[0m";

  public String error(String text) {
    return paint("1;31", text);
  }

  public String warning(String text) {
    return paint("1;33", text);
  }

  public String note(String text) {
    return paint("1;36", text);
  }

  public String severity(Severity severity, String text) {
    return switch (severity) {
      case ERROR -> error(text);
      case WARNING -> warning(text);
      case NOTE -> note(text);
    };
  }

  /** Paths, line numbers and frames. */
  public String frame(String text) {
    return paint("36", text);
  }

  public String bold(String text) {
    return paint("1", text);
  }

  public String good(String text) {
    return paint("1;32", text);
  }

  private String paint(String code, String text) {
    return this == PLAIN || text.isEmpty() ? text : "\u001b[" + code + "m" + text + RESET;
  }
}
