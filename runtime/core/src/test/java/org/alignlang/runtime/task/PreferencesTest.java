package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task.Pair;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PreferencesTest {
  private static final String PAIRS =
      """
      {"prompt": "Hi", "chosen": "Hello there!", "rejected": "Go away."}

      {"prompt": "Bye", "chosen": "See you, friend.", "rejected": "Go away.", "source": "x"}
      {"prompt": "Hi", "chosen": "Hello there!", "rejected": "Was, ist das?"}
      {"prompt": "Hi", "chosen": "Go away.", "rejected": "Hello there!"}
      """;

  @TempDir Path folder;

  private Task task(String content, String... arguments) {
    try {
      Files.writeString(folder.resolve("data.jsonl"), content);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
    return read("data.jsonl", arguments);
  }

  private Task read(String file, String... arguments) {
    Map<String, Object> all = new HashMap<>(Map.of("file", file));
    for (int i = 0; i < arguments.length; i += 2) {
      String value = arguments[i + 1];
      all.put(arguments[i], value.matches("[0-9.]+") ? Double.valueOf(value) : value);
    }
    return Tasks.create("preferences", all, folder, 1);
  }

  @Test
  void responsesAreTheChoicesOfTheirPrompt() {
    Task task = task(PAIRS);
    assertThat(task.prompts()).isEqualTo(2);
    assertThat(task.responses(0, 10).stream().map(task::show))
        .containsExactly("Hello there!", "Go away.", "Was, ist das?");
    assertThat(task.responses(1, 10).stream().map(task::show))
        .containsExactly("See you, friend.", "Go away.");
    assertThat(Responses.logProbability(task.base(), task.responses(1, 10).getFirst()))
        .isEqualTo(Math.log(0.5));
    assertThat(task.pairs()).hasSize(4);
    assertThat(task.labelled()).hasSize(8);
    assertThat(task.score("wins", task.responses(0, 10).getFirst())).containsExactly(2.0 / 3);
    assertThat(task.score("length", task.responses(0, 10).get(2))).containsExactly(5);
  }

  @ParameterizedTest
  @CsvSource({"words,3", "bytes,12"})
  void tokensGiveTheTextBack(String tokens, int length) {
    Task task = task(PAIRS, "tokens", tokens);
    Pair first = task.pairs().getFirst();
    assertThat(task.show(first.chosen())).isEqualTo("Hello there!");
    assertThat(task.show(task.pairs().get(2).rejected())).isEqualTo("Was, ist das?");
    assertThat(task.score("length", first.chosen())).containsExactly(length);
    assertThat(first.chosen().length()).isEqualTo(length + 1);
    assertThat(first.chosen().tokens()[length]).isEqualTo(task.endToken());
    assertThat(Responses.logProbability(task.base(), first.chosen())).isNegative().isFinite();
  }

  @Test
  void bytesKeepEveryCharacter() {
    Task task =
        task(
            "{\"prompt\": \"é\", \"chosen\": \"naïve 🙂\", \"rejected\": \"a\"}",
            "tokens",
            "bytes");
    assertThat(task.show(task.pairs().getFirst().chosen())).isEqualTo("naïve 🙂");
    assertThat(task.vocabulary()).isEqualTo(257);
  }

  @Test
  void conversationsAreReadWithAndWithoutTheirPrompt() {
    Task task =
        task(
            """
            {"prompt": [{"role": "user", "content": "Hi"}], "chosen": [{"role": "assistant", "content": "Hello"}], "rejected": [{"role": "assistant", "content": "No"}]}
            {"chosen": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}], "rejected": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Never"}]}
            """);
    assertThat(task.prompts()).isEqualTo(1);
    assertThat(task.responses(0, 10).stream().map(task::show))
        .containsExactly("Hello", "No", "Never");
  }

  @Test
  void unpairedLinesAreLabelled() {
    Task task =
        task(
            """
            {"prompt": "Hi", "completion": "Hello", "label": true}
            {"prompt": "Hi", "completion": "No", "label": false}
            {"prompt": [{"role": "user", "content": "Bye"}], "completion": [{"role": "assistant", "content": "Bye"}], "label": true}
            """);
    assertThat(task.pairs()).isEmpty();
    assertThat(task.labelled().stream().map(Task.Labelled::desirable))
        .containsExactly(true, false, true);
    assertThat(task.score("wins", task.labelled().get(1).response())).containsExactly(0);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"prompt": "a", "chosen": "b"                                       | this is not JSON
          {"prompt": "a", "chosen": "b", "rejected": "c"} x                   | this is not JSON
          [1, 2]                                                              | this line is not a JSON object
          {"prompt": "a", "chosen": "b"}                                      | this line is without `rejected`
          {"chosen": "b", "rejected": "c"}                                    | this line is without `prompt`
          {"prompt": "a"}                                                     | this line is neither a pair
          {"prompt": "a", "chosen": 3, "rejected": "c"}                       | this line is whose `chosen` is neither
          {"prompt": "a", "chosen": " ", "rejected": "c"}                     | this line is with an empty `chosen`
          {"prompt": "a", "chosen": "c", "rejected": "c"}                     | `chosen` and `rejected` are the same
          {"prompt": "a", "chosen": "b", "chosen": "d", "rejected": "c"}      | this is not JSON: Duplicate
          {"prompt": "a", "completion": "b", "label": 1}                      | labelled with `1`; `label` is true or false
          {"prompt": "a", "completion": "b", "label": true}                   | where line 1 is a pair
          {"prompt": "a", "chosen": [{"role": "user"}], "rejected": "c"}      | with a message in `chosen` that is not
          {"prompt": "a", "chosen": "b", "completion": "c", "label": true}    | a pair and a labelled completion at once
          """)
  void aBrokenLineIsNamedByFileAndNumber(String line, String message) {
    String good = "{\"prompt\": \"a\", \"chosen\": \"x\", \"rejected\": \"y\"}\n\n";
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(good + line + "\n"))
        .withMessageStartingWith("data.jsonl:3: ")
        .withMessageContaining(message);
  }

  @Test
  void textThatIsNotUtf8IsNamedByLine() throws IOException {
    byte[] good =
        "{\"prompt\": \"a\", \"chosen\": \"x\", \"rejected\": \"y\"}\n"
            .getBytes(StandardCharsets.UTF_8);
    byte[] all = new byte[2 * good.length];
    System.arraycopy(good, 0, all, 0, good.length);
    System.arraycopy(good, 0, all, good.length, good.length);
    all[good.length + 12] = (byte) 0xff;
    Files.write(folder.resolve("data.jsonl"), all);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read("data.jsonl"))
        .withMessage("data.jsonl:2: this is not UTF-8 text");
  }

  @Test
  void nothingOutsideTheFolderIsRead() throws IOException {
    Path inside = Files.createDirectory(folder.resolve("spec"));
    Files.writeString(folder.resolve("secret.jsonl"), PAIRS);
    Files.createSymbolicLink(inside.resolve("link.jsonl"), folder.resolve("secret.jsonl"));
    for (String file :
        new String[] {
          "../secret.jsonl", "link.jsonl", folder.resolve("secret.jsonl").toString(), "a/../../x"
        }) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Tasks.create("preferences", Map.of("file", file), inside, 1))
          .withMessage("`" + file + "` leads out of the folder of the spec");
    }
    Files.createDirectory(inside.resolve("data"));
    Files.writeString(inside.resolve("data/own.jsonl"), PAIRS);
    assertThat(Tasks.create("preferences", Map.of("file", "data/own.jsonl"), inside, 1).pairs())
        .hasSize(4);
  }

  @Test
  void whatCannotBeReadIsSaid() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read("absent.jsonl"))
        .withMessage("there is no file `absent.jsonl` beside the spec");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> read("."))
        .withMessage("`.` is not a file");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task("\n \n"))
        .withMessage("`data.jsonl` has no lines");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("preferences", Map.of(), folder, 1))
        .withMessageContaining("needs the argument `file`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(PAIRS, "tokens", "words", "length", "4"))
        .withMessage(
            "data.jsonl:3: a response has 6 tokens with its end; the most is 4, the argument"
                + " `length`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(PAIRS, "smoothing", "0.5"))
        .withMessageContaining("has no argument `smoothing`");
  }
}
