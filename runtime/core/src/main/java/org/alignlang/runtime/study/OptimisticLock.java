package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code optimistic_lock}: a lock with one secret code and a safe way out, opened by the
 * hypothesis of largest value less {@code eta} times its negative log-likelihood.
 *
 * <p>A code is {@code digits} binary steps. The hypotheses are {@code 2^digits} codes, and that no
 * code opens. The right code pays 1 with probability {@code 1 - noise}, any other with probability
 * {@code noise}; leaving by the safe way pays {@code safe} under every hypothesis. Each episode the
 * hypothesis that maximises {@code value - eta * nll} is taken, and what is best under it played.
 * With {@code optimism = false} the value is left out: the most likely hypothesis is taken, and of
 * equally likely ones that of least value. Other ties are broken at random.
 *
 * <p>Source: Liu et al. 2023 (MEX), model-based form, with a finite class.
 *
 * <p>Arguments: {@code digits} (6), {@code safe} (0.3), {@code noise} (0.05), {@code episodes}
 * (200), {@code eta} (1), {@code optimism} (true).
 */
public final class OptimisticLock implements StudyProvider {
  @Override
  public String name() {
    return "optimistic_lock";
  }

  @Override
  public String summary() {
    return "a lock opened by the hypothesis of largest value less negative log-likelihood";
  }

  @Override
  public Map<String, String> quantities() {
    return Map.of(
        "regret", "sum so far of the best expected pay less that of what was played, per episode",
        "opened", "1 if the secret code was played in the episode, else 0");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("optimistic_lock");
    int codes = 1 << arguments.integer("digits", 6, 1, 16);
    double safe = arguments.real("safe", 0.3, 0, 1);
    double noise = arguments.real("noise", 0.05, 1e-9, 0.499);
    int episodes = arguments.integer("episodes", 200, 1, 1_000_000);
    double eta = arguments.above("eta", 1, 0);
    boolean optimism = arguments.flag("optimism", true);
    arguments.requireAllRead();

    int secret = random.nextInt(codes);
    // The last hypothesis is that no code opens.
    double[] logLikelihood = new double[codes + 1];
    double[] regret = new double[episodes];
    double[] opened = new double[episodes];
    double right = Math.max(safe, 1 - noise);
    double total = 0;
    for (int episode = 0; episode < episodes; episode++) {
      Studies.nextRound();
      double[] score = new double[codes + 1];
      for (int f = 0; f <= codes; f++) {
        double value = f < codes ? right : Math.max(safe, noise);
        // Left out, the value still breaks ties, the other way.
        score[f] = eta * logLikelihood[f] + (optimism ? value : -1e-9 * value);
      }
      int taken = argmax(score, random);
      boolean leaves = taken == codes || safe > 1 - noise;
      double pay = leaves ? safe : taken == secret ? 1 - noise : noise;
      if (!leaves) {
        boolean paid = random.nextDouble() < pay;
        for (int f = 0; f <= codes; f++) {
          double p = f == taken ? 1 - noise : noise;
          logLikelihood[f] += Math.log(paid ? p : 1 - p);
        }
        opened[episode] = taken == secret ? 1 : 0;
      }
      total += right - pay;
      regret[episode] = total;
    }
    return new Findings(Map.of("regret", regret, "opened", opened));
  }

  private static int argmax(double[] score, CounterRandom random) {
    double highest = Arrays.stream(score).max().orElseThrow();
    int[] tied = IntStream.range(0, score.length).filter(f -> score[f] > highest - 1e-12).toArray();
    return tied[random.nextInt(tied.length)];
  }
}
