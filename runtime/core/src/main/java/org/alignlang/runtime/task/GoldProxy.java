package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.policy.SoftmaxTable;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.TSampler;

/**
 * Task {@code gold_proxy}: a contextual bandit with the reward that is meant, {@code gold}, and one
 * that was learned from noisy preferences, {@code proxy}. Optimise the proxy hard and gold falls:
 * the set-up of Gao et al., "Scaling Laws for Reward Model Overoptimization", 2023, small enough to
 * be exact.
 *
 * <p>Every arm of a prompt has features {@code x = s * n}, {@code s} uniform on [0.25, 2] and
 * {@code n} standard normal in {@code features} dimensions; or, with {@code tail} above 0, each
 * feature is Student's t with so many degrees of freedom. With {@code r2 = |x|^2 / features}:
 *
 * <ul>
 *   <li>base policy: proportional to {@code exp(-typical * r2)}, so that arms far out are rare
 *   <li>{@code gold}: {@code w . x - curvature * r2} for a unit vector {@code w}
 *   <li>preference pairs: two arms drawn from the base policy, the one with more gold preferred by
 *       Bradley and Terry's model, labels flipped with probability {@code label_noise}
 *   <li>{@code proxy} (also {@code score}): linear in {@code x}, fitted to these pairs by {@link
 *       BradleyTerry} with prior precision {@code ridge}. It errs twice: by the noise of few
 *       labels, and by not seeing what is wrong with arms far out. With {@code members} above 0 it
 *       is an ensemble with one fit per bootstrap sample of the pairs, whose members disagree most
 *       where data was rare (Coste et al., "Reward Model Ensembles Help Mitigate Overoptimization",
 *       2024). With {@code hidden} above 0 each proxy is linear in so many {@link RandomFeatures}
 *       of {@code x} that are its own, as reward models that differ in their seed alone: members
 *       are fitted to the same pairs, share what is wrong with the labels, and disagree on how to
 *       extrapolate.
 *   <li>{@code single}: the ensemble's first member alone, where there is one
 *   <li>{@code novelty}: {@code r2}, how far out an arm is
 * </ul>
 *
 * <p>{@code gold} and each proxy are shifted and scaled to mean 0 for every prompt and variance 1
 * over all prompts under the base policy, so both start at 0 and have the same unit. Action
 * features are {@code x}.
 *
 * <p>Arguments: {@code arms} (64), {@code features} (8), {@code prompts} (16), {@code pairs} (256),
 * {@code label_noise} (0.25), {@code members} (0: a single proxy), {@code ridge} (1), {@code
 * curvature} (1), {@code typical} (2), {@code tail} (0: features as above), {@code hidden} (0:
 * proxies linear in {@code x}).
 */
public final class GoldProxy implements TaskProvider {
  private static final double NEAREST = 0.25;
  private static final double FARTHEST = 2;

  /** The most numbers that the features may take: 256 MiB. */
  private static final long MAXIMUM_FEATURES = 1L << 25;

  @Override
  public String name() {
    return "gold_proxy";
  }

  @Override
  public String summary() {
    return "a contextual bandit with a gold reward and a proxy learned from noisy preferences";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    int prompts = arguments.integer("prompts", 16, 1, 1 << 16);
    int arms = arguments.integer("arms", 64, 2, 1 << 16);
    int features = arguments.integer("features", 8, 1, 256);
    int count = arguments.integer("pairs", 256, 1, 1 << 20);
    double noise = arguments.real("label_noise", 0.25, 0, 1);
    int members = arguments.integer("members", 0, 0, 64);
    double ridge = arguments.above("ridge", 1, 0);
    double curvature = arguments.real("curvature", 1, 0, 1000);
    double typical = arguments.real("typical", 2, 0, 100);
    double tail = arguments.real("tail", 0, 0, 1000);
    int hidden = arguments.integer("hidden", 0, 0, 1024);
    if ((long) prompts * arms * features > MAXIMUM_FEATURES) {
      throw arguments.wrong(
          "arms",
          "small enough that prompts * arms * features is at most " + MAXIMUM_FEATURES,
          arms);
    }

    CounterRandom random = CounterRandom.of(seed).stream("gold_proxy");
    double[][][] x = features(random.stream("features"), prompts, arms, features, tail);
    double[] direction = direction(random.stream("direction"), features);
    double[][] gold = new double[prompts][arms];
    double[][] novelty = new double[prompts][arms];
    double[][] logits = new double[prompts][arms];
    for (int prompt = 0; prompt < prompts; prompt++) {
      for (int arm = 0; arm < arms; arm++) {
        double[] own = x[prompt][arm];
        novelty[prompt][arm] = BradleyTerry.dot(own, own) / features;
        gold[prompt][arm] = BradleyTerry.dot(direction, own) - curvature * novelty[prompt][arm];
        logits[prompt][arm] = -typical * novelty[prompt][arm];
      }
    }
    Policy base = SoftmaxTable.of(logits);
    standardise(gold, base);

    List<Task.Pair> pairs =
        new SampledPairs(
                base,
                prompts,
                1,
                -1,
                response -> gold[response.prompt()][response.tokens()[0]],
                count,
                noise)
            .sample(random.stream("pairs"));
    if (pairs.isEmpty()) {
      throw arguments.wrong(
          "typical", "so small that the base policy draws two different arms", typical);
    }
    CandidateTask.Builder task =
        CandidateTask.builder("gold_proxy", prompts, arms)
            .base(logits)
            .actionFeatures(x)
            .score("gold", gold)
            .score("novelty", novelty)
            .utility(response -> gold[response.prompt()][response.tokens()[0]])
            .text((prompt, arm) -> "arm " + arm);
    if (members == 0) {
      double[][] learned =
          hidden == 0
              ? proxy(differences(pairs, x), ridge, x, base)
              : network(pairs, ridge, x, hidden, random.stream("network").stream(0), base);
      task.score("proxy", learned).score("score", learned);
    } else {
      double[][][] ensemble = new double[prompts][arms][members];
      double[][] single = new double[prompts][arms];
      for (int member = 0; member < members; member++) {
        double[][] own =
            hidden == 0
                ? proxy(
                    bootstrap(differences(pairs, x), random.stream("bootstrap").stream(member)),
                    ridge,
                    x,
                    base)
                : network(pairs, ridge, x, hidden, random.stream("network").stream(member), base);
        for (int prompt = 0; prompt < prompts; prompt++) {
          for (int arm = 0; arm < arms; arm++) {
            ensemble[prompt][arm][member] = own[prompt][arm];
          }
        }
        if (member == 0) {
          single = own;
        }
      }
      task.ensemble("proxy", ensemble).ensemble("score", ensemble).score("single", single);
    }
    return task.pairs(pairs).labelled(SampledPairs.unpaired(pairs)).build();
  }

