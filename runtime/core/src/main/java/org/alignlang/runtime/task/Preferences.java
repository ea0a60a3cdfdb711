package org.alignlang.runtime.task;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.task.PreferenceFile.Line;
import org.alignlang.runtime.task.Task.Labelled;
import org.alignlang.runtime.task.Task.Pair;
import org.alignlang.runtime.task.Task.Response;

/**
 * Task {@code preferences}: preference data from a JSONL file beside the spec, in the layouts of
 * {@link PreferenceFile}. Nothing in it is random.
 *
 * <p>{@code tokens} says what a response is made of:
 *
 * <ul>
 *   <li>{@code "responses"}: a response is one token, the choice among the responses that the file
 *       has for the prompt. Everything is exact; the base policy is uniform. Scores: {@code wins}
 *       (also {@code score}), the share of a response's judgements that were in its favour, and
 *       {@code length} in words.
 *   <li>{@code "words"}: words and punctuation marks, at most 2048 different ones
 *   <li>{@code "bytes"}: the bytes of its UTF-8 form
 * </ul>
 *
 * <p>Words and bytes are followed by an end token. Their base policy is the bigram model of all
 * responses in the file, mixed with the uniform distribution ({@code smoothing}); their one score
 * is {@code length} in tokens, the end not counted.
 *
 * <p>Arguments: {@code file}, which must be given: a path relative to the spec's folder that does
 * not lead out of it; {@code tokens} ({@code "responses"}); {@code length}, the most tokens of a
 * response (the longest in the file); {@code smoothing} (0.1), not for {@code "responses"}.
 */
public final class Preferences implements TaskProvider {
  private static final Pattern WORD = Pattern.compile("[\\p{L}\\p{M}\\p{N}'’_-]+|[^\\s]");
  private static final int MAXIMUM_WORDS = 2048;
  private static final int MAXIMUM_LENGTH = 1 << 14;
  private static final int BYTES = 256;

  @Override
  public String name() {
    return "preferences";
  }

  @Override
  public String summary() {
    return "preference data from a JSONL file beside the spec";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    String file =
        arguments
            .text("file")
            .orElseThrow(() ->
                arguments.missing("file", "the name of a JSONL file beside the spec, in quotes"));
    String tokens =
        arguments.word("tokens", List.of("responses", "words", "bytes")).orElse("responses");
    List<Line> lines = PreferenceFile.read(dataDirectory, file);
    Data data = Data.of(lines);
    return switch (tokens) {
      case "words" -> sequences(arguments, file, data, Words.of(file, data));
      case "bytes" -> sequences(arguments, file, data, new Bytes());
      default -> candidates(data);
    };
  }

  /** A response by the numbers of its prompt and text, with the line that it stands in. */
  private record Reference(int prompt, int text, int line) {}

  private record Comparison(Reference chosen, Reference rejected) {}

  private record Judgement(Reference response, boolean desirable) {}

  /** A file with its prompts and, for each of them, its responses numbered as they come. */
  private record Data(
      List<String> prompts,
      List<List<String>> texts,
      List<Comparison> comparisons,
      List<Judgement> judgements) {

    static Data of(List<Line> lines) {
      Map<String, Map<String, Integer>> numbers = new LinkedHashMap<>();
      List<String> prompts = new ArrayList<>();
      List<Comparison> comparisons = new ArrayList<>();
      List<Judgement> judgements = new ArrayList<>();
      Map<String, Integer> promptNumbers = new HashMap<>();
      for (Line line : lines) {
        int prompt =
            promptNumbers.computeIfAbsent(
                line.prompt(),
                text -> {
                  prompts.add(text);
                  return prompts.size() - 1;
                });
        Map<String, Integer> own =
            numbers.computeIfAbsent(line.prompt(), text -> new LinkedHashMap<>());
        switch (line) {
          case Line.Compared(int number, String _, String chosen, String rejected) ->
              comparisons.add(
                  new Comparison(
                      new Reference(prompt, numberOf(own, chosen), number),
                      new Reference(prompt, numberOf(own, rejected), number)));
          case Line.Judged(int number, String _, String completion, boolean desirable) ->
              judgements.add(
                  new Judgement(
                      new Reference(prompt, numberOf(own, completion), number), desirable));
        }
      }
      return new Data(
          prompts,
          numbers.values().stream().map(own -> List.copyOf(own.keySet())).toList(),
          comparisons,
          judgements);
    }

    private static int numberOf(Map<String, Integer> numbers, String text) {
      Integer known = numbers.putIfAbsent(text, numbers.size());
      return known == null ? numbers.size() - 1 : known;
    }

    String text(Reference response) {
      return texts.get(response.prompt()).get(response.text());
    }

    /** Every response as often as it is judged. */
    List<Reference> references() {
      List<Reference> all = new ArrayList<>();
      comparisons.forEach(comparison -> {
        all.add(comparison.chosen());
        all.add(comparison.rejected());
      });
      judgements.forEach(judgement -> all.add(judgement.response()));
      return all;
    }
  }

