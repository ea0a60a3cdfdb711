package org.alignlang.compiler.format;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.alignlang.compiler.syntax.Lexeme;

/** The words and symbols of a file, taken in order, each with the comments around it. */
final class TokenCursor {
  /** The end of the file, as an offset. */
  static final int END = Integer.MAX_VALUE;

  /**
   * A comment on a line of its own.
   *
   * @param blankBefore whether a blank line stands before it
   */
  record OwnLine(String text, boolean blankBefore) {}

  /**
   * A word or symbol.
   *
   * @param before comments on lines of their own before it
   * @param blankBefore whether a blank line stands before it, behind those comments
   * @param startsLine whether nothing stands before it on its line
   * @param behind comments behind it on its line: none or one
   */
  record Token(
      String text,
      int start,
      int end,
      List<OwnLine> before,
      boolean blankBefore,
      boolean startsLine,
      List<String> behind) {}

  private final List<Token> tokens = new ArrayList<>();
  private int next;
  private boolean commentsTaken;

  TokenCursor(SourceFile source) {
    List<OwnLine> before = new ArrayList<>();
    int lastLine = 0;
    for (Lexeme lexeme : AlignSyntax.lexemes(source)) {
      int line = source.line(lexeme.start());
      boolean blank = lastLine > 0 && line > lastLine + 1;
      if (lexeme.comment()) {
        String text = lexeme.text().stripTrailing();
        if (line == lastLine && before.isEmpty() && !tokens.isEmpty()) {
          tokens.getLast().behind().add(text);
        } else {
          before.add(new OwnLine(text, blank));
        }
      } else {
        tokens.add(
            new Token(
                lexeme.text(),
                lexeme.start(),
                lexeme.end(),
                List.copyOf(before),
                blank,
                line != lastLine,
                new ArrayList<>()));
        before.clear();
      }
      lastLine = line;
    }
    tokens.add(new Token("", END, END, List.copyOf(before), false, true, new ArrayList<>()));
  }

  /** The next token; the end of the file at last. */
  Token peek() {
    return tokens.get(next);
  }

  /** The token after the next. */
  Token afterNext() {
    return tokens.get(Math.min(next + 1, tokens.size() - 1));
  }

  /** Whether neither a blank line nor a comment on its own line stands before the next token. */
  boolean followsDirectly() {
    return followsDirectly(peek());
  }

  /** Whether neither a blank line nor a comment on its own line stands before a token. */
  boolean followsDirectly(int start) {
    int low = next;
    int high = tokens.size() - 1;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (tokens.get(middle).start() < start) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return followsDirectly(tokens.get(low));
  }

  private static boolean followsDirectly(Token token) {
    return token.before().isEmpty() && !token.blankBefore();
  }

  /** The comments before the next token, which are then not written with it. */
  List<OwnLine> takeComments() {
    if (commentsTaken) {
      return List.of();
    }
    commentsTaken = true;
    return peek().before();
  }

  /** The next token with its comments. */
  Doc take() {
    Token token = peek();
    boolean plain = (commentsTaken || token.before().isEmpty()) && token.behind().isEmpty();
    Doc text = Doc.text(token.text());
    Doc result = text;
    if (!plain) {
      List<Doc> parts = new ArrayList<>();
      takeComments().forEach(c -> parts.add(new Doc.Comment(c.text(), true)));
      parts.add(text);
      token.behind().forEach(c -> parts.add(new Doc.Comment(c, false)));
      result = Doc.sequence(parts);
    }
    next++;
    commentsTaken = false;
    return result;
  }

  /** The next token, which must be this one. */
  Doc take(String text) {
    if (!peek().text().equals(text)) {
      throw new IllegalStateException("expected " + text + ", found " + peek().text());
    }
    return take();
  }

  /** All tokens before a position, without space between them. */
  Doc takeUntil(int end) {
    List<Doc> parts = new ArrayList<>();
    while (peek().start() < end) {
      parts.add(take());
    }
    return parts.size() == 1 ? parts.getFirst() : Doc.sequence(parts);
  }
}
