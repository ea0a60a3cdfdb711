package org.alignlang.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.cli.command.Check;
import org.alignlang.cli.command.Compare;
import org.alignlang.cli.command.Eval;
import org.alignlang.cli.command.Explain;
import org.alignlang.cli.command.Fmt;
import org.alignlang.cli.command.Run;
import org.alignlang.cli.command.Runs;
import org.alignlang.cli.command.Verify;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.kernel.AlignVersion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The entry point of the {@code align} command. */
@Command(
    name = "align",
    description = "Compiles, checks and runs alignment objectives.",
    mixinStandardHelpOptions = true,
    versionProvider = Main.Version.class,
    sortOptions = false,
    usageHelpAutoWidth = true,
    subcommands = {
      Check.class,
      Run.class,
      Verify.class,
      Runs.class,
      Compare.class,
      Explain.class,
      Fmt.class,
      Eval.class,
    })
public final class Main implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Option(
      names = "--color",
      paramLabel = "WHEN",
      scope = ScopeType.INHERIT,
      description = "Colour the output: auto (the default), always or never.")
  private Color color = Color.AUTO;

  /** Runs the command and ends the process with its exit code. */
  public static void main(String[] args) {
    int exit =
        run(
            args,
            new FileOutputStream(FileDescriptor.out),
            new FileOutputStream(FileDescriptor.err));
    // Without this, the JVM would wait for threads that a command left behind.
    Runtime.getRuntime().halt(exit);
  }

  /** Runs the command, writing UTF-8 to the given streams, and returns its exit code. */
  static int run(String[] args, OutputStream standardOut, OutputStream standardErr) {
    PrintWriter out = writer(new CheckedOutput(standardOut));
    PrintWriter err = writer(standardErr);
    CommandLine line = commandLine().setOut(out).setErr(err);
    Failures failures = new Failures(args);
    try {
      int exit = line.execute(args);
      out.flush();
      return exit;
    } catch (Throwable problem) {
      return failures.handle(problem, Output.of(line));
    } finally {
      err.flush();
    }
  }

  private static PrintWriter writer(OutputStream stream) {
    return new PrintWriter(new OutputStreamWriter(stream, StandardCharsets.UTF_8), false);
  }

  static CommandLine commandLine() {
    return new CommandLine(new Main())
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((problem, _) -> usage(problem))
        .setExecutionExceptionHandler((problem, line, parsed) ->
            new Failures(parsed.originalArgs().toArray(new String[0]))
                .handle(problem, Output.of(line)));
  }

  /** Says what is wrong with the command line, and what was probably meant. */
  private static int usage(ParameterException problem) {
    CommandLine line = problem.getCommandLine();
    Output output = Output.of(line);
    String name = line.getCommandSpec().qualifiedName();
    if (problem instanceof MissingCommand) {
      line.usage(output.err(), line.getHelp().ansi());
      output.err().println();
      output.error(String.valueOf(problem.getMessage()));
      return ExitCode.USAGE;
    }
    output.error(String.valueOf(problem.getMessage()));
    suggestion(problem).ifPresent(s -> output.note("did you mean `" + s + "`?"));
    output.note("`" + name + " --help` lists what there is.");
    return ExitCode.USAGE;
  }

  private static Optional<String> suggestion(ParameterException problem) {
    if (!(problem instanceof UnmatchedArgumentException unmatched)
        || unmatched.getUnmatched().isEmpty()) {
      return Optional.empty();
    }
    CommandSpec command = problem.getCommandLine().getCommandSpec();
    List<String> known = new ArrayList<>(command.optionsMap().keySet());
    known.addAll(command.subcommands().keySet());
    String wrong = unmatched.getUnmatched().getFirst();
    int value = wrong.indexOf('=');
    return Suggestions.nearest(value < 0 ? wrong : wrong.substring(0, value), known);
  }

  Color color() {
    return color;
  }

  @Override
  public void run() {
    throw new MissingCommand(spec.commandLine());
  }

  private static final class MissingCommand extends ParameterException {
    private static final long serialVersionUID = 1L;

    MissingCommand(CommandLine line) {
      super(line, "Missing command");
    }
  }

  /** Says which Align this is, and which Java runs it. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"align " + AlignVersion.current() + " (Java " + Runtime.version() + ")"};
    }
  }
}
