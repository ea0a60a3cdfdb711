package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.metric.FormulaFit;

/** Evaluates quantities over recorded series, as claims and plots need them. */
final class SeriesAlgebra {
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
      case Quantity.Agreement direct -> recorded.of(nameOf(direct));
      case Quantity.Diversity direct -> recorded.of(nameOf(direct));
      case Quantity.Statistic statistic -> everywhere(statistic, point, seedIndex);
      case Quantity.Fitted fitted -> everywhere(fitted, point, seedIndex);
      case Quantity.Coefficient coefficient -> throw free(coefficient);
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
      case Quantity.Statistic statistic -> statistic(statistic, point, seedIndex);
      case Quantity.Fitted fitted -> fitted(fitted, point, seedIndex);
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
      case Quantity.Agreement direct -> throw wholeSeries(direct);
      case Quantity.Diversity direct -> throw wholeSeries(direct);
      case Quantity.Coefficient coefficient -> throw free(coefficient);
    };
  }

  /**
   * The point that {@code at} names. Labels that it leaves out are those of the point at hand.
   *
   * @throws ExperimentException if there is no such point, or several
   */
  int point(Map<String, String> at, int current) {
    return point(at, List.of(), current);
  }

  /** The same where points that differ in {@code over} alone are as good as one. */
  int point(Map<String, String> at, List<String> over, int current) {
    if (at.isEmpty()) {
      return current;
    }
    List<Integer> found = selected(at);
    if (groups(found, over) > 1) {
      Map<String, String> wanted = new LinkedHashMap<>(plan.points().get(current).labels());
      over.forEach(wanted::remove);
      wanted.putAll(at);
      List<Integer> closer =
          found.stream().filter(i -> PointValues.matches(plan.points().get(i), wanted)).toList();
      if (groups(closer, over) == 1) {
        return closer.getFirst();
      }
      throw new ExperimentException(
          "`at %s` means %d sweep points; name one of: %s"
              .formatted(TrainingId.showLabels(at), found.size(), showPoints(found)));
    }
    return found.getFirst();
  }

  private long groups(List<Integer> points, List<String> over) {
    return points.stream()
        .map(point -> {
          Map<String, String> rest = new LinkedHashMap<>(plan.points().get(point).labels());
          over.forEach(rest::remove);
          return rest;
        })
        .distinct()
        .count();
  }

  /**
   * The swept names whose values at the point at hand decide which points {@code at} and {@code
   * over} mean; none where they are the same for all.
   */
  Set<String> leftOpen(Map<String, String> at, List<String> over) {
    List<Integer> found = selected(at);
    Set<String> names = new TreeSet<>();
    if (groups(found, over) > 1) {
      found.forEach(point -> names.addAll(plan.points().get(point).labels().keySet()));
      names.removeAll(at.keySet());
      over.forEach(names::remove);
    }
    return names;
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
    int[] steps = training(point, seedIndex).series().steps();
    return Statistics.apply(
        function,
        List.of(series(of, point, seedIndex)),
        Map.of(),
        Arrays.stream(steps).asDoubleStream().toArray());
  }

  private double statistic(Quantity.Statistic statistic, int point, int seedIndex) {
    int where = point(statistic.at(), statistic.over(), point);
    if (statistic.over().isEmpty()) {
      return Statistics.apply(
          statistic.function(),
          statistic.of().stream().map(of -> series(of, where, seedIndex)).toList(),
          statistic.options(),
          new double[0]);
    }
    List<Integer> along = along(statistic.over(), where);
    List<double[]> lists =
        statistic.of().stream()
            .map(of -> along.stream().mapToDouble(p -> number(of, p, seedIndex)).toArray())
            .toList();
    double[] places = new double[along.size()];
    if (statistic.function().equals("argmax")) {
      if (statistic.over().size() > 1) {
        throw new ExperimentException("`argmax` is the value of one swept name, not of several");
      }
      Arrays.setAll(
          places,
          i -> PointValues.of(plan.points().get(along.get(i)), statistic.over().getFirst()));
    }
    return Statistics.apply(statistic.function(), lists, statistic.options(), places);
  }

  /**
   * The points that differ from one in the given swept names alone, itself included, in the order
   * written.
   */
  List<Integer> along(List<String> over, int point) {
    Map<String, String> fixed = new LinkedHashMap<>(plan.points().get(point).labels());
    over.forEach(fixed::remove);
    return IntStream.range(0, plan.points().size())
        .filter(i -> {
          Map<String, String> labels = plan.points().get(i).labels();
          return labels.keySet().containsAll(over)
              && labels.size() == fixed.size() + over.size()
              && PointValues.matches(plan.points().get(i), fixed);
        })
        .boxed()
        .toList();
  }

  private double fitted(Quantity.Fitted fitted, int point, int seedIndex) {
    double[] targets;
    List<Quantity> formulas = new ArrayList<>();
    if (fitted.over().isEmpty()) {
      targets = series(fitted.of(), point, seedIndex);
      for (int i = 0; i < targets.length; i++) {
        int at = i;
        formulas.add(folded(fitted.formula(), quantity -> series(quantity, point, seedIndex)[at]));
      }
    } else {
      List<Integer> along = along(fitted.over(), point);
      targets = along.stream().mapToDouble(p -> number(fitted.of(), p, seedIndex)).toArray();
      along.forEach(
          p -> formulas.add(folded(fitted.formula(), quantity -> number(quantity, p, seedIndex))));
    }
    try {
      FormulaFit fit =
          FormulaFit.of(
              targets,
              fitted.free().size(),
              (place, values) -> value(formulas.get(place), fitted.free(), values));
      return switch (fitted.result()) {
        case "r_squared" -> fit.rSquared();
        case "error" -> fit.error();
        default -> fit.coefficients()[fitted.free().indexOf(fitted.result())];
      };
    } catch (IllegalArgumentException e) {
      throw new ExperimentException("the fit `%s`: %s".formatted(fitted.fit(), e.getMessage()), e);
    }
  }

  /** A formula in which only coefficients are left open. */
  private static Quantity folded(Quantity formula, ToDoubleFunction<Quantity> known) {
    return switch (formula) {
      case Quantity.Coefficient coefficient -> coefficient;
      case Quantity.Apply(String function, List<Quantity> arguments)
          when arguments.stream().anyMatch(SeriesAlgebra::isOpen) ->
          new Quantity.Apply(
              function, arguments.stream().map(argument -> folded(argument, known)).toList());
      default -> new Quantity.Constant(known.applyAsDouble(formula));
    };
  }

  private static boolean isOpen(Quantity quantity) {
    return quantity instanceof Quantity.Coefficient
        || quantity instanceof Quantity.Apply apply
            && apply.arguments().stream().anyMatch(SeriesAlgebra::isOpen);
  }

  private static double value(Quantity formula, List<String> free, double[] values) {
    return switch (formula) {
      case Quantity.Constant(double value) -> value;
      case Quantity.Coefficient(String name) -> values[free.indexOf(name)];
      case Quantity.Apply(String function, List<Quantity> arguments) ->
          Arithmetic.apply(
              function, arguments.stream().map(part -> value(part, free, values)).toList());
      default -> throw new IllegalStateException("not folded: " + formula);
    };
  }

  private static ExperimentException free(Quantity.Coefficient coefficient) {
    return new ExperimentException(
        "`%s` is a free coefficient, which only the formula of its fit has"
            .formatted(coefficient.name()));
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