  private static Task candidates(Data data) {
    int prompts = data.prompts().size();
    double[][] won = new double[prompts][];
    double[][] judged = new double[prompts][];
    double[][] length = new double[prompts][];
    for (int prompt = 0; prompt < prompts; prompt++) {
      List<String> texts = data.texts().get(prompt);
      won[prompt] = new double[texts.size()];
      judged[prompt] = new double[texts.size()];
      length[prompt] = texts.stream().mapToDouble(text -> Words.split(text).size()).toArray();
    }
    data.references().forEach(response -> judged[response.prompt()][response.text()]++);
    data.comparisons()
        .forEach(comparison -> won[comparison.chosen().prompt()][comparison.chosen().text()]++);
    data.judgements().stream()
        .filter(Judgement::desirable)
        .forEach(judgement -> won[judgement.response().prompt()][judgement.response().text()]++);
    for (int prompt = 0; prompt < prompts; prompt++) {
      for (int i = 0; i < won[prompt].length; i++) {
        won[prompt][i] /= judged[prompt][i];
      }
    }
    int[] counts = data.texts().stream().mapToInt(List::size).toArray();
    List<Pair> pairs =
        data.comparisons().stream()
            .map(comparison ->
                new Pair(candidate(comparison.chosen()), candidate(comparison.rejected())))
            .toList();
    return CandidateTask.builder("preferences", counts)
        .score("wins", won)
        .score("score", won)
        .score("length", length)
        .pairs(pairs)
        .labelled(labelled(data, pairs, Preferences::candidate))
        .promptText(data.prompts()::get)
        .text((prompt, candidate) -> data.texts().get(prompt).get(candidate))
        .build();
  }

  private static Response candidate(Reference response) {
    return CandidateTask.response(response.prompt(), response.text());
  }

  private static List<Labelled> labelled(
      Data data, List<Pair> pairs, Function<Reference, Response> response) {
    List<Labelled> labelled = new ArrayList<>(SampledPairs.unpaired(pairs));
    data.judgements()
        .forEach(judgement ->
            labelled.add(
                new Labelled(response.apply(judgement.response()), judgement.desirable())));
    return labelled;
  }

  private static Task sequences(Arguments arguments, String file, Data data, Tokens tokens) {
    double smoothing = arguments.above("smoothing", 0.1, 0);
    if (smoothing > 1) {
      throw arguments.wrong("smoothing", "a number above 0 and at most 1", smoothing);
    }
    int limit = arguments.integer("length", MAXIMUM_LENGTH, 2, MAXIMUM_LENGTH);
    Map<Reference, Response> encoded = new HashMap<>();
    int longest = 2;
    for (Reference reference : data.references()) {
      int[] content = tokens.encode(data.text(reference));
      if (content.length + 1 > limit) {
        throw new IllegalArgumentException(
            "%s:%d: a response has %d tokens with its end; the most is %d%s"
                .formatted(
                    file,
                    reference.line(),
                    content.length + 1,
                    limit,
                    arguments.has("length") ? ", the argument `length`" : ""));
      }
      int[] ended = Arrays.copyOf(content, content.length + 1);
      ended[content.length] = tokens.end();
      encoded.put(reference, new Response(reference.prompt(), ended, ended.length));
      longest = Math.max(longest, ended.length);
    }
    MarkovPolicy base = bigrams(encoded, tokens.end() + 1, data.prompts().size(), smoothing);
    List<Pair> pairs =
        data.comparisons().stream()
            .map(comparison ->
                new Pair(
                    encoded(encoded, comparison.chosen()), encoded(encoded, comparison.rejected())))
            .toList();
    return TokenTask.builder("preferences", base, data.prompts().size(), longest, tokens.end())
        .score("length", response -> TokenTask.contentLength(response, tokens.end()))
        .pairs(pairs)
        .labelled(labelled(data, pairs, reference -> encoded(encoded, reference)))
        .promptText(data.prompts()::get)
        .text(response ->
            tokens.decode(
                Arrays.copyOf(response.tokens(), TokenTask.contentLength(response, tokens.end()))))
        .build();
  }

