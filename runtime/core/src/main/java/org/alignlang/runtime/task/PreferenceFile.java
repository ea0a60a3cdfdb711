package org.alignlang.runtime.task;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A JSONL file of preferences in the layouts that the field's libraries read (TRL, "Dataset formats
 * and types"), one JSON object a line:
 *
 * <ul>
 *   <li>pairs: {@code prompt}, {@code chosen}, {@code rejected}
 *   <li>unpaired: {@code prompt}, {@code completion}, {@code label} (true: desirable)
 * </ul>
 *
 * <p>Each text is a string, or a conversation: a list of {@code {"role": ..., "content": ...}}. In
 * pairs of conversations {@code prompt} may be left out; it is then what both begin with. Other
 * keys are not looked at. Blank lines are passed over, and a file has lines of one kind.
 */
final class PreferenceFile {
  private static final long LONGEST = 256L << 20;

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** One line of a file. */
  sealed interface Line {
    /** The number of the line, from 1. */
    int number();

    String prompt();

    record Compared(int number, String prompt, String chosen, String rejected) implements Line {}

    record Judged(int number, String prompt, String completion, boolean desirable)
        implements Line {}
  }

  private final String name;

  private PreferenceFile(String name) {
    this.name = name;
  }

  /**
   * Reads a file.
   *
   * @param directory the folder that it must lie in
   * @param name its path, relative to the folder
   * @return its lines, at least one, all of one kind
   * @throws IllegalArgumentException if it cannot be read, or a line does not fit; the message
   *     names the file and the line
   */
  static List<Line> read(Path directory, String name) {
    PreferenceFile file = new PreferenceFile(name);
    byte[] bytes = file.bytes(directory);
    List<Line> lines = new ArrayList<>();
    int number = 0;
    for (int start = 0; start < bytes.length; ) {
      int end = start;
      while (end < bytes.length && bytes[end] != '\n') {
        end++;
      }
      number++;
      String text = file.text(bytes, start, end, number);
      if (!text.isBlank()) {
        Line line = file.line(text, number);
        if (!lines.isEmpty() && !lines.getFirst().getClass().equals(line.getClass())) {
          throw file.wrong(
              number,
              "a %s, where line %d is a %s; a file has lines of one kind"
                  .formatted(kind(line), lines.getFirst().number(), kind(lines.getFirst())));
        }
        lines.add(line);
      }
      start = end + 1;
    }
    if (lines.isEmpty()) {
      throw new IllegalArgumentException("`" + name + "` has no lines");
    }
    return lines;
  }

  private static String kind(Line line) {
    return switch (line) {
      case Line.Compared _ -> "pair (`chosen` and `rejected`)";
      case Line.Judged _ -> "labelled completion (`completion` and `label`)";
    };
  }

  private byte[] bytes(Path directory) {
    try {
      Path folder = directory.toAbsolutePath().normalize();
      Path file = folder.resolve(name).normalize();
      if (Path.of(name).isAbsolute() || !file.startsWith(folder)) {
        throw outside();
      }
      if (!Files.exists(file)) {
        throw new IllegalArgumentException("there is no file `" + name + "` beside the spec");
      }
      // Links are followed once, so that what is checked is what is read.
      Path real = file.toRealPath();
      if (!real.startsWith(directory.toRealPath())) {
        throw outside();
      }
      if (!Files.isRegularFile(real)) {
        throw new IllegalArgumentException("`" + name + "` is not a file");
      }
      if (Files.size(real) > LONGEST) {
        throw new IllegalArgumentException(
            "`%s` has %d bytes; preference data has at most %d"
                .formatted(name, Files.size(real), LONGEST));
      }
      return Files.readAllBytes(real);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException("`" + name + "` is no file name", e);
    } catch (IOException e) {
      throw new IllegalArgumentException("`" + name + "` cannot be read: " + e.getMessage(), e);
    }
  }

  private IllegalArgumentException outside() {
    return new IllegalArgumentException("`" + name + "` leads out of the folder of the spec");
  }

