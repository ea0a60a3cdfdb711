package org.alignlang.runtime.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.data.Offset.offset;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.alignlang.runtime.random.CounterRandom;
import org.junit.jupiter.api.Test;

class ProcessToolsTest {
  private static final int STATES = 5;
  private static final int ACTIONS = 3;

  private final CounterRandom random = CounterRandom.of(7).stream("process");
  private final DecisionProcess process =
      Processes.random(STATES, ACTIONS, 0.6, 0.85, random).withStart(start());
  private final double[][] reward = table(1);
  private final double[][] logits = table(1);

  private static double[] start() {
    return new double[] {0.5, 0.2, 0.2, 0.1, 0};
  }

  private double[][] table(double scale) {
    double[][] table = new double[STATES][ACTIONS];
    for (double[] row : table) {
      Arrays.setAll(row, a -> scale * (2 * random.nextDouble() - 1));
    }
    return table;
  }

  @Test
  void valuesSatisfyBellmansEquationAndAreTheReturnsOfEpisodes() {
    double[][] policy = Tables.softmax(logits);
    double[] values = Evaluation.values(process, policy, reward);
    double[][] q = Evaluation.actionValues(process, reward, values);
    for (int s = 0; s < STATES; s++) {
      assertThat(Tables.dot(policy[s], q[s])).isCloseTo(values[s], offset(1e-12));
    }
    int episodes = 20_000;
    int steps = 100;
    double sum = 0;
    double squares = 0;
    for (int episode = 0; episode < episodes; episode++) {
      int s = draw(process.start());
      double total = 0;
      double factor = 1;
      for (int t = 0; t < steps; t++) {
        int a = draw(policy[s]);
        total += factor * reward[s][a];
        factor *= process.discount();
        double[] next = new double[STATES];
        for (int i = 0; i < process.successors(s, a); i++) {
          next[process.successor(s, a, i)] = process.probability(s, a, i);
        }
        s = draw(next);
      }
      sum += total;
      squares += total * total;
    }
    double mean = sum / episodes;
    double error = Math.sqrt((squares / episodes - mean * mean) / episodes);
    // What lies beyond 100 steps is below 0.85^100 / 0.15 < 1e-6.
    assertThat(Evaluation.expectedReturn(process, policy, reward))
        .isCloseTo(mean, offset(5 * error));
  }

