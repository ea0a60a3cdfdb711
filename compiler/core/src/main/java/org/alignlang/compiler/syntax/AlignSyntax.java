package org.alignlang.compiler.syntax;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.grammar.AlignLexer;
import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.Token;

/**
 * From text to syntax tree.
 *
 * <p>A right text is parsed in one go. In a wrong one, each import and declaration is parsed for
 * itself; a statement with an error is taken out, and the rest of its declaration parsed again, so
 * that every message is about something that the writer wrote and none about another message.
 */
public final class AlignSyntax {
  /** The longest text, in code units. */
  public static final int LONGEST = 4 * 1024 * 1024;

  private static final int MOST_TOKENS = 400_000;
  private static final int MOST_ERRORS = 20;

  private final SourceFile source;
  private final DiagnosticSink sink;
  private final Lexing lexing;
  private final SyntaxErrors errors;
  private final AstBuilder builder;
  private final List<Module.Import> imports = new ArrayList<>();
  private final List<Declaration> declarations = new ArrayList<>();
  private int reported;
  private boolean clean = true;

  private AlignSyntax(SourceFile source, Lexing lexing, DiagnosticSink sink) {
    this.source = source;
    this.sink = sink;
    this.lexing = lexing;
    this.errors = new SyntaxErrors(source, lexing.visible());
    this.builder = new AstBuilder(source, lexing.documentation(), sink);
  }

  /**
   * What was read of a file.
   *
   * @param module the imports and declarations without errors, in the order written
   * @param clean whether there were no errors, so that the module is all that was written
   */
  public record Parsed(Module module, boolean clean) {}

  /** Parses a file and reports what is wrong with it; fails for no text. */
  public static Parsed parse(SourceFile source, DiagnosticSink sink) {
    if (source.text().length() > LONGEST) {
      return refused(source, sink, "this file is longer than " + LONGEST / 1024 / 1024 + " MiB");
    }
    Lexing lexing = Lexing.of(source, sink);
    if (lexing.visible().size() > MOST_TOKENS) {
      return refused(source, sink, "this file has more than " + MOST_TOKENS + " words and symbols");
    }
    AlignSyntax syntax = new AlignSyntax(source, lexing, sink);
    syntax.run();
    return new Parsed(
        new Module(source, syntax.imports, syntax.declarations), syntax.clean && lexing.clean());
  }

  /** Parses a part of a file that begins with a line, as if the rest were not there. */
  public static Parsed parse(SourceFile source, int start, int end, DiagnosticSink sink) {
    Lexing lexing = Lexing.of(source, start, end, sink);
    AlignSyntax syntax = new AlignSyntax(source, lexing, sink);
    syntax.run();
    return new Parsed(
        new Module(source, syntax.imports, syntax.declarations), syntax.clean && lexing.clean());
  }

  /** Parses a text that is one expression, such as a value given on a command line. */
  public static Optional<Expression> parseExpression(SourceFile source, DiagnosticSink sink) {
    Lexing lexing = Lexing.of(source, sink);
    AlignSyntax syntax = new AlignSyntax(source, lexing, sink);
    Optional<AlignToken> deep = Nesting.tooDeep(lexing.visible());
    if (deep.isPresent()) {
      syntax.report(syntax.errors.tooDeep(deep.get()));
      return Optional.empty();
    }
    Optional<AlignParser.ExpressionContext> tree =
        SyntaxParser.parseExpression(
            lexing.visible(), f -> syntax.reportUnlessKnown(f, lexing.visible()));
    Optional<Token> high = tree.flatMap(Nesting::tooHigh);
    high.ifPresent(token -> syntax.report(syntax.errors.tooHigh((AlignToken) token)));
    return tree.filter(_ -> lexing.clean() && syntax.clean).map(syntax.builder::expression);
  }