  private static Response encoded(Map<Reference, Response> encoded, Reference reference) {
    Response response = encoded.get(reference);
    if (response == null) {
      throw new IllegalStateException("not encoded: " + reference);
    }
    return response;
  }

  /** How often each token follows each other one in the responses, each text counted once. */
  private static MarkovPolicy bigrams(
      Map<Reference, Response> responses, int vocabulary, int prompts, double smoothing) {
    double[][] counts = new double[vocabulary + 1][vocabulary];
    Set<String> seen = new LinkedHashSet<>();
    for (Map.Entry<Reference, Response> entry : responses.entrySet()) {
      if (seen.add(entry.getKey().prompt() + " " + entry.getKey().text())) {
        int before = vocabulary;
        for (int token : entry.getValue().tokens()) {
          counts[before][token]++;
          before = token;
        }
      }
    }
    for (double[] row : counts) {
      double total = Arrays.stream(row).sum();
      for (int v = 0; v < vocabulary; v++) {
        double observed = total == 0 ? 1.0 / vocabulary : row[v] / total;
        row[v] = Math.log((1 - smoothing) * observed + smoothing / vocabulary);
      }
    }
    double[][][] logits = new double[prompts][][];
    Arrays.fill(logits, counts);
    return new MarkovPolicy(logits);
  }

  /** How texts become tokens. */
  private sealed interface Tokens {
    int[] encode(String text);

    String decode(int[] tokens);

    /** The end token, one more than all others. */
    int end();
  }

  private record Bytes() implements Tokens {
    @Override
    public int[] encode(String text) {
      byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
      int[] tokens = new int[bytes.length];
      Arrays.setAll(tokens, i -> bytes[i] & 0xff);
      return tokens;
    }

    @Override
    public String decode(int[] tokens) {
      byte[] bytes = new byte[tokens.length];
      for (int i = 0; i < tokens.length; i++) {
        bytes[i] = (byte) tokens[i];
      }
      return new String(bytes, StandardCharsets.UTF_8);
    }

    @Override
    public int end() {
      return BYTES;
    }
  }

  private record Words(List<String> words, Map<String, Integer> numbers) implements Tokens {
    static Words of(String file, Data data) {
      Map<String, Integer> numbers = new LinkedHashMap<>();
      for (Reference reference : data.references()) {
        for (String word : split(data.text(reference))) {
          numbers.putIfAbsent(word, numbers.size());
        }
        if (numbers.size() > MAXIMUM_WORDS) {
          throw new IllegalArgumentException(
              "%s:%d: more than %d different words; use `tokens = \"bytes\"`"
                  .formatted(file, reference.line(), MAXIMUM_WORDS));
        }
      }
      return new Words(List.copyOf(numbers.keySet()), numbers);
    }

    static List<String> split(String text) {
      List<String> words = new ArrayList<>();
      Matcher matcher = WORD.matcher(text);
      while (matcher.find()) {
        words.add(matcher.group());
      }
      return words;
    }

    @Override
    public int[] encode(String text) {
      return split(text).stream().mapToInt(word -> numbers.getOrDefault(word, 0)).toArray();
    }

    @Override
    public String decode(int[] tokens) {
      StringBuilder text = new StringBuilder();
      for (int token : tokens) {
        String word = words.get(token);
        boolean closing = word.length() == 1 && ".,;:!?)".contains(word);
        text.append(text.isEmpty() || closing ? "" : " ").append(word);
      }
      return text.toString();
    }

    @Override
    public int end() {
      return words.size();
    }
  }
}
