package org.alignlang.compiler.ir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.alignlang.compiler.gradient.ReverseMode;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rewrites that {@code docs/numerics.md} lists: equal for ordinary values, right at extreme
 * ones.
 */
class NumericsTest {

  /** A form as one writes it, in two trained values. */
  interface Form {
    Node of(GraphBuilder b, Node x, Node z);
  }

  /**
   * A rewrite.
   *
   * @param x where the form as written fails
   * @param expected the value there
   * @param slope the derivative in x there
   */
  record Rewrite(
      String name, Form form, boolean negative, double x, double z, double expected, double slope) {
    @Override
    public String toString() {
      return name;
    }
  }

  private static final Signature.Input X = input("x");
  private static final Signature.Input Z = input("z");

  private static Signature.Input input(String name) {
    return new Signature.Input(
        name, Signature.Role.LOG_PROBABILITY, "pi", "y", Level.SEQUENCE, 0, true);
  }

  private static Node one(GraphBuilder b) {
    return b.constant(1);
  }

  static List<Rewrite> rewrites() {
    double e = Math.E;
    return List.of(
        new Rewrite(
            "log(1 + exp(x)) above",
            (b, x, z) -> b.log(b.add(one(b), b.exp(x))),
            false,
            1000,
            0,
            1000,
            1),
        new Rewrite(
            "log(1 + exp(x)) below",
            (b, x, z) -> b.log(b.add(b.exp(x), one(b))),
            false,
            -40,
            0,
            Math.exp(-40),
            Math.exp(-40)),
        new Rewrite(
            "log(exp(x) + exp(z)) above",
            (b, x, z) -> b.log(b.add(b.exp(x), b.exp(z))),
            false,
            1000,
            999,
            1000 + Math.log1p(1 / e),
            e / (e + 1)),
        new Rewrite(
            "log(exp(x) + exp(z)) below",
            (b, x, z) -> b.log(b.add(b.exp(x), b.exp(z))),
            false,
            -1000,
            -1000,
            -1000 + Math.log(2),
            0.5),
        new Rewrite("log(sigmoid(x))", (b, x, z) -> b.log(b.sigmoid(x)), false, -1000, 0, -1000, 1),
        new Rewrite(
            "x - log(1 + exp(x))",
            (b, x, z) -> b.subtract(x, b.log(b.add(one(b), b.exp(x)))),
            false,
            40,
            0,
            -Math.exp(-40),
            Math.exp(-40)),
        new Rewrite(
            "-softplus(-x)",
            (b, x, z) -> b.negate(b.apply(Unary.SOFTPLUS, b.negate(x))),
            false,
            40,
            0,
            -Math.exp(-40),
            Math.exp(-40)),
        new Rewrite(
            "exp(log_sigmoid(x))",
            (b, x, z) -> b.exp(b.apply(Unary.LOG_SIGMOID, x)),
            false,
            -700,
            0,
            Math.exp(-700),
            Math.exp(-700)),
        new Rewrite(
            "1 - exp(x)", (b, x, z) -> b.subtract(one(b), b.exp(x)), true, -1e-17, 0, 1e-17, -1),
        new Rewrite(
            "exp(x) - 1", (b, x, z) -> b.subtract(b.exp(x), one(b)), true, -1e-17, 0, -1e-17, 1),
        new Rewrite(
            "log(1 - exp(x)) above",
            (b, x, z) -> b.log(b.subtract(one(b), b.exp(x))),
            true,
            -1e-17,
            0,
            Math.log(1e-17),
            -1e17),
        new Rewrite(
            "log(1 - exp(x)) below",
            (b, x, z) -> b.log(b.subtract(one(b), b.exp(x))),
            true,
            -40,
            0,
            -Math.exp(-40),
            -Math.exp(-40)),
        new Rewrite(
            "x / exp(z)", (b, x, z) -> b.divide(x, b.exp(z)), false, 0, -700, 0, Math.exp(700)),
        new Rewrite(
            "exp(x) ^ 0.1",
            (b, x, z) -> b.power(b.exp(x), b.constant(0.1)),
            false,
            1000,
            0,
            Math.exp(100),
            0.1 * Math.exp(100)),
        new Rewrite("log(exp(x))", (b, x, z) -> b.log(b.exp(x)), false, 1000, 0, 1000, 1),
        new Rewrite(
            "exp(x) * log of itself",
            (b, x, z) -> b.expTimes(x, x),
            false,
            Double.NEGATIVE_INFINITY,
            0,
            0,
            0),
        new Rewrite("sigmoid'(x)", (b, x, z) -> b.sigmoid(x), false, 40, 0, 1, Math.exp(-40)));
  }

