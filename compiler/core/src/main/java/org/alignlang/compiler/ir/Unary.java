package org.alignlang.compiler.ir;

import java.util.function.DoubleUnaryOperator;
import org.alignlang.kernel.Functions;

/**
 * Functions of one value: each with its value and its derivative rule side by side. A rule gets the
 * operand {@code x}, the result {@code y} and the adjoint {@code g} of the result, and gives the
 * adjoint's contribution to the operand.
 */
public enum Unary {
  /** {@code -x}; {@code -g}. */
  NEGATE("-", x -> -x, (b, x, y, g) -> b.negate(g)),
  /** {@code exp(x)}; {@code g y}. */
  EXP("exp", Math::exp, (b, x, y, g) -> b.multiply(g, y)),
  /** {@code log(x)}; {@code g / x}. */
  LOG("log", Math::log, (b, x, y, g) -> b.divide(g, x)),
  /** {@code exp(x) - 1}; {@code g exp(x)}. */
  EXPM1("expm1", Math::expm1, (b, x, y, g) -> b.multiply(g, b.exp(x))),
  /** {@code log(1 + x)}; {@code g / (1 + x)}. */
  LOG1P("log1p", Math::log1p, (b, x, y, g) -> b.divide(g, b.add(b.constant(1), x))),
  /** {@code s(x) = 1 / (1 + exp(-x))}; {@code g s(x) s(-x)}. */
  SIGMOID(
      "sigmoid",
      Functions::sigmoid,
      (b, x, y, g) -> b.multiply(g, b.multiply(y, b.sigmoid(b.negate(x))))),
  /** {@code log s(x)}; {@code g s(-x)}. */
  LOG_SIGMOID(
      "log_sigmoid", Functions::logSigmoid, (b, x, y, g) -> b.multiply(g, b.sigmoid(b.negate(x)))),
  /** {@code log(1 + exp(x))}; {@code g s(x)}. */
  SOFTPLUS("softplus", Functions::softplus, (b, x, y, g) -> b.multiply(g, b.sigmoid(x))),
  /**
   * {@code log(1 - exp(x))}, {@code x < 0}; {@code -g exp(x) / (1 - exp(x)) = g / (1 - exp(-x))}.
   */
  LOG1MEXP(
      "log1mexp", Functions::log1mExp, (b, x, y, g) -> b.negate(b.divide(g, b.expm1(b.negate(x))))),
  /** {@code tanh(x)}; {@code g (1 - y^2)}. */
  TANH(
      "tanh",
      Math::tanh,
      (b, x, y, g) -> b.multiply(g, b.subtract(b.constant(1), b.multiply(y, y)))),
  /** {@code arctan(x)}; {@code g / (1 + x^2)}. */
  ARCTAN("arctan", Math::atan, (b, x, y, g) -> b.divide(g, b.add(b.constant(1), b.multiply(x, x)))),
  /** {@code |x|}; {@code g sign(x)}, 0 at 0. */
  ABS("abs", Math::abs, (b, x, y, g) -> b.multiply(g, b.sign(x))),
  /**
   * {@code sqrt(x)}; {@code g / (2 y)}, and 0 at 0, as for the absolute value: the spread of equal
   * values grows in every direction, and 0 is the subgradient that favours none.
   */
  SQRT(
      "sqrt",
      Math::sqrt,
      (b, x, y, g) ->
          b.select(
              b.combine(Binary.EQUAL, x, b.constant(0)),
              b.constant(0),
              b.divide(g, b.multiply(b.constant(2), y)))),
  /** {@code -1, 0 or 1}; constant. */
  SIGN("sign", Functions::sign),
  /** The largest integer not above {@code x}; constant. */
  FLOOR("floor", Math::floor),
  /** {@code 1 - x} of a truth value; constant. */
  NOT("not", x -> 1 - x);

  private final String word;
  private final DoubleUnaryOperator value;
  private final Rule rule;
  private final boolean differentiable;

  /** The derivative rule of a function of one value. */
  @FunctionalInterface
  interface Rule {
    Node adjoint(GraphBuilder builder, Node operand, Node result, Node adjoint);
  }

  Unary(String word, DoubleUnaryOperator value, Rule rule) {
    this(word, value, rule, true);
  }

  Unary(String word, DoubleUnaryOperator value) {
    this(word, value, (b, x, y, g) -> b.constant(0), false);
  }

  Unary(String word, DoubleUnaryOperator value, Rule rule, boolean differentiable) {
    this.word = word;
    this.value = value;
    this.rule = rule;
    this.differentiable = differentiable;
  }

  /** The name in the language. */
  public String word() {
    return word;
  }

  public double value(double x) {
    return value.applyAsDouble(x);
  }

  /** Whether the derivative is not zero everywhere. */
  public boolean differentiable() {
    return differentiable;
  }

  /** The adjoint's contribution to the operand. */
  public Node adjoint(GraphBuilder builder, Node operand, Node result, Node adjoint) {
    return rule.adjoint(builder, operand, result, adjoint);
  }
}
