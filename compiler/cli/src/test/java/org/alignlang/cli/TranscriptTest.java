package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Runs the commands of {@code transcripts/*.txt} and compares what they print and how they end.
 *
 * <p>A transcript holds files ({@code @ name}, then its lines after {@code "| "}) and commands
 * ({@code "$ align ..."}, where {@code {dir}} is the folder of the files and {@code < file} gives
 * standard input), each followed by its output ({@code "> "}), its messages ({@code "! "}) and its
 * exit code ({@code "= "}). {@code -Dalign.update=true} writes down what the commands do now, and
 * still fails where that is new.
 */
class TranscriptTest {
  private static final Path TRANSCRIPTS = Path.of("src", "test", "resources", "transcripts");

  static Stream<Path> transcripts() throws IOException {
    try (Stream<Path> files = Files.list(TRANSCRIPTS)) {
      return files.sorted().toList().stream();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("transcripts")
  void commandsDoWhatTheTranscriptSays(Path transcript, @TempDir Path folder) throws IOException {
    awkwardFiles(folder);
    List<String> expected = Files.readAllLines(transcript);
    List<String> actual = new ArrayList<>();
    Path file = folder;
    for (String line : expected) {
      if (line.startsWith("@ ")) {
        file = folder.resolve(line.substring(2));
        Files.createDirectories(file.getParent());
        Files.writeString(file, "");
      } else if (line.equals("|") || line.startsWith("| ")) {
        String text = line.length() > 1 ? line.substring(2) : "";
        Files.writeString(file, Files.readString(file) + text + "\n");
      }
      if (line.startsWith("$ align")) {
        actual.add(line);
        actual.addAll(run(line.substring("$ align".length()).strip(), folder));
      } else if (!line.matches("[>!=].*")) {
        actual.add(line);
      }
    }
    if (Boolean.getBoolean("align.update") && !actual.equals(expected)) {
      Files.write(transcript, actual);
    }
    assertThat(String.join("\n", actual)).isEqualTo(String.join("\n", expected));
  }

  /** Files that cannot be written down in a transcript. */
  private static void awkwardFiles(Path folder) throws IOException {
    Files.write(folder.resolve("latin1.align"), new byte[] {'/', '/', ' ', (byte) 0xE9, '\n'});
    Files.write(folder.resolve("binary.align"), new byte[] {0x7F, 'E', 'L', 'F', 0, 1, 2});
    byte[] huge = new byte[4 * 1024 * 1024 + 1];
    Arrays.fill(huge, (byte) ' ');
    Files.write(folder.resolve("huge.align"), huge);
    Files.createDirectory(folder.resolve("nothing"));
  }

  private static List<String> run(String command, Path folder) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    InputStream standardInput = System.in;
    List<String> arguments = new ArrayList<>();
    int exit;
    try {
      int input = command.indexOf(" < ");
      if (input >= 0) {
        Path file = folder.resolve(command.substring(input + 3).strip());
        System.setIn(new ByteArrayInputStream(Files.readAllBytes(file)));
      }
      for (String word : words(input < 0 ? command : command.substring(0, input))) {
        arguments.add(word.replace("{dir}", slashes(folder)));
      }
      exit = Main.run(Main.commandLine(), arguments.toArray(new String[0]), out, err);
    } finally {
      System.setIn(standardInput);
    }
    List<String> lines = new ArrayList<>();
    lines(out, folder).forEach(line -> lines.add((">" + " " + line).stripTrailing()));
    lines(err, folder).forEach(line -> lines.add(("!" + " " + line).stripTrailing()));
    lines.add("= " + exit);
    return lines;
  }

  /** Words are parted by spaces, except between single quotes. */
  private static List<String> words(String command) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean quoted = false;
    boolean any = false;
    for (char c : command.strip().toCharArray()) {
      if (c == '\'') {
        quoted = !quoted;
        any = true;
      } else if (c == ' ' && !quoted) {
        if (any) {
          words.add(word.toString());
        }
        word.setLength(0);
        any = false;
      } else {
        word.append(c);
        any = true;
      }
    }
    if (any) {
      words.add(word.toString());
    }
    return words;
  }

  private static List<String> lines(ByteArrayOutputStream stream, Path folder) {
    return stream
        .toString(StandardCharsets.UTF_8)
        .replace(slashes(folder), "{dir}")
        .replace(folder.toString(), "{dir}")
        .lines()
        .toList();
  }

  private static String slashes(Path folder) {
    return folder.toString().replace('\\', '/');
  }
}
