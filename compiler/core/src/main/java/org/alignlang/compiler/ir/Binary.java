package org.alignlang.compiler.ir;

import java.util.function.DoubleBinaryOperator;
import org.alignlang.kernel.Functions;

/**
 * Functions of two values, with their derivative rules. Ties of minimum and maximum go to the first
 * operand.
 */
public enum Binary {
  /** {@code a + b}; {@code g, g}. */
  ADD("+", Double::sum, (b, x, z, y, g) -> g, (b, x, z, y, g) -> g),
  /** {@code a - b}; {@code g, -g}. */
  SUBTRACT("-", (a, b) -> a - b, (b, x, z, y, g) -> g, (b, x, z, y, g) -> b.negate(g)),
  /** {@code a b}; {@code g b, g a}. */
  MULTIPLY(
      "*",
      (a, b) -> a * b,
      (b, x, z, y, g) -> b.multiply(g, z),
      (b, x, z, y, g) -> b.multiply(g, x)),
  /** {@code a / b}; {@code g / b, -g y / b}. */
  DIVIDE(
      "/",
      (a, b) -> a / b,
      (b, x, z, y, g) -> b.divide(g, z),
      (b, x, z, y, g) -> b.negate(b.divide(b.multiply(g, y), z))),
  /** {@code a ^ b}; {@code g b a^(b-1), g y log a}. */
  POWER(
      "^",
      Math::pow,
      (b, x, z, y, g) -> b.multiply(g, b.multiply(z, b.power(x, b.subtract(z, b.constant(1))))),
      (b, x, z, y, g) -> b.multiply(g, b.multiply(y, b.log(x)))),
  /** {@code min(a, b)}. */
  MINIMUM(
      "min",
      Math::min,
      (b, x, z, y, g) -> b.select(b.lessEqual(x, z), g, b.constant(0)),
      (b, x, z, y, g) -> b.select(b.lessEqual(x, z), b.constant(0), g)),
  /** {@code max(a, b)}. */
  MAXIMUM(
      "max",
      Math::max,
      (b, x, z, y, g) -> b.select(b.lessEqual(z, x), g, b.constant(0)),
      (b, x, z, y, g) -> b.select(b.lessEqual(z, x), b.constant(0), g)),
  /**
   * {@code log(exp(a) + exp(b))}; {@code g exp(a - y), g exp(b - y)}, where a difference of
   * -infinity from itself counts as 0: a token that is impossible under both distributions of a
   * mixture.
   */
  LOG_ADD_EXP(
      "log_add_exp",
      Functions::logAddExp,
      (b, x, z, y, g) -> b.expTimes(b.logRatio(x, y), g),
      (b, x, z, y, g) -> b.expTimes(b.logRatio(z, y), g)),
  /** {@code exp(a) b}, 0 where a is -infinity or b is 0; {@code g y, exp(a) g}. */
  EXP_TIMES(
      "exp_times",
      Functions::expTimes,
      (b, x, z, y, g) -> b.multiply(g, y),
      (b, x, z, y, g) -> b.expTimes(x, g)),
  /** {@code a - b} of log-probabilities, 0 where both are -infinity; {@code g, -g}. */
  LOG_RATIO("log_ratio", Functions::logRatio, (b, x, z, y, g) -> g, (b, x, z, y, g) -> b.negate(g)),

  LESS("<", (a, b) -> a < b ? 1 : 0),
  LESS_EQUAL("<=", (a, b) -> a <= b ? 1 : 0),
  EQUAL("==", (a, b) -> a == b ? 1 : 0),
  AND("and", (a, b) -> a * b),
  OR("or", Math::max);

  private final String word;
  private final DoubleBinaryOperator value;
  private final Rule first;
  private final Rule second;
  private final boolean truth;

  /** The derivative rule for one operand of a function of two values. */
  @FunctionalInterface
  interface Rule {
    Node adjoint(GraphBuilder builder, Node first, Node second, Node result, Node adjoint);
  }

  Binary(String word, DoubleBinaryOperator value, Rule first, Rule second) {
    this(word, value, first, second, false);
  }

  Binary(String word, DoubleBinaryOperator value) {
    this(word, value, (b, x, z, y, g) -> b.constant(0), (b, x, z, y, g) -> b.constant(0), true);
  }

  Binary(String word, DoubleBinaryOperator value, Rule first, Rule second, boolean truth) {
    this.word = word;
    this.value = value;
    this.first = first;
    this.second = second;
    this.truth = truth;
  }

  /** The name or symbol in the language. */
  public String word() {
    return word;
  }

  public double value(double a, double b) {
    return value.applyAsDouble(a, b);
  }

  /** Whether the result is a truth value, whose derivative is 0. */
  public boolean truth() {
    return truth;
  }

  public Node adjointOfFirst(GraphBuilder builder, Node a, Node b, Node result, Node adjoint) {
    return first.adjoint(builder, a, b, result, adjoint);
  }

  public Node adjointOfSecond(GraphBuilder builder, Node a, Node b, Node result, Node adjoint) {
    return second.adjoint(builder, a, b, result, adjoint);
  }
}
