package org.alignlang.cli.run;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.kernel.AlignVersion;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.run.RunDirectory;
import org.alignlang.runtime.run.RunException;
import org.alignlang.runtime.run.RunManifest;
import org.alignlang.runtime.run.RunRequest;
import org.alignlang.runtime.run.RunResults;
import org.alignlang.runtime.run.RunStore;
import org.alignlang.runtime.run.StoredRun;

/** Runs an experiment, or goes on with one: what {@code align run} does. */
public final class ExperimentRun {
  /** What a shell reports for a process that Ctrl-C ended. */
  public static final int INTERRUPTED = 130;

  private static final double CHECKPOINT_SECONDS = 10;

  private final Output output;
  private final Settings settings;

  /**
   * What the user asked for.
   *
   * @param file the spec; may be left out where a run is gone on with
   * @param experiment the experiment; may be left out where there is only one
   * @param parameters parameters of the objective
   * @param seed the first seed
   * @param threads how many threads
   * @param steps steps of each training, in place of the spec's
   * @param seeds how many seeds, in place of the spec's
   * @param out the folder that keeps runs
   * @param resume the run to go on with; an empty text means the last one that is not complete
   * @param backEnd what kernels are lowered to
   * @param json whether the results are written as JSON
   * @param showProgress whether standard error is a terminal
   */
  public record Settings(
      Optional<String> file,
      Optional<String> experiment,
      Map<String, Expression> parameters,
      Optional<Long> seed,
      int threads,
      Optional<Integer> steps,
      Optional<Integer> seeds,
      Path out,
      Optional<String> resume,
      Optional<String> backEnd,
      boolean json,
      boolean showProgress) {}

  public ExperimentRun(Output output, Settings settings) {
    this.output = output;
    this.settings = settings;
  }

  /** Runs and returns the exit code. */
  public int run() {
    try {
      RunStore store = new RunStore(settings.out());
      return settings.resume().isPresent() ? resume(store) : start(store);
    } catch (RunException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
  }

  private int start(RunStore store) {
    if (settings.file().isEmpty()) {
      throw new UserError("say which spec to run: `align run FILE`");
    }
    SpecFile spec = Specs.load(settings.file().get()).requireClean();
    Declaration.ExperimentDeclaration experiment = spec.experiment(settings.experiment());
    RunRequest request =
        Experiments.request(
            spec,
            experiment,
            new ExperimentCompiler.Overrides(
                settings.parameters(), settings.steps().orElse(0), settings.seeds().orElse(0)),
            Experiments.backEnd(settings.backEnd()),
            settings.seed().orElse(1L),
            settings.threads());
    try (RunDirectory directory = store.create(request)) {
      return run(directory, request);
    }
  }

  private int resume(RunStore store) {
    if (!settings.parameters().isEmpty()
        || settings.seed().isPresent()
        || settings.steps().isPresent()
        || settings.seeds().isPresent()
        || settings.backEnd().isPresent()) {
      throw new UserError(
          "a run goes on with what it was started with: with `--resume`, leave out `-s`, `--seed`,"
              + " `--steps`, `--seeds` and `--backend`");
    }
    String wanted = settings.resume().orElse("");
    StoredRun run =
        wanted.isEmpty()
            ? store
                .latest(stored -> stored.status() == StoredRun.Status.STOPPED)
                .orElseThrow(() ->
                    new UserError(
                        store
                            .lastWasKilledEarly()
                            .orElse(
                                "no run in `%s` has stopped before its end"
                                    .formatted(store.root()))))
            : store.find(wanted);
    RunManifest manifest = run.manifest();
    SpecFile spec = Specs.load(settings.file().orElseGet(() -> location(run))).requireClean();
    List<String> assignments =
        manifest.overrides().entrySet().stream()
            .map(value -> value.getKey() + "=" + value.getValue())
            .toList();
    RunRequest request =
        Experiments.request(
            spec,
            spec.experiment(Optional.of(settings.experiment().orElse(manifest.experiment()))),
            new ExperimentCompiler.Overrides(
                ParameterValues.parse(assignments), manifest.steps(), manifest.seeds()),
            Experiments.backEnd(Optional.of(manifest.backEnd())),
            manifest.seed(),
            settings.threads());
    if (!manifest.environment().alignVersion().equals(AlignVersion.current())) {
      output.note(
          "note: run `%s` was started with Align %s; its numbers may not be those of one session"
              .formatted(run.name(), manifest.environment().alignVersion()));
    }
    try (RunDirectory directory = store.resume(run, request)) {
      return run(directory, request);
    }
  }

  /** Where the spec of a run is. */
  private static String location(StoredRun run) {
    RunManifest manifest = run.manifest();
    if (manifest.specFile().isEmpty() && !manifest.spec().startsWith("align:")) {
      throw new UserError(
          "run `%s` read its spec from standard input; name the file that holds it now: `align run"
                  .formatted(run.name())
              + " FILE --resume RUN`");
    }
    return manifest.specFile().isEmpty() ? manifest.spec() : manifest.specFile();
  }

  private int run(RunDirectory directory, RunRequest request) {
    RunProgress.Style style =
        settings.json()
            ? RunProgress.Style.NONE
            : settings.showProgress() ? RunProgress.Style.BAR : RunProgress.Style.LINES;
    RunProgress progress = new RunProgress(output, style, request.plan().name());
    boolean interrupted;
    ExperimentResult result;
    try (Interruption _ = Interruption.watch()) {
      try {
        ExperimentRunner.Options options =
            new ExperimentRunner.Options(
                directory.manifest().seed(), settings.threads(), CHECKPOINT_SECONDS);
        result = new ExperimentRunner(request.plan(), options, progress, directory.log()).run();
      } catch (ExperimentException e) {
        progress.end();
        output.error(String.valueOf(e.getMessage()));
        if (!directory.discardIfEmpty()) {
          output.note("what was recorded until then is in " + directory.path());
        }
        return ExitCode.FINDINGS;
      } catch (RunException e) {
        progress.end();
        output.error(String.valueOf(e.getMessage()));
        output.note(howToResume(directory));
        return ExitCode.USAGE;
      }
      interrupted = Thread.interrupted();
      progress.end();
      return conclude(directory, result, interrupted);
    }
  }

  private int conclude(RunDirectory directory, ExperimentResult result, boolean interrupted) {
    RunResults results = RunResults.of(result);
    RunException unwritten = null;
    Path report = directory.path();
    try {
      report = directory.finish(result);
    } catch (RunException e) {
      unwritten = e;
    }
    if (settings.json()) {
      Map<String, Object> document = new LinkedHashMap<>();
      document.put("run", directory.path().toString());
      document.put("report", report.toString());
      document.put("results", results);
      output.out().println(JsonText.line(document));
    } else {
      output.out().print(ResultText.table(results.quantities()));
      // What has not been trained to its end proves and disproves nothing.
      if (results.complete() && !results.claims().isEmpty()) {
        output.out().println();
        output.out().print(ResultText.claims(results.claims(), output.outPalette()));
      }
      output.out().println();
      output.out().println("report: " + report);
    }
    output.out().flush();
    if (!result.complete()) {
      output.note(howToResume(directory));
    }
    if (unwritten != null) {
      throw unwritten;
    }
    if (interrupted) {
      return INTERRUPTED;
    }
    return result.passed() ? ExitCode.CLEAN : ExitCode.FINDINGS;
  }

  private static String howToResume(RunDirectory directory) {
    return "the state is saved; go on with: align run --resume " + directory.path();
  }
}
