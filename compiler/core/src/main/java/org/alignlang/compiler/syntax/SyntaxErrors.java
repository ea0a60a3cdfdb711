package org.alignlang.compiler.syntax;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.Token;
import org.antlr.v4.runtime.misc.IntervalSet;

/** Puts syntax errors into words. */
final class SyntaxErrors {
  private static final int MOST_NAMED = 5;

  private static final Set<Integer> OPERATORS =
      Set.of(
          AlignParser.LESS,
          AlignParser.LESS_EQUAL,
          AlignParser.GREATER,
          AlignParser.GREATER_EQUAL,
          AlignParser.EQUAL,
          AlignParser.NOT_EQUAL,
          AlignParser.PLUS,
          AlignParser.MINUS,
          AlignParser.TIMES,
          AlignParser.DIVIDE,
          AlignParser.POWER,
          AlignParser.AND,
          AlignParser.OR,
          AlignParser.DOT,
          AlignParser.ACCEPT,
          AlignParser.WHEN,
          AlignParser.PERCENT,
          AlignParser.LPAREN,
          AlignParser.LBRACKET);
  private static final Set<Integer> NAMES =
      Set.of(
          AlignParser.NAME,
          AlignParser.AS,
          AlignParser.AT,
          AlignParser.OF,
          AlignParser.TO,
          AlignParser.AGAINST,
          AlignParser.WITHIN,
          AlignParser.GROUP,
          AlignParser.TARGET,
          AlignParser.PAIRS,
          AlignParser.OBJECTIVE,
          AlignParser.LEARN,
          AlignParser.SAMPLE,
          AlignParser.STATE,
          AlignParser.FROM,
          AlignParser.RANKED,
          AlignParser.PREFERENCE,
          AlignParser.CONTROL);
  private static final Set<Integer> WORDS =
      Set.of(
          AlignParser.BY,
          AlignParser.POLICY,
          AlignParser.REFERENCE,
          AlignParser.TEACHER,
          AlignParser.BEHAVIOR,
          AlignParser.REWARD,
          AlignParser.FEATURE,
          AlignParser.LABELLED,
          AlignParser.MULTIPLIER,
          AlignParser.DIVERGENCE,
          AlignParser.ESTIMATOR,
          AlignParser.EXPERIMENT,
          AlignParser.WITH,
          AlignParser.METRIC,
          AlignParser.SURROGATE,
          AlignParser.EXPECTATION,
          AlignParser.SUBJECT,
          AlignParser.ESTIMATE,
          AlignParser.ENUMERATE,
          AlignParser.MAXIMIZE,
          AlignParser.MINIMIZE,
          AlignParser.FOR,
          AlignParser.ACCEPT,
          AlignParser.LET);
  private static final Set<Integer> EXPRESSION_STARTS =
      Set.of(
          AlignParser.LPAREN,
          AlignParser.LINE_LPAREN,
          AlignParser.LBRACKET,
          AlignParser.LINE_LBRACKET,
          AlignParser.MINUS,
          AlignParser.NOT,
          AlignParser.IF,
          AlignParser.NUMBER,
          AlignParser.TEXT,
          AlignParser.TRUE,
          AlignParser.FALSE);
  private static final Set<Integer> STATEMENTS =
      Set.of(
          AlignParser.POLICY,
          AlignParser.REFERENCE,
          AlignParser.TEACHER,
          AlignParser.BEHAVIOR,
          AlignParser.REWARD,
          AlignParser.FEATURE,
          AlignParser.PAIRS,
          AlignParser.LABELLED,
          AlignParser.LEARN,
          AlignParser.SAMPLE,
          AlignParser.RANKED,
          AlignParser.PREFERENCE,
          AlignParser.STATE,
          AlignParser.GROUP,
          AlignParser.LET,
          AlignParser.TARGET,
          AlignParser.MAXIMIZE,
          AlignParser.MINIMIZE,
          AlignParser.SUBJECT,
          AlignParser.ESTIMATE,
          AlignParser.METRIC,
          AlignParser.EXPECTATION,
          AlignParser.SURROGATE,
          AlignParser.ENUMERATE);
  private static final Set<Integer> EXPERIMENT_STATEMENTS =
      Set.of(AlignParser.RECORD, AlignParser.PLOT, AlignParser.EXPECT, AlignParser.CONTROL);
  private static final Set<Integer> DECLARATIONS =
      Set.of(
          AlignParser.IMPORT,
          AlignParser.DIVERGENCE,
          AlignParser.FUN,
          AlignParser.ESTIMATOR,
          AlignParser.OBJECTIVE,
          AlignParser.EXPERIMENT,
          Token.EOF);

