package org.alignlang.runtime.experiment;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.Locale;
import org.apache.commons.statistics.distribution.TDistribution;

/**
 * A mean over seeds with its 95 % confidence interval.
 *
 * @param mean the mean
 * @param low the lower end; the mean itself if there are fewer than two numbers or all are equal
 * @param high the upper end
 * @param count how many numbers there are
 */
public record Interval(double mean, double low, double high, int count) {

  /** The interval of Student's t over independent numbers. */
  public static Interval of(double... numbers) {
    int count = numbers.length;
    double mean = Arrays.stream(numbers).sum() / count;
    if (count < 2 || Arrays.stream(numbers).allMatch(number -> number == numbers[0])) {
      double only = count > 0 ? numbers[0] : Double.NaN;
      return new Interval(only, only, only, count);
    }
    double squares = 0;
    for (double number : numbers) {
      squares += (number - mean) * (number - mean);
    }
    double half =
        TDistribution.of(count - 1).inverseSurvivalProbability(0.025)
            * Math.sqrt(squares / (count - 1) / count);
    return new Interval(mean, mean - half, mean + half, count);
  }

  /**
   * The interval of a difference of two means over independent numbers whose variances may differ,
   * after Welch.
   */
  public static Interval ofDifference(double[] first, double[] second) {
    Interval a = of(first);
    Interval b = of(second);
    double mean = a.mean - b.mean;
    int count = Math.min(first.length, second.length);
    if (count < 2 || !(a.spread() || b.spread())) {
      return new Interval(mean, mean, mean, count);
    }
    double va = squaredError(first, a.mean);
    double vb = squaredError(second, b.mean);
    double freedom =
        (va + vb) * (va + vb) / (va * va / (first.length - 1) + vb * vb / (second.length - 1));
    double half = TDistribution.of(freedom).inverseSurvivalProbability(0.025) * Math.sqrt(va + vb);
    return new Interval(mean, mean - half, mean + half, count);
  }

  /** The squared standard error of a mean. */
  private static double squaredError(double[] numbers, double mean) {
    double squares = Arrays.stream(numbers).map(x -> (x - mean) * (x - mean)).sum();
    return squares / (numbers.length - 1) / numbers.length;
  }

  /** Whether the numbers differ. */
  public boolean spread() {
    return low < high;
  }

  /**
   * For sentences, such as {@code 0.512 [0.498, 0.526]}, or without the interval if there is none.
   */
  public String show() {
    return spread() ? "%s [%s, %s]".formatted(show(mean), show(low), show(high)) : show(mean);
  }

  /**
   * For tables, such as {@code 0.512 ± 0.014}: the mean and half of the interval, or the mean alone
   * if there is no interval.
   */
  public String showShort() {
    double half = (high - low) / 2;
    return spread()
        ? show(mean) + " ± " + show(new BigDecimal(half).round(new MathContext(2)).doubleValue())
        : show(mean);
  }

  /** A number for sentences, with at most five significant digits. */
  public static String show(double number) {
    if (Double.isNaN(number)) {
      return "NaN";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "infinity" : "-infinity";
    }
    if (number == Math.rint(number) && Math.abs(number) < 1e6) {
      return String.format(Locale.ROOT, "%.0f", number);
    }
    String text = String.format(Locale.ROOT, "%.5g", number);
    int exponent = text.indexOf('e');
    String digits = exponent < 0 ? text : text.substring(0, exponent);
    return digits.contains(".")
        ? digits.replaceAll("\\.?0+$", "") + text.substring(digits.length())
        : text;
  }
}