  /** The words, symbols and comments of a file in order; only space lies between them. */
  public static List<Lexeme> lexemes(SourceFile source) {
    return Lexing.all(source).stream()
        .filter(t -> t.getType() != AlignLexer.SPACE)
        .map(t ->
            new Lexeme(
                t.getText(),
                t.getStartIndex(),
                t.getStopIndex() + 1,
                t.getChannel() != Token.DEFAULT_CHANNEL,
                AlignLexer.VOCABULARY.getSymbolicName(t.getType())))
        .toList();
  }

  private static Parsed refused(SourceFile source, DiagnosticSink sink, String why) {
    sink.report(Diagnostic.of(DiagnosticCode.UNREADABLE, source.span(0, 0), why));
    return new Parsed(new Module(source, List.of(), List.of()), false);
  }

  private void run() {
    List<AlignToken> tokens = lexing.visible();
    Optional<AlignToken> deep = Nesting.tooDeep(tokens);
    if (deep.isPresent()) {
      report(errors.tooDeep(deep.get()));
      return;
    }
    boolean readable = tokens.stream().noneMatch(t -> t.getType() == AlignParser.UNKNOWN);
    if (readable && SyntaxParser.parse(tokens) instanceof SyntaxParser.Outcome.Tree tree) {
      build(tree.module());
      return;
    }
    for (List<AlignToken> piece : pieces()) {
      if (reported >= MOST_ERRORS) {
        return;
      }
      parsePiece(piece);
    }
  }

  private void build(AlignParser.ModuleContext module) {
    Optional<Token> high = Nesting.tooHigh(module);
    if (high.isPresent()) {
      report(errors.tooHigh((AlignToken) high.get()));
      return;
    }
    for (AlignParser.ImportDeclarationContext context : module.importDeclaration()) {
      builder.importDeclaration(context).ifPresentOrElse(imports::add, () -> clean = false);
    }
    for (AlignParser.DeclarationContext context : module.declaration()) {
      builder.declaration(context).ifPresentOrElse(declarations::add, () -> clean = false);
    }
  }

  /**
   * The text cut before every import and declaration. A declaration's keyword also cuts within
   * braces where it begins a line no deeper than the declaration that it is in: then a brace is
   * missing above.
   */
  private List<List<AlignToken>> pieces() {
    List<List<AlignToken>> pieces = new ArrayList<>();
    List<AlignToken> piece = new ArrayList<>();
    int depth = 0;
    for (AlignToken token : lexing.visible()) {
      int type = token.getType();
      if (type == Token.EOF) {
        break;
      }
      boolean cuts =
          SyntaxErrors.beginsDeclaration(type)
              && (depth <= 0
                  ? !piece.isEmpty() && cutsOutside(piece, token)
                  : token.startsLine() && column(token) <= column(piece.getFirst()));
      if (cuts) {
        pieces.add(piece);
        piece = new ArrayList<>();
        depth = 0;
      }
      piece.add(token);
      if (type == AlignParser.LBRACE) {
        depth++;
      } else if (type == AlignParser.RBRACE) {
        depth--;
      }
    }
    if (!piece.isEmpty()) {
      pieces.add(piece);
    }
    return pieces;
  }

  /** Keywords are words after a dot and before `=` in a call; those do not begin a declaration. */
  private static boolean cutsOutside(List<AlignToken> piece, AlignToken token) {
    if (token.startsLine()) {
      return true;
    }
    return switch (piece.getLast().getType()) {
      case AlignParser.DOT, AlignParser.LPAREN, AlignParser.COMMA -> false;
      default -> true;
    };
  }

  private int column(AlignToken token) {
    return source.column(token.start());
  }

  private void parsePiece(List<AlignToken> piece) {
    List<AlignToken> rest = new ArrayList<>(piece);
    boolean whole = true;
    while (reported < MOST_ERRORS && !rest.isEmpty()) {
      List<AlignToken> fed = new ArrayList<>(rest);
      fed.add(endBehind(piece));
      switch (SyntaxParser.parse(fed)) {
        case SyntaxParser.Outcome.Tree tree -> {
          if (whole && importsComeFirst(tree.module(), piece.getFirst())) {
            build(tree.module());
          }
          return;
        }
        case SyntaxParser.Outcome.Failure failure -> {
          whole = false;
          reportUnlessKnown(failure, rest);
          if (!takeOut(failure, rest)) {
            return;
          }
        }
      }
    }
  }

