package org.alignlang.runtime.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Occupancy;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.junit.jupiter.api.Test;

class ProcessStudiesTest {
  private final CounterRandom random = CounterRandom.of(5).stream("studies");

  private static Map<String, double[]> run(String study, Map<String, Object> arguments) {
    return Studies.run(study, arguments, Optional.empty(), Path.of("."), 3).series();
  }

  @Test
  void anOrderThatARewardGivesIsFoundAndItsWitnessIsNot() {
    DecisionProcess process = Processes.random(3, 2, 0.5, 0.8, random);
    double[][] reward = Draws.normals(random, 3, 2, 1);
    double[][] occupancies = new double[6][];
    Integer[] order = new Integer[6];
    double[] value = new double[6];
    for (int i = 0; i < 6; i++) {
      double[][] policy = Tables.softmax(Draws.normals(random, 3, 2, 2));
      occupancies[i] =
          Arrays.stream(Occupancy.pairs(process, policy)).flatMapToDouble(Arrays::stream).toArray();
      value[i] = Evaluation.expectedReturn(process, policy, reward);
      order[i] = i;
    }
    Arrays.sort(order, (i, j) -> Double.compare(value[i], value[j]));
    int[] ranks = new int[6];
    for (int rank = 0; rank < 6; rank++) {
      ranks[order[rank]] = rank;
    }
    assertThat(Orderings.states(occupancies, ranks, -1)).isTrue();
    // The mean of two occupancies cannot be better than both.
    double[][] three = {occupancies[0], occupancies[1], new double[6]};
    Arrays.setAll(three[2], k -> (three[0][k] + three[1][k]) / 2);
    assertThat(Orderings.states(three, new int[] {0, 0, 1}, -1)).isFalse();
    assertThat(Orderings.states(three, new int[] {0, 2, 1}, -1)).isTrue();
  }

  @Test
  void longRunAveragesAndReachingAreTold() {
    Map<String, double[]> found =
        run(
            "orderings",
            Map.of(
                "process",
                new Component(
                    "table", Map.of("states", 2, "actions", 2, "moves", List.of(0, 1, 1, 1)), ""),
                "policies",
                List.of(1, 0, 1, 0, 0.9, 0.1, 1, 0, 0, 1, 1, 0),
                "ranks",
                List.of(0, 1, 1),
                "reward",
                List.of(0, 0, 1, 1)));
    assertThat(found.get("average")).containsExactly(1);
    assertThat(found.get("eventually")).containsExactly(1);
    assertThat(found.get("markov")).containsExactly(0);
    // p g / (1 - g (1 - p)) / (1 - g)
    assertThat(found.get("value")[1]).isCloseTo(0.09 / 0.19 / 0.1, offset(1e-9));
  }

  @Test
  void distancesSeeThroughWhatTheyTakeAwayAndNothingElse() {
    DecisionProcess process = Processes.random(5, 3, 0.5, 0.9, random);
    RewardMetric metric = new RewardMetric(process);
    double[][][] reward = new double[5][][];
    Arrays.setAll(reward, s -> Draws.normals(random, 3, 5, 1));
    double[] potential = Draws.normals(random, 5, 1);
    double[][][] shaped = metric.shaped(reward, potential, potential);
    double[][][] moved = new double[5][3][5];
    for (int s = 0; s < 5; s++) {
      for (int a = 0; a < 3; a++) {
        double[] noise = Draws.normals(random, 5, 1);
        double mean = process.expectation(s, a, noise);
        for (int next = 0; next < 5; next++) {
          moved[s][a][next] = 3 * (reward[s][a][next] + noise[next] - mean);
        }
      }
    }
    for (RewardMetric.Canonical kind : RewardMetric.Canonical.values()) {
      boolean nothing = kind == RewardMetric.Canonical.NONE;
      boolean all = kind == RewardMetric.Canonical.VALUE || kind == RewardMetric.Canonical.LEAST;
      double shaping = metric.distance(kind, reward, shaped);
      double redistribution = metric.distance(kind, reward, moved);
      if (nothing) {
        assertThat(shaping).isGreaterThan(0.1);
      } else {
        assertThat(shaping).as(kind.name()).isCloseTo(0, offset(1e-7));
      }
      if (all) {
        assertThat(redistribution).as(kind.name()).isCloseTo(0, offset(1e-7));
      } else {
        assertThat(redistribution).as(kind.name()).isGreaterThan(0.1);
      }
    }
    assertThat(metric.regret(reward, shaped)).isCloseTo(0, offset(1e-9));
    double[][][] negative = new double[5][3][5];
    for (int s = 0; s < 5; s++) {
      for (int a = 0; a < 3; a++) {
        double[] row = reward[s][a];
        Arrays.setAll(negative[s][a], next -> -row[next]);
      }
    }
    assertThat(metric.regret(reward, negative)).isCloseTo(1, offset(1e-9));
  }

