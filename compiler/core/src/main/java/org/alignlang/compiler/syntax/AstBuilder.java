package org.alignlang.compiler.syntax;

import java.text.Normalizer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Declaration.Parameter;
import org.alignlang.compiler.ast.Declaration.TypeExpression;
import org.alignlang.compiler.ast.ExperimentStatement;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Expression.Operator;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.ParserRuleContext;
import org.antlr.v4.runtime.Token;
import org.jspecify.annotations.Nullable;

/**
 * Makes the syntax tree of ANTLR's tree, and reports what the grammar lets pass: numbers out of
 * range, sizes that are none, comparisons that chain, {@code within} without {@code of}.
 *
 * <p>Recurses freely: {@link Nesting} has bounded the height of the tree.
 */
final class AstBuilder {
  private static final int LARGEST_SIZE = 1_000;

  private final SourceFile source;
  private final Map<Integer, String> documentation;
  private final DiagnosticSink sink;
  private boolean failed;

  AstBuilder(SourceFile source, Map<Integer, String> documentation, DiagnosticSink sink) {
    this.source = source;
    this.documentation = documentation;
    this.sink = sink;
  }

  /** The import, or empty if it had an error, which is then reported. */
  Optional<Module.Import> importDeclaration(AlignParser.ImportDeclarationContext context) {
    failed = false;
    boolean local = context.path != null;
    String path =
        context.path != null
            ? unescaped(context.path)
            : context.modulePath().word().stream()
                .map(word -> word(word))
                .collect(Collectors.joining("."));
    Module.Import made =
        new Module.Import(
            span(context), path, local, Optional.ofNullable(context.alias).map(this::name));
    return failed ? Optional.empty() : Optional.of(made);
  }

  /** The declaration, or empty if it had an error, which is then reported. */
  Optional<Declaration> declaration(AlignParser.DeclarationContext context) {
    failed = false;
    ParserRuleContext inner = (ParserRuleContext) context.getChild(0);
    Declaration made =
        switch (inner) {
          case AlignParser.DivergenceDeclarationContext c -> divergence(c);
          case AlignParser.FunctionDeclarationContext c ->
              new Declaration.FunctionDeclaration(
                  span(c),
                  span(c.name()),
                  name(c.name()),
                  documentation(c),
                  parameters(c.parameters()),
                  c.letStatement().stream().map(this::let).toList(),
                  expression(c.expression()));
          case AlignParser.EstimatorDeclarationContext c ->
              new Declaration.EstimatorDeclaration(
                  span(c),
                  span(c.name(0)),
                  name(c.name(0)),
                  documentation(c),
                  parameters(c.parameters()),
                  name(c.reward),
                  type(c.type()),
                  c.estimatorStatement().stream().map(this::estimatorStatement).toList());
          case AlignParser.ObjectiveDeclarationContext c ->
              new Declaration.ObjectiveDeclaration(
                  span(c),
                  span(c.name()),
                  name(c.name()),
                  documentation(c),
                  parameters(c.parameters()),
                  c.objectiveStatement().stream().map(this::objectiveStatement).toList());
          case AlignParser.ExperimentDeclarationContext c ->
              new Declaration.ExperimentDeclaration(
                  span(c),
                  span(c.name()),
                  name(c.name()),
                  documentation(c),
                  c.experimentStatement().stream().map(this::experimentStatement).toList());
          default -> throw unexpected(inner);
        };
    return failed ? Optional.empty() : Optional.of(made);
  }

  private Declaration divergence(AlignParser.DivergenceDeclarationContext c) {
    if (!name(c.function).equals("f")) {
      report(
          Diagnostic.of(
                  DiagnosticCode.SYNTAX,
                  span(c.function),
                  "a divergence is given by its generator, which is named `f`")
              .withHelp("write `f(" + name(c.variable) + ") = ...`")
              .withFix(Fix.safe("write `f`", Edit.replace(span(c.function), "f"))));
    }
    return new Declaration.DivergenceDeclaration(
        span(c),
        span(c.name(0)),
        name(c.name(0)),
        documentation(c),
        parameters(c.parameters()),
        name(c.variable),
        expression(c.expression()));
  }

