package org.alignlang.compiler.ast;

import java.util.ArrayList;
import java.util.List;

/** All expressions within statements, outer ones before those in them. */
public final class ExpressionWalk {
  private final List<Expression> found = new ArrayList<>();

  private ExpressionWalk() {}

  public static List<Expression> of(List<Statement> statements) {
    ExpressionWalk walk = new ExpressionWalk();
    statements.forEach(walk::visit);
    return walk.found;
  }

  /** An expression and all that it is made of. */
  public static List<Expression> of(Expression expression) {
    ExpressionWalk walk = new ExpressionWalk();
    walk.visit(expression);
    return walk.found;
  }

  private void visit(Statement statement) {
    switch (statement) {
      case Statement.Actor actor -> actor.definition().ifPresent(this::visit);
      case Statement.Column column -> column.definition().ifPresent(this::visit);
      case Statement.Let let -> visit(let.value());
      case Statement.Target target -> visit(target.density());
      case Statement.Sense sense -> visit(sense.value());
      case Statement.SubjectTo subject -> subject.constraints().forEach(c -> visit(c.condition()));
      case Statement.EstimateWith estimate -> visit(estimate.estimator());
      case Statement.Metric metric -> visit(metric.value());
      case Statement.Expectation expectation -> visit(expectation.value());
      case Statement.Surrogate surrogate -> visit(surrogate.value());
      case Statement.State state -> {
        visit(state.next());
        visit(state.initial());
      }
      case Statement.Sample _,
          Statement.Ranked _,
          Statement.Preference _,
          Statement.Pairs _,
          Statement.Labelled _,
          Statement.GroupBy _,
          Statement.Enumerate _ -> {}
    }
  }

  private void visit(Expression expression) {
    found.add(expression);
    expression.children().forEach(this::visit);
  }
}
