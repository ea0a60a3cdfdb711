package org.alignlang.cli.command;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.run.Verification;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align verify}. */
@Command(
    name = "verify",
    description = "Runs experiments and judges what they claim.",
    footer = {
      "",
      "Examples:",
      "  align verify spec.align",
      "  align verify samples --json",
      "  align verify papers --page samples/papers"
    })
public final class Verify extends AlignCommand {
  @Parameters(
      arity = "0..*",
      paramLabel = "FILE|DIR|papers",
      description = {
        "Specs and folders of specs; this folder is the default.",
        "`papers` are those of the standard library."
      })
  private List<String> specs = new ArrayList<>();

  @Option(names = "--seed", paramLabel = "N", description = "The first seed; 1 is the default.")
  private long seed = 1;

  @Mixin private Threads threads = new Threads();

  @Option(
      names = {"--backend", "--device"},
      paramLabel = "NAME",
      description = {
        "What kernels are lowered to; the fastest for the processor is the default,",
        "and tornado is for a GPU or another device that a TornadoVM SDK reaches."
      })
  private Optional<String> backEnd = Optional.empty();

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "Keep the runs in this folder; without it, none are kept.")
  private Optional<Path> out = Optional.empty();

  @Option(
      names = "--page",
      paramLabel = "DIR",
      description = "Write a page with the verdicts and a picture per experiment into this folder.")
  private Optional<Path> page = Optional.empty();

  @Option(
      names = "--details",
      description = "Show the condition of every claim, and what was measured at every point.")
  private boolean details;

  @Option(names = "--json", description = "Write the verdicts as one line of JSON.")
  private boolean json;

  @Override
  public Integer call() {
    return new Verification(
            output(),
            new Verification.Settings(
                specs.isEmpty() ? List.of(".") : specs,
                seed,
                threads.count(),
                backEnd,
                out,
                page,
                json,
                details,
                output().errIsTerminal()))
        .run();
  }
}
