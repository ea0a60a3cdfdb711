package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.alignlang.integration.Experiments.assertGoesOnToTheSameBits;
import static org.alignlang.integration.Experiments.assertSameNumbers;
import static org.alignlang.integration.Experiments.plan;
import static org.alignlang.integration.Experiments.trained;
import static org.alignlang.integration.Experiments.trainer;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.alignlang.runtime.experiment.ExperimentPlan.Turns;
import org.junit.jupiter.api.Test;

/** Objectives that take turns in one training, and share policies and blocks by name. */
class SeveralObjectivesTest {
  private static final String LEARNED_REWARD =
      """
      objective Fit(weight: Real = 0.001) {
        learn r: sequence
        pairs chosen > rejected
        state fits = fits + 1 from 0
        minimize mean[pair](
          -log_sigmoid(r(chosen) - r(rejected)) + weight * (r(chosen)^2 + r(rejected)^2) + 1e-12 * fits)
      }
      objective Improve(beta: Real = 0.2) {
        policy    pi
        reference ref
        reward    r: sequence
        state     improvements = improvements + 1 from 0
        maximize  E[r] - beta * KL(pi || ref) + 1e-12 * improvements
        estimate  with exact()
      }
      experiment Together {
        task      bandit(arms = 6, pairs = 2000)
        train     %s
        r         table(optimizer = adam(rate = 0.05))
        ref       initial()
        optimizer adam(rate = 0.02)
        steps     600
        batch     0
        every     50
        record    gold = E[task.gold], believed = E[r], sum = E[r - task.gold]
        expect    %s
      }
      """;

  @Test
  void aLearnedRewardIsTheRewardOfAPolicy() {
    // The gradient of the policy's loss is 0 until the model has learned something.
    assertClaimsHold(
        LEARNED_REWARD.formatted(
            "[stages(Fit(), Improve(beta = 0.2), steps = [300, 300]), alternate(Fit(), Improve(),"
                + " every = [1, 3])]",
            """
            final(gold) > first(gold) + 0.3
            expect final(fits) == 301 where turns == stages
            expect final(improvements) == 301 where turns == stages
            expect final(fits) == 601 where turns == alternate
            expect final(improvements) == 201 where turns == alternate
            expect final(loss) < first(loss) - 0.05
            expect final(Improve.loss) < first(Improve.loss)
            expect final(sum) within 1e-9 of final(believed) - final(gold)
            expect first(believed) == 0
            """));
  }

  @Test
  void turnsAreTakenInTheOrderWritten() {
    Turns stages = new Turns.Stages(List.of(2, 1));
    assertThat(List.of(stages.moves(0, 0), stages.moves(0, 1), stages.moves(0, 2)))
        .containsExactly(true, true, false);
    assertThat(List.of(stages.moves(1, 1), stages.moves(1, 2), stages.moves(1, 3)))
        .containsExactly(false, true, false);
    Turns alternate = new Turns.Alternate(List.of(1, 3));
    assertThat(List.of(alternate.moves(1, 0), alternate.moves(1, 2), alternate.moves(1, 3)))
        .containsExactly(true, false, true);
  }

  @Test
  void twoPoliciesOfOneTrainingMeetInTheEquilibrium() {
    assertClaimsHold(
        """
        objective First {
          policy     pi
          reference  mu
          reference  ref
          preference P(y > y')
          maximize   E[P(y > mu)] - 0.2 * KL(pi || ref)
          estimate   with exact()
        }
        objective Second {
          policy     mu
          reference  pi
          reference  ref
          preference P(y > y')
          maximize   E[P(y > pi)] - 0.2 * KL(mu || ref)
          estimate   with exact()
        }
        objective Alone {
          policy     pi
          reference  ref
          reference  mu = snapshot(pi, every = 1)
          preference P(y > y')
          maximize   E[P(y > pi)] + 0 * E[P(y > mu)] - 0.2 * KL(pi || ref)
          estimate   with exact()
        }
        experiment Players {
          task      bandit(wins = [0.5, 0.9, 0.2,  0.1, 0.5, 0.8,  0.8, 0.2, 0.5])
          train     [alternate(First(), Second()), Alone()]
          optimizer adam(rate = linear(from = 0.05, to = 0.001, steps = 800))
          steps     800
          record    apart = KL(pi || mu), gap = exploitability(pi)
          expect    final(apart) < 1e-4 where turns == alternate
          expect    max(apart) > 1e-5 where turns == alternate
          expect    final(gap, objective = First_Second, turns = alternate) within 1e-3 of final(gap, objective = Alone, turns = alone)
        }
        """);
  }

