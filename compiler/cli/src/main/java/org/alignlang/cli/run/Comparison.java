package org.alignlang.cli.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.UserError;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.report.Chart;
import org.alignlang.runtime.report.SvgChart;
import org.alignlang.runtime.run.RunComparison;
import org.alignlang.runtime.run.RunException;
import org.alignlang.runtime.run.RunStore;
import org.alignlang.runtime.run.StoredRun;

/** Compares two runs: what {@code align compare} does. */
public final class Comparison {
  private final Output output;

  public Comparison(Output output) {
    this.output = output;
  }

  /**
   * Compares and returns the exit code.
   *
   * @param folder the folder that keeps runs
   * @param plot where the overlay goes; empty for a file beside the runs
   */
  public int compare(Path folder, String first, String second, Optional<Path> plot, boolean json) {
    try {
      RunStore store = new RunStore(folder);
      StoredRun a = store.find(first);
      StoredRun b = store.find(second);
      RunComparison comparison = RunComparison.of(a, b);
      Optional<Path> drawn = draw(comparison, plot.orElseGet(() -> beside(store, a, b)));
      if (json) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("first", a.path().toString());
        document.put("second", b.path().toString());
        document.put("settings", comparison.settings());
        document.put("quantities", comparison.rows());
        drawn.ifPresent(path -> document.put("plot", path.toString()));
        output.out().println(JsonText.line(document));
      } else {
        print(a, b, comparison);
        drawn.ifPresent(path -> output.out().println("plot: " + path));
      }
      return ExitCode.CLEAN;
    } catch (RunException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
  }

  private static Path beside(RunStore store, StoredRun a, StoredRun b) {
    return store.root().resolve("compare-%s-%s.svg".formatted(a.name(), b.name()));
  }

  private static Optional<Path> draw(RunComparison comparison, Path file) {
    List<Chart> charts = comparison.charts();
    if (charts.isEmpty()) {
      return Optional.empty();
    }
    try {
      Files.write(file, SvgChart.stack(charts).getBytes(StandardCharsets.UTF_8));
      return Optional.of(file);
    } catch (IOException e) {
      throw new UserError("`%s` cannot be written: %s".formatted(file, e.getMessage()));
    }
  }

  private void print(StoredRun a, StoredRun b, RunComparison comparison) {
    output.out().println("A: " + a.name());
    output.out().println("B: " + b.name());
    output.out().println();
    if (comparison.settings().isEmpty()) {
      output.out().println("The settings are the same.");
    } else {
      TextTable settings = new TextTable().text("setting").text("A").text("B");
      comparison
          .settings()
          .forEach(
              setting -> settings.row(List.of(setting.name(), setting.first(), setting.second())));
      output.out().print(settings.render());
    }
    output.out().println();
    TextTable table =
        new TextTable()
            .text("at")
            .text("quantity")
            .number("A")
            .number("B")
            .number("B − A")
            .text("clear");
    String before = "";
    for (RunComparison.Row row : comparison.rows()) {
      String at = TrainingId.showLabels(row.labels());
      Interval difference = row.difference();
      table.row(
          List.of(
              at.equals(before) ? "" : at,
              row.quantity(),
              ResultText.show(row.first()),
              ResultText.show(row.second()),
              ResultText.show(difference),
              difference != null && difference.spread()
                  ? (difference.low() > 0 || difference.high() < 0 ? "yes" : "no")
                  : ""));
      before = at;
    }
    if (table.isEmpty()) {
      output.out().println("Nothing was recorded by both.");
    } else {
      output.out().print(table.render());
      if (comparison.rows().stream()
          .anyMatch(r -> r.difference() != null && r.difference().spread())) {
        output
            .out()
            .println(
                "\nClear: the 95 %% interval of the difference%s excludes 0."
                    .formatted(comparison.paired() ? ", paired by seed," : ""));
      }
    }
  }
}
