package org.alignlang.compiler.diagnostic;

import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/**
 * A change to a source text.
 *
 * @param span what is replaced; empty where something is only put in
 * @param replacement what stands there afterwards
 */
public record Edit(Span span, String replacement) {

  /** Puts text in place of what is there. */
  public static Edit replace(Span span, String replacement) {
    return new Edit(span, replacement);
  }

  /** Puts text before what is there. */
  public static Edit before(Span span, String text) {
    return new Edit(span.source().span(span.start(), span.start()), text);
  }

  /** Puts text behind what is there. */
  public static Edit behind(Span span, String text) {
    return new Edit(span.source().span(span.end(), span.end()), text);
  }

  /** Takes something out. */
  public static Edit remove(Span span) {
    return new Edit(span, "");
  }

  /** Takes a statement out, with its lines where nothing but a comment shares them. */
  public static Edit removeStatement(Span span) {
    SourceFile source = span.source();
    String text = source.text();
    int start = span.start();
    while (start > 0 && isBlank(text.charAt(start - 1))) {
      start--;
    }
    boolean first = start == 0 || text.charAt(start - 1) == '\n';
    int end = span.end();
    while (end < text.length() && (isBlank(text.charAt(end)) || text.charAt(end) == '\r')) {
      end++;
    }
    if (text.startsWith("//", end)) {
      int line = text.indexOf('\n', end);
      end = line < 0 ? text.length() : line;
    }
    boolean last = end == text.length() || text.charAt(end) == '\n';
    if (!first || !last) {
      return new Edit(span, "");
    }
    end = Math.min(text.length(), end + 1);
    // Of the empty lines around it one is enough.
    int line = source.line(span.start());
    int next = source.line(end);
    if (line > 1
        && source.lineText(line - 1).isBlank()
        && next < source.lineCount()
        && source.lineText(next).isBlank()) {
      end = source.lineStart(next + 1);
    }
    return new Edit(source.span(start, end), "");
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == '\t';
  }

  /** Whether the two change the same place, so that the result depends on their order. */
  boolean overlaps(Edit other) {
    return span.source() == other.span.source()
        && (span.start() == other.span.start()
            || span.start() < other.span.end() && other.span.start() < span.end());
  }
}
