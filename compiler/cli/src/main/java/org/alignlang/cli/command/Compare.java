package org.alignlang.cli.command;

import java.nio.file.Path;
import java.util.Optional;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.run.Comparison;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align compare}. */
@Command(
    name = "compare",
    description = "Compares two runs: settings, numbers, and a plot of both.")
public final class Compare extends AlignCommand {
  @Parameters(
      index = "0",
      paramLabel = "A",
      description = "A run: its path, a part of its name, or latest.")
  private String first = "";

  @Parameters(index = "1", paramLabel = "B", description = "Another run.")
  private String second = "";

  @Option(
      names = "--out",
      paramLabel = "DIR",
      description = "The folder that keeps runs; runs is the default.")
  private Path out = Path.of("runs");

  @Option(
      names = "--plot",
      paramLabel = "FILE",
      description = "Where the plot goes; beside the runs is the default.")
  private Optional<Path> plot = Optional.empty();

  @Option(names = "--json", description = "Write the comparison as one line of JSON.")
  private boolean json;

  @Override
  public Integer call() {
    return new Comparison(output()).compare(out, first, second, plot, json);
  }
}
