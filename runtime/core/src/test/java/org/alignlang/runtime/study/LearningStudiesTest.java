package org.alignlang.runtime.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Enumeration;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.study.DemonstrationCloning.Expert;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Tasks;
import org.junit.jupiter.api.Test;

class LearningStudiesTest {
  private final CounterRandom random = CounterRandom.of(9).stream("studies");

  private static Task words(int letters, int length) {
    return Tasks.create("sequences", Map.of("letters", letters, "length", length), Path.of("."), 4);
  }

  private static Map<String, double[]> run(String study, Task task, Map<String, Object> given) {
    return Studies.run(study, given, Optional.of(task), Path.of("."), 3).series();
  }

  @Test
  void lawsOverAllResponsesAreDistributionsAndValuesExpectations() {
    ResponseTree tree = new ResponseTree(words(2, 4));
    Arguments none = Arguments.of("study", "value_decoding", Map.of());
    double[] score = tree.score(none, "score", "bigram", random);
    double[] base = tree.logBase();
    assertThat(Responses.logSumExp(base.clone())).isCloseTo(0, offset(1e-12));
    assertThat(ResponseTree.mean(base, score)).isCloseTo(0, offset(1e-12));
    ResponseTree.Values values = tree.exactValues(score);
    assertThat(values.of(new int[0])).isCloseTo(0, offset(1e-12));
    double[] law = tree.reweighted(values.times(1.5));
    assertThat(Responses.logSumExp(law.clone())).isCloseTo(0, offset(1e-12));
    assertThat(ResponseTree.mean(law, score)).isGreaterThan(0.1);
    // The tilt is the maximiser of E[score] - KL / b, so no other law is above it.
    double[] tilt = tree.tilt(score, 1.5);
    assertThat(ResponseTree.mean(tilt, score) - tree.divergence(tilt) / 1.5)
        .isGreaterThan(ResponseTree.mean(law, score) - tree.divergence(law) / 1.5);
    // A table that sees whole prefixes learns the expectations, to sampling noise.
    int samples = 40_000;
    ResponseTree.Values learned = tree.learnedValues(score, samples, 4, 0.9, 2, random);
    assertThat(learned.of(new int[] {0})).isCloseTo(values.of(new int[] {0}), offset(0.05));
    assertThat(learned.of(new int[] {1, 0})).isCloseTo(values.of(new int[] {1, 0}), offset(0.1));
  }

