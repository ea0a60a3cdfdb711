package org.alignlang.runtime.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.report.Chart;
import org.jspecify.annotations.Nullable;

/**
 * Two runs side by side.
 *
 * @param settings the settings that differ
 * @param rows what both or one recorded, at the end
 * @param paired whether the runs have the same seeds, so that differences are taken seed by seed
 * @param charts what both recorded, over the steps
 */
public record RunComparison(
    List<Setting> settings, List<Row> rows, boolean paired, List<Chart> charts) {
  private static final int MOST_CHARTS = 8;
  private static final int MOST_LINES = 12;

  public RunComparison {
    settings = List.copyOf(settings);
    rows = List.copyOf(rows);
    charts = List.copyOf(charts);
  }

  /** A setting that differs. */
  public record Setting(String name, String first, String second) {}

  /**
   * A quantity at a sweep point.
   *
   * @param first in the first run; null if it has none
   * @param second in the second run; null if it has none
   * @param difference second minus first; null unless both have one
   */
  public record Row(
      Map<String, String> labels,
      String quantity,
      @Nullable Interval first,
      @Nullable Interval second,
      @Nullable Interval difference) {}

  /** Compares two runs by what lies on disk; runs that have not ended are compared so far. */
  public static RunComparison of(StoredRun first, StoredRun second) {
    boolean paired =
        first.manifest().seed() == second.manifest().seed()
            && first.manifest().seeds() == second.manifest().seeds();
    Side a = new Side(first);
    Side b = new Side(second);
    return new RunComparison(
        settings(first.manifest(), second.manifest()), rows(a, b, paired), paired, charts(a, b));
  }

  /** The records of a run by the labels of its sweep points, one list per seed. */
  private record Side(String name, Map<Map<String, String>, List<List<StoredRun.Record>>> records) {
    Side(StoredRun run) {
      this(run.name(), read(run));
    }

    private static Map<Map<String, String>, List<List<StoredRun.Record>>> read(StoredRun run) {
      Map<Map<String, String>, List<List<StoredRun.Record>>> all = new LinkedHashMap<>();
      for (int point = 0; point < run.manifest().points().size(); point++) {
        List<List<StoredRun.Record>> seeds = new ArrayList<>();
        for (int i = 0; i < run.manifest().seeds(); i++) {
          seeds.add(run.metrics(point, run.manifest().seed() + i));
        }
        all.put(run.manifest().points().get(point).labels(), seeds);
      }
      return all;
    }

    private List<List<StoredRun.Record>> at(Map<String, String> labels) {
      return records.getOrDefault(labels, List.of());
    }

    /** The last values of a quantity, one per seed; empty unless every seed has one. */
    double[] last(Map<String, String> labels, String quantity) {
      List<List<StoredRun.Record>> seeds = at(labels);
      double[] values =
          seeds.stream()
              .filter(seed -> !seed.isEmpty() && seed.getLast().values().containsKey(quantity))
              .mapToDouble(seed -> seed.getLast().values().getOrDefault(quantity, Double.NaN))
              .toArray();
      return values.length == seeds.size() ? values : new double[0];
    }

    Set<String> quantities(Map<String, String> labels) {
      Set<String> names = new LinkedHashSet<>();
      at(labels).stream()
          .filter(seed -> !seed.isEmpty())
          .forEach(seed -> names.addAll(seed.getLast().values().keySet()));
      return names;
    }
  }

  private static List<Setting> settings(RunManifest a, RunManifest b) {
    Map<String, String> first = describe(a);
    Map<String, String> second = describe(b);
    Set<String> names = new LinkedHashSet<>(first.keySet());
    names.addAll(second.keySet());
    List<Setting> all = new ArrayList<>();
    for (String name : names) {
      String one = first.getOrDefault(name, "");
      String other = second.getOrDefault(name, "");
      if (!one.equals(other)) {
        all.add(new Setting(name, one, other));
      }
    }
    return all;
  }

  private static Map<String, String> describe(RunManifest manifest) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("experiment", manifest.experiment());
    all.put("steps", Integer.toString(manifest.steps()));
    all.put("first seed", Long.toString(manifest.seed()));
    all.put("seeds", Integer.toString(manifest.seeds()));
    all.put("back end", manifest.backEnd());
    all.put("Align", manifest.environment().alignVersion());
    all.put("Java", manifest.environment().javaVersion());
    all.put("points", Integer.toString(manifest.points().size()));
    Map<String, Set<String>> values = new LinkedHashMap<>();
    for (RunManifest.Point point : manifest.points()) {
      add(values, "objective", point.objective());
      add(values, "task", point.task());
      add(values, "policy", point.policy());
      add(values, "optimizer", point.optimizer());
      add(values, "rows per step", Integer.toString(point.batch()));
      add(values, "responses per prompt", Integer.toString(point.group()));
      add(values, "epochs per batch", Integer.toString(point.epochs()));
      point.actors().forEach((name, actor) -> add(values, "actor " + name, actor));
      point
          .parameters()
          .forEach((name, value) -> add(values, "parameter " + name, Interval.show(value)));
    }
    values.forEach((name, found) -> all.put(name, String.join("; ", found)));
    manifest
        .sources()
        .forEach(source -> all.put("`" + source.path() + "`", source.sha256().substring(0, 12)));
    manifest
        .data()
        .forEach(source -> all.put("`" + source.path() + "`", source.sha256().substring(0, 12)));
    return all;
  }

  private static void add(Map<String, Set<String>> values, String name, String value) {
    values.computeIfAbsent(name, _ -> new LinkedHashSet<>()).add(value);
  }

  private static List<Row> rows(Side a, Side b, boolean paired) {
    Set<Map<String, String>> points = new LinkedHashSet<>(a.records().keySet());
    points.addAll(b.records().keySet());
    List<Row> rows = new ArrayList<>();
    for (Map<String, String> labels : points) {
      Set<String> names = new LinkedHashSet<>(a.quantities(labels));
      names.addAll(b.quantities(labels));
      for (String name : names) {
        double[] first = a.last(labels, name);
        double[] second = b.last(labels, name);
        rows.add(
            new Row(
                labels,
                name,
                first.length == 0 ? null : Interval.of(first),
                second.length == 0 ? null : Interval.of(second),
                first.length == 0 || second.length == 0
                    ? null
                    : difference(first, second, paired)));
      }
    }
    return rows;
  }

  private static Interval difference(double[] first, double[] second, boolean paired) {
    if (!paired || first.length != second.length) {
      return Interval.ofDifference(second, first);
    }
    double[] differences = new double[first.length];
    Arrays.setAll(differences, i -> second[i] - first[i]);
    return Interval.of(differences);
  }

  private static List<Chart> charts(Side a, Side b) {
    Set<String> inFirst = new LinkedHashSet<>();
    a.records().keySet().forEach(labels -> inFirst.addAll(a.quantities(labels)));
    Set<String> inSecond = new TreeSet<>();
    b.records().keySet().forEach(labels -> inSecond.addAll(b.quantities(labels)));
    inFirst.retainAll(inSecond);
    List<Chart> charts = new ArrayList<>();
    for (String name : inFirst.stream().limit(MOST_CHARTS).toList()) {
      List<Chart.Series> lines = new ArrayList<>();
      addLines(lines, a, name, "A");
      addLines(lines, b, name, "B");
      charts.add(new Chart(name, "step", name, lines));
    }
    return charts;
  }

  private static void addLines(List<Chart.Series> lines, Side side, String name, String run) {
    int before = lines.size();
    for (Map<String, String> labels : side.records().keySet()) {
      List<List<StoredRun.Record>> seeds =
          side.at(labels).stream().filter(seed -> !seed.isEmpty()).toList();
      int count = seeds.stream().mapToInt(List::size).min().orElse(0);
      if (count == 0 || lines.size() - before >= MOST_LINES) {
        continue;
      }
      double[] x = new double[count];
      double[] y = new double[count];
      double[] low = new double[count];
      double[] high = new double[count];
      for (int i = 0; i < count; i++) {
        int at = i;
        double[] values =
            seeds.stream()
                .mapToDouble(seed -> seed.get(at).values().getOrDefault(name, Double.NaN))
                .toArray();
        x[i] = seeds.getFirst().get(i).step();
        y[i] = Interval.of(values).mean();
        low[i] = Arrays.stream(values).min().orElse(Double.NaN);
        high[i] = Arrays.stream(values).max().orElse(Double.NaN);
      }
      boolean alone = seeds.size() == 1;
      String shown = TrainingId.showLabels(labels);
      lines.add(
          new Chart.Series(
              run + (shown.isEmpty() ? "" : ": " + shown),
              x,
              y,
              alone ? new double[0] : low,
              alone ? new double[0] : high,
              false));
    }
  }
}
