package org.alignlang.runtime.task;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task.Response;
import org.junit.jupiter.api.Test;

class GoldProxyTest {

  /** What a policy {@code base * exp(score / beta)} gets, averaged over prompts. */
  private record Tilted(double divergence, double proxy, double gold) {
    static Tilted at(Task task, double beta) {
      double divergence = 0;
      double proxy = 0;
      double gold = 0;
      for (int prompt = 0; prompt < task.prompts(); prompt++) {
        List<Response> all = task.responses(prompt, 1000);
        double[] base = Responses.logProbabilities(task.base(), all);
        double[] tilted = base.clone();
        for (int y = 0; y < tilted.length; y++) {
          tilted[y] += task.score("proxy", all.get(y))[0] / beta;
        }
        Responses.logSoftmax(tilted);
        for (int y = 0; y < tilted.length; y++) {
          double weight = Math.exp(tilted[y]) / task.prompts();
          divergence += weight * (tilted[y] - base[y]);
          proxy += weight * task.score("proxy", all.get(y))[0];
          gold += weight * task.score("gold", all.get(y))[0];
        }
      }
      return new Tilted(divergence, proxy, gold);
    }
  }

  /** Gao et al. 2023: the proxy rises with the divergence, gold peaks and then falls. */
  @Test
  void theProxyIsOverOptimisedForEverySeed() {
    double[] betas = {4, 2, 1, 0.7, 0.5, 0.35, 0.2, 0.1, 0.05};
    for (int seed = 1; seed <= 20; seed++) {
      Task task = Tasks.create("gold_proxy", Map.of(), Path.of("."), seed);
      Tilted[] path = Arrays.stream(betas).mapToObj(b -> Tilted.at(task, b)).toArray(Tilted[]::new);
      double best = Arrays.stream(path).mapToDouble(Tilted::gold).max().orElseThrow();
      for (int i = 1; i < path.length; i++) {
        assertThat(path[i].divergence()).isGreaterThan(path[i - 1].divergence());
        assertThat(path[i].proxy()).isGreaterThan(path[i - 1].proxy());
      }
      assertThat(best).as("seed %d", seed).isGreaterThan(0.05);
      assertThat(path[betas.length - 1].gold()).as("seed %d", seed).isLessThan(best - 0.3);
    }
  }

  @Test
  void rewardsStartAtZeroWithUnitVarianceUnderTheBasePolicy() {
    Task task = Tasks.create("gold_proxy", Map.of("members", 3), Path.of("."), 4);
    assertThat(task.members("proxy")).isEqualTo(3);
    assertThat(task.members("gold")).isZero();
    for (int member = 0; member < 3; member++) {
      double variance = 0;
      for (int prompt = 0; prompt < task.prompts(); prompt++) {
        List<Response> all = task.responses(prompt, 1000);
        double[] base = Responses.logProbabilities(task.base(), all);
        double mean = 0;
        for (int y = 0; y < base.length; y++) {
          double value = task.score("proxy", all.get(y))[member];
          mean += Math.exp(base[y]) * value;
          variance += Math.exp(base[y]) * value * value / task.prompts();
        }
        assertThat(mean).isCloseTo(0, offset(1e-12));
      }
      assertThat(variance).isCloseTo(1, offset(1e-12));
    }
  }

  @Test
  void membersDisagreeMostWhereTheBasePolicyRarelyGoes() {
    Task task = Tasks.create("gold_proxy", Map.of("members", 8), Path.of("."), 1);
    double near = 0;
    double far = 0;
    for (int prompt = 0; prompt < task.prompts(); prompt++) {
      for (Response response : task.responses(prompt, 1000)) {
        double[] members = task.score("proxy", response);
        double mean = Arrays.stream(members).average().orElseThrow();
        double spread =
            Arrays.stream(members).map(m -> (m - mean) * (m - mean)).average().orElseThrow();
        if (task.score("novelty", response)[0] > 1) {
          far = Math.max(far, spread);
        } else {
          near = Math.max(near, spread);
        }
      }
    }
    assertThat(far).isGreaterThan(2 * near);
  }

