package org.alignlang.compiler.syntax;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.alignlang.grammar.AlignLexer;
import org.antlr.v4.runtime.ListTokenSource;
import org.antlr.v4.runtime.Token;

/**
 * The tokens of a file.
 *
 * <p>What other languages spell differently and can mean only one thing here ({@code &&}, {@code
 * :=}, {@code ;}) is reported and then read as what was meant, so that one slip gives one message.
 * Other unknown characters stay in the stream as {@link AlignLexer#UNKNOWN}; the parser stops at
 * them without a second message.
 *
 * @param visible the tokens that the grammar sees, ended by the end of the file
 * @param documentation the {@code ///} comments that stand alone on their line, by line
 * @param clean whether nothing was reported
 */
record Lexing(List<AlignToken> visible, Map<Integer, String> documentation, boolean clean) {

  /** Names become those of files and of Java's things, which may not be longer. */
  private static final int LONGEST_NAME = 200;

  static Lexing of(SourceFile source, DiagnosticSink sink) {
    return new Reader(source, 0, source.text().length(), sink).read();
  }

  /** The tokens of a part of a file that begins with a line. */
  static Lexing of(SourceFile source, int start, int end, DiagnosticSink sink) {
    return new Reader(source, start, end, sink).read();
  }

  /** All tokens of a text, comments and space included; their texts joined are the source. */
  static List<Token> all(SourceFile source) {
    return all(source, 0, source.text().length());
  }

  private static List<Token> all(SourceFile source, int start, int end) {
    AlignLexer lexer = new AlignLexer(new CodeUnitStream(source.text(), source.path(), start, end));
    lexer.removeErrorListeners();
    lexer.setLine(source.line(start));
    List<Token> tokens = new ArrayList<>();
    for (Token token = lexer.nextToken(); token.getType() != Token.EOF; token = lexer.nextToken()) {
      tokens.add(token);
    }
    return tokens;
  }

  ListTokenSource source() {
    return new ListTokenSource(visible);
  }

  /** Reads tokens and mends the slips that have one meaning. */
  private static final class Reader {
    private final SourceFile source;
    private final int start;
    private final int end;
    private final DiagnosticSink sink;
    private final List<AlignToken> visible = new ArrayList<>();
    private final Map<Integer, String> documentation = new HashMap<>();
    private boolean clean = true;

    Reader(SourceFile source, int start, int end, DiagnosticSink sink) {
      this.source = source;
      this.start = start;
      this.end = end;
      this.sink = sink;
    }

    Lexing read() {
      List<Token> tokens = all(source, start, end);
      int lastLine = 0;
      int open = 0;
      int skippedLine = 0;
      for (int i = 0; i < tokens.size(); i++) {
        Token token = tokens.get(i);
        boolean startsLine = token.getLine() != lastLine;
        if (token.getType() == AlignLexer.SPACE) {
          continue;
        }
        lastLine = token.getLine();
        if (token.getLine() == skippedLine) {
          continue;
        }
        if (token.getChannel() != Token.DEFAULT_CHANNEL) {
          if (token.getType() == AlignLexer.DOC_COMMENT && startsLine) {
            String text = token.getText().substring("///".length());
            documentation.put(
                token.getLine(), (text.startsWith(" ") ? text.substring(1) : text).stripTrailing());
          }
          continue;
        }
        Optional<Token> next =
            i + 1 < tokens.size() ? Optional.of(tokens.get(i + 1)) : Optional.empty();
        switch (token.getType()) {
          case AlignLexer.UNKNOWN -> {
            Slip slip = slip(token, next);
            report(slip.diagnostic());
            switch (slip.reading()) {
              case NOTHING -> {}
              case REST_OF_LINE -> skippedLine = token.getLine();
              case AND -> add(token, AlignLexer.AND, startsLine);
              case NOT -> add(token, AlignLexer.NOT, startsLine);
              case UNKNOWN -> add(token, AlignLexer.UNKNOWN, startsLine);
            }
            if (slip.length() == 2) {
              i++;
            }
          }
          case AlignLexer.UNTERMINATED_TEXT -> {
            report(
                Diagnostic.of(
                        DiagnosticCode.UNTERMINATED_TEXT,
                        span(token),
                        "this text has no closing `\"` on its line")
                    .withHelp("a line break within a text is written `\\n`"));
            add(token, AlignLexer.UNKNOWN, startsLine);
          }
          case AlignLexer.BAD_TEXT -> {
            report(badEscape(token));
            add(token, AlignLexer.TEXT, startsLine);
          }
          case AlignLexer.COLON -> {
            boolean assigns = next.filter(t -> t.getType() == AlignLexer.ASSIGN).isPresent();
            if (assigns) {
              report(
                  Diagnostic.of(
                          DiagnosticCode.SYNTAX,
                          span(token).to(span(next.orElseThrow())),
                          "`:=` is not an operator")
                      .withHelp("a name is given its value with `=`")
                      .withFix(
                          Fix.safe(
                              "write `=`",
                              Edit.replace(span(token).to(span(next.orElseThrow())), "="))));
            } else {
              add(token, token.getType(), startsLine);
            }
          }
          case AlignLexer.LPAREN -> {
            add(
                token,
                startsLine && open == 0 ? AlignLexer.LINE_LPAREN : AlignLexer.LPAREN,
                startsLine);
            open++;
          }
          case AlignLexer.LBRACKET -> {
            add(
                token,
                startsLine && open == 0 ? AlignLexer.LINE_LBRACKET : AlignLexer.LBRACKET,
                startsLine);
            open++;
          }
          case AlignLexer.RPAREN, AlignLexer.RBRACKET -> {
            add(token, token.getType(), startsLine);
            open = Math.max(0, open - 1);
          }
          case AlignLexer.LBRACE, AlignLexer.RBRACE -> {
            add(token, token.getType(), startsLine);
            open = 0;
          }
          default -> add(token, token.getType(), startsLine);
        }
      }
      visible.add(endOfFile());
      return new Lexing(List.copyOf(visible), Map.copyOf(documentation), clean);
    }

