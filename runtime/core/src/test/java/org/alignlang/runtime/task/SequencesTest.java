package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task.Response;
import org.junit.jupiter.api.Test;

class SequencesTest {

  private static Task task(Map<String, Object> arguments) {
    return Tasks.create("sequences", arguments, Path.of("."), 3);
  }

  private static Response word(Task task, String shown) {
    return task.responses(0, 100_000).stream()
        .filter(response -> task.show(response).equals(shown))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void allResponsesCanBeListedAndTheirProbabilitiesSumToOne() {
    Task task = task(Map.of("letters", 3, "length", 4, "prompts", 2));
    for (int prompt = 0; prompt < 2; prompt++) {
      List<Response> all = task.responses(prompt, 1000);
      assertThat(all).hasSize(1 + 3 + 9 + 27 + 81);
      double[] logProbabilities = Responses.logProbabilities(task.base(), all);
      assertThat(Responses.logSumExp(logProbabilities)).isCloseTo(0, offset(1e-12));
      assertThat(logProbabilities[0]).isNotEqualTo(logProbabilities[1]);
    }
    assertThat(task(Map.of("letters", 3, "length", 4, "end", false)).responses(0, 1000))
        .hasSize(81);
  }

  @Test
  void scoresReadTheWord() {
    Task task = task(Map.of("keyword", "b", "pattern", "ba"));
    Response baab = word(task, "baab");
    assertThat(task.score("count", baab)).containsExactly(2);
    assertThat(task.score("pattern", baab)).containsExactly(1);
    assertThat(task.score("length", baab)).containsExactly(4);
    assertThat(task.score("distinct", baab)).containsExactly(2);
    assertThat(task.score("reward", baab)).containsExactly(0.5 + 1);
    assertThat(task.score("hit", baab)).containsExactly(1, 0, 0, 1);
    assertThat(task.perToken("hit")).isTrue();
    Response empty = word(task, ".");
    assertThat(task.score("length", empty)).containsExactly(0);
    assertThat(task.score("hit", empty)).containsExactly(0);
    assertThat(task.score("pattern", word(task, "ab."))).containsExactly(0);
  }

  @Test
  void everyPromptHasItsKeyword() {
    Task task = task(Map.of("prompts", 4, "letters", 3, "length", 1, "end", false));
    for (int prompt = 0; prompt < 4; prompt++) {
      for (int letter = 0; letter < 3; letter++) {
        assertThat(task.score("count", new Response(prompt, new int[] {letter}, 1)))
            .containsExactly(letter == prompt % 3 ? 1 : 0);
      }
    }
  }

  @Test
  void pairsPreferTheReward() {
    Task task = task(Map.of("pairs", 2000));
    double margin =
        task.pairs().stream()
            .mapToDouble(pair ->
                task.score("reward", pair.chosen())[0] - task.score("reward", pair.rejected())[0])
            .average()
            .orElseThrow();
    assertThat(task.pairs()).hasSize(2000);
    assertThat(margin).isGreaterThan(0.1);
  }

  /** The expert's letters are right with its skill, and its errors are those of the base policy. */
  @Test
  void theExpertSpellsThePattern() {
    Task task = task(Map.of("pattern", "cab", "length", 4, "skill", 0.7));
    int[] written = {1, 0, 2, 1};
    for (int t = 0; t < 3; t++) {
      double[] own = Responses.nextToken(task.expert().orElseThrow(), 0, written, t);
      double[] base = Responses.nextToken(task.base(), 0, written, t);
      int right = "cab".charAt(t) - 'a';
      assertThat(Math.exp(own[right])).isCloseTo(0.7, offset(1e-12));
      assertThat(Responses.logSumExp(own)).isCloseTo(0, offset(1e-12));
      int one = (right + 1) % 4;
      int other = (right + 2) % 4;
      assertThat(own[one] - own[other]).isCloseTo(base[one] - base[other], offset(1e-12));
    }
    assertThat(Responses.nextToken(task.expert().orElseThrow(), 0, written, 3))
        .containsExactly(Responses.nextToken(task.base(), 0, written, 3));
  }

  @Test
  void argumentsThatDoNotFitAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(Map.of("keyword", "d")))
        .withMessage(
            "argument `keyword` of task `sequences` must be one of the letters `a` to `c`, not"
                + " \"d\"");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(Map.of("pattern", "abcab")))
        .withMessageContaining("a word of 1 to 4 of the letters `a` to `c`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(Map.of("letters", 27)))
        .withMessageContaining("a whole number from 2 to 26");
  }
}
