package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code masked_denoiser}: a masked discrete diffusion model of one token, fine-tuned to a
 * reward by gradients through Gumbel-softmax samples of its denoising path.
 *
 * <p>From the mask, in {@code reveals} steps of a linear schedule, the token is revealed with
 * probability {@code 1 / (K - i)} at step {@code i}, by {@code p_theta = softmax(theta)}; a
 * revealed token stays. The objective is {@code E r(x_0) - alpha KL(path)}, and the divergence of
 * the paths from the pretrained model's is {@code sum_i P(masked at i) (1 / (K - i)) KL(p_theta ||
 * p_pre) = KL(p_theta || p_pre)}, as the probability of staying masked is shared. Its optimum is
 * the tilt {@code p_pre e^(r / alpha) / Z}.
 *
 * <p>Gradients: {@code gumbel}: the next state is {@code x + mask * softmax((log q + G) / tau)},
 * with the last step's sample hard in the forward pass (straight-through), differentiated through
 * the path; {@code score}: the score function with a leave-one-out baseline; {@code exact}: the sum
 * over tokens. The divergence is differentiated exactly in each. Stochastic gradient ascent with a
 * rate that falls to 0; the second half of the iterates is averaged.
 *
 * <p>Source: Wang et al., "Fine-Tuning Discrete Diffusion Models via Reward Optimization with
 * Applications to DNA and Protein Design" (DRAKES), ICLR 2025, algorithm 1.
 *
 * <p>Arguments: {@code pretrained} ({@code [0.4, 0.3, 0.2, 0.1]}), {@code reward} ({@code [0, 0, 1,
 * 2]}), {@code alpha} (0.5), {@code gradient} ({@code gumbel}), {@code tau} (0.5), {@code reveals}
 * (1), {@code iterations} (4000), {@code batch} (32), {@code rate} (0.2).
 */
public final class MaskedDenoiser implements StudyProvider {
  @Override
  public String name() {
    return "masked_denoiser";
  }

  @Override
  public String summary() {
    return "a masked denoiser of one token, fine-tuned through Gumbel-softmax samples";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("mean_reward", "expected reward of the fine-tuned model");
    quantities.put("pretrained_reward", "expected reward of the pretrained model");
    quantities.put("kl", "KL of the fine-tuned paths from the pretrained ones, nats");
    quantities.put("distance", "sum |p - p*| / 2 from the exact tilt");
    quantities.put("best_token", "probability of the token of largest reward");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("pretrained", "reward");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    double[] pretrained =
        arguments.reals("pretrained", 1e-9, 1).orElse(new double[] {0.4, 0.3, 0.2, 0.1});
    if (Math.abs(Arrays.stream(pretrained).sum() - 1) > 1e-9) {
      throw arguments.wrong(
          "pretrained", "probabilities that sum to 1", Arrays.stream(pretrained).sum());
    }
    double[] reward = arguments.reals("reward", -1e6, 1e6).orElse(new double[] {0, 0, 1, 2});
    if (reward.length != pretrained.length) {
      throw arguments.wrong(
          "reward", "one number for each of %d tokens".formatted(pretrained.length), reward.length);
    }
    double alpha = arguments.real("alpha", 0.5, 0, 1e6);
    String gradient =
        arguments.word("gradient", List.of("gumbel", "score", "exact")).orElse("gumbel");
    double tau = arguments.above("tau", 0.5, 0);
    int reveals = arguments.integer("reveals", 1, 1, 1000);
    int iterations = arguments.integer("iterations", 4000, 2, 1_000_000);
    int batch = arguments.integer("batch", 32, 2, 100_000);
    double rate = arguments.above("rate", 0.2, 0);
    arguments.requireAllRead();

    CounterRandom random = CounterRandom.of(seed).stream("masked_denoiser");
    double[] theta = Arrays.stream(pretrained).map(Math::log).toArray();
    double[] mean = new double[theta.length];
    int averaged = 0;
    for (int i = 0; i < iterations; i++) {
      Studies.nextRound();
      double[] p = Tables.softmax(theta);
      double[] ascent =
          switch (gradient) {
            case "gumbel" -> gumbel(p, reward, tau, reveals, batch, random);
            case "score" -> score(p, reward, batch, random);
            default -> exact(p, reward);
          };
      double[] penalty = new double[p.length];
      Arrays.setAll(penalty, k -> Math.log(p[k] / pretrained[k]));
      double[] divergence = exact(p, penalty);
      double size = rate * (1 - (double) i / iterations);
      for (int k = 0; k < theta.length; k++) {
        theta[k] += size * (ascent[k] - alpha * divergence[k]);
      }
      if (i >= iterations / 2) {
        averaged++;
        double[] now = Tables.softmax(theta);
        for (int k = 0; k < mean.length; k++) {
          mean[k] += (now[k] - mean[k]) / averaged;
        }
      }
    }
    return found(
        gradient.equals("exact") ? Tables.softmax(theta) : mean, pretrained, reward, alpha);
  }

