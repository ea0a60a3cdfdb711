package org.alignlang.cli.command;

import org.alignlang.cli.AlignCommand;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.project.ProjectSkeleton;
import org.alignlang.cli.project.Template;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code align new}. */
@Command(name = "new", description = "Makes a folder with a spec or a project to begin with.")
public final class New extends AlignCommand {
  @Parameters(paramLabel = "NAME", description = "The folder to make; it must not hold anything.")
  private String name = "";

  @Option(
      names = "--template",
      paramLabel = "TEMPLATE",
      description =
          "What to begin with: ${COMPLETION-CANDIDATES}; spec is the default: a spec with an"
              + " experiment. The others are projects that call an objective.")
  private Template template = Template.SPEC;

  @Override
  public Integer call() {
    new ProjectSkeleton(name, template).create().forEach(output().out()::println);
    return ExitCode.CLEAN;
  }
}