  private Statement estimatorStatement(AlignParser.EstimatorStatementContext context) {
    return switch (context) {
      case AlignParser.EstimatorLetContext c -> let(c.letStatement());
      case AlignParser.EstimatorExpectationContext c ->
          new Statement.Expectation(span(c), expression(c.expression()));
      case AlignParser.EstimatorSurrogateContext c ->
          new Statement.Surrogate(span(c), expression(c.expression()));
      case AlignParser.EstimatorEnumerateContext c ->
          new Statement.Enumerate(span(c), name(c.name()));
      default -> throw unexpected(context);
    };
  }

  private Statement objectiveStatement(AlignParser.ObjectiveStatementContext context) {
    return switch (context) {
      case AlignParser.ActorStatementContext c ->
          new Statement.Actor(
              span(c),
              switch (c.role.getType()) {
                case AlignParser.POLICY -> Statement.Role.POLICY;
                case AlignParser.REFERENCE -> Statement.Role.REFERENCE;
                case AlignParser.TEACHER -> Statement.Role.TEACHER;
                case AlignParser.BEHAVIOR -> Statement.Role.BEHAVIOR;
                default -> throw unexpected(c);
              },
              span(c.name()),
              name(c.name()),
              Optional.ofNullable(c.expression()).map(this::expression));
      case AlignParser.ColumnStatementContext c ->
          new Statement.Column(
              span(c),
              switch (c.column.getType()) {
                case AlignParser.REWARD -> Statement.ColumnRole.REWARD;
                case AlignParser.LEARN -> Statement.ColumnRole.LEARN;
                default -> Statement.ColumnRole.FEATURE;
              },
              span(c.name()),
              name(c.name()),
              Optional.ofNullable(c.type()).map(this::type),
              Optional.ofNullable(c.expression()).map(this::expression));
      case AlignParser.PairsStatementContext c ->
          new Statement.Pairs(span(c), name(c.chosen), name(c.rejected));
      case AlignParser.LabelledStatementContext c -> labelled(c);
      case AlignParser.SampleStatementContext c ->
          new Statement.Sample(
              span(c),
              c.name().stream().filter(n -> n != c.actor).map(this::name).toList(),
              span(c.actor),
              name(c.actor));
      case AlignParser.RankedStatementContext c ->
          new Statement.Ranked(
              span(c), span(c.name()), name(c.name()), size(c.NUMBER().getSymbol(), 2));
      case AlignParser.PreferenceStatementContext c ->
          new Statement.Preference(span(c), span(c.name(0)), name(c.name(0)));
      case AlignParser.StateStatementContext c ->
          new Statement.State(
              span(c), span(c.name()), name(c.name()), expression(c.next), expression(c.initial));
      case AlignParser.GroupStatementContext c -> new Statement.GroupBy(span(c), name(c.name()));
      case AlignParser.ObjectiveLetContext c -> let(c.letStatement());
      case AlignParser.TargetStatementContext c ->
          new Statement.Target(
              span(c),
              span(c.name(0)),
              name(c.name(0)),
              name(c.sequence),
              expression(c.expression()));
      case AlignParser.SenseStatementContext c ->
          new Statement.Sense(
              span(c), c.sense.getType() == AlignParser.MAXIMIZE, expression(c.expression()));
      case AlignParser.ConstraintStatementContext c ->
          new Statement.SubjectTo(span(c), c.constraint().stream().map(this::constraint).toList());
      case AlignParser.EstimateStatementContext c ->
          new Statement.EstimateWith(span(c), expression(c.expression()));
      case AlignParser.MetricStatementContext c ->
          new Statement.Metric(span(c), span(c.name()), name(c.name()), expression(c.expression()));
      default -> throw unexpected(context);
    };
  }

  private Statement labelled(AlignParser.LabelledStatementContext c) {
    if (c.type() != null) {
      TypeExpression type = type(c.type());
      if (!type.name().equals("Bool") || type.size() != 0 || type.level().isPresent()) {
        report(
            Diagnostic.of(DiagnosticCode.SYNTAX, type.span(), "a label is a `Bool`")
                .withHelp("write `labelled " + name(c.name()) + ": Bool`")
                .withFix(Fix.safe("write `Bool`", Edit.replace(type.span(), "Bool"))));
      }
    }
    return new Statement.Labelled(span(c), name(c.name()));
  }

