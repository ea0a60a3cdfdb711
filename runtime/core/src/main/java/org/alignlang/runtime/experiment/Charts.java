package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.experiment.ExperimentPlan.Plot;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.report.Chart;

/**
 * Draws an experiment's series: lines are means over seeds, bands their range, and dashed lines (or
 * rings, where the horizontal axis is not the step) the closed form.
 */
final class Charts {
  private static final int MOST_DEFAULT_CHARTS = 8;

  private final ExperimentPlan plan;
  private final List<TrainingResult> trainings;
  private final SeriesAlgebra algebra;
  private final ClosedForms optima;

  Charts(
      ExperimentPlan plan,
      List<TrainingResult> trainings,
      SeriesAlgebra algebra,
      ClosedForms optima) {
    this.plan = plan;
    this.trainings = trainings;
    this.algebra = algebra;
    this.optima = optima;
  }

  /**
   * The charts that the plan asks for; if it asks for none, what it records against the step. Then
   * the multipliers' paths, where the plan does not plot them itself.
   *
   * @param note is told of what cannot be drawn: a run is not lost for a plot
   */
  List<Chart> all(Consumer<String> note) {
    List<Chart> charts = new ArrayList<>();
    List<Plot> plots = plan.plots();
    if (plots.isEmpty()) {
      plots =
          plan.records().stream()
              .limit(MOST_DEFAULT_CHARTS)
              .map(recorded -> overSteps(recorded.name()))
              .toList();
    }
    for (Plot plot : plots) {
      try {
        charts.add(chart(plot));
      } catch (ExperimentException e) {
        note.accept(
            "the plot of `%s` against `%s` cannot be drawn: %s"
                .formatted(
                    QuantityText.show(plot.vertical()),
                    QuantityText.show(plot.horizontal()),
                    e.getMessage()));
      }
    }
    for (String multiplier : multipliers()) {
      Plot path = overSteps(multiplier);
      if (plots.stream().noneMatch(plot -> plot.vertical().equals(path.vertical()))) {
        charts.add(chart(path));
      }
    }
    return charts;
  }

  private static Plot overSteps(String name) {
    return new Plot(new Quantity.Named(name), new Quantity.Named("step"), "", "");
  }

  /** The names under which the points' multipliers are recorded. */
  private Set<String> multipliers() {
    Set<String> names = new LinkedHashSet<>();
    for (int point = 0; point < plan.points().size(); point++) {
      Set<String> recorded = algebra.training(point, 0).series().values().keySet();
      if (!(plan.points().get(point) instanceof ExperimentPlan.Training training)) {
        continue;
      }
      training.objectives().stream()
          .flatMap(objective -> objective.kernel().signature().constraints().stream())
          .map(Signature.Constraint::multiplier)
          .forEach(multiplier -> {
            String beside = "multiplier." + multiplier;
            if (recorded.contains(beside) || recorded.contains(multiplier)) {
              names.add(recorded.contains(beside) ? beside : multiplier);
            }
          });
    }
    return names;
  }

  private Chart chart(Plot plot) {
    String vertical = QuantityText.show(plot.vertical());
    String horizontal = QuantityText.show(plot.horizontal());
    String title =
        plot.title().isEmpty() ? "%s against %s".formatted(vertical, horizontal) : plot.title();
    List<Chart.Series> lines = new ArrayList<>();
    List<Chart.Series> references = new ArrayList<>();
    groups(plot)
        .forEach((name, points) -> {
          List<TrainingResult> members =
              trainings.stream()
                  .filter(training -> points.contains(training.id().point()))
                  .filter(training -> has(training, plot))
                  .toList();
          int count = members.stream().mapToInt(t -> t.series().count()).min().orElse(0);
          if (count > 0 && alongSweep(plot)) {
            lines.add(sweepLine(name, plot, List.copyOf(points)));
          } else if (count > 0) {
            lines.add(line(name, plot, members, count));
            reference(name, plot, members, lines.getLast()).ifPresent(references::add);
          }
        });
    List<Chart.Series> all = new ArrayList<>(lines);
    all.addAll(distinct(references));
    return new Chart(title, horizontal, vertical, all);
  }

  /** Which sweep points make up each line. */
  private Map<String, Set<Integer>> groups(Plot plot) {
    Map<String, Set<Integer>> groups = new LinkedHashMap<>();
    for (int point = 0; point < plan.points().size(); point++) {
      Map<String, String> labels = plan.points().get(point).labels();
      String value = labels.get(plot.by());
      String name =
          value == null
              ? alongSweep(plot) ? "" : TrainingId.showLabels(labels)
              : TrainingId.showLabels(Map.of(plot.by(), value));
      groups.computeIfAbsent(name, n -> new LinkedHashSet<>()).add(point);
    }
    return groups;
  }

  /** Whether a training records what is plotted: points of a sweep may differ in multipliers. */
  private boolean has(TrainingResult training, Plot plot) {
    if (training.series().count() == 0) {
      return false;
    }
    return !(plot.vertical() instanceof Quantity.Named(String name))
        || name.equals("step")
        || training.series().values().containsKey(name);
  }

