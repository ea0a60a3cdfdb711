package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Study {@code optimistic_bandit}: Gaussian arms, pulled by the hypothesis that maximises its value
 * less {@code eta} times its fitting loss on what was seen.
 *
 * <p>A hypothesis is a mean {@code f_a} for every arm, its value {@code max_a f_a} and its loss
 * {@code sum_a n_a (f_a - mean_a)^2 / 2}, with {@code n_a} pulls of empirical mean {@code mean_a}.
 * The maximiser raises one arm only, to {@code mean_a + 1 / (eta n_a)}, and the arm pulled is the
 * one of largest index {@code mean_a + 1 / (2 eta n_a)}. With {@code optimism = false} it is the
 * arm of largest mean so far, the limit of large {@code eta}.
 *
 * <p>Source: Liu et al., "One Objective to Rule Them All: A Maximization Objective Fusing
 * Estimation and Planning for Exploration" (MEX), 2023, equation 3.1, for a bandit.
 *
 * <p>Arguments: {@code means} of the arms, or {@code arms} (10) of means uniform on [0, 1]; {@code
 * deviation} (0.5), {@code rounds} (2000), {@code eta} (0.1), {@code optimism} (true). Every arm is
 * pulled once first.
 */
public final class OptimisticBandit implements StudyProvider {
  @Override
  public String name() {
    return "optimistic_bandit";
  }

  @Override
  public String summary() {
    return "Gaussian arms pulled by the hypothesis of largest value less fitting loss";
  }

  @Override
  public Map<String, String> quantities() {
    return Map.of(
        "regret", "sum so far of the best mean less that of the arm pulled, per round",
        "half_regret", "regret after half the rounds",
        "index_error", "largest |closed-form index - value of the maximiser found by search|");
  }

  @Override
  public Set<String> lists() {
    return Set.of("means");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("optimistic_bandit");
    Optional<double[]> given = arguments.reals("means", -1e6, 1e6);
    int arms = arguments.integer("arms", given.map(m -> m.length).orElse(10), 2, 10_000);
    double deviation = arguments.real("deviation", 0.5, 0, 1e6);
    int rounds = arguments.integer("rounds", 2000, 2, 1_000_000);
    double eta = arguments.above("eta", 0.1, 0);
    boolean optimism = arguments.flag("optimism", true);
    double[] means =
        given.orElseGet(() -> {
          double[] drawn = new double[arms];
          Arrays.setAll(drawn, a -> random.nextDouble());
          return drawn;
        });
    if (means.length != arms) {
      throw arguments.wrong("arms", "the number of means", arms);
    }
    if (rounds < arms) {
      throw arguments.wrong("rounds", "at least one for each arm", rounds);
    }
    arguments.requireAllRead();
    ZigguratSampler.NormalizedGaussian noise = ZigguratSampler.NormalizedGaussian.of(random);
    double best = Arrays.stream(means).max().orElseThrow();
    double[] sums = new double[arms];
    int[] pulls = new int[arms];
    double[] regret = new double[rounds];
    double error = 0;
    double total = 0;
    for (int round = 0; round < rounds; round++) {
      Studies.nextRound();
      int arm = round < arms ? round : pulled(sums, pulls, optimism ? 1 / (2 * eta) : 0);
      if (round >= arms && round % 100 == 0) {
        error = Math.max(error, indexError(sums[arm] / pulls[arm], pulls[arm], eta));
      }
      sums[arm] += means[arm] + deviation * noise.sample();
      pulls[arm]++;
      total += best - means[arm];
      regret[round] = total;
    }
    return new Findings(
        Map.of(
            "regret", regret,
            "half_regret", new double[] {regret[rounds / 2 - 1]},
            "index_error", new double[] {error}));
  }

  private static int pulled(double[] sums, int[] pulls, double bonus) {
    int best = 0;
    double highest = Double.NEGATIVE_INFINITY;
    for (int a = 0; a < sums.length; a++) {
      double index = sums[a] / pulls[a] + bonus / pulls[a];
      if (index > highest) {
        highest = index;
        best = a;
      }
    }
    return best;
  }

  /**
   * Compares the index with the maximum over f of {@code f - eta n (f - mean)^2 / 2}, by search.
   */
  private static double indexError(double mean, int pulls, double eta) {
    double low = mean;
    double high = mean + 2 / (eta * pulls);
    double ratio = (Math.sqrt(5) - 1) / 2;
    for (int i = 0; i < 100; i++) {
      double a = high - ratio * (high - low);
      double b = low + ratio * (high - low);
      if (score(a, mean, pulls, eta) < score(b, mean, pulls, eta)) {
        low = a;
      } else {
        high = b;
      }
    }
    double found = score((low + high) / 2, mean, pulls, eta);
    return Math.abs(found - (mean + 1 / (2 * eta * pulls)));
  }

  private static double score(double f, double mean, int pulls, double eta) {
    return f - eta * pulls * (f - mean) * (f - mean) / 2;
  }
}
