package org.alignlang.compiler.check;

import static org.alignlang.compiler.check.WrittenGraph.is;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.LOG_OF_ZERO;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.MASKED_PRODUCT;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNBOUNDED_BELOW;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNBOUNDED_EXP;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Random;
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
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/** Values that are not finite, or a loss that can be lowered for ever. */
final class BoundednessRules {
  static final Set<DiagnosticCode> CODES =
      Set.of(UNBOUNDED_BELOW, UNBOUNDED_EXP, LOG_OF_ZERO, MASKED_PRODUCT);

  /** How improbable a response is made, in nats, to see where the loss goes. */
  private static final double[] DEPTHS = {1e2, 1e3, 1e4};

  /** How many times the data are drawn anew to see whether a slope depends on them. */
  private static final int PROBES = 4;

  private BoundednessRules() {}

  /**
   * @param place where the loss is written
   */
  static List<Finding> findings(WrittenGraph graph, Span place) {
    List<Finding> found = new ArrayList<>();
    unboundedBelow(graph, place).or(() -> unboundedBlock(graph, place)).ifPresent(found::add);
    Set<Node> bounded = bounded(graph);
    for (Node node : graph.nodes()) {
      if (!bounded.contains(node)) {
        exponential(graph, node).ifPresent(found::add);
      }
      logarithm(graph, node).ifPresent(found::add);
      maskedProduct(graph, node).ifPresent(found::add);
    }
    return found;
  }

