package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.alignlang.kernel.AlignVersion;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PackagedProgramTest {
  private static final Path ROOT = Path.of("..", "..").toAbsolutePath().normalize();
  private static final Path JAR = ROOT.resolve("compiler/cli/target/align.jar");

  private record Output(int exit, String text) {}

  private static Output start(List<String> program, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(program);
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).directory(ROOT.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Output(process.waitFor(), output);
  }

  private static void requireJar() {
    Assumptions.assumeTrue(Files.exists(JAR), "packaged by mvn verify, not by mvn test");
  }

  @Test
  void theShadedJarStarts() throws IOException, InterruptedException {
    requireJar();
    Output output = start(List.of("-jar", JAR.toString()), "--version");
    assertThat(output.exit()).as(output.text()).isZero();
    assertThat(output.text()).startsWith("align " + AlignVersion.current());
  }

  /** The packaged classes are linked ahead, and must do what the compiled ones do. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "check --pedantic samples stdlib",
        "explain samples/quickstart/safe-helpful.align",
        "emit java align.losses.dpo",
      })
  void thePackagedClassesDoWhatTheCompiledOnesDo(String line)
      throws IOException, InterruptedException {
    requireJar();
    String[] arguments = line.split(" ");
    String main = "org.alignlang.cli.Main";
    String compiled = System.getProperty("java.class.path");
    Output packaged = start(List.of("-cp", JAR.toString(), main), arguments);
    assertThat(packaged).isEqualTo(start(List.of("-cp", compiled, main), arguments));
    assertThat(packaged.exit()).as(packaged.text()).isZero();
  }
}
