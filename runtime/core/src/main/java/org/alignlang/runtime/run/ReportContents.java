package org.alignlang.runtime.run;

import java.nio.file.Path;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.experiment.TrainingResult;
import org.alignlang.runtime.report.HtmlReport;
import org.alignlang.runtime.report.ResultTable;

/** Gathers what the report of a run shows. */
final class ReportContents {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("d MMMM uuuu, HH:mm xxx", Locale.ENGLISH);
  private static final int MOST_POINTS_LISTED = 16;

  private ReportContents() {}

  static HtmlReport.Contents of(
      Path directory, RunManifest manifest, ExperimentResult result, String spec) {
    double seconds = result.trainings().stream().mapToDouble(TrainingResult::seconds).sum();
    String work =
        isStudy(manifest)
            ? "%d computations".formatted(result.trainings().size())
            : "%d trainings of %d steps".formatted(result.trainings().size(), manifest.steps());
    String subtitle =
        "%s · started %s · %s · %s s of work"
            .formatted(
                manifest.spec(), TIME.format(manifest.created()), work, Interval.show(seconds));
    return new HtmlReport.Contents(
        manifest.experiment(),
        subtitle,
        result.complete(),
        manifest.objective(),
        manifest.seeds(),
        ResultTable.of(result),
        result.claims(),
        result.charts(),
        result.trainings(),
        result.notes(),
        configuration(manifest),
        environment(manifest),
        commands(directory, manifest, result.complete()),
        spec);
  }

  private static Map<String, String> configuration(RunManifest manifest) {
    Map<String, String> all = new LinkedHashMap<>();
    RunManifest.Point first = manifest.points().getFirst();
    if (isStudy(manifest)) {
      all.put("study", distinct(manifest, RunManifest.Point::objective));
      if (!first.task().isEmpty()) {
        all.put("task", distinct(manifest, RunManifest.Point::task));
      }
      seeds(manifest, all);
      return all;
    }
    all.put("objective", distinct(manifest, RunManifest.Point::objective));
    all.put("task", distinct(manifest, RunManifest.Point::task));
    all.put("policy", distinct(manifest, RunManifest.Point::policy));
    all.put("optimizer", distinct(manifest, RunManifest.Point::optimizer));
    if (manifest.points().size() == 1) {
      all.put("parameters", parameters(first));
    } else {
      List<RunManifest.Point> points = manifest.points();
      for (int i = 0; i < Math.min(points.size(), MOST_POINTS_LISTED); i++) {
        all.put(
            "point " + (i + 1),
            TrainingId.showLabels(points.get(i).labels()) + "; " + parameters(points.get(i)));
      }
      if (points.size() > MOST_POINTS_LISTED) {
        all.put("further points", Integer.toString(points.size() - MOST_POINTS_LISTED));
      }
    }
    all.put("rows per step", first.batch() == 0 ? "all" : Integer.toString(first.batch()));
    all.put("responses per prompt", Integer.toString(first.group()));
    all.put("epochs per batch", Integer.toString(first.epochs()));
    if (!first.actors().isEmpty()) {
      all.put("actors", TrainingId.showLabels(first.actors()));
    }
    all.put("steps", Integer.toString(manifest.steps()));
    seeds(manifest, all);
    all.put("steps between records", Integer.toString(manifest.recordEvery()));
    all.put("time bound", Interval.show(manifest.maximumSeconds()) + " s");
    if (!manifest.overrides().isEmpty()) {
      all.put("set from outside", TrainingId.showLabels(manifest.overrides()));
    }
    return all;
  }

  /** Whether nothing is trained. */
  private static boolean isStudy(RunManifest manifest) {
    return manifest.points().getFirst().policy().isEmpty();
  }

  private static void seeds(RunManifest manifest, Map<String, String> all) {
    all.put(
        "seeds",
        manifest.seeds() == 1
            ? Long.toString(manifest.seed())
            : "%d to %d".formatted(manifest.seed(), manifest.seed() + manifest.seeds() - 1));
  }

  private static String distinct(RunManifest manifest, Function<RunManifest.Point, String> part) {
    return manifest.points().stream().map(part).distinct().collect(Collectors.joining("; "));
  }

  private static String parameters(RunManifest.Point point) {
    return point.parameters().isEmpty()
        ? "none"
        : point.parameters().entrySet().stream()
            .map(entry -> entry.getKey() + " = " + Interval.show(entry.getValue()))
            .collect(Collectors.joining(", "));
  }

  private static Map<String, String> environment(RunManifest manifest) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("Align", manifest.environment().alignVersion());
    all.put("Java", manifest.environment().javaVersion());
    all.put("system", manifest.environment().system());
    all.put("processors", Integer.toString(manifest.environment().processors()));
    all.put("threads", Integer.toString(manifest.threads()));
    all.put("back end", manifest.backEnd());
    all.put("fingerprint", manifest.fingerprint());
    manifest.sources().forEach(source -> all.put("SHA-256 of " + source.path(), source.sha256()));
    manifest.data().forEach(source -> all.put("SHA-256 of " + source.path(), source.sha256()));
    return all;
  }

  private static List<String> commands(Path directory, RunManifest manifest, boolean complete) {
    StringBuilder run =
        new StringBuilder(
            "align run %s %s".formatted(quoted(manifest.spec()), manifest.experiment()));
    manifest
        .overrides()
        .forEach((name, value) -> run.append(" -s ").append(quoted(name + "=" + value)));
    run.append(
        " --steps %d --seeds %d --seed %d --backend %s"
            .formatted(manifest.steps(), manifest.seeds(), manifest.seed(), manifest.backEnd()));
    List<String> commands = new ArrayList<>(List.of(run.toString()));
    if (!complete) {
      commands.add("align run --resume " + quoted(directory.toString()));
    }
    return commands;
  }

  private static String quoted(String word) {
    return word.matches("[\\w./=:@%+,-]+") ? word : "'" + word.replace("'", "'\\''") + "'";
  }
}
