package org.alignlang.compiler.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Declaration.Parameter;
import org.alignlang.compiler.ast.Declaration.TypeExpression;
import org.alignlang.compiler.ast.ExperimentStatement;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.source.Span;

/**
 * Lays a module out.
 *
 * <p>Statements stand one to a line. Where statements of one kind follow each other without a blank
 * line or comment between, their columns are aligned: the names of actors and data, what is
 * optimised and under what constraints, the settings of an experiment.
 */
final class ModuleLayout {
  private static final Doc SPACE = Doc.text(" ");
  private static final Doc COMMA_LINE = Doc.line();
  private static final int INDENT = 2;

  private final TokenCursor tokens;
  private final ExpressionLayout expressions;
  private final DocPrinter printer = new DocPrinter();

  private ModuleLayout(TokenCursor tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionLayout(tokens);
  }

  /** The text of a module, laid out. */
  static String text(Module module) {
    ModuleLayout layout = new ModuleLayout(new TokenCursor(module.source()));
    layout.module(module);
    return layout.printer.finish();
  }

  private void module(Module module) {
    boolean first = true;
    for (Module.Import imported : module.imports()) {
      comments(0, first, false);
      first = false;
      printer.print(imported(imported), 0);
    }
    boolean afterBlock = !module.imports().isEmpty();
    for (Declaration declaration : module.declarations()) {
      boolean block = isBlock(declaration);
      comments(0, first, !first && (afterBlock || block));
      first = false;
      declaration(declaration);
      afterBlock = block;
    }
    comments(0, first, false);
    if (tokens.peek().start() != TokenCursor.END) {
      throw new IllegalStateException("not laid out: " + tokens.peek().text());
    }
  }

  /** Whether a declaration spans several lines whatever its length. */
  private static boolean isBlock(Declaration declaration) {
    return switch (declaration) {
      case Declaration.DivergenceDeclaration _ -> false;
      case Declaration.FunctionDeclaration f -> !f.lets().isEmpty();
      case Declaration.EstimatorDeclaration _,
          Declaration.ObjectiveDeclaration _,
          Declaration.ExperimentDeclaration _ ->
          true;
    };
  }

  /**
   * Prints the comments before the next token, and at most one blank line before each and before
   * the token.
   *
   * @param first whether nothing stands above, so that no blank line may
   * @param apart whether a blank line must stand above
   */
  private void comments(int indentation, boolean first, boolean apart) {
    TokenCursor.Token token = tokens.peek();
    boolean top = first;
    boolean blankDue = apart;
    for (TokenCursor.OwnLine comment : tokens.takeComments()) {
      if (!top && (comment.blankBefore() || blankDue)) {
        printer.blankLine();
      }
      printer.print(new Doc.Comment(comment.text(), true), indentation);
      top = false;
      blankDue = false;
    }
    boolean closes = token.text().equals("}") || token.start() == TokenCursor.END;
    if (!top && !closes && (token.blankBefore() || blankDue)) {
      printer.blankLine();
    }
  }

  private Doc imported(Module.Import imported) {
    List<Doc> parts = new ArrayList<>(List.of(tokens.take("import"), SPACE));
    if (imported.alias().isEmpty()) {
      parts.add(tokens.takeUntil(imported.span().end()));
      return Doc.sequence(parts);
    }
    while (!(tokens.peek().text().equals("as") && endsWithNext(imported.span()))) {
      parts.add(tokens.take());
    }
    parts.addAll(List.of(SPACE, tokens.take("as"), SPACE, tokens.take()));
    return Doc.sequence(parts);
  }

  /** Whether one more token follows the next within a span; `as` may be part of a path. */
  private boolean endsWithNext(Span span) {
    return tokens.afterNext().end() == span.end();
  }

  // Declarations.