  private final SourceFile source;
  private final List<AlignToken> tokens;

  SyntaxErrors(SourceFile source, List<AlignToken> tokens) {
    this.source = source;
    this.tokens = tokens;
  }

  static boolean beginsDeclaration(int type) {
    return type != Token.EOF && DECLARATIONS.contains(type);
  }

  static boolean beginsStatement(int type) {
    return STATEMENTS.contains(type);
  }

  static boolean beginsExperimentStatement(int type) {
    return EXPERIMENT_STATEMENTS.contains(type) || NAMES.contains(type) || WORDS.contains(type);
  }

  Span span(AlignToken token) {
    return source.span(token.start(), token.end());
  }

  Diagnostic tooDeep(AlignToken token) {
    return Diagnostic.of(
            DiagnosticCode.TOO_DEEP,
            span(token),
            "this is nested more than " + Nesting.LIMIT + " levels deep")
        .withHelp("name parts of it with `let`");
  }

  Diagnostic tooHigh(AlignToken token) {
    return Diagnostic.of(
            DiagnosticCode.TOO_DEEP,
            span(token),
            "this expression has more than " + Nesting.HEIGHT_LIMIT + " operators in a row")
        .withHelp("name parts of it with `let`, or put the numbers into a list and reduce that");
  }

  /** The message for an error, with the token that fits nowhere. */
  Diagnostic describe(SyntaxParser.Outcome.Failure failure) {
    AlignToken found = failure.token();
    Expected expected = Expected.of(failure.expected());
    Optional<AlignToken> before =
        found.ordinal() > 0 ? Optional.of(tokens.get(found.ordinal() - 1)) : Optional.empty();
    Optional<AlignToken> after =
        found.ordinal() + 1 < tokens.size()
            ? Optional.of(tokens.get(found.ordinal() + 1))
            : Optional.empty();

    Diagnostic diagnostic =
        Diagnostic.of(
            DiagnosticCode.SYNTAX,
            span(found),
            "expected " + expected.inWords() + ", found " + inWords(found));
    if (keywordAsName(found, expected, after)) {
      diagnostic =
          Diagnostic.of(
              DiagnosticCode.SYNTAX,
              span(found),
              "`" + found.getText() + "` is a keyword and cannot be a name");
    }
    Optional<String> help = help(found, before, after, expected);
    if (help.isPresent()) {
      diagnostic = diagnostic.withHelp(help.get());
      Optional<Fix> fix = fix(found, before, after, expected);
      if (fix.isPresent()) {
        diagnostic = diagnostic.withFix(fix.get());
      }
    }
    Optional<AlignToken> opener = unclosed(found, failure.expected());
    if (opener.isPresent()) {
      diagnostic =
          diagnostic.withLabel(
              span(opener.get()), "this `" + opener.get().getText() + "` is still open");
    }
    return diagnostic;
  }

  /** A keyword where only a name fits, and used as one: what follows continues a name. */
  private static boolean keywordAsName(
      AlignToken found, Expected expected, Optional<AlignToken> after) {
    if (!isKeyword(found) || expected.operator || !(expected.name || expected.expression)) {
      return false;
    }
    boolean followed =
        after
            .filter(t -> !t.startsLine())
            .filter(t ->
                OPERATORS.contains(t.getType())
                    || switch (t.getType()) {
                      case AlignParser.ASSIGN,
                          AlignParser.COLON,
                          AlignParser.COMMA,
                          AlignParser.RPAREN,
                          AlignParser.RBRACKET,
                          AlignParser.LBRACE,
                          AlignParser.TILDE ->
                          true;
                      default -> false;
                    })
            .isPresent();
    boolean endsLine = after.filter(t -> !t.startsLine()).isEmpty();
    return !found.startsLine() && (expected.name || followed || endsLine);
  }

