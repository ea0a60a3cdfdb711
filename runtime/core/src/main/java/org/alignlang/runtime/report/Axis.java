package org.alignlang.runtime.report;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * The scale of a chart's axis: which numbers it spans, and where its ticks are.
 *
 * @param low the number at its beginning
 * @param high the number at its end, greater than {@code low}
 * @param logarithmic whether equal ratios, not equal differences, are equally far apart
 * @param ticks the ticks, ascending
 */
record Axis(double low, double high, boolean logarithmic, List<Tick> ticks) {
  private static final double LOGARITHMIC_DECADES = Math.log10(2000);
  private static final double MARGIN = 0.04;

  /** A tick with its label. */
  record Tick(double value, String label) {}

  Axis {
    ticks = List.copyOf(ticks);
  }

  /**
   * The axis for some numbers: logarithmic if all are positive and they span more than three powers
   * of ten. Numbers that are not finite do not count.
   *
   * @param tight whether the axis ends where the numbers end
   * @param wanted about how many ticks there should be
   */
  static Axis of(DoubleStream numbers, boolean tight, int wanted) {
    double[] finite = numbers.filter(Double::isFinite).toArray();
    if (finite.length == 0) {
      return linear(0, 1, wanted);
    }
    double low = Arrays.stream(finite).min().orElseThrow();
    double high = Arrays.stream(finite).max().orElseThrow();
    // A ratio of numbers near 0 need not be finite.
    double decades = Math.log10(high) - Math.log10(low);
    if (low > 0 && decades > LOGARITHMIC_DECADES) {
      double margin = tight ? 0 : MARGIN * decades;
      return logarithmic(
          Math.max(low * Math.pow(10, -margin), Double.MIN_VALUE),
          Math.min(high * Math.pow(10, margin), Double.MAX_VALUE),
          wanted);
    }
    double size = Math.max(Math.abs(low), Math.abs(high));
    if (high - low <= 1e-12 * size || high == low) {
      double half = size == 0 ? 1 : 0.1 * size;
      return linear(low - half, high + half, wanted);
    }
    double margin = tight ? 0 : MARGIN * (high - low);
    return linear(low - margin, high + margin, wanted);
  }

  private static Axis linear(double low, double high, int wanted) {
    double step = niceStep((high - low) / wanted);
    BigDecimal exactStep = new BigDecimal(step, new MathContext(1));
    List<Tick> ticks = new ArrayList<>();
    long first = (long) Math.ceil(low / step - 1e-9);
    for (long i = first; i * step <= high + 1e-9 * step; i++) {
      BigDecimal value = exactStep.multiply(BigDecimal.valueOf(i));
      ticks.add(
          new Tick(value.doubleValue(), label(value, Math.max(Math.abs(low), Math.abs(high)))));
    }
    return new Axis(low, high, false, ticks);
  }

  private static Axis logarithmic(double low, double high, int wanted) {
    int first = (int) Math.ceil(Math.log10(low) - 1e-9);
    int last = (int) Math.floor(Math.log10(high) + 1e-9);
    int stride = Math.max(1, (int) Math.ceil((last - first + 1.0) / wanted));
    List<Tick> ticks = new ArrayList<>();
    for (int power = first; power <= last; power += stride) {
      BigDecimal value = BigDecimal.ONE.scaleByPowerOfTen(power);
      ticks.add(
          new Tick(
              value.doubleValue(),
              power >= -3 && power <= 4 ? value.toPlainString() : "10" + superscript(power)));
    }
    return new Axis(low, high, true, ticks);
  }

  /** 1, 2 or 5 times a power of ten, the least that is at least the given step. */
  private static double niceStep(double step) {
    double power = Math.pow(10, Math.floor(Math.log10(step)));
    double ratio = step / power;
    double nice = ratio <= 1 ? 1 : ratio <= 2 ? 2 : ratio <= 5 ? 5 : 10;
    return nice * power;
  }

  private static String label(BigDecimal value, double size) {
    if (value.signum() == 0) {
      return "0";
    }
    if (size >= 1e6 || size < 1e-3) {
      BigDecimal stripped = value.stripTrailingZeros();
      int power = stripped.precision() - stripped.scale() - 1;
      String digits = stripped.scaleByPowerOfTen(-power).stripTrailingZeros().toPlainString();
      return "%s×10%s".formatted(digits.replace('-', '−'), superscript(power));
    }
    return value.stripTrailingZeros().toPlainString().replace('-', '−');
  }

  private static String superscript(int power) {
    StringBuilder text = new StringBuilder();
    for (char digit : Integer.toString(power).toCharArray()) {
      text.append(digit == '-' ? '⁻' : "⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(digit - '0'));
    }
    return text.toString();
  }

  /** Where a number lies between the axis' beginning (0) and end (1); NaN if it has no place. */
  double position(double value) {
    if (!Double.isFinite(value) || (logarithmic && value <= 0)) {
      return Double.NaN;
    }
    return logarithmic
        ? (Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))
        : (value - low) / (high - low);
  }
}