  private Statement.Let let(AlignParser.LetStatementContext c) {
    return new Statement.Let(
        span(c),
        span(c.name()),
        name(c.name()),
        c.parameters() == null ? Optional.empty() : Optional.of(parameters(c.parameters())),
        expression(c.expression()));
  }

  private Statement.Constraint constraint(AlignParser.ConstraintContext c) {
    Optional<Statement.MultiplierClause> multiplier = Optional.empty();
    Optional<Statement.MethodClause> method = Optional.empty();
    if (c.MULTIPLIER() != null) {
      Span clause = source.span(c.MULTIPLIER().getSymbol().getStartIndex(), span(c).end());
      multiplier =
          Optional.of(
              new Statement.MultiplierClause(
                  clause, span(c.multiplier), name(c.multiplier), arguments(c.arguments())));
    } else if (c.BY() != null) {
      Span clause = source.span(c.BY().getSymbol().getStartIndex(), span(c).end());
      method =
          Optional.of(
              new Statement.MethodClause(
                  clause, span(c.method), name(c.method), arguments(c.arguments())));
    }
    return new Statement.Constraint(span(c), expression(c.expression()), multiplier, method);
  }

  private ExperimentStatement experimentStatement(AlignParser.ExperimentStatementContext context) {
    return switch (context) {
      case AlignParser.RecordStatementContext c ->
          new ExperimentStatement.Record(
              span(c), c.recorded().stream().map(this::recorded).toList());
      case AlignParser.PlotStatementContext c ->
          new ExperimentStatement.Plot(
              span(c),
              expression(c.expression(0)),
              expression(c.expression(1)),
              Optional.ofNullable(c.word()).map(this::word),
              Optional.ofNullable(c.TEXT()).map(t -> unescaped(t.getSymbol())));
      case AlignParser.ExpectStatementContext c ->
          new ExperimentStatement.Expect(
              span(c),
              claim(c.claim()),
              Optional.ofNullable(c.expression()).map(this::expression),
              Optional.ofNullable(c.TEXT()).map(t -> unescaped(t.getSymbol())));
      case AlignParser.ControlStatementContext c ->
          new ExperimentStatement.Control(
              span(c),
              unescaped(c.TEXT().getSymbol()),
              c.settings.stream().map(this::setting).toList());
      case AlignParser.SettingStatementContext c -> setting(c.setting());
      default -> throw unexpected(context);
    };
  }

  private ExperimentStatement.Setting setting(AlignParser.SettingContext c) {
    return new ExperimentStatement.Setting(
        span(c), span(c.word()), word(c.word()), expression(c.expression()));
  }

  private ExperimentStatement.Recorded recorded(AlignParser.RecordedContext c) {
    return new ExperimentStatement.Recorded(
        span(c), span(c.name()), name(c.name()), expression(c.expression()));
  }

  private ExperimentStatement.Claim claim(AlignParser.ClaimContext c) {
    Expression left = expression(c.left);
    if (c.tolerance == null) {
      return new ExperimentStatement.Claim.Holds(span(c), left);
    }
    Expression tolerance = expression(c.tolerance);
    if (c.right != null) {
      return new ExperimentStatement.Claim.Within(span(c), left, tolerance, expression(c.right));
    }
    report(
        Diagnostic.of(DiagnosticCode.SYNTAX, span(c), "`within` says how far, and `of` is missing")
            .withHelp("write `a within 1% of b`"));
    return new ExperimentStatement.Claim.Within(span(c), left, tolerance, left);
  }

  private List<Parameter> parameters(AlignParser.@Nullable ParametersContext context) {
    return context == null
        ? List.of()
        : context.parameter().stream()
            .map(c ->
                new Parameter(
                    span(c),
                    name(c.name()),
                    Optional.ofNullable(c.type()).map(this::type),
                    Optional.ofNullable(c.expression()).map(this::expression)))
            .toList();
  }

  private TypeExpression type(AlignParser.TypeContext c) {
    int size = c.NUMBER() == null ? 0 : size(c.NUMBER().getSymbol(), 1);
    return new TypeExpression(
        span(c), name(c.name(0)), size, Optional.ofNullable(c.level).map(this::name));
  }

