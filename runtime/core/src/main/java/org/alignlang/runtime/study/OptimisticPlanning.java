package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.study.DemonstrationCloning.Expert;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code optimistic_planning}: learning a process episode by episode with an optimistic
 * planner, with and without regularisation towards a clone of demonstrations.
 *
 * <p>Before each episode, backward over the horizon: {@code Q_h = min(H - h, r + bonus + sum_s'
 * P^(s' | s, a) V_{h+1}(s'))}, {@code bonus = c (H - h) / sqrt(max(1, n(s, a)))}, {@code P^} the
 * frequencies seen (uniform where nothing was), rewards known. Plain: {@code V = max_a Q} (UCBVI).
 * Regularised: {@code V = lambda log sum_a clone e^(Q / lambda)} and the soft policy. The process
 * and the expert are those of {@code demonstration_cloning}.
 *
 * <p>Source: Azar et al. 2017 (UCBVI); Tiapkin et al. 2024 (Demonstration-Regularized RL), whose
 * UCBVI-Ent+ has other bonuses.
 *
 * <p>Arguments: those of {@code demonstration_cloning} for the process and the expert; {@code
 * demonstrations} (200; 0: a uniform clone), {@code regularised} (true), {@code strength} (0.1),
 * {@code bonus} c (0.05), {@code episodes} (100).
 */
public final class OptimisticPlanning implements StudyProvider {
  @Override
  public String name() {
    return "optimistic_planning";
  }

  @Override
  public String summary() {
    return "learning a process by optimistic planning, regularised towards a clone or not";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("gap", "V* - V of the policy of each episode, reward per episode");
    quantities.put("total", "sum of the gaps so far");
    quantities.put("clone_gap", "V* - V of the clone, reward per episode");
    return quantities;
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("demonstrations");
    Expert expert = Expert.read(arguments, random.stream("process"));
    int demonstrations = arguments.integer("demonstrations", 200, 0, 10_000_000);
    boolean regularised = arguments.flag("regularised", true);
    double strength = arguments.above("strength", 0.1, 0);
    double bonus = arguments.real("bonus", 0.05, 0, 1000);
    int episodes = arguments.integer("episodes", 100, 1, 100_000);
    arguments.requireAllRead();

    DecisionProcess process = expert.process();
    int horizon = process.requireHorizon();
    double[][][] clone =
        expert.clone(expert.policy(), demonstrations, random.stream("episodes").stream(0));
    double[][][] counts = new double[process.states()][process.actions()][process.states()];
    double[] gap = new double[episodes];
    double[] total = new double[episodes];
    CounterRandom own = random.stream("learning");
    for (int episode = 0; episode < episodes; episode++) {
      Studies.nextRound();
      double[][][] policy =
          plan(
              process,
              expert.reward(),
              counts,
              bonus,
              regularised ? Optional.of(clone) : Optional.empty(),
              strength);
      gap[episode] = expert.best() - expert.value(policy);
      total[episode] = gap[episode] + (episode > 0 ? total[episode - 1] : 0);
      int state = Draws.index(own, process.start());
      for (int h = 0; h < horizon; h++) {
        int action = Draws.index(own, policy[h][state]);
        int next = Draws.next(process, state, action, own);
        counts[state][action][next]++;
        state = next;
      }
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("gap", gap);
    found.put("total", total);
    found.put("clone_gap", new double[] {expert.best() - expert.value(clone)});
    return new Findings(found);
  }

  private static double[][][] plan(
      DecisionProcess process,
      double[][] reward,
      double[][][] counts,
      double bonus,
      Optional<double[][][]> clone,
      double strength) {
    int horizon = process.requireHorizon();
    double[] values = new double[process.states()];
    double[][][] policy = new double[horizon][][];
    for (int h = horizon - 1; h >= 0; h--) {
      int step = h;
      double[][] q = new double[process.states()][process.actions()];
      for (int s = 0; s < q.length; s++) {
        for (int a = 0; a < q[s].length; a++) {
          double seen = Arrays.stream(counts[s][a]).sum();
          double next =
              seen > 0
                  ? Tables.dot(counts[s][a], values) / seen
                  : Arrays.stream(values).average().orElse(0);
          double optimism = bonus * (horizon - h) / Math.sqrt(Math.max(1, seen));
          q[s][a] = Math.min(horizon - h, reward[s][a] + optimism + next);
        }
      }
      Optional<double[][]> reference = clone.map(steps -> steps[step]);
      policy[h] =
          reference.isPresent() ? Planning.softPolicy(q, strength, reference) : Tables.greedy(q);
      double[] better = new double[values.length];
      for (int s = 0; s < better.length; s++) {
        int state = s;
        better[s] =
            reference.isPresent()
                ? Planning.softMaximum(q[s], strength, reference.map(table -> table[state]))
                : Arrays.stream(q[s]).max().orElseThrow();
      }
      values = better;
    }
    return policy;
  }
}
