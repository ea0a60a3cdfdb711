package org.alignlang.cli.command;

import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.project.ProjectSkeleton;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code align new}. */
@Command(name = "new", description = "Makes a folder with a spec to begin with.")
public final class New extends AlignCommand {
  @Parameters(paramLabel = "NAME", description = "The folder to make; it must not hold anything.")
  private String name = "";

  @Override
  public Integer call() {
    new ProjectSkeleton(name).create().forEach(output().out()::println);
    return ExitCode.CLEAN;
  }
}
