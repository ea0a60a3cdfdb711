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
  private final int start;
  private final int end;
  private int position;

  /** Feeds a part of a text; positions are those in the whole of it. */
  CodeUnitStream(String text, String name, int start, int end) {
    this.text = text;
    this.name = name;
    this.start = start;
    this.end = end;
    this.position = start;
  }

  @Override
  public void consume() {
    if (position >= end) {
      throw new IllegalStateException("nothing left to consume");
    }
    position += Character.charCount(text.codePointAt(position));
  }

  @Override
  public int LA(int distance) {
    int at = position;
    for (int i = 1; i < distance && at < end; i++) {
      at += Character.charCount(text.codePointAt(at));
    }
    for (int i = 0; i > distance; i--) {
      if (at == start) {
        return IntStream.EOF;
      }
      at -= Character.charCount(text.codePointBefore(at));
    }
    return distance == 0 || at >= end ? EOF : text.codePointAt(at);
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
    position = Math.min(index, end);
  }

  @Override
  public int size() {
    return end;
  }

  @Override
  public String getSourceName() {
    return name;
  }

  @Override
  public String getText(Interval interval) {
    int stop = Math.min(interval.b + 1, end);
    return interval.a >= stop ? "" : text.substring(interval.a, stop);
  }

  @Override
  public String toString() {
    return text.substring(start, end);
  }
}