  @Test
  void theImitationDualHasTheGradientOfItsValue() {
    DecisionProcess process = Processes.random(4, 2, 0.7, 0.9, random);
    double[][] expert = Occupancy.pairs(process, Tables.softmax(Draws.normals(random, 4, 2, 1)));
    double[][] other = Occupancy.pairs(process, Tables.softmax(Draws.normals(random, 4, 2, 1)));
    DualImitation.Dual dual = new DualImitation.Dual(process, expert, other, 0.4);
    double[] v = Draws.normals(random, 4, 2);
    double[] gradient = dual.gradient(v);
    for (int s = 0; s < 4; s++) {
      double[] moved = v.clone();
      moved[s] += 1e-6;
      double above = dual.value(moved);
      moved[s] -= 2e-6;
      assertThat((above - dual.value(moved)) / 2e-6).isCloseTo(gradient[s], offset(1e-7));
    }
    double[][] d = dual.solve(v, 100);
    for (int s = 0; s < 4; s++) {
      assertThat(d[s]).containsExactly(expert[s], offset(1e-8));
    }
  }

  @Test
  void theImplicitGradientIsThatOfCentralDifferences() {
    Map<String, double[]> found =
        run("behavior_alignment", Map.of("push", -0.1, "steps", 3, "temperature", 0.4));
    assertThat(found.get("gradient_error")[0]).isLessThan(1e-6);
    // Without anything learned it is soft value iteration on the sum.
    DecisionProcess chain = Processes.chain(6, 0, 0, 0.99);
    double[][] right = Planning.optimal(chain, chain.reward("goal")).policy();
    assertThat(found.get("primary_return")[0])
        .isBetween(0.0, Evaluation.expectedReturn(chain, right, chain.reward("goal")));
    Map<String, double[]> primary = run("behavior_alignment", Map.of("steps", 0));
    assertThat(primary.get("primary_return")[0]).isCloseTo(0.402, offset(1e-3));
  }

  @Test
  void offlineLossesHaveTheirClosedForms() {
    assertThat(run("implicit_maximum", Map.of("level", 0.7)).get("value")[0])
        .isCloseTo(10 - 2 * (0.3 * 3 / 0.7 - 1), offset(1e-9));
    assertThat(run("implicit_maximum", Map.of("surrogate", "gumbel")).get("value")[0])
        .isCloseTo(Math.log((1 + Math.E + Math.exp(10)) / 3), offset(1e-9));
  }

  @Test
  void gradientAscentOnTheDistanceReachesTheTarget() {
    double[] returns =
        run("return_ascent", Map.of("target", 0.3, "rate", 3, "steps", 400)).get("expected_return");
    assertThat(returns[400]).isCloseTo(0.3, offset(1e-3));
    assertThat(returns[0]).isNotCloseTo(0.3, offset(1e-3));
  }