  private static boolean isKeyword(AlignToken token) {
    String text = token.getText();
    return token.getType() != Token.EOF
        && !NAMES.contains(token.getType())
        && !text.isEmpty()
        && token.getType() != AlignParser.UNKNOWN
        && Character.isLetter(text.codePointAt(0));
  }

  private Optional<String> help(
      AlignToken found,
      Optional<AlignToken> before,
      Optional<AlignToken> after,
      Expected expected) {
    int previous = before.map(Token::getType).orElse(Token.INVALID_TYPE);
    boolean touching = before.filter(t -> t.end() == found.start()).isPresent();
    return switch (found.getType()) {
      case AlignParser.ASSIGN ->
          !expected.operator
              ? Optional.empty()
              : Optional.of(
                  isGreater(found, after)
                      ? "`=>` is not an operator; at least is written `>=`"
                      : "to compare, write `==`");
      case AlignParser.AGAINST_BAR ->
          Optional.of(
              "`||` parts the two sides of a divergence, as in `KL(p || q)`; \"or\" is written"
                  + " `or`");
      case AlignParser.GREATER ->
          previous == AlignParser.MINUS && touching
              ? Optional.of("`->` is not an operator; what a name stands for follows `=`")
              : previous == AlignParser.ASSIGN && touching
                  ? Optional.of("`=>` is not an operator; at least is written `>=`")
                  : Optional.empty();
      case AlignParser.TIMES ->
          previous == AlignParser.TIMES
              ? Optional.of("powers are written `x^2`")
              : Optional.empty();
      case AlignParser.DOT ->
          after
                  .filter(t -> t.getType() == AlignParser.NUMBER && t.start() == found.end())
                  .isPresent()
              ? Optional.of("write `0." + after.get().getText() + "`")
              : Optional.empty();
      case AlignParser.PERCENT ->
          Optional.of("`%` marks a percentage and follows a number, as in `5%`");
      case AlignParser.LINE_LPAREN, AlignParser.LINE_LBRACKET ->
          Optional.of(
              "a `"
                  + found.getText()
                  + "` that begins a line does not continue the line before; to continue it, put"
                  + " the `"
                  + found.getText()
                  + "` at its end");
      case AlignParser.IMPORT ->
          expected.declaration ? Optional.of("imports come before all else") : Optional.empty();
      case AlignParser.COMMA ->
          found.ordinal() > 1 && tokens.get(found.ordinal() - 2).getType() == AlignParser.PAIRS
              ? Optional.of("the first of a pair is the preferred one: `pairs chosen > rejected`")
              : Optional.empty();
      case AlignParser.NAME ->
          helpForName(found, before, touching, expected)
              .or(() ->
                  expected.statement
                          && after.filter(t -> t.getType() == AlignParser.ASSIGN).isPresent()
                      ? Optional.of(
                          "names are given to values with `let`; what is optimised stands behind"
                              + " `minimize` or `maximize`")
                      : Optional.empty());
      case AlignParser.RBRACE ->
          expected.expression && previous != AlignParser.ASSIGN && insideFunction(found)
              ? Optional.of(
                  "a function's block ends with its value; a line that begins with an operator"
                      + " continues the line before")
              : Optional.empty();
      default ->
          STATEMENTS.contains(found.getType()) && expected.declaration
              ? Optional.of("statements stand between the braces of an objective or estimator")
              : Optional.empty();
    };
  }

