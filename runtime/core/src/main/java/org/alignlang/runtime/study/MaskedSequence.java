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
 * Study {@code masked_sequence}: a masked discrete diffusion model of two tokens, fine-tuned to a
 * reward by gradients through Gumbel-softmax samples of its denoising path.
 *
 * <p>Both positions are masked at first. At step {@code i} of {@code reveals} every masked position
 * is revealed with probability {@code 1 / (reveals - i)}, by {@code softmax} of a row of logits
 * that depends on the other position: on its token, or on its being masked. What is revealed stays.
 * The pretrained model has the conditionals of a law of pairs. The objective is {@code E r(x_0) -
 * alpha KL(path)}, with {@code KL(path) = E sum over i, masked positions of 1 / (reveals - i)
 * KL(p_theta || p_pre)}, and its optimum the tilt {@code p e^(r / alpha) / Z} of the law {@code p}
 * of pairs at the end of pretrained paths.
 *
 * <p>Gradients: {@code gumbel}: the next state of a position is {@code x + mask * softmax((log q +
 * G) / tau)}, a mixture of tokens and mask, on which rows of logits and the reward depend linearly;
 * differentiated through the last {@code truncate} steps, the divergence included, with the last
 * step's sample hard in the forward pass (straight-through). {@code score}: the score function with
 * the mean of the other paths as baseline. {@code exact}: by dynamic programming over all states.
 * Stochastic gradient ascent with a rate that falls to 0. What is found is exact.
 *
 * <p>Source: Wang et al., "Fine-Tuning Discrete Diffusion Models via Reward Optimization with
 * Applications to DNA and Protein Design" (DRAKES), ICLR 2025, algorithm 1.
 *
 * <p>Arguments: {@code pretrained} ({@code [0.2, 0.1, 0.05, 0.1, 0.15, 0.05, 0.05, 0.1, 0.2]}), the
 * probabilities of the pairs, and {@code reward} ({@code [0, 0, 1, 0, 1, 0, 2, 0, 0]}), row by row
 * of the first token; {@code alpha} (0.5), {@code gradient} ({@code gumbel}), {@code tau} (0.5),
 * {@code reveals} (8), {@code truncate} (all), {@code iterations} (1500), {@code batch} (16),
 * {@code rate} (0.5).
 */
public final class MaskedSequence implements StudyProvider {
  private static final double[] PAIRS = {0.2, 0.1, 0.05, 0.1, 0.15, 0.05, 0.05, 0.1, 0.2};
  private static final double[] REWARD = {0, 0, 1, 0, 1, 0, 2, 0, 0};

  @Override
  public String name() {
    return "masked_sequence";
  }

  @Override
  public String summary() {
    return "a masked denoiser of two tokens, fine-tuned through Gumbel-softmax samples of its path";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("mean_reward", "expected reward of the fine-tuned model");
    quantities.put("pretrained_reward", "expected reward of the pretrained model");
    quantities.put("kl", "KL of the fine-tuned paths from the pretrained ones, nats");
    quantities.put("objective", "mean_reward - alpha kl");
    quantities.put("optimum", "alpha log Z, what no model exceeds");
    quantities.put("distance", "sum |p - p*| / 2 of the pairs from the exact tilt");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("pretrained", "reward");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    double[] pairs = arguments.reals("pretrained", 1e-9, 1).orElse(PAIRS);
    int tokens = (int) Math.round(Math.sqrt(pairs.length));
    if (tokens * tokens != pairs.length || Math.abs(Arrays.stream(pairs).sum() - 1) > 1e-9) {
      throw arguments.wrong(
          "pretrained",
          "one probability for each pair of tokens, row by row, which sum to 1",
          "%d numbers of sum %s".formatted(pairs.length, Arrays.stream(pairs).sum()));
    }
    double[] reward = arguments.reals("reward", -1e6, 1e6).orElse(REWARD);
    if (reward.length != pairs.length) {
      throw arguments.wrong(
          "reward", "one number for each of %d pairs".formatted(pairs.length), reward.length);
    }
    double alpha = arguments.real("alpha", 0.5, 0, 1e6);
    String gradient =
        arguments.word("gradient", List.of("gumbel", "score", "exact")).orElse("gumbel");
    double tau = arguments.above("tau", 0.5, 0);
    int reveals = arguments.integer("reveals", 8, 1, 1000);
    int truncate = arguments.integer("truncate", reveals, 1, 1000);
    int iterations = arguments.integer("iterations", 1500, 1, 1_000_000);
    int batch = arguments.integer("batch", 16, 2, 100_000);
    double rate = arguments.above("rate", 0.5, 0);
    arguments.requireAllRead();

    CounterRandom random = CounterRandom.of(seed).stream("masked_sequence");
    Denoiser denoiser = new Denoiser(tokens, reveals, alpha, conditionals(pairs, tokens), reward);
    double[] theta = denoiser.pretrained.clone();
    for (int i = 0; i < iterations; i++) {
      Studies.nextRound();
      double[] ascent =
          switch (gradient) {
            case "gumbel" -> denoiser.gumbel(theta, tau, truncate, batch, random);
            case "score" -> denoiser.score(theta, batch, random);
            default -> denoiser.exact(theta);
          };
      double size = rate * (1 - (double) i / iterations);
      for (int k = 0; k < theta.length; k++) {
        theta[k] += size * ascent[k];
      }
    }
    return denoiser.found(theta);
  }

