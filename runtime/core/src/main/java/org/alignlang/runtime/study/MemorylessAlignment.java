package org.alignlang.runtime.study;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.kernel.Functions;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.experiment.BestOfLaw;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task;
import org.apache.commons.math3.analysis.UnivariateFunction;
import org.apache.commons.math3.analysis.solvers.BrentSolver;

/**
 * Study {@code memoryless_alignment}: a reference that draws {@code m} tokens independently, a
 * reward that adds up over tokens, and the two ways to raise it within a divergence of {@code
 * budget} nats per token: the exponential tilt, and the best of {@code N = e^(m budget)} draws, as
 * {@code m} grows.
 *
 * <p>With {@code L(b) = log sum over v of p(v) e^(b r(v))} the best policy of {@code KL <= m
 * budget} draws tokens independently from {@code p e^(b r) / e^L(b)}, where {@code b L'(b) - L(b) =
 * budget}; it earns {@code L'(b)} per token. Given the total reward, the tilt and the best of N are
 * both the reference; so all divergences are sums over the law of the total, which is computed by
 * convolution. The chance that the tilt earns at least {@code level} per token falls as {@code
 * e^(-m I)}, where {@code I = KL(p_c || p_b)} and {@code c} is the tilt that earns {@code level}
 * (Cramer's theorem).
 *
 * <p>Arguments: {@code law} (the tokens' probabilities) and {@code reward} (theirs), lists of one
 * length; {@code budget}, in nats per token; {@code lengths}, a list of {@code m}; {@code draws}, N
 * (the nearest whole number to {@code e^(m budget)}); {@code level} (halfway from what the tilt
 * earns to the highest reward). The series has one number per length.
 *
 * <p>Source: Yang, Salamatian, Sun, Suresh and Beirami, "Asymptotics of Language Model Alignment",
 * 2024.
 */
public final class MemorylessAlignment implements StudyProvider {
  /** The most different totals that a law may have. */
  private static final int MOST_TOTALS = 1 << 20;

  private static final double PRECISION = 1e-13;

  /** Totals nearer than this, relative to the largest reward, are one. */
  private static final double SAME = 1e-9;

  @Override
  public String name() {
    return "memoryless_alignment";
  }

  @Override
  public String summary() {
    return "the tilt and the best of N of a memoryless reference, as responses grow";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("tokens", "the length m");
    quantities.put("drawn", "N, how many responses are drawn");
    quantities.put("tilt", "b of the tilt p e^(b r)");
    quantities.put("tilt_reward", "what the tilt earns per token");
    quantities.put("best_of_reward", "what the best of N earns per token");
    quantities.put("apart", "KL(best of N || tilt) in nats per token");
    quantities.put("moved", "KL(best of N || reference) in nats per token");
    quantities.put("bound", "(log N - (N - 1) / N) / m, in nats per token");
    quantities.put("tail", "-log P(the tilt earns at least the level) in nats per token");
    quantities.put("rate", "what the tail tends to");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("law", "reward", "lengths");
  }

  /** Different totals in ascending order, and their log-probabilities. */
  private record Totals(double[] values, double[] logProbabilities) {}

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    double[] law =
        arguments
            .reals("law", Double.MIN_NORMAL, 1)
            .orElseThrow(() -> arguments.missing("law", "the tokens' probabilities"));
    double[] reward =
        arguments
            .reals("reward", -1e6, 1e6)
            .orElseThrow(() -> arguments.missing("reward", "one number per token"));
    int[] lengths =
        arguments
            .integers("lengths", 1, 1 << 16)
            .orElseThrow(() -> arguments.missing("lengths", "numbers of tokens"));
    if (Math.abs(Arrays.stream(law).sum() - 1) > 1e-9) {
      throw arguments.wrong("law", "probabilities that sum to 1", Arrays.stream(law).sum());
    }
    if (reward.length != law.length) {
      throw arguments.wrong("reward", law.length + " numbers, one per token", reward.length);
    }
    double highest = Arrays.stream(reward).max().orElseThrow();
    double mean = Tilt.of(law, reward, 0).reward();
    if (highest - mean < SAME) {
      throw arguments.wrong("reward", "different for some tokens", highest);
    }
    // Towards infinite tilt all mass is on the best tokens.
    double most = -Math.log(mass(law, reward, highest));
    if (!arguments.has("budget")) {
      throw arguments.missing("budget", "nats per token");
    }
    double budget = arguments.above("budget", 0, 0);
    if (budget >= most) {
      throw arguments.wrong(
          "budget", "below %s, which gives the best tokens alone".formatted(most), budget);
    }
    Tilt tilt = solve(law, reward, b -> Tilt.of(law, reward, b).divergence() - budget);
    double level = arguments.real("level", (tilt.reward() + highest) / 2, -1e6, 1e6);
    if (level <= tilt.reward() || level >= highest) {
      throw arguments.wrong("level", "between %s and %s".formatted(tilt.reward(), highest), level);
    }
    Tilt rare = solve(law, reward, b -> Tilt.of(law, reward, b).reward() - level);
    double rate = (rare.b() - tilt.b()) * level - (rare.logNormalizer() - tilt.logNormalizer());
    double given = arguments.real("draws", 0, 1, 1e300);
    arguments.requireAllRead();

