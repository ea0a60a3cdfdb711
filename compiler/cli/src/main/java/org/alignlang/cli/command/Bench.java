package org.alignlang.cli.command;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.cli.bench.BenchReport;
import org.alignlang.cli.bench.BenchRun;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.source.SourceFolder;
import org.alignlang.kernel.Column;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align bench}. */
@Command(
    name = "bench",
    description = {
      "Times an objective's loss and gradient on random data, beside what the memory allows.",
      "All back ends take turns in one process, with one thread and with all.",
    })
public final class Bench extends AlignCommand {
  @Parameters(
      paramLabel = "FILE[#OBJECTIVE]",
      description = "A spec; the objective may be left out where there is only one.")
  private String spec = "";

  @Option(
      names = "--rows",
      paramLabel = "N",
      description = "Sequences, or pairs; 64 with logits and 512 without if not given.")
  private @Nullable Integer rows;

  @Option(
      names = "--tokens",
      paramLabel = "N",
      description = "Tokens of every sequence; 8 with logits and 1024 without if not given.")
  private @Nullable Integer tokens;

  @Option(
      names = "--vocab",
      paramLabel = "N",
      description = "Logits of every token; 32000 if not given.")
  private @Nullable Integer vocabulary;

  @Option(
      names = "--logits",
      description = "Actors hand in logits, also where the objective could do without them.")
  private boolean logits;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      description = "Of tokens and logits: f32 (the default), bf16, f16 or f64.")
  private String type = "f32";

  @Mixin private Threads threads = new Threads();

  @Option(
      names = {"--backend", "--device"},
      paramLabel = "NAME",
      description =
          "What to time, once or more often; all that compile if not given. `tornado` is a device.")
  private List<String> backEnds = new ArrayList<>();

  @Option(
      names = "--seconds",
      paramLabel = "S",
      description = "How long each is timed; 1 if not given.")
  private double seconds = 1;

  @Option(
      names = "--scaling",
      description = "Also time a quarter and a half of the rows, the tokens and the vocabulary.")
  private boolean scaling;

  @Option(
      names = "--chart",
      paramLabel = "FILE.svg",
      description = "Draw how the time grows (with --scaling).")
  private @Nullable String chart;

  @Option(names = "--json", description = "Print one JSON object in place of a table.")
  private boolean json;

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Override
  public Integer call() {
    if (!(seconds > 0 && seconds <= 600)) {
      throw new UserError("`--seconds` is a number above 0 and up to 600, not " + seconds);
    }
    if (chart != null && !scaling) {
      throw new UserError("`--chart` draws what `--scaling` measures; give both");
    }
    if (threads.given() && backEnds.equals(List.of(BackEnds.TORNADO.name()))) {
      throw new UserError("`--threads` is about the processor, and a device has its own");
    }
    BenchReport report =
        new BenchRun(
                ObjectiveName.parse(spec),
                parameters.values(),
                logits,
                new BenchRun.Size(
                    size("--rows", rows), size("--tokens", tokens), size("--vocab", vocabulary)),
                columnType(),
                threads.count(),
                backEnds,
                seconds,
                scaling)
            .run();
    if (chart != null) {
      try {
        Files.writeString(Specs.path(chart), report.chart());
      } catch (IOException e) {
        throw new UserError("`" + chart + "` cannot be written: " + SourceFolder.reason(e));
      }
    }
    output().out().print(json ? report.json() + "\n" : report.text());
    return ExitCode.CLEAN;
  }

  private static int size(String option, @Nullable Integer given) {
    if (given != null && given < 1) {
      throw new UserError("`" + option + "` is at least 1, not " + given);
    }
    return given == null ? 0 : given;
  }

  private Column.Type columnType() {
    for (Column.Type known : Column.Type.values()) {
      if (known.word().equals(type)) {
        return known;
      }
    }
    throw new UserError("`--type` is f32, bf16, f16 or f64, not `" + type + "`");
  }
}