  private static double[][][] features(
      CounterRandom random, int prompts, int arms, int features, double tail) {
    double[][][] x = new double[prompts][arms][];
    for (int prompt = 0; prompt < prompts; prompt++) {
      for (int arm = 0; arm < arms; arm++) {
        CounterRandom own = random.stream(prompt, arm);
        if (tail > 0) {
          x[prompt][arm] = TSampler.of(own, tail).samples(features).toArray();
          continue;
        }
        double distance = NEAREST + (FARTHEST - NEAREST) * own.nextDouble();
        x[prompt][arm] = Bandit.normals(own.stream("direction"), features);
        for (int i = 0; i < features; i++) {
          x[prompt][arm][i] *= distance;
        }
      }
    }
    return x;
  }

  private static double[] direction(CounterRandom random, int features) {
    double[] direction = Bandit.normals(random, features);
    double length = Math.sqrt(BradleyTerry.dot(direction, direction));
    for (int i = 0; i < features; i++) {
      direction[i] /= length;
    }
    return direction;
  }

  private static double[][] differences(List<Task.Pair> pairs, double[][][] x) {
    return pairs.stream()
        .map(pair -> {
          double[] chosen = x[pair.chosen().prompt()][pair.chosen().tokens()[0]].clone();
          double[] rejected = x[pair.rejected().prompt()][pair.rejected().tokens()[0]];
          for (int i = 0; i < chosen.length; i++) {
            chosen[i] -= rejected[i];
          }
          return chosen;
        })
        .toArray(double[][]::new);
  }

  /** A proxy that is linear in random features of its own. */
  private static double[][] network(
      List<Task.Pair> pairs,
      double ridge,
      double[][][] x,
      int hidden,
      CounterRandom random,
      Policy base) {
    RandomFeatures features = RandomFeatures.draw(x[0][0].length, hidden, random);
    double[][][] seen =
        Arrays.stream(x)
            .map(ofPrompt -> Arrays.stream(ofPrompt).map(features::of).toArray(double[][]::new))
            .toArray(double[][][]::new);
    return proxy(differences(pairs, seen), ridge, seen, base);
  }

  private static double[][] bootstrap(double[][] rows, CounterRandom random) {
    double[][] drawn = new double[rows.length][];
    for (int i = 0; i < rows.length; i++) {
      drawn[i] = rows[random.nextInt(rows.length)];
    }
    return drawn;
  }

  private static double[][] proxy(
      double[][] differences, double ridge, double[][][] x, Policy base) {
    double[] weights = BradleyTerry.fit(differences, ridge);
    double[][] proxy = new double[x.length][];
    for (int prompt = 0; prompt < x.length; prompt++) {
      proxy[prompt] = new double[x[prompt].length];
      for (int arm = 0; arm < x[prompt].length; arm++) {
        proxy[prompt][arm] = BradleyTerry.dot(weights, x[prompt][arm]);
      }
    }
    standardise(proxy, base);
    return proxy;
  }

  /** To mean 0 for every prompt and variance 1 over all prompts, under a policy. */
  private static void standardise(double[][] values, Policy base) {
    double variance = 0;
    for (int prompt = 0; prompt < values.length; prompt++) {
      double[] logProbabilities = Responses.nextToken(base, prompt, new int[1], 0);
      double mean = 0;
      for (int arm = 0; arm < values[prompt].length; arm++) {
        mean += Math.exp(logProbabilities[arm]) * values[prompt][arm];
      }
      for (int arm = 0; arm < values[prompt].length; arm++) {
        values[prompt][arm] -= mean;
        variance +=
            Math.exp(logProbabilities[arm])
                * values[prompt][arm]
                * values[prompt][arm]
                / values.length;
      }
    }
    double scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    for (double[] row : values) {
      for (int arm = 0; arm < row.length; arm++) {
        row[arm] *= scale;
      }
    }
  }
}
