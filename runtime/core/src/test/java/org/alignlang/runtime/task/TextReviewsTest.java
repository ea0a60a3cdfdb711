package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task.Response;
import org.junit.jupiter.api.Test;

class TextReviewsTest {
  private static Task task(Map<String, Object> arguments) {
    return Tasks.create("text", arguments, Path.of("."), 3);
  }

  private static Response review(Task task, String text) {
    Map<String, Integer> words = new HashMap<>();
    for (int v = 0; v < task.vocabulary(); v++) {
      words.put(task.show(new Response(0, new int[] {v}, 1)), v);
    }
    int[] tokens =
        Arrays.stream(text.replace(".", " .").trim().split(" ")).mapToInt(words::get).toArray();
    Response review = new Response(0, tokens, tokens.length);
    assertThat(task.show(review)).isEqualTo(text);
    return review;
  }

  @Test
  void scoresReadTheReview() {
    Task task = task(Map.of());
    Response mixed = review(task, "the food was not bad but we love the staff.");
    assertThat(task.score("sentiment", mixed)).containsExactly(3 + 3);
    assertThat(task.score("valence", mixed)).containsExactly(0, 0, 0, 0, 3, 0, 0, 3, 0, 0, 0);
    assertThat(task.score("overlap", mixed)).containsExactly(1);
    assertThat(task.score("repetition", mixed)).containsExactly(0);
    assertThat(task.score("harsh", mixed)).containsExactly(1);
    assertThat(task.score("length", mixed)).containsExactly(10);
    assertThat(task.score("gold", mixed)).containsExactly(4);
    Response hacked = review(task, "superb superb superb superb.");
    assertThat(task.score("sentiment", hacked)).containsExactly(20);
    assertThat(task.score("repetition", hacked)).containsExactly(0.75);
    assertThat(task.score("overlap", hacked)).containsExactly(0);
    assertThat(task.score("harsh", hacked)).containsExactly(0);
    assertThat(task.score("repetition", review(task, "."))).containsExactly(0);
  }

  @Test
  void theBasePolicyWritesSentencesInItsMood() {
    for (double mood : new double[] {-0.3, 0.3}) {
      Task task = task(Map.of("mood", mood, "slip", 1e-9));
      CounterRandom random = CounterRandom.of(1);
      double sentiment = 0;
      int ended = 0;
      for (int i = 0; i < 400; i++) {
        Response response = Responses.sample(task.base(), task, i % 4, random.stream(i));
        sentiment += task.score("sentiment", response)[0] / 400;
        String shown = task.show(response);
        assertThat(shown).matches("(the|I|we|they) .*");
        assertThat(shown).doesNotContain("the the").doesNotContain(" was .");
        ended += shown.endsWith(".") ? 1 : 0;
      }
      assertThat(Math.signum(sentiment)).isEqualTo(Math.signum(mood));
      assertThat(ended).isGreaterThan(200);
    }
  }

  @Test
  void theLexiconIsWellFormed() {
    List<Lexicon.Entry> entries = Lexicon.read();
    assertThat(entries).hasSize(128);
    assertThat(new HashSet<>(entries.stream().map(Lexicon.Entry::word).toList())).hasSize(128);
    assertThat(entries).allSatisfy(e -> assertThat(Math.abs(e.valence())).isBetween(1, 5));
    assertThat(entries.stream().filter(Lexicon.Entry::adjective)).hasSize(115);
  }

  @Test
  void argumentsThatDoNotFitAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(Map.of("prompts", 9)))
        .withMessageContaining("a whole number from 1 to 8");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(Map.of("slip", 0)))
        .withMessageContaining("a number above 0");
  }
}
