package org.alignlang.runtime.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.experiment.TrainingResult;
import org.jspecify.annotations.Nullable;

/**
 * What an experiment's quantities came to, over seeds, with the closed form beside them.
 *
 * @param rows by sweep point, then in the order of the records
 */
public record ResultTable(List<Row> rows) {
  public ResultTable {
    rows = List.copyOf(rows);
  }

  /**
   * One quantity at one sweep point.
   *
   * @param point the sweep point's number
   * @param labels its swept values
   * @param quantity the recorded name
   * @param first at the first record
   * @param last at the last record
   * @param exact at the closed-form optimum, null where none is known
   * @param difference last minus exact, paired by seed; null where exact is
   * @param method how the numbers were found
   */
  public record Row(
      int point,
      Map<String, String> labels,
      String quantity,
      Interval first,
      Interval last,
      @Nullable Interval exact,
      @Nullable Interval difference,
      String method) {
    public Row {
      labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }
  }

  /** The table of a result. Trainings that recorded nothing do not count. */
  public static ResultTable of(ExperimentResult result) {
    Map<Integer, List<TrainingResult>> points =
        result.trainings().stream()
            .filter(training -> training.series().count() > 0)
            .collect(
                Collectors.groupingBy(
                    training -> training.id().point(), LinkedHashMap::new, Collectors.toList()));
    List<Row> rows = new ArrayList<>();
    points.forEach((point, trainings) -> {
      for (String name : trainings.getFirst().series().values().keySet()) {
        rows.add(row(point, name, trainings));
      }
    });
    return new ResultTable(rows);
  }

  private static Row row(int point, String name, List<TrainingResult> trainings) {
    double[] first = trainings.stream().mapToDouble(t -> t.series().of(name)[0]).toArray();
    double[] last = trainings.stream().mapToDouble(t -> t.series().last(name)).toArray();
    Interval exact = null;
    Interval difference = null;
    if (trainings.stream().allMatch(training -> training.optimum().containsKey(name))) {
      double[] optima = trainings.stream().mapToDouble(t -> t.optimum().get(name)).toArray();
      double[] differences = new double[optima.length];
      for (int i = 0; i < optima.length; i++) {
        differences[i] = last[i] - optima[i];
      }
      exact = Interval.of(optima);
      difference = Interval.of(differences);
    }
    TrainingResult any = trainings.getFirst();
    return new Row(
        point,
        any.id().labels(),
        name,
        Interval.of(first),
        Interval.of(last),
        exact,
        difference,
        any.series().methods().containsKey(name) ? any.series().methods().get(name).show() : "");
  }

  /** Whether a closed form is known for any of the rows. */
  public boolean hasExact() {
    return rows.stream().anyMatch(row -> row.exact() != null);
  }
}
