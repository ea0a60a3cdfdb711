package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceFolder;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.train.Trainer;
import org.alignlang.runtime.train.TrainingState;

/** Texts with one experiment, compiled and run. */
final class Experiments {
  private Experiments() {}

  static ExperimentPlan plan(String text) {
    return plans(new SourceFile("learn.align", text), Path.of("."), CompilerOptions.defaults(), 0)
        .getFirst();
  }

  /**
   * The experiments of a file.
   *
   * @param text what stands in it, or should
   * @param seeds how many seeds; 0 leaves the spec's
   */
  static List<ExperimentPlan> plans(Path file, String text, int seeds) {
    Path folder = file.getParent();
    return plans(
        new SourceFile(file.getFileName().toString(), text),
        folder,
        CompilerOptions.defaults().withResolver(new SourceFolder(folder)),
        seeds);
  }

  private static List<ExperimentPlan> plans(
      SourceFile source, Path folder, CompilerOptions options, int seeds) {
    Compilation compilation = Compiler.compile(source, options);
    assertThat(compilation.diagnostics().stream().filter(Diagnostic::isError)).isEmpty();
    assertThat(compilation.experiments()).isNotEmpty();
    return compilation.experiments().stream()
        .map(experiment -> {
          DiagnosticSink sink = new DiagnosticSink();
          return ExperimentCompiler.compile(
                  experiment,
                  compilation.scope(),
                  folder,
                  options,
                  BackEnds.standard()::kernel,
                  new ExperimentCompiler.Overrides(Map.of(), 0, seeds),
                  sink)
              .orElseThrow(() -> new AssertionError(sink.sorted().toString()));
        })
        .toList();
  }

  /** Runs an experiment on two threads. */
  static ExperimentResult run(ExperimentPlan plan) {
    return new ExperimentRunner(
            plan, new ExperimentRunner.Options(1, 2, 3600), Progress.silent(), RunLog.none())
        .run();
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The first training of a plan, from its beginning. */
  static Trainer trainer(ExperimentPlan plan) {
    return new Trainer(plan, new TrainingId(0, 0, 1, Map.of()), plan.records(), Workers.serial());
  }

  /** Trains for a number of steps, and gives what the state is then. */
  static TrainingState trained(Trainer trainer, int steps) {
    trainer.run(
        new Trainer.Observer() {
          @Override
          public void recorded(int step, Map<String, Double> values) {}

          @Override
          public boolean stepped(int made, Supplier<TrainingState> state) {
            return made < steps;
          }
        });
    return trainer.state();
  }

  static void assertSameNumbers(Map<String, double[]> first, Map<String, double[]> second) {
    assertThat(first).isNotEmpty();
    assertThat(second.keySet()).isEqualTo(first.keySet());
    first.forEach((name, numbers) -> assertThat(second.get(name)).as(name).isEqualTo(numbers));
  }

  /** A training that is stopped and taken up again ends in the state of one that is not. */
  static TrainingState assertGoesOnToTheSameBits(ExperimentPlan plan) {
    TrainingState whole = trained(trainer(plan), 60);
    Trainer resumed = trainer(plan);
    resumed.restore(trained(trainer(plan), 31));
    assertSameNumbers(whole.arrays(), trained(resumed, 60).arrays());
    return whole;
  }

  static void assertClaimsHold(String text) {
    assertThat(run(plan(text)).claims())
        .isNotEmpty()
        .allSatisfy(claim -> assertThat(claim.passed()).as(claim.sentence()).isTrue());
  }
}