  @Test
  void aWeightIsDesignedForWhatFollowsIt() {
    // Two ways to one number: the weight whose optimal policy has a harm of 0.3, found by the
    // implicit gradient, and the multiplier of the constraint that says so, found by a solver.
    assertClaimsHold(
        """
        objective Follow(beta: Real = 0.5) {
          policy    pi
          reference ref
          learn     w: batch
          reward    helpful: sequence
          reward    harm: sequence
          maximize  E[helpful] - w * E[harm] - beta * KL(pi || ref)
          estimate  with exact()
          metric    weight = w
        }
        objective Design(target: Real = 0.3) {
          policy   pi
          reward   harm: sequence
          minimize (E[harm] - target)^2
          estimate with exact()
        }
        objective Constrained(beta: Real = 0.5) {
          policy     pi
          reference  ref
          reward     helpful: sequence
          reward     harm: sequence
          maximize   E[helpful] - beta * KL(pi || ref)
          subject to E[harm] <= 0.3 multiplier lambda(rate = 0.1)
          estimate   with exact()
        }
        experiment Weight {
          task      bandit(helpful = [1, 0.6, -0.5, 0], harm = [0.9, 0.5, 0.2, 0.1], base = [0.4, 0.3, 0.2, 0.1])
          train     [bilevel(Design(), Follow(), over = w, every = 2), Constrained()]
          w         number(optimizer = sgd(rate = 2))
          optimizer adam(rate = 0.05)
          steps     500
          record    level = E[task.harm]
          expect    final(level) within 0.002 of 0.3
          expect    final(weight, objective = Design_Follow, turns = bilevel) within 1% of exact(lambda, objective = Constrained, turns = alone) where turns == bilevel
        }
        """);
  }

  private static final String SAMPLED_DESIGN =
      """
      objective Follow(beta: Real = 0.5) {
        policy    pi
        reference ref
        learn     w: batch
        reward    helpful: sequence
        reward    harm: sequence
        maximize  E[helpful] - w * E[harm] - beta * KL(pi || ref)
        estimate  with rloo()
      }
      objective Design(target: Real = 0.3) {
        policy   pi
        reward   harm: sequence
        minimize (E[harm] - target)^2
        estimate with rloo()
      }
      experiment Sampled {
        task   bandit(arms = 6)
        train  %s
        steps  60
        every  %d
        expect final(harm) < 2
      }
      """;

  @Test
  void whatIsRecordedChangesNothing() {
    for (String train :
        List.of(
            "bilevel(Design(), Follow(), over = w, every = 3)",
            "alternate(Design(), Follow(), every = [3, 1])",
            "stages(Design(), Follow(), steps = [5, 7])")) {
      assertSameNumbers(learned(train, 60), learned(train, 1));
    }
  }

  /** What has been learned in 40 steps; what samples were last drawn from is no part of it. */
  private static Map<String, double[]> learned(String train, int every) {
    Map<String, double[]> numbers =
        new TreeMap<>(trained(trainer(plan(SAMPLED_DESIGN.formatted(train, every))), 40).arrays());
    numbers.keySet().removeIf(name -> name.endsWith("sampling") || name.endsWith("sampled"));
    return numbers;
  }

  @Test
  void anInterruptedDesignGoesOnToTheSameBits() {
    assertGoesOnToTheSameBits(
        plan(SAMPLED_DESIGN.formatted("bilevel(Design(), Follow(), over = w, every = 4)", 10)));
  }

  @Test
  void anInterruptedTrainingGoesOnToTheSameBits() {
    assertThat(
            assertGoesOnToTheSameBits(
                    plan(
                        LEARNED_REWARD.formatted(
                            "alternate(Fit(), Improve(), every = [2, 3])", "final(gold) > -10")))
                .arrays())
        .containsKeys("block r", "2: kept", "parameters");
  }
}
