package org.alignlang.compiler.ast;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.alignlang.compiler.ast.Declaration.Parameter;
import org.alignlang.compiler.ast.Declaration.TypeExpression;
import org.alignlang.compiler.source.Span;

/** A statement of an objective or an estimator. */
public sealed interface Statement {

  Span span();

  /** Who gives probabilities. */
  enum Role {
    POLICY,
    REFERENCE,
    TEACHER,
    BEHAVIOR;

    public String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /** {@code policy pi}, {@code reference ref = ...}. */
  record Actor(Span span, Role role, Span nameSpan, String name, Optional<Expression> definition)
      implements Statement {}

  /** What a column holds. */
  enum ColumnRole {
    REWARD,
    FEATURE,
    /** Numbers of a block that is trained beside the policy. */
    LEARN;

    public String word() {
      return name().toLowerCase(java.util.Locale.ROOT);
    }
  }

  /**
   * {@code reward r: sequence}, {@code feature x: token}, {@code reward s = ...}, {@code learn v:
   * token}.
   */
  record Column(
      Span span,
      ColumnRole role,
      Span nameSpan,
      String name,
      Optional<TypeExpression> type,
      Optional<Expression> definition)
      implements Statement {}

  /** The names of the members of an ensemble of trained blocks: {@code v1} to {@code vN}. */
  static List<String> members(String name, int count) {
    return IntStream.rangeClosed(1, count).mapToObj(i -> name + i).toList();
  }

  record Pairs(Span span, String chosen, String rejected) implements Statement {}

  /** {@code sample a, b ~ actor}: draws that are the sequences of a row. */
  record Sample(Span span, List<String> sequences, Span actorSpan, String actor)
      implements Statement {
    public Sample {
      sequences = List.copyOf(sequences);
    }
  }

  /** {@code ranked y[4]}: responses in the order preferred, the best first. */
  record Ranked(Span span, Span nameSpan, String sequence, int count) implements Statement {}

  /** {@code preference P(y > y')}: how probable it is that one response is preferred to another. */
  record Preference(Span span, Span nameSpan, String name) implements Statement {}

  /** {@code state name = next from initial}: a number that is kept from step to step. */
  record State(Span span, Span nameSpan, String name, Expression next, Expression initial)
      implements Statement {}

  record Labelled(Span span, String sequence) implements Statement {}

  record GroupBy(Span span, String key) implements Statement {}

  /** {@code let name(parameters) = value}; no parameter list means a value. */
  record Let(
      Span span, Span nameSpan, String name, Optional<List<Parameter>> parameters, Expression value)
      implements Statement {}

  /** {@code target p(y) ~ density}. */
  record Target(Span span, Span nameSpan, String name, String sequence, Expression density)
      implements Statement {}

  record Sense(Span span, boolean maximize, Expression value) implements Statement {}

  record SubjectTo(Span span, List<Constraint> constraints) implements Statement {}

  record EstimateWith(Span span, Expression estimator) implements Statement {}

  record Metric(Span span, Span nameSpan, String name, Expression value) implements Statement {}

  record Expectation(Span span, Expression value) implements Statement {}

  record Surrogate(Span span, Expression value) implements Statement {}

  record Enumerate(Span span, String sequence) implements Statement {}

  /** {@code condition multiplier name(arguments)} or {@code condition by method(arguments)}. */
  record Constraint(
      Span span,
      Expression condition,
      Optional<MultiplierClause> multiplier,
      Optional<MethodClause> method) {}

  /** {@code by penalty(10)}: how a constraint is kept without a multiplier. */
  record MethodClause(Span span, Span nameSpan, String name, List<Expression.Argument> arguments) {}

  record MultiplierClause(
      Span span, Span nameSpan, String name, List<Expression.Argument> arguments) {}
}
