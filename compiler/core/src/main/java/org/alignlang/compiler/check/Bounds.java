package org.alignlang.compiler.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Interval analysis: what the compiler can see of a value's range, to tell guarded divisions from
 * unguarded ones. Parameters count as different from zero: whoever sets one to zero divides by it
 * knowingly.
 */
final class Bounds {
  /** A range, and whether its ends are excluded from being zero. */
  record Range(double low, double high, boolean nonZero) {
    static final Range ANY = new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, false);

    static Range of(double low, double high) {
      return new Range(low, high, low > 0 || high < 0);
    }

    static Range positive(double low) {
      return new Range(low, Double.POSITIVE_INFINITY, true);
    }
  }

  private final Map<Node, Range> known = new HashMap<>();

  /**
   * Whether a value can be seen never to be zero. What is made of numbers and parameters alone
   * counts as a parameter does, if it depends on one: `1 - 2 * noise` is zero by the writer's
   * choice only.
   */
  boolean nonZero(Node node) {
    return range(node).nonZero() || isChosen(node);
  }

  /** Whether a value is made of numbers and parameters alone, and of a parameter at all. */
  static boolean isChosen(Node node) {
    boolean chosen = false;
    for (Node each : ObjectiveProgram.reachable(List.of(node))) {
      switch (each.operation()) {
        case Operation.Parameter _ -> chosen = true;
        case Operation.Constant _,
            Operation.Apply _,
            Operation.Combine _,
            Operation.Select _,
            Operation.Broadcast _,
            Operation.Lift _ -> {}
        case Operation.Multiplier _,
            Operation.Input _,
            Operation.Expectation _,
            Operation.Taken _,
            Operation.Count _,
            Operation.OneHot _,
            Operation.Checked _,
            Operation.Stop _,
            Operation.Reorder _,
            Operation.Matching _,
            Operation.Largest _,
            Operation.Beside _,
            Operation.Position _,
            Operation.Scan _,
            Operation.Shift _,
            Operation.Reduce _ -> {
          return false;
        }
      }
    }
    return chosen;
  }

  Range range(Node node) {
    Range found = known.get(node);
    if (found == null) {
      found = compute(node);
      known.put(node, found);
    }
    return found;
  }

  private Range compute(Node node) {
    List<Node> operands = node.operands();
    return switch (node.operation()) {
      case Operation.Constant c -> Range.of(c.value(), c.value());
      case Operation.Parameter _ ->
          new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, true);
      case Operation.Multiplier _ -> new Range(0, Double.POSITIVE_INFINITY, false);
      case Operation.Input input ->
          input.input().role() == Signature.Role.LOG_PROBABILITY
              ? new Range(Double.NEGATIVE_INFINITY, 0, false)
              : Range.ANY;
      case Operation.Taken _ -> Range.ANY;
      case Operation.Expectation _ -> {
        Range x = range(operands.get(0));
        yield Range.of(x.low, x.high);
      }
      case Operation.Count count ->
          count.from().level() == Level.TOKEN
              ? new Range(0, Double.POSITIVE_INFINITY, false)
              : Range.of(1, Double.POSITIVE_INFINITY);
      case Operation.OneHot _ -> new Range(0, 1, false);
      case Operation.Largest _ -> Range.ANY;
      case Operation.Position _ -> new Range(0, Double.POSITIVE_INFINITY, false);
      case Operation.Reorder _ -> range(operands.get(0));
      case Operation.Scan _ -> {
        Range x = range(operands.get(0));
        boolean positive = x.low >= 0 && range(operands.get(1)).low >= 0;
        yield positive ? new Range(x.low, Double.POSITIVE_INFINITY, x.nonZero) : Range.ANY;
      }
      case Operation.Matching _ -> {
        // A sum of one element or more.
        Range x = range(operands.get(0));
        yield x.low >= 0 ? new Range(x.low, Double.POSITIVE_INFINITY, x.nonZero) : Range.ANY;
      }
      case Operation.Shift _, Operation.Beside _ -> {
        Range x = range(operands.get(0));
        yield new Range(Math.min(x.low, 0), Math.max(x.high, 0), false);
      }
      case Operation.Checked _ -> Range.positive(0);
      case Operation.Stop _, Operation.Broadcast _, Operation.Lift _ -> range(operands.get(0));
      case Operation.Select _ -> {
        Range a = range(operands.get(1));
        Range b = range(operands.get(2));
        yield new Range(Math.min(a.low, b.low), Math.max(a.high, b.high), a.nonZero && b.nonZero);
      }
      case Operation.Reduce reduce ->
          switch (reduce.reduction()) {
            case SUM -> {
              Range x = range(operands.get(0));
              yield new Range(
                  x.low >= 0 ? 0 : Double.NEGATIVE_INFINITY,
                  x.high <= 0 ? 0 : Double.POSITIVE_INFINITY,
                  false);
            }
            case MAXIMUM, MINIMUM -> range(operands.get(0));
            case SOFTMAX_MEAN -> range(operands.get(1));
            case LOG_SUM_EXP -> Range.ANY;
          };
      case Operation.Apply apply -> unary(apply, operands.get(0));
      case Operation.Combine combine -> binary(combine, operands.get(0), operands.get(1));
    };
  }

  private Range unary(Operation.Apply apply, Node operand) {
    Range x = range(operand);
    return switch (apply.function()) {
      case NEGATE -> new Range(-x.high, -x.low, x.nonZero);
      case EXP -> new Range(Math.exp(x.low), Math.exp(x.high), true);
      case SIGMOID -> new Range(0, 1, true);
      case SOFTPLUS -> new Range(0, Double.POSITIVE_INFINITY, true);
      case LOG_SIGMOID -> new Range(Double.NEGATIVE_INFINITY, 0, true);
      case LOG1MEXP -> new Range(Double.NEGATIVE_INFINITY, 0, true);
      case TANH, SIGN -> new Range(-1, 1, x.nonZero);
      case ABS ->
          new Range(Math.max(0, Math.max(x.low, -x.high)), Double.POSITIVE_INFINITY, x.nonZero);
      case SQRT -> new Range(Math.sqrt(Math.max(0, x.low)), Double.POSITIVE_INFINITY, x.nonZero);
      case NOT -> new Range(0, 1, false);
      case ARCTAN, EXPM1 -> new Range(x.low >= 0 ? 0 : -2, Double.POSITIVE_INFINITY, x.nonZero);
      case LOG, LOG1P, FLOOR -> Range.ANY;
    };
  }

  private Range binary(Operation.Combine combine, Node first, Node second) {
    Range a = range(first);
    Range b = range(second);
    return switch (combine.function()) {
      case ADD -> {
        double low = a.low + b.low;
        double high = a.high + b.high;
        boolean sameSign =
            a.low >= 0 && b.low >= 0 && (a.nonZero || b.nonZero)
                || a.high <= 0 && b.high <= 0 && (a.nonZero || b.nonZero);
        yield new Range(low, high, sameSign || low > 0 || high < 0);
      }
      case SUBTRACT -> Range.of(a.low - b.high, a.high - b.low);
      case MULTIPLY, DIVIDE -> {
        boolean nonZero = a.nonZero && (combine.function().word().equals("/") || b.nonZero);
        if (first == second) {
          yield new Range(0, Double.POSITIVE_INFINITY, a.nonZero);
        }
        if (a.low >= 0 && b.low >= 0 || a.high <= 0 && b.high <= 0) {
          yield new Range(0, Double.POSITIVE_INFINITY, nonZero);
        }
        yield new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, nonZero);
      }
      case POWER ->
          a.low >= 0
              ? new Range(0, Double.POSITIVE_INFINITY, a.nonZero)
              : evenPower(second) ? new Range(0, Double.POSITIVE_INFINITY, a.nonZero) : Range.ANY;
      case MINIMUM ->
          new Range(
              Math.min(a.low, b.low),
              Math.min(a.high, b.high),
              a.low > 0 && b.low > 0 || a.high < 0 || b.high < 0);
      case MAXIMUM ->
          new Range(
              Math.max(a.low, b.low),
              Math.max(a.high, b.high),
              a.low > 0 || b.low > 0 || a.high < 0 && b.high < 0);
      case EXP_TIMES ->
          b.low >= 0
              ? new Range(0, Double.POSITIVE_INFINITY, b.nonZero)
              : new Range(Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, b.nonZero);
      case LOG_ADD_EXP, LOG_RATIO -> Range.ANY;
      case LESS, LESS_EQUAL, EQUAL, AND, OR -> new Range(0, 1, false);
    };
  }

  private static boolean evenPower(Node exponent) {
    return GraphBuilder.constantValue(exponent).orElse(1) % 2 == 0;
  }
}
