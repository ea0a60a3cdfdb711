package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Functions;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The elementary functions of the back ends {@code vector} and {@code jvm} in single precision
 * against those of double precision, over their whole range: the bounds are those that {@code
 * docs/numerics.md} states.
 */
class FunctionErrorsTest {
  private static final int POINTS = 1 << 15;

  /** A function, where it is looked at, and how far off it may be, relative to its value. */
  enum Bound {
    EXP("exp(x)", -86.9, 88.7, 1.5e-7, Math::exp),
    EXPM1("expm1(x)", -20, 88.7, 2.0e-7, Math::expm1),
    EXPM1_SMALL("expm1(x)", -1e-3, 1e-3, 1.5e-7, Math::expm1),
    LOG("log(abs(x))", 1e-37, 1e30, 1.3e-7, Math::log),
    LOG_NEAR_ONE("log(abs(x))", 0.5, 2, 1.3e-7, Math::log),
    LOG1P("log1p(x)", -0.999, 100, 2.0e-7, Math::log1p),
    LOG1P_SMALL("log1p(x)", -1e-4, 1e-4, 1.5e-7, Math::log1p),
    SIGMOID("sigmoid(x)", -86, 86, 3.0e-7, Functions::sigmoid),
    SOFTPLUS("softplus(x)", -86, 100, 3.0e-7, Functions::softplus),
    LOG_SIGMOID("log_sigmoid(x)", -100, 86, 3.0e-7, Functions::logSigmoid),
    LOG1MEXP("log1mexp(x)", -80, -1e-5, 4.0e-7, Functions::log1mExp),
    TANH("tanh(x)", -12, 12, 3.0e-7, Math::tanh),
    ARCTAN("arctan(x)", -1000, 1000, 2.0e-7, Math::atan),
    SQRT("sqrt(abs(x))", 1e-30, 1e30, 6.0e-8, Math::sqrt),
    FLOOR("floor(x)", -5e6, 5e6, 0, Math::floor);

    private final String text;
    private final double low;
    private final double high;
    private final double bound;
    private final DoubleUnaryOperator exact;

    Bound(String text, double low, double high, double bound, DoubleUnaryOperator exact) {
      this.text = text;
      this.low = low;
      this.high = high;
      this.bound = bound;
      this.exact = exact;
    }
  }

  @ParameterizedTest
  @EnumSource
  void isAsCloseAsStated(Bound function) {
    isAsCloseAsStated(BackEnds.VECTOR, function);
    isAsCloseAsStated(BackEnds.JVM, function);
  }

  private static void isAsCloseAsStated(BackEnd backEnd, Bound function) {
    float[] x = new float[POINTS];
    boolean wide = function.low > 0 && function.high / function.low > 1e10;
    for (int i = 0; i < POINTS; i++) {
      double share = (i + 0.5) / POINTS;
      x[i] =
          (float)
              (wide
                  ? function.low * Math.pow(function.high / function.low, share)
                  : function.low + (function.high - function.low) * share);
    }
    float[] y = values(backEnd, function.text, x);
    double worst = 0;
    float where = 0;
    for (int i = 0; i < POINTS; i++) {
      double right = function.exact.applyAsDouble(x[i]);
      double error =
          y[i] == right ? 0 : Math.abs(y[i] - right) / Math.max(Math.abs(right), Float.MIN_NORMAL);
      if (!(error <= worst)) {
        worst = error;
        where = x[i];
      }
    }
    assertThat(worst)
        .as("%s of %s is off most at %s", function.text, backEnd.name(), where)
        .isLessThanOrEqualTo(function.bound);
  }

  @ParameterizedTest
  @ValueSource(strings = {"vector", "jvm"})
  void endsAreAsInDoublePrecision(String name) {
    BackEnd backEnd = BackEnds.find(name).orElseThrow();
    float inf = Float.POSITIVE_INFINITY;
    assertThat(values(backEnd, "exp(x)", -inf, inf, Float.NaN, -104, 89, 0))
        .containsExactly(0, inf, Float.NaN, 0, inf, 1);
    assertThat(values(backEnd, "log(x)", 0, inf, Float.NaN, -1, 1))
        .containsExactly(-inf, inf, Float.NaN, Float.NaN, 0);
    assertThat(values(backEnd, "log1p(x)", -1, inf, Float.NaN, -2, 0))
        .containsExactly(-inf, inf, Float.NaN, Float.NaN, 0);
    assertThat(values(backEnd, "expm1(x)", -inf, inf, Float.NaN, -104, 0))
        .containsExactly(-1, inf, Float.NaN, -1, 0);
    assertThat(values(backEnd, "sigmoid(x)", -inf, inf, Float.NaN, 0))
        .containsExactly(0, 1, Float.NaN, 0.5f);
    assertThat(values(backEnd, "softplus(x)", -inf, inf, Float.NaN))
        .containsExactly(0, inf, Float.NaN);
    assertThat(values(backEnd, "tanh(x)", -inf, inf, Float.NaN, 0))
        .containsExactly(-1, 1, Float.NaN, 0);
    assertThat(values(backEnd, "x^3", -2, 2, Float.NaN)).containsExactly(-8, 8, Float.NaN);
    assertThat(values(backEnd, "x^1.5", 4, 0, -1))
        .usingComparatorWithPrecision(1e-5f)
        .containsExactly(8, 0, Float.NaN);
  }

  /** The values that the back end computes: a log-probability's gradient is what it is times. */
  private static float[] values(BackEnd backEnd, String function, float... x) {
    Compilation compilation =
        Compiler.compile(
            new SourceFile(
                "f.align",
                "objective F {\n  policy pi\n  feature x: token\n"
                    + "  minimize sum[token, sequence]("
                    + function
                    + " * log(pi(y.token)))\n}\n"),
            CompilerOptions.defaults());
    CheckedObjective objective = compilation.objectives().getFirst();
    float[] logp = new float[x.length];
    Arrays.fill(logp, -1);
    Batch batch =
        Batch.builder(1)
            .sequence("y", new int[] {0, x.length})
            .column("logp", logp)
            .column("feature.x", x)
            .build();
    Evaluation result = new Evaluation(objective.signature(), batch);
    backEnd
        .kernel(objective)
        .evaluate(batch, new double[0], new double[0], result, Workers.serial());
    return result.floatGradient("logp");
  }
}
