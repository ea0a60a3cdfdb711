package org.alignlang.cli.run;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.InvalidSpec;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.ExperimentStatement;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.run.RunDirectory;
import org.alignlang.runtime.run.RunException;
import org.alignlang.runtime.run.RunRequest;
import org.alignlang.runtime.run.RunStore;

/** Runs experiments and judges what they claim: what {@code align verify} does. */
public final class Verification {
  private static final String PAPERS = "papers";

  private final Output output;
  private final Settings settings;
  private final List<Verified> verified = new ArrayList<>();
  private final Optional<VerificationPage> page;
  private final VerdictText text;

  /**
   * What the user asked for.
   *
   * @param specs files, folders, or {@code papers} for those of the standard library
   * @param backEnd what kernels are lowered to
   * @param out the folder that runs are kept in, if they are to be kept
   * @param page the folder that a page with the verdicts and pictures is written to, if one is
   * @param details whether to show the conditions and every point of those that hold, too
   */
  public record Settings(
      List<String> specs,
      long seed,
      int threads,
      Optional<String> backEnd,
      Optional<Path> out,
      Optional<Path> page,
      boolean json,
      boolean details,
      boolean showProgress) {}

  /**
   * An experiment that was run.
   *
   * @param seeds the first and the last seed; none if it could not be run
   * @param controls what became of the claims where what they are about is taken away
   * @param error why it could not be run; empty if it could
   */
  record Verified(
      String spec,
      String experiment,
      boolean passed,
      double seconds,
      List<Long> seeds,
      List<ClaimVerdict> claims,
      List<Control> controls,
      String error) {
    static Verified failed(String spec, String experiment, String error) {
      return new Verified(spec, experiment, false, 0, List.of(), List.of(), List.of(), error);
    }

    /** {@code seeds 1 to 5}; empty if it could not be run. */
    String seedsText() {
      if (seeds.isEmpty()) {
        return "";
      }
      return seeds.getFirst().equals(seeds.getLast())
          ? "seed " + seeds.getFirst()
          : "seeds %d to %d".formatted(seeds.getFirst(), seeds.getLast());
    }
  }

  /**
   * A negative control that was run.
   *
   * @param text what is taken away
   * @param place file and line
   * @param passed whether a claim fails there, as one must
   * @param claims the experiment's claims, judged there
   * @param error why it could not be run to its end; empty if it could
   */
  record Control(
      String text,
      String place,
      boolean passed,
      double seconds,
      List<ClaimVerdict> claims,
      String error) {

    /** How many of the claims fail. */
    long failing() {
      return claims.stream().filter(claim -> !claim.passed()).count();
    }
  }

  public Verification(Output output, Settings settings) {
    this.output = output;
    this.settings = settings;
    page = settings.page().map(VerificationPage::new);
    text = new VerdictText(output.outPalette(), settings.details());
  }

  /** Verifies and returns the exit code. */
  public int run() {
    BackEnd backEnd = Experiments.backEnd(settings.backEnd());
    int without = 0;
    boolean interrupted = false;
    for (String argument : specs()) {
      SpecFile spec = Specs.load(argument);
      if (spec.compilation().hasErrors()) {
        output.show(spec.diagnostics());
        verified.add(Verified.failed(spec.source().path(), "", "the spec has errors"));
        show();
        continue;
      }
      for (Declaration.ExperimentDeclaration experiment : spec.compilation().experiments()) {
        boolean claims =
            experiment.statements().stream().anyMatch(ExperimentStatement.Expect.class::isInstance);
        if (!claims) {
          without++;
        } else if (!interrupted) {
          interrupted = verify(spec, experiment, backEnd);
          if (!interrupted) {
            show();
          }
        }
      }
    }
    if (verified.isEmpty() && !interrupted) {
      throw new UserError(
          without == 0
              ? "there is no experiment in " + String.join(", ", settings.specs())
              : "none of %s claims anything: add `expect` lines"
                  .formatted(Summary.counted(without, "experiment")));
    }
    return conclude(interrupted);
  }

  /** Shows the verdicts on the last experiment. */
  private void show() {
    if (!settings.json()) {
      output.out().print(text.add(verified.getLast()));
      output.out().flush();
    }
  }

  private List<String> specs() {
    List<String> all = new ArrayList<>();
    for (String argument : settings.specs()) {
      if (argument.equals(PAPERS) && !Files.exists(Path.of(PAPERS))) {
        List<String> papers =
            StandardLibrary.papers().stream().map(path -> "align:" + path).toList();
        if (papers.isEmpty()) {
          throw new UserError("this standard library has no papers");
        }
        all.addAll(papers);
      } else {
        all.addAll(Specs.expand(List.of(argument)));
      }
    }
    return all;
  }

