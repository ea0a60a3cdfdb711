package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.optimizer.Optimizers;
import org.alignlang.runtime.policy.Policies;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Enumeration;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Occupancy;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task.Response;
import org.junit.jupiter.api.Test;

class ProcessTaskTest {

  private static ProcessTask task(String name, Map<String, Object> arguments) {
    return (ProcessTask) Tasks.create(name, arguments, Path.of("."), 3);
  }

  /** A policy with arbitrary logits. */
  private static Policy policy(Task task) {
    Policy policy = Policies.create("softmax_table", Map.of("relative", false), task, 1);
    Arrays.setAll(policy.parameters(), i -> Math.sin(3 * i + 1));
    return policy;
  }

  private static double[][] probabilities(ProcessTask task, Policy policy, int time) {
    double[][] table = new double[task.process().states()][];
    for (int s = 0; s < table.length; s++) {
      int context = task.contexts() > table.length ? time * table.length + s : s;
      table[s] =
          Arrays.stream(Responses.nextToken(policy, context, new int[0], 0))
              .map(Math::exp)
              .toArray();
    }
    return table;
  }

  private static Response walk(ProcessTask task, String actions) {
    return task.responses(0, 1_000_000).stream()
        .filter(response -> task.show(response).equals(actions))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void visitsAreThoseOfAllHistories() {
    for (boolean timed : new boolean[] {false, true}) {
      ProcessTask task =
          task(
              "random_process",
              Map.of("states", 3, "actions", 2, "horizon", 4, "discount", 0.9, "timed", timed));
      Policy policy = policy(task);
      double[] expected = new double[task.contexts()];
      double[][][] stepwise = new double[4][][];
      Arrays.setAll(stepwise, t -> probabilities(task, policy, t));
      for (Enumeration.History history : Enumeration.histories(task.process(), 4, 10_000)) {
        for (int t = 0; t < 4; t++) {
          expected[timed ? 3 * t + history.states()[t] : history.states()[t]] +=
              Math.pow(0.9, t) * history.probability(stepwise);
        }
      }
      double[] visits = task.dynamics().orElseThrow().visits(policy, 0.9);
      assertThat(visits).containsExactly(expected, offset(1e-12));
    }
  }

  @Test
  void occupancyOverALongHorizonIsThatOfAnEndlessOne() {
    ProcessTask task =
        task("random_process", Map.of("states", 4, "actions", 3, "horizon", 400, "discount", 0.9));
    Policy policy = policy(task);
    double[][] expected = Occupancy.pairs(task.process(), probabilities(task, policy, 0));
    double[][] occupancy = task.occupancy(policy, 0.9).orElseThrow();
    for (int s = 0; s < 4; s++) {
      assertThat(occupancy[s]).containsExactly(expected[s], offset(1e-12));
    }
  }

  @Test
  void episodesFollowTheProcessAndHaveTheLawOfTheDynamics() {
    ProcessTask task =
        task("grid", Map.of("map", List.of("S.L", "#.G"), "slip", 0.3, "horizon", 6));
    Policy policy = policy(task);
    int count = 20_000;
    double[] visits = new double[task.contexts()];
    for (int i = 0; i < count; i++) {
      Response episode = task.sample(policy, 0, CounterRandom.of(7).stream(i));
      assertThat(episode.states()).hasSize(episode.length() + 1);
      for (int t = 0; t < episode.length(); t++) {
        visits[episode.states()[t]] += 1.0 / count;
        assertThat(
                task.process()
                    .transition(episode.states()[t], episode.tokens()[t], episode.states()[t + 1]))
            .isPositive();
      }
      assertThat(
              episode.length() == 6 || task.process().absorbing(episode.states()[episode.length()]))
          .isTrue();
    }
    // A visit count has a variance of at most 9 here: four standard errors.
    double[] exact = task.dynamics().orElseThrow().visits(policy, 1);
    assertThat(visits).containsExactly(exact, offset(4 * Math.sqrt(9.0 / count)));
    assertThat(task.deterministic()).isFalse();
    assertThat(task.responses(0, 1_000_000)).isEmpty();
  }

  @Test
  void whatIsCertainCanBeListed() {
    ProcessTask task = task("chain", Map.of("states", 3, "horizon", 3));
    List<Response> all = task.responses(0, 100);
    List<String> shown = all.stream().map(task::show).toList();
    assertThat(shown)
        .containsExactly(
            "left left left",
            "left left right",
            "left right left",
            "left right right",
            "right left left",
            "right left right",
            "right right");
    assertThat(Responses.logSumExp(Responses.logProbabilities(policy(task), all)))
        .isCloseTo(0, offset(1e-12));
    assertThat(task.responses(0, 6)).isEmpty();
    assertThat(task.score("return", walk(task, "right right"))).containsExactly(0.95);
    assertThat(task.score("success", walk(task, "right left left"))).containsExactly(0);
  }

  @Test
  void anOrderIsPartOfTheStateAndItsMarksCountInTurn() {
    ProcessTask task =
        task("grid", Map.of("map", List.of("KS.G"), "order", "KG", "horizon", 6, "discount", 1.0));
    Response detour = walk(task, "right right left left left right");
    assertThat(task.score("at_G", detour)).containsExactly(0, 0, 0, 0, 0, 0);
    assertThat(task.score("at_K", detour)).containsExactly(0, 0, 0, 0, 1, 0);
    Response fetched = walk(task, "left right right right");
    assertThat(task.score("at_G", fetched)).containsExactly(0, 0, 0, 1);
    assertThat(task.score("score", fetched)).containsExactly(0, 0, 0, 1);
    assertThat(task.score("done", fetched)).containsExactly(0.5, 0.5, 0.5, 1);
    assertThat(task.score("success", fetched)).containsExactly(1);
    Response bumps = walk(task, "left left left left left left");
    assertThat(task.score("bump", bumps)).containsExactly(0, 1, 1, 1, 1, 1);
    // Marks in their order, G and then K, after nothing and a bump.
    assertThat(task.score("message", bumps)).containsExactly(3, 1, 1, 1, 1, 1);
    assertThat(task.score("message_count", bumps)).containsExactly(1, 1, 2, 3, 4, 5);
    assertThat(task.score("visits", bumps)).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(task.score("first", bumps)).containsExactly(1, 0, 0, 0, 0, 0);
    assertThat(task.values("message")).isEqualTo(4);
  }

  @Test
  void anAnnotatorErrsAsOftenAsItIsSaidTo() {
    Map<String, Object> map =
        Map.of("map", List.of("KS.G"), "order", "KG", "horizon", 6, "helpful", "K");
    ProcessTask certain = task("grid", map);
    Response fetched = walk(certain, "left right right right");
    assertThat(certain.score("annotation", fetched)).containsExactly(1, 0, 0, 0);
    assertThat(certain.score("recollection", fetched)).containsExactly(1, 0, 0, 0);
    Map<String, Object> noisy = new HashMap<>(map);
    noisy.put("annotation_noise", 0.3);
    ProcessTask task = task("grid", noisy);
    double errors = 0;
    double steps = 0;
    for (Response episode : task.responses(0, 1000)) {
      double[] said = task.score("annotation", episode);
      assertThat(task.score("annotation", episode)).isEqualTo(said);
      double[] meant = certain.score("annotation", episode);
      for (int t = 0; t < said.length; t++) {
        errors += Math.abs(said[t] - meant[t]);
        steps++;
      }
    }
    // Four standard errors.
    assertThat(errors / steps).isCloseTo(0.3, offset(4 * Math.sqrt(0.21 / steps)));
  }

  @Test
  void anAnnotatorIsAskedAsOftenAsItIsSaidTo() {
    ProcessTask task =
        task(
            "grid",
            Map.of("map", List.of("K.S.G"), "horizon", 8, "helpful", "K", "annotation_rate", 0.25));
    double asked = 0;
    double steps = 0;
    for (Response episode : task.responses(0, 1000)) {
      asked += Arrays.stream(task.score("annotated", episode)).sum();
      steps += episode.length();
    }
    // Four standard errors.
    assertThat(asked / steps).isCloseTo(0.25, offset(4 * Math.sqrt(0.1875 / steps)));
  }

  @Test
  void walksAreProcessesForStudiesToo() {
    DecisionProcess grid =
        GridWorld.process(
            Arguments.of(
                "process",
                "grid",
                Map.of("map", List.of("S.G", ".#L", "..."), "slip", 0.2, "end", "L", "stay", true)),
            0.9);
    assertThat(grid.states()).isEqualTo(8);
    assertThat(grid.rewardNames()).containsExactly("G", "L");
    int right = 1;
    while (!grid.actionName(right).equals("right")) {
      right++;
    }
    assertThat(grid.transition(0, right, 0)).isCloseTo(0.1, offset(1e-12));
    for (int s = 0; s < grid.states(); s++) {
      boolean marked = grid.reward("G")[s][0] + grid.reward("L")[s][0] > 0;
      assertThat(grid.absorbing(s)).isEqualTo(marked);
    }
  }

  @Test
  void whatIsHiddenIsNotSeen() {
    List<String> rules =
        List.of(
            "door@left open -> prize", "door@left wait -> door@left",
            "door@right open -> door@left", "door@right wait -> prize");
    ProcessTask task =
        task(
            "process",
            Map.of(
                "rules",
                rules,
                "start",
                "door@left 25%, door@right",
                "horizon",
                4,
                "goal",
                "prize"));
    assertThat(task.process().start()).containsExactly(0.25, 0.75, 0);
    int[] seen = task.seen();
    assertThat(seen[0]).isEqualTo(seen[1]).isNotEqualTo(seen[2]);
    assertThat(task.values("seen")).isEqualTo(2);
    Policy policy = policy(task);
    assertThat(policy.parameters()).hasSize(4);
    assertThat(Responses.nextToken(policy, 0, new int[0], 0))
        .isEqualTo(Responses.nextToken(policy, 1, new int[0], 0));
    Response episode = new Response(0, new int[] {1, 0}, 2, new int[] {0, 0, 2});
    assertThat(task.score("in_door", episode)).containsExactly(1, 1);
    assertThat(task.score("at_door", episode)).containsExactly(1, 0);
    assertRefused(
        "process", Map.of("rules", rules, "goal", "prize", "skill", 0.5), "the whole state");
  }

  @Test
  void statesAreDescribedByNumbersOfTheirOwn() {
    ProcessTask task =
        task("chain", Map.of("states", 4.0, "senses", 3.0, "horizon", 3.0, "slip", 0.0));
    assertThat(task.members("sense")).isEqualTo(3);
    Response walk = task.responses(0, 100).getFirst();
    double[] sensed = task.score("sense", walk);
    assertThat(sensed).hasSize(3 * walk.length());
    for (int t = 0; t < walk.length(); t++) {
      assertThat(task.features(walk.states()[t], walk.tokens(), 0))
          .containsExactly(Arrays.copyOfRange(sensed, 3 * t, 3 * t + 3));
    }
    assertThat(task.features(0, new int[0], 0)).isNotEqualTo(task.features(1, new int[0], 0));
  }

  @Test
  void whatIsRememberedIsSeen() {
    ProcessTask task =
        task(
            "process",
            Map.of(
                "rules",
                List.of("a@1 go stay -> a@2", "a@2 go stay -> end"),
                "memory",
                1,
                "horizon",
                5));
    // The first state, the second one after either action, and the end after either.
    assertThat(task.process().states()).isEqualTo(5);
    assertThat(Arrays.stream(task.seen()).distinct().count()).isEqualTo(5);
    assertThat(task.responses(0, 100)).hasSize(4);
  }

  @Test
  void theNaturalGradientOfStatesThatLookAlikeIsOne() {
    List<String> rules =
        List.of(
            "a@1 go -> b 30%, end",
            "a@1 stay -> a@2", "a@2 go -> end", "a@2 stay -> b", "b go stay -> end");
    ProcessTask task =
        task("process", Map.of("rules", rules, "start", "a@1 50%, a@2", "horizon", 6));
    Policy policy = policy(task);
    double[] visits = task.dynamics().orElseThrow().visits(policy, task.discount());
    double[] before = policy.parameters().clone();
    double[] gradient = {0.3, -0.3, 0, 0, 0, 0};
    Optimizers.create("natural", Map.of("rate", 1.0, "damping", 1e-12), policy, task)
        .step(policy.parameters(), gradient.clone(), 0);
    double p = Math.exp(Responses.nextToken(policy(task), 0, new int[0], 0)[0]);
    // The block of one row is d (diag(p) - p p'), with d of both states together.
    int[] seen = task.seen();
    double d = 0;
    for (int s = 0; s < seen.length; s++) {
      d += seen[s] == seen[0] ? visits[s] : 0;
    }
    double moved = policy.parameters()[0] - before[0] - policy.parameters()[1] + before[1];
    assertThat(moved).isCloseTo(-0.3 / (d * p * (1 - p)), offset(1e-6));
  }

  @Test
  void tendedCellsDryAndAreFreshWhereTheyAreEntered() {
    ProcessTask task =
        task(
            "grid",
            Map.of("map", List.of("TST"), "tend", "T", "decay", 0.25, "horizon", 5, "stay", true));
    DecisionProcess process = task.process();
    Map<String, Integer> states = new HashMap<>();
    for (int s = 0; s < process.states(); s++) {
      states.put(process.stateName(s), s);
    }
    int start = 0;
    int left = states.getOrDefault("0,0 fresh 1", -1);
    int back = states.getOrDefault("0,1 fresh 1", -1);
    int dry = states.getOrDefault("0,1 fresh 0", -1);
    assertThat(process.transition(start, 0, left)).isEqualTo(1);
    assertThat(process.transition(left, 1, back)).isCloseTo(0.75, offset(1e-12));
    assertThat(process.transition(left, 1, dry)).isCloseTo(0.25, offset(1e-12));
    assertThat(process.transition(left, 2, left)).isEqualTo(1);
    Response step = new Response(0, new int[] {0}, 1, new int[] {start, left});
    assertThat(task.score("fresh", step)).containsExactly(0.5);
    assertThat(task.score("score", step)).containsExactly(0.5);
  }

  @Test
  void rulesSayWhatFollows() {
    ProcessTask task =
        task(
            "process",
            Map.of(
                "rules",
                List.of("a go -> b 75%, c", "a wait -> a", "b * -> done 0.5, c 0.5"),
                "goal",
                "done",
                "horizon",
                9));
    DecisionProcess process = task.process();
    assertThat(process.transition(0, 0, 1)).isEqualTo(0.75);
    assertThat(process.transition(0, 0, 2)).isEqualTo(0.25);
    assertThat(process.transition(0, 1, 0)).isEqualTo(1);
    assertThat(process.transition(1, 1, 3)).isEqualTo(0.5);
    assertThat(process.absorbing(2)).isTrue();
    Response episode = new Response(0, new int[] {1, 0, 1}, 3, new int[] {0, 0, 1, 3});
    assertThat(task.score("at_b", episode)).containsExactly(0, 1, 0);
    assertThat(task.score("in_b", episode)).containsExactly(0, 0, 1);
    assertThat(task.score("take_wait", episode)).containsExactly(1, 0, 1);
    assertThat(task.score("success", episode)).containsExactly(1);
    assertThat(task.score("return", episode)[0]).isCloseTo(0.95 * 0.95, offset(1e-12));
    assertThat(task.score("choice", episode)).containsExactly(1, 0, 3);
  }

  @Test
  void whatCannotBeReadIsSaid() {
    assertRefused("process", Map.of("rules", List.of("a go b")), "\"a go b\"");
    assertRefused("process", Map.of("rules", List.of("a go -> b 0.5")), "sum to 1");
    assertRefused("process", Map.of("rules", List.of("a go -> b x")), "a probability where `x` is");
    assertRefused("process", Map.of("rules", List.of("a go -> b", "a go -> c")), "`go` has two");
    assertRefused("grid", Map.of("map", List.of("..")), "a cell `S`");
    assertRefused("grid", Map.of("map", List.of("S.", "...")), "one length");
    assertRefused("grid", Map.of("map", List.of("S."), "order", "X"), "made of the marks");
    assertRefused("grid", Map.of("map", List.of("S."), "skill", 0.5), "no reward");
    assertRefused("grid", Map.of("map", List.of("SG"), "wind", 0.5), "no argument `wind`");
  }

  private static void assertRefused(String name, Map<String, Object> arguments, String fact) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> task(name, arguments))
        .withMessageContaining(fact);
  }

  @Test
  void skillIsTheShareOfTheOptimalPolicy() {
    for (boolean timed : new boolean[] {false, true}) {
      ProcessTask task =
          task("chain", Map.of("states", 4, "horizon", 5, "skill", 0.8, "timed", timed));
      assertThat(Math.exp(Responses.nextToken(task.base(), 1, new int[0], 0)[1]))
          .isCloseTo(0.9, offset(1e-12));
    }
  }

  @Test
  void pairsGoByTheReturn() {
    ProcessTask task = task("chain", Map.of("states", 4, "horizon", 12, "pairs", 400));
    List<Double> margins = new ArrayList<>();
    task.pairs()
        .forEach(pair ->
            margins.add(
                task.score("return", pair.chosen())[0] - task.score("return", pair.rejected())[0]));
    assertThat(margins).hasSizeGreaterThan(300);
    assertThat(margins.stream().mapToDouble(x -> x).sum()).isPositive();
  }

  @Test
  void theNaturalGradientOfTheReturnIsTheAdvantage() {
    ProcessTask task =
        task("random_process", Map.of("states", 4, "actions", 3, "horizon", 400, "discount", 0.9));
    Policy policy = Policies.create("softmax_table", Map.of(), task, 1);
    Arrays.setAll(policy.parameters(), i -> Math.cos(2 * i));
    double[][] table = probabilities(task, policy, 0);
    double[][] reward = new double[4][3];
    for (int s = 0; s < 4; s++) {
      for (int a = 0; a < 3; a++) {
        reward[s][a] = task.score("score", new Response(0, new int[] {a}, 1, new int[] {s, s}))[0];
      }
    }
    double[][] advantages = Evaluation.advantages(task.process(), table, reward);
    double[] visits = task.dynamics().orElseThrow().visits(policy, 0.9);
    double[] gradient = new double[12];
    for (int i = 0; i < 12; i++) {
      // Of the loss, which is less the return (Sutton et al. 2000).
      gradient[i] = -visits[i / 3] * table[i / 3][i % 3] * advantages[i / 3][i % 3];
    }
    double[] before = policy.parameters().clone();
    Optimizers.create("natural", Map.of("rate", 1.0, "damping", 1e-12), policy, task)
        .step(policy.parameters(), gradient, 0);
    for (int s = 0; s < 4; s++) {
      // But for a number of each state, which the softmax does not see.
      double[] step = new double[3];
      for (int a = 0; a < 3; a++) {
        step[a] = policy.parameters()[3 * s + a] - before[3 * s + a];
      }
      double mean = Tables.dot(table[s], step);
      assertThat(Arrays.stream(step).map(x -> x - mean).toArray())
          .containsExactly(advantages[s], offset(1e-6));
    }
  }
}
