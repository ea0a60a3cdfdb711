package org.alignlang.cli.run;

import java.nio.file.Path;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.UserError;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.report.ResultTable;
import org.alignlang.runtime.run.RunException;
import org.alignlang.runtime.run.RunResults;
import org.alignlang.runtime.run.RunStore;
import org.alignlang.runtime.run.StoredRun;

/** Lists runs: what {@code align runs} does. */
public final class RunList {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss", Locale.ROOT);
  private static final int QUANTITIES = 3;

  private final Output output;

  public RunList(Output output) {
    this.output = output;
  }

  /**
   * Lists the runs of a folder and returns the exit code.
   *
   * @param json whether as JSON, one object per run
   */
  public int list(Path folder, boolean json) {
    List<StoredRun> runs;
    try {
      runs = new RunStore(folder).list(message -> output.note("note: " + message));
    } catch (RunException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
    if (json) {
      runs.forEach(run -> output.out().println(JsonText.line(json(run))));
    } else if (runs.isEmpty()) {
      output.note("there are no runs in `%s`".formatted(folder));
    } else {
      output.out().print(table(runs));
    }
    return ExitCode.CLEAN;
  }

  private static Map<String, Object> json(StoredRun run) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("run", run.path().toString());
    object.put("created", run.manifest().created());
    object.put("experiment", run.manifest().experiment());
    object.put("status", status(run));
    object.put("steps", run.recordedSteps());
    object.put("plannedSteps", run.plannedSteps());
    run.results()
        .ifPresent(results -> {
          object.put("passed", results.passed());
          object.put("claims", results.claims());
          object.put("quantities", results.quantities());
        });
    return object;
  }

  private static String table(List<StoredRun> runs) {
    TextTable table =
        new TextTable()
            .text("started")
            .text("run")
            .text("status")
            .number("steps")
            .text("claims")
            .text("at the end");
    for (StoredRun run : runs) {
      long steps = run.recordedSteps();
      long planned = run.plannedSteps();
      table.row(
          List.of(
              TIME.format(run.manifest().created()),
              run.name(),
              status(run),
              steps == planned ? Long.toString(steps) : steps + " of " + planned,
              claims(run.results()),
              quantities(run.results())));
    }
    return table.render();
  }

  private static String status(StoredRun run) {
    return run.status().name().toLowerCase(Locale.ROOT);
  }

  private static String claims(Optional<RunResults> results) {
    if (results.isEmpty() || !results.get().complete() || results.get().claims().isEmpty()) {
      return "";
    }
    List<ClaimVerdict> all = results.get().claims();
    long held = all.stream().filter(ClaimVerdict::passed).count();
    return "%s %d of %d hold".formatted(held == all.size() ? "✓" : "✗", held, all.size());
  }

  /** The first recorded quantities: one number, or the range over the sweep. */
  private static String quantities(Optional<RunResults> results) {
    Map<String, List<Double>> values = new LinkedHashMap<>();
    for (ResultTable.Row row : results.map(RunResults::quantities).orElse(List.of())) {
      values.computeIfAbsent(row.quantity(), _ -> new ArrayList<>()).add(row.last().mean());
    }
    List<String> shown = new ArrayList<>();
    values.forEach((name, numbers) -> {
      if (shown.size() < QUANTITIES) {
        double low = numbers.stream().mapToDouble(n -> n).min().orElse(Double.NaN);
        double high = numbers.stream().mapToDouble(n -> n).max().orElse(Double.NaN);
        shown.add(
            low == high
                ? "%s %s".formatted(name, Interval.show(low))
                : "%s %s to %s".formatted(name, Interval.show(low), Interval.show(high)));
      }
    });
    return String.join(", ", shown);
  }
}
