package org.alignlang.runtime.experiment;

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

  /** A number for sentences, with five significant digits. */
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
    return String.format(Locale.ROOT, "%.5g", number);
  }
}