  private String text(byte[] bytes, int start, int end, int number) {
    try {
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes, start, end - start))
              .toString();
      return number == 1 && text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException(place(number) + "this is not UTF-8 text", e);
    }
  }

  private Line line(String text, int number) {
    JsonNode object;
    try {
      object = JSON.readTree(text);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(
          place(number) + "this is not JSON: " + e.getOriginalMessage(), e);
    }
    if (!object.isObject()) {
      throw wrong(number, "not a JSON object");
    }
    boolean pair = object.has("chosen") || object.has("rejected");
    boolean judged = object.has("completion") || object.has("label");
    if (pair == judged) {
      throw wrong(
          number,
          pair
              ? "a pair and a labelled completion at once"
              : "neither a pair (`prompt`, `chosen`, `rejected`) nor a labelled completion"
                  + " (`prompt`, `completion`, `label`)");
    }
    return pair ? compared(object, number) : judged(object, number);
  }

  private Line compared(JsonNode object, int number) {
    JsonNode chosen = required(object, "chosen", number);
    JsonNode rejected = required(object, "rejected", number);
    int shared = 0;
    String prompt;
    if (object.has("prompt")) {
      prompt = promptText(object, number);
    } else if (chosen.isArray() && rejected.isArray()) {
      while (shared < Math.min(chosen.size(), rejected.size())
          && chosen.get(shared).equals(rejected.get(shared))) {
        shared++;
      }
      prompt = conversation(chosen, 0, shared, "chosen", number);
    } else {
      throw wrong(number, "without `prompt`");
    }
    String first = completion(chosen, shared, "chosen", number);
    String second = completion(rejected, shared, "rejected", number);
    if (first.equals(second)) {
      throw wrong(number, "a pair whose `chosen` and `rejected` are the same");
    }
    return new Line.Compared(number, prompt, first, second);
  }

  private Line judged(JsonNode object, int number) {
    JsonNode label = required(object, "label", number);
    if (!label.isBoolean()) {
      throw wrong(number, "labelled with `%s`; `label` is true or false".formatted(label));
    }
    String completion = completion(required(object, "completion", number), 0, "completion", number);
    required(object, "prompt", number);
    return new Line.Judged(number, promptText(object, number), completion, label.booleanValue());
  }

  private String promptText(JsonNode object, int number) {
    JsonNode prompt = object.get("prompt");
    return prompt.isArray()
        ? conversation(prompt, 0, prompt.size(), "prompt", number)
        : string(prompt, "prompt", number);
  }

  /** The text of a completion, or of the messages of a conversation from a place on. */
  private String completion(JsonNode value, int from, String key, int number) {
    if (!value.isArray()) {
      String text = string(value, key, number);
      if (text.isBlank()) {
        throw wrong(number, "with an empty `" + key + "`");
      }
      return text;
    }
    List<String> contents = new ArrayList<>();
    for (int i = from; i < value.size(); i++) {
      contents.add(string(message(value.get(i), key, number).get("content"), key, number));
    }
    String text = String.join("\n", contents);
    if (text.isBlank()) {
      throw wrong(
          number,
          from == 0
              ? "with an empty `" + key + "`"
              : "with nothing in `" + key + "` beyond what both conversations begin with");
    }
    return text;
  }

  private String conversation(JsonNode messages, int from, int to, String key, int number) {
    List<String> turns = new ArrayList<>();
    for (int i = from; i < to; i++) {
      JsonNode message = message(messages.get(i), key, number);
      turns.add(message.get("role").asString() + ": " + message.get("content").asString());
    }
    return String.join("\n", turns);
  }

  private JsonNode message(JsonNode message, String key, int number) {
    boolean fits =
        message.isObject()
            && message.has("role")
            && message.get("role").isString()
            && message.has("content")
            && message.get("content").isString();
    if (!fits) {
      throw wrong(
          number,
          "with a message in `%s` that is not {\"role\": text, \"content\": text}".formatted(key));
    }
    return message;
  }

  private JsonNode required(JsonNode object, String key, int number) {
    JsonNode value = object.get(key);
    if (value == null) {
      throw wrong(number, "without `" + key + "`");
    }
    return value;
  }

  private String string(JsonNode value, String key, int number) {
    if (!value.isString()) {
      throw wrong(number, "whose `%s` is neither a text nor a list of messages".formatted(key));
    }
    return value.stringValue();
  }

  private IllegalArgumentException wrong(int number, String what) {
    return new IllegalArgumentException(place(number) + "this line is " + what);
  }

  private String place(int number) {
    return "%s:%d: ".formatted(name, number);
  }
}
