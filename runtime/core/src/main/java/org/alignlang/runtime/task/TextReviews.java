package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task.Response;

/**
 * Task {@code text}: short reviews in English, such as "the food was not great but we love the
 * staff.", scored by a sentiment lexicon ({@link Lexicon}). A prompt is a topic to write about.
 *
 * <ul>
 *   <li>{@code sentiment}: the sum of the valences of the review's words, each between -5 and 5; a
 *       word after {@code not} counts with the opposite sign
 *   <li>{@code valence}: the same per token, the terms of that sum
 *   <li>{@code overlap}: 1 if the prompt's topic is mentioned, else 0
 *   <li>{@code repetition}: the share of words that occurred before in the review, {@code the} and
 *       {@code and} left out
 *   <li>{@code harsh}: 1 if there is a word of valence -3 or below, else 0
 *   <li>{@code length}: the number of words
 *   <li>{@code gold} (also {@code score}): {@code sentiment / 3 + 2 overlap - 6 repetition}, what
 *       the preference pairs go by
 * </ul>
 *
 * <p>The base policy is a chain over parts of speech with random word frequencies, so it writes
 * sentences, mostly grammatical; words of valence {@code v} are {@code exp(mood * v)} times as
 * frequent, so that with a negative {@code mood} it complains. It may also, rarely, put any word
 * anywhere: with probability {@code slip} a token is drawn from all words alike.
 *
 * <p>Arguments: {@code prompts} (4, at most 8), {@code length} (12), the most tokens of a review,
 * the full stop included; {@code mood} (-0.15); {@code slip} (0.02); {@code pairs} (512); {@code
 * label_noise} (0).
 */
public final class TextReviews implements TaskProvider {
  private static final List<String> TOPICS =
      List.of("food", "room", "film", "music", "staff", "garden", "service", "price");
  private static final int HARSH = -3;

  /** How many times as often as another topic a prompt's own is written about. */
  private static final double FOCUS = 4;

  private enum Part {
    END,
    ARTICLE,
    NOUN,
    PRONOUN,
    VERB,
    COPULA,
    ADVERB,
    ADJECTIVE,
    CONJUNCTION
  }

  private record Word(String text, Part part, int valence) {}

  @Override
  public String name() {
    return "text";
  }

  @Override
  public String summary() {
    return "short English reviews, scored by a sentiment lexicon";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    int prompts = arguments.integer("prompts", 4, 1, TOPICS.size());
    int length = arguments.integer("length", 12, 2, 256);
    double mood = arguments.real("mood", -0.15, -2, 2);
    double slip = arguments.above("slip", 0.02, 0);
    if (slip > 1) {
      throw arguments.wrong("slip", "a probability above 0", slip);
    }
    int count = arguments.integer("pairs", 512, 0, 1 << 20);
    double noise = arguments.real("label_noise", 0, 0, 1);

    List<Word> words = words();
    CounterRandom random = CounterRandom.of(seed).stream("text");
    MarkovPolicy base = base(words, prompts, mood, slip, random.stream("base"));
    Reviews reviews = new Reviews(words);
    TokenTask.Builder task =
        TokenTask.builder("text", base, prompts, length, 0)
            .score("sentiment", reviews::sentiment)
            .tokenScore("valence", reviews::valences)
            .score("overlap", reviews::overlap)
            .score("repetition", reviews::repetition)
            .score("harsh", reviews::harsh)
            .score("length", response -> TokenTask.contentLength(response, 0))
            .score("gold", reviews::gold)
            .score("score", reviews::gold)
            .utility(reviews::gold)
            .promptText(prompt -> "about the " + TOPICS.get(prompt))
            .text(reviews::show);
    List<Task.Pair> pairs =
        new SampledPairs(base, prompts, length, 0, reviews::gold, count, noise)
            .sample(random.stream("pairs"));
    return task.pairs(pairs).labelled(SampledPairs.unpaired(pairs)).build();
  }

  private static List<Word> words() {
    List<Word> words = new ArrayList<>(List.of(new Word(".", Part.END, 0)));
    words.add(new Word("the", Part.ARTICLE, 0));
    TOPICS.forEach(topic -> words.add(new Word(topic, Part.NOUN, 0)));
    List.of("I", "we", "they").forEach(text -> words.add(new Word(text, Part.PRONOUN, 0)));
    List.of("was", "felt", "seemed").forEach(text -> words.add(new Word(text, Part.COPULA, 0)));
    List.of("very", "really", "rather", "not")
        .forEach(text -> words.add(new Word(text, Part.ADVERB, 0)));
    List.of("and", "but").forEach(text -> words.add(new Word(text, Part.CONJUNCTION, 0)));
    for (Lexicon.Entry entry : Lexicon.read()) {
      words.add(
          new Word(entry.word(), entry.adjective() ? Part.ADJECTIVE : Part.VERB, entry.valence()));
    }
    return Collections.unmodifiableList(words);
  }