  private boolean importsComeFirst(AlignParser.ModuleContext module, AlignToken first) {
    if (module.importDeclaration().isEmpty() || declarations.isEmpty()) {
      return true;
    }
    report(
        Diagnostic.of(
                DiagnosticCode.SYNTAX, errors.span(first), "an import stands after a declaration")
            .withHelp("imports come before all else"));
    return false;
  }

  /** The end that the parser sees behind a piece: the first token that is not of it. */
  private AlignToken endBehind(List<AlignToken> piece) {
    AlignToken next = lexing.visible().get(piece.getLast().ordinal() + 1);
    return new AlignToken(next, Token.EOF, next.ordinal(), true);
  }

  /** Reports a failure, unless the statement holds a character that was reported before. */
  private void reportUnlessKnown(SyntaxParser.Outcome.Failure failure, List<AlignToken> rest) {
    clean = false;
    AlignToken found = lexing.visible().get(failure.token().ordinal());
    boolean known = found.getType() == AlignParser.UNKNOWN;
    if (!known && failure.statementStart().isPresent()) {
      int start = failure.statementStart().get().ordinal();
      known =
          rest.stream()
              .anyMatch(t ->
                  t.getType() == AlignParser.UNKNOWN
                      && t.ordinal() >= start
                      && t.ordinal() < found.ordinal());
    }
    if (!known) {
      report(
          errors.describe(
              new SyntaxParser.Outcome.Failure(
                  found, failure.expected(), failure.statementStart())));
    }
  }

  /**
   * Takes the statement with an error out of a declaration.
   *
   * @return whether what is left can be parsed again
   */
  private boolean takeOut(SyntaxParser.Outcome.Failure failure, List<AlignToken> rest) {
    if (failure.statementStart().isEmpty() || failure.token().getType() == Token.EOF) {
      return false;
    }
    int start = rest.indexOf(failure.statementStart().get());
    int at = rest.indexOf(failure.token());
    if (start < 0 || at < start) {
      return false;
    }
    boolean experiment = rest.getFirst().getType() == AlignParser.EXPERIMENT;
    int end = Math.max(at, start + 1);
    int depth = 0;
    for (AlignToken token : rest.subList(start, end)) {
      depth += nesting(token);
    }
    while (end < rest.size()
        && (depth > 0 || !beginsStatement(rest.get(end), rest.get(start), experiment))) {
      if (depth > 0) {
        depth += nesting(rest.get(end));
      } else if (rest.get(end).getType() == AlignParser.RBRACE) {
        // With its last statement gone, the declaration has nothing more to tell.
        boolean last = end == rest.size() - 1;
        rest.subList(start, end).clear();
        return last && rest.size() > 1 && start > 0 && containsStatement(rest, start);
      }
      end++;
    }
    rest.subList(start, end).clear();
    return end > start;
  }

  /** How much deeper in braces it is behind a token. */
  private static int nesting(AlignToken token) {
    return switch (token.getType()) {
      case AlignParser.LBRACE -> 1;
      case AlignParser.RBRACE -> -1;
      default -> 0;
    };
  }

  /** Whether anything was read before the place where the last statement was taken out. */
  private static boolean containsStatement(List<AlignToken> rest, int start) {
    return rest.get(start - 1).getType() != AlignParser.LBRACE;
  }

  private boolean beginsStatement(AlignToken token, AlignToken current, boolean experiment) {
    if (!token.startsLine()) {
      return false;
    }
    if (experiment) {
      return SyntaxErrors.beginsExperimentStatement(token.getType())
          && column(token) <= column(current);
    }
    return SyntaxErrors.beginsStatement(token.getType());
  }

  private void report(Diagnostic diagnostic) {
    clean = false;
    reported++;
    sink.report(diagnostic);
  }
}
