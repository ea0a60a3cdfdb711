package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.Arrays;
import java.util.List;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.codegen.tornado.Value.Kind;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.tornado.DeviceMath;

/**
 * Elementwise operations as Java that TornadoVM compiles right: {@link DeviceMath} says what is
 * avoided, and why.
 *
 * <p>Values of logits are in single precision as long as they are made by sums, products,
 * comparisons and exponentials. A sum or difference with a value in double precision, such as a
 * normaliser, takes it as two numbers in single precision; factors in double precision are rounded
 * before the loop. Logarithms and their like are in double precision, and so is what is made of
 * them.
 */
final class DeviceExpressions {
  private DeviceExpressions() {}

  static Value unary(Unary function, Value x) {
    return switch (function) {
      case NEGATE -> Value.of(kind(x), CodeBlock.of("-$L", x.at(Binding.WHOLE)), Binding.PREFIX);
      case NOT ->
          x.isSingle()
              ? Value.of(Kind.SINGLE, CodeBlock.of("1f - $L", x.at(Binding.PRODUCT)), Binding.SUM)
              : Value.of(kind(x), CodeBlock.of("1.0 - $L", x.at(Binding.PRODUCT)), Binding.SUM);
      case EXP -> same("exp", x);
      case ABS -> Value.whole(kind(x), "$T.abs($L)", Math.class, x.at(Binding.CONDITIONAL));
      case SIGN -> same("sign", x);
      case FLOOR -> {
        Value whole = exact(DeviceMath.class, "floor", x);
        yield x.isSingle() ? rounded(whole) : whole;
      }
      case LOG -> exact(Math.class, "log", x);
      case SQRT -> exact(Math.class, "sqrt", x);
      case TANH -> exact(Math.class, "tanh", x);
      case ARCTAN -> exact(DeviceMath.class, "atan", x);
      case EXPM1 -> exact(DeviceMath.class, "expm1", x);
      case LOG1P -> exact(DeviceMath.class, "log1p", x);
      case SIGMOID -> exact(DeviceMath.class, "sigmoid", x);
      case LOG_SIGMOID -> exact(DeviceMath.class, "logSigmoid", x);
      case SOFTPLUS -> exact(DeviceMath.class, "softplus", x);
      case LOG1MEXP -> exact(DeviceMath.class, "log1mExp", x);
    };
  }

  static Value binary(Binary function, Value x, Value y) {
    return switch (function) {
      case ADD -> sum(x, "+", y);
      case SUBTRACT -> sum(x, "-", y);
      case MULTIPLY -> product(x, "*", y);
      case DIVIDE -> product(x, "/", y);
      case POWER -> exact(Math.class, "pow", x, y);
      case MINIMUM -> same("smaller", x, y);
      case MAXIMUM -> same("larger", x, y);
      case LOG_ADD_EXP -> exact(DeviceMath.class, "logAddExp", x, y);
      case LOG_RATIO ->
          mixed(x, y) ? rounded(exact(DeviceMath.class, "logRatio", x, y)) : same("logRatio", x, y);
      case LESS -> compared(x, "<", y);
      case EQUAL -> compared(x, "==", y);
      case LESS_EQUAL ->
          mixed(x, y)
              ? rounded(exact(DeviceMath.class, "lessOrEqual", x, y))
              : same("lessOrEqual", x, y);
      case AND -> product(x, "*", y);
      case OR -> same("larger", x, y);
      case EXP_TIMES -> throw new IllegalArgumentException("its exponential has a name");
    };
  }

  /** {@code truth ? x : y}. */
  static Value select(Value truth, Value x, Value y) {
    boolean single = single(truth, x, y);
    CodeBlock code =
        CodeBlock.of(
            "$L > $L ? $L : $L",
            truth.at(Binding.SUM),
            truth.isSingle() ? "0.5f" : "0.5",
            single ? x.singleAt(Binding.OR) : x.at(Binding.OR),
            single ? y.singleAt(Binding.CONDITIONAL) : y.at(Binding.CONDITIONAL));
    return Value.of(single ? Kind.SINGLE : kind(truth, x, y), code, Binding.CONDITIONAL);
  }

  /** {@code weight * x}, 0 where one of them is 0. */
  static Value weighted(Value weight, Value x) {
    return same("weighted", weight, x);
  }

  /** A comparison as a number. */
  static Value compared(Value x, String operator, Value y) {
    boolean single = single(x, y);
    boolean rounds = single && !mixed(x, y);
    return Value.of(
        single ? Kind.SINGLE : kind(x, y),
        CodeBlock.of(
            "$L $L $L ? $L",
            rounds ? x.singleAt(Binding.SUM) : x.at(Binding.SUM),
            operator,
            rounds ? y.singleAt(Binding.SUM) : y.at(Binding.SUM),
            single ? "1f : 0f" : "1.0 : 0.0"),
        Binding.CONDITIONAL);
  }