  private int size(Token number, int least) {
    String text = number.getText();
    boolean whole = text.length() <= 7 && text.chars().allMatch(d -> d >= '0' && d <= '9');
    int size = whole ? Integer.parseInt(text) : 0;
    if (size < least || size > LARGEST_SIZE) {
      report(
          Diagnostic.of(
              DiagnosticCode.SYNTAX,
              span(number),
              "a size is a whole number from " + least + " to " + LARGEST_SIZE));
      return least;
    }
    return size;
  }

  private List<Expression.Argument> arguments(AlignParser.@Nullable ArgumentsContext context) {
    return context == null
        ? List.of()
        : context.argument().stream()
            .map(c ->
                new Expression.Argument(
                    span(c),
                    Optional.ofNullable(c.word()).map(w -> word(w)),
                    c.placement == null
                        ? expression(c.expression(0))
                        : new Expression.NameReference(span(c.placement), c.placement.getText()),
                    c.expression().size() > 1
                        ? Optional.of(expression(c.expression(1)))
                        : Optional.empty()))
            .toList();
  }

  Expression expression(AlignParser.ExpressionContext context) {
    return switch (context) {
      // Parentheses only group: the span of what they hold stays that of what they hold.
      case AlignParser.ParenthesizedContext c -> expression(c.expression());
      case AlignParser.MemberContext c ->
          new Expression.Member(span(c), expression(c.expression()), word(c.word()));
      case AlignParser.CallContext c ->
          new Expression.Call(span(c), expression(c.expression()), arguments(c.arguments()));
      case AlignParser.IndexContext c ->
          new Expression.Index(
              span(c),
              expression(c.expression(0)),
              c.expression().stream().skip(1).map(this::expression).toList());
      case AlignParser.AcceptedContext c ->
          new Expression.Accepted(
              span(c),
              expression(c.expression()),
              name(c.name()),
              Optional.ofNullable(c.TEXT()).map(t -> unescaped(t.getSymbol())));
      case AlignParser.NegatedContext c ->
          new Expression.Negated(span(c), expression(c.expression()));
      case AlignParser.NegationContext c -> new Expression.Not(span(c), expression(c.expression()));
      case AlignParser.PowerContext _,
          AlignParser.ProductContext _,
          AlignParser.TotalContext _,
          AlignParser.ComparisonContext _,
          AlignParser.ConjunctionContext _,
          AlignParser.DisjunctionContext _ ->
          binary(context);
      case AlignParser.GatedContext c ->
          new Expression.Gated(span(c), expression(c.expression(0)), expression(c.expression(1)));
      case AlignParser.ConditionalContext c ->
          new Expression.Conditional(
              span(c),
              expression(c.expression(0)),
              expression(c.expression(1)),
              expression(c.expression(2)));
      case AlignParser.NumberContext c -> number(c);
      case AlignParser.TextContext c ->
          new Expression.TextLiteral(span(c), unescaped(c.TEXT().getSymbol()));
      case AlignParser.TruthContext c ->
          new Expression.TruthLiteral(span(c), c.value.getType() == AlignParser.TRUE);
      case AlignParser.ListContext c ->
          new Expression.ListLiteral(
              span(c), c.expression().stream().map(this::expression).toList());
      case AlignParser.ReferenceContext c -> new Expression.NameReference(span(c), name(c.name()));
      default -> throw unexpected(context);
    };
  }

  /** A chain of operators leans left and may be long: built from its left end, in a loop. */
  private Expression binary(AlignParser.ExpressionContext context) {
    Deque<AlignParser.ExpressionContext> spine = new ArrayDeque<>();
    AlignParser.ExpressionContext leftmost = context;
    while (operator(leftmost).isPresent()) {
      spine.push(leftmost);
      leftmost = (AlignParser.ExpressionContext) leftmost.getChild(0);
    }
    Expression left = expression(leftmost);
    for (AlignParser.ExpressionContext node : spine) {
      Operator operator = operator(node).orElseThrow();
      AlignParser.ExpressionContext right = (AlignParser.ExpressionContext) node.getChild(2);
      if (operator.comparison()) {
        refuseChain(node, (AlignParser.ExpressionContext) node.getChild(0));
      }
      left = new Expression.Binary(span(node), operator, left, expression(right));
    }
    return left;
  }

  private void refuseChain(AlignParser.ExpressionContext node, AlignParser.ExpressionContext left) {
    if (left instanceof AlignParser.ComparisonContext) {
      report(
          Diagnostic.of(DiagnosticCode.SYNTAX, span(node), "comparisons do not chain")
              .withHelp(
                  "write `a < b and b < c`; a line that begins with `-` continues the line"
                      + " before"));
    }
  }

