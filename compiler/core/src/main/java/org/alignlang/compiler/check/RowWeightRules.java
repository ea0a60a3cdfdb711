package org.alignlang.compiler.check;

import static org.alignlang.compiler.check.WrittenGraph.is;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.ABSOLUTE_TARGET;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.LENGTH_BIAS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.MIXED_LENGTHS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.ONE_SIDED_TIE;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.GraphRules.Finding;
import org.alignlang.compiler.check.WrittenGraph.Exponent;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Signature;

/** How the rows of a batch are weighed: by their length, and by ties between them. */
final class RowWeightRules {
  static final Set<DiagnosticCode> CODES =
      Set.of(MIXED_LENGTHS, LENGTH_BIAS, ONE_SIDED_TIE, ABSOLUTE_TARGET);

  private RowWeightRules() {}

  static List<Finding> findings(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    Set<Node> decided = withTiesDecided(graph);
    for (Node node : graph.nodes()) {
      mixedLengths(graph, node).ifPresent(found::add);
      lengthBias(graph, node).ifPresent(found::add);
      if (!decided.contains(node)) {
        oneSidedTie(graph, node).ifPresent(found::add);
      }
      absoluteTarget(graph, node).ifPresent(found::add);
    }
    return found;
  }

  /** A sum over tokens beside a mean over tokens. */
  private static Optional<Finding> mixedLengths(WrittenGraph graph, Node node) {
    if (!node.domain().isRow() || !is(node, Binary.ADD) && !is(node, Binary.SUBTRACT)) {
      return Optional.empty();
    }
    Optional<Exponent> first = graph.exponent(node.operand(0)).filter(e -> !e.weights().isEmpty());
    Optional<Exponent> second = graph.exponent(node.operand(1)).filter(e -> !e.weights().isEmpty());
    if (first.isEmpty()
        || second.isEmpty()
        || !first.get().active() && !second.get().active()
        || first.get().summed() == second.get().summed()) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            node,
            Diagnostic.of(
                    MIXED_LENGTHS,
                    node.origin(),
                    "a log-probability summed over tokens meets one averaged over tokens: their"
                        + " units differ by the length")
                .withHelp("sum both, or average both: `mean[token](log(pi(s.token)))`")));
  }

  /** A policy-gradient term that is divided by the length of its own sequence. */
  private static Optional<Finding> lengthBias(WrittenGraph graph, Node node) {
    if (!graph.sampled() && !graph.rewarded()
        || !node.active()
        || !is(node, Binary.DIVIDE)
        || !WrittenGraph.isTokenCount(node.operand(1))
        || !hasColumn(node.operand(0)) && !isWeighed(graph, node)) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            node,
            Diagnostic.of(
                    LENGTH_BIAS,
                    node.origin(),
                    "each sequence's gradient is divided by its length, so long wrong answers are"
                        + " discouraged less per token than short ones")
                .withHelp(
                    "divide by a constant, `sum[token](...) / length`, or take one mean over all"
                        + " tokens, `mean[token, sequence](...)`")));
  }

  /** The square of a mean over tokens less a constant, which is a sum's constant elsewhere. */
  private static Optional<Finding> absoluteTarget(WrittenGraph graph, Node node) {
    if (!graph.paired() || !is(node, Binary.SUBTRACT) && !is(node, Binary.ADD)) {
      return Optional.empty();
    }
    for (int i = 0; i < 2; i++) {
      Node margin = node.operand(1 - i);
      boolean target =
          graph.isParametric(node.operand(i))
              && graph.chosen(node.operand(i)).orElse(0) != 0
              && graph
                  .exponent(WrittenGraph.plain(margin))
                  .filter(e -> e.active() && !e.summed() && e.weights().size() > 1)
                  .isPresent();
      boolean squared =
          target
              && graph.nodes().stream()
                  .anyMatch(n ->
                      is(n, Binary.POWER)
                              && WrittenGraph.plain(n.operand(0)) == node
                              && graph.chosen(n.operand(1)).orElse(0) == 2
                          || is(n, Binary.MULTIPLY)
                              && n.operands().stream()
                                  .allMatch(o -> WrittenGraph.plain(o) == node));
      if (squared) {
        return Optional.of(
            new Finding(
                node,
                Diagnostic.of(
                        ABSOLUTE_TARGET,
                        node.origin(),
                        "the margin is a mean over tokens and its target a constant: a target that"
                            + " was tuned for sums is here as many times too large as a response"
                            + " has tokens")
                    .withHelp(
                        "compare sums, `log(pi(s) / ref(s))`, or tune the target for means and say"
                            + " so with `accept absolute_target`")));
      }
    }
    return Optional.empty();
  }

  /**
   * A choice by a comparison.
   *
   * @param lower what is the smaller one in the case of {@code strict}
   * @param strict what is taken where {@code lower < upper}
   * @param rest what is taken elsewhere, at a tie too
   */
  private record Comparison(Node lower, Node upper, Node strict, Node rest) {
    static Optional<Comparison> of(Node node) {
      if (!(node.operation() instanceof Operation.Select)) {
        return Optional.empty();
      }
      Node condition = WrittenGraph.plain(node.operand(0));
      boolean negated = is(condition, Unary.NOT);
      if (negated) {
        condition = WrittenGraph.plain(condition.operand(0));
      }
      if (!is(condition, Binary.LESS) && !is(condition, Binary.LESS_EQUAL)) {
        return Optional.empty();
      }
      Node first = WrittenGraph.plain(condition.operand(0));
      Node second = WrittenGraph.plain(condition.operand(1));
      Node yes = node.operand(negated ? 2 : 1);
      Node no = node.operand(negated ? 1 : 2);
      return Optional.of(
          is(condition, Binary.LESS)
              ? new Comparison(first, second, yes, no)
              : new Comparison(second, first, no, yes));
    }

    boolean isOf(Node a, Node b) {
      return lower == a && upper == b || lower == b && upper == a;
    }
  }

  /**
   * Comparisons beside which a tie has a case of its own: {@code if a > b then x else if a < b then
   * y else z}, {@code if a == b then z else if a > b then x else y}.
   */
  private static Set<Node> withTiesDecided(WrittenGraph graph) {
    Set<Node> decided = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (!(node.operation() instanceof Operation.Select)) {
        continue;
      }
      Node condition = WrittenGraph.plain(node.operand(0));
      if (is(condition, Binary.EQUAL)) {
        Node other = WrittenGraph.plain(node.operand(2));
        Comparison.of(other)
            .filter(c ->
                c.isOf(
                    WrittenGraph.plain(condition.operand(0)),
                    WrittenGraph.plain(condition.operand(1))))
            .ifPresent(_ -> decided.add(other));
      }
      Optional<Comparison> outer = Comparison.of(node);
      Optional<Node> rest = outer.map(c -> WrittenGraph.plain(c.rest()));
      boolean reversed =
          rest.flatMap(Comparison::of)
              .filter(inner ->
                  inner.lower() == outer.orElseThrow().upper()
                      && inner.upper() == outer.orElseThrow().lower())
              .isPresent();
      if (reversed) {
        decided.add(node);
        decided.add(rest.orElseThrow());
      }
    }
    return decided;
  }

  /** A comparison of two responses' data that has no case of its own for equality. */
  private static Optional<Finding> oneSidedTie(WrittenGraph graph, Node node) {
    if (graph.context().sequences.size() < 2
        || !(node.operation() instanceof Operation.Select)
        || node.operand(0).active()) {
      return Optional.empty();
    }
    Node condition = WrittenGraph.plain(node.operand(0));
    if (is(condition, Unary.NOT)) {
      condition = WrittenGraph.plain(condition.operand(0));
    }
    if (!is(condition, Binary.LESS) && !is(condition, Binary.LESS_EQUAL)) {
      return Optional.empty();
    }
    // `a - b < 0` compares a and b.
    for (int i = 0; i < 2; i++) {
      Node difference = WrittenGraph.plain(condition.operand(1 - i));
      if (graph.chosen(condition.operand(i)).orElse(1) == 0 && is(difference, Binary.SUBTRACT)) {
        condition = difference;
        break;
      }
    }
    // Where both cases are the same at a tie, none is preferred.
    if (Math.abs(atTie(graph, node.operand(1)) - atTie(graph, node.operand(2))) < 1e-9) {
      return Optional.empty();
    }
    if (node.operands().subList(1, 3).stream().anyMatch(RowWeightRules::decidesEquality)) {
      return Optional.empty();
    }
    Set<String> first = columnOwners(condition.operand(0));
    Set<String> second = columnOwners(condition.operand(1));
    if (first.size() != 1 || second.size() != 1 || first.equals(second)) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            node,
            GraphRules.fixed(
                Diagnostic.of(
                        ONE_SIDED_TIE,
                        node.operand(0).origin(),
                        "responses that score the same are taken for a preference of one of them")
                    .withHelp(
                        "give ties their own case: `if a > b then 1 else if a == b then 0.5 else"
                            + " 0`"),
                halved(graph, node))));
  }

  /** The middle of both cases for a tie. */
  private static Optional<Fix> halved(WrittenGraph graph, Node choice) {
    Optional<Expression.Conditional> written = graph.written(choice, Expression.Conditional.class);
    if (written.isEmpty()
        || !(written.get().condition() instanceof Expression.Binary comparison)
        || !comparison.operator().comparison()) {
      return Optional.empty();
    }
    OptionalDouble yes = graph.chosen(choice.operand(1));
    OptionalDouble no = graph.chosen(choice.operand(2));
    String middle =
        yes.isPresent() && no.isPresent()
            ? RatioRules.number((yes.getAsDouble() + no.getAsDouble()) / 2)
            : "0.5 * ((%s) + (%s))"
                .formatted(written.get().yes().span().text(), written.get().no().span().text());
    return Optional.of(
        Fix.suggested(
            "give ties their own case",
            Edit.before(
                written.get().no().span(),
                "if %s == %s then %s else "
                    .formatted(
                        comparison.left().span().text(),
                        comparison.right().span().text(),
                        middle))));
  }

  /** A value where both responses have the same data, and likelihoods that differ. */
  private static double atTie(WrittenGraph graph, Node node) {
    return OneRow.value(
        node,
        input ->
            input.role() == Signature.Role.COLUMN
                ? 0.5
                : graph.role(input.actor()) != Statement.Role.POLICY
                    ? -1.5
                    : -1 - Math.max(0, graph.context().sequences.indexOf(input.sequence())),
        parameter -> graph.chosen(parameter).orElse(0.5));
  }

  private static boolean decidesEquality(Node node) {
    Node value = WrittenGraph.plain(node);
    return value.operation() instanceof Operation.Select
        && is(WrittenGraph.plain(value.operand(0)), Binary.EQUAL);
  }

  /** Whether a value is multiplied with data further on. */
  private static boolean isWeighed(WrittenGraph graph, Node value) {
    return graph.nodes().stream()
        .filter(n -> is(n, Binary.MULTIPLY))
        .anyMatch(n ->
            n.operands().stream().anyMatch(o -> isScaled(o, value))
                && n.operands().stream().anyMatch(o -> !o.active() && hasColumn(o)));
  }

  /** Whether a node is a value, but for broadcasts, signs and constant factors. */
  private static boolean isScaled(Node node, Node value) {
    Node current = WrittenGraph.plain(node);
    while (current != value && is(current, Unary.NEGATE)) {
      current = WrittenGraph.plain(current.operand(0));
    }
    return current == value;
  }

  private static boolean hasColumn(Node node) {
    return ObjectiveProgram.reachable(List.of(node)).stream()
        .anyMatch(n ->
            n.operation() instanceof Operation.Input i
                && i.input().role() == Signature.Role.COLUMN);
  }

  /** The sequences whose columns a value is made of; more than one entry if of anything else. */
  private static Set<String> columnOwners(Node node) {
    Set<String> owners = new HashSet<>();
    for (Node each : ObjectiveProgram.reachable(List.of(node))) {
      if (each.operation() instanceof Operation.Input i) {
        owners.add(i.input().sequence());
        if (i.input().role() != Signature.Role.COLUMN) {
          owners.add("");
        }
      }
    }
    return owners;
  }
}
