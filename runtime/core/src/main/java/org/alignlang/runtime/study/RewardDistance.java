package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.study.RewardMetric.Canonical;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code reward_distance}: how far apart two given rewards are on a process by each
 * canonicalisation of {@link RewardMetric}, and what optimising one costs by the other.
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}), {@code first} and {@code second}, the
 * rewards: names of rewards of the process, or numbers by state and action, or by state, action and
 * next state, also those that the action never leads to. Potential shaping as the field has it,
 * {@code g Phi(s') - Phi(s)}, is of the last kind: all but `value` and `least` look at next states
 * that do not occur.
 */
public final class RewardDistance implements StudyProvider {
  @Override
  public String name() {
    return "reward_distance";
  }

  @Override
  public String summary() {
    return "how far apart two rewards are on a process, and what optimising the other costs";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>(distances());
    quantities.put("regret", "what optimising the other reward loses, a share of the range");
    return quantities;
  }

  /** The quantities that are distances. */
  static Map<String, String> distances() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("none", "distance of the rewards as they are, from 0 to 2");
    quantities.put("epic", "distance after EPIC's canonicalisation");
    quantities.put("dard", "distance after DARD's canonicalisation");
    quantities.put("potential", "distance after shaping by the uniform policy's values");
    quantities.put("value", "distance of the advantages of the uniform policy");
    quantities.put("least", "distance of the least rewards that differ by shaping only");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("first", "second");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    DecisionProcess process =
        ProcessArgument.read(
            arguments,
            "process",
            ProcessArgument.component("chain", Map.of()),
            CounterRandom.of(seed).stream("reward_distance"));
    double[][][] first = given(arguments, "first", process);
    double[][][] second = given(arguments, "second", process);
    arguments.requireAllRead();
    RewardMetric metric = new RewardMetric(process);
    Map<String, double[]> found = new LinkedHashMap<>();
    for (String name : distances().keySet()) {
      found.put(name, new double[] {metric.distance(kind(name), first, second)});
    }
    found.put("regret", new double[] {metric.regret(first, second)});
    return new Findings(found);
  }

  static Canonical kind(String quantity) {
    return Canonical.valueOf(quantity.toUpperCase(Locale.ROOT));
  }

  private static double[][][] given(Arguments arguments, String name, DecisionProcess process) {
    int states = process.states();
    int pairs = states * process.actions();
    if (arguments.value(name).orElse(0) instanceof String named) {
      return byNextState(process.reward(named), states);
    }
    double[] flat =
        arguments
            .reals(name, -Double.MAX_VALUE, Double.MAX_VALUE)
            .orElseThrow(() -> arguments.missing(name, "a number for each state and action"));
    if (flat.length != pairs && flat.length != pairs * states) {
      throw arguments.wrong(
          name,
          "%d numbers, one for each of %d states and %d actions, or %d, one for each next state of these"
              .formatted(pairs, states, process.actions(), pairs * states),
          flat.length + " numbers");
    }
    if (flat.length == pairs) {
      return byNextState(ProcessArgument.rows(flat, process.actions()), states);
    }
    double[][][] reward = new double[states][][];
    double[][] rows = ProcessArgument.rows(flat, states);
    Arrays.setAll(
        reward, s -> Arrays.copyOfRange(rows, s * process.actions(), (s + 1) * process.actions()));
    return reward;
  }

  private static double[][][] byNextState(double[][] table, int states) {
    double[][][] reward = new double[states][table[0].length][states];
    for (int s = 0; s < states; s++) {
      for (int a = 0; a < table[s].length; a++) {
        Arrays.fill(reward[s][a], table[s][a]);
      }
    }
    return reward;
  }
}