  private void declaration(Declaration declaration) {
    switch (declaration) {
      case Declaration.DivergenceDeclaration d -> {
        List<Doc> head = head(d.parameters());
        Doc open = tokens.take("{");
        Doc body =
            Doc.sequence(
                tokens.take(),
                tokens.take("("),
                tokens.take(),
                tokens.take(")"),
                SPACE,
                tokens.take("="),
                SPACE,
                expressions.expression(d.body()));
        head.add(
            Doc.group(
                SPACE, open, Doc.nest(INDENT, Doc.line(), body), Doc.line(), tokens.take("}")));
        printer.print(Doc.sequence(head), 0);
      }
      case Declaration.FunctionDeclaration f -> {
        List<Doc> head = head(f.parameters());
        head.add(SPACE);
        if (tokens.peek().text().equals("=")) {
          head.add(tokens.take());
          Doc body = expressions.expression(f.body());
          // A body that does not fit beside its head begins a line of its own; a comment in it ends
          // a line anyway.
          head.add(
              body.width() < Doc.ENDLESS
                  ? Doc.group(Doc.nest(INDENT, Doc.line(), body))
                  : Doc.sequence(SPACE, body));
          printer.print(Doc.sequence(head), 0);
          return;
        }
        head.add(tokens.take("{"));
        printer.print(Doc.sequence(head), 0);
        boolean first = true;
        for (Statement.Let let : f.lets()) {
          comments(INDENT, first, false);
          first = false;
          printer.print(let(let), INDENT);
        }
        comments(INDENT, first, false);
        printer.print(expressions.expression(f.body()), INDENT);
        close(false);
      }
      case Declaration.EstimatorDeclaration e -> {
        List<Doc> head = head(e.parameters());
        head.addAll(List.of(SPACE, tokens.take("for"), SPACE, tokens.take(), tokens.take(":")));
        head.addAll(List.of(SPACE, type(e.rewardType()), SPACE, tokens.take("{")));
        printer.print(Doc.sequence(head), 0);
        statements(e.statements());
      }
      case Declaration.ObjectiveDeclaration o -> {
        List<Doc> head = head(o.parameters());
        head.addAll(List.of(SPACE, tokens.take("{")));
        printer.print(Doc.sequence(head), 0);
        statements(o.statements());
      }
      case Declaration.ExperimentDeclaration x -> {
        List<Doc> head = head(List.of());
        head.addAll(List.of(SPACE, tokens.take("{")));
        printer.print(Doc.sequence(head), 0);
        experimentStatements(x.statements());
      }
    }
  }

  /** The keyword, the name and the parameters of a declaration. */
  private List<Doc> head(List<Parameter> parameters) {
    List<Doc> head = new ArrayList<>(List.of(tokens.take(), SPACE, tokens.take()));
    if (tokens.peek().text().equals("(")) {
      head.add(parameters(parameters));
    }
    return head;
  }

  private Doc parameters(List<Parameter> parameters) {
    Doc open = tokens.take("(");
    List<Doc> items = new ArrayList<>();
    for (Parameter parameter : parameters) {
      List<Doc> parts = new ArrayList<>(List.of(tokens.take()));
      parameter.type().ifPresent(t -> parts.addAll(List.of(tokens.take(":"), SPACE, type(t))));
      parameter
          .defaultValue()
          .ifPresent(v ->
              parts.addAll(List.of(SPACE, tokens.take("="), SPACE, expressions.expression(v))));
      items.add(expressions.withComma(Doc.sequence(parts)));
    }
    return ExpressionLayout.enclosed(open, items, tokens.take(")"));
  }

  private Doc type(TypeExpression type) {
    List<Doc> parts = new ArrayList<>(List.of(tokens.take()));
    if (type.level().isEmpty()) {
      parts.add(tokens.takeUntil(type.span().end()));
      return Doc.sequence(parts);
    }
    if (tokens.peek().text().equals("[")) {
      parts.addAll(List.of(tokens.take(), tokens.take(), tokens.take("]")));
    }
    parts.addAll(List.of(SPACE, tokens.take("at"), SPACE, tokens.take()));
    return Doc.sequence(parts);
  }

  private void close(boolean empty) {
    if (empty && tokens.peek().before().isEmpty()) {
      printer.printBehind(tokens.take("}"));
      return;
    }
    comments(INDENT, true, false);
    printer.print(tokens.take("}"), 0);
  }

  // Statements.

