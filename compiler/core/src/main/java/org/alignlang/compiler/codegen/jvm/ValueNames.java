package org.alignlang.compiler.codegen.jvm;

import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Plan;

/** What values are called in generated code: as in the spec where they have a name there. */
public final class ValueNames {
  private final GraphBuilder graph;

  public ValueNames(GraphBuilder graph) {
    this.graph = graph;
  }

  /** Whether the spec names a value. */
  public boolean given(Node node) {
    return !graph.nameOf(node).isEmpty();
  }

  /** What a value would be called: as in the spec, or by what it is. */
  public String wanted(Node node) {
    String given = graph.nameOf(node);
    if (!given.isEmpty()) {
      String plain = given.endsWith("_bar") ? given.substring(0, given.length() - 4) : given;
      String name = JavaText.variable(plain);
      return given.endsWith("_bar")
          ? "d" + Character.toUpperCase(name.charAt(0)) + name.substring(1)
          : name;
    }
    return switch (node.operation()) {
      case Operation.Input input -> JavaText.variable(input.input().name());
      case Operation.Parameter parameter -> JavaText.variable(parameter.name());
      case Operation.Multiplier multiplier -> JavaText.variable(multiplier.name());
      case Operation.Constant _ -> "constant";
      case Operation.Count _ -> "count";
      case Operation.OneHot _ -> "isTaken";
      case Operation.Checked _ -> "checked";
      case Operation.Select _ -> "selected";
      case Operation.Stop _, Operation.Broadcast _, Operation.Lift _ -> "copy";
      case Operation.Reorder _ -> "sorted" + suffix(node.operand(0));
      case Operation.Largest _ -> "largest" + suffix(node.operand(0));
      case Operation.Matching _ -> "matching" + suffix(node.operand(0));
      case Operation.Beside _ -> "beside" + suffix(node.operand(0));
      case Operation.Position _ -> "position";
      case Operation.Scan scan ->
          (scan.backwards() ? "toGo" : "cumulative") + suffix(node.operand(0));
      case Operation.Shift shift -> (shift.next() ? "next" : "previous") + suffix(node.operand(0));
      case Operation.Taken _ -> "taken" + suffix(node.operand(0));
      case Operation.Reduce reduce ->
          switch (reduce.reduction()) {
                case SUM -> "sum";
                case MAXIMUM -> "largest";
                case MINIMUM -> "smallest";
                case LOG_SUM_EXP -> "logSum";
                case SOFTMAX_MEAN -> "mean";
              }
              + suffix(node.operands().getLast());
      case Operation.Apply apply ->
          switch (apply.function()) {
            case NEGATE -> "minus";
            case NOT -> "isNot";
            case EXP,
                LOG,
                EXPM1,
                LOG1P,
                SIGMOID,
                LOG_SIGMOID,
                SOFTPLUS,
                LOG1MEXP,
                TANH,
                ARCTAN,
                ABS,
                SQRT,
                SIGN,
                FLOOR ->
                JavaText.variable(apply.function().word());
          };
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD -> "total";
            case SUBTRACT -> "difference";
            case MULTIPLY -> "product";
            case DIVIDE -> "quotient";
            case POWER -> "power";
            case MINIMUM -> "minimum";
            case MAXIMUM -> "maximum";
            case LOG_ADD_EXP -> "logTotal";
            case EXP_TIMES -> "weighted";
            case LOG_RATIO -> "logRatio";
            case LESS, LESS_EQUAL -> "isLess";
            case EQUAL -> "isEqual";
            case AND -> "both";
            case OR -> "either";
          };
      case Operation.Expectation expectation -> JavaText.variable(expectation.name());
    };
  }

  /** The name of what a value is made of, to be put behind another word; empty without one. */
  public String suffix(Node operand) {
    Node value = Plan.base(operand);
    if (graph.nameOf(value).isEmpty() && !(value.operation() instanceof Operation.Input)) {
      return "";
    }
    String name = wanted(value);
    return Character.toUpperCase(name.charAt(0)) + name.substring(1);
  }
}
