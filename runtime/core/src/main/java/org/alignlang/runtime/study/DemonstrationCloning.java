package org.alignlang.runtime.study;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Occupancy;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code demonstration_cloning}: an expert's demonstrations are cloned, and reinforcement
 * learning is regularised towards the clone.
 *
 * <p>The clone is {@code (N_h(s, a) + 1) / (N_h(s) + A)}; the policy maximises {@code V_lambda(pi)
 * = E sum_h [r - lambda KL(pi_h(. | s) || clone_h(. | s))]} by soft value iteration ({@link
 * Planning}). Then {@code V(expert) - V(pi) <= lambda KL_traj(expert || clone)}, with {@code
 * KL_traj} the expected sum of the divergences along the expert's trajectories: since {@code
 * V_lambda(pi) >= V_lambda(expert)} and the penalty of {@code pi} is not negative.
 *
 * <p>The process is random ({@link Processes#random}), its reward is 0 but for a share of the
 * pairs, where it is uniform on [0, 1]; the expert is {@code skill * optimal + (1 - skill) *
 * uniform}.
 *
 * <p>Source: Tiapkin et al., "Demonstration-Regularized RL", ICLR 2024, theorem 1 and its proof.
 *
 * <p>Arguments: {@code states} (10), {@code actions} (5), {@code horizon} (10), {@code
 * concentration} (0.2), {@code rewarded} (0.2), {@code skill} (0.95), {@code demonstrations}
 * ({@code [10, 40, 160, 640, 2560]}), {@code strength} lambda (0.1), {@code source}: {@code
 * expert}, or {@code uniform} for demonstrations of the uniform policy.
 */
public final class DemonstrationCloning implements StudyProvider {
  @Override
  public String name() {
    return "demonstration_cloning";
  }

  @Override
  public String summary() {
    return "reinforcement learning regularised towards a clone of demonstrations";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("demonstrations", "how many episodes were cloned, at each index");
    quantities.put("log_demonstrations", "its natural logarithm");
    quantities.put("kl", "KL_traj(expert || clone), nats per episode");
    quantities.put("log_kl", "its natural logarithm");
    quantities.put("shortfall", "V(expert) - V(pi), reward per episode");
    quantities.put("slack", "lambda KL_traj - shortfall, which theory says is not negative");
    quantities.put("clone_shortfall", "V(expert) - V(clone), reward per episode");
    quantities.put("optimality_gap", "V* - V(pi), reward per episode");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("demonstrations");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("demonstrations");
    Expert expert = Expert.read(arguments, random.stream("process"));
    int[] counts =
        arguments
            .integers("demonstrations", 0, 10_000_000)
            .orElse(new int[] {10, 40, 160, 640, 2560});
    double strength = arguments.above("strength", 0.1, 0);
    boolean uniform =
        arguments.word("source", List.of("expert", "uniform")).orElse("expert").equals("uniform");
    arguments.requireAllRead();
    double[][][] shown =
        uniform
            ? Tables.atEveryStep(
                Tables.uniform(expert.process().states(), expert.process().actions()),
                expert.process().requireHorizon())
            : expert.policy();
    double value = expert.value(expert.policy());
    Map<String, double[]> found = new LinkedHashMap<>();
    quantities().keySet().forEach(key -> found.put(key, new double[counts.length]));
    for (int i = 0; i < counts.length; i++) {
      Studies.nextRound();
      double[][][] clone = expert.clone(shown, counts[i], random.stream("episodes").stream(i));
      double divergence = expert.divergence(clone);
      double[][][] policy =
          Planning.softStepwise(expert.process(), expert.reward(), strength, Optional.of(clone))
              .policy();
      double shortfall = value - expert.value(policy);
      requireNonNull(found.get("demonstrations"))[i] = counts[i];
      requireNonNull(found.get("log_demonstrations"))[i] = Math.log(Math.max(1, counts[i]));
      requireNonNull(found.get("kl"))[i] = divergence;
      requireNonNull(found.get("log_kl"))[i] = Math.log(divergence);
      requireNonNull(found.get("shortfall"))[i] = shortfall;
      requireNonNull(found.get("slack"))[i] = strength * divergence - shortfall;
      requireNonNull(found.get("clone_shortfall"))[i] = value - expert.value(clone);
      requireNonNull(found.get("optimality_gap"))[i] = expert.best() - expert.value(policy);
    }
    return new Findings(found);
  }

  /**
   * A random process with an expert on it.
   *
   * @param policy the expert's, {@code [H][S][A]}
   * @param best the optimal value
   */
  record Expert(DecisionProcess process, double[][] reward, double[][][] policy, double best) {

    static Expert read(Arguments arguments, CounterRandom random) {
      int states = arguments.integer("states", 10, 1, 200);
      int actions = arguments.integer("actions", 5, 1, 50);
      int horizon = arguments.integer("horizon", 10, 1, 200);
      double concentration = arguments.above("concentration", 0.2, 0);
      double rewarded = arguments.real("rewarded", 0.2, 0, 1);
      double skill = arguments.real("skill", 0.95, 0, 1);
      // The discount is 1 once there is a horizon.
      DecisionProcess process =
          Processes.random(states, actions, concentration, 0.5, random)
              .withHorizon(horizon)
              .withDiscount(1);
      double[][] reward = new double[states][actions];
      for (double[] row : reward) {
        for (int a = 0; a < actions; a++) {
          double size = random.nextDouble();
          row[a] = random.nextDouble() < rewarded ? size : 0;
        }
      }
      Planning.Stepwise plan = Planning.optimalStepwise(process, reward);
      double[][][] expert = plan.policy().clone();
      for (int h = 0; h < horizon; h++) {
        expert[h] = Tables.mix(skill, expert[h], Tables.uniform(states, actions));
      }
      return new Expert(process, reward, expert, Tables.dot(process.start(), plan.values()[0]));
    }

    double value(double[][][] any) {
      return Evaluation.expectedReturn(process, any, reward);
    }

    /** The smoothed frequencies of the actions in episodes of a policy, {@code [H][S][A]}. */
    double[][][] clone(double[][][] shown, int episodes, CounterRandom random) {
      int horizon = process.requireHorizon();
      double[][][] counts = new double[horizon][process.states()][process.actions()];
      for (int episode = 0; episode < episodes; episode++) {
        int state = Draws.index(random, process.start());
        for (int h = 0; h < horizon; h++) {
          int action = Draws.index(random, shown[h][state]);
          counts[h][state][action]++;
          state = Draws.next(process, state, action, random);
        }
      }
      for (double[][] step : counts) {
        for (double[] row : step) {
          double total = Arrays.stream(row).sum() + row.length;
          Arrays.setAll(row, a -> (row[a] + 1) / total);
        }
      }
      return counts;
    }

    /** {@code E_expert sum_h KL(expert_h(. | s) || other_h(. | s))}. */
    double divergence(double[][][] other) {
      double[][][] occupancy = Occupancy.pairs(process, policy);
      double sum = 0;
      for (int h = 0; h < occupancy.length; h++) {
        for (int s = 0; s < process.states(); s++) {
          for (int a = 0; a < process.actions(); a++) {
            if (occupancy[h][s][a] > 0) {
              sum += occupancy[h][s][a] * Math.log(policy[h][s][a] / other[h][s][a]);
            }
          }
        }
      }
      return sum;
    }
  }
}
