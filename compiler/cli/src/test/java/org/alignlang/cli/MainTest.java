package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.alignlang.kernel.AlignVersion;
import org.junit.jupiter.api.Test;

class MainTest {
  @Test
  void versionNamesAlignAndJava() {
    StringWriter out = new StringWriter();

    int exit = Main.commandLine().setOut(new PrintWriter(out)).execute("--version");

    assertThat(exit).isZero();
    assertThat(out.toString()).contains("align " + AlignVersion.current(), "Java 25");
  }

  @Test
  void noCommandIsAUsageError() {
    StringWriter err = new StringWriter();

    int exit = Main.commandLine().setErr(new PrintWriter(err)).execute();

    assertThat(exit).isEqualTo(2);
    assertThat(err.toString()).contains("Missing command", "Usage: align");
  }
}
