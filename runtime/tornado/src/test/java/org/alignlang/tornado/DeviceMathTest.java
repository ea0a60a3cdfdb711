package org.alignlang.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import java.util.regex.Pattern;
import org.alignlang.kernel.Functions;
import org.junit.jupiter.api.Test;

/** What kernels call, on the host: against the JDK and the functions of other back ends. */
class DeviceMathTest {
  private static final double[] NUMBERS = {
    -800,
    -50.5,
    -3,
    -1,
    -0.7,
    -0.6931471805599453,
    -0.3,
    -1e-3,
    -1e-9,
    -1e-300,
    -0.0,
    0,
    1e-300,
    1e-12,
    1e-4,
    0.25,
    0.5,
    1,
    1.5,
    2,
    20,
    49.9,
    50.1,
    700,
    1e15,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.NaN
  };

  private static void same(String what, double x, double actual, double expected) {
    if (Double.isNaN(expected) || Double.isInfinite(expected)) {
      assertThat(actual).as("%s(%s)", what, x).isEqualTo(Double.valueOf(expected));
    } else {
      assertThat(actual)
          .as("%s(%s)", what, x)
          .isCloseTo(expected, within(2e-15 * Math.abs(expected)));
    }
  }

  private static void one(String what, DoubleUnaryOperator actual, DoubleUnaryOperator expected) {
    for (double x : NUMBERS) {
      same(what, x, actual.applyAsDouble(x), expected.applyAsDouble(x));
    }
  }

  private static void two(String what, DoubleBinaryOperator actual, DoubleBinaryOperator expected) {
    for (double x : NUMBERS) {
      for (double y : NUMBERS) {
        same(what + "(" + x + ", .)", y, actual.applyAsDouble(x, y), expected.applyAsDouble(x, y));
      }
    }
  }

  @Test
  void functionsOfOneNumber() {
    one("log1p", DeviceMath::log1p, Math::log1p);
    one("expm1", DeviceMath::expm1, Math::expm1);
    one("floor", DeviceMath::floor, Math::floor);
    one("sign", DeviceMath::sign, Math::signum);
    one("sigmoid", DeviceMath::sigmoid, Functions::sigmoid);
    one("softplus", DeviceMath::softplus, Functions::softplus);
    one("logSigmoid", DeviceMath::logSigmoid, Functions::logSigmoid);
    one("log1mExp", DeviceMath::log1mExp, Functions::log1mExp);
  }

  @Test
  void functionsOfTwoNumbers() {
    two("larger", DeviceMath::larger, Math::max);
    two("smaller", DeviceMath::smaller, Math::min);
    two("lessOrEqual", DeviceMath::lessOrEqual, (x, y) -> x <= y ? 1 : 0);
    two("weighted", DeviceMath::weighted, Functions::weighted);
    two("logRatio", DeviceMath::logRatio, Functions::logRatio);
    two("logAddExp", DeviceMath::logAddExp, Functions::logAddExp);
  }

  @Test
  void putsRowsInOrderWithNaNLast() {
    double[] keys = {2, Double.NaN, -1, 2, Double.NEGATIVE_INFINITY, Double.NaN};
    int[] ranks = new int[keys.length];
    for (int i = 0; i < keys.length; i++) {
      for (int j = 0; j < keys.length; j++) {
        ranks[i] += DeviceMath.precedes(keys[j], j, keys[i], i);
      }
    }
    assertThat(ranks).containsExactly(2, 4, 1, 3, 0, 5);
  }

  /** What TornadoVM compiles wrongly; generated kernels are held to the same. */
  @Test
  void usesNothingThatIsCompiledWrongly() throws IOException {
    String source =
        Files.readString(Path.of("src/main/java/org/alignlang/tornado/DeviceMath.java"));
    String code = source.replaceAll("(?s)/\\*.*?\\*/", "").replaceAll("(?m)//.*$", "");
    assertThat(code)
        .doesNotContain("&&", "||", ">>", "<<", "!", "<=", ">=", "while", "for (", "if (", "new ")
        .doesNotContain(
            "log1p(double) ", "Math.log1p", "Math.expm1", "Math.floor", "INFINITY", "NaN");
    // One return for each method.
    assertThat(Pattern.compile("\\breturn\\b").matcher(code).results().count())
        .isEqualTo(Pattern.compile("public static ").matcher(code).results().count());
  }
}