  @Test
  void theOptimumIsTheBestOfAllDeterministicPolicies() {
    double best = Double.NEGATIVE_INFINITY;
    for (int[] choice : Enumeration.policies(process, 1000)) {
      best =
          Math.max(
              best,
              Evaluation.expectedReturn(process, Tables.deterministic(choice, ACTIONS), reward));
    }
    Planning.Stationary plan = Planning.optimal(process, reward);
    assertThat(Tables.dot(process.start(), plan.values())).isCloseTo(best, offset(1e-10));
    double[][] occupancy = new OccupancyProgram(process).maximise(reward).orElseThrow();
    assertThat(Tables.dot(occupancy, reward) / (1 - process.discount()))
        .isCloseTo(best, offset(1e-8));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Enumeration.policies(process, 100))
        .withMessageContaining("243 deterministic policies, more than 100");
  }

  @Test
  void softPlanningMaximisesTheReturnLessTheDivergence() {
    double tau = 0.3;
    double[][] reference = Tables.softmax(table(2));
    Planning.Stationary plan = Planning.soft(process, reward, tau, Optional.of(reference));
    double best = Tables.dot(process.start(), plan.values());
    assertThat(regularised(plan.policy(), reference, tau)).isCloseTo(best, offset(1e-10));
    for (int i = 0; i < 20; i++) {
      assertThat(regularised(Tables.softmax(table(3)), reference, tau)).isLessThan(best);
    }
    Planning.Stationary cold = Planning.soft(process, reward, 1e-4, Optional.empty());
    assertThat(cold.values()[0])
        .isCloseTo(Planning.optimal(process, reward).values()[0], offset(1e-2));
  }

  private double regularised(double[][] policy, double[][] reference, double tau) {
    double[][] net = Tables.copy(reward);
    for (int s = 0; s < STATES; s++) {
      for (int a = 0; a < ACTIONS; a++) {
        net[s][a] -= tau * Math.log(policy[s][a] / reference[s][a]);
      }
    }
    return Evaluation.expectedReturn(process, policy, net);
  }

  @Test
  void finiteHorizonsAgreeWithTheSumOverAllHistories() {
    DecisionProcess finite = Processes.random(3, 2, 0.7, 0.9, random).withHorizon(4);
    double[][] r = {{1, 0}, {0, -1}, {0.5, 2}};
    double[][][] policy = new double[4][][];
    Arrays.setAll(policy, h -> Tables.softmax(new double[][] {{h, 1}, {0, h}, {-h, 0.3}}));
    double value = 0;
    double[][][] occupancy = new double[4][3][2];
    double mass = 0;
    for (Enumeration.History history : Enumeration.histories(finite, 4, 100_000)) {
      double p = history.probability(policy);
      mass += p;
      value += p * history.discountedSum(r, 0.9);
      for (int h = 0; h < 4; h++) {
        occupancy[h][history.states()[h]][history.actions()[h]] += p;
      }
    }
    assertThat(mass).isCloseTo(1, offset(1e-12));
    assertThat(Evaluation.expectedReturn(finite, policy, r)).isCloseTo(value, offset(1e-12));
    double[][][] computed = Occupancy.pairs(finite, policy);
    for (int h = 0; h < 4; h++) {
      for (int s = 0; s < 3; s++) {
        assertThat(computed[h][s]).containsExactly(occupancy[h][s], offset(1e-12));
      }
    }
    Planning.Stepwise plan = Planning.optimalStepwise(finite, r);
    assertThat(Evaluation.expectedReturn(finite, plan.policy(), r))
        .isCloseTo(Tables.dot(finite.start(), plan.values()[0]), offset(1e-12))
        .isGreaterThan(value);
    Planning.Stepwise soft = Planning.softStepwise(finite, r, 0.2, Optional.of(policy));
    assertThat(soft.values()[0][0]).isBetween(-5.0, plan.values()[0][0]);
  }

  @Test
  void occupanciesAreTheDiscountedSumsOfStateProbabilities() {
    double[][] policy = Tables.softmax(logits);
    double[] now = process.start();
    double[] sum = new double[STATES];
    double factor = 1 - process.discount();
    for (int t = 0; t < 400; t++) {
      double[] next = new double[STATES];
      for (int s = 0; s < STATES; s++) {
        sum[s] += factor * now[s];
        for (int a = 0; a < ACTIONS; a++) {
          for (int i = 0; i < process.successors(s, a); i++) {
            next[process.successor(s, a, i)] +=
                now[s] * policy[s][a] * process.probability(s, a, i);
          }
        }
      }
      now = next;
      factor *= process.discount();
    }
    assertThat(Occupancy.states(process, policy)).containsExactly(sum, offset(1e-12));
    double[][] back = Occupancy.policy(Occupancy.pairs(process, policy));
    assertThat(back[2]).containsExactly(policy[2], offset(1e-12));
    assertThat(Tables.dot(Occupancy.pairs(process, policy), reward) / (1 - process.discount()))
        .isCloseTo(Evaluation.expectedReturn(process, policy, reward), offset(1e-12));
  }

  @Test
  void gradientsOfFunctionalsAreFiniteDifferences() {
    double[][] base = Occupancy.pairs(process, Tables.softmax(table(1)));
    OccupancyFunctional expected = OccupancyFunctional.expected(reward);
    List<OccupancyFunctional> functionals =
        List.of(
            expected,
            OccupancyFunctional.chiSquared(base),
            OccupancyFunctional.chiSquared(base).root(),
            OccupancyFunctional.kl(base),
            OccupancyFunctional.totalVariation(base),
            OccupancyFunctional.divergence(
                base, u -> Math.pow(Math.sqrt(u) - 1, 2), u -> 1 - 1 / Math.sqrt(u)),
            expected.plus(-0.3, OccupancyFunctional.kl(base)),
            expected.through(x -> -Math.abs(x - 0.5), x -> -Math.signum(x - 0.5)));
    double h = 1e-6;
    for (OccupancyFunctional functional : functionals) {
      double[][] gradient = OccupancyGradient.exact(process, logits, functional);
      for (int s = 0; s < STATES; s++) {
        for (int a = 0; a < ACTIONS; a++) {
          double[][] moved = Tables.copy(logits);
          moved[s][a] += h;
          double above = at(functional, moved);
          moved[s][a] -= 2 * h;
          assertThat((above - at(functional, moved)) / (2 * h))
              .isCloseTo(gradient[s][a], offset(1e-7));
        }
      }
    }
  }

  @Test
  void theNaturalGradientIsTheGradientTimesTheInverseFisherMatrix() {
    OccupancyFunctional functional = OccupancyFunctional.expected(reward);
    double[][] natural = OccupancyGradient.natural(process, logits, functional);
    double[][] gradient = OccupancyGradient.exact(process, logits, functional);
    double[][] policy = Tables.softmax(logits);
    double[] d = Occupancy.states(process, policy);
    for (int s = 0; s < STATES; s++) {
      double mean = Tables.dot(policy[s], natural[s]);
      for (int a = 0; a < ACTIONS; a++) {
        assertThat(d[s] * policy[s][a] * (natural[s][a] - mean))
            .isCloseTo(gradient[s][a], offset(1e-12));
      }
    }
    double[][] after = OccupancyGradient.ascend(process, logits, functional, 5, 200);
    assertThat(at(functional, after) / (1 - process.discount()))
        .isCloseTo(
            Tables.dot(process.start(), Planning.optimal(process, reward).values()), offset(1e-4));
  }

  private double at(OccupancyFunctional functional, double[][] theta) {
    return functional.value(Occupancy.pairs(process, Tables.softmax(theta)));
  }

  @Test
  void gamesAreSolved() {
    MatrixGame.Equilibrium pennies = new MatrixGame(new double[][] {{2, -1}, {-1, 1}}).nash();
    assertThat(pennies.row()).containsExactly(new double[] {0.4, 0.6}, offset(1e-9));
    assertThat(pennies.value()).isCloseTo(0.2, offset(1e-9));
    MatrixGame game = new MatrixGame(table(1));
    MatrixGame.Equilibrium nash = game.nash();
    assertThat(game.gap(nash.row(), nash.column())).isCloseTo(0, offset(1e-8));
    assertThat(game.gap(new double[] {1, 0, 0, 0, 0}, new double[] {1, 0, 0})).isPositive();
  }

  @Test
  void linearProgrammesSayWhetherAnythingFits() {
    LinearProgram program = new LinearProgram(2, false).atMost(new double[] {1, 1}, 1);
    assertThat(program.feasible()).isTrue();
    assertThat(program.between(0, 0, 3).between(1, 0, 3).maximise(new double[] {1, 2}))
        .hasValueSatisfying(solution -> assertThat(solution.value()).isCloseTo(2, offset(1e-9)));
    assertThat(program.atLeast(new double[] {1, 0}, 2).feasible()).isFalse();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new LinearProgram(1, true).maximise(new double[] {1}))
        .withMessageContaining("no bounded optimum");
  }

  @Test
  void chainsAreWalked() {
    DecisionProcess chain = Processes.chain(4, 1, 0.1, 0.9);
    assertThat(chain.transition(2, 1, 3)).isCloseTo(0.9, offset(1e-12));
    assertThat(chain.reward("goal")[2]).containsExactly(new double[] {0.1, 0.9}, offset(1e-12));
    double[][] right = Tables.deterministic(new int[] {1, 1, 1, 1}, 2);
    // The probability of reaching the goal at all, as the discount tends to 1.
    assertThat(Evaluation.expectedReturn(chain.withDiscount(0.999999), right, chain.reward("goal")))
        .isCloseTo(1, offset(1e-4));
  }

  @Test
  void whatIsNoProcessIsRefused() {
    DecisionProcess.Builder builder = DecisionProcess.builder(2, 1).discount(0.9);
    builder.transition(0, 0, 1, 0.5).absorbing(1);
    assertThatIllegalArgumentException()
        .isThrownBy(builder::build)
        .withMessage("the transitions from state 0 by action 0 sum to 0.5, not 1");
    builder.transition(0, 0, 0, 0.5).discount(1);
    assertThatIllegalArgumentException()
        .isThrownBy(builder::build)
        .withMessageContaining("below 1 without a horizon");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> builder.reward("r", new double[][] {{1}}))
        .withMessage("reward `r` needs 2 rows (states) of 1 numbers (actions)");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> process.reward("gold"))
        .withMessageContaining("gold");
  }

  private int draw(double[] p) {
    double u = random.nextDouble();
    for (int i = 0; i < p.length; i++) {
      u -= p[i];
      if (u < 0) {
        return i;
      }
    }
    return p.length - 1;
  }
}