  /** What stands in the columns of a run of statements. */
  private static final class Columns {
    int keyword;
    int name;
  }

  private enum Kind {
    DATA,
    GOAL,
    OTHER
  }

  private static Kind kind(Statement statement) {
    return switch (statement) {
      case Statement.Actor _,
          Statement.Column _,
          Statement.Pairs _,
          Statement.Labelled _,
          Statement.Sample _,
          Statement.Ranked _,
          Statement.Preference _,
          Statement.State _ ->
          Kind.DATA;
      case Statement.Sense _, Statement.SubjectTo _, Statement.EstimateWith _ -> Kind.GOAL;
      case Statement.GroupBy _,
          Statement.Let _,
          Statement.Target _,
          Statement.Metric _,
          Statement.Expectation _,
          Statement.Surrogate _,
          Statement.Enumerate _ ->
          Kind.OTHER;
    };
  }

  private static String keyword(Statement statement) {
    return switch (statement) {
      case Statement.Actor actor -> actor.role().word();
      case Statement.Column column -> column.role().word();
      case Statement.Sample _ -> "sample";
      case Statement.Ranked _ -> "ranked";
      case Statement.Preference _ -> "preference";
      case Statement.State _ -> "state";
      case Statement.Pairs _ -> "pairs";
      case Statement.Labelled _ -> "labelled";
      case Statement.Sense sense -> sense.maximize() ? "maximize" : "minimize";
      case Statement.SubjectTo _ -> "subject to";
      case Statement.EstimateWith _ -> "estimate";
      case Statement.GroupBy _,
          Statement.Let _,
          Statement.Target _,
          Statement.Metric _,
          Statement.Expectation _,
          Statement.Surrogate _,
          Statement.Enumerate _ ->
          "";
    };
  }

  private void statements(List<Statement> statements) {
    Columns columns = new Columns();
    for (int i = 0; i < statements.size(); i++) {
      Statement statement = statements.get(i);
      boolean continues =
          i > 0 && kind(statements.get(i - 1)) == kind(statement) && tokens.followsDirectly();
      if (!continues) {
        columns = columns(statements, i);
      }
      comments(INDENT, i == 0, false);
      printer.print(statement(statement, columns), INDENT);
    }
    close(statements.isEmpty());
  }

  /** The columns of the run of statements that begins here. */
  private Columns columns(List<Statement> statements, int from) {
    Columns columns = new Columns();
    for (int i = from; i < statements.size(); i++) {
      Statement statement = statements.get(i);
      boolean inRun =
          kind(statement) == kind(statements.get(from))
              && (i == from || tokens.followsDirectly(statement.span().start()));
      if (!inRun) {
        break;
      }
      columns.keyword = Math.max(columns.keyword, keyword(statement).length());
      int name =
          switch (statement) {
            case Statement.Column c when c.type().isPresent() -> c.nameSpan().text().length();
            case Statement.Labelled l -> l.sequence().length();
            default -> 0;
          };
      columns.name = Math.max(columns.name, name);
    }
    return columns;
  }

