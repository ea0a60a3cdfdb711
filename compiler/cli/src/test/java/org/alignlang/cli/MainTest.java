package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.alignlang.kernel.AlignVersion;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

class MainTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int run(String... arguments) {
    return Main.run(Main.commandLine(), arguments, out, err);
  }

  private static String text(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }

  @Test
  void versionNamesAlignAndJava() {
    assertThat(run("--version")).isEqualTo(ExitCode.CLEAN);
    assertThat(text(out)).contains("align " + AlignVersion.current(), "Java 25");
    assertThat(text(err)).isEmpty();
  }

  @Test
  void noCommandIsAUsageError() {
    assertThat(run()).isEqualTo(ExitCode.USAGE);
    assertThat(text(err)).contains("Missing command", "Usage: align");
    assertThat(text(out)).isEmpty();
  }

  @Test
  void aWrongCommandIsNotHelpedByGeneralHelp() {
    for (String option : new String[] {"--help", "--version"}) {
      err.reset();
      assertThat(run("chekc", option)).isEqualTo(ExitCode.USAGE);
      assertThat(text(err)).contains("there is no command `chekc`; did you mean `check`?");
    }
    assertThat(text(out)).isEmpty();
  }

  @Test
  void everyCommandHasHelp() {
    for (CommandLine command : Main.commandLine().getSubcommands().values()) {
      out.reset();
      assertThat(run(command.getCommandName(), "--help")).isEqualTo(ExitCode.CLEAN);
      assertThat(text(out)).startsWith("Usage: align " + command.getCommandName());
    }
    assertThat(text(err)).isEmpty();
  }

  @Command(name = "fail")
  private static final class Fail implements Callable<Integer> {
    private final Throwable problem;

    Fail(Throwable problem) {
      this.problem = problem;
    }

    @Override
    public Integer call() throws Exception {
      if (problem instanceof Error error) {
        throw error;
      }
      throw (Exception) problem;
    }
  }

  private int fail(Throwable problem) {
    CommandLine line = Main.commandLine().addSubcommand(new Fail(problem));
    return Main.run(line, new String[] {"fail"}, out, err);
  }

  @Test
  void anInternalErrorIsOneSentenceAndAFileOfDetails() throws IOException {
    for (Throwable problem :
        new Throwable[] {new IllegalStateException("boom"), new AssertionError("boom")}) {
      err.reset();
      assertThat(fail(problem)).isEqualTo(ExitCode.INTERNAL);
      assertThat(text(err)).hasLineCount(1).contains("boom").doesNotContain("\tat ");
      Matcher file = Pattern.compile("details in (\\S+\\.txt)").matcher(text(err));
      assertThat(file.find()).as(text(err)).isTrue();
      Path details = Path.of(file.group(1));
      assertThat(Files.readString(details))
          .contains("arguments: fail", "\tat " + MainTest.class.getName());
      Files.delete(details);
    }
  }

  @Test
  void runningOutOfMemoryIsToldInWords() {
    assertThat(fail(new OutOfMemoryError())).isEqualTo(ExitCode.INTERNAL);
    assertThat(text(err)).startsWith("error: out of memory").hasLineCount(1);
  }

  @Test
  void aClosedPipeEndsTheCommandQuietly() {
    OutputStream closed = failing("Broken pipe");
    int exit =
        Main.run(
            Main.commandLine(), new String[] {"emit", "tokens", "align.losses.dpo"}, closed, err);
    assertThat(exit).isEqualTo(ExitCode.PIPE_CLOSED);
    assertThat(text(err)).isEmpty();
  }

  @Test
  void outputThatCannotBeWrittenIsAnError() {
    OutputStream full = failing("No space left on device");
    assertThat(Main.run(Main.commandLine(), new String[] {"--version"}, full, err))
        .isEqualTo(ExitCode.USAGE);
    assertThat(text(err))
        .isEqualTo("error: the output cannot be written: No space left on device\n");
  }

  private static OutputStream failing(String message) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        throw new IOException(message);
      }
    };
  }

  @Test
  void colourIsUsedWhereItIsAskedFor() {
    assertThat(run("check", "align.losses.nothing", "--color", "always")).isEqualTo(ExitCode.USAGE);
    assertThat(text(err)).startsWith("\u001b[1;31merror:\u001b[0m ");
    err.reset();
    assertThat(run("--color", "never", "check", "align.losses.nothing")).isEqualTo(ExitCode.USAGE);
    assertThat(text(err)).startsWith("error: ");
  }
}
