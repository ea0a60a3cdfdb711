package org.alignlang.cli.command;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.check.CheckRun;
import org.alignlang.cli.check.Format;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align check}. */
@Command(name = "check", description = "Says what is wrong with specs.")
public final class Check extends AlignCommand {
  @Parameters(
      arity = "1..*",
      paramLabel = "FILE|DIR",
      description = "Specs, folders of specs, or - for standard input.")
  private List<String> files = new ArrayList<>();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description = "How findings are shown: ${COMPLETION-CANDIDATES}; full is the default.")
  private Format format = Format.FULL;

  @Option(names = "--json", description = "The same as --format json.")
  private boolean json;

  @Option(
      names = "--pedantic",
      description = "Also say what is often no mistake, such as a loss that depends on length.")
  private boolean pedantic;

  @Option(names = "--watch", description = "Check again whenever a file changes; Ctrl-C ends it.")
  private boolean watch;

  @Override
  public Integer call() {
    CheckRun run = new CheckRun(output(), json ? Format.JSON : format, pedantic);
    return watch ? run.watch(files, Check::pause) : run.run(files);
  }

  private static boolean pause() {
    try {
      Thread.sleep(250);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }
}