  @Test
  void optimismPullsByItsIndex() {
    Map<String, double[]> found =
        run("optimistic_bandit", Map.of("means", List.of(0, 1), "deviation", 0, "rounds", 50));
    assertThat(found.get("index_error")[0]).isCloseTo(0, offset(1e-9));
    // Both are pulled once; then the index of arm 2 is larger until 1/(0.2 n) falls by 1.
    assertThat(found.get("regret")[0]).isEqualTo(1);
    assertThat(found.get("regret")[49]).isBetween(1.0, 20.0);
  }

  @Test
  void whatDoesNotFitIsRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run("orderings", Map.of("process", "maze")))
        .withMessageContaining("there is no process `maze`");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () -> run("reward_distance", Map.of("first", List.of(1, 2), "second", List.of(1))))
        .withMessageContaining("12 numbers, one for each of 6 states and 2 actions");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run("self_play", Map.of("payoff", List.of(1, 2, 3))))
        .withMessageContaining("as many rows as columns, where `rows` is not given");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> run("optimistic_lock", Map.of("digit", 3)))
        .withMessageContaining("did you mean `digits`?");
  }

  @Test
  void rewardsAreComparedByName() {
    // Of the chain of three, 1 for the step into its end: by number the second state's last action.
    Map<String, Object> chain = Map.of("process", "chain", "first", "goal");
    Map<String, Object> twice = new HashMap<>(chain);
    twice.put("second", List.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0));
    assertThat(run("reward_distance", twice).get("value")[0]).isCloseTo(0, offset(1e-9));
  }

  /** Rock, paper, scissors, with the payoffs of winning with each 1, 2 and 3. */
  private static final List<Double> CIRCLE =
      List.of(0.0, -2.0, 1.0, 2.0, 0.0, -3.0, -1.0, 3.0, 0.0);

  private static Map<String, double[]> play(String method, double temperature) {
    return run(
        "self_play",
        Map.of(
            "payoff", CIRCLE,
            "method", method,
            "temperature", temperature,
            "steps", 4000.0,
            "rate", 0.1));
  }

  @Test
  void selfPlayByMirrorDescentCirclesAndItsAverageIsAnEquilibrium() {
    Map<String, double[]> found = play("mirror_descent", 0);
    double[] gap = found.get("gap");
    double[] average = found.get("average_gap");
    assertThat(Arrays.stream(gap, 3000, 4001).min().orElseThrow()).isGreaterThan(0.5);
    assertThat(average[4000]).isLessThan(0.1).isLessThan(average[100]);
    assertThat(found.get("game_value")[0]).isCloseTo(0, offset(1e-9));
  }

  @Test
  void optimismAndMirrorProxComeToTheEquilibriumThemselves() {
    for (String method : List.of("optimistic", "mirror_prox")) {
      Map<String, double[]> found = play(method, 0);
      double[] gap = found.get("gap");
      double[] average = found.get("average_gap");
      assertThat(gap[4000]).as(method).isLessThan(1e-6);
      // Nemirovski's bound, for a rate below 1 / max |A| and starts that give no action less than
      // e^-6.
      assertThat(average[4000]).as(method).isLessThan((6 + 6) / (0.1 * 4001));
    }
  }

  @Test
  void aRegularisedGameIsLearnedByMirrorDescentAtALinearRate() {
    double[] gap = play("mirror_descent", 0.5).get("gap");
    assertThat(gap[4000]).isLessThan(1e-12);
    // By hand at the uniform policies: both answers are log-sum-exps of the payoffs.
    double[] uniform =
        run(
                "self_play",
                Map.of("payoff", List.of(1.0, -1.0, -1.0, 2.0), "temperature", 0.5, "start", 0.0))
            .get("gap");
    double row = 0.5 * Math.log(Math.exp(0 / 0.5) + Math.exp(0.5 / 0.5));
    double column = 0.5 * Math.log(Math.exp(0 / 0.5) + Math.exp(-0.5 / 0.5));
    assertThat(uniform[0]).isCloseTo(row + column - Math.log(2), offset(1e-12));
  }
}