  private static Findings found(double[] p, double[] pretrained, double[] reward, double alpha) {
    double[] tilt = new double[p.length];
    int best = 0;
    for (int k = 0; k < p.length; k++) {
      best = reward[k] > reward[best] ? k : best;
    }
    if (alpha > 0) {
      Arrays.setAll(tilt, k -> Math.log(pretrained[k]) + reward[k] / alpha);
      tilt = Tables.softmax(tilt);
    } else {
      tilt[best] = 1;
    }
    double divergence = 0;
    double distance = 0;
    for (int k = 0; k < p.length; k++) {
      divergence += p[k] > 0 ? p[k] * Math.log(p[k] / pretrained[k]) : 0;
      distance += Math.abs(p[k] - tilt[k]) / 2;
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("mean_reward", new double[] {Tables.dot(p, reward)});
    found.put("pretrained_reward", new double[] {Tables.dot(pretrained, reward)});
    found.put("kl", new double[] {divergence});
    found.put("distance", new double[] {distance});
    found.put("best_token", new double[] {p[best]});
    return new Findings(found);
  }

  /** {@code d/dtheta_k sum_j p_j x_j}, with x held constant: {@code p_k (x_k - <p, x>)}. */
  private static double[] exact(double[] p, double[] x) {
    double mean = Tables.dot(p, x);
    double[] gradient = new double[p.length];
    Arrays.setAll(gradient, k -> p[k] * (x[k] - mean));
    return gradient;
  }

  private static double[] score(double[] p, double[] reward, int batch, CounterRandom random) {
    int[] drawn = new int[batch];
    double sum = 0;
    for (int i = 0; i < batch; i++) {
      drawn[i] = Draws.index(random, p);
      sum += reward[drawn[i]];
    }
    double[] gradient = new double[p.length];
    for (int token : drawn) {
      double advantage = reward[token] - (sum - reward[token]) / (batch - 1);
      for (int k = 0; k < p.length; k++) {
        gradient[k] += advantage * ((k == token ? 1 : 0) - p[k]) / batch;
      }
    }
    return gradient;
  }

  private static double[] gumbel(
      double[] p, double[] reward, double tau, int reveals, int batch, CounterRandom random) {
    double[] gradient = new double[p.length];
    for (int i = 0; i < batch; i++) {
      double[][] noise = new double[reveals][p.length + 1];
      for (double[] row : noise) {
        Arrays.setAll(row, k -> -Math.log(-Math.log(1 - random.nextDouble())));
      }
      double[] own = pathGradient(p, reward, tau, noise, true);
      for (int k = 0; k < p.length; k++) {
        gradient[k] += own[k] / batch;
      }
    }
    return gradient;
  }

  /**
   * The gradient with respect to theta of the reward of one relaxed path.
   *
   * @param noise Gumbel noise, {@code [reveals][tokens + 1]}, the mask last
   * @param hard whether the last sample is hard in the forward pass
   */
  static double[] pathGradient(
      double[] p, double[] reward, double tau, double[][] noise, boolean hard) {
    int tokens = p.length;
    int reveals = noise.length;
    double[][] soft = new double[reveals][];
    double[] masked = new double[reveals + 1];
    masked[0] = 1;
    for (int i = 0; i < reveals; i++) {
      soft[i] = soft(p, tau, noise[i], reveals - i);
      masked[i + 1] = masked[i] * soft[i][tokens];
    }
    // What a unit of mask at step i + 1 still earns; nothing stays masked after the last step.
    double earns = 0;
    double[] gradient = new double[tokens];
    for (int i = reveals - 1; i >= 0; i--) {
      double[] slope = new double[tokens + 1];
      for (int j = 0; j < tokens; j++) {
        slope[j] = masked[i] * reward[j];
      }
      slope[tokens] = masked[i] * earns;
      double mean = Tables.dot(soft[i], slope);
      double[] logits = new double[tokens];
      double sum = 0;
      for (int k = 0; k < tokens; k++) {
        logits[k] = soft[i][k] * (slope[k] - mean) / tau;
        sum += logits[k];
      }
      for (int k = 0; k < tokens; k++) {
        gradient[k] += logits[k] - p[k] * sum;
      }
      double[] forward = hard && i == reveals - 1 ? largest(soft[i]) : soft[i];
      double total = forward[tokens] * earns;
      for (int j = 0; j < tokens; j++) {
        total += forward[j] * reward[j];
      }
      earns = total;
    }
    return gradient;
  }

  /** The reward of one relaxed path, not hard. */
  static double pathReward(double[] p, double[] reward, double tau, double[][] noise) {
    double masked = 1;
    double sum = 0;
    for (int i = 0; i < noise.length; i++) {
      double[] soft = soft(p, tau, noise[i], noise.length - i);
      for (int j = 0; j < p.length; j++) {
        sum += masked * soft[j] * reward[j];
      }
      masked *= soft[p.length];
    }
    return sum;
  }

  /** {@code softmax((log q + G) / tau)} over the tokens and, last, the mask. */
  private static double[] soft(double[] p, double tau, double[] noise, int left) {
    double[] logits = new double[p.length + 1];
    for (int k = 0; k < p.length; k++) {
      logits[k] = (Math.log(p[k] / left) + noise[k]) / tau;
    }
    logits[p.length] =
        left == 1 ? Double.NEGATIVE_INFINITY : (Math.log1p(-1.0 / left) + noise[p.length]) / tau;
    return Tables.softmax(logits);
  }

  private static double[] largest(double[] soft) {
    double[] hard = new double[soft.length];
    int best = 0;
    for (int k = 0; k < soft.length; k++) {
      best = soft[k] > soft[best] ? k : best;
    }
    hard[best] = 1;
    return hard;
  }
}
