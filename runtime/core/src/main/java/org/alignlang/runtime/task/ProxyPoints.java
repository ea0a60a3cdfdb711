package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.stream.IntStream;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * Task {@code proxy_points}: a bandit with several correlated rewards, each of which is worth
 * having up to a point, its proxy point, and does harm beyond it (Moskovitz et al., "Confronting
 * Reward Model Overoptimization with Constrained RLHF", 2024).
 *
 * <ul>
 *   <li>{@code reward1}, {@code reward2}, ...: uniform on [0, 1] over arms, joined by a Gaussian
 *       copula: {@code Phi(z_i)} with {@code z} standard normal of pairwise correlation {@code
 *       correlation}
 *   <li>{@code worth1}, ...: {@code x} up to the peak {@code c_i}, and {@code c_i - slope (x -
 *       c_i)} beyond it
 *   <li>{@code gold} (also {@code score}): the sum of the worths, what preferences go by
 * </ul>
 *
 * <p>The base policy is uniform. Arguments: {@code arms} (400), {@code prompts} (1), {@code peaks}
 * ([0.8, 0.75]), one per reward; {@code correlation} (0.4), from 0 to 1; {@code slope} (2.5).
 */
public final class ProxyPoints implements TaskProvider {
  private static final int MOST_REWARDS = 16;

  @Override
  public String name() {
    return "proxy_points";
  }

  @Override
  public String summary() {
    return "a bandit with correlated rewards, each of which is good up to a point";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    int arms = arguments.integer("arms", 400, 2, 1 << 16);
    int prompts = arguments.integer("prompts", 1, 1, 1 << 12);
    double[] peaks = arguments.reals("peaks", 0, 1).orElse(new double[] {0.8, 0.75});
    double correlation = arguments.real("correlation", 0.4, 0, 1);
    double slope = arguments.real("slope", 2.5, 0, 1000);
    if (peaks.length == 0 || peaks.length > MOST_REWARDS) {
      throw arguments.wrong("peaks", "1 to " + MOST_REWARDS + " numbers", peaks.length);
    }
    CounterRandom random = CounterRandom.of(seed).stream("proxy_points");
    double[][][] rewards = new double[peaks.length][prompts][arms];
    double[][][] worths = new double[peaks.length][prompts][arms];
    double[][] gold = new double[prompts][arms];
    NormalDistribution normal = new NormalDistribution(null, 0, 1);
    for (int prompt = 0; prompt < prompts; prompt++) {
      for (int arm = 0; arm < arms; arm++) {
        // The first of the normal draws is what the rewards have in common.
        double[] z = Bandit.normals(random.stream(prompt, arm), peaks.length + 1);
        for (int i = 0; i < peaks.length; i++) {
          double x =
              normal.cumulativeProbability(
                  Math.sqrt(correlation) * z[0] + Math.sqrt(1 - correlation) * z[i + 1]);
          rewards[i][prompt][arm] = x;
          worths[i][prompt][arm] = x <= peaks[i] ? x : peaks[i] - slope * (x - peaks[i]);
          gold[prompt][arm] += worths[i][prompt][arm];
        }
      }
    }
    CandidateTask.Builder task =
        CandidateTask.builder("proxy_points", prompts, arms)
            .score("gold", gold)
            .score("score", gold)
            .utility(response -> gold[response.prompt()][response.tokens()[0]])
            .text((prompt, arm) -> "arm " + arm);
    IntStream.range(0, peaks.length)
        .forEach(i -> {
          task.score("reward" + (i + 1), rewards[i]);
          task.score("worth" + (i + 1), worths[i]);
        });
    return task.build();
  }
}
