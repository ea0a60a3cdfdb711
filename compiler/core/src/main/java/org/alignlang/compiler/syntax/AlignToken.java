package org.alignlang.compiler.syntax;

import org.antlr.v4.runtime.CommonToken;
import org.antlr.v4.runtime.Token;

/** A token that knows its place in the file, however many streams it is fed through. */
final class AlignToken extends CommonToken {
  private static final long serialVersionUID = 1L;

  private final int ordinal;
  private final boolean startsLine;

  /**
   * @param ordinal its place among the visible tokens of the file
   * @param startsLine whether nothing but space stands before it on its line
   */
  AlignToken(Token token, int type, int ordinal, boolean startsLine) {
    super(token);
    setType(type);
    this.ordinal = ordinal;
    this.startsLine = startsLine;
  }

  int ordinal() {
    return ordinal;
  }

  boolean startsLine() {
    return startsLine;
  }

  int start() {
    return getStartIndex();
  }

  /** One past the last code unit; the end of the file is empty. */
  int end() {
    return Math.max(getStartIndex(), getStopIndex() + 1);
  }
}
