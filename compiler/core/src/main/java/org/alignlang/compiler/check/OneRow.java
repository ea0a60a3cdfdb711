package org.alignlang.compiler.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.kernel.Signature;

/**
 * Evaluates a graph on the smallest batch there is, one row whose sequences have one token each, so
 * that every value is a number and every reduction is over one element. Enough to see what shape a
 * term has as a function of log-probabilities.
 */
public final class OneRow {
  private OneRow() {}

  /**
   * The value of a node.
   *
   * @param node what to evaluate
   * @param inputs the value of each input; of logits, the log-probability of the taken token
   * @param parameters the value of each parameter's node
   */
  public static double value(
      Node node, ToDoubleFunction<Signature.Input> inputs, ToDoubleFunction<Node> parameters) {
    Map<Node, Double> values = new HashMap<>();
    for (Node each : ObjectiveProgram.reachable(List.of(node))) {
      values.put(each, compute(each, inputs, parameters, values));
    }
    return of(values, node);
  }

  private static double compute(
      Node node,
      ToDoubleFunction<Signature.Input> inputs,
      ToDoubleFunction<Node> parameters,
      Map<Node, Double> values) {
    return switch (node.operation()) {
      case Operation.Constant constant -> constant.value();
      case Operation.Parameter _ -> parameters.applyAsDouble(node);
      case Operation.Multiplier _, Operation.Count _, Operation.OneHot _ -> 1;
      case Operation.Position _, Operation.Shift _ -> 0;
      case Operation.Input input -> inputs.applyAsDouble(input.input());
      case Operation.Taken _ -> {
        // The log-softmax of a vocabulary of one token is 0; the logits hold its place.
        Node distribution = WrittenGraph.plain(node.operand(0));
        yield distribution.operands().stream()
            .map(WrittenGraph::plain)
            .filter(n ->
                n.operation() instanceof Operation.Input i
                    && i.input().role() == Signature.Role.LOGITS)
            .findFirst()
            .map(n -> of(values, n))
            .orElse(of(values, node.operand(0)));
      }
      case Operation.Stop _,
          Operation.Broadcast _,
          Operation.Lift _,
          Operation.Checked _,
          Operation.Reduce _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Scan _,
          Operation.Expectation _ ->
          of(values, node.operand(0));
      case Operation.Apply apply -> apply.function().value(of(values, node.operand(0)));
      case Operation.Combine combine ->
          combine.function().value(of(values, node.operand(0)), of(values, node.operand(1)));
      case Operation.Select _ -> of(values, node.operand(of(values, node.operand(0)) != 0 ? 1 : 2));
    };
  }

  private static double of(Map<Node, Double> values, Node node) {
    Double value = values.get(node);
    if (value == null) {
      throw new IllegalStateException("%" + node.number() + " comes after what it is used in");
    }
    return value;
  }
}