  /** {@code log p(token | what the other position shows)}, as logits of a model. */
  private static double[] conditionals(double[] pairs, int tokens) {
    double[] logits = new double[2 * (tokens + 1) * tokens];
    for (int position = 0; position < 2; position++) {
      for (int a = 0; a < tokens; a++) {
        double marginal = 0;
        for (int b = 0; b < tokens; b++) {
          double pair = pairs[position == 0 ? a * tokens + b : b * tokens + a];
          marginal += pair;
          logits[(position * (tokens + 1) + b) * tokens + a] = Math.log(pair);
        }
        logits[(position * (tokens + 1) + tokens) * tokens + a] = Math.log(marginal);
      }
    }
    return logits;
  }

  /**
   * Models of two positions. Logits are {@code [2][tokens + 1][tokens]}: by position and by what
   * the other one shows, the mask last.
   *
   * @param pretrained the logits that the divergence is from
   * @param reward {@code [tokens][tokens]}, flat
   */
  record Denoiser(int tokens, int reveals, double alpha, double[] pretrained, double[] reward) {

    private double[] row(double[] logits, int position, int shown) {
      int start = (position * (tokens + 1) + shown) * tokens;
      return Tables.softmax(Arrays.copyOfRange(logits, start, start + tokens));
    }

    // All states: the tokens of both positions, where `tokens` is the mask.

    private int state(int first, int second) {
      return first * (tokens + 1) + second;
    }

    private int shown(int state, int position) {
      return position == 0 ? state / (tokens + 1) : state % (tokens + 1);
    }

    /** The moves of a position in a state: the probability of each token, and of what it shows. */
    private double[] moves(double[] logits, int state, int position, double share) {
      double[] moves = new double[tokens + 1];
      if (shown(state, position) < tokens) {
        moves[shown(state, position)] = 1;
        return moves;
      }
      double[] p = row(logits, position, shown(state, 1 - position));
      for (int k = 0; k < tokens; k++) {
        moves[k] = share * p[k];
      }
      moves[tokens] = 1 - share;
      return moves;
    }

    private double divergence(double[] logits, int state, int position) {
      if (shown(state, position) < tokens) {
        return 0;
      }
      double[] p = row(logits, position, shown(state, 1 - position));
      double[] q = row(pretrained, position, shown(state, 1 - position));
      double sum = 0;
      for (int k = 0; k < tokens; k++) {
        sum += p[k] > 0 ? p[k] * Math.log(p[k] / q[k]) : 0;
      }
      return sum;
    }

    /** {@code P(x_i = x)} for each step, {@code [reveals + 1][states]}. */
    private double[][] laws(double[] logits) {
      int states = (tokens + 1) * (tokens + 1);
      double[][] laws = new double[reveals + 1][states];
      laws[0][state(tokens, tokens)] = 1;
      for (int i = 0; i < reveals; i++) {
        double share = 1.0 / (reveals - i);
        for (int x = 0; x < states; x++) {
          if (laws[i][x] == 0) {
            continue;
          }
          double[] first = moves(logits, x, 0, share);
          double[] second = moves(logits, x, 1, share);
          for (int a = 0; a <= tokens; a++) {
            for (int b = 0; b <= tokens; b++) {
              laws[i + 1][state(a, b)] += laws[i][x] * first[a] * second[b];
            }
          }
        }
      }
      return laws;
    }

