package org.alignlang.cli;

/** What the exit code of a command means. */
public final class ExitCode {
  /** Nothing to complain about. */
  public static final int CLEAN = 0;

  /** The spec has errors, or a claim did not hold. */
  public static final int FINDINGS = 1;

  /** The command line is wrong, or a file cannot be read or written. */
  public static final int USAGE = 2;

  /** Align itself failed. */
  public static final int INTERNAL = 3;

  /** Who reads the output went away; a shell reports the same for a process killed by SIGPIPE. */
  public static final int PIPE_CLOSED = 141;

  private ExitCode() {}
}