  private Doc statement(Statement statement, Columns columns) {
    Doc keywordGap = new Doc.Padding(1 + columns.keyword - keyword(statement).length());
    return switch (statement) {
      case Statement.Actor actor -> {
        List<Doc> parts = new ArrayList<>(List.of(tokens.take(), keywordGap, tokens.take()));
        actor.definition().ifPresent(d -> parts.add(definition(d)));
        yield Doc.sequence(parts);
      }
      case Statement.Column column -> {
        List<Doc> parts = new ArrayList<>(List.of(tokens.take(), keywordGap, tokens.take()));
        if (column.type().isPresent()) {
          int gap = 1 + columns.name - column.nameSpan().text().length();
          parts.add(tokens.take(":"));
          parts.add(new Doc.Padding(gap));
          parts.add(type(column.type().orElseThrow()));
        }
        column.definition().ifPresent(d -> parts.add(definition(d)));
        yield Doc.sequence(parts);
      }
      case Statement.Pairs _ ->
          Doc.sequence(
              tokens.take(),
              keywordGap,
              tokens.take(),
              SPACE,
              tokens.take(">"),
              SPACE,
              tokens.take());
      case Statement.Labelled labelled -> {
        List<Doc> parts = new ArrayList<>(List.of(tokens.take(), keywordGap, tokens.take()));
        if (tokens.peek().start() < labelled.span().end()) {
          parts.addAll(List.of(tokens.take(":"), SPACE, tokens.takeUntil(labelled.span().end())));
        }
        yield Doc.sequence(parts);
      }
      case Statement.Sample sample -> {
        List<Doc> parts = new ArrayList<>(List.of(tokens.take(), keywordGap, tokens.take()));
        for (int i = 1; i < sample.sequences().size(); i++) {
          parts.addAll(List.of(tokens.take(","), SPACE, tokens.take()));
        }
        parts.addAll(List.of(SPACE, tokens.take("~"), SPACE, tokens.take()));
        yield Doc.sequence(parts);
      }
      case Statement.Ranked _ ->
          Doc.sequence(
              tokens.take(),
              keywordGap,
              tokens.take(),
              tokens.take("["),
              tokens.take(),
              tokens.take("]"));
      case Statement.Preference _ ->
          Doc.sequence(
              tokens.take(),
              keywordGap,
              tokens.take(),
              tokens.take("("),
              tokens.take(),
              SPACE,
              tokens.take(">"),
              SPACE,
              tokens.take(),
              tokens.take(")"));
      case Statement.State state ->
          Doc.sequence(
              tokens.take(),
              keywordGap,
              tokens.take(),
              definition(state.next()),
              SPACE,
              tokens.take("from"),
              SPACE,
              expressions.expression(state.initial()));
      case Statement.GroupBy _ ->
          Doc.sequence(tokens.take(), SPACE, tokens.take("by"), SPACE, tokens.take());
      case Statement.Let let -> let(let);
      case Statement.Target target ->
          Doc.sequence(
              tokens.take(),
              SPACE,
              tokens.take(),
              tokens.take("("),
              tokens.take(),
              tokens.take(")"),
              SPACE,
              tokens.take("~"),
              SPACE,
              expressions.expression(target.density()));
      case Statement.Sense sense ->
          Doc.sequence(tokens.take(), keywordGap, expressions.expression(sense.value()));
      case Statement.SubjectTo subject -> subjectTo(subject, columns);
      case Statement.EstimateWith estimate ->
          Doc.sequence(
              tokens.take(),
              keywordGap,
              tokens.take("with"),
              SPACE,
              expressions.expression(estimate.estimator()));
      case Statement.Metric metric ->
          Doc.sequence(tokens.take(), SPACE, tokens.take(), definition(metric.value()));
      case Statement.Expectation expectation ->
          Doc.sequence(tokens.take(), SPACE, expressions.expression(expectation.value()));
      case Statement.Surrogate surrogate ->
          Doc.sequence(tokens.take(), SPACE, expressions.expression(surrogate.value()));
      case Statement.Enumerate _ -> Doc.sequence(tokens.take(), SPACE, tokens.take());
    };
  }

  private Doc definition(Expression value) {
    return Doc.sequence(SPACE, tokens.take("="), SPACE, expressions.expression(value));
  }

  private Doc let(Statement.Let let) {
    List<Doc> parts = new ArrayList<>(List.of(tokens.take(), SPACE, tokens.take()));
    let.parameters().ifPresent(p -> parts.add(parameters(p)));
    parts.add(definition(let.value()));
    return Doc.sequence(parts);
  }

  /** A constraint in its columns: what is bounded, the bound with its relation, how it is kept. */
  private record Row(Doc left, Optional<Doc> bound, Optional<Doc> handling) {}

