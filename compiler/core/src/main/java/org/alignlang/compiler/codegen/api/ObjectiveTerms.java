package org.alignlang.compiler.codegen.api;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
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
import org.alignlang.compiler.source.Span;
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

  /**
   * A summand of the graph.
   *
   * @param given what the spec calls it, with its sign; empty if it has no name
   */
  private record Summand(Node value, boolean negative, String given) {}

  static ObjectiveTerms of(CheckedObjective objective) {
    Signature signature = objective.signature();
    ObjectiveProgram program = objective.program();
    List<Summand> found = new ArrayList<>();
    collect(objective, optimised(objective), false, "", found);
    List<Expression> written = written(objective);
    List<Summand> summands = inOrder(objective, found, written);
    List<String> names = new ArrayList<>(signature.metrics());
    List<Node> values = new ArrayList<>(program.metrics());
    List<String> texts =
        summands.isEmpty()
            ? Collections.nCopies(found.size(), "")
            : written.stream().map(e -> e.span().text()).toList();
    if (summands.isEmpty()) {
      summands = found;
    }
    List<Term> terms = new ArrayList<>();
    Set<String> taken = ApiNames.members();
    for (int i = 0; i < summands.size(); i++) {
      Summand summand = summands.get(i);
      String name =
          name(objective, summand).orElse(summands.size() == 1 ? "value" : "term" + (i + 1));
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
            signature.enumerated(),
            signature.discounts());
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
            objective.target(),
            objective.densities()),
        terms);
  }

  /** What is optimised, at the means of its expectations where it has any. */
  private static Node optimised(CheckedObjective objective) {
    int metric = objective.signature().metrics().indexOf("objective");
    return objective.expectations().isEmpty() || metric < 0
        ? objective.value()
        : Plan.base(objective.program().metrics().get(metric));
  }

  private static void collect(
      CheckedObjective objective,
      Node node,
      boolean negative,
      String outer,
      List<Summand> summands) {
    Node value = Plan.base(node);
    String own = objective.builder().nameOf(value);
    String name = own.isEmpty() ? outer : own;
    switch (value.operation()) {
      case Operation.Combine c when c.function() == Binary.ADD -> {
        collect(objective, value.operand(0), negative, "", summands);
        collect(objective, value.operand(1), negative, "", summands);
      }
      case Operation.Combine c when c.function() == Binary.SUBTRACT -> {
        collect(objective, value.operand(0), negative, "", summands);
        collect(objective, value.operand(1), !negative, "", summands);
      }
      case Operation.Apply a when a.function() == Unary.NEGATE ->
          collect(objective, value.operand(0), !negative, name, summands);
      default -> summands.add(new Summand(value, negative, name));
    }
  }

  /** What is optimised as it is written, term by term. */
  private static List<Expression> written(CheckedObjective objective) {
    List<Expression> terms = new ArrayList<>();
    objective.declaration().statements().stream()
        .filter(Statement.Sense.class::isInstance)
        .map(Statement.Sense.class::cast)
        .findFirst()
        .ifPresent(sense -> collect(sense.value(), terms));
    return terms;
  }

  /**
   * The summands in the order in which they are written, each for one written term; empty where it
   * is not sure which is which, since the graph may order and simplify sums.
   */
  private static List<Summand> inOrder(
      CheckedObjective objective, List<Summand> summands, List<Expression> written) {
    if (summands.size() != written.size()) {
      return List.of();
    }
    if (summands.size() == 1) {
      return summands;
    }
    List<Summand> left = new ArrayList<>(summands);
    left.sort(Comparator.comparingInt(summand -> summand.value().number()));
    List<Summand> ordered = new ArrayList<>(Collections.nCopies(written.size(), left.getFirst()));
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < written.size(); i++) {
      Expression term = written.get(i);
      List<Summand> fitting =
          left.stream().filter(summand -> isSurely(objective, summand, term)).toList();
      if (fitting.size() > 1) {
        return List.of();
      }
      if (fitting.isEmpty()) {
        open.add(i);
      } else {
        ordered.set(i, fitting.getFirst());
        left.remove(fitting.getFirst());
      }
    }
    // The others were made one after the other while this statement was checked.
    boolean made =
        left.stream().allMatch(summand -> inSense(objective, summand.value().origin()))
            && objective.expectations().isEmpty();
    if (!open.isEmpty() && !made) {
      return List.of();
    }
    for (int i = 0; i < open.size(); i++) {
      ordered.set(open.get(i), left.get(i));
    }
    return ordered;
  }

  /** Whether a summand is a term by its name, or by the expectations in it. */
  private static boolean isSurely(CheckedObjective objective, Summand summand, Expression term) {
    if (term instanceof Expression.NameReference reference) {
      return summand.given().equals(reference.name());
    }
    List<CheckedObjective.Term> inside = expectations(objective, summand.value());
    return !inside.isEmpty()
        && inside.stream().allMatch(e -> term.span().contains(e.leaf().origin()));
  }

  private static boolean inSense(CheckedObjective objective, Span span) {
    return objective.declaration().statements().stream()
        .anyMatch(s -> s instanceof Statement.Sense && s.span().contains(span));
  }

  private static List<CheckedObjective.Term> expectations(CheckedObjective objective, Node value) {
    Set<Node> reached = new HashSet<>(ObjectiveProgram.reachable(List.of(value)));
    List<String> metrics = objective.signature().metrics();
    return objective.expectations().stream()
        .filter(term -> {
          int metric = metrics.indexOf(term.name());
          return metric >= 0
              && reached.contains(Plan.base(objective.program().metrics().get(metric)));
        })
        .toList();
  }

  /** The name of a term: of a `let`, or of the one expectation in it. */
  private static Optional<String> name(CheckedObjective objective, Summand summand) {
    if (!summand.given().isEmpty()) {
      return Optional.of(summand.given());
    }
    List<CheckedObjective.Term> inside = expectations(objective, summand.value());
    return inside.size() == 1 ? Optional.of(inside.getFirst().name()) : Optional.empty();
  }

  private static void collect(Expression expression, List<Expression> terms) {
    switch (expression) {
      case Expression.Binary sum
          when sum.operator() == Expression.Operator.PLUS
              || sum.operator() == Expression.Operator.MINUS -> {
        collect(sum.left(), terms);
        collect(sum.right(), terms);
      }
      case Expression.Negated negated -> collect(negated.operand(), terms);
      case Expression.Accepted accepted -> collect(accepted.value(), terms);
      default -> terms.add(expression);
    }
  }
}
