package org.alignlang.cli.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.compiler.diagnostic.Palette;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckRunTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final Output output =
      new Output(new PrintWriter(out), new PrintWriter(err), Palette.PLAIN, Palette.PLAIN);

  private long checks() {
    return err.toString().lines().filter(line -> line.contains("checked:")).count();
  }

  private static void write(Path file, String text, long second) {
    try {
      Files.writeString(file, text);
      // File systems with coarse times would not show two changes in a row.
      Files.setLastModifiedTime(file, FileTime.fromMillis(1000 * second));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void watchingChecksAgainWhenAFileOrWhatItImportsChanges(@TempDir Path folder) {
    Path main = folder.resolve("main.align");
    Path library = folder.resolve("library.align");
    write(library, "fun one(x) = x\n", 1);
    write(main, "import \"library.align\"\nfun two(x) = one(x)\n", 1);
    Deque<Runnable> steps =
        new ArrayDeque<>(
            List.of(
                () -> assertThat(checks()).isEqualTo(1),
                () -> write(library, "fun uno(x) = x\n", 2),
                () -> assertThat(checks()).isEqualTo(2),
                () -> write(main, "fun (\n", 3),
                () -> assertThat(checks()).isEqualTo(3)));

    int exit =
        new CheckRun(output, Format.SHORT, false)
            .watch(
                List.of(main.toString()),
                () -> {
                  if (!steps.isEmpty()) {
                    steps.poll().run();
                    return true;
                  }
                  return false;
                });

    assertThat(exit).isEqualTo(ExitCode.FINDINGS);
    assertThat(checks()).isEqualTo(3);
    assertThat(out.toString()).contains("main.align:2:14: error[ALN2001]", "error[ALN1001]");
  }

  @Test
  void watchingWaitsForAMissingFile(@TempDir Path folder) {
    Path file = folder.resolve("late.align");
    Deque<Runnable> steps = new ArrayDeque<>(List.of(() -> write(file, "", 1), () -> {}));

    int exit =
        new CheckRun(output, Format.SHORT, false)
            .watch(
                List.of(file.toString()),
                () -> {
                  if (!steps.isEmpty()) {
                    steps.poll().run();
                    return true;
                  }
                  return false;
                });

    assertThat(exit).isEqualTo(ExitCode.CLEAN);
    assertThat(err.toString()).contains("there is no file", "1 file checked: no findings");
  }
}
