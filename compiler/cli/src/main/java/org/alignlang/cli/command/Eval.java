package org.alignlang.cli.command;

import java.util.Optional;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.Specs;
import org.alignlang.cli.eval.EvalRun;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align eval}. */
@Command(
    name = "eval",
    description = {
      "Loss, metrics and gradients of an objective on a batch from any framework.",
      "Batches are .safetensors, .npz, .json or .jsonl files; tensor names are the contract.",
    })
public final class Eval extends AlignCommand {
  @Parameters(
      paramLabel = "FILE[#OBJECTIVE]",
      description = "A spec; the objective may be left out where there is only one.")
  private String spec = "";

  @Option(
      names = "--batch",
      paramLabel = "BATCH",
      required = true,
      description = "The tensors that the objective reads.")
  private String batch = "";

  @Option(
      names = "--grad",
      paramLabel = "GRAD",
      description =
          "Write loss, metrics, moved multipliers and gradients to this .safetensors, .npz or .json"
              + " file.")
  private @Nullable String gradient;

  @Mixin private ParameterValues parameters = new ParameterValues();

  @Option(
      names = "--json",
      description = "Print loss, metrics and multipliers as one JSON object on the last line.")
  private boolean json;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "How many threads to use; one per processor if not given. Never changes a bit.")
  private @Nullable Integer threads;

  @Option(
      names = {"--backend", "--device"},
      paramLabel = "NAME",
      description = {
        "What runs the kernel, such as reference; the fastest for the processor if not given.",
        "tornado is for a GPU or another device that a TornadoVM SDK reaches."
      })
  private @Nullable String backEnd;

  @Override
  public Integer call() {
    new EvalRun(
            ObjectiveName.parse(spec),
            Specs.path(batch),
            Optional.ofNullable(gradient).map(Specs::path),
            parameters.values(),
            Optional.ofNullable(threads),
            Optional.ofNullable(backEnd))
        .run(output(), json);
    return ExitCode.CLEAN;
  }
}
