package org.alignlang.runtime.experiment;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.metric.Agreement;
import org.alignlang.runtime.metric.ParetoFront;
import org.apache.commons.math3.stat.regression.SimpleRegression;

/** The functions of lists of numbers that claims use, by their names in the language. */
public final class Statistics {

  /**
   * What a function takes.
   *
   * @param least how many lists at least
   * @param most how many at most
   * @param options the numbers that it takes by name, each with the one that stands in for it, or
   *     NaN where it must be given
   */
  public record Shape(int least, int most, Map<String, Double> options) {}

  private static final Map<String, Shape> SHAPES = new TreeMap<>();

  static {
    Shape one = new Shape(1, 1, Map.of());
    Shape two = new Shape(2, 2, Map.of());
    Shape front = new Shape(2, 3, Map.of());
    for (String name :
        List.of("final", "first", "max", "min", "mean", "argmax", "least_rise", "largest_rise")) {
      SHAPES.put(name, one);
    }
    for (String name : List.of("slope", "correlation", "spearman", "kendall")) {
      SHAPES.put(name, two);
    }
    SHAPES.put("overlap", new Shape(2, 2, Map.of("top", Double.NaN)));
    SHAPES.put("hypervolume", new Shape(2, 3, Map.of("reference", Double.NaN)));
    SHAPES.put("sparsity", front);
    SHAPES.put("expected_utility", front);
  }

  private Statistics() {}

  /** The functions by name. */
  public static Map<String, Shape> shapes() {
    return SHAPES;
  }

  /**
   * Applies a function.
   *
   * @param lists of one length
   * @param places what stands for each place: the step of a record, or the swept value of a point
   * @return NaN where a number is NaN, or where the function is not defined
   * @throws ExperimentException for an unknown function or an option that does not fit
   */
  static double apply(
      String function, List<double[]> lists, Map<String, List<Double>> options, double[] places) {
    double[] first = lists.getFirst();
    if (first.length == 0) {
      return Double.NaN;
    }
    return switch (function) {
      case "final" -> first[first.length - 1];
      case "first" -> first[0];
      case "max" -> Arrays.stream(first).reduce(Double.NEGATIVE_INFINITY, Math::max);
      case "min" -> Arrays.stream(first).reduce(Double.POSITIVE_INFINITY, Math::min);
      case "mean" -> Arrays.stream(first).sum() / first.length;
      case "least_rise" -> Arrays.stream(rises(first)).reduce(Double.POSITIVE_INFINITY, Math::min);
      case "largest_rise" ->
          Arrays.stream(rises(first)).reduce(Double.NEGATIVE_INFINITY, Math::max);
      case "argmax" -> argmax(first, places);
      default -> ofSeveral(function, lists, options);
    };
  }

  private static double ofSeveral(
      String function, List<double[]> lists, Map<String, List<Double>> options) {
    if (lists.stream().flatMapToDouble(Arrays::stream).anyMatch(Double::isNaN)) {
      return Double.NaN;
    }
    double[] y = lists.get(0);
    double[] x = lists.get(1);
    try {
      return switch (function) {
        case "slope" -> slope(x, y);
        case "correlation" -> Agreement.correlation(x, y, Agreement.alike(x.length));
        case "spearman" -> Agreement.spearman(x, y, Agreement.alike(x.length));
        case "kendall" -> Agreement.kendall(x, y, Agreement.alike(x.length));
        case "overlap" -> Agreement.overlap(x, y, (int) option(options, "top")[0]);
        case "hypervolume" -> front(lists).hypervolume(option(options, "reference"));
        case "sparsity" -> front(lists).sparsity();
        case "expected_utility" -> front(lists).expectedUtility();
        default ->
            throw new ExperimentException(
                Names.unknown("function of series", function, SHAPES.keySet()).getMessage());
      };
    } catch (IllegalArgumentException e) {
      throw new ExperimentException("`%s`: %s".formatted(function, e.getMessage()), e);
    }
  }

  private static ParetoFront front(List<double[]> lists) {
    return ParetoFront.of(
        IntStream.range(0, lists.getFirst().length)
            .mapToObj(i -> lists.stream().mapToDouble(list -> list[i]).toArray())
            .toList());
  }

  private static double[] option(Map<String, List<Double>> options, String name) {
    return options.getOrDefault(name, List.of()).stream()
        .mapToDouble(Double::doubleValue)
        .toArray();
  }

  private static double slope(double[] x, double[] y) {
    SimpleRegression line = new SimpleRegression();
    for (int i = 0; i < x.length; i++) {
      line.addData(x[i], y[i]);
    }
    return line.getSlope();
  }

  /** How much each number is above the one before it. */
  private static double[] rises(double[] series) {
    return IntStream.range(1, series.length).mapToDouble(i -> series[i] - series[i - 1]).toArray();
  }

  private static double argmax(double[] series, double[] places) {
    int best = 0;
    for (int i = 0; i < series.length; i++) {
      if (Double.isNaN(series[i])) {
        return Double.NaN;
      }
      best = series[i] > series[best] ? i : best;
    }
    return places[best];
  }
}