  private static Value sum(Value x, String operator, Value y) {
    if (operator.equals("+") && x.code().equals(y.code())) {
      // TornadoVM fails to fuse a product that is added to itself.
      return product(Value.literal(2), "*", x);
    }
    if (x.isSingle() && y.rest().isPresent()) {
      return inTwoParts(
          x.singleAt(Binding.SUM),
          operator,
          y.singleAt(Binding.PRODUCT),
          operator,
          y.rest().get().get());
    }
    if (y.isSingle() && x.rest().isPresent()) {
      return inTwoParts(
          x.singleAt(Binding.SUM),
          operator,
          y.singleAt(Binding.PRODUCT),
          "+",
          x.rest().get().get());
    }
    if (mixed(x, y)) {
      return rounded(
          infix(Kind.DOUBLE, x.at(Binding.SUM), operator, y.at(Binding.PRODUCT), Binding.SUM));
    }
    return single(x, y)
        ? infix(
            Kind.SINGLE,
            x.singleAt(Binding.SUM),
            operator,
            y.singleAt(Binding.PRODUCT),
            Binding.SUM)
        : infix(kind(x, y), x.at(Binding.SUM), operator, y.at(Binding.PRODUCT), Binding.SUM);
  }

  /**
   * A sum or difference with a value in double precision as two in single. Where the larger part
   * cancels it does so without an error, so that two roundings of the result are all that is lost.
   */
  private static Value inTwoParts(
      CodeBlock x, String operator, CodeBlock y, String second, CodeBlock rest) {
    return Value.of(
        Kind.SINGLE, CodeBlock.of("($L $L $L) $L $L", x, operator, y, second, rest), Binding.SUM);
  }

  private static Value product(Value x, String operator, Value y) {
    return single(x, y)
        ? infix(
            Kind.SINGLE,
            x.singleAt(Binding.PRODUCT),
            operator,
            y.singleAt(Binding.PREFIX),
            Binding.PRODUCT)
        : infix(kind(x, y), x.at(Binding.PRODUCT), operator, y.at(Binding.PREFIX), Binding.PRODUCT);
  }

  private static Value infix(
      Kind kind, CodeBlock x, String operator, CodeBlock y, Binding binding) {
    return Value.of(kind, CodeBlock.of("$L $L $L", x, operator, y), binding);
  }

  /** A function that has both precisions. */
  private static Value same(String name, Value... operands) {
    boolean single = single(operands);
    List<CodeBlock> texts =
        Arrays.stream(operands)
            .map(x -> single ? x.singleAt(Binding.CONDITIONAL) : x.at(Binding.CONDITIONAL))
            .toList();
    return Value.whole(
        single ? Kind.SINGLE : kind(operands),
        "$T.$L($L)",
        DeviceMath.class,
        name,
        CodeBlock.join(texts, ", "));
  }

  /** A function in double precision. */
  private static Value exact(Class<?> owner, String name, Value... operands) {
    List<CodeBlock> texts = Arrays.stream(operands).map(x -> x.at(Binding.CONDITIONAL)).toList();
    Kind kind = single(operands) ? Kind.DOUBLE : kind(operands);
    return Value.whole(kind, "$T.$L($L)", owner, name, CodeBlock.join(texts, ", "));
  }

  private static Value rounded(Value exact) {
    return Value.of(
        Kind.SINGLE, CodeBlock.of("(float) $L", exact.at(Binding.WHOLE)), Binding.PREFIX);
  }

  /** Whether an operation is in single precision: something is, and nothing must be in double. */
  private static boolean single(Value... operands) {
    boolean some = false;
    for (Value operand : operands) {
      if (operand.kind() == Kind.DOUBLE) {
        return false;
      }
      some |= operand.isSingle();
    }
    return some;
  }

  /** Whether single precision meets a value of the token or coarser. */
  private static boolean mixed(Value x, Value y) {
    return (x.isSingle() && y.kind() == Kind.COARSE) || (x.kind() == Kind.COARSE && y.isSingle());
  }

  /** The kind of a result that is not in single precision, or of one operand's. */
  private static Kind kind(Value... operands) {
    boolean coarse = false;
    for (Value operand : operands) {
      if (operand.kind() == Kind.DOUBLE || (operands.length == 1 && operand.isSingle())) {
        return operand.kind();
      }
      if (operand.isSingle()) {
        return Kind.DOUBLE;
      }
      coarse |= operand.kind() == Kind.COARSE;
    }
    return coarse ? Kind.COARSE : Kind.DOUBLE;
  }
}
