package org.alignlang.compiler.codegen.api;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.kernel.Signature;

/**
 * The summands of what an objective maximises or minimises, so that a caller can see what each
 * contributes.
 *
 * @param objective the objective, whose kernel reports the terms after its own metrics
 * @param terms the terms, in the order written; their sum is what is optimised, without constraints
 */
record ObjectiveTerms(CheckedObjective objective, List<Term> terms) {

  /**
   * One summand.
   *
   * @param name its name as a Java variable
   * @param metric the index of the metric that is its value
   * @param negative whether it is subtracted
   * @param text what of the objective it is, where the spec says so in one place
   */
  record Term(String name, int metric, boolean negative, String text) {}

  private record Summand(Node value, boolean negative) {}

  static ObjectiveTerms of(CheckedObjective objective) {
    Signature signature = objective.signature();
    ObjectiveProgram program = objective.program();
    List<Summand> summands = new ArrayList<>();
    collect(optimised(objective), false, summands);
    List<String> names = new ArrayList<>(signature.metrics());
    List<Node> values = new ArrayList<>(program.metrics());
    List<String> texts = texts(objective, summands.size());
    List<Term> terms = new ArrayList<>();
    Set<String> taken = ApiNames.members();
    for (int i = 0; i < summands.size(); i++) {
      Summand summand = summands.get(i);
      String name =
          name(objective, summand.value(), texts.get(i))
              .orElse(summands.size() == 1 ? "value" : "term" + (i + 1));
      terms.add(
          new Term(
              JavaText.unique(JavaText.variable(name), taken),
              names.size(),
              summand.negative(),
              texts.get(i)));
      names.add("term." + (i + 1));
      values.add(summand.value());
    }
    Signature extended =
        new Signature(
            signature.objective(),
            signature.source(),
            signature.sequences(),
            signature.inputs(),
            signature.parameters(),
            signature.constraints(),
            names,
            signature.states(),
            signature.measured(),
            signature.grouped(),
            signature.enumerated());
    ObjectiveProgram withTerms =
        new ObjectiveProgram(
            extended,
            program.documentation(),
            program.loss(),
            values,
            program.violations(),
            program.gradients(),
            program.forward());
    return new ObjectiveTerms(
        new CheckedObjective(
            objective.declaration(),
            objective.builder(),
            withTerms,
            objective.value(),
            objective.maximize(),
            objective.expectations(),
            objective.constraints(),
            objective.estimator(),
            objective.actors(),
            objective.computed(),
            objective.draws(),
            objective.fixed(),
            objective.target()),
        terms);
  }

  /** What is optimised, at the means of its expectations where it has any. */
  private static Node optimised(CheckedObjective objective) {
    int metric = objective.signature().metrics().indexOf("objective");
    return objective.expectations().isEmpty() || metric < 0
        ? objective.value()
        : Plan.base(objective.program().metrics().get(metric));
  }

  private static void collect(Node node, boolean negative, List<Summand> summands) {
    Node value = Plan.base(node);
    switch (value.operation()) {
      case Operation.Combine c when c.function() == Binary.ADD -> {
        collect(value.operand(0), negative, summands);
        collect(value.operand(1), negative, summands);
      }
      case Operation.Combine c when c.function() == Binary.SUBTRACT -> {
        collect(value.operand(0), negative, summands);
        collect(value.operand(1), !negative, summands);
      }
      case Operation.Apply a when a.function() == Unary.NEGATE ->
          collect(value.operand(0), !negative, summands);
      default -> summands.add(new Summand(value, negative));
    }
  }

  /** The name of a term: of a `let`, or of the one expectation in it. */
  private static Optional<String> name(CheckedObjective objective, Node value, String text) {
    if (text.matches("[\\p{L}_][\\p{L}\\d_']*")) {
      return Optional.of(text);
    }
    String given = objective.builder().nameOf(value);
    if (!given.isEmpty()) {
      return Optional.of(given);
    }
    Set<Node> reached = new HashSet<>(ObjectiveProgram.reachable(List.of(value)));
    List<String> inside = new ArrayList<>();
    for (CheckedObjective.Term term : objective.expectations()) {
      int metric = objective.signature().metrics().indexOf(term.name());
      if (metric >= 0 && reached.contains(Plan.base(objective.program().metrics().get(metric)))) {
        inside.add(term.name());
      }
    }
    return inside.size() == 1 ? Optional.of(inside.getFirst()) : Optional.empty();
  }

  /** The terms as written, if there are as many; else nothing for any of them. */
  private static List<String> texts(CheckedObjective objective, int count) {
    List<String> texts = new ArrayList<>();
    objective.declaration().statements().stream()
        .filter(Statement.Sense.class::isInstance)
        .map(Statement.Sense.class::cast)
        .findFirst()
        .ifPresent(sense -> collect(sense.value(), texts));
    return texts.size() == count ? texts : Collections.nCopies(count, "");
  }

  private static void collect(Expression expression, List<String> texts) {
    switch (expression) {
      case Expression.Binary sum
          when sum.operator() == Expression.Operator.PLUS
              || sum.operator() == Expression.Operator.MINUS -> {
        collect(sum.left(), texts);
        collect(sum.right(), texts);
      }
      case Expression.Negated negated -> collect(negated.operand(), texts);
      case Expression.Accepted accepted -> collect(accepted.value(), texts);
      default -> texts.add(expression.span().text());
    }
  }
}
