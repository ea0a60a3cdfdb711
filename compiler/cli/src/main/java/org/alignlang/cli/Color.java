package org.alignlang.cli;

import java.util.Locale;
import org.alignlang.compiler.diagnostic.Palette;
import org.jspecify.annotations.Nullable;

/** Whether output is coloured. */
public enum Color {
  AUTO,
  ALWAYS,
  NEVER;

  static final int OUT = 1;
  static final int ERR = 2;

  /**
   * The colours for a stream.
   *
   * @param stream {@link #OUT} or {@link #ERR}
   */
  Palette palette(int stream) {
    return switch (this) {
      case ALWAYS -> Palette.ANSI;
      case NEVER -> Palette.PLAIN;
      case AUTO -> wanted(stream) ? Palette.ANSI : Palette.PLAIN;
    };
  }

  private static boolean wanted(int stream) {
    // An empty NO_COLOR counts as absent: https://no-color.org
    if (isSet(System.getenv("NO_COLOR"))) {
      return false;
    }
    if (isSet(System.getenv("FORCE_COLOR")) || isSet(System.getenv("CLICOLOR_FORCE"))) {
      return true;
    }
    return !"dumb".equals(System.getenv("TERM")) && isTerminal(stream);
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  private static boolean isSet(@Nullable String value) {
    return value != null && !value.isEmpty();
  }

  /** Whether a stream is a terminal; the launcher knows for each, Java only for all of them. */
  static boolean isTerminal(int stream) {
    String known = System.getProperty("align.terminals");
    if (known != null) {
      return known.contains(Integer.toString(stream));
    }
    return System.console() != null && System.console().isTerminal();
  }
}
