package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task.Response;

/**
 * Task {@code sequences}: short words over a few letters. With few letters and a small length all
 * responses can be enumerated, so expectations, divergences and optima are exact.
 *
 * <ul>
 *   <li>{@code count}: how often the prompt's keyword occurs
 *   <li>{@code pattern}: 1 if the pattern occurs, else 0
 *   <li>{@code length}: the number of letters, the end not counted
 *   <li>{@code distinct}: the number of different letters
 *   <li>{@code score} (also {@code reward}): {@code count / length argument + pattern}, what the
 *       preference pairs go by
 *   <li>{@code hit}: per token, 1 where it is the keyword, else 0
 * </ul>
 *
 * <p>The base policy draws each token by the prompt and the letter before it, from logits that are
 * normal with standard deviation {@code scale}. The expert spells the pattern: each of its letters
 * with probability {@code skill}, and else as the base policy would err.
 *
 * <p>Arguments: {@code letters} (3), from {@code a} on; {@code length} (4), the most tokens of a
 * response; {@code end} (true), whether a further token ends a response early; {@code prompts} (1);
 * {@code keyword} (the prompt's number as a letter, and again from {@code a}); {@code pattern}
 * ({@code "ab"}); {@code scale} (1); {@code skill} (0.8); {@code pairs} (512); {@code label_noise}
 * (0).
 */
public final class Sequences implements TaskProvider {
  private static final int ALPHABET = 26;

  @Override
  public String name() {
    return "sequences";
  }

  @Override
  public String summary() {
    return "short words over a few letters, rewarded for keywords, patterns and length";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    int letters = arguments.integer("letters", 3, 2, ALPHABET);
    int length = arguments.integer("length", 4, 1, 256);
    boolean end = arguments.flag("end", true);
    int prompts = arguments.integer("prompts", 1, 1, 1 << 12);
    Optional<int[]> keyword =
        arguments.text("keyword").map(text -> word(arguments, "keyword", text, letters, 1));
    int[] pattern =
        arguments
            .text("pattern")
            .map(text -> word(arguments, "pattern", text, letters, length))
            .orElse(length == 1 ? new int[] {0} : new int[] {0, 1});
    double scale = arguments.real("scale", 1, 0, 100);
    double skill = arguments.real("skill", 0.8, 0, 1);
    int count = arguments.integer("pairs", 512, 0, 1 << 20);
    double noise = arguments.real("label_noise", 0, 0, 1);

    int vocabulary = end ? letters + 1 : letters;
    int endToken = end ? letters : -1;
    CounterRandom random = CounterRandom.of(seed).stream("sequences");
    double[][][] logits = new double[prompts][vocabulary + 1][];
    for (int prompt = 0; prompt < prompts; prompt++) {
      for (int before = 0; before <= vocabulary; before++) {
        logits[prompt][before] =
            Bandit.normals(random.stream("base").stream(prompt, before), vocabulary);
        for (int v = 0; v < vocabulary; v++) {
          logits[prompt][before][v] *= scale;
        }
      }
    }
    MarkovPolicy base = new MarkovPolicy(logits);
    int[] keywords =
        IntStream.range(0, prompts)
            .map(prompt -> keyword.map(own -> own[0]).orElse(prompt % letters))
            .toArray();
    TokenTask.Builder task =
        TokenTask.builder("sequences", base, prompts, length, endToken)
            .score("count", response -> count(response, keywords))
            .score("pattern", response -> contains(response, pattern) ? 1 : 0)
            .score("length", response -> TokenTask.contentLength(response, endToken))
            .score("distinct", response -> distinct(response, endToken))
            .score("reward", response -> reward(response, keywords, pattern, length))
            .score("score", response -> reward(response, keywords, pattern, length))
            .utility(response -> reward(response, keywords, pattern, length))
            .tokenScore("hit", response -> hits(response, keywords))
            .promptText(prompt -> "say " + (char) ('a' + keywords[prompt]))
            .text(response -> show(response, endToken))
            .expert(new SpellingExpert(base, pattern, skill));
    List<Task.Pair> pairs =
        new SampledPairs(
                base,
                prompts,
                length,
                endToken,
                response -> reward(response, keywords, pattern, length),
                count,
                noise)
            .sample(random.stream("pairs"));
    return task.pairs(pairs).labelled(SampledPairs.unpaired(pairs)).build();
  }

  private static int[] word(
      Arguments arguments, String argument, String text, int letters, int longest) {
    int[] tokens = text.chars().map(c -> c - 'a').toArray();
    boolean known = IntStream.of(tokens).allMatch(token -> token >= 0 && token < letters);
    if (!known || tokens.length == 0 || tokens.length > longest) {
      throw arguments.wrong(
          argument,
          "%s of the letters `a` to `%s`"
              .formatted(
                  longest == 1 ? "one" : "a word of 1 to " + longest, (char) ('a' + letters - 1)),
          text);
    }
    return tokens;
  }

  private static double[] hits(Response response, int[] keywords) {
    double[] hits = new double[response.length()];
    for (int t = 0; t < hits.length; t++) {
      hits[t] = response.tokens()[t] == keywords[response.prompt()] ? 1 : 0;
    }
    return hits;
  }

  private static double count(Response response, int[] keywords) {
    double count = 0;
    for (double hit : hits(response, keywords)) {
      count += hit;
    }
    return count;
  }

  private static boolean contains(Response response, int[] pattern) {
    for (int start = 0; start + pattern.length <= response.length(); start++) {
      int matched = 0;
      while (matched < pattern.length && response.tokens()[start + matched] == pattern[matched]) {
        matched++;
      }
      if (matched == pattern.length) {
        return true;
      }
    }
    return false;
  }

  private static double distinct(Response response, int endToken) {
    return IntStream.of(response.tokens())
        .limit(TokenTask.contentLength(response, endToken))
        .distinct()
        .count();
  }

  private static double reward(Response response, int[] keywords, int[] pattern, int length) {
    return count(response, keywords) / length + (contains(response, pattern) ? 1 : 0);
  }

  private static String show(Response response, int endToken) {
    StringBuilder text = new StringBuilder();
    for (int t = 0; t < response.length(); t++) {
      int token = response.tokens()[t];
      text.append(token == endToken ? "." : String.valueOf((char) ('a' + token)));
    }
    return text.toString();
  }
}
