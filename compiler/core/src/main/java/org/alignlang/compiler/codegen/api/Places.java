package org.alignlang.compiler.codegen.api;

import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Signature;

/** Where a spec declares what a caller hands in. */
record Places(Declaration.ObjectiveDeclaration objective) {

  /** The declaration of a parameter. */
  String parameter(String name) {
    return objective.parameters().stream()
        .filter(p -> p.name().equals(name))
        .map(p -> p.span().place())
        .findFirst()
        .orElse(otherwise());
  }

  /** The declaration of what an input belongs to. */
  String input(Signature.Input input) {
    String name = input.name().substring(input.name().lastIndexOf('.') + 1);
    return switch (input.role()) {
      case LOG_PROBABILITY, LOGITS ->
          place(s -> s instanceof Statement.Actor a && a.name().equals(input.actor()))
              .or(() -> place(Statement.EstimateWith.class::isInstance))
              .orElse(otherwise());
      case TOKENS -> sequences();
      case COLUMN, LEARNED ->
          place(s ->
                  switch (s) {
                    case Statement.Column c -> c.name().equals(name);
                    case Statement.State state -> state.name().equals(name);
                    case Statement.Labelled _ -> input.name().endsWith("label");
                    default -> false;
                  })
              .orElse(otherwise());
    };
  }

  /** What says which sequences a row has. */
  String sequences() {
    return place(s ->
            s instanceof Statement.Pairs
                || s instanceof Statement.Sample
                || s instanceof Statement.Labelled)
        .or(() -> place(Statement.Actor.class::isInstance))
        .orElse(otherwise());
  }

  /** What makes rows belong to groups. */
  String groups() {
    return place(Statement.GroupBy.class::isInstance)
        .or(() -> place(Statement.EstimateWith.class::isInstance))
        .orElse(otherwise());
  }

  /** The declaration of a metric, where the spec has one. */
  Optional<Statement.Metric> metric(String name) {
    return objective.statements().stream()
        .filter(s -> s instanceof Statement.Metric m && m.name().equals(name))
        .map(Statement.Metric.class::cast)
        .findFirst();
  }

  private Optional<String> place(Predicate<Statement> which) {
    List<Statement> statements = objective.statements();
    return statements.stream().filter(which).map(Statement::span).map(Span::place).findFirst();
  }

  private String otherwise() {
    return objective.nameSpan().place();
  }
}
