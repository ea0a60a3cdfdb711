package org.alignlang.runtime.experiment;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.regression.SimpleRegression;

/** Evaluates quantities over recorded series, as claims and plots need them. */
final class SeriesAlgebra {
  private static final List<String> FUNCTIONS =
      List.of("final", "first", "max", "min", "mean", "argmax", "least_rise", "largest_rise");

  private final ExperimentPlan plan;
  private final RecordList records;
  private final List<TrainingResult> trainings;
  private final Optima optima;

  /**
   * Takes the trainings of a plan.
   *
   * @param trainings all trainings, by point and seed
   */
  SeriesAlgebra(
      ExperimentPlan plan, RecordList records, List<TrainingResult> trainings, Optima optima) {
    this.plan = plan;
    this.records = records;
    this.trainings = trainings;
    this.optima = optima;
  }

  /** The training of a point with a seed. */
  TrainingResult training(int point, int seedIndex) {
    return trainings.get(point * plan.seeds() + seedIndex);
  }

  /** One number per record of a training. */
  double[] series(Quantity quantity, int point, int seedIndex) {
    RecordedSeries recorded = training(point, seedIndex).series();
    return switch (quantity) {
      case Quantity.Named(String name) ->
          name.equals("step")
              ? Arrays.stream(recorded.steps()).asDoubleStream().toArray()
              : recorded.of(name);
      case Quantity.Expectation direct -> recorded.of(nameOf(direct));
      case Quantity.Divergence direct -> recorded.of(nameOf(direct));
      case Quantity.OccupancyDivergence direct -> recorded.of(nameOf(direct));
      case Quantity.Entropy direct -> recorded.of(nameOf(direct));
      case Quantity.Exploitability direct -> recorded.of(nameOf(direct));
      case Quantity.Apply(String function, List<Quantity> arguments) -> {
        List<double[]> values =
            arguments.stream().map(argument -> series(argument, point, seedIndex)).toList();
        yield IntStream.range(0, recorded.count())
            .mapToDouble(
                i -> Arithmetic.apply(function, values.stream().map(value -> value[i]).toList()))
            .toArray();
      }
      case Quantity.Constant constant -> everywhere(constant, point, seedIndex);
      case Quantity.Label label -> everywhere(label, point, seedIndex);
      case Quantity.Series series -> everywhere(series, point, seedIndex);
      case Quantity.Relation relation -> everywhere(relation, point, seedIndex);
      case Quantity.Exact exact -> everywhere(exact, point, seedIndex);
      case Quantity.BestOf bestOf -> everywhere(bestOf, point, seedIndex);
    };
  }

  /**
   * One number.
   *
   * @throws ExperimentException for a whole series, which has no one number
   */
  double number(Quantity quantity, int point, int seedIndex) {
    return switch (quantity) {
      case Quantity.Constant(double value) -> value;
      case Quantity.Label(String name) -> PointValues.of(plan.points().get(point), name);
      case Quantity.Series(String function, Quantity of, Map<String, String> at) ->
          reduce(function, of, point(at, point), seedIndex);
      case Quantity.Relation(
              String function,
              Quantity of,
              Quantity against,
              Map<String, String> at) -> {
        int where = point(at, point);
        yield relate(function, series(against, where, seedIndex), series(of, where, seedIndex));
      }
      case Quantity.Exact(Quantity of, Map<String, String> at) ->
          optima.value(of, point(at, point), seedIndex);
      case Quantity.BestOf bestOf -> optima.bestOf(bestOf, point(bestOf.at(), point), seedIndex);
      case Quantity.Apply(String function, List<Quantity> arguments) ->
          Arithmetic.apply(
              function,
              arguments.stream().map(argument -> number(argument, point, seedIndex)).toList());
      case Quantity.Named named -> throw wholeSeries(named);
      case Quantity.Expectation direct -> throw wholeSeries(direct);
      case Quantity.Divergence direct -> throw wholeSeries(direct);
      case Quantity.OccupancyDivergence direct -> throw wholeSeries(direct);
      case Quantity.Entropy direct -> throw wholeSeries(direct);
      case Quantity.Exploitability direct -> throw wholeSeries(direct);
    };
  }

