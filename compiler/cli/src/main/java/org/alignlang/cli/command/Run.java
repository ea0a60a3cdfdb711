package org.alignlang.cli.command;

import java.nio.file.Path;
import java.util.Optional;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.UserError;
import org.alignlang.cli.run.ExperimentRun;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align run}. */
@Command(
    name = "run",
    description = "Trains what an experiment says and reports what came of it.",
    footer = {
      "",
      "Examples:",
      "  align run spec.align",
      "  align run spec.align Sweep -s beta=0.1 --seeds 5",
      "  align run --resume"
    })
public final class Run extends AlignCommand {
  @Parameters(index = "0", arity = "0..1", paramLabel = "FILE", description = "The spec.")
  private Optional<String> file = Optional.empty();

  @Parameters(
      index = "1",
      arity = "0..1",
      paramLabel = "EXPERIMENT",
      description = "Its experiment; may be left out where there is only one.")
  private Optional<String> experiment = Optional.empty();

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Option(names = "--seed", paramLabel = "N", description = "The first seed; 1 is the default.")
  private @Nullable Long seed;

  @Option(
      names = "--seeds",
      paramLabel = "N",
      description = "How many seeds, in place of the experiment's.")
  private @Nullable Integer seeds;

  @Option(
      names = "--steps",
      paramLabel = "N",
      description = "Steps of each training, in place of the experiment's.")
  private @Nullable Integer steps;

  @Mixin private Threads threads = new Threads();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder that keeps runs; runs is the default.")
  private Path out = Path.of("runs");

  @Option(
      names = "--resume",
      arity = "0..1",
      fallbackValue = "",
      paramLabel = "RUN",
      description = {
        "Go on with a run: its path, a part of its name, or latest;",
        "without a value, the last one that has not come to its end."
      })
  private Optional<String> resume = Optional.empty();

  @Option(
      names = {"--backend", "--device"},
      paramLabel = "NAME",
      description = {
        "What kernels are lowered to; the fastest for the processor is the default,",
        "and tornado is for a GPU or another device that a TornadoVM SDK reaches."
      })
  private Optional<String> backEnd = Optional.empty();

  @Option(names = "--json", description = "Write the results as one line of JSON.")
  private boolean json;

  @Override
  public Integer call() {
    Optional<String> spec = file;
    Optional<String> run = resume;
    if (run.isPresent() && run.get().endsWith(".align")) {
      // `--resume spec.align`: the option has no value, and the file follows.
      experiment = spec.isPresent() ? spec : experiment;
      spec = run;
      run = Optional.of("");
    }
    return new ExperimentRun(
            output(),
            new ExperimentRun.Settings(
                spec,
                experiment,
                parameters.values(),
                Optional.ofNullable(seed),
                threads.count(),
                positive("--steps", steps, 10_000_000),
                positive("--seeds", seeds, 1000),
                out,
                run,
                backEnd,
                json,
                output().errIsTerminal()))
        .run();
  }

  private static Optional<Integer> positive(String option, @Nullable Integer value, int most) {
    if (value != null && (value < 1 || value > most)) {
      throw new UserError(
          "`%s` is a whole number from 1 to %d, not %d".formatted(option, most, value));
    }
    return Optional.ofNullable(value);
  }
}
