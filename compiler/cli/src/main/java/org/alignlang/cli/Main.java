package org.alignlang.cli;

import java.io.FileDescriptor;
import java.io.FileNotFoundException;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.alignlang.cli.check.Format;
import org.alignlang.cli.command.Bench;
import org.alignlang.cli.command.Check;
import org.alignlang.cli.command.Compare;
import org.alignlang.cli.command.Devices;
import org.alignlang.cli.command.Emit;
import org.alignlang.cli.command.Eval;
import org.alignlang.cli.command.Explain;
import org.alignlang.cli.command.FixCommand;
import org.alignlang.cli.command.Fmt;
import org.alignlang.cli.command.Generate;
import org.alignlang.cli.command.New;
import org.alignlang.cli.command.Run;
import org.alignlang.cli.command.Runs;
import org.alignlang.cli.command.Verify;
import org.alignlang.cli.emit.Stage;
import org.alignlang.cli.project.Template;
import org.alignlang.compiler.codegen.jvm.InMemoryCompiler;
import org.alignlang.compiler.explain.Explanation;
import org.alignlang.kernel.AlignVersion;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
      FixCommand.class,
      Explain.class,
      Emit.class,
      Generate.class,
      Run.class,
      Verify.class,
      Runs.class,
      Compare.class,
      Eval.class,
      Bench.class,
      Devices.class,
      Fmt.class,
      New.class,
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
    InMemoryCompiler.keepKernels();
    int exit = run(args, new FileOutputStream(FileDescriptor.out), standardError());
    // Without this, the JVM would wait for threads that a command left behind.
    Runtime.getRuntime().halt(exit);
  }

  /**
   * Standard error, which the launcher may have put elsewhere to keep the JVM from writing to it.
   */
  private static OutputStream standardError() {
    String path = System.getProperty("align.stderr", "");
    if (!path.isEmpty()) {
      try {
        return new FileOutputStream(path, true);
      } catch (FileNotFoundException e) {
        // Not a file that can be opened again, such as a socket.
      }
    }
    return new FileOutputStream(FileDescriptor.err);
  }

  /** Runs the command, writing UTF-8 to the given streams, and returns its exit code. */
  static int run(String[] args, OutputStream standardOut, OutputStream standardErr) {
    PrintWriter out = writer(new CheckedOutput(standardOut));
    PrintWriter err = writer(standardErr);
    try {
      OptionalInt exit = PlainCommandLine.run(args, out, err);
      if (exit.isPresent()) {
        out.flush();
        return exit.getAsInt();
      }
    } catch (CheckedOutput.Failed e) {
      return new Failures(args).handle(e, Output.of(out, err, Color.NEVER));
    } finally {
      err.flush();
    }
    return run(commandLine(), args, standardOut, standardErr);
  }

  /** The same for a command line with commands of its caller's. */
  static int run(
      CommandLine line, String[] args, OutputStream standardOut, OutputStream standardErr) {
    PrintWriter out = writer(new CheckedOutput(standardOut));
    PrintWriter err = writer(standardErr);
    line.setOut(out).setErr(err);
    Failures failures = new Failures(args);
    line.setExecutionStrategy(parsed -> {
      try {
        // A wrong command is one, even where help is asked for: that of `align` would not help.
        if (!parsed.hasSubcommand() && !line.getUnmatchedArguments().isEmpty()) {
          return UsageErrors.handle(
              new UnmatchedArgumentException(line, line.getUnmatchedArguments()));
        }
        return new CommandLine.RunLast().execute(parsed);
      } catch (CheckedOutput.Failed e) {
        // Of help and version, which no command prints.
        return failures.handle(e, Output.of(line));
      }
    });
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
        .registerConverter(Color.class, ChoiceConverter.of(Color.class))
        .registerConverter(Format.class, ChoiceConverter.of(Format.class))
        .registerConverter(Explanation.Format.class, ChoiceConverter.of(Explanation.Format.class))
        .registerConverter(Template.class, ChoiceConverter.of(Template.class))
        .registerConverter(Stage.class, ChoiceConverter.of(Stage.class))
        .setParameterExceptionHandler((problem, _) -> UsageErrors.handle(problem))
        .setExecutionExceptionHandler((problem, line, parsed) ->
            new Failures(parsed.originalArgs().toArray(new String[0]))
                .handle(problem, Output.of(line)));
  }

  Color color() {
    return color;
  }

  @Override
  public void run() {
    throw new UsageErrors.MissingCommand(spec.commandLine());
  }

  /** Says which Align this is, and which Java runs it. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {"align " + AlignVersion.current() + " (Java " + Runtime.version() + ")"};
    }
  }
}
