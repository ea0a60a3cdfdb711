package org.alignlang.runtime.study;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.LinearProgram;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code sparse_reward_design}: a teacher designs a reward with few states of non-zero reward
 * that keeps its policy optimal and tells a short-sighted learner as much as it can.
 *
 * <p>For a set of states, a linear programme maximises {@code I(R) = -mean over h, s of max_a
 * [delta_s - gap_h(s, a)]_+} over rewards bounded by {@code bound} that are 0 elsewhere, subject to
 * {@code gap(s, a) >= delta_s} over the endless horizon. {@code gap_h} is by how much the teacher's
 * action is better over {@code h} steps along the teacher's policy, {@code delta_s} the least gap
 * under the original reward, at most {@code cap}. The set grows greedily by the state that helps
 * most, from the states that the original reward is in.
 *
 * <p>Source: Devidze, Radanovic, Kamalaruban and Singla, "Explicable Reward Design for
 * Reinforcement Learning Agents", NeurIPS 2021 (EXPRD), problem P2 and its greedy algorithm.
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}, a chain of 6), {@code reward} (its {@code
 * goal}), {@code horizons} ({@code [1, 4, 8]}), {@code bound} (1), {@code cap} (0.1), {@code
 * budget} (all), the most states with a reward.
 */
public final class SparseRewardDesign implements StudyProvider {
  @Override
  public String name() {
    return "sparse_reward_design";
  }

  @Override
  public String summary() {
    return "a teacher's reward on few states that tells a short-sighted learner the most";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("states", "how many states have a reward, at each index");
    quantities.put("informativeness", "I(R), at most 0");
    quantities.put("short_sighted", "share of states where the largest R(s, a) is the teacher's");
    quantities.put("margin", "least gap of the teacher's policy less delta, found by planning");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("horizons", "reward");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    DecisionProcess process =
        ProcessArgument.read(
            arguments,
            "process",
            ProcessArgument.component("chain", Map.of()),
            CounterRandom.of(seed).stream("sparse_reward_design"));
    double[][] original = ProcessArgument.reward(arguments, "reward", "goal", process);
    int[] horizons = arguments.integers("horizons", 1, 1000).orElse(new int[] {1, 4, 8});
    double bound = arguments.above("bound", 1, 0);
    double cap = arguments.above("cap", 0.1, 0);
    int budget = arguments.integer("budget", process.states(), 1, process.states());
    arguments.requireAllRead();

    Design design = new Design(process, original, horizons, bound, cap);
    boolean[] active = new boolean[process.states()];
    int count = 0;
    for (int s = 0; s < active.length; s++) {
      active[s] = Arrays.stream(original[s]).anyMatch(x -> x != 0) && !process.absorbing(s);
      count += active[s] ? 1 : 0;
    }
    int open = (int) IntStream.range(0, active.length).filter(s -> !process.absorbing(s)).count();
    int rounds = Math.max(1, Math.min(budget, open) - count + 1);
    Map<String, double[]> found = new LinkedHashMap<>();
    quantities().keySet().forEach(name -> found.put(name, new double[rounds]));
    for (int round = 0; round < rounds; round++) {
      Studies.nextRound();
      if (round > 0) {
        active[design.next(active)] = true;
        count++;
      }
      double[] solution =
          design
              .solve(active)
              .orElseThrow(() ->
                  new IllegalArgumentException(
                      "no reward within `bound` keeps the teacher's policy optimal by `cap`"))
              .point();
      double[][] reward =
          ProcessArgument.rows(
              Arrays.copyOf(solution, process.states() * process.actions()), process.actions());
      requireNonNull(found.get("states"))[round] = count;
      requireNonNull(found.get("informativeness"))[round] = design.informativeness(solution);
      requireNonNull(found.get("short_sighted"))[round] = design.shortSighted(reward);
      requireNonNull(found.get("margin"))[round] = design.margin(reward);
    }
    return new Findings(found);
  }

