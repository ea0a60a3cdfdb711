package org.alignlang.compiler.syntax;

import org.antlr.v4.runtime.CharStream;
import org.antlr.v4.runtime.IntStream;
import org.antlr.v4.runtime.misc.Interval;

/**
 * Feeds code points to the lexer and counts positions in code units.
 *
 * <p>ANTLR's own streams count code points, which would shift every span behind a character outside
 * the basic plane.
 */
final class CodeUnitStream implements CharStream {
  private final String text;
  private final String name;
  private int position;

  CodeUnitStream(String text, String name) {
    this.text = text;
    this.name = name;
  }

  @Override
  public void consume() {
    if (position >= text.length()) {
      throw new IllegalStateException("nothing left to consume");
    }
    position += Character.charCount(text.codePointAt(position));
  }

  @Override
  public int LA(int distance) {
    int at = position;
    for (int i = 1; i < distance && at < text.length(); i++) {
      at += Character.charCount(text.codePointAt(at));
    }
    for (int i = 0; i > distance; i--) {
      if (at == 0) {
        return IntStream.EOF;
      }
      at -= Character.charCount(text.codePointBefore(at));
    }
    return distance == 0 || at >= text.length() ? EOF : text.codePointAt(at);
  }

  @Override
  public int mark() {
    return -1;
  }

  @Override
  public void release(int marker) {}

  @Override
  public int index() {
    return position;
  }

  @Override
  public void seek(int index) {
    position = Math.min(index, text.length());
  }

  @Override
  public int size() {
    return text.length();
  }

  @Override
  public String getSourceName() {
    return name;
  }

  @Override
  public String getText(Interval interval) {
    int end = Math.min(interval.b + 1, text.length());
    return interval.a >= end ? "" : text.substring(interval.a, end);
  }

  @Override
  public String toString() {
    return text;
  }
}