  /**
   * Makes the responses of one row ever less probable and looks whether the loss falls in
   * proportion. Only losses over data that was not sampled from the policy: a surrogate is no
   * quantity to be minimised to its end.
   */
  private static Optional<Finding> unboundedBelow(WrittenGraph graph, Span place) {
    boolean preferences = graph.paired() || graph.labelled();
    boolean vocabulary = graph.nodes().stream().anyMatch(n -> n.domain().level() == Level.VOCAB);
    if (!preferences || vocabulary || !graph.context().expectations.isEmpty()) {
      return Optional.empty();
    }
    List<String> sequences = graph.context().sequences;
    for (int falling = 1; falling < 1 << sequences.size(); falling++) {
      for (double label : graph.labelled() ? new double[] {0, 1} : new double[] {1}) {
        double[] losses = new double[DEPTHS.length];
        for (int i = 0; i < DEPTHS.length; i++) {
          double depth = DEPTHS[i];
          int which = falling;
          losses[i] =
              OneRow.value(
                  graph.loss(),
                  input -> input(graph, input, sequences, which, depth, label),
                  parameter -> graph.chosen(parameter).orElse(0.5));
        }
        double first = losses[1] - losses[0];
        double second = losses[2] - losses[1];
        // In proportion to the depth: ten times the depth, ten times the fall. A logarithm's is 1.
        boolean falls = first < 0 && second < -1e-6 && second <= 3 * first;
        if (falls || losses[2] == Double.NEGATIVE_INFINITY) {
          List<String> names = new ArrayList<>();
          for (int i = 0; i < sequences.size(); i++) {
            if ((falling & 1 << i) != 0) {
              names.add("`log pi(" + sequences.get(i) + ")`");
            }
          }
          return Optional.of(
              new Finding(
                  graph.loss(),
                  Diagnostic.of(
                          UNBOUNDED_BELOW,
                          place,
                          "the loss falls for ever as "
                              + String.join(" and ", names)
                              + (names.size() == 1 ? " falls" : " fall")
                              + ": training on one row alone never ends")
                      .withHelp(
                          "bound the term, as `log_sigmoid` and `relu` do, or hold it with a"
                              + " regulariser that grows as fast")));
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Moves what a block gives ever further and looks whether the loss falls in proportion, whatever
   * the data: then the block runs away. A slope that depends on the data may change its sign from
   * row to row, as that of a multiplier does.
   */
  private static Optional<Finding> unboundedBlock(WrittenGraph graph, Span place) {
    Set<Signature.Input> blocks = new HashSet<>();
    boolean plain = graph.context().expectations.isEmpty();
    for (Node node : graph.nodes()) {
      plain &= node.domain().level() != Level.VOCAB;
      switch (node.operation()) {
        case Operation.Input input
            when input.input().role() == Signature.Role.LEARNED && input.input().trained() ->
            blocks.add(input.input());
        // What stands behind a stop is no part of the loss's slope.
        case Operation.Stop _ -> plain = false;
        default -> {}
      }
    }
    if (!plain) {
      return Optional.empty();
    }
    for (Signature.Input block : blocks) {
      for (double side : new double[] {1, -1}) {
        double[] falls = new double[PROBES];
        boolean proportional = true;
        for (int i = 0; i < falls.length; i++) {
          int probe = i;
          double[] losses = new double[DEPTHS.length];
          for (int k = 0; k < DEPTHS.length; k++) {
            double moved = side * DEPTHS[k];
            losses[k] =
                OneRow.value(
                    graph.loss(),
                    input ->
                        input.equals(block)
                            ? moved
                            : input.role() == Signature.Role.LOG_PROBABILITY
                                ? -1 - data(probe, input)
                                : data(probe, input),
                    parameter -> graph.chosen(parameter).orElse(0.5));
          }
          falls[i] = losses[2] - losses[1];
          proportional &=
              falls[i] < -1 && Math.abs(falls[i] - 10 * (losses[1] - losses[0])) < 1e-6 * -falls[i];
        }
        double slope = falls[0];
        if (proportional
            && Arrays.stream(falls).allMatch(f -> Math.abs(f - slope) < 1e-6 * -slope)) {
          return Optional.of(
              new Finding(
                  graph.loss(),
                  Diagnostic.of(
                          UNBOUNDED_BELOW,
                          place,
                          "the loss falls for ever as `%s` %s, whatever the data are"
                              .formatted(Signature.block(block), side > 0 ? "grows" : "falls"))
                      .withHelp(
                          "compare it with something by a loss that has a least value, such as a"
                              + " square or `-log_sigmoid`")));
        }
      }
    }
    return Optional.empty();
  }

  /** A number between 0 and 1, another one for each input and probe. */
  private static double data(int probe, Signature.Input input) {
    return new Random(31L * input.name().hashCode() + probe).nextDouble();
  }

  private static double input(
      WrittenGraph graph,
      Signature.Input input,
      List<String> sequences,
      int falling,
      double depth,
      double label) {
    if (input.role() == Signature.Role.COLUMN || input.role() == Signature.Role.LEARNED) {
      return input.name().endsWith("label") ? label : 0.5;
    }
    boolean falls =
        graph.role(input.actor()) == Statement.Role.POLICY
            && (falling & 1 << sequences.indexOf(input.sequence())) != 0;
    return falls ? -depth : -1;
  }

  /** What is bounded above by a number: an exponential there is cut where it is large. */
  private static Set<Node> bounded(WrittenGraph graph) {
    Set<Node> bounded = new HashSet<>();
    for (Node node : graph.nodes()) {
      if (is(node, Binary.MINIMUM)
          && (graph.isParametric(node.operand(0)) || graph.isParametric(node.operand(1)))) {
        for (Node operand : node.operands()) {
          Node value = WrittenGraph.plain(operand);
          bounded.add(value);
          if (is(value, Binary.MAXIMUM)) {
            value.operands().forEach(o -> bounded.add(WrittenGraph.plain(o)));
          }
        }
      }
    }
    return bounded;
  }

  /** An exponential of a sum over tokens that is not bounded above. */
  private static Optional<Finding> exponential(WrittenGraph graph, Node node) {
    boolean exponential = is(node, Unary.EXP) || is(node, Binary.EXP_TIMES);
    Optional<Exponent> exponent = exponential ? graph.exponent(node.operand(0)) : Optional.empty();
    // Log-probabilities are at most 0, so that a sum of them with weights above 0 is too.
    return exponent
        .filter(Exponent::summed)
        .filter(e -> e.has(Statement.Role.POLICY))
        .filter(e -> e.weights().values().stream().anyMatch(w -> w < 0))
        .map(_ ->
            new Finding(
                node,
                Diagnostic.of(
                        UNBOUNDED_EXP,
                        node.origin(),
                        "this is the exponential of a sum over all tokens, which overflows beyond"
                            + " 709 nats and is dominated by a few sequences long before")
                    .withHelp(
                        "stay with the logarithm, take the mean over tokens, or bound the exponent:"
                            + " `exp(min(..., 20))`")));
  }

  /** A logarithm of what can be zero or less. */
  private static Optional<Finding> logarithm(WrittenGraph graph, Node node) {
    if (!is(node, Unary.LOG)) {
      return Optional.empty();
    }
    Node operand = node.operand(0);
    Bounds.Range range = graph.context().bounds.range(operand);
    boolean positive = range.low() > 0 || range.low() >= 0 && range.nonZero();
    if (positive
        || graph.isParametric(operand)
        || isOneMinusProbability(graph, operand)
        || isChosenWherePositive(graph, node)) {
      return Optional.empty();
    }
    return Optional.of(
        new Finding(
            node,
            GraphRules.fixed(
                Diagnostic.of(
                        LOG_OF_ZERO,
                        node.origin(),
                        range.low() >= 0
                            ? "this logarithm can be of zero, and is then minus infinity"
                            : "this logarithm can be of a negative number, and is then not a"
                                + " number")
                    .withHelp(
                        "say what holds there: `if x > 0 then log(max(x, 1e-12)) else ...`, or"
                            + " `log(max(x, 1e-12))`"),
                graph
                    .call(node, "log")
                    .map(call -> call.arguments().getFirst().span())
                    .map(argument ->
                        Fix.suggested(
                            "write `log(max(" + argument.text() + ", 1e-12))`",
                            Edit.before(argument, "max("),
                            Edit.behind(argument, ", 1e-12)"))))));
  }

  /**
   * Whether a logarithm without a gradient is taken only where a choice has found its argument
   * positive: {@code if x > 0 then log(x) else 0}. With a gradient the branch that is not taken
   * would still divide by the argument.
   */
  private static boolean isChosenWherePositive(WrittenGraph graph, Node logarithm) {
    Node argument = WrittenGraph.plain(logarithm.operand(0));
    if (logarithm.active()) {
      return false;
    }
    // What the loss is made of, without the branches that are taken where the argument is positive.
    List<Node> open = new ArrayList<>(graph.roots());
    Set<Node> seen = new HashSet<>();
    while (!open.isEmpty()) {
      Node node = open.removeLast();
      if (!seen.add(node)) {
        continue;
      }
      if (node == logarithm) {
        return false;
      }
      for (int i = 0; i < node.operands().size(); i++) {
        if (!asksIfPositive(graph, node, i, argument)) {
          open.add(node.operand(i));
        }
      }
    }
    return true;
  }

  /** Whether a choice takes an operand only where a value is above a number of at least 0. */
  private static boolean asksIfPositive(WrittenGraph graph, Node choice, int operand, Node value) {
    if (!(choice.operation() instanceof Operation.Select) || operand == 0) {
      return false;
    }
    Node condition = WrittenGraph.plain(choice.operand(0));
    boolean strict = is(condition, Binary.LESS);
    if (!strict && !is(condition, Binary.LESS_EQUAL)) {
      return false;
    }
    // Where `bound < value` holds, or `value <= bound` does not.
    int side = operand == 1 ? 1 : 0;
    boolean excluded = strict == (operand == 1);
    return WrittenGraph.plain(condition.operand(side)) == value
        && graph.chosen(condition.operand(1 - side)).orElse(-1)
            >= (excluded ? 0 : Double.MIN_VALUE);
  }

  /** {@code 1 - p}, whose logarithm has a stable form and is infinite at p = 1 only. */
  private static boolean isOneMinusProbability(WrittenGraph graph, Node node) {
    Node value = WrittenGraph.plain(node);
    return is(value, Binary.SUBTRACT)
        && graph.chosen(value.operand(0)).orElse(0) == 1
        && is(WrittenGraph.plain(value.operand(1)), Unary.EXP);
  }

  /** A mask that is multiplied with what need not be finite: 0 times infinity is no number. */
  private static Optional<Finding> maskedProduct(WrittenGraph graph, Node node) {
    if (!is(node, Binary.MULTIPLY) && !is(node, Binary.EXP_TIMES)) {
      return Optional.empty();
    }
    for (int i = is(node, Binary.EXP_TIMES) ? 1 : 0; i < 2; i++) {
      Node masked = is(node, Binary.EXP_TIMES) ? node : node.operand(1 - i);
      if (hasMask(graph, node.operand(i)) && canBeInfinite(graph, masked)) {
        return Optional.of(
            new Finding(
                node,
                GraphRules.fixed(
                    Diagnostic.of(
                            MASKED_PRODUCT,
                            node.origin(),
                            "where the mask is 0 and the other factor infinite, their product is"
                                + " not a number")
                        .withHelp("choose instead of multiplying: `if ... then ... else 0`"),
                    chosen(graph, node))));
      }
    }
    return Optional.empty();
  }

  /** The product as a choice, where the mask is written in it or has a name. */
  private static Optional<Fix> chosen(WrittenGraph graph, Node product) {
    Optional<Expression.Binary> written =
        graph
            .written(product, Expression.Binary.class)
            .filter(b -> b.operator() == Expression.Operator.TIMES);
    for (boolean left : new boolean[] {true, false}) {
      Optional<Expression> mask = written.map(b -> left ? b.left() : b.right());
      Optional<Expression> masked = written.map(b -> left ? b.right() : b.left());
      Optional<Expression> meant = mask.map(m -> graph.named(m).orElse(m));
      if (meant.isPresent()
          && meant.get() instanceof Expression.Conditional choice
          && choice.yes() instanceof Expression.NumberLiteral yes
          && choice.no() instanceof Expression.NumberLiteral no
          && yes.value() + no.value() == 1
          && yes.value() * no.value() == 0) {
        String value = masked.orElseThrow().span().text();
        return Optional.of(
            Fix.suggested(
                "choose instead of multiplying",
                Edit.replace(
                    product.origin(),
                    "(if %s then %s else %s)"
                        .formatted(
                            choice.condition().span().text(),
                            yes.value() == 1 ? value : "0",
                            yes.value() == 1 ? "0" : value))));
      }
    }
    return Optional.empty();
  }

  /**
   * Whether a value is a mask, or one times what is finite: the product before is judged itself.
   */
  private static boolean hasMask(WrittenGraph graph, Node node) {
    Deque<Node> open = new ArrayDeque<>(List.of(WrittenGraph.plain(node)));
    Set<Node> seen = new HashSet<>();
    while (!open.isEmpty()) {
      Node factor = open.pop();
      if (isMask(graph, factor)) {
        return seen.isEmpty() || !canBeInfinite(graph, node);
      }
      if (seen.add(factor) && is(factor, Binary.MULTIPLY)) {
        factor.operands().forEach(x -> open.push(WrittenGraph.plain(x)));
      }
    }
    return false;
  }

  private static boolean isMask(WrittenGraph graph, Node node) {
    Node value = WrittenGraph.plain(node);
    if (is(value, Unary.NEGATE)) {
      value = WrittenGraph.plain(value.operand(0));
    }
    return value.operation() instanceof Operation.Select
        && !graph.isParametric(value.operand(0))
        && graph.chosen(value.operand(1)).isPresent()
        && graph.chosen(value.operand(2)).isPresent()
        && (graph.chosen(value.operand(1)).getAsDouble() == 0
            || graph.chosen(value.operand(2)).getAsDouble() == 0);
  }

  private static boolean canBeInfinite(WrittenGraph graph, Node node) {
    return ObjectiveProgram.reachable(List.of(node)).stream()
        .anyMatch(n ->
            logarithm(graph, n).isPresent()
                || is(n, Unary.LOG1MEXP)
                || is(n, Unary.LOG) && isOneMinusProbability(graph, n.operand(0))
                || exponential(graph, n).isPresent());
  }
}
