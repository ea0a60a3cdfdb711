package org.alignlang.compiler.gradient;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.function.UnaryOperator;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.ir.Unary;
import org.jspecify.annotations.Nullable;

/**
 * Reverse-mode differentiation of a graph into the same graph: the adjoints are ordinary nodes, so
 * printing, simplification and code generation need nothing new. The rules of elementwise functions
 * stand beside their definitions in {@link org.alignlang.compiler.ir.Unary} and {@link Binary}.
 *
 * <p>What does not reach the output has no part in the gradient: an adjoint that is 0 because a
 * branch was not taken stays 0, whatever the derivative behind it is. The clipped ratio of a token
 * that became e^800 times as probable, and the logarithm of a negative number in the branch that a
 * condition excludes, would else make 0 times infinity, or NaN, of it. See {@link #through}.
 */
public final class ReverseMode {
  private final GraphBuilder builder;
  private final Map<Node, Node> adjoints = new HashMap<>();
  private final Map<Node, Boolean> partial = new HashMap<>();
  private final PriorityQueue<Node> pending =
      new PriorityQueue<>((a, b) -> Integer.compare(b.number(), a.number()));

  private ReverseMode(GraphBuilder builder) {
    this.builder = builder;
  }

  /**
   * The gradient of a batch-level value with respect to every trained input that it depends on, by
   * input in the order of the nodes' numbers.
   */
  public static Map<Node, Node> gradient(GraphBuilder builder, Node output) {
    if (!output.domain().equals(Domain.BATCH)) {
      throw new IllegalArgumentException("gradient of a value at " + output.domain());
    }
    ReverseMode mode = new ReverseMode(builder);
    Map<Node, Node> leaves = new LinkedHashMap<>();
    mode.flow(output, builder.constant(1));
    while (!mode.pending.isEmpty()) {
      Node node = mode.pending.remove();
      Node adjoint = mode.adjoints.get(node);
      if (adjoint == null) {
        throw new IllegalStateException("no adjoint for " + node);
      }
      builder.at(node.origin());
      String name = builder.nameOf(node);
      if (!name.isEmpty()) {
        builder.name(adjoint, name + "_bar");
      }
      if (node.operation() instanceof Operation.Input
          || node.operation() instanceof Operation.Expectation) {
        leaves.put(node, builder.broadcast(adjoint, node.domain()));
      } else {
        mode.propagate(node, adjoint);
      }
    }
    Map<Node, Node> ordered = new LinkedHashMap<>();
    leaves.keySet().stream()
        .sorted((a, b) -> Integer.compare(a.number(), b.number()))
        .forEach(leaf -> ordered.put(leaf, leaves.get(leaf)));
    return ordered;
  }

  /** Adds a contribution to the adjoint of a node, at that node's domain. */
  private void flow(Node node, Node contribution) {
    if (!node.active()) {
      return;
    }
    Node aligned =
        contribution.domain().level().compareTo(node.domain().level()) > 0
            ? builder.sumTo(contribution, node.domain())
            : builder.broadcast(contribution, node.domain());
    Node before = adjoints.get(node);
    if (before == null) {
      adjoints.put(node, aligned);
      pending.add(node);
    } else {
      adjoints.put(node, added(before, aligned));
    }
  }

  /** The sum of two adjoints; those of one condition stay under it. */
  private Node added(Node a, Node b) {
    Select first = Select.of(a);
    Select second = Select.of(b);
    if (first == null || second == null || first.condition != second.condition) {
      return builder.add(a, b);
    }
    return builder.select(
        first.condition, builder.add(first.yes, second.yes), builder.add(first.no, second.no));
  }

  /** A select, under the broadcast that may stand around it. */
  private record Select(Node condition, Node yes, Node no) {
    static @Nullable Select of(Node node) {
      Node base = base(node);
      return base.operation() instanceof Operation.Select
          ? new Select(base.operand(0), base.operand(1), base.operand(2))
          : null;
    }

    /** Whether nothing flows through one of the branches. */
    boolean excludes() {
      return isZero(yes) || isZero(no);
    }
  }

  private static Node base(Node node) {
    return node.operation() instanceof Operation.Broadcast ? node.operand(0) : node;
  }

  private static boolean isZero(Node node) {
    return GraphBuilder.constantValue(node).orElse(1) == 0;
  }

  /**
   * The adjoint of an operand, where a derivative rule turns an adjoint into it: in the branch that
   * the adjoint comes from, and 0 where it is 0 for having come from none.
   */
  private Node through(Node g, UnaryOperator<Node> rule) {
    Select select = Select.of(g);
    if (select != null && select.excludes()) {
      Node zero = builder.constant(0);
      Node yes = isZero(select.yes) ? zero : through(broadcast(select.yes, g), rule);
      Node no = isZero(select.no) ? zero : through(broadcast(select.no, g), rule);
      return builder.select(select.condition, yes, no);
    }
    if (!isPartial(g)) {
      return rule.apply(g);
    }
    Node none = builder.combine(Binary.EQUAL, g, builder.constant(0));
    return builder.select(none, builder.constant(0), rule.apply(g));
  }

  private Node broadcast(Node value, Node like) {
    return builder.broadcast(value, like.domain());
  }