  @Test
  void decodingOneTokenIsTheTilt() {
    Map<String, double[]> found =
        run(
            "value_decoding",
            Tasks.create(
                "sequences", Map.of("letters", 5, "length", 1, "end", false), Path.of("."), 4),
            Map.of("strengths", List.of(0.5, 3)));
    assertThat(found.get("distance")).containsExactly(new double[] {0, 0}, offset(1e-12));
    assertThat(found.get("tilt_score")[1]).isCloseTo(found.get("score")[1], offset(1e-6));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run("value_decoding", words(2, 3), Map.of("score", "gold")))
        .withMessageContaining("gold");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> Studies.run("value_decoding", Map.of(), Optional.empty(), Path.of("."), 1))
        .withMessageContaining("add a `task`");
  }

  @Test
  void pathGradientsAreFiniteDifferencesOfTheRelaxedReward() {
    double[] theta = Draws.normals(random, 4, 1);
    double[] reward = {0, -1, 1, 2};
    double[][] noise = Draws.normals(random, 3, 5, 1);
    double tau = 0.7;
    double[] gradient =
        MaskedDenoiser.pathGradient(Tables.softmax(theta), reward, tau, noise, false);
    for (int k = 0; k < 4; k++) {
      double[] moved = theta.clone();
      moved[k] += 1e-6;
      double above = MaskedDenoiser.pathReward(Tables.softmax(moved), reward, tau, noise);
      moved[k] -= 2e-6;
      double below = MaskedDenoiser.pathReward(Tables.softmax(moved), reward, tau, noise);
      assertThat((above - below) / 2e-6).isCloseTo(gradient[k], offset(1e-7));
    }
  }

  private static MaskedSequence.Denoiser denoiser(int reveals) {
    double[] reward = {0.3, -1, 1, 0, 0.5, 2, 1, -0.5, 0};
    double[] pretrained = Draws.normals(CounterRandom.of(5), 24, 1);
    return new MaskedSequence.Denoiser(3, reveals, 0.4, pretrained, reward);
  }

  @Test
  void gradientsThroughPathsOfTwoTokensAreFiniteDifferences() {
    MaskedSequence.Denoiser denoiser = denoiser(4);
    double[] theta = Draws.normals(random, 24, 1);
    double[][][] noise = new double[4][][];
    Arrays.setAll(noise, i -> Draws.normals(random, 2, 4, 1));
    double[] relaxed = new MaskedSequence.Relaxed(denoiser, theta, 0.7, noise, false).gradient(4);
    double[] exact = denoiser.exact(theta);
    for (int k = 0; k < theta.length; k++) {
      double[] above = theta.clone();
      double[] below = theta.clone();
      above[k] += 1e-6;
      below[k] -= 1e-6;
      double slope =
          new MaskedSequence.Relaxed(denoiser, above, 0.7, noise, false).value()
              - new MaskedSequence.Relaxed(denoiser, below, 0.7, noise, false).value();
      assertThat(relaxed[k]).isCloseTo(slope / 2e-6, offset(1e-7));
      assertThat(exact[k])
          .isCloseTo((denoiser.objective(above) - denoiser.objective(below)) / 2e-6, offset(1e-7));
    }
    // Of a path that is cut off only the last steps are gone back through.
    assertThat(new MaskedSequence.Relaxed(denoiser, theta, 0.7, noise, false).gradient(1))
        .isNotEqualTo(relaxed);
  }

  @Test
  void scoresOfPathsAreUnbiased() {
    MaskedSequence.Denoiser denoiser = denoiser(3);
    double[] theta = Draws.normals(random, 24, 0.5);
    double[] exact = denoiser.exact(theta);
    int rounds = 4000;
    double[] sum = new double[24];
    double[] squares = new double[24];
    for (int n = 0; n < rounds; n++) {
      double[] one = denoiser.score(theta, 4, random);
      for (int k = 0; k < 24; k++) {
        sum[k] += one[k] / rounds;
        squares[k] += one[k] * one[k] / rounds;
      }
    }
    for (int k = 0; k < 24; k++) {
      // Four and a half standard errors, for 24 of them.
      double error = Math.sqrt((squares[k] - sum[k] * sum[k]) / rounds);
      assertThat(sum[k]).isCloseTo(exact[k], offset(4.5 * error + 1e-9));
    }
  }

  @Test
  void divergencesOfClonesAreThoseOfTheirHistories() {
    Expert expert =
        Expert.read(
            Arguments.of(
                "study", "x", Map.of("states", 2, "actions", 2, "horizon", 3, "skill", 0.8)),
            random);
    double[][][] clone = expert.clone(expert.policy(), 20, random);
    double sum = 0;
    for (Enumeration.History history : Enumeration.histories(expert.process(), 3, 10_000)) {
      double p = history.probability(expert.policy());
      sum += p > 0 ? p * Math.log(p / history.probability(clone)) : 0;
    }
    assertThat(expert.divergence(clone)).isCloseTo(sum, offset(1e-10));
  }

  @Test
  void planningTowardsACloneLosesAtMostTheDivergence() {
    for (double strength : new double[] {0.01, 0.1, 1}) {
      Map<String, double[]> found =
          Studies.run(
                  "demonstration_cloning",
                  Map.of("strength", strength, "demonstrations", List.of(3, 30)),
                  Optional.empty(),
                  Path.of("."),
                  8)
              .series();
      assertThat(found.get("slack")[0]).isGreaterThan(0);
      assertThat(found.get("slack")[1]).isGreaterThan(0);
      assertThat(found.get("optimality_gap")[1]).isGreaterThan(-1e-12);
    }
  }

  @Test
  void gapsOfATeacherAreLinearInTheReward() {
    DecisionProcess process = Processes.random(4, 3, 0.6, 0.8, random);
    TeacherGaps teacher = new TeacherGaps(process, Draws.normals(random, 4, 3, 1));
    double[][] reward = Draws.normals(random, 4, 3, 1);
    double[] flat = Arrays.stream(reward).flatMapToDouble(Arrays::stream).toArray();
    double[] endless = Evaluation.values(process, teacher.policy(), reward);
    double[][] q = Evaluation.actionValues(process, reward, endless);
    DecisionProcess three = process.withHorizon(3);
    double[][] stepwise = Evaluation.values(three, Tables.atEveryStep(teacher.policy(), 3), reward);
    double[][] after = Evaluation.actionValues(process, reward, stepwise[1]);
    for (int s = 0; s < 4; s++) {
      for (int a = 0; a < 3; a++) {
        int row = teacher.variable(s, a);
        int best = teacher.action(s);
        assertThat(Tables.dot(teacher.endless()[row], flat))
            .isCloseTo(q[s][best] - q[s][a], offset(1e-10));
        assertThat(Tables.dot(teacher.after(3)[row], flat))
            .isCloseTo(after[s][best] - after[s][a], offset(1e-10));
      }
    }
  }

  @Test
  void mixturesHaveTheExpectationsOfTheirFeatures() {
    RewardFreeExploration.Mixture mixture = new RewardFreeExploration.Mixture(4, 0.9, 0.7);
    DecisionProcess process = mixture.process(mixture.theta);
    double[] values = Draws.normals(random, mixture.states, 1);
    for (int s = 0; s < mixture.states; s++) {
      for (int a = 0; a < 2; a++) {
        assertThat(Tables.dot(mixture.psi(s, a, values), mixture.theta))
            .isCloseTo(process.expectation(s, a, values), offset(1e-12));
      }
    }
  }

  @Test
  void designedRewardsKeepTheTeacherOptimal() {
    Map<String, double[]> found =
        Studies.run("sparse_reward_design", Map.of(), Optional.empty(), Path.of("."), 1).series();
    for (double margin : found.get("margin")) {
      assertThat(margin).isGreaterThan(-1e-9);
    }
    assertThat(found.get("short_sighted")[4]).isEqualTo(1);
    Map<String, double[]> adaptive =
        Studies.run(
                "adaptive_reward_design", Map.of("updates", 3), Optional.empty(), Path.of("."), 1)
            .series();
    assertThat(adaptive.get("sign_error")[0]).isCloseTo(0, offset(1e-9));
    assertThat(adaptive.get("needed")[0]).isEqualTo(4);
  }

  @Test
  void everyStudyReadsItsArgumentsBeforeItComputesAndStopsWhenItIsTold() {
    Map<String, Map<String, Object>> needed =
        Map.of(
            "memoryless_alignment",
            Map.of(
                "law", List.of(0.5, 0.5),
                "reward", List.of(0.0, 1.0),
                "lengths", List.of(10.0),
                "budget", 0.1),
            "orderings",
            Map.of(
                "process", new Component("table", Map.of("moves", List.of(0.0, 1.0, 0.0, 1.0)), ""),
                "policies", List.of(1.0, 0.0, 0.0, 1.0),
                "ranks", List.of(1.0)),
            "reward_distance",
            Map.of(
                "process", new Component("table", Map.of("moves", List.of(0.0, 1.0, 0.0, 1.0)), ""),
                "first", List.of(1.0, 0.0, 0.0, 1.0),
                "second", List.of(1.0, 0.0, 0.0, 2.0)),
            "self_play",
            Map.of("payoff", List.of(1.0, 0.0, 0.0, 1.0)),
            "threshold_search",
            Map.of("rewards", List.of("reward1", "reward2"), "start", List.of(0.6, 0.6)));
    Studies.providers()
        .forEach((name, provider) -> {
          Optional<Task> task =
              provider.takesTask()
                  ? Optional.of(
                      name.equals("threshold_search")
                          ? Tasks.create("proxy_points", Map.of("arms", 20.0), Path.of("."), 1)
                          : Tasks.create(
                              "sequences",
                              Map.of("letters", 2.0, "length", 3.0, "end", false),
                              Path.of("."),
                              1))
                  : Optional.empty();
          Map<String, Object> arguments = new HashMap<>(needed.getOrDefault(name, Map.of()));
          Studies.judge(name, arguments, task, Path.of("."), 1);
          if (!QUICK.contains(name)) {
            assertThatThrownBy(
                    () -> Studies.run(name, arguments, task, Path.of("."), 1, () -> true))
                .as(name)
                .isInstanceOf(Studies.Stopped.class);
          }
          arguments.put("nonsense", 1.0);
          // Told to stop in its first round, it complains of the argument all the same.
          assertThatThrownBy(() -> Studies.run(name, arguments, task, Path.of("."), 1, () -> true))
              .as(name)
              .isInstanceOf(IllegalArgumentException.class)
              .hasMessageContaining("nonsense");
        });
  }

  /** What has no rounds. */
  private static final Set<String> QUICK =
      Set.of("implicit_maximum", "reward_distance", "rectified_flow");
}