    /** The probabilities of the pairs at the end of paths. */
    private double[] pairs(double[][] laws) {
      double[] pairs = new double[tokens * tokens];
      Arrays.setAll(pairs, k -> laws[reveals][state(k / tokens, k % tokens)]);
      return pairs;
    }

    private double pathDivergence(double[] logits, double[][] laws) {
      double sum = 0;
      for (int i = 0; i < reveals; i++) {
        for (int x = 0; x < laws[i].length; x++) {
          if (laws[i][x] > 0) {
            double both = divergence(logits, x, 0) + divergence(logits, x, 1);
            sum += laws[i][x] * both / (reveals - i);
          }
        }
      }
      return sum;
    }

    /** {@code E r - alpha KL(path)}. */
    double objective(double[] logits) {
      double[][] laws = laws(logits);
      return Tables.dot(pairs(laws), reward) - alpha * pathDivergence(logits, laws);
    }

    Findings found(double[] logits) {
      double[][] laws = laws(logits);
      double[] pairs = pairs(laws);
      double[] before = pairs(laws(pretrained));
      double[] tilt = new double[pairs.length];
      double largest = Arrays.stream(reward).max().orElse(0);
      double sum = 0;
      for (int k = 0; k < tilt.length; k++) {
        tilt[k] =
            alpha > 0
                ? before[k] * Math.exp((reward[k] - largest) / alpha)
                : reward[k] == largest ? before[k] : 0;
        sum += tilt[k];
      }
      double distance = 0;
      for (int k = 0; k < tilt.length; k++) {
        distance += Math.abs(pairs[k] - tilt[k] / sum) / 2;
      }
      double divergence = pathDivergence(logits, laws);
      double mean = Tables.dot(pairs, reward);
      Map<String, double[]> found = new LinkedHashMap<>();
      found.put("mean_reward", new double[] {mean});
      found.put("pretrained_reward", new double[] {Tables.dot(before, reward)});
      found.put("kl", new double[] {divergence});
      found.put("objective", new double[] {mean - alpha * divergence});
      found.put("optimum", new double[] {largest + alpha * Math.log(sum)});
      found.put("distance", new double[] {distance});
      return new Findings(found);
    }

    /** The gradient of the objective, by what is to come after each step. */
    double[] exact(double[] logits) {
      double[][] laws = laws(logits);
      double[] gradient = new double[logits.length];
      int states = laws[0].length;
      double[] after = new double[states];
      for (int k = 0; k < reward.length; k++) {
        after[state(k / tokens, k % tokens)] = reward[k];
      }
      for (int i = reveals - 1; i >= 0; i--) {
        double share = 1.0 / (reveals - i);
        double[] now = new double[states];
        for (int x = 0; x < states; x++) {
          if (laws[i][x] == 0) {
            continue;
          }
          double[][] moves = {moves(logits, x, 0, share), moves(logits, x, 1, share)};
          double[][] worth = new double[2][tokens + 1];
          for (int a = 0; a <= tokens; a++) {
            for (int b = 0; b <= tokens; b++) {
              double value = after[state(a, b)];
              worth[0][a] += moves[1][b] * value;
              worth[1][b] += moves[0][a] * value;
            }
          }
          now[x] = Tables.dot(moves[0], worth[0]);
          for (int position = 0; position < 2; position++) {
            if (shown(x, position) < tokens) {
              continue;
            }
            now[x] -= alpha * share * divergence(logits, x, position);
            int shown = shown(x, 1 - position);
            double[] p = row(logits, position, shown);
            double[] q = row(pretrained, position, shown);
            double[] slope = new double[tokens];
            for (int k = 0; k < tokens; k++) {
              slope[k] = share * (worth[position][k] - alpha * Math.log(p[k] / q[k]));
            }
            addSoftmax(p, slope, laws[i][x], gradient, position, shown);
          }
        }
        after = now;
      }
      return gradient;
    }

    /** Adds {@code weight * sum_k p_k (slope_k - <p, slope>)} to the logits of a row. */
    private void addSoftmax(
        double[] p, double[] slope, double weight, double[] gradient, int position, int shown) {
      double mean = Tables.dot(p, slope);
      int start = (position * (tokens + 1) + shown) * tokens;
      for (int k = 0; k < tokens; k++) {
        gradient[start + k] += weight * p[k] * (slope[k] - mean);
      }
    }