  /** Runs an experiment and keeps its verdicts; returns whether the user stopped it. */
  private boolean verify(
      SpecFile spec, Declaration.ExperimentDeclaration experiment, BackEnd backEnd) {
    String path = spec.source().path();
    RunProgress progress = new RunProgress(output, style(), path + " " + experiment.name());
    try (Interruption _ = Interruption.watch()) {
      RunRequest request =
          Experiments.request(
              spec,
              experiment,
              ExperimentCompiler.Overrides.NONE,
              backEnd,
              settings.seed(),
              settings.threads());
      ExperimentResult result = run(request, progress);
      List<Control> controls = new ArrayList<>();
      List<String> errors = result.complete() ? List.of() : result.notes();
      for (ExperimentPlan.Control control : request.plan().controls()) {
        if (!Thread.currentThread().isInterrupted()) {
          controls.add(control(control));
        }
      }
      boolean interrupted = Thread.interrupted();
      if (!interrupted) {
        verified.add(
            new Verified(
                path,
                experiment.name(),
                result.passed() && controls.stream().allMatch(Control::passed),
                result.seconds() + controls.stream().mapToDouble(Control::seconds).sum(),
                List.of(settings.seed(), settings.seed() + request.plan().seeds() - 1),
                result.claims(),
                controls,
                String.join("; ", errors)));
        page.ifPresent(p -> p.add(verified.getLast(), spec, experiment, result));
      }
      return interrupted;
    } catch (InvalidSpec e) {
      output.show(e.diagnostics());
      failed(spec, experiment, "the experiment has errors");
    } catch (ExperimentException e) {
      failed(spec, experiment, String.valueOf(e.getMessage()));
    } catch (RunException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    } finally {
      progress.end();
    }
    return false;
  }

  private void failed(SpecFile spec, Declaration.ExperimentDeclaration experiment, String error) {
    verified.add(Verified.failed(spec.source().path(), experiment.name(), error));
    page.ifPresent(p -> p.add(verified.getLast(), spec, experiment));
  }

  /** Runs the experiment without what its claims are about. */
  private Control control(ExperimentPlan.Control control) {
    RunProgress progress =
        new RunProgress(output, style(), control.plan().name() + ", control: " + control.text());
    try {
      ExperimentResult result =
          new ExperimentRunner(
                  control.plan(),
                  new ExperimentRunner.Options(settings.seed(), settings.threads(), 10),
                  progress,
                  RunLog.none())
              .run();
      return result.complete()
          ? new Control(
              control.text(),
              control.place(),
              result.claims().stream().anyMatch(claim -> !claim.passed()),
              result.seconds(),
              result.claims(),
              "")
          : new Control(
              control.text(),
              control.place(),
              false,
              result.seconds(),
              List.of(),
              String.join("; ", result.notes()));
    } catch (ExperimentException e) {
      return new Control(
          control.text(), control.place(), false, 0, List.of(), String.valueOf(e.getMessage()));
    } finally {
      progress.end();
    }
  }

  private ExperimentResult run(RunRequest request, RunProgress progress) {
    ExperimentRunner.Options options =
        new ExperimentRunner.Options(settings.seed(), settings.threads(), 10);
    if (settings.out().isEmpty()) {
      return new ExperimentRunner(request.plan(), options, progress, RunLog.none()).run();
    }
    try (RunDirectory directory = new RunStore(settings.out().get()).create(request)) {
      ExperimentResult result =
          new ExperimentRunner(request.plan(), options, progress, directory.log()).run();
      directory.finish(result);
      return result;
    }
  }

  private RunProgress.Style style() {
    if (settings.json()) {
      return RunProgress.Style.NONE;
    }
    return settings.showProgress() ? RunProgress.Style.BAR : RunProgress.Style.LINES;
  }

  private int conclude(boolean interrupted) {
    boolean passed = !interrupted && verified.stream().allMatch(Verified::passed);
    if (settings.json()) {
      output.out().println(JsonText.line(Map.of("passed", passed, "experiments", verified)));
    } else {
      List<Control> controls = verified.stream().flatMap(v -> v.controls().stream()).toList();
      long claims = verified.stream().mapToLong(v -> v.claims().size()).sum();
      long held =
          verified.stream().flatMap(v -> v.claims().stream()).filter(ClaimVerdict::passed).count();
      output
          .out()
          .println(
              "%n%s, %d of %d claims hold%s."
                  .formatted(
                      Summary.counted(verified.size(), "experiment"),
                      held,
                      claims,
                      controls.isEmpty()
                          ? ""
                          : "; in %d of %s a claim fails, as one must"
                              .formatted(
                                  controls.stream().filter(Control::passed).count(),
                                  Summary.counted(controls.size(), "control"))));
    }
    output.out().flush();
    if (interrupted) {
      output.note("stopped before the end");
      return ExperimentRun.INTERRUPTED;
    }
    page.ifPresent(p -> output.note("page: " + p.write(settings)));
    return passed ? ExitCode.CLEAN : ExitCode.FINDINGS;
  }
}