  private Chart.Series line(String name, Plot plot, List<TrainingResult> members, int count) {
    double[] x = new double[count];
    double[] y = new double[count];
    double[] low = new double[count];
    double[] high = new double[count];
    List<double[]> horizontal = new ArrayList<>();
    List<double[]> vertical = new ArrayList<>();
    for (TrainingResult member : members) {
      TrainingId id = member.id();
      horizontal.add(algebra.series(plot.horizontal(), id.point(), id.seedIndex()));
      vertical.add(algebra.series(plot.vertical(), id.point(), id.seedIndex()));
    }
    for (int i = 0; i < count; i++) {
      int at = i;
      x[i] = Interval.of(horizontal.stream().mapToDouble(h -> h[at]).toArray()).mean();
      double[] values = vertical.stream().mapToDouble(v -> v[at]).toArray();
      y[i] = Interval.of(values).mean();
      low[i] = IntStream.range(0, values.length).mapToDouble(j -> values[j]).min().orElseThrow();
      high[i] = IntStream.range(0, values.length).mapToDouble(j -> values[j]).max().orElseThrow();
    }
    boolean alone = members.size() == 1;
    return new Chart.Series(
        name, x, y, alone ? new double[0] : low, alone ? new double[0] : high, false);
  }

  /**
   * Whether a plot has one number per point of the sweep: its quantities are of no single record.
   */
  private static boolean alongSweep(Plot plot) {
    return !isSeries(plot.vertical())
        && !isSeries(plot.horizontal())
        && (reduces(plot.vertical()) || reduces(plot.horizontal()));
  }

  private static boolean isSeries(Quantity quantity) {
    return switch (quantity) {
      case Quantity.Apply apply -> apply.arguments().stream().anyMatch(Charts::isSeries);
      case Quantity.Constant _, Quantity.Label _ -> false;
      default -> !reduces(quantity);
    };
  }

  private static boolean reduces(Quantity quantity) {
    return switch (quantity) {
      case Quantity.Series _, Quantity.Statistic _, Quantity.Fitted _ -> true;
      case Quantity.Apply apply -> apply.arguments().stream().anyMatch(Charts::reduces);
      default -> false;
    };
  }

  /** A line through points of the sweep, by what is horizontal. */
  private Chart.Series sweepLine(String name, Plot plot, List<Integer> points) {
    record At(double x, double y, double low, double high) {}
    List<At> all = new ArrayList<>();
    for (int point : points) {
      double[] x = new double[plan.seeds()];
      double[] y = new double[plan.seeds()];
      for (int seed = 0; seed < plan.seeds(); seed++) {
        x[seed] = algebra.number(plot.horizontal(), point, seed);
        y[seed] = algebra.number(plot.vertical(), point, seed);
      }
      all.add(
          new At(
              Interval.of(x).mean(),
              Interval.of(y).mean(),
              Arrays.stream(y).min().orElseThrow(),
              Arrays.stream(y).max().orElseThrow()));
    }
    all.sort(Comparator.comparingDouble(At::x));
    boolean alone = plan.seeds() == 1;
    return new Chart.Series(
        name,
        all.stream().mapToDouble(At::x).toArray(),
        all.stream().mapToDouble(At::y).toArray(),
        alone ? new double[0] : all.stream().mapToDouble(At::low).toArray(),
        alone ? new double[0] : all.stream().mapToDouble(At::high).toArray(),
        false);
  }

  /** The closed form of a line, if it is known for all its trainings. */
  private Optional<Chart.Series> reference(
      String name, Plot plot, List<TrainingResult> members, Chart.Series line) {
    boolean overSteps = plot.horizontal().equals(new Quantity.Named("step"));
    OptionalDouble y = exact(plot.vertical(), members);
    OptionalDouble x = overSteps ? OptionalDouble.empty() : exact(plot.horizontal(), members);
    if (y.isEmpty() || (!overSteps && x.isEmpty())) {
      return Optional.empty();
    }
    double[] xs =
        overSteps
            ? new double[] {line.x()[0], line.x()[line.x().length - 1]}
            : new double[] {x.getAsDouble()};
    double[] ys = new double[xs.length];
    Arrays.fill(ys, y.getAsDouble());
    return Optional.of(new Chart.Series(name, xs, ys, new double[0], new double[0], true));
  }

  private OptionalDouble exact(Quantity quantity, List<TrainingResult> members) {
    double[] values = new double[members.size()];
    for (int i = 0; i < values.length; i++) {
      TrainingId id = members.get(i).id();
      OptionalDouble value = optima.valueIfKnown(quantity, id.point(), id.seedIndex());
      if (value.isEmpty() || !Double.isFinite(value.getAsDouble())) {
        return OptionalDouble.empty();
      }
      values[i] = value.getAsDouble();
    }
    return OptionalDouble.of(Interval.of(values).mean());
  }

  /** One grey line for all where their closed forms are the same. */
  private static List<Chart.Series> distinct(List<Chart.Series> references) {
    if (references.size() > 1
        && references.stream()
            .allMatch(r ->
                Arrays.equals(r.y(), references.getFirst().y())
                    && Arrays.equals(r.x(), references.getFirst().x()))) {
      Chart.Series one = references.getFirst();
      return List.of(
          new Chart.Series("closed form", one.x(), one.y(), one.low(), one.high(), true));
    }
    return references;
  }
}
