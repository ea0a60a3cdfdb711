package org.alignlang.compiler.source;

import java.util.Arrays;

/**
 * A source text with its name.
 *
 * <p>Two source files are the same if they are the same object.
 */
public final class SourceFile {
  private final String path;
  private final String text;
  private final int[] lineStarts;

  /**
   * @param path the name under which messages show it; relative, with forward slashes
   * @param text the whole text
   */
  public SourceFile(String path, String text) {
    this.path = path;
    this.text = text;
    this.lineStarts = findLineStarts(text);
  }

  private static int[] findLineStarts(String text) {
    int[] starts = new int[64];
    int count = 1;
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) == '\n') {
        if (count == starts.length) {
          starts = Arrays.copyOf(starts, 2 * count);
        }
        starts[count++] = i + 1;
      }
    }
    return Arrays.copyOf(starts, count);
  }

  public String path() {
    return path;
  }

  public String text() {
    return text;
  }

  /** The line of a position, from 1. */
  public int line(int position) {
    int found = Arrays.binarySearch(lineStarts, position);
    return found >= 0 ? found + 1 : -found - 1;
  }

  /** The column of a position in its line, from 1, in code points. */
  public int column(int position) {
    int start = lineStarts[line(position) - 1];
    return text.codePointCount(start, Math.min(position, text.length())) + 1;
  }

  public int lineCount() {
    return lineStarts.length;
  }

  /** The text of a line, from 1, without its end. */
  public String lineText(int line) {
    int start = lineStarts[line - 1];
    int end = line < lineStarts.length ? lineStarts[line] - 1 : text.length();
    if (end > start && text.charAt(end - 1) == '\r') {
      end--;
    }
    return text.substring(start, end);
  }

  /** The position at which a line begins, from 1. */
  public int lineStart(int line) {
    return lineStarts[line - 1];
  }

  public Span span(int start, int end) {
    return new Span(this, start, end);
  }

  @Override
  public String toString() {
    return path;
  }
}