  private Doc subjectTo(Statement.SubjectTo subject, Columns columns) {
    Doc keyword = Doc.sequence(tokens.take(), SPACE, tokens.take("to"));
    List<Row> rows = new ArrayList<>();
    for (Statement.Constraint constraint : subject.constraints()) {
      rows.add(row(constraint));
    }
    int left = widest(rows.stream().filter(r -> r.bound().isPresent()).map(Row::left).toList());
    int bound = widest(rows.stream().flatMap(r -> r.bound().stream()).toList());
    List<Doc> lines = new ArrayList<>();
    for (Row row : rows) {
      List<Doc> parts = new ArrayList<>(List.of(row.left()));
      if (row.bound().isPresent()) {
        parts.add(new Doc.Padding(1 + left - Math.min(left, row.left().width())));
        parts.add(row.bound().get());
      }
      if (row.handling().isPresent()) {
        int gap = bound - row.bound().map(d -> Math.min(bound, d.width())).orElse(bound);
        parts.add(Doc.nest(INDENT, new Doc.Line(" ".repeat(2 + gap), false)));
        parts.add(row.handling().get());
      }
      lines.add(Doc.group(Doc.sequence(parts)));
    }
    int indent = 1 + columns.keyword;
    return Doc.sequence(
        keyword,
        new Doc.Padding(indent - "subject to".length()),
        new Doc.Nest(indent, Doc.sequence(Doc.separated(lines, Doc.hardLine()))));
  }

  /** The greatest width, or 0 where one is too wide to be aligned with. */
  private static int widest(List<Doc> docs) {
    int width = docs.stream().mapToInt(Doc::width).max().orElse(0);
    return width > 60 || docs.size() < 2 ? 0 : width;
  }

  private Row row(Statement.Constraint constraint) {
    Expression condition = constraint.condition();
    Optional<Doc> bound = Optional.empty();
    Doc left;
    if (condition instanceof Expression.Binary binary
        && binary.operator().comparison()
        && binary.span().start() == tokens.peek().start()) {
      left = expressions.expression(binary.left());
      bound =
          Optional.of(Doc.sequence(tokens.take(), SPACE, expressions.expression(binary.right())));
    } else {
      left = expressions.expression(condition);
    }
    Optional<Doc> handling =
        constraint
            .multiplier()
            .map(clause -> clause("multiplier", clause.span(), clause.arguments()))
            .or(() ->
                constraint.method().map(clause -> clause("by", clause.span(), clause.arguments())));
    return new Row(left, bound, handling);
  }

  private Doc clause(String keyword, Span span, List<Expression.Argument> arguments) {
    List<Doc> parts = new ArrayList<>(List.of(tokens.take(keyword), SPACE, tokens.take()));
    if (tokens.peek().start() < span.end()) {
      parts.add(expressions.arguments(arguments));
    }
    return Doc.sequence(parts);
  }

  // Experiments.

  private void experimentStatements(List<ExperimentStatement> statements) {
    int keyword = 0;
    for (int i = 0; i < statements.size(); i++) {
      if (i == 0 || !tokens.followsDirectly()) {
        keyword = widestKeyword(statements, i);
      }
      ExperimentStatement statement = statements.get(i);
      comments(INDENT, i == 0, false);
      if (statement instanceof ExperimentStatement.Control control) {
        control(control);
        continue;
      }
      Doc doc = experimentStatement(statement, keyword);
      // Short settings may share a line, as in `steps 2000   seeds 3`.
      while (i + 1 < statements.size()
          && statement instanceof ExperimentStatement.Setting setting
          && isNumber(setting)
          && statements.get(i + 1) instanceof ExperimentStatement.Setting following
          && isNumber(following)
          && !tokens.peek().startsLine()
          && doc.width() < 60) {
        statement = following;
        doc = Doc.sequence(doc, new Doc.Padding(3), experimentStatement(following, 0));
        i++;
      }
      printer.print(doc, INDENT);
    }
    close(statements.isEmpty());
  }

  private void control(ExperimentStatement.Control control) {
    printer.print(
        Doc.sequence(tokens.take("control"), SPACE, tokens.take(), SPACE, tokens.take("{")),
        INDENT);
    int keyword = 0;
    for (int i = 0; i < control.settings().size(); i++) {
      if (i == 0 || !tokens.followsDirectly()) {
        keyword = widestKeyword(control.settings(), i);
      }
      comments(2 * INDENT, i == 0, false);
      printer.print(experimentStatement(control.settings().get(i), keyword), 2 * INDENT);
    }
    if (control.settings().isEmpty() && tokens.peek().before().isEmpty()) {
      printer.printBehind(tokens.take("}"));
      return;
    }
    comments(2 * INDENT, true, false);
    printer.print(tokens.take("}"), INDENT);
  }

