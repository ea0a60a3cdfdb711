package org.alignlang.compiler.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.junit.jupiter.api.Test;

/**
 * How long a long spec takes to check in a warm process, as in an editor. Prints, and judges no
 * time: {@code mvn -pl compiler/core -am test -Dtest=CheckSpeedTest
 * -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class CheckSpeedTest {
  private static final List<String> PARTS =
      List.of("losses/dpo.align", "losses/ipo.align", "losses/pairwise.align");

  /** Nine objectives with their documentation, in one file of more than 200 lines. */
  private static String spec() {
    StringBuilder text = new StringBuilder();
    for (String part : PARTS) {
      StandardLibrary.source(part)
          .orElseThrow()
          .lines()
          .filter(line -> !line.startsWith("import "))
          .forEach(line -> text.append(line).append('\n'));
    }
    return text.toString();
  }

  @Test
  void aLongSpecIsCheckedWhileOneTypes() {
    String text = spec();
    assertThat(text.lines().count()).isGreaterThan(200);
    double[] times = new double[120];
    int objectives = 0;
    for (int i = 0; i < times.length; i++) {
      long start = System.nanoTime();
      Compilation compiled =
          Compiler.compile(new SourceFile("long.align", text), CompilerOptions.defaults());
      times[i] = (System.nanoTime() - start) / 1e6;
      assertThat(compiled.hasErrors()).isFalse();
      objectives = compiled.objectives().size();
    }
    double[] warm = Arrays.copyOfRange(times, times.length / 2, times.length);
    Arrays.sort(warm);
    System.out.printf(
        "check of %d lines, %d objectives: first %.0f ms, warm median %.1f ms (%.1f to %.1f)%n",
        text.lines().count(),
        objectives,
        times[0],
        warm[warm.length / 2],
        warm[0],
        warm[warm.length - 1]);
  }
}
