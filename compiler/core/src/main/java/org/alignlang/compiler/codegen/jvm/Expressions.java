package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.CodeBlock;
import java.util.function.Function;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Functions;

/** Elementwise operations as Java expressions over their operands' expressions. */
final class Expressions {
  private Expressions() {}

  /**
   * The expression of a node.
   *
   * @param node an elementwise operation
   * @param operand the expression of an operand
   */
  static Term of(Node node, Function<Node, Term> operand) {
    return switch (node.operation()) {
      case Operation.Constant constant -> literal(constant.value());
      case Operation.Apply apply -> unary(apply.function(), operand.apply(node.operand(0)));
      case Operation.Combine combine ->
          binary(
              combine.function(), operand.apply(node.operand(0)), operand.apply(node.operand(1)));
      case Operation.Select _ -> {
        Term yes = operand.apply(node.operand(1)).asNumber();
        Term no = operand.apply(node.operand(2)).asNumber();
        yield Term.number(
            CodeBlock.of(
                "$L ? $L : $L",
                operand.apply(node.operand(0)).asTruth().at(Binding.OR),
                yes.at(Binding.OR),
                no.at(Binding.CONDITIONAL)),
            Binding.CONDITIONAL);
      }
      case Operation.Broadcast _, Operation.Lift _, Operation.Stop _, Operation.Checked _ ->
          operand.apply(node.operand(0));
      case Operation.Parameter _,
          Operation.Multiplier _,
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
          throw new IllegalArgumentException("not elementwise: " + node);
    };
  }

  static Term literal(double value) {
    CodeBlock text = JavaText.number(value);
    return Term.number(text, value < 0 ? Binding.PREFIX : Binding.WHOLE);
  }

  private static Term unary(Unary function, Term operand) {
    if (function == Unary.NOT) {
      return Term.truth(CodeBlock.of("!$L", operand.asTruth().at(Binding.PREFIX)), Binding.PREFIX);
    }
    Term x = operand.asNumber();
    return switch (function) {
      case NEGATE -> {
        CodeBlock inner = x.at(Binding.WHOLE);
        yield Term.number(CodeBlock.of("-$L", inner), Binding.PREFIX);
      }
      case EXP -> call(Math.class, "exp", x);
      case LOG -> call(Math.class, "log", x);
      case EXPM1 -> call(Math.class, "expm1", x);
      case LOG1P -> call(Math.class, "log1p", x);
      case SIGMOID -> call(Functions.class, "sigmoid", x);
      case LOG_SIGMOID -> call(Functions.class, "logSigmoid", x);
      case SOFTPLUS -> call(Functions.class, "softplus", x);
      case LOG1MEXP -> call(Functions.class, "log1mExp", x);
      case TANH -> call(Math.class, "tanh", x);
      case ARCTAN -> call(Math.class, "atan", x);
      case ABS -> call(Math.class, "abs", x);
      case SQRT -> call(Math.class, "sqrt", x);
      case SIGN -> call(Math.class, "signum", x);
      case FLOOR -> call(Math.class, "floor", x);
      case NOT -> throw new IllegalStateException("NOT is a truth value");
    };
  }

  private static Term binary(Binary function, Term first, Term second) {
    return switch (function) {
      case ADD -> infix(first, "+", second, Binding.SUM);
      case SUBTRACT -> infix(first, "-", second, Binding.SUM);
      case MULTIPLY -> infix(first, "*", second, Binding.PRODUCT);
      case DIVIDE -> infix(first, "/", second, Binding.PRODUCT);
      case POWER -> call(Math.class, "pow", first, second);
      case MINIMUM -> call(Math.class, "min", first, second);
      case MAXIMUM -> call(Math.class, "max", first, second);
      case LOG_ADD_EXP -> call(Functions.class, "logAddExp", first, second);
      case EXP_TIMES -> call(Functions.class, "expTimes", first, second);
      case LOG_RATIO -> call(Functions.class, "logRatio", first, second);
      case LESS -> compare(first, "<", second, Binding.RELATION);
      case LESS_EQUAL -> compare(first, "<=", second, Binding.RELATION);
      case EQUAL -> compare(first, "==", second, Binding.EQUALITY);
      case AND ->
          Term.truth(
              CodeBlock.of(
                  "$L && $L",
                  first.asTruth().at(Binding.AND),
                  second.asTruth().at(Binding.EQUALITY)),
              Binding.AND);
      case OR ->
          Term.truth(
              CodeBlock.of(
                  "$L || $L", first.asTruth().at(Binding.OR), second.asTruth().at(Binding.AND)),
              Binding.OR);
    };
  }

  private static Term infix(Term first, String operator, Term second, Binding binding) {
    // Floating-point arithmetic does not associate: the right operand keeps its parentheses.
    Binding tighter = Binding.values()[binding.ordinal() + 1];
    return Term.number(
        CodeBlock.of(
            "$L $L $L", first.asNumber().at(binding), operator, second.asNumber().at(tighter)),
        binding);
  }

  private static Term compare(Term first, String operator, Term second, Binding binding) {
    return Term.truth(
        CodeBlock.of(
            "$L $L $L",
            first.asNumber().at(Binding.SUM),
            operator,
            second.asNumber().at(Binding.SUM)),
        binding);
  }

  private static Term call(Class<?> owner, String name, Term... arguments) {
    CodeBlock[] texts = new CodeBlock[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i].asNumber().code();
    }
    return Term.whole("$T.$L($L)", owner, name, CodeBlock.join(java.util.List.of(texts), ", "));
  }
}
