package org.alignlang.compiler.check;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.ExpressionWalk;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.LevelException;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Elaborates expressions outside an objective, in terms of its rewards and of the scores of a task:
 * what an experiment records.
 */
public final class RowExpressions {
  private final CheckedObjective objective;
  private final Scope moduleScope;
  private final DiagnosticSink sink;

  /** What the objective declares and a response alone has no value of. */
  private final Set<String> left = new HashSet<>();

  /**
   * A number per sequence.
   *
   * @param node its value, at sequence level
   * @param inputs the columns that it reads
   */
  public record Row(Node node, List<Signature.Input> inputs) {

    /** A row for a node of an objective's own graph. */
    public static Row of(Node node) {
      Map<String, Signature.Input> inputs = new LinkedHashMap<>();
      for (Node each : ObjectiveProgram.reachable(List.of(node))) {
        if (each.operation() instanceof Operation.Input input) {
          inputs.put(input.input().name(), input.input());
        }
      }
      return new Row(node, List.copyOf(inputs.values()));
    }
  }

  public RowExpressions(CheckedObjective objective, Scope moduleScope, DiagnosticSink sink) {
    this.objective = objective;
    this.moduleScope = moduleScope;
    this.sink = sink;
  }

  /**
   * Elaborates an expression over the rewards of the objective and the scores of the task, written
   * {@code task.NAME}.
   *
   * @param parameters the values of the objective's parameters
   */
  public Optional<Row> row(Expression expression, Map<String, Double> parameters) {
    CheckContext context =
        new CheckContext(new GraphBuilder(expression.span(), true), sink, Set.of());
    context.sequences = List.of("y");
    ExpressionChecker checker = new ExpressionChecker(context);
    Scope scope = outer(parameters, context);
    left.clear();
    if (objective.signature().sequences().equals(List.of("y"))) {
      declareRewards(parameters, context, checker, scope);
    } else {
      // A preference is the task's, and of any response, whatever rows the objective reads.
      objective.declaration().statements().stream()
          .filter(Statement.Preference.class::isInstance)
          .forEach(statement -> declare(statement, checker, scope));
    }
    try {
      ExpressionWalk.of(expression).stream()
          .filter(e -> e instanceof Expression.NameReference n && left.contains(n.name()))
          .findFirst()
          .ifPresent(e -> {
            throw context.fail(
                DiagnosticCode.WRONG_THING,
                e.span(),
                "`%s` has no value per response alone: it is made of what only a training batch has"
                    .formatted(e.span().text()),
                "record what it is made of, or make it a `metric` of the objective");
          });
      Meaning.Value value =
          checker.real(
              checker.check(withTask(expression, context, scope), scope), expression.span());
      if (value.ensemble() || value.domain().level().compareTo(Level.SEQUENCE) > 0) {
        throw context.fail(
            DiagnosticCode.UNREDUCED,
            expression.span(),
            "an expectation is of one number per sequence");
      }
      // Asked of what the expression reads: definitions of the objective may want more.
      if (Row.of(value.node()).inputs().stream()
          .anyMatch(input -> input.role() == Signature.Role.LOGITS)) {
        throw context.fail(
            DiagnosticCode.WRONG_THING,
            expression.span(),
            "a record reads the probabilities of responses and tokens, not of the whole vocabulary",
            "`entropy(pi)` and `KL(pi || ref)` are measured without `E[...]`");
      }
      if (ObjectiveProgram.reachable(List.of(value.node())).stream()
          .anyMatch(n -> n.operation() instanceof Operation.Expectation)) {
        throw context.fail(
            DiagnosticCode.WRONG_THING,
            expression.span(),
            "this is an expectation already, and not one number per response");
      }
      return Optional.of(Row.of(context.builder.broadcast(value.node(), Domain.sequence("y"))));
    } catch (Abandoned _) {
      return Optional.empty();
    } catch (LevelException e) {
      sink.report(
          Diagnostic.of(
              DiagnosticCode.OWNERS_MEET, expression.span(), String.valueOf(e.getMessage())));
      return Optional.empty();
    }
  }

  /**
   * Declares the preferences, rewards, features and lets of the objective. What has no value per
   * response alone is left out, and its name means nothing here.
   */
  private void declareRewards(
      Map<String, Double> parameters,
      CheckContext context,
      ExpressionChecker checker,
      Scope scope) {
    CheckContext trial =
        new CheckContext(
            new GraphBuilder(objective.declaration().nameSpan(), true),
            new DiagnosticSink(),
            Set.of());
    trial.sequences = context.sequences;
    ExpressionChecker trialChecker = new ExpressionChecker(trial);
    Scope trialScope = outer(parameters, trial);
    for (Statement statement : objective.declaration().statements()) {
      if (statement instanceof Statement.State state) {
        left.add(state.name());
        continue;
      }
      if (statement instanceof Statement.SubjectTo subject) {
        subject.constraints().stream()
            .flatMap(constraint -> constraint.multiplier().stream())
            .forEach(multiplier -> left.add(multiplier.name()));
        continue;
      }
      try {
        declare(statement, trialChecker, trialScope);
      } catch (Abandoned | LevelException _) {
        switch (statement) {
          case Statement.Column column -> left.add(column.name());
          case Statement.Let let -> left.add(let.name());
          default -> {}
        }
        continue;
      }
      declare(statement, checker, scope);
    }
  }

