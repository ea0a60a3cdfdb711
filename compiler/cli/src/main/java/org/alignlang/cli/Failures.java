package org.alignlang.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.alignlang.kernel.AlignVersion;
import org.alignlang.tornado.DeviceException;

/** Ends a command that failed: one sentence for the user, never a stack trace. */
final class Failures {
  private final String[] arguments;

  Failures(String[] arguments) {
    this.arguments = arguments.clone();
  }

  /** Tells the user what went wrong and returns the exit code. */
  int handle(Throwable problem, Output output) {
    return switch (problem) {
      case UserError error -> {
        output.out().flush();
        output.error(String.valueOf(error.getMessage()));
        yield ExitCode.USAGE;
      }
      case InvalidSpec invalid -> {
        output.out().flush();
        output.show(invalid.diagnostics());
        output.note(Summary.of(invalid.diagnostics()).text());
        yield ExitCode.FINDINGS;
      }
      case DeviceException device -> {
        output.out().flush();
        output.error(String.valueOf(device.getMessage()));
        yield ExitCode.USAGE;
      }
      case CheckedOutput.Failed failed when failed.closed() -> ExitCode.PIPE_CLOSED;
      case CheckedOutput.Failed failed -> {
        output.error("the output cannot be written: " + failed.getMessage());
        yield ExitCode.USAGE;
      }
      case OutOfMemoryError _ -> {
        output.error("out of memory; JAVA_TOOL_OPTIONS=-Xmx4g, for instance, allows more");
        yield ExitCode.INTERNAL;
      }
      default -> {
        output.error(internal(problem));
        yield ExitCode.INTERNAL;
      }
    };
  }

  private String internal(Throwable problem) {
    String sentence = "Align failed, and this is a fault of Align's own (" + problem + ")";
    try {
      Path file = Files.createTempFile("align-failure-", ".txt");
      Files.writeString(file, details(problem));
      return sentence + "; please report it with the details in " + file;
    } catch (IOException e) {
      return sentence + "; its details could not be written: " + e.getMessage();
    }
  }

  private String details(Throwable problem) {
    StringWriter text = new StringWriter();
    PrintWriter writer = new PrintWriter(text);
    writer.println("align " + AlignVersion.current() + ", Java " + Runtime.version());
    writer.println(System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    writer.println("arguments: " + String.join(" ", arguments));
    writer.println();
    problem.printStackTrace(writer);
    writer.flush();
    return text.toString();
  }
}