    double[] score(double[] logits, int batch, CounterRandom random) {
      double[][] scores = new double[batch][];
      double[][] direct = new double[batch][];
      double[] returns = new double[batch];
      double total = 0;
      for (int n = 0; n < batch; n++) {
        scores[n] = new double[logits.length];
        direct[n] = new double[logits.length];
        int x = state(tokens, tokens);
        for (int i = 0; i < reveals; i++) {
          double share = 1.0 / (reveals - i);
          int[] next = {shown(x, 0), shown(x, 1)};
          for (int position = 0; position < 2; position++) {
            if (shown(x, position) < tokens) {
              continue;
            }
            int shown = shown(x, 1 - position);
            double[] p = row(logits, position, shown);
            double[] q = row(pretrained, position, shown);
            double[] penalty = new double[tokens];
            Arrays.setAll(penalty, k -> -alpha * share * Math.log(p[k] / q[k]));
            returns[n] += Tables.dot(p, penalty);
            addSoftmax(p, penalty, 1, direct[n], position, shown);
            next[position] = Draws.index(random, moves(logits, x, position, share));
            if (next[position] < tokens) {
              int start = (position * (tokens + 1) + shown) * tokens;
              for (int k = 0; k < tokens; k++) {
                scores[n][start + k] += (k == next[position] ? 1 : 0) - p[k];
              }
            }
          }
          x = state(next[0], next[1]);
        }
        returns[n] += reward[shown(x, 0) * tokens + shown(x, 1)];
        total += returns[n];
      }
      double[] gradient = new double[logits.length];
      for (int n = 0; n < batch; n++) {
        double advantage = returns[n] - (total - returns[n]) / (batch - 1);
        for (int k = 0; k < gradient.length; k++) {
          gradient[k] += (advantage * scores[n][k] + direct[n][k]) / batch;
        }
      }
      return gradient;
    }

    double[] gumbel(double[] logits, double tau, int truncate, int batch, CounterRandom random) {
      double[] gradient = new double[logits.length];
      for (int n = 0; n < batch; n++) {
        double[][][] noise = new double[reveals][2][tokens + 1];
        for (double[][] step : noise) {
          for (double[] row : step) {
            Arrays.setAll(row, k -> -Math.log(-Math.log(1 - random.nextDouble())));
          }
        }
        double[] own = new Relaxed(this, logits, tau, noise, true).gradient(truncate);
        for (int k = 0; k < gradient.length; k++) {
          gradient[k] += own[k] / batch;
        }
      }
      return gradient;
    }
  }

  /** One relaxed path, forward and back. */
  static final class Relaxed {
    private final Denoiser of;
    private final double[] logits;
    private final double tau;
    private final int tokens;

    /** States {@code [reveals + 1][2][tokens + 1]}, rows and samples of each step. */
    private final double[][][] x;

    private final double[][][] p;
    private final double[][][] q;
    private final double[][][] soft;
    private final double[][][] forward;
    private final double value;

    /**
     * Follows a path.
     *
     * @param noise Gumbel noise, {@code [reveals][2][tokens + 1]}, the mask last
     * @param hard whether the last sample is hard in the forward pass
     */
    Relaxed(Denoiser of, double[] logits, double tau, double[][][] noise, boolean hard) {
      this.of = of;
      this.logits = logits;
      this.tau = tau;
      tokens = of.tokens;
      int reveals = of.reveals;
      x = new double[reveals + 1][2][tokens + 1];
      p = new double[reveals][2][];
      q = new double[reveals][2][];
      soft = new double[reveals][2][];
      forward = new double[reveals][2][];
      x[0][0][tokens] = 1;
      x[0][1][tokens] = 1;
      double divergence = 0;
      for (int i = 0; i < reveals; i++) {
        int left = reveals - i;
        for (int position = 0; position < 2; position++) {
          p[i][position] = mixed(logits, position, x[i][1 - position]);
          q[i][position] = mixed(of.pretrained, position, x[i][1 - position]);
          double mask = x[i][position][tokens];
          divergence += mask / left * divergence(p[i][position], q[i][position]);
          soft[i][position] = sample(p[i][position], noise[i][position], left);
          double[] drawn = soft[i][position];
          forward[i][position] = hard && left == 1 ? largest(drawn) : drawn;
          for (int k = 0; k < tokens; k++) {
            x[i + 1][position][k] = x[i][position][k] + mask * forward[i][position][k];
          }
          x[i + 1][position][tokens] = mask * forward[i][position][tokens];
        }
      }
      double earned = 0;
      for (int k = 0; k < of.reward.length; k++) {
        earned += x[reveals][0][k / tokens] * x[reveals][1][k % tokens] * of.reward[k];
      }
      value = earned - of.alpha * divergence;
    }