  private static void declare(Statement statement, ExpressionChecker checker, Scope scope) {
    if (statement instanceof Statement.Column column
        && column.role() == Statement.ColumnRole.LEARN) {
      // What blocks give is among the scores of the task that a training measures.
      column
          .type()
          .filter(type -> !type.name().equals("batch"))
          .ifPresent(type ->
              scope.declare(
                  column.name(),
                  checker.declaredColumn(
                      new Statement.Column(
                          column.span(),
                          Statement.ColumnRole.REWARD,
                          column.nameSpan(),
                          column.name(),
                          column.type(),
                          Optional.empty()),
                      "y")));
    } else if (statement instanceof Statement.Column column) {
      scope.declare(
          column.name(),
          checker.columnOf(new Meaning.ColumnName(column, scope), "y", column.span()));
    } else if (statement instanceof Statement.Let let) {
      checker.declareLet(let, scope);
    } else if (statement instanceof Statement.Preference preference) {
      scope.declare(preference.name(), new Meaning.PreferenceName(preference.name()));
    }
  }

  /**
   * What an expression sees besides the objective's definitions: its module, the response, the
   * parameters and the actors.
   */
  private Scope outer(Map<String, Double> parameters, CheckContext context) {
    Scope scope = moduleScope.inner();
    scope.declare("y", new Meaning.SequenceName("y"));
    parameters.forEach((name, value) ->
        scope.declare(name, Meaning.Value.of(Kind.REAL, context.builder.constant(value))));
    for (Statement statement : objective.declaration().statements()) {
      if (statement instanceof Statement.Actor actor) {
        scope.declare(actor.name(), new Meaning.ActorName(actor.name(), actor.role()));
        context.actors.put(
            actor.name(),
            new CheckContext.Actor(
                actor.name(), actor.role(), actor.definition(), actor.nameSpan()));
      }
    }
    return scope;
  }

  /**
   * The expression with {@code task.NAME}, or {@code task.NAME.token}, as a name of its own,
   * declared as a column.
   */
  private static Expression withTask(Expression e, CheckContext context, Scope scope) {
    return switch (e) {
      case Expression.Member member
          when member.target() instanceof Expression.NameReference name
              && name.name().equals("task") ->
          score(member, member.name(), Level.SEQUENCE, context, scope);
      case Expression.Member member
          when (member.name().equals("token") || member.name().equals("step"))
              && member.target() instanceof Expression.Member score
              && score.target() instanceof Expression.NameReference name
              && name.name().equals("task") ->
          score(member, score.name(), Level.TOKEN, context, scope);
      case Expression.Negated n ->
          new Expression.Negated(n.span(), withTask(n.operand(), context, scope));
      case Expression.Not n -> new Expression.Not(n.span(), withTask(n.operand(), context, scope));
      case Expression.Binary b ->
          new Expression.Binary(
              b.span(),
              b.operator(),
              withTask(b.left(), context, scope),
              withTask(b.right(), context, scope));
      case Expression.Conditional c ->
          new Expression.Conditional(
              c.span(),
              withTask(c.condition(), context, scope),
              withTask(c.yes(), context, scope),
              withTask(c.no(), context, scope));
      case Expression.Gated g ->
          new Expression.Gated(
              g.span(),
              withTask(g.value(), context, scope),
              withTask(g.condition(), context, scope));
      case Expression.Call c ->
          new Expression.Call(
              c.span(),
              c.function(),
              c.arguments().stream()
                  .map(a ->
                      new Expression.Argument(
                          a.span(), a.name(), withTask(a.value(), context, scope), a.against()))
                  .toList());
      case Expression.Member _,
          Expression.NumberLiteral _,
          Expression.TextLiteral _,
          Expression.TruthLiteral _,
          Expression.NameReference _,
          Expression.ListLiteral _,
          Expression.Index _,
          Expression.Accepted _ ->
          e;
    };
  }

  private static Expression score(
      Expression.Member member, String name, Level level, CheckContext context, Scope scope) {
    String full = "task." + name + (level == Level.TOKEN ? ".token" : "");
    if (scope.find(full).isEmpty()) {
      scope.declare(full, context.column("reward." + name, "y", level, 0, Kind.REAL));
    }
    return new Expression.NameReference(member.span(), full);
  }

  /** A divergence by the expression that names it, such as {@code KL} or {@code alpha(0.3)}. */
  public Optional<Divergence> divergence(Expression expression) {
    return DivergenceRegistry.find(expression, moduleScope, sink);
  }

  /** The value of a batch-level node, if it is made of numbers and these parameters alone. */
  public static Optional<Double> number(Node node, Map<String, Double> parameters) {
    Map<Node, Double> known = new LinkedHashMap<>();
    Collection<Node> all = ObjectiveProgram.reachable(List.of(node));
    for (Node each : all) {
      if (each.operation() instanceof Operation.Parameter parameter
          && parameters.containsKey(parameter.name())) {
        known.put(each, parameters.getOrDefault(parameter.name(), Double.NaN));
      }
    }
    var value = FixedValues.evaluate(node, known, new LinkedHashMap<>());
    return value.isPresent() ? Optional.of(value.getAsDouble()) : Optional.empty();
  }
}
