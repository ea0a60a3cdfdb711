package org.alignlang.cli.command;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.fix.FixRun;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align fix}. */
@Command(
    name = "fix",
    description = {
      "Mends specs by the changes that `check` shows as fixes. Every change is checked: one that"
          + " leaves its finding or makes things worse is not made."
    })
public final class FixCommand extends AlignCommand {
  @Parameters(
      arity = "1..*",
      paramLabel = "FILE|DIR",
      description = "Specs, folders of specs, or - to read standard input and write the result.")
  private List<String> files = new ArrayList<>();

  @Option(
      names = "--suggested",
      description = "Also make suggested changes: one of several ways out each; look at them.")
  private boolean suggested;

  @Option(names = "--pedantic", description = "Also mend what is often no mistake.")
  private boolean pedantic;

  @Option(names = "--diff", description = "Write nothing; show what would change.")
  private boolean diff;

  @Option(names = "--dry-run", description = "Write nothing; say what would be done.")
  private boolean dryRun;

  @Override
  public Integer call() {
    return new FixRun(output(), new FixRun.Options(suggested, pedantic, diff, dryRun)).run(files);
  }
}