  private static final class Design {
    private final DecisionProcess process;
    private final TeacherGaps teacher;
    private final double[][] endless;
    private final double[][][] after;
    private final int[] horizons;
    private final double bound;
    private final double cap;

    Design(DecisionProcess process, double[][] original, int[] horizons, double bound, double cap) {
      this.process = process;
      this.horizons = horizons;
      this.bound = bound;
      this.cap = cap;
      teacher = new TeacherGaps(process, original);
      endless = teacher.endless();
      after = new double[horizons.length][][];
      Arrays.setAll(after, h -> teacher.after(horizons[h]));
    }

    /** The best reward for a set of states; the variables after it are the shortfalls. */
    Optional<LinearProgram.Solution> solve(boolean[] active) {
      int states = process.states();
      int variables = teacher.variables();
      int extra = after.length * states;
      LinearProgram program = teacher.constrained(extra, endless, cap, bound);
      double[] objective = new double[variables + extra];
      for (int s = 0; s < states; s++) {
        for (int a = 0; a < process.actions() && !active[s]; a++) {
          program.between(teacher.variable(s, a), 0, 0);
        }
        for (int h = 0; h < after.length; h++) {
          int shortfall = variables + h * states + s;
          // No gap of h steps is below -2 h bound.
          program.between(shortfall, 0, cap + 2 * horizons[h] * bound);
          objective[shortfall] = -1.0 / extra;
          for (int a = 0; a < process.actions() && !process.absorbing(s); a++) {
            if (a != teacher.action(s)) {
              double[] row = Arrays.copyOf(after[h][teacher.variable(s, a)], variables + extra);
              row[shortfall] = 1;
              program.atLeast(row, teacher.margin(s, cap));
            }
          }
        }
      }
      return program.maximise(objective);
    }

    /** The state that helps most, of equally helpful ones the first. */
    int next(boolean[] active) {
      int best = -1;
      double most = Double.NEGATIVE_INFINITY;
      for (int s = 0; s < active.length; s++) {
        if (!active[s] && !process.absorbing(s)) {
          boolean[] more = active.clone();
          more[s] = true;
          double value =
              solve(more).map(LinearProgram.Solution::value).orElse(Double.NEGATIVE_INFINITY);
          if (best < 0 || value > most + 1e-12) {
            most = value;
            best = s;
          }
        }
      }
      return best;
    }

    /** {@code I(R)}, from its definition. */
    double informativeness(double[] reward) {
      double sum = 0;
      for (double[][] gaps : after) {
        for (int s = 0; s < process.states(); s++) {
          double worst = 0;
          for (int a = 0; a < process.actions() && !process.absorbing(s); a++) {
            if (a != teacher.action(s)) {
              double[] row = gaps[teacher.variable(s, a)];
              worst =
                  Math.max(
                      worst,
                      teacher.margin(s, cap) - Tables.dot(row, Arrays.copyOf(reward, row.length)));
            }
          }
          sum += worst;
        }
      }
      return -sum / (after.length * process.states());
    }

    double shortSighted(double[][] reward) {
      int right = 0;
      int open = 0;
      for (int s = 0; s < reward.length; s++) {
        if (!process.absorbing(s)) {
          open++;
          boolean best = true;
          for (int a = 0; a < reward[s].length; a++) {
            best =
                best
                    && (a == teacher.action(s)
                        || reward[s][teacher.action(s)] > reward[s][a] + 1e-9);
          }
          right += best ? 1 : 0;
        }
      }
      return (double) right / open;
    }

    double margin(double[][] reward) {
      double[] values = Evaluation.values(process, teacher.policy(), reward);
      double[][] q = Evaluation.actionValues(process, reward, values);
      double least = Double.POSITIVE_INFINITY;
      for (int s = 0; s < q.length; s++) {
        for (int a = 0; a < q[s].length && !process.absorbing(s); a++) {
          if (a != teacher.action(s)) {
            least = Math.min(least, values[s] - q[s][a] - teacher.margin(s, cap));
          }
        }
      }
      return least;
    }
  }
}