    private AlignToken endOfFile() {
      org.antlr.v4.runtime.CommonToken token =
          new org.antlr.v4.runtime.CommonToken(Token.EOF, "<EOF>");
      token.setStartIndex(end);
      token.setStopIndex(end - 1);
      token.setLine(source.line(end));
      return new AlignToken(token, Token.EOF, visible.size(), true);
    }

    private void add(Token token, int type, boolean startsLine) {
      if (type == AlignLexer.NAME && token.getStopIndex() - token.getStartIndex() >= LONGEST_NAME) {
        report(
            Diagnostic.of(
                DiagnosticCode.SYNTAX,
                source.span(token.getStartIndex(), token.getStartIndex() + LONGEST_NAME),
                "this name has more than " + LONGEST_NAME + " characters"));
        add(token, AlignLexer.UNKNOWN, startsLine);
        return;
      }
      visible.add(new AlignToken(token, type, visible.size(), startsLine));
    }

    private void report(Diagnostic diagnostic) {
      clean = false;
      sink.report(diagnostic);
    }

    private Span span(Token token) {
      return source.span(token.getStartIndex(), token.getStopIndex() + 1);
    }

    private enum Reading {
      NOTHING,
      REST_OF_LINE,
      AND,
      NOT,
      UNKNOWN
    }

    /** An unknown character: what to say, what to read in its place, and how many tokens it is. */
    private record Slip(Diagnostic diagnostic, Reading reading, int length) {}

    private Slip slip(Token token, Optional<Token> next) {
      String text = token.getText();
      boolean doubled =
          next.filter(t -> t.getType() == AlignLexer.UNKNOWN && t.getText().equals(text))
              .isPresent();
      Span span = doubled ? span(token).to(span(next.orElseThrow())) : span(token);
      return switch (text) {
        case ";" ->
            new Slip(
                unknown(span(token), "`;` is not needed: statements end with the line")
                    .withHelp("leave it out")
                    .withFix(Fix.safe("remove `;`", Edit.remove(span(token)))),
                Reading.NOTHING,
                1);
        case "#" ->
            new Slip(
                unknown(span(token), "`#` does not begin a comment")
                    .withHelp("comments begin with `//`")
                    .withFix(Fix.safe("write `//`", Edit.replace(span(token), "//"))),
                Reading.REST_OF_LINE,
                1);
        case "&" ->
            new Slip(
                unknown(span, "`" + span.text() + "` is not an operator")
                    .withHelp("\"and\" is written `and`")
                    .withFix(Fix.safe("write `and`", Edit.replace(span, word("and", span)))),
                Reading.AND,
                doubled ? 2 : 1);
        case "!" ->
            new Slip(
                unknown(span(token), "`!` is not an operator")
                    .withHelp("\"not\" is written `not`")
                    .withFix(Fix.safe("write `not`", Edit.replace(span(token), "not "))),
                Reading.NOT,
                1);
        case "|" ->
            new Slip(
                unknown(span(token), "`|` is not an operator")
                    .withHelp(
                        "the two sides of a divergence are parted by `||`; \"or\" is written `or`"),
                Reading.UNKNOWN,
                1);
        case "'" ->
            new Slip(
                unknown(span(token), "`'` does not begin a text")
                    .withHelp("texts stand between double quotes"),
                Reading.UNKNOWN,
                1);
        default ->
            new Slip(
                unknown(span(token), shown(text) + " has no meaning here"), Reading.UNKNOWN, 1);
      };
    }

    /** A word in place of an operator, with space where it would touch another word. */
    private static String word(String word, Span span) {
      String text = span.source().text();
      boolean before = span.start() > 0 && !Character.isWhitespace(text.charAt(span.start() - 1));
      boolean behind =
          span.end() < text.length() && !Character.isWhitespace(text.charAt(span.end()));
      return (before ? " " : "") + word + (behind ? " " : "");
    }

    private static Diagnostic unknown(Span span, String message) {
      return Diagnostic.of(DiagnosticCode.UNKNOWN_CHARACTER, span, message);
    }

    /** A character that can be seen in backticks, any other by its number. */
    private static String shown(String text) {
      int character = text.codePointAt(0);
      boolean visible =
          switch (Character.getType(character)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.SURROGATE,
                Character.PRIVATE_USE,
                Character.UNASSIGNED,
                Character.SPACE_SEPARATOR,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR,
                Character.NON_SPACING_MARK ->
                false;
            default -> true;
          };
      return visible
          ? "`" + text + "`"
          : String.format(java.util.Locale.ROOT, "the character U+%04X", character);
    }

    private Diagnostic badEscape(Token token) {
      String text = token.getText();
      int at = text.indexOf('\\');
      while (at >= 0 && "\"\\nt".indexOf(text.charAt(at + 1)) >= 0) {
        at = text.indexOf('\\', at + 2);
      }
      int length = 1 + Character.charCount(text.codePointAt(at + 1));
      int start = token.getStartIndex() + at;
      return Diagnostic.of(
              DiagnosticCode.UNTERMINATED_TEXT,
              source.span(start, start + length),
              "`" + text.substring(at, at + length) + "` is not an escape")
          .withHelp("a text knows `\\\"`, `\\\\`, `\\n` and `\\t`");
    }
  }
}