  /** How readily a part of speech follows a word; the vocabulary's size stands for the start. */
  private static double weight(int before, Part next, List<Word> words) {
    if (before == words.size()) {
      return switch (next) {
        case ARTICLE -> 6;
        case PRONOUN -> 4;
        case END, NOUN, VERB, COPULA, ADVERB, ADJECTIVE, CONJUNCTION -> 0;
      };
    }
    return switch (words.get(before).part()) {
      case END, CONJUNCTION ->
          switch (next) {
            case ARTICLE -> 6;
            case PRONOUN -> 3;
            case ADJECTIVE -> 1;
            case END, NOUN, VERB, COPULA, ADVERB, CONJUNCTION -> 0;
          };
      case ARTICLE -> next == Part.NOUN ? 1 : 0;
      case NOUN ->
          switch (next) {
            case COPULA -> 7;
            case END -> 2;
            case CONJUNCTION -> 1;
            case ARTICLE, NOUN, PRONOUN, VERB, ADVERB, ADJECTIVE -> 0;
          };
      case PRONOUN -> next == Part.VERB ? 1 : 0;
      case VERB -> next == Part.ARTICLE ? 1 : 0;
      case COPULA ->
          switch (next) {
            case ADJECTIVE -> 6;
            case ADVERB -> 4;
            case END, ARTICLE, NOUN, PRONOUN, VERB, COPULA, CONJUNCTION -> 0;
          };
      case ADVERB -> next == Part.ADJECTIVE ? 1 : 0;
      case ADJECTIVE ->
          switch (next) {
            case END -> 5;
            case CONJUNCTION -> 5;
            case ARTICLE, NOUN, PRONOUN, VERB, COPULA, ADVERB, ADJECTIVE -> 0;
          };
    };
  }

  private static MarkovPolicy base(
      List<Word> words, int prompts, double mood, double slip, CounterRandom random) {
    int vocabulary = words.size();
    double[] normal = Bandit.normals(random, vocabulary);
    double[][][] logits = new double[prompts][vocabulary + 1][vocabulary];
    for (int prompt = 0; prompt < prompts; prompt++) {
      double[] frequency = new double[vocabulary];
      double[] ofPart = new double[Part.values().length];
      for (int v = 0; v < vocabulary; v++) {
        Word word = words.get(v);
        frequency[v] =
            Math.exp(0.5 * normal[v] + mood * word.valence())
                * (word.text().equals(TOPICS.get(prompt)) ? FOCUS : 1);
        ofPart[word.part().ordinal()] += frequency[v];
      }
      for (int before = 0; before <= vocabulary; before++) {
        double[] row = logits[prompt][before];
        for (int v = 0; v < vocabulary; v++) {
          Part part = words.get(v).part();
          row[v] = weight(before, part, words) * frequency[v] / ofPart[part.ordinal()];
        }
        double total = Arrays.stream(row).sum();
        for (int v = 0; v < vocabulary; v++) {
          row[v] = Math.log((1 - slip) * row[v] / total + slip / vocabulary);
        }
      }
    }
    return new MarkovPolicy(logits);
  }

  /** Reads and scores reviews. */
  private record Reviews(List<Word> words) {
    private List<Word> content(Response response) {
      return Arrays.stream(response.tokens())
          .limit(TokenTask.contentLength(response, 0))
          .mapToObj(words::get)
          .toList();
    }

    double[] valences(Response response) {
      double[] valences = new double[response.length()];
      for (int t = 0; t < valences.length; t++) {
        boolean negated = t > 0 && words.get(response.tokens()[t - 1]).text().equals("not");
        int valence = words.get(response.tokens()[t]).valence();
        valences[t] = negated ? -valence : valence;
      }
      return valences;
    }

    double sentiment(Response response) {
      return Arrays.stream(valences(response)).sum();
    }

    double overlap(Response response) {
      String topic = TOPICS.get(response.prompt());
      return content(response).stream().anyMatch(word -> word.text().equals(topic)) ? 1 : 0;
    }

    double repetition(Response response) {
      List<Word> content = content(response);
      Set<String> seen = new HashSet<>();
      double repeated = 0;
      for (Word word : content) {
        boolean free = word.part() == Part.ARTICLE || word.text().equals("and");
        repeated += free || seen.add(word.text()) ? 0 : 1;
      }
      return content.isEmpty() ? 0 : repeated / content.size();
    }

    double harsh(Response response) {
      return content(response).stream().anyMatch(word -> word.valence() <= HARSH) ? 1 : 0;
    }

    double gold(Response response) {
      return sentiment(response) / 3 + 2 * overlap(response) - 6 * repetition(response);
    }

    String show(Response response) {
      StringBuilder text = new StringBuilder();
      for (int t = 0; t < response.length(); t++) {
        Word word = words.get(response.tokens()[t]);
        text.append(t == 0 || word.part() == Part.END ? "" : " ").append(word.text());
      }
      return text.toString();
    }
  }
}