  /**
   * Whether an adjoint is 0 where certain branches were not taken. Without recursion: the adjoint
   * of a value that is used ten thousand times is a sum as deep.
   */
  private boolean isPartial(Node g) {
    Deque<Node> open = new ArrayDeque<>();
    open.push(g);
    while (!open.isEmpty()) {
      Node node = open.getFirst();
      List<Node> parts = parts(node);
      List<Node> unknown = parts.stream().filter(p -> !partial.containsKey(p)).toList();
      if (unknown.isEmpty()) {
        boolean excludes =
            node.operation() instanceof Operation.Select
                && (isZero(node.operand(1)) || isZero(node.operand(2)));
        partial.put(open.pop(), excludes || parts.stream().anyMatch(this::knownPartial));
      } else {
        unknown.forEach(open::push);
      }
    }
    return knownPartial(g);
  }

  private boolean knownPartial(Node node) {
    return Boolean.TRUE.equals(partial.get(node));
  }

  /** The operands that make an adjoint 0 by being 0 themselves, or by being so together. */
  private static List<Node> parts(Node g) {
    List<Node> operands = g.operands();
    return switch (g.operation()) {
      case Operation.Select _ -> operands.subList(1, 3);
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD, SUBTRACT, MULTIPLY -> operands;
            case DIVIDE -> operands.subList(0, 1);
            case EXP_TIMES -> operands.subList(1, 2);
            default -> List.of();
          };
      case Operation.Apply apply -> apply.function() == Unary.NEGATE ? operands : List.of();
      case Operation.Reorder _, Operation.Matching _ -> operands.subList(0, 1);
      case Operation.Beside _,
          Operation.Broadcast _,
          Operation.Lift _,
          Operation.Reduce _,
          Operation.Taken _ ->
          operands;
      default -> List.of();
    };
  }

  /** Whether a factor is a number whenever the kernel runs at all. */
  private static boolean isNumber(Node factor) {
    return switch (base(factor).operation()) {
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Position _ ->
          true;
      default -> false;
    };
  }

  /** Whether the derivative by one operand is a number whatever the operands are. */
  private static boolean isPlain(Binary function, Node other) {
    return switch (function) {
      case ADD, SUBTRACT, LOG_RATIO, MINIMUM, MAXIMUM -> true;
      case MULTIPLY -> isNumber(other);
      case DIVIDE, POWER, LOG_ADD_EXP, EXP_TIMES, LESS, LESS_EQUAL, EQUAL, AND, OR -> false;
    };
  }

  private void propagate(Node node, Node g) {
    List<Node> operands = node.operands();
    switch (node.operation()) {
      case Operation.Apply apply -> {
        Node x = operands.get(0);
        UnaryOperator<Node> rule = h -> apply.function().adjoint(builder, x, node, h);
        flow(x, apply.function() == Unary.NEGATE ? rule.apply(g) : through(g, rule));
      }
      case Operation.Combine combine -> {
        Node a = operands.get(0);
        Node b = operands.get(1);
        Binary function = combine.function();
        if (a.active()) {
          UnaryOperator<Node> rule = h -> function.adjointOfFirst(builder, a, b, node, h);
          flow(a, isPlain(function, b) ? rule.apply(g) : through(g, rule));
        }
        if (b.active()) {
          UnaryOperator<Node> rule = h -> function.adjointOfSecond(builder, a, b, node, h);
          flow(b, isPlain(function, a) ? rule.apply(g) : through(g, rule));
        }
      }
      case Operation.Select _ -> {
        Node zero = builder.constant(0);
        flow(operands.get(1), builder.select(operands.get(0), g, zero));
        flow(operands.get(2), builder.select(operands.get(0), zero, g));
      }
      case Operation.Broadcast _ ->
          flow(operands.get(0), builder.sumTo(g, operands.get(0).domain()));
      case Operation.Lift _ -> flow(operands.get(0), g);
      case Operation.Checked _ -> flow(operands.get(0), g);
      case Operation.Reduce reduce ->
          flow(operands.get(0), adjointOfReduction(reduce.reduction(), operands.get(0), node, g));
      case Operation.Reorder reorder ->
          flow(
              operands.get(0),
              builder.reorder(g, operands.get(1), reorder.within(), !reorder.inverse()));
      case Operation.Scan scan ->
          flow(operands.get(0), builder.scan(g, operands.get(1), node.domain(), !scan.backwards()));
      case Operation.Matching matching ->
          flow(operands.get(0), builder.matching(g, operands.get(1), matching.within()));
      case Operation.Shift shift -> flow(operands.get(0), builder.shift(g, !shift.next()));
      case Operation.Beside _ ->
          flow(operands.get(0), builder.beside(g, operands.get(0).domain().owner()));
      case Operation.Taken _ -> {
        Domain vocab = operands.get(0).domain();
        Node spread = builder.broadcast(g, vocab);
        flow(
            operands.get(0),
            builder.select(builder.oneHot(vocab.owner()), spread, builder.constant(0)));
      }
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Position _,
          Operation.Largest _,
          Operation.Stop _,
          Operation.Expectation _ ->
          throw new IllegalStateException("no gradient flows through " + node);
    }
  }

  /**
   * Sum: every element gets g. Log-sum-exp: {@code g exp(x - y)}. Maximum and minimum: the elements
   * that attain it share g equally.
   */
  private Node adjointOfReduction(Reduction reduction, Node x, Node y, Node g) {
    Node spread = builder.broadcast(g, x.domain());
    return switch (reduction) {
      case SUM -> spread;
      case LOG_SUM_EXP -> through(spread, h -> builder.expTimes(builder.subtract(x, y), h));
      case SOFTMAX_MEAN -> throw new IllegalArgumentException("plans are not differentiated");
      case MAXIMUM, MINIMUM -> {
        Node attained = builder.combine(Binary.EQUAL, x, y);
        Node ties = builder.sumTo(attained, y.domain());
        yield builder.select(attained, builder.divide(g, ties), builder.constant(0));
      }
    };
  }
}
