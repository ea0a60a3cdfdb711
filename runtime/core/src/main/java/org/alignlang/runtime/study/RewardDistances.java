package org.alignlang.runtime.study;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code reward_distances}: on random processes, whether distances between rewards tell what
 * optimising the wrong one costs.
 *
 * <p>On each process a reward {@code R1(s, a, s')} is standard normal; {@code R2} is interpolated
 * from it to another in equal steps. Then {@code R2} is changed in ways that no optimal policy can
 * tell: shaped by a normal potential of deviation {@code shaping}, redistributed over next states
 * by normal numbers of deviation {@code redistribution} less their expectation, and multiplied by a
 * number from 1 to {@code 1 + scale}. The quantities {@code same_...} are the distances from {@code
 * R1} to itself changed in these ways, which are 0 for a distance that sees through them.
 *
 * <p>Source: Skalse et al. 2024 (STARC), section 5, in small.
 *
 * <p>Arguments: {@code processes} (60), {@code states} (8), {@code actions} (3), {@code
 * concentration} (0.5), {@code discount} (0.9), {@code interpolations} (5), {@code shaping} (1),
 * {@code redistribution} (1), {@code scale} (4).
 */
public final class RewardDistances implements StudyProvider {
  private static final String SAME = "same_";

  @Override
  public String name() {
    return "reward_distances";
  }

  @Override
  public String summary() {
    return "on random processes, whether reward distances tell what the wrong reward costs";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>(new RewardDistance().quantities());
    RewardDistance.distances()
        .keySet()
        .forEach(name ->
            quantities.put(SAME + name, "the same distance from a reward to itself, changed"));
    quantities.put("opposite", "distance of a reward from its negative, by `value`");
    return quantities;
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    int processes = arguments.integer("processes", 60, 1, 10_000);
    int states = arguments.integer("states", 8, 2, 64);
    int actions = arguments.integer("actions", 3, 2, 16);
    double concentration = arguments.above("concentration", 0.5, 0);
    double discount = arguments.real("discount", 0.9, 0, 0.999);
    int interpolations = arguments.integer("interpolations", 5, 1, 100);
    double shaping = arguments.real("shaping", 1, 0, 1000);
    double redistribution = arguments.real("redistribution", 1, 0, 1000);
    double scale = arguments.real("scale", 4, 0, 1000);
    arguments.requireAllRead();

    Map<String, double[]> found = new LinkedHashMap<>();
    quantities().keySet().forEach(name -> found.put(name, new double[processes * interpolations]));
    int index = 0;
    for (int i = 0; i < processes; i++) {
      Studies.nextRound();
      CounterRandom random = CounterRandom.of(seed).stream("reward_distances").stream(i);
      DecisionProcess process = Processes.random(states, actions, concentration, discount, random);
      RewardMetric metric = new RewardMetric(process);
      double[][][] first = normal(random, states, actions);
      double[][][] other = normal(random, states, actions);
      for (int step = 1; step <= interpolations; step++) {
        double share = (double) step / interpolations;
        double[][][] second = mixed(1 - share, first, share, other);
        CounterRandom own = random.stream(step);
        double[] potential = Draws.normals(own, states, shaping);
        double[][][] noise = redistributed(process, own, redistribution);
        double factor = 1 + scale * own.nextDouble();
        double[][][] changed = changed(metric, second, potential, noise, factor);
        double[][][] twin = changed(metric, first, potential, noise, factor);
        for (String name : RewardDistance.distances().keySet()) {
          RewardMetric.Canonical kind = RewardDistance.kind(name);
          requireNonNull(found.get(name))[index] = metric.distance(kind, first, changed);
          requireNonNull(found.get(SAME + name))[index] = metric.distance(kind, first, twin);
        }
        requireNonNull(found.get("regret"))[index] = metric.regret(first, changed);
        requireNonNull(found.get("opposite"))[index] =
            metric.distance(RewardMetric.Canonical.VALUE, first, mixed(-1, first, 0, first));
        index++;
      }
    }
    return new Findings(found);
  }

  private static double[][][] changed(
      RewardMetric metric,
      double[][][] reward,
      double[] potential,
      double[][][] noise,
      double factor) {
    double[][][] shaped = metric.shaped(reward, potential, potential);
    return mixed(factor, shaped, factor, noise);
  }

  private static double[][][] normal(CounterRandom random, int states, int actions) {
    double[][][] reward = new double[states][][];
    Arrays.setAll(reward, s -> Draws.normals(random, actions, states, 1));
    return reward;
  }

  /** Normal numbers by next state, less their expectation for each state and action. */
  private static double[][][] redistributed(
      DecisionProcess process, CounterRandom random, double scale) {
    double[][][] noise = normal(random, process.states(), process.actions());
    for (int s = 0; s < noise.length; s++) {
      for (int a = 0; a < noise[s].length; a++) {
        double[] row = noise[s][a];
        double mean = process.expectation(s, a, row);
        Arrays.setAll(row, next -> scale * (row[next] - mean));
      }
    }
    return noise;
  }

  private static double[][][] mixed(
      double share, double[][][] first, double otherShare, double[][][] other) {
    double[][][] mixed = new double[first.length][first[0].length][first.length];
    for (int s = 0; s < mixed.length; s++) {
      for (int a = 0; a < mixed[s].length; a++) {
        for (int next = 0; next < mixed.length; next++) {
          mixed[s][a][next] = share * first[s][a][next] + otherShare * other[s][a][next];
        }
      }
    }
    return mixed;
  }
}