  @Test
  void theSeedDecidesAll() {
    Task first = Tasks.create("gold_proxy", Map.of(), Path.of("."), 1);
    Task second = Tasks.create("gold_proxy", Map.of(), Path.of("."), 1);
    Task other = Tasks.create("gold_proxy", Map.of(), Path.of("."), 2);
    Response response = new Response(2, new int[] {3}, 1);
    for (String score : first.scores()) {
      assertThat(first.score(score, response)).containsExactly(second.score(score, response));
      assertThat(first.score(score, response)).isNotEqualTo(other.score(score, response));
    }
    assertThat(first.pairs()).hasSize(256);
    assertThat(first.labelled()).hasSize(512);
    assertThat(first.actionFeatures(0, new int[1], 0, 5)).hasSize(8);
  }

  @Test
  void aFitRecoversTheWeightsThatMadeTheComparisons() {
    CounterRandom random = CounterRandom.of(5);
    double[] truth = {1.5, -0.5, 0};
    double[][] differences = new double[20_000][];
    for (int i = 0; i < differences.length; i++) {
      double[] x = Bandit.normals(random.stream(i), 3);
      boolean wins = random.nextDouble() < 1 / (1 + Math.exp(-BradleyTerry.dot(truth, x)));
      differences[i] = wins ? x : Arrays.stream(x).map(v -> -v).toArray();
    }
    double[] fitted = BradleyTerry.fit(differences, 1e-3);
    for (int i = 0; i < truth.length; i++) {
      assertThat(fitted[i]).isCloseTo(truth[i], offset(0.08));
    }
  }

  /** Comparisons that weights explain without exception have no maximum without the prior. */
  @Test
  void aFitOfSeparableComparisonsStaysFinite() {
    double[] fitted = BradleyTerry.fit(new double[][] {{1, 0}, {2, 0}, {3, 0}}, 1e-6);
    assertThat(fitted[0]).isBetween(5.0, 50.0);
    assertThat(fitted[1]).isZero();
  }

  /**
   * Members with features of their own agree where pairs were, and disagree on what lies beyond.
   */
  @Test
  void membersWithRandomFeaturesDisagreeInTheTails() {
    Task task =
        Tasks.create(
            "gold_proxy",
            Map.of(
                "prompts", 1, "arms", 2000, "typical", 0, "tail", 4, "hidden", 32, "members", 5,
                "pairs", 400),
            Path.of("."),
            3);
    double[] spread = new double[2];
    int[] count = new int[2];
    double farthest = 0;
    for (Response response : task.responses(0, 5000)) {
      double[] members = task.score("proxy", response);
      assertThat(task.score("single", response)).containsExactly(members[0]);
      double mean = Arrays.stream(members).average().orElseThrow();
      double variance = Arrays.stream(members).map(m -> (m - mean) * (m - mean)).sum() / 5;
      double novelty = task.score("novelty", response)[0];
      farthest = Math.max(farthest, novelty);
      spread[novelty > 5 ? 1 : 0] += variance;
      count[novelty > 5 ? 1 : 0]++;
    }
    // The square of Student's t with 4 degrees of freedom has mean 2 and no variance.
    assertThat(farthest).isGreaterThan(20);
    assertThat(count[1]).isBetween(20, 400);
    assertThat(spread[1] / count[1]).isGreaterThan(3 * spread[0] / count[0]);
  }

  @Test
  void argumentsOutOfBoundsAreRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("gold_proxy", Map.of("label_noise", 1.5), Path.of("."), 1))
        .withMessage(
            "argument `label_noise` of task `gold_proxy` must be a number from 0 to 1, not 1.5");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Tasks.create("gold_proxy", Map.of("member", 4), Path.of("."), 1))
        .withMessageContaining("did you mean `members`?");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            Tasks.create(
                "gold_proxy",
                Map.of("arms", 60_000, "prompts", 1000, "features", 200),
                Path.of("."),
                1))
        .withMessageContaining("prompts * arms * features is at most 33554432");
  }
}