    Map<String, double[]> series = new LinkedHashMap<>();
    quantities().keySet().forEach(name -> series.put(name, new double[lengths.length]));
    for (int i = 0; i < lengths.length; i++) {
      Studies.nextRound();
      int m = lengths[i];
      double draws = given > 0 ? given : Math.max(1, Math.rint(Math.exp(m * budget)));
      if (!Double.isFinite(draws)) {
        throw arguments.wrong("lengths", "so short that e^(m budget) is a number", m);
      }
      Totals totals = totals(law, reward, m, arguments);
      double[] best = BestOfLaw.of(totals.logProbabilities, totals.values, draws);
      double earned = 0;
      double apart = 0;
      double moved = 0;
      double tail = Double.NEGATIVE_INFINITY;
      for (int k = 0; k < best.length; k++) {
        double tilted =
            totals.logProbabilities[k] + tilt.b() * totals.values[k] - m * tilt.logNormalizer();
        double probability = Math.exp(best[k]);
        if (probability > 0) {
          earned += probability * totals.values[k];
          apart += probability * (best[k] - tilted);
          moved += probability * (best[k] - totals.logProbabilities[k]);
        }
        if (totals.values[k] >= m * level - SAME * Math.max(1, Math.abs(m * level))) {
          tail = Functions.logAddExp(tail, tilted);
        }
      }
      put(series, "tokens", i, m);
      put(series, "drawn", i, draws);
      put(series, "tilt", i, tilt.b());
      put(series, "tilt_reward", i, tilt.reward());
      put(series, "best_of_reward", i, earned / m);
      put(series, "apart", i, apart / m);
      put(series, "moved", i, moved / m);
      put(series, "bound", i, BestOfLaw.divergenceBound(draws) / m);
      put(series, "tail", i, -tail / m);
      put(series, "rate", i, rate);
    }
    return new Findings(series);
  }

  private static void put(Map<String, double[]> series, String name, int i, double value) {
    requireNonNull(series.get(name))[i] = value;
  }

  private static double mass(double[] law, double[] reward, double highest) {
    double mass = 0;
    for (int v = 0; v < law.length; v++) {
      mass += reward[v] == highest ? law[v] : 0;
    }
    return mass;
  }

  /**
   * One token's law tilted by {@code e^(b r)}.
   *
   * @param logNormalizer {@code L(b)}
   * @param reward the mean {@code L'(b)}
   */
  private record Tilt(double b, double logNormalizer, double reward) {
    static Tilt of(double[] law, double[] reward, double b) {
      double[] logits = new double[law.length];
      for (int v = 0; v < law.length; v++) {
        logits[v] = Math.log(law[v]) + b * reward[v];
      }
      double logNormalizer = Responses.logSumExp(logits);
      double mean = 0;
      for (int v = 0; v < law.length; v++) {
        mean += Math.exp(logits[v] - logNormalizer) * reward[v];
      }
      return new Tilt(b, logNormalizer, mean);
    }

    /** {@code KL(tilt || law)}. */
    double divergence() {
      return b * reward - logNormalizer;
    }
  }

  /** The tilt above 0 at which a rising function is 0. */
  private static Tilt solve(double[] law, double[] reward, UnivariateFunction rising) {
    double high = 1;
    while (rising.value(high) < 0) {
      high *= 2;
    }
    double root = new BrentSolver(PRECISION, PRECISION).solve(1000, rising, 0, high);
    return Tilt.of(law, reward, root);
  }

  /** The law of the sum of m tokens' rewards, by convolution. */
  private static Totals totals(double[] law, double[] reward, int m, Arguments arguments) {
    double scale = Arrays.stream(reward).map(Math::abs).max().orElseThrow();
    Totals one = merged(reward, Arrays.stream(law).map(Math::log).toArray(), SAME * scale);
    Totals sum = new Totals(new double[] {0}, new double[] {0});
    for (int token = 0; token < m; token++) {
      int size = sum.values.length * one.values.length;
      if (size > MOST_TOTALS) {
        throw arguments.wrong(
            "lengths", "so short that totals differ in at most %d ways".formatted(MOST_TOTALS), m);
      }
      double[] values = new double[size];
      double[] logProbabilities = new double[size];
      for (int a = 0; a < sum.values.length; a++) {
        for (int b = 0; b < one.values.length; b++) {
          int k = a * one.values.length + b;
          values[k] = sum.values[a] + one.values[b];
          logProbabilities[k] = sum.logProbabilities[a] + one.logProbabilities[b];
        }
      }
      sum = merged(values, logProbabilities, SAME * scale);
    }
    return sum;
  }

  /** Sorts values, and adds up what is nearer than a tolerance. */
  private static Totals merged(double[] values, double[] logProbabilities, double tolerance) {
    Integer[] order = new Integer[values.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> values[i]));
    List<Double> different = new ArrayList<>();
    List<Double> logs = new ArrayList<>();
    for (int i : order) {
      int last = different.size() - 1;
      if (last >= 0 && values[i] - different.get(last) <= tolerance) {
        logs.set(last, Functions.logAddExp(logs.get(last), logProbabilities[i]));
      } else {
        different.add(values[i]);
        logs.add(logProbabilities[i]);
      }
    }
    return new Totals(
        different.stream().mapToDouble(Double::doubleValue).toArray(),
        logs.stream().mapToDouble(Double::doubleValue).toArray());
  }
}
