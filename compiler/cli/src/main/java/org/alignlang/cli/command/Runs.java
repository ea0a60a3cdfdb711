package org.alignlang.cli.command;

import java.nio.file.Path;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.run.RunList;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align runs}. */
@Command(name = "runs", description = "Lists runs and what came of them.")
public final class Runs extends AlignCommand {
  @Parameters(
      arity = "0..1",
      paramLabel = "DIR",
      description = "The folder that keeps them; runs is the default.")
  private Path folder = Path.of("runs");

  @Option(names = "--json", description = "Write one line of JSON per run.")
  private boolean json;

  @Override
  public Integer call() {
    return new RunList(output()).list(folder, json);
  }
}
