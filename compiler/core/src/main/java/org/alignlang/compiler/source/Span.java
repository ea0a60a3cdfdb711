package org.alignlang.compiler.source;

/**
 * A stretch of one source text.
 *
 * @param source the text it lies in
 * @param start first code unit
 * @param end one past the last code unit
 */
public record Span(SourceFile source, int start, int end) {

  public Span {
    if (start < 0 || end < start) {
      throw new IllegalArgumentException("span " + start + ".." + end);
    }
  }

  /** The smallest span that covers both. */
  public Span to(Span other) {
    return new Span(source, Math.min(start, other.start), Math.max(end, other.end));
  }

  /** Whether the other lies in this one. */
  public boolean contains(Span other) {
    return source.equals(other.source) && start <= other.start && other.end <= end;
  }

  /** The text of this span. */
  public String text() {
    return source.text().substring(start, end);
  }

  /** {@code path:line:column}, counted from 1. */
  public String place() {
    return source.path() + ":" + source.line(start) + ":" + source.column(start);
  }

  @Override
  public String toString() {
    return place();
  }
}
