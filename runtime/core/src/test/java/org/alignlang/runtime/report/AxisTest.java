package org.alignlang.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class AxisTest {
  private static List<String> labels(double... numbers) {
    return Axis.of(DoubleStream.of(numbers), true, 6).ticks().stream()
        .map(Axis.Tick::label)
        .toList();
  }

  @Test
  void ticksAreRoundNumbers() {
    assertThat(labels(0, 1)).containsExactly("0", "0.2", "0.4", "0.6", "0.8", "1");
    assertThat(labels(-0.35, 0.3)).containsExactly("−0.2", "0", "0.2");
    assertThat(labels(0, 2000)).containsExactly("0", "500", "1000", "1500", "2000");
    assertThat(labels(0.1, 0.3)).containsExactly("0.1", "0.15", "0.2", "0.25", "0.3");
    assertThat(labels(0, 3e7)).contains("1×10⁷", "3×10⁷");
    assertThat(labels(0, 2e-5)).contains("5×10⁻⁶", "2×10⁻⁵");
  }

  @Test
  void positiveNumbersOverManyPowersOfTenGetALogarithmicAxis() {
    Axis axis = Axis.of(DoubleStream.of(1e-6, 1), true, 6);
    assertThat(axis.logarithmic()).isTrue();
    assertThat(axis.position(1e-3)).isCloseTo(0.5, within(1e-12));
    assertThat(axis.position(0)).isNaN();
    assertThat(axis.ticks().stream().map(Axis.Tick::label)).contains("10⁻⁶", "0.01", "1");
    assertThat(Axis.of(DoubleStream.of(0, 1e-6, 1), true, 6).logarithmic()).isFalse();
  }

  @Test
  void numbersNextToNothingHaveALogarithmicAxisToo() {
    Axis axis = Axis.of(DoubleStream.of(1e-305, 1, 1e300), false, 6);
    assertThat(axis.logarithmic()).isTrue();
    assertThat(axis.position(1)).isBetween(0.4, 0.6);
    assertThat(Axis.of(DoubleStream.of(Double.MIN_VALUE, 1), false, 6).ticks()).isNotEmpty();
  }

  @Test
  void equalNumbersAndNoNumbersHaveAnAxisToo() {
    Axis equal = Axis.of(DoubleStream.of(0.5, 0.5, Double.NaN), false, 6);
    assertThat(equal.position(0.5)).isCloseTo(0.5, within(1e-12));
    assertThat(equal.ticks()).isNotEmpty();
    assertThat(Axis.of(DoubleStream.of(Double.POSITIVE_INFINITY), false, 6).ticks()).isNotEmpty();
    assertThat(Axis.of(DoubleStream.of(0, 0), false, 6).position(0)).isEqualTo(0.5);
    assertThat(
            Axis.of(DoubleStream.of(-Double.MAX_VALUE / 4, Double.MAX_VALUE / 4), false, 6).ticks())
        .isNotEmpty();
  }
}
