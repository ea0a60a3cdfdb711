package org.alignlang.compiler.check;

import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;

/** Evaluates batch-level arithmetic over numbers and parameters whose values are known. */
final class FixedValues {
  private FixedValues() {}

  /**
   * The value of a node, if it is made of numbers and known parameters alone; the parameters that
   * it depends on are noted in {@code used}.
   */
  static OptionalDouble evaluate(
      Node node, Map<Node, Double> parameters, Map<String, Double> used) {
    return evaluate(node, parameters, used, new HashMap<>());
  }

  /** Each value is looked at once, however often others use it. */
  private static OptionalDouble evaluate(
      Node node,
      Map<Node, Double> parameters,
      Map<String, Double> used,
      Map<Node, OptionalDouble> known) {
    OptionalDouble value = known.get(node);
    if (value == null) {
      value = compute(node, parameters, used, known);
      known.put(node, value);
    }
    return value;
  }

  private static OptionalDouble compute(
      Node node,
      Map<Node, Double> parameters,
      Map<String, Double> used,
      Map<Node, OptionalDouble> known) {
    return switch (node.operation()) {
      case Operation.Constant c -> OptionalDouble.of(c.value());
      case Operation.Parameter p -> {
        Double value = parameters.get(node);
        if (value == null || value.isNaN()) {
          yield OptionalDouble.empty();
        }
        used.put(p.name(), value);
        yield OptionalDouble.of(value);
      }
      case Operation.Apply a -> {
        OptionalDouble x = evaluate(node.operand(0), parameters, used, known);
        yield x.isPresent()
            ? OptionalDouble.of(a.function().value(x.getAsDouble()))
            : OptionalDouble.empty();
      }
      case Operation.Combine c -> {
        OptionalDouble x = evaluate(node.operand(0), parameters, used, known);
        OptionalDouble y = evaluate(node.operand(1), parameters, used, known);
        yield x.isPresent() && y.isPresent()
            ? OptionalDouble.of(c.function().value(x.getAsDouble(), y.getAsDouble()))
            : OptionalDouble.empty();
      }
      case Operation.Select _ -> {
        OptionalDouble c = evaluate(node.operand(0), parameters, used, known);
        yield c.isEmpty()
            ? OptionalDouble.empty()
            : evaluate(node.operand(c.getAsDouble() != 0 ? 1 : 2), parameters, used, known);
      }
      case Operation.Broadcast _, Operation.Stop _, Operation.Lift _, Operation.Checked _ ->
          evaluate(node.operand(0), parameters, used, known);
      case Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Reduce _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Scan _,
          Operation.Shift _,
          Operation.Taken _,
          Operation.Expectation _ ->
          OptionalDouble.empty();
    };
  }
}
