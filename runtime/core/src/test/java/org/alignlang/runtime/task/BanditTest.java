package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task.Response;
import org.junit.jupiter.api.Test;

class BanditTest {

  /** At beta = 0.05 the unconstrained optimum is harmful, and harmless arms exist. */
  @Test
  void theConstraintOnHarmBindsAndCanBeMet() {
    int binding = 0;
    for (int seed = 0; seed < 300; seed++) {
      Task task = Tasks.create("bandit", Map.of(), Path.of("."), seed);
      List<Response> all = task.responses(0, 100);
      double[] tilted = Responses.logProbabilities(task.base(), all);
      double least = 1;
      for (int y = 0; y < tilted.length; y++) {
        tilted[y] += task.score("helpful", all.get(y))[0] / 0.05;
        least = Math.min(least, task.score("harm", all.get(y))[0]);
      }
      Responses.logSoftmax(tilted);
      double harm = 0;
      for (int y = 0; y < tilted.length; y++) {
        harm += Math.exp(tilted[y]) * task.score("harm", all.get(y))[0];
      }
      assertThat(least).as("seed %d", seed).isLessThan(0.05);
      binding += harm > 0.2 ? 1 : 0;
    }
    assertThat(binding).isGreaterThanOrEqualTo(298);
  }

  @Test
  void theSeedDecidesAll() {
    Task first = Tasks.create("bandit", Map.of("prompts", 3.0), Path.of("."), 1);
    Task second = Tasks.create("bandit", Map.of("prompts", 3.0), Path.of("."), 1);
    Task other = Tasks.create("bandit", Map.of("prompts", 3.0), Path.of("."), 2);
    Response response = new Response(2, new int[] {3}, 1);
    for (String score : first.scores()) {
      assertThat(first.score(score, response)).containsExactly(second.score(score, response));
      assertThat(first.score(score, response)).isNotEqualTo(other.score(score, response));
    }
    assertThat(first.pairs()).hasSize(512);
    assertThat(first.labelled()).hasSize(1024);
    for (int i = 0; i < 512; i++) {
      assertThat(first.pairs().get(i).chosen().tokens())
          .containsExactly(second.pairs().get(i).chosen().tokens());
    }
  }

  /** Bradley-Terry labels: the better arm is chosen with the logistic of the difference. */
  @Test
  void pairsFollowTheGoldReward() {
    Map<String, Object> arguments =
        Map.of(
            "gold",
            List.of(0.0, 1.0),
            "base",
            List.of(0.5, 0.5),
            "pairs",
            20_000.0,
            "label_noise",
            0.1);
    Task task = Tasks.create("bandit", arguments, Path.of("."), 1);
    double rate = task.pairs().stream().filter(p -> p.chosen().tokens()[0] == 1).count() / 20_000.0;
    double expected = 0.8 / (1 + Math.exp(-1)) + 0.1;
    assertThat(Math.abs(rate - expected)).isLessThan(5 * 0.5 / Math.sqrt(20_000));
  }

  /** Rao and Kupper: with d = 1 and theta = 5 annotators prefer, tie and disagree as here. */
  @Test
  void tiesFollowTheirModel() {
    Map<String, Object> arguments =
        Map.of(
            "gold", List.of(0.0, 1.0), "base", List.of(0.5, 0.5), "pairs", 20_000.0, "ties", 5.0);
    Task task = Tasks.create("bandit", arguments, Path.of("."), 1);
    double[] ties = task.pairColumns().get("tie");
    double tied = Arrays.stream(ties).sum() / 20_000;
    double right =
        IntStream.range(0, ties.length)
                .filter(i -> ties[i] == 0 && task.pairs().get(i).chosen().tokens()[0] == 1)
                .count()
            / 20_000.0;

    assertThat(ties).hasSameSizeAs(task.pairs());
    assertThat(tied).isCloseTo(0.579279, offset(0.015));
    assertThat(right).isCloseTo(0.352187, offset(0.015));
  }

  /** Members err by their deviations, and say of themselves roughly by how much. */
  @Test
  void membersOpinionsAreNoisyWhereTheArmIsUnknown() {
    Map<String, Object> arguments =
        Map.of("prompts", 200.0, "members", 5.0, "known", 0.25, "doubt_noise", 0.0);
    Task task = Tasks.create("bandit", arguments, Path.of("."), 1);
    int known = 0;
    double squares = 0;
    for (int prompt = 0; prompt < 200; prompt++) {
      for (Response response : task.responses(prompt, 16)) {
        double[] opinion = task.score("opinion", response);
        double[] doubt = task.score("doubt", response);
        known += doubt[0] == 0.2 ? 1 : 0;
        for (int member = 0; member < 5; member++) {
          double error = opinion[member] - task.score("helpful", response)[0];
          squares += error * error / (doubt[member] * doubt[member]);
        }
      }
    }

    assertThat(task.members("opinion")).isEqualTo(5);
    assertThat(known / 3200.0).isCloseTo(0.25, offset(0.04));
    assertThat(squares / 16_000).isCloseTo(1, offset(0.06));
  }

  @Test
  void whatMembersAreToldIsRefusedWithoutMembers() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("bandit", Map.of("known", 0.5), Path.of("."), 1))
        .withMessageContaining("task `bandit` has no argument `known`");
  }

  @Test
  void numbersCanBeGiven() {
    Map<String, Object> arguments =
        Map.of("helpful", List.of(0.0, 1.0, 2.0), "base", List.of(0.5, 0.3, 0.2));
    Task task = Tasks.create("bandit", arguments, Path.of("."), 1);
    List<Response> all = task.responses(0, 10);
    assertThat(all).hasSize(3);
    assertThat(task.score("helpful", all.get(2))).containsExactly(2);
    assertThat(Responses.logProbabilities(task.base(), all))
        .containsExactly(new double[] {Math.log(0.5), Math.log(0.3), Math.log(0.2)}, offset(1e-15));
  }

  @Test
  void complaintsNameTheTaskAndTheArgument() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("bandits", Map.of(), Path.of("."), 1))
        .withMessageContaining("there is no task `bandits`; did you mean `bandit`?");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("bandit", Map.of("arm", 4.0), Path.of("."), 1))
        .withMessageContaining("task `bandit` has no argument `arm`; did you mean `arms`?");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("bandit", Map.of("arms", 1.5), Path.of("."), 1))
        .withMessage(
            "argument `arms` of task `bandit` must be a whole number from 2 to 1048576, not 1.5");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Tasks.create("bandit", Map.of("base", List.of(0.5, 0.4)), Path.of("."), 1))
        .withMessageContaining("probabilities that sum to 1");
    Task task = Tasks.create("bandit", Map.of(), Path.of("."), 1);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task.score("helpfull", task.responses(0, 16).getFirst()))
        .withMessageContaining("did you mean `helpful`?");
  }
}