  /** The change that the help speaks of, where there is one. */
  private Optional<Fix> fix(
      AlignToken found,
      Optional<AlignToken> before,
      Optional<AlignToken> after,
      Expected expected) {
    boolean touching = before.filter(t -> t.end() == found.start()).isPresent();
    int previous = before.map(Token::getType).orElse(Token.INVALID_TYPE);
    return switch (found.getType()) {
      case AlignParser.ASSIGN ->
          !expected.operator
              ? Optional.empty()
              : Optional.of(
                  isGreater(found, after)
                      ? Fix.safe(
                          "write `>=`",
                          Edit.replace(source.span(found.start(), after.get().end()), ">="))
                      : Fix.suggested("write `==`", Edit.replace(span(found), "==")));
      case AlignParser.GREATER ->
          previous == AlignParser.ASSIGN && touching
              ? Optional.of(
                  Fix.safe(
                      "write `>=`",
                      Edit.replace(source.span(before.get().start(), found.end()), ">=")))
              : Optional.empty();
      case AlignParser.TIMES ->
          previous == AlignParser.TIMES && touching
              ? Optional.of(
                  Fix.safe(
                      "write `^`",
                      Edit.replace(source.span(before.get().start(), found.end()), "^")))
              : Optional.empty();
      case AlignParser.DOT ->
          after.map(number ->
              Fix.safe(
                  "write `0." + number.getText() + "`",
                  Edit.replace(source.span(found.start(), number.end()), "0." + number.getText())));
      case AlignParser.NAME -> {
        if (previous == AlignParser.NUMBER && touching) {
          yield Optional.of(Fix.safe("write ` * `", Edit.before(span(found), " * ")));
        }
        Optional<String> word =
            switch (found.getText()) {
              case "def", "function", "func", "fn" ->
                  expected.declaration ? Optional.of("fun") : Optional.empty();
              case "var", "val", "const" ->
                  expected.statement ? Optional.of("let") : Optional.empty();
              default -> nearestWord(found, expected);
            };
        yield word.map(w -> Fix.safe("write `" + w + "`", Edit.replace(span(found), w)));
      }
      default -> Optional.empty();
    };
  }

  private static boolean isGreater(AlignToken found, Optional<AlignToken> after) {
    return after
        .filter(t -> t.getType() == AlignParser.GREATER && t.start() == found.end())
        .isPresent();
  }

  private static Optional<String> nearestWord(AlignToken found, Expected expected) {
    Set<String> known = new TreeSet<>();
    if (expected.declaration) {
      for (int type : DECLARATIONS) {
        if (type != Token.EOF) {
          known.add(literal(type));
        }
      }
    }
    if (expected.statement) {
      for (int type : STATEMENTS) {
        known.add(literal(type));
      }
    }
    return Suggestions.nearest(found.getText(), known);
  }

  private static Optional<String> helpForName(
      AlignToken found, Optional<AlignToken> before, boolean touching, Expected expected) {
    if (before.filter(t -> t.getType() == AlignParser.NUMBER).isPresent() && touching) {
      return Optional.of(
          "a product is written `" + before.get().getText() + " * " + found.getText() + "`");
    }
    if (before.filter(t -> t.getText().equals("return")).isPresent()) {
      return Optional.of("there is no `return`: a function's block ends with its value");
    }
    if (expected.declaration) {
      switch (found.getText()) {
        case "def", "function", "func", "fn" -> {
          return Optional.of("functions are declared with `fun`");
        }
        default -> {}
      }
    }
    if (expected.statement) {
      switch (found.getText()) {
        case "var", "val", "const" -> {
          return Optional.of("names are given to values with `let`");
        }
        default -> {}
      }
    }
    return nearestWord(found, expected).map(k -> "did you mean `" + k + "`?");
  }

  /** Whether the braces around a token belong to a function. */
  private boolean insideFunction(AlignToken token) {
    for (int i = token.ordinal() - 1; i >= 0; i--) {
      int type = tokens.get(i).getType();
      if (type == AlignParser.FUN) {
        return true;
      }
      if (beginsDeclaration(type) && tokens.get(i).startsLine()) {
        return false;
      }
    }
    return false;
  }

