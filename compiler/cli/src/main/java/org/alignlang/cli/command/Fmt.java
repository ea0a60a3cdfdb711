package org.alignlang.cli.command;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.format.FormatRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align fmt}. */
@Command(name = "fmt", description = "Lays specs out in the one style; only space changes.")
public final class Fmt extends AlignCommand {
  @Parameters(
      arity = "1..*",
      paramLabel = "FILE|DIR",
      description = "Specs, folders of specs, or - to read standard input and write the result.")
  private List<String> files = new ArrayList<>();

  @Option(names = "--check", description = "Write nothing; exit with 1 if a spec is not laid out.")
  private boolean check;

  @Option(names = "--diff", description = "Write nothing; show what would change.")
  private boolean diff;

  @Override
  public Integer call() {
    return new FormatRun(output(), check, diff).run(files);
  }
}