  private static boolean isNumber(ExperimentStatement.Setting setting) {
    return setting.value() instanceof Expression.NumberLiteral;
  }

  private int widestKeyword(List<? extends ExperimentStatement> statements, int from) {
    int widest = 0;
    for (int i = from; i < statements.size(); i++) {
      ExperimentStatement statement = statements.get(i);
      if (i > from && !tokens.followsDirectly(statement.span().start())) {
        break;
      }
      if (!(statement instanceof ExperimentStatement.Control)) {
        widest = Math.max(widest, keyword(statement).length());
      }
    }
    return widest;
  }

  private static String keyword(ExperimentStatement statement) {
    return switch (statement) {
      case ExperimentStatement.Setting setting -> setting.nameSpan().text();
      case ExperimentStatement.Record _ -> "record";
      case ExperimentStatement.Plot _ -> "plot";
      case ExperimentStatement.Expect _ -> "expect";
      case ExperimentStatement.Control _ -> "control";
    };
  }

  private Doc experimentStatement(ExperimentStatement statement, int keyword) {
    Doc gap = new Doc.Padding(1 + Math.max(0, keyword - keyword(statement).length()));
    Doc word = tokens.take();
    return switch (statement) {
      case ExperimentStatement.Setting setting ->
          Doc.sequence(word, gap, expressions.expression(setting.value()));
      case ExperimentStatement.Record record -> {
        List<Doc> items = new ArrayList<>();
        for (ExperimentStatement.Recorded recorded : record.recorded()) {
          items.add(
              expressions.withComma(Doc.sequence(tokens.take(), definition(recorded.value()))));
        }
        Doc lines = Doc.group(Doc.sequence(Doc.separated(items, COMMA_LINE)));
        yield Doc.sequence(word, gap, new Doc.Nest(1 + Math.max(keyword, 6), lines));
      }
      case ExperimentStatement.Plot plot -> {
        List<Doc> parts =
            new ArrayList<>(
                List.of(
                    expressions.expression(plot.vertical()),
                    Doc.line(),
                    tokens.take("against"),
                    SPACE,
                    expressions.expression(plot.horizontal())));
        if (plot.by().isPresent()) {
          parts.addAll(List.of(Doc.clauseLine(), tokens.take("by"), SPACE, tokens.take()));
        }
        if (plot.title().isPresent()) {
          parts.addAll(List.of(Doc.clauseLine(), tokens.take()));
        }
        yield Doc.sequence(word, gap, Doc.group(new Doc.Nest(INDENT, Doc.sequence(parts))));
      }
      case ExperimentStatement.Expect expect -> {
        List<Doc> parts = new ArrayList<>(List.of(claim(expect.claim())));
        if (expect.where().isPresent()) {
          parts.addAll(
              List.of(
                  Doc.clauseLine(),
                  tokens.take("where"),
                  SPACE,
                  expressions.expression(expect.where().get())));
        }
        if (expect.message().isPresent()) {
          parts.addAll(List.of(Doc.clauseLine(), tokens.take()));
        }
        yield Doc.sequence(word, gap, Doc.group(new Doc.Nest(INDENT, Doc.sequence(parts))));
      }
      case ExperimentStatement.Control control ->
          throw new IllegalArgumentException("a control has lines of its own: " + control.text());
    };
  }

  private Doc claim(ExperimentStatement.Claim claim) {
    return switch (claim) {
      case ExperimentStatement.Claim.Holds holds -> expressions.expression(holds.condition());
      case ExperimentStatement.Claim.Within within ->
          Doc.sequence(
              expressions.expression(within.left()),
              SPACE,
              tokens.take("within"),
              SPACE,
              expressions.expression(within.tolerance()),
              SPACE,
              tokens.take("of"),
              SPACE,
              expressions.expression(within.right()));
    };
  }
}
