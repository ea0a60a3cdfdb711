package org.alignlang.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/**
 * What all commands share. A command declares its options and calls what does the work; it returns
 * an {@link ExitCode}, and throws {@link UserError} or {@link InvalidSpec} where it cannot go on.
 */
@Command(
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true)
public abstract class AlignCommand implements Callable<Integer> {
  @Spec private CommandSpec spec = CommandSpec.create();

  /** Where this command writes to. */
  protected Output output() {
    return Output.of(spec.commandLine());
  }
}
