package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlainCommandLineTest {
  @TempDir private Path folder;

  private record Result(OptionalInt exit, String out, String err) {}

  /** Splits a line into arguments; {@code ~} stands for the folder. */
  private String[] arguments(String line) {
    return Arrays.stream(line.split(" "))
        .map(word -> word.replace("~", folder.toString()))
        .toArray(String[]::new);
  }

  private Result plain(String line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintWriter outWriter = new PrintWriter(out, true, StandardCharsets.UTF_8);
    PrintWriter errWriter = new PrintWriter(err, true, StandardCharsets.UTF_8);
    OptionalInt exit = PlainCommandLine.run(arguments(line), outWriter, errWriter);
    outWriter.flush();
    errWriter.flush();
    return new Result(
        exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private Result full(String line) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exit = Main.run(Main.commandLine(), arguments(line), out, err);
    return new Result(
        OptionalInt.of(exit),
        out.toString(StandardCharsets.UTF_8),
        err.toString(StandardCharsets.UTF_8));
  }

  @BeforeEach
  void write() throws IOException {
    Files.writeString(
        folder.resolve("right.align"),
        """
        objective Likely(weight: Real = 2) {
          policy pi
          minimize -weight * mean[sequence](log(pi(y)))
        }
        """);
    Files.writeString(folder.resolve("wrong.align"), "objective Wrong { policy }\n");
    Files.writeString(folder.resolve("batch.jsonl"), "{\"logp\": [-1, -2]}\n{\"logp\": [-4]}\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "check ~/right.align",
        "check ~/wrong.align ~/right.align",
        "check ~/missing.align",
        "check ~",
        "check --json ~/wrong.align",
        "check ~/wrong.align --format short",
        "check ~/wrong.align --format=GitHub --color=never",
        "check --color always --pedantic ~/right.align ~/wrong.align",
        "check align.losses.dpo",
        "check align.losses.doo",
        "fmt --check ~/right.align",
        "fmt --diff ~/wrong.align",
        "eval ~/right.align --batch ~/batch.jsonl",
        "eval ~/right.align#Likely --batch=~/batch.jsonl --json",
        "eval ~/right.align --batch ~/batch.jsonl -s weight=3 --threads 2 --backend reference",
        "eval ~/right.align --batch ~/batch.jsonl --set weight=3 --set wrong=1",
        "eval ~/right.align --batch ~/batch.jsonl --threads 0",
        "eval ~/right.align --batch ~/batch.jsonl --backend fastest",
        "eval ~/wrong.align --batch ~/batch.jsonl",
        "eval ~/right.align --batch ~/missing.jsonl",
      })
  void doesWhatTheFullCommandLineDoes(String line) {
    assertThat(plain(line)).isEqualTo(full(line));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "--version",
        "run ~/right.align",
        "check",
        "check --help",
        "check ~/right.align -h",
        "check ~/right.align --format",
        "check ~/right.align --format pretty",
        "check ~/right.align --format short --format full",
        "check ~/right.align --json --json",
        "check ~/right.align --json=true",
        "check ~/right.align --watch",
        "check ~/right.align --colour never",
        "check ~/right.align --color sometimes",
        "check @~/arguments",
        "check -- ~/right.align",
        "eval ~/right.align",
        "eval ~/right.align --batch ~/batch.jsonl --batch ~/batch.jsonl",
        "eval ~/right.align ~/right.align --batch ~/batch.jsonl",
        "eval ~/right.align --batch ~/batch.jsonl --threads two",
        "eval ~/right.align --batch ~/batch.jsonl -sweight=3",
        "eval ~/right.align --batch --json",
      })
  void leavesWhatIsNotPlain(String line) {
    assertThat(plain(line)).isEqualTo(new Result(OptionalInt.empty(), "", ""));
  }

  @Test
  void theFullCommandLineDoesTheRest() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    assertThat(Main.run(arguments("check --help"), out, err)).isEqualTo(ExitCode.CLEAN);
    assertThat(out.toString(StandardCharsets.UTF_8)).contains("Usage: align check");
  }
}