  private static GraphBuilder builder(boolean simplify) {
    return new GraphBuilder(new SourceFile("numerics", "x").span(0, 1), simplify);
  }

  private record Measured(double value, double slope) {}

  /** The value and the derivative in x, by the graph's own gradient. */
  private static Measured measure(Form form, boolean simplify, double x, double z) {
    GraphBuilder b = builder(simplify);
    Node nodeX = b.input(X, 0);
    Node value = form.of(b, nodeX, b.input(Z, 0));
    Node total = b.sumTo(value, Domain.BATCH);
    Node slope =
        ReverseMode.gradient(b, total)
            .getOrDefault(nodeX, b.broadcast(b.constant(0), nodeX.domain()));
    Batch batch =
        Batch.builder(1)
            .sequence("y", new int[] {0, 1})
            .column("x", new double[] {x})
            .column("z", new double[] {z})
            .build();
    Interpreter interpreter = new Interpreter(batch, new double[0], new double[0]);
    return new Measured(interpreter.value(total)[0], interpreter.value(slope)[0]);
  }

  private static void assertClose(String what, double actual, double expected) {
    assertThat(Math.abs(actual - expected))
        .as("%s: %s for %s", what, actual, expected)
        .isLessThanOrEqualTo(4e-13 * Math.abs(expected));
  }

  @ParameterizedTest
  @MethodSource("rewrites")
  void aRewriteChangesNoOrdinaryValue(Rewrite rewrite) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(1);
    for (int i = 0; i < 200; i++) {
      double x = 3 * random.nextGaussian();
      x = rewrite.negative() ? -Math.abs(x) - 1e-3 : x;
      double z = 3 * random.nextGaussian();
      Measured plain = measure(rewrite.form(), false, x, z);
      Measured simplified = measure(rewrite.form(), true, x, z);
      assertThat(simplified.value())
          .isCloseTo(plain.value(), within(1e-11 * (1 + Math.abs(plain.value()))));
      assertThat(simplified.slope())
          .isCloseTo(plain.slope(), within(1e-11 * (1 + Math.abs(plain.slope()))));
    }
  }

  @ParameterizedTest
  @MethodSource("rewrites")
  void aRewriteIsRightWhereTheFormAsWrittenFails(Rewrite rewrite) {
    Measured measured = measure(rewrite.form(), true, rewrite.x(), rewrite.z());

    assertClose(rewrite.name(), measured.value(), rewrite.expected());
    if (Double.isFinite(rewrite.x())) {
      assertClose("slope of " + rewrite.name(), measured.slope(), rewrite.slope());
    }
  }

  static List<Arguments> failing() {
    List<String> stableAlready =
        List.of("exp(x) * log of itself", "sigmoid'(x)", "x / exp(z)", "exp(log_sigmoid(x))");
    return rewrites().stream()
        .filter(rewrite -> !stableAlready.contains(rewrite.name()))
        .filter(rewrite -> !rewrite.name().equals("-softplus(-x)"))
        .map(rewrite -> arguments(rewrite))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("failing")
  void theFormAsWrittenFailsThere(Rewrite rewrite) {
    // Otherwise the rewrite would have no reason.
    double plain = measure(rewrite.form(), false, rewrite.x(), rewrite.z()).value();

    assertThat(Math.abs(plain - rewrite.expected()) <= 1e-3 * Math.abs(rewrite.expected()))
        .as("%s gives %s", rewrite.name(), plain)
        .isFalse();
  }
}
