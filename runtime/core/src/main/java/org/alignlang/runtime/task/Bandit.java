package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.policy.SoftmaxTable;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Task {@code bandit}: arms that are helpful, and harmful the more the more helpful they are.
 *
 * <ul>
 *   <li>{@code helpful} (also {@code score} and {@code reward}): standard normal over the arms of a
 *       prompt, standardised
 *   <li>{@code harm} (also {@code cost}): a probability, {@code sigmoid(4 * (h - 0.3))} with {@code
 *       h} standardised and correlated with {@code helpful}
 *   <li>{@code gold}: {@code helpful - 2 * harm}, what the preference pairs go by
 *   <li>{@code offset}: a standard normal number per prompt, the same for all arms
 *   <li>with {@code members} above 0 an ensemble of opinions on {@code helpful}: {@code opinion} is
 *       {@code helpful} with independent normal noise in each member, of deviation {@code
 *       known_noise} where the arm is known, a share {@code known} of all arms, and {@code
 *       unknown_noise} where it is not. {@code doubt} is each member's own estimate of its
 *       deviation: the true one times {@code exp(doubt_noise * n)} with {@code n} standard normal
 * </ul>
 *
 * <p>Arguments: {@code arms} (16), {@code prompts} (1), {@code scale} (1), the standard deviation
 * of the base policy's logits, {@code correlation} (0.85), {@code pairs} (512), {@code label_noise}
 * (0), {@code ties} (1), the {@code theta} of {@link SampledPairs}, whose ties are the column
 * {@code tie} of the pairs; {@code members} (0), {@code known} (0.6), {@code known_noise} (0.2),
 * {@code unknown_noise} (1.5), {@code doubt_noise} (0.3). The numbers of a one-prompt bandit may be
 * given instead: {@code helpful}, {@code harm}, {@code gold} and the base policy's probabilities
 * {@code base}, as lists of one number per arm.
 *
 * <p>With the defaults {@code E[helpful] - 0.05 * KL(pi || ref)} is greatest far above {@code
 * E[harm] = 0.10}, and policies below it exist: the constraint is feasible and binds.
 */
public final class Bandit implements TaskProvider {
  private static final double HARM_SLOPE = 4;
  private static final double HARM_THRESHOLD = 0.3;
  private static final double GOLD_PENALTY = 2;

  @Override
  public String name() {
    return "bandit";
  }

  @Override
  public String summary() {
    return "arms with a helpfulness and a correlated probability of harm";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    Optional<double[]> helpful = list(arguments, "helpful", -Double.MAX_VALUE, Double.MAX_VALUE);
    Optional<double[]> harm = list(arguments, "harm", 0, 1);
    Optional<double[]> gold = list(arguments, "gold", -Double.MAX_VALUE, Double.MAX_VALUE);
    Optional<double[]> start = list(arguments, "base", 0, 1);
    Optional<double[][]> wins = wins(arguments);
    int prompts = arguments.integer("prompts", 1, 1, 1 << 16);
    Optional<double[]> duels = wins.map(matrix -> matrix[0]);
    int arms = arms(arguments, List.of(helpful, harm, gold, start, duels), prompts);
    double scale = arguments.real("scale", 1, 0, 100);
    double correlation = arguments.real("correlation", 0.85, -1, 1);
    int count = arguments.integer("pairs", 512, 0, 1 << 20);
    double noise = arguments.real("label_noise", 0, 0, 1);
    double ties = arguments.real("ties", 1, 1, 1e6);
    int members = arguments.integer("members", 0, 0, 64);

    CounterRandom random = CounterRandom.of(seed).stream("bandit");
    double[][] helpfulness = new double[prompts][];
    double[][] harmfulness = new double[prompts][];
    double[][] quality = new double[prompts][];
    double[][] logits = new double[prompts][];
    double[][] offset = new double[prompts][arms];
    for (int prompt = 0; prompt < prompts; prompt++) {
      CounterRandom own = random.stream(prompt);
      double[] drawn = standardised(normals(own.stream("helpful"), arms));
      helpfulness[prompt] = helpful.orElse(drawn);
      harmfulness[prompt] = harm.orElse(harm(helpfulness[prompt], correlation, own));
      quality[prompt] = gold.orElse(gold(helpfulness[prompt], harmfulness[prompt]));
      Arrays.fill(offset[prompt], normals(own.stream("offset"), 1)[0]);
      double[] normal = normals(own.stream("base"), arms);
      logits[prompt] =
          start
              .map(probabilities -> Arrays.stream(probabilities).map(Math::log).toArray())
              .orElse(Arrays.stream(normal).map(x -> scale * x).toArray());
    }
    CandidateTask.Builder task =
        CandidateTask.builder("bandit", prompts, arms)
            .base(logits)
            .score("reward", helpfulness)
            .score("helpful", helpfulness)
            .score("score", helpfulness)
            .score("harm", harmfulness)
            .score("cost", harmfulness)
            .score("gold", quality)
            .score("offset", offset)
            .text((prompt, arm) -> "arm " + arm);
    if (members > 0) {
      opine(task, helpfulness, members, arguments, random.stream("opinions"));
    }
    ToDoubleFunction<Task.Response> utility =
        response -> quality[response.prompt()][response.tokens()[0]];
    if (wins.isPresent()) {
      // Which of two is preferred need not follow from a number of each.
      return task.wins(wins.get()).build();
    }
    SampledPairs.Compared compared =
        new SampledPairs(SoftmaxTable.of(logits), prompts, 1, -1, utility, count, noise)
            .withTies(ties)
            .compare(random.stream("pairs"));
    return task.utility(utility)
        .pairs(compared.pairs())
        .pairColumns(Map.of("tie", compared.ties()))
        .labelled(SampledPairs.unpaired(compared.pairs()))
        .build();
  }

