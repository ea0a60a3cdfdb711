package org.alignlang.compiler.gradient;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;

/**
 * Reverse-mode differentiation of a graph into the same graph: the adjoints are ordinary nodes, so
 * printing, simplification and code generation need nothing new. The rules of elementwise functions
 * stand beside their definitions in {@link org.alignlang.compiler.ir.Unary} and {@link Binary}.
 */
public final class ReverseMode {
  private final GraphBuilder builder;
  private final Map<Node, Node> adjoints = new HashMap<>();
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
      adjoints.put(node, builder.add(before, aligned));
    }
  }

  private void propagate(Node node, Node g) {
    List<Node> operands = node.operands();
    switch (node.operation()) {
      case Operation.Apply apply -> {
        Node x = operands.get(0);
        flow(x, apply.function().adjoint(builder, x, node, g));
      }
      case Operation.Combine combine -> {
        Node a = operands.get(0);
        Node b = operands.get(1);
        if (a.active()) {
          flow(a, combine.function().adjointOfFirst(builder, a, b, node, g));
        }
        if (b.active()) {
          flow(b, combine.function().adjointOfSecond(builder, a, b, node, g));
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
      case LOG_SUM_EXP -> builder.expTimes(builder.subtract(x, y), spread);
      case MAXIMUM, MINIMUM -> {
        Node attained = builder.combine(Binary.EQUAL, x, y);
        Node ties = builder.sumTo(attained, y.domain());
        yield builder.select(attained, builder.divide(g, ties), builder.constant(0));
      }
    };
  }
}