  private static Optional<Operator> operator(AlignParser.ExpressionContext context) {
    return switch (context) {
      case AlignParser.PowerContext _ -> Optional.of(Operator.POWER);
      case AlignParser.ConjunctionContext _ -> Optional.of(Operator.AND);
      case AlignParser.DisjunctionContext _ -> Optional.of(Operator.OR);
      case AlignParser.ProductContext c ->
          Optional.of(c.operator.getType() == AlignParser.TIMES ? Operator.TIMES : Operator.DIVIDE);
      case AlignParser.TotalContext c ->
          Optional.of(c.operator.getType() == AlignParser.PLUS ? Operator.PLUS : Operator.MINUS);
      case AlignParser.ComparisonContext c ->
          Optional.of(
              switch (c.operator.getType()) {
                case AlignParser.LESS -> Operator.LESS;
                case AlignParser.LESS_EQUAL -> Operator.LESS_EQUAL;
                case AlignParser.GREATER -> Operator.GREATER;
                case AlignParser.GREATER_EQUAL -> Operator.GREATER_EQUAL;
                case AlignParser.EQUAL -> Operator.EQUAL;
                case AlignParser.NOT_EQUAL -> Operator.NOT_EQUAL;
                default -> throw unexpected(c);
              });
      default -> Optional.empty();
    };
  }

  private Expression number(AlignParser.NumberContext c) {
    String text = c.NUMBER().getText();
    double value = Double.parseDouble(text);
    String digits = text.split("[eE]", 2)[0];
    boolean vanished = value == 0 && digits.chars().anyMatch(d -> d >= '1' && d <= '9');
    if (Double.isInfinite(value) || vanished) {
      report(
          Diagnostic.of(
                  DiagnosticCode.SYNTAX,
                  span(c.NUMBER().getSymbol()),
                  "this number is too " + (vanished ? "small" : "large") + " to be held")
              .withHelp("numbers lie between 4.9e-324 and 1.8e308"));
    }
    boolean percent = c.PERCENT() != null;
    return new Expression.NumberLiteral(span(c), percent ? value / 100 : value, percent);
  }

  /** The lines of {@code ///} directly above a declaration that begins its line. */
  private String documentation(ParserRuleContext declaration) {
    if (declaration.getStart() instanceof AlignToken token && !token.startsLine()) {
      return "";
    }
    Deque<String> lines = new ArrayDeque<>();
    for (int line = declaration.getStart().getLine() - 1; ; line--) {
      @Nullable String text = documentation.get(line);
      if (text == null) {
        return String.join("\n", lines);
      }
      lines.push(text);
    }
  }

  /** Names that look alike are alike: composed and decomposed letters are the same. */
  private String name(ParserRuleContext name) {
    String text = name.getText();
    for (int i = 0; i < text.length(); i++) {
      // Below the first combining character nothing composes, and no tables need be read.
      if (text.charAt(i) >= '\u0300') {
        return Normalizer.normalize(text, Normalizer.Form.NFC);
      }
    }
    return text;
  }

  private String word(AlignParser.WordContext word) {
    return name(word);
  }

  private static String unescaped(Token text) {
    String written = text.getText();
    StringBuilder value = new StringBuilder();
    for (int i = 1; i < written.length() - 1; i++) {
      char c = written.charAt(i);
      if (c != '\\') {
        value.append(c);
        continue;
      }
      i++;
      value.append(
          switch (written.charAt(i)) {
            case 'n' -> '\n';
            case 't' -> '\t';
            default -> written.charAt(i);
          });
    }
    return value.toString();
  }

  private Span span(ParserRuleContext context) {
    return source.span(context.getStart().getStartIndex(), context.getStop().getStopIndex() + 1);
  }

  private Span span(Token token) {
    return source.span(token.getStartIndex(), token.getStopIndex() + 1);
  }

  private void report(Diagnostic diagnostic) {
    failed = true;
    sink.report(diagnostic);
  }

  private static IllegalStateException unexpected(ParserRuleContext context) {
    return new IllegalStateException("no tree is made of " + context.getClass().getSimpleName());
  }
}
