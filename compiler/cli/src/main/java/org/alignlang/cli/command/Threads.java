package org.alignlang.cli.command;

import org.alignlang.cli.UserError;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The option {@code --threads}; a mixin. */
final class Threads {
  private static final int MOST = 4096;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "How many threads; all cores are the default. The numbers do not depend on it.")
  private @Nullable Integer threads;

  /** Whether the user asked for a number. */
  boolean given() {
    return threads != null;
  }

  int count() {
    if (threads == null) {
      return Runtime.getRuntime().availableProcessors();
    }
    if (threads < 1 || threads > MOST) {
      throw new UserError(
          "`--threads` is a whole number from 1 to %d, not %d".formatted(MOST, threads));
    }
    return threads;
  }
}
