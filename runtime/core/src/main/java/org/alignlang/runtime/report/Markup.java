package org.alignlang.runtime.report;

import java.util.Locale;

/** Text in XML and HTML. */
final class Markup {
  private Markup() {}

  /** Escaped for content and quoted attributes; characters that XML does not allow are replaced. */
  static String escape(String text) {
    StringBuilder out = new StringBuilder(text.length() + 16);
    text.codePoints()
        .forEach(c -> {
          switch (c) {
            case '&' -> out.append("&amp;");
            case '<' -> out.append("&lt;");
            case '>' -> out.append("&gt;");
            case '"' -> out.append("&quot;");
            case '\'' -> out.append("&#39;");
            default -> out.appendCodePoint(allowed(c) ? c : 0xFFFD);
          }
        });
    return out.toString();
  }

  private static boolean allowed(int c) {
    return c == '\t'
        || c == '\n'
        || c == '\r'
        || (c >= 0x20 && c <= 0xD7FF)
        || (c >= 0xE000 && c <= 0xFFFD)
        || c >= 0x10000;
  }

  /** A coordinate: at most two decimals. */
  static String coordinate(double value) {
    String text = String.format(Locale.ROOT, "%.2f", value);
    text = text.contains(".") ? text.replaceAll("\\.?0+$", "") : text;
    return text.equals("-0") ? "0" : text;
  }

  /** About how wide a text is, in units of its font size, in a usual sans-serif face. */
  static double width(String text) {
    return text.codePoints().mapToDouble(Markup::width).sum();
  }

  private static double width(int c) {
    if (c >= 0x1100 && c < 0xFFDD) {
      return c >= 0x2E80 || c < 0x1200 ? 1 : 0.6;
    }
    if (Character.getType(c) == Character.NON_SPACING_MARK) {
      return 0;
    }
    return switch (c) {
      case 'i', 'j', 'l', 'I', '.', ',', ':', ';', '|', '\'', '!' -> 0.29;
      case ' ', 'f', 't', 'r', '(', ')', '[', ']', '-' -> 0.36;
      case 'm', 'w', 'M', 'W', '%', '@' -> 0.9;
      default -> Character.isUpperCase(c) ? 0.7 : 0.58;
    };
  }
}
