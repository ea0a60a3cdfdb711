package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.alignlang.kernel.AlignVersion;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class PackagedProgramTest {
  private static final Path JAR = Path.of("..", "..", "compiler", "cli", "target", "align.jar");

  @Test
  void theShadedJarStarts() throws IOException, InterruptedException {
    Assumptions.assumeTrue(Files.exists(JAR), "packaged by mvn verify, not by mvn test");
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();

    Process process =
        new ProcessBuilder(java, "-jar", JAR.toString(), "--version")
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output).startsWith("align " + AlignVersion.current());
  }
}