  /** The bracket that should have been closed before this token, if that is on another line. */
  private Optional<AlignToken> unclosed(AlignToken found, IntervalSet expected) {
    boolean closerExpected =
        expected.contains(AlignParser.RPAREN)
            || expected.contains(AlignParser.RBRACKET)
            || expected.contains(AlignParser.RBRACE);
    boolean suspicious =
        switch (found.getType()) {
          case Token.EOF, AlignParser.RPAREN, AlignParser.RBRACKET, AlignParser.RBRACE -> true;
          default -> found.startsLine();
        };
    if (!closerExpected || !suspicious) {
      return Optional.empty();
    }
    int closed = 0;
    for (int i = found.ordinal() - 1; i >= 0; i--) {
      switch (tokens.get(i).getType()) {
        case AlignParser.RPAREN, AlignParser.RBRACKET, AlignParser.RBRACE -> closed++;
        case AlignParser.LPAREN,
            AlignParser.LINE_LPAREN,
            AlignParser.LBRACKET,
            AlignParser.LINE_LBRACKET,
            AlignParser.LBRACE -> {
          if (closed == 0) {
            boolean brace = tokens.get(i).getType() == AlignParser.LBRACE;
            boolean ending = found.getType() == Token.EOF || beginsDeclaration(found.getType());
            return brace && !ending ? Optional.empty() : Optional.of(tokens.get(i));
          }
          closed--;
        }
        default -> {}
      }
    }
    return Optional.empty();
  }

  private static String inWords(AlignToken token) {
    if (token.getType() == Token.EOF) {
      return "the end of the file";
    }
    String text = token.getText();
    if (token.getType() == AlignParser.TEXT) {
      return "a text";
    }
    return text.length() <= 40 ? "`" + text + "`" : "`" + text.substring(0, 37) + "...`";
  }

  private static String literal(int type) {
    String name = AlignParser.VOCABULARY.getLiteralName(type);
    return name == null
        ? AlignParser.VOCABULARY.getSymbolicName(type).toLowerCase(Locale.ROOT)
        : name.substring(1, name.length() - 1);
  }

  /** A set of token types, with those that a person sees as one thing folded into it. */
  private static final class Expected {
    private final TreeSet<Integer> rest = new TreeSet<>();
    boolean expression;
    boolean operator;
    boolean name;
    boolean statement;
    boolean declaration;

    static Expected of(IntervalSet types) {
      Expected expected = new Expected();
      expected.rest.addAll(types.toSet());
      expected.fold();
      return expected;
    }

    private void fold() {
      boolean settings = rest.contains(AlignParser.RECORD);
      expression = rest.contains(AlignParser.NUMBER) && rest.contains(AlignParser.NOT);
      operator = rest.contains(AlignParser.TIMES);
      declaration = rest.contains(AlignParser.FUN) && rest.contains(AlignParser.OBJECTIVE);
      statement =
          settings
              || rest.contains(AlignParser.LET)
                  && (rest.contains(AlignParser.MINIMIZE) || rest.contains(AlignParser.SURROGATE))
                  && !rest.contains(AlignParser.FOR);
      name = rest.contains(AlignParser.NAME) && !expression && !settings;
      if (statement) {
        rest.removeAll(STATEMENTS);
      }
      if (settings) {
        rest.removeAll(EXPERIMENT_STATEMENTS);
      }
      if (declaration) {
        rest.removeAll(DECLARATIONS);
      }
      if (operator) {
        rest.removeAll(OPERATORS);
      }
      if (expression) {
        rest.removeAll(EXPRESSION_STARTS);
      }
      if (name || expression || settings) {
        rest.removeAll(NAMES);
        if (rest.contains(AlignParser.BY) && rest.contains(AlignParser.ENUMERATE) || settings) {
          rest.removeAll(WORDS);
        }
      }
    }

    String inWords() {
      List<String> items = new ArrayList<>();
      for (int type : rest) {
        items.add(
            switch (type) {
              case Token.EOF -> "the end of the file";
              case AlignParser.NUMBER -> "a number";
              case AlignParser.TEXT -> "a text";
              case AlignParser.AGAINST_BAR -> "`||`";
              default -> "`" + literal(type) + "`";
            });
      }
      if (name) {
        items.add("a name");
      }
      if (expression) {
        items.add("an expression");
      }
      if (operator) {
        items.add("an operator");
      }
      if (statement) {
        items.add("a statement");
      }
      if (declaration) {
        items.add("a declaration");
      }
      if (items.isEmpty()) {
        return "something else";
      }
      List<String> named =
          items.size() > MOST_NAMED
              ? items.subList(items.size() - MOST_NAMED, items.size())
              : items;
      if (named.size() == 1) {
        return named.getFirst();
      }
      return String.join(", ", named.subList(0, named.size() - 1)) + " or " + named.getLast();
    }
  }
}