  /**
   * The point that {@code at} names. Labels that it leaves out are those of the point at hand.
   *
   * @throws ExperimentException if there is no such point, or several
   */
  int point(Map<String, String> at, int current) {
    if (at.isEmpty()) {
      return current;
    }
    List<Integer> found = selected(at);
    if (found.size() > 1) {
      Map<String, String> wanted = new LinkedHashMap<>(plan.points().get(current).labels());
      wanted.putAll(at);
      List<Integer> closer =
          found.stream().filter(i -> PointValues.matches(plan.points().get(i), wanted)).toList();
      if (closer.size() == 1) {
        return closer.getFirst();
      }
      throw new ExperimentException(
          "`at %s` means %d sweep points; name one of: %s"
              .formatted(TrainingId.showLabels(at), found.size(), showPoints(found)));
    }
    return found.getFirst();
  }

  /**
   * The points whose labels have the given values.
   *
   * @throws ExperimentException if there are none; the message lists the points
   */
  List<Integer> selected(Map<String, String> labels) {
    List<Integer> found =
        IntStream.range(0, plan.points().size())
            .filter(i -> PointValues.matches(plan.points().get(i), labels))
            .boxed()
            .toList();
    if (found.isEmpty()) {
      throw new ExperimentException(
          "no sweep point has %s; the points are: %s"
              .formatted(
                  TrainingId.showLabels(labels),
                  showPoints(IntStream.range(0, plan.points().size()).boxed().toList())));
    }
    return found;
  }

  private String showPoints(List<Integer> points) {
    return points.stream()
        .map(i -> TrainingId.showLabels(plan.points().get(i).labels()))
        .map(labels -> labels.isEmpty() ? "the only one, which sweeps nothing" : labels)
        .collect(Collectors.joining("; "));
  }

  private double reduce(String function, Quantity of, int point, int seedIndex) {
    double[] series = series(of, point, seedIndex);
    if (series.length == 0) {
      return Double.NaN;
    }
    return switch (function) {
      case "final" -> series[series.length - 1];
      case "first" -> series[0];
      case "max" -> Arrays.stream(series).reduce(Double.NEGATIVE_INFINITY, Math::max);
      case "min" -> Arrays.stream(series).reduce(Double.POSITIVE_INFINITY, Math::min);
      case "mean" -> Arrays.stream(series).sum() / series.length;
      case "least_rise" -> Arrays.stream(rises(series)).reduce(Double.POSITIVE_INFINITY, Math::min);
      case "largest_rise" ->
          Arrays.stream(rises(series)).reduce(Double.NEGATIVE_INFINITY, Math::max);
      case "argmax" -> argmax(series, training(point, seedIndex).series().steps());
      default ->
          throw new ExperimentException(
              Names.unknown("function of a series", function, FUNCTIONS).getMessage());
    };
  }

  /** How much each record is above the one before it. */
  private static double[] rises(double[] series) {
    return IntStream.range(1, series.length).mapToDouble(i -> series[i] - series[i - 1]).toArray();
  }

  /** The slope of the least-squares line, or the correlation; NaN where they are not defined. */
  private static double relate(String function, double[] x, double[] y) {
    if (x.length < 2) {
      return Double.NaN;
    }
    return switch (function) {
      case "slope" -> {
        SimpleRegression line = new SimpleRegression();
        for (int i = 0; i < x.length; i++) {
          line.addData(x[i], y[i]);
        }
        yield line.getSlope();
      }
      case "correlation" -> new PearsonsCorrelation().correlation(x, y);
      default ->
          throw new ExperimentException(
              Names.unknown("function of two series", function, List.of("slope", "correlation"))
                  .getMessage());
    };
  }

  private static double argmax(double[] series, int[] steps) {
    int best = 0;
    for (int i = 0; i < series.length; i++) {
      if (Double.isNaN(series[i])) {
        return Double.NaN;
      }
      best = series[i] > series[best] ? i : best;
    }
    return steps[best];
  }

  private double[] everywhere(Quantity quantity, int point, int seedIndex) {
    double[] all = new double[training(point, seedIndex).series().count()];
    Arrays.fill(all, number(quantity, point, seedIndex));
    return all;
  }

  private String nameOf(Quantity quantity) {
    return records
        .name(quantity)
        .orElseThrow(() -> new IllegalStateException("not recorded: " + quantity));
  }

  private static ExperimentException wholeSeries(Quantity quantity) {
    String text = QuantityText.show(quantity);
    return new ExperimentException(
        "`%s` is a whole series; say which number is meant, such as `final(%s)`"
            .formatted(text, text));
  }
}
