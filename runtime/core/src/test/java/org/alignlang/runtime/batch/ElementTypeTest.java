package org.alignlang.runtime.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementTypeTest {

  /** Every finite number of a 16-bit type with its bits. */
  private static TreeMap<Double, Integer> numbers(ElementType type) {
    TreeMap<Double, Integer> numbers = new TreeMap<>();
    for (int bits = 0; bits < 1 << 16; bits++) {
      double value = decode(type, bits);
      if (Double.isFinite(value)) {
        numbers.put(value, bits);
      }
    }
    return numbers;
  }

  /** The number that 16 bits stand for, by the definition of the format. */
  private static double decode(ElementType type, int bits) {
    int fractionBits = type == ElementType.F16 ? 10 : 7;
    int bias = type == ElementType.F16 ? 15 : 127;
    int exponent = (bits & 0x7fff) >> fractionBits;
    int fraction = bits & (1 << fractionBits) - 1;
    double sign = bits >> 15 == 0 ? 1 : -1;
    if (exponent == 2 * bias + 1) {
      return fraction == 0 ? sign * Double.POSITIVE_INFINITY : Double.NaN;
    }
    double significand = fraction / (double) (1 << fractionBits) + (exponent == 0 ? 0 : 1);
    return sign * Math.scalb(significand, Math.max(exponent, 1) - bias);
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void readsEverySixteenBitNumber(ElementType type) {
    Tensor tensor = Tensor.zeros(type, List.of(1));
    for (int bits = 0; bits < 1 << 16; bits++) {
      tensor.data().set(java.lang.foreign.ValueLayout.JAVA_BYTE, 0, (byte) bits);
      tensor.data().set(java.lang.foreign.ValueLayout.JAVA_BYTE, 1, (byte) (bits >> 8));
      if (Double.compare(tensor.real(0), decode(type, bits)) != 0) {
        fail("bits %x read as %s", bits, tensor.real(0));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16"})
  void roundsToTheNearestWithTiesToEven(ElementType type) {
    TreeMap<Double, Integer> numbers = numbers(type);
    Random random = new Random(5);
    for (int i = 0; i < 40_000; i++) {
      double low;
      do {
        low = decode(type, random.nextInt(1 << 16));
      } while (!Double.isFinite(low) || numbers.higherKey(low) == null);
      double high = numbers.higherKey(low);
      double middle = low / 2 + high / 2;
      double value =
          switch (i % 5) {
            case 0 -> middle;
            // Nearer to one side by less than a float can tell.
            case 1 -> Math.nextUp(middle);
            case 2 -> Math.nextDown(middle);
            case 3 -> low;
            default -> low + (high - low) * random.nextDouble();
          };
      double expected;
      if (value - low == high - value) {
        expected = (numbers.get(low) & 1) == 0 ? low : high;
      } else {
        expected = value - low < high - value ? low : high;
      }
      double rounded = Tensor.of(type, List.of(1), value).real(0);
      if (rounded != expected) {
        fail("%s became %s, not %s", value, rounded, expected);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"BF16", "F16", "F32", "F64"})
  void keepsWhatIsNoNumber(ElementType type) {
    double[] values = {
      Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, 0.0, -0.0, 1e-320
    };
    Tensor tensor = Tensor.of(type, List.of(values.length), values);
    assertThat(tensor.real(0)).isNaN();
    assertThat(tensor.real(1)).isEqualTo(Double.POSITIVE_INFINITY);
    assertThat(tensor.real(2)).isEqualTo(Double.NEGATIVE_INFINITY);
    assertThat(Double.doubleToRawLongBits(tensor.real(3))).isZero();
    assertThat(Double.doubleToRawLongBits(tensor.real(4))).isEqualTo(Long.MIN_VALUE);
    assertThat(tensor.real(5)).isEqualTo(type == ElementType.F64 ? 1e-320 : 0);
  }

  @Test
  void refusesAnIntegerOutOfRange() {
    assertThatThrownBy(() -> Tensor.ofIntegers(ElementType.U8, List.of(1), 256))
        .isInstanceOf(ArithmeticException.class);
    assertThatThrownBy(() -> Tensor.ofIntegers(ElementType.BOOL, List.of(1), 2))
        .isInstanceOf(ArithmeticException.class);
    assertThatThrownBy(() -> Tensor.ofIntegers(ElementType.I32, List.of(1), 1L << 31))
        .isInstanceOf(ArithmeticException.class);
  }
}