    /** The reward of the end less the divergence on the way. */
    double value() {
      return value;
    }

    private double[] mixed(double[] of, int position, double[] shown) {
      double[] row = new double[tokens];
      for (int c = 0; c <= tokens; c++) {
        int start = (position * (tokens + 1) + c) * tokens;
        for (int k = 0; k < tokens; k++) {
          row[k] += shown[c] * of[start + k];
        }
      }
      return Tables.softmax(row);
    }

    private static double divergence(double[] p, double[] q) {
      double sum = 0;
      for (int k = 0; k < p.length; k++) {
        sum += p[k] * Math.log(p[k] / q[k]);
      }
      return sum;
    }

    /** {@code softmax((log q + G) / tau)} over the tokens and, last, the mask. */
    private double[] sample(double[] p, double[] noise, int left) {
      double[] row = new double[tokens + 1];
      for (int k = 0; k < tokens; k++) {
        row[k] = (Math.log(p[k] / left) + noise[k]) / tau;
      }
      row[tokens] =
          left == 1 ? Double.NEGATIVE_INFINITY : (Math.log1p(-1.0 / left) + noise[tokens]) / tau;
      return Tables.softmax(row);
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

    /** The gradient of the value with respect to the logits, through so many of the last steps. */
    double[] gradient(int truncate) {
      double[] gradient = new double[logits.length];
      double[][] ahead = new double[2][tokens + 1];
      for (int k = 0; k < of.reward.length; k++) {
        ahead[0][k / tokens] += x[of.reveals][1][k % tokens] * of.reward[k];
        ahead[1][k % tokens] += x[of.reveals][0][k / tokens] * of.reward[k];
      }
      for (int i = of.reveals - 1; i >= Math.max(0, of.reveals - truncate); i--) {
        double[][] here = new double[2][tokens + 1];
        for (int position = 0; position < 2; position++) {
          back(i, position, ahead[position], here, gradient);
        }
        ahead = here;
      }
      return gradient;
    }

    /** Goes back through a step of a position: from the next state to the states before it. */
    private void back(int i, int position, double[] ahead, double[][] here, double[] gradient) {
      int left = of.reveals - i;
      double mask = x[i][position][tokens];
      double[] rows = p[i][position];
      double[] before = q[i][position];
      double[] drawn = soft[i][position];
      double weight = of.alpha / left;
      // The next state is x + mask * drawn on tokens, and mask * drawn on the mask.
      for (int k = 0; k < tokens; k++) {
        here[position][k] += ahead[k];
      }
      double mean = Tables.dot(drawn, ahead);
      double divergence = divergence(rows, before);
      here[position][tokens] += Tables.dot(forward[i][position], ahead) - weight * divergence;
      double[] ofLog = new double[tokens];
      double sum = 0;
      for (int k = 0; k < tokens; k++) {
        ofLog[k] = mask * drawn[k] * (ahead[k] - mean) / tau;
        sum += ofLog[k];
      }
      double[] other = x[i][1 - position];
      for (int k = 0; k < tokens; k++) {
        double slope =
            ofLog[k]
                - rows[k] * sum
                - mask * weight * rows[k] * (Math.log(rows[k] / before[k]) - divergence);
        // KL(p || q) falls by p_k - q_k with the logits of q, which mix in the same way.
        double ofPretrained = mask * weight * (rows[k] - before[k]);
        for (int c = 0; c <= tokens; c++) {
          int at = (position * (tokens + 1) + c) * tokens + k;
          gradient[at] += other[c] * slope;
          here[1 - position][c] += logits[at] * slope + of.pretrained[at] * ofPretrained;
        }
      }
    }
  }
}