  /** Gives a task the scores {@code opinion} and {@code doubt}. */
  private static void opine(
      CandidateTask.Builder task,
      double[][] helpful,
      int members,
      Arguments arguments,
      CounterRandom random) {
    double known = arguments.real("known", 0.6, 0, 1);
    double knownNoise = arguments.real("known_noise", 0.2, 0, 1e6);
    double unknownNoise = arguments.real("unknown_noise", 1.5, 0, 1e6);
    double doubtNoise = arguments.real("doubt_noise", 0.3, 0, 100);
    double[][][] opinion = new double[helpful.length][helpful[0].length][members];
    double[][][] doubt = new double[helpful.length][helpful[0].length][members];
    for (int prompt = 0; prompt < helpful.length; prompt++) {
      for (int arm = 0; arm < helpful[prompt].length; arm++) {
        CounterRandom own = random.stream(prompt, arm);
        double deviation = own.nextDouble() < known ? knownNoise : unknownNoise;
        double[] errors = normals(own.stream("errors"), members);
        double[] misjudged = normals(own.stream("doubts"), members);
        for (int member = 0; member < members; member++) {
          opinion[prompt][arm][member] = helpful[prompt][arm] + deviation * errors[member];
          doubt[prompt][arm][member] = deviation * Math.exp(doubtNoise * misjudged[member]);
        }
      }
    }
    task.ensemble("opinion", opinion).ensemble("doubt", doubt);
  }

  /** The probabilities {@code wins}, a row per arm, with {@code 1 - P} for the pair exchanged. */
  private static Optional<double[][]> wins(Arguments arguments) {
    Optional<double[]> given = arguments.reals("wins", 0, 1);
    if (given.isEmpty()) {
      return Optional.empty();
    }
    double[] flat = given.get();
    int arms = (int) Math.round(Math.sqrt(flat.length));
    if (arms < 2 || arms * arms != flat.length) {
      throw arguments.wrong(
          "wins", "a square matrix of probabilities, row by row", flat.length + " numbers");
    }
    double[][] matrix = new double[arms][];
    for (int i = 0; i < arms; i++) {
      matrix[i] = Arrays.copyOfRange(flat, i * arms, (i + 1) * arms);
    }
    for (int i = 0; i < arms; i++) {
      for (int j = 0; j <= i; j++) {
        double sum = matrix[i][j] + matrix[j][i];
        if (Math.abs(sum - 1) > 1e-9) {
          throw arguments.wrong(
              "wins",
              "P(i > j) + P(j > i) = 1 for all arms, and 1/2 on the diagonal",
              "%s for %d and %d".formatted(sum, i + 1, j + 1));
        }
      }
    }
    return Optional.of(matrix);
  }

  /** The number of arms: that of the given lists, which must agree, or the argument's. */
  private static int arms(Arguments arguments, List<Optional<double[]>> lists, int prompts) {
    int[] lengths = lists.stream().flatMap(Optional::stream).mapToInt(l -> l.length).toArray();
    int arms = arguments.integer("arms", lengths.length == 0 ? 16 : lengths[0], 2, 1 << 20);
    if (lengths.length > 0 && prompts > 1) {
      throw arguments.wrong("prompts", "1 where the arms' numbers are given", prompts);
    }
    for (int length : lengths) {
      if (length != arms) {
        throw arguments.wrong(
            "arms", "the length of each list of numbers, here %d".formatted(length), arms);
      }
    }
    lists
        .get(3)
        .ifPresent(base -> {
          double total = Arrays.stream(base).sum();
          if (Math.abs(total - 1) > 1e-9) {
            throw arguments.wrong("base", "probabilities that sum to 1", total);
          }
        });
    return arms;
  }

  private static Optional<double[]> list(
      Arguments arguments, String name, double least, double most) {
    return arguments.reals(name, least, most);
  }

  private static double[] harm(double[] helpful, double correlation, CounterRandom random) {
    double[] noise = normals(random.stream("harm"), helpful.length);
    double[] mean = standardised(helpful);
    double[] latent = new double[helpful.length];
    for (int arm = 0; arm < latent.length; arm++) {
      latent[arm] = correlation * mean[arm] + Math.sqrt(1 - correlation * correlation) * noise[arm];
    }
    return Arrays.stream(standardised(latent))
        .map(h -> 1 / (1 + Math.exp(-HARM_SLOPE * (h - HARM_THRESHOLD))))
        .toArray();
  }

  private static double[] gold(double[] helpful, double[] harm) {
    double[] gold = new double[helpful.length];
    for (int arm = 0; arm < gold.length; arm++) {
      gold[arm] = helpful[arm] - GOLD_PENALTY * harm[arm];
    }
    return gold;
  }

  static double[] normals(CounterRandom random, int count) {
    ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
    return normal.samples(count).toArray();
  }

  /** Shifted and scaled to mean 0 and (population) variance 1; all 0 where all are equal. */
  static double[] standardised(double[] values) {
    double mean = Arrays.stream(values).average().orElse(0);
    double variance = Arrays.stream(values).map(x -> (x - mean) * (x - mean)).average().orElse(0);
    double scale = variance > 0 ? 1 / Math.sqrt(variance) : 0;
    return Arrays.stream(values).map(x -> (x - mean) * scale).toArray();
  }
}
