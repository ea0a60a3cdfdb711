package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.runtime.argument.Names;

/** The functions that quantities may apply, by their names in the language. */
final class Arithmetic {
  private Arithmetic() {}

  /**
   * Applies a function.
   *
   * @throws ExperimentException for an unknown name or a wrong number of arguments
   */
  static double apply(String function, List<Double> arguments) {
    return switch (arguments.size()) {
      case 1 -> unary(function).applyAsDouble(arguments.get(0));
      case 2 -> binary(function).applyAsDouble(arguments.get(0), arguments.get(1));
      case 3 -> {
        if (!function.equals("clamp")) {
          throw wrongCount(function, 3);
        }
        yield Math.max(arguments.get(1), Math.min(arguments.get(2), arguments.get(0)));
      }
      default -> {
        DoubleBinaryOperator extreme = binary(function);
        if (arguments.isEmpty() || !function.equals("min") && !function.equals("max")) {
          throw wrongCount(function, arguments.size());
        }
        double result = arguments.getFirst();
        for (double argument : arguments) {
          result = extreme.applyAsDouble(result, argument);
        }
        yield result;
      }
    };
  }

  private static DoubleUnaryOperator unary(String function) {
    return switch (function) {
      case "-" -> x -> -x;
      case "+" -> x -> x;
      case "abs" -> Math::abs;
      case "sqrt" -> Math::sqrt;
      case "square" -> x -> x * x;
      case "exp" -> Math::exp;
      case "expm1" -> Math::expm1;
      case "log" -> Math::log;
      case "log1p" -> Math::log1p;
      case "log2" -> x -> Math.log(x) / Math.log(2);
      case "log10" -> Math::log10;
      case "sigmoid" -> x -> 1 / (1 + Math.exp(-x));
      case "log_sigmoid" -> x -> -softplus(-x);
      case "softplus" -> Arithmetic::softplus;
      case "tanh" -> Math::tanh;
      case "sin" -> Math::sin;
      case "cos" -> Math::cos;
      case "sign" -> Math::signum;
      case "floor" -> Math::floor;
      case "ceil" -> Math::ceil;
      case "round" -> Math::rint;
      case "min", "max" -> x -> x;
      default -> throw unknownOrWrongCount(function, 1);
    };
  }

  private static DoubleBinaryOperator binary(String function) {
    return switch (function) {
      case "+" -> Double::sum;
      case "-" -> (a, b) -> a - b;
      case "*" -> (a, b) -> a * b;
      case "/" -> (a, b) -> a / b;
      case "^", "pow" -> Math::pow;
      case "min" -> Math::min;
      case "max" -> Math::max;
      default -> throw unknownOrWrongCount(function, 2);
    };
  }

  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  private static ExperimentException wrongCount(String function, int count) {
    return new ExperimentException("`%s` does not take %d arguments".formatted(function, count));
  }

  private static ExperimentException unknownOrWrongCount(String function, int count) {
    List<String> known =
        new ArrayList<>(
            List.of(
                "+",
                "-",
                "*",
                "/",
                "^",
                "pow",
                "min",
                "max",
                "clamp",
                "abs",
                "sqrt",
                "square",
                "exp",
                "expm1",
                "log",
                "log1p",
                "log2",
                "log10",
                "sigmoid",
                "log_sigmoid",
                "softplus",
                "tanh",
                "sin",
                "cos",
                "sign",
                "floor",
                "ceil",
                "round"));
    return known.contains(function)
        ? wrongCount(function, count)
        : new ExperimentException(
            Names.unknown("function", function, new TreeSet<>(known)).getMessage());
  }
}
