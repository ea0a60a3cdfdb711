package org.alignlang.compiler.ir;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Rebuilds a graph with some nodes replaced; what does not depend on them stays as it is. */
public final class Substitution {
  private final GraphBuilder builder;
  private final Map<Node, Node> replaced;

  /**
   * @param builder the builder of the graph
   * @param replacements what to put for what, at the same domain
   */
  public Substitution(GraphBuilder builder, Map<Node, Node> replacements) {
    this.builder = builder;
    this.replaced = new HashMap<>(replacements);
  }

  /**
   * Puts one more node for another, at the same domain; before anything built from it is asked for.
   */
  public void replace(Node node, Node by) {
    replaced.put(node, by);
  }

  /** The node with the replacements made in everything it is built from. */
  public Node apply(Node root) {
    for (Node node : ObjectiveProgram.reachable(List.of(root))) {
      if (!replaced.containsKey(node)) {
        replaced.put(node, rebuild(node));
      }
    }
    return get(root);
  }

  private Node get(Node node) {
    Node result = replaced.get(node);
    if (result == null) {
      throw new IllegalStateException("not rebuilt: " + node);
    }
    return result;
  }

  private Node rebuild(Node node) {
    List<Node> operands = node.operands().stream().map(this::get).toList();
    if (operands.equals(node.operands())) {
      return node;
    }
    builder.at(node.origin());
    return switch (node.operation()) {
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Position _ ->
          node;
      case Operation.Reorder reorder ->
          builder.reorder(operands.get(0), operands.get(1), reorder.within(), reorder.inverse());
      case Operation.Scan scan ->
          builder.scan(operands.get(0), operands.get(1), node.domain(), scan.backwards());
      case Operation.Matching matching ->
          builder.matching(operands.get(0), operands.get(1), matching.within());
      case Operation.Largest _ -> builder.largest(operands.get(0), operands.get(1));
      case Operation.Beside _ -> builder.beside(operands.get(0), node.domain().owner());
      case Operation.Shift shift -> builder.shift(operands.get(0), shift.next());
      case Operation.Checked checked -> builder.checked(checked, operands.get(0));
      case Operation.Apply apply -> builder.apply(apply.function(), operands.get(0));
      case Operation.Combine combine ->
          builder.combine(combine.function(), operands.get(0), operands.get(1));
      case Operation.Select _ -> builder.select(operands.get(0), operands.get(1), operands.get(2));
      case Operation.Stop _ -> builder.stop(operands.get(0));
      case Operation.Broadcast _, Operation.Lift _ ->
          builder.broadcast(operands.get(0), node.domain());
      case Operation.Reduce reduce when reduce.reduction() == Operation.Reduction.SOFTMAX_MEAN ->
          builder.softmaxMean(operands.get(0), operands.get(1));
      case Operation.Reduce reduce ->
          builder.reduce(reduce.reduction(), operands.get(0), node.domain());
      case Operation.Taken _ -> builder.taken(operands.get(0));
      case Operation.Expectation expectation ->
          builder.expectation(expectation.name(), operands.get(0), operands.get(1));
    };
  }
}
