package org.alignlang.runtime.experiment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.alignlang.runtime.experiment.ExperimentPlan.LogRatioFunction;
import org.alignlang.runtime.experiment.RegularisedProblem.Bound;
import org.alignlang.runtime.experiment.RegularisedProblem.Solution;
import org.alignlang.runtime.random.CounterRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RegularisedSolverTest {
  private static final double NONE = Double.POSITIVE_INFINITY;

  /** Divergences with the inverse of f' worked out by hand. */
  enum Case {
    // f' = log u + 1.
    REVERSE_KL(x -> Math.exp(x) * x, y -> y - 1),
    // f' = -1 / u.
    FORWARD_KL(x -> -x, y -> y < 0 ? -Math.log(-y) : NONE),
    // f' = 2 (u - 1), from -2 on.
    CHI_SQUARED(
        x -> Math.pow(Math.expm1(x), 2),
        y -> y > -2 ? Math.log1p(y / 2) : Double.NEGATIVE_INFINITY),
    // f' = 1 - u^(-1/2), below 1.
    HELLINGER(x -> Math.pow(Math.expm1(x / 2), 2), y -> y < 1 ? -2 * Math.log1p(-y) : NONE),
    // f' = log(2 u / (u + 1)), below log 2: u = e^y / (2 - e^y).
    JENSEN_SHANNON(
        x -> Math.exp(x) * x - (Math.exp(x) + 1) * Math.log((Math.exp(x) + 1) / 2),
        y -> y < Math.log(2) ? y - Math.log(2 - Math.exp(y)) : NONE);

    private final LogRatioFunction integrand;
    private final LogRatioFunction inverse;

    Case(LogRatioFunction integrand, LogRatioFunction inverse) {
      this.integrand = integrand;
      this.inverse = inverse;
    }

    double divergence(double[] p, double[] q) {
      double sum = 0;
      for (int i = 0; i < p.length; i++) {
        sum += QuantityEvaluator.term(integrand, Math.log(p[i]), Math.log(q[i]));
      }
      return sum;
    }
  }

  private static double[] logs(double... probabilities) {
    return Arrays.stream(probabilities).map(Math::log).toArray();
  }

  private static RegularisedProblem problem(
      Case c,
      double[] reference,
      double[] reward,
      double strength,
      double budget,
      Bound... bounds) {
    return new RegularisedProblem(
        List.of(logs(reference)),
        List.of(reward),
        strength,
        c.integrand,
        c.inverse,
        budget,
        List.of(bounds));
  }

  private static double[] policy(Solution solution) {
    return Arrays.stream(solution.logProbabilities().get(0)).map(Math::exp).toArray();
  }

  private static double[] solve(Case c, double[] reference, double[] reward, double strength) {
    return policy(RegularisedSolver.solve(problem(c, reference, reward, strength, NONE)));
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  // Two arms, reference (1/2, 1/2), reward (1, 0), strength 1.

  @Test
  void reverseKlTiltsTheReference() {
    // pi = ref exp(r) / Z = (e, 1) / (e + 1); f' = log u + 1 gives nu = log Z - 1, Z = (e + 1) / 2.
    Solution solution =
        RegularisedSolver.solve(
            problem(Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 1, NONE));

    assertThat(policy(solution))
        .containsExactly(new double[] {Math.E / (Math.E + 1), 1 / (Math.E + 1)}, within(1e-14));
    assertThat(solution.normalisers()[0]).isCloseTo(Math.log((Math.E + 1) / 2) - 1, within(1e-13));
  }

  @Test
  void chiSquaredIsLinearInTheReward() {
    // u = 1 + (r - nu) / 2 with nu = 1/2: (5/4, 3/4).
    assertThat(solve(Case.CHI_SQUARED, new double[] {0.5, 0.5}, new double[] {1, 0}, 1))
        .containsExactly(new double[] {0.625, 0.375}, within(1e-14));
  }

  @Test
  void chiSquaredGivesUpArms() {
    // At strength 1/10 the second arm would be negative; it is 0, and the first has u = 2.
    assertThat(solve(Case.CHI_SQUARED, new double[] {0.5, 0.5}, new double[] {1, 0}, 0.1))
        .containsExactly(new double[] {1, 0}, within(1e-14));
  }

  @Test
  void chiSquaredWithThreeArmsOfWhichOneIsGivenUp() {
    // ref (1/3, 1/3, 1/3), r (2, 1, -4), strength 1. If the third arm is given up: u1 + u2 = 3 with
    // u1 - u2 = 1/2, so u = (7/4, 5/4, 0) and nu = 2 - 2 (7/4 - 1) = 1/2; the third arm's
    // (r - nu) = -4.5 lies below f'(0) = -2, as it must.
    assertThat(
            solve(
                Case.CHI_SQUARED,
                new double[] {1 / 3.0, 1 / 3.0, 1 / 3.0},
                new double[] {2, 1, -4},
                1))
        .containsExactly(new double[] {7 / 12.0, 5 / 12.0, 0}, within(1e-14));
  }

  @Test
  void forwardKlIsAHyperbola() {
    // u = 1 / (nu - r): nu^2 - 2 nu + 1/2 = 0, nu = 1 + sqrt(1/2), pi = (sqrt(1/2), 1 - sqrt(1/2)).
    double root = Math.sqrt(0.5);
    assertThat(solve(Case.FORWARD_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 1))
        .containsExactly(new double[] {root, 1 - root}, within(1e-14));
  }

  @Test
  void hellingerMeetsItsEquation() {
    // 1 - u^(-1/2) = r - nu: with a = 1 / sqrt(u1) and 1 / sqrt(u2) = a + 1, 1/a^2 + 1/(a+1)^2 = 2.
    double a = 0.8;
    for (int i = 0; i < 50; i++) {
      double f = 1 / (a * a) + 1 / ((a + 1) * (a + 1)) - 2;
      a -= f / (-2 / (a * a * a) - 2 / Math.pow(a + 1, 3));
    }
    assertThat(solve(Case.HELLINGER, new double[] {0.5, 0.5}, new double[] {1, 0}, 1))
        .containsExactly(new double[] {0.5 / (a * a), 0.5 / ((a + 1) * (a + 1))}, within(1e-13));
  }

  @Test
  void jensenShannonMeetsItsEquation() {
    // p = u1 / 2, 2 u / (u + 1) has the ratio e between the arms: u1 (u2 + 1) = e u2 (u1 + 1) with
    // u2 = 2 - u1: u1 (3 - u1) = e (2 - u1) (u1 + 1), so (e - 1) u^2 + (3 - e) u - 2 e = 0.
    double e = Math.E;
    double u = (-(3 - e) + Math.sqrt((3 - e) * (3 - e) + 8 * e * (e - 1))) / (2 * (e - 1));
    assertThat(solve(Case.JENSEN_SHANNON, new double[] {0.5, 0.5}, new double[] {1, 0}, 1))
        .containsExactly(new double[] {u / 2, 1 - u / 2}, within(1e-13));
  }

  @ParameterizedTest
  @EnumSource(Case.class)
  void noPolicyOfAFineGridIsBetter(Case c) {
    double[] reference = {0.5, 0.3, 0.2};
    double[] reward = {0.3, -0.4, 1.1};
    double[] cost = {0, 0.2, 1};
    Bound bound = new Bound("E[cost] <= 0.3", List.of(cost), "<=", 0.3);
    for (Bound[] bounds : new Bound[][] {{}, {bound}}) {
      for (double strength : new double[] {0.2, 1, 5}) {
        double[] best =
            policy(RegularisedSolver.solve(problem(c, reference, reward, strength, NONE, bounds)));
        double value = dot(best, reward) - strength * c.divergence(best, reference);
        double grid = Double.NEGATIVE_INFINITY;
        int steps = 300;
        for (int i = 0; i <= steps; i++) {
          for (int j = 0; i + j <= steps; j++) {
            double[] p = {i / (double) steps, j / (double) steps, (steps - i - j) / (double) steps};
            if (bounds.length == 0 || dot(p, cost) <= 0.3) {
              grid = Math.max(grid, dot(p, reward) - strength * c.divergence(p, reference));
            }
          }
        }
        assertThat(value).isBetween(grid - 1e-12, grid + 0.01);
        if (bounds.length == 1) {
          assertThat(dot(best, cost)).isLessThan(0.3 + 1e-11);
        }
      }
    }
  }

  @Test
  void aBindingBoundFixesTwoArms() {
    // E[c] <= 0.3 with c = (1, 0) gives pi = (0.3, 0.7); stationarity gives the multiplier:
    // log(0.3 / 0.5) - log(0.7 / 0.5) = (1 - lambda) / 2.
    Bound bound = new Bound("E[c] <= 0.3", List.of(new double[] {1, 0}), "<=", 0.3);
    Solution solution =
        RegularisedSolver.solve(
            problem(Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 2, NONE, bound));

    assertThat(policy(solution)).containsExactly(new double[] {0.3, 0.7}, within(1e-12));
    assertThat(solution.multipliers()[0]).isCloseTo(1 - 2 * Math.log(0.3 / 0.7), within(1e-10));
  }

  @Test
  void aSlackBoundHasMultiplierZero() {
    Bound bound = new Bound("E[c] <= 0.9", List.of(new double[] {1, 0}), "<=", 0.9);
    Solution solution =
        RegularisedSolver.solve(
            problem(Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 1, NONE, bound));

    assertThat(solution.multipliers()[0]).isZero();
    assertThat(policy(solution)[0]).isCloseTo(Math.E / (Math.E + 1), within(1e-14));
  }

  @Test
  void anEqualityMayHaveANegativeMultiplier() {
    Bound bound = new Bound("E[c] == 0.9", List.of(new double[] {1, 0}), "==", 0.9);
    Solution solution =
        RegularisedSolver.solve(
            problem(Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 1, NONE, bound));

    assertThat(policy(solution)[0]).isCloseTo(0.9, within(1e-12));
    assertThat(solution.multipliers()[0]).isCloseTo(1 - Math.log(9), within(1e-9));
  }

  @Test
  void severalConstraintsMeetTheirConditions() {
    CounterRandom random = CounterRandom.of(11);
    for (int round = 0; round < 20; round++) {
      int arms = 6;
      double[] reference = new double[arms];
      double[] reward = new double[arms];
      double[][] costs = new double[3][arms];
      for (int i = 0; i < arms; i++) {
        reference[i] = 0.05 + random.nextDouble();
        reward[i] = 4 * random.nextDouble();
        for (double[] cost : costs) {
          cost[i] = random.nextDouble();
        }
      }
      double total = Arrays.stream(reference).sum();
      for (int i = 0; i < arms; i++) {
        reference[i] /= total;
      }
      // Bounds a little inside what the reference itself gives, so that they can be met.
      Bound[] bounds = {
        new Bound("a", List.of(costs[0]), "<=", dot(reference, costs[0]) - 0.02),
        new Bound("b", List.of(costs[1]), ">=", dot(reference, costs[1]) + 0.02),
        new Bound("c", List.of(costs[2]), "==", dot(reference, costs[2]) + 0.01)
      };
      RegularisedProblem problem = problem(Case.REVERSE_KL, reference, reward, 0.5, NONE, bounds);

      Solution solution = RegularisedSolver.solve(problem);

      double[] p = policy(solution);
      assertThat(dot(p, costs[0])).isLessThan(bounds[0].limit() + 1e-10);
      assertThat(dot(p, costs[1])).isGreaterThan(bounds[1].limit() - 1e-10);
      assertThat(dot(p, costs[2])).isCloseTo(bounds[2].limit(), within(1e-10));
      for (int k = 0; k < 2; k++) {
        assertThat(solution.multipliers()[k]).isNotNegative();
        assertThat(solution.multipliers()[k] * (dot(p, costs[k]) - bounds[k].limit()))
            .isCloseTo(0, within(1e-9));
      }
      // Stationarity: r - sum sign lambda c - strength (log(p / ref) + 1) is the same for all arms.
      double[] level = new double[arms];
      for (int i = 0; i < arms; i++) {
        level[i] = reward[i] - 0.5 * Math.log(p[i] / reference[i]);
        for (int k = 0; k < 3; k++) {
          level[i] -= bounds[k].sign() * solution.multipliers()[k] * costs[k][i];
        }
        assertThat(level[i]).isCloseTo(level[0], within(1e-9));
      }
    }
  }

  @ParameterizedTest
  @EnumSource(Case.class)
  void aDivergenceBudgetIsUsedUp(Case c) {
    double[] reference = {0.5, 0.3, 0.2};
    double[] reward = {0.3, -0.4, 1.1};
    RegularisedProblem problem = problem(c, reference, reward, 0, 0.1);

    Solution solution = RegularisedSolver.solve(problem);

    double[] p = policy(solution);
    assertThat(c.divergence(p, reference)).isCloseTo(0.1, within(1e-11));
    // The same policy is the optimum at the temperature that was found.
    assertThat(solve(c, reference, reward, solution.temperature()))
        .containsExactly(p, within(1e-9));
    assertThat(solution.budgetMultiplier(problem)).isEqualTo(solution.temperature());
  }

  @Test
  void aBudgetThatDoesNotBindHasMultiplierZero() {
    RegularisedProblem problem =
        problem(Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 1, 0.5);

    assertThat(RegularisedSolver.solve(problem).budgetMultiplier(problem)).isZero();
  }

  @Test
  void manyPromptsShareOneMultiplier() {
    Bound bound =
        new Bound("E[c] <= 0.4", List.of(new double[] {1, 0}, new double[] {0, 1}), "<=", 0.4);
    RegularisedProblem problem =
        new RegularisedProblem(
            List.of(logs(0.5, 0.5), logs(0.9, 0.1)),
            List.of(new double[] {2, 0}, new double[] {0, 3}),
            1,
            Case.REVERSE_KL.integrand,
            Case.REVERSE_KL.inverse,
            NONE,
            List.of(bound));

    Solution solution = RegularisedSolver.solve(problem);

    double lambda = solution.multipliers()[0];
    double first = Math.exp(2 - lambda) / (Math.exp(2 - lambda) + 1);
    double second = 0.1 * Math.exp(3 - lambda) / (0.1 * Math.exp(3 - lambda) + 0.9);
    assertThat((first + second) / 2).isCloseTo(0.4, within(1e-12));
    assertThat(Math.exp(solution.logProbabilities().get(0)[0])).isCloseTo(first, within(1e-12));
    assertThat(Math.exp(solution.logProbabilities().get(1)[1])).isCloseTo(second, within(1e-12));
  }

  @Test
  void anUnreachableBoundSaysWhatIsReachable() {
    Bound bound = new Bound("E[harm] <= 0.1", List.of(new double[] {0.5, 0.25}), "<=", 0.1);

    assertThatThrownBy(() ->
            RegularisedSolver.solve(
                problem(
                    Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 1, NONE, bound)))
        .isInstanceOf(ExperimentException.class)
        .hasMessage("no policy meets `E[harm] <= 0.1`: the least that it can be is 0.25");
  }

  @Test
  void boundsThatExcludeEachOtherAreNamed() {
    Bound a = new Bound("E[a] <= 0.2", List.of(new double[] {1, 0, 0.9}), "<=", 0.2);
    Bound c = new Bound("E[c] <= 0.5", List.of(new double[] {0, 1, 0.9}), "<=", 0.5);

    assertThatThrownBy(() ->
            RegularisedSolver.solve(
                problem(
                    Case.REVERSE_KL,
                    new double[] {0.4, 0.4, 0.2},
                    new double[] {1, 0, 0},
                    1,
                    NONE,
                    a,
                    c)))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("together: `E[a] <= 0.2`, `E[c] <= 0.5`");
  }

  @Test
  void aBudgetBelowWhatTheBoundsNeedIsRefused() {
    // E[c] >= 0.9 costs 0.9 log 1.8 + 0.1 log 0.2 = 0.368 nats at least.
    Bound bound = new Bound("E[c] >= 0.9", List.of(new double[] {1, 0}), ">=", 0.9);

    assertThatThrownBy(() ->
            RegularisedSolver.solve(
                problem(
                    Case.REVERSE_KL, new double[] {0.5, 0.5}, new double[] {1, 0}, 0, 0.1, bound)))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("within a divergence of 0.1: they need at least 0.368");
  }
}
