package org.alignlang.runtime.study;

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
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code adaptive_reward_design}: a learner trained by REINFORCE on a reward that a teacher
 * designs for the learner's present policy.
 *
 * <p>The design maximises {@code sum_{s,a} mu_T(s) mu_L(s) pi_L(a | s) (A_T(s, a) - sum_b pi_L(b |
 * s) A_T(s, b)) R(s, a)}, {@code A_T} the teacher's advantage under the original reward, over
 * rewards bounded by {@code bound} under which the teacher's policy stays optimal by {@code
 * min(gap, cap)}: a linear programme, solved anew every {@code every} updates. Where the
 * constraints are slack its solution is {@code bound * sign(coefficient)}. {@code design =
 * original} trains on the original reward, {@code once} on the first design.
 *
 * <p>Source: Devidze, Kamalaruban and Singla, "Informativeness of Reward Functions in Reinforcement
 * Learning", AAMAS 2024 (EXPADARD).
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}, a chain of 8), {@code reward} (its {@code
 * goal}), {@code design} ({@code adaptive}), {@code bound} (1), {@code cap} (0.1), {@code updates}
 * (400), {@code every} (50), {@code batch} (5), the episodes of an update, {@code horizon} (20),
 * {@code rate} (0.1).
 */
public final class AdaptiveRewardDesign implements StudyProvider {
  private static final double REACHED = 0.9;

  @Override
  public String name() {
    return "adaptive_reward_design";
  }

  @Override
  public String summary() {
    return "a learner trained on a reward that a teacher designs for its present policy";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("share", "the learner's return by the original reward, a share of the optimum");
    quantities.put("needed", "updates until that share is 0.9; one more than there are if never");
    quantities.put("sign_error", "largest |R - bound * sign(coefficient)| of the first design");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("reward");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("adaptive_reward_design");
    DecisionProcess process =
        ProcessArgument.read(
            arguments,
            "process",
            ProcessArgument.component("chain", Map.of("states", 8.0)),
            random);
    double[][] original = ProcessArgument.reward(arguments, "reward", "goal", process);
    String kind =
        arguments.word("design", List.of("adaptive", "once", "original")).orElse("adaptive");
    double bound = arguments.above("bound", 1, 0);
    double cap = arguments.above("cap", 0.1, 0);
    int updates = arguments.integer("updates", 400, 1, 1_000_000);
    int every = arguments.integer("every", 50, 1, 1_000_000);
    int batch = arguments.integer("batch", 5, 1, 10_000);
    int horizon = arguments.integer("horizon", 20, 1, 10_000);
    double rate = arguments.above("rate", 0.1, 0);
    arguments.requireAllRead();

    TeacherGaps teacher = new TeacherGaps(process, original);
    double[][] endless = teacher.endless();
    double best = Evaluation.expectedReturn(process, teacher.policy(), original);
    double[][] theta = new double[process.states()][process.actions()];
    double[][] reward = original;
    double signError = 0;
    double[] share = new double[updates + 1];
    double needed = updates + 1.0;
    for (int update = 0; update <= updates; update++) {
      Studies.nextRound();
      double[][] policy = Tables.softmax(theta);
      share[update] = Evaluation.expectedReturn(process, policy, original) / best;
      if (share[update] >= REACHED) {
        needed = Math.min(needed, update);
      }
      boolean due = kind.equals("adaptive") ? update % every == 0 : update == 0;
      if (due && !kind.equals("original")) {
        double[] coefficients = coefficients(process, teacher, policy);
        reward = design(process, teacher, endless, coefficients, cap, bound);
        if (update == 0) {
          signError = signError(reward, coefficients, bound);
        }
      }
      double[][] gradient = new double[theta.length][process.actions()];
      for (int episode = 0; episode < batch; episode++) {
        reinforce(process, policy, reward, horizon, gradient, random);
      }
      for (int s = 0; s < theta.length; s++) {
        for (int a = 0; a < theta[s].length; a++) {
          theta[s][a] += rate * gradient[s][a] / batch;
        }
      }
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("share", share);
    found.put("needed", new double[] {needed});
    found.put("sign_error", new double[] {signError});
    return new Findings(found);
  }

  /** What the design's objective gives for a unit of {@code R(s, a)}. */
  private static double[] coefficients(
      DecisionProcess process, TeacherGaps teacher, double[][] policy) {
    double[] ofTeacher = Occupancy.states(process, teacher.policy());
    double[] ofLearner = Occupancy.states(process, policy);
    double[][] advantages = teacher.advantages();
    double[] coefficients = new double[teacher.variables()];
    for (int s = 0; s < policy.length; s++) {
      double mean = Tables.dot(policy[s], advantages[s]);
      for (int a = 0; a < policy[s].length && !process.absorbing(s); a++) {
        coefficients[teacher.variable(s, a)] =
            ofTeacher[s] * ofLearner[s] * policy[s][a] * (advantages[s][a] - mean);
      }
    }
    return coefficients;
  }

  private static double[][] design(
      DecisionProcess process,
      TeacherGaps teacher,
      double[][] endless,
      double[] coefficients,
      double cap,
      double bound) {
    // The programme's scale is the learner's occupancy, which can be tiny: its size must not be
    // taken for rounding.
    double largest = Arrays.stream(coefficients).map(Math::abs).max().orElse(0);
    double[] scaled = Arrays.stream(coefficients).map(x -> largest > 0 ? x / largest : 0).toArray();
    double[] point =
        teacher
            .constrained(0, endless, cap, bound)
            .maximise(scaled)
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "no reward within `bound` keeps the teacher's policy optimal by `cap`"))
            .point();
    return ProcessArgument.rows(point, process.actions());
  }

  private static double signError(double[][] reward, double[] coefficients, double bound) {
    double error = 0;
    for (int s = 0; s < reward.length; s++) {
      for (int a = 0; a < reward[s].length; a++) {
        double c = coefficients[s * reward[s].length + a];
        if (c != 0) {
          error = Math.max(error, Math.abs(reward[s][a] - bound * Math.signum(c)));
        }
      }
    }
    return error;
  }

  private static void reinforce(
      DecisionProcess process,
      double[][] policy,
      double[][] reward,
      int horizon,
      double[][] gradient,
      CounterRandom random) {
    int[] states = new int[horizon];
    int[] actions = new int[horizon];
    int state = Draws.index(random, process.start());
    int length = 0;
    while (length < horizon && !process.absorbing(state)) {
      states[length] = state;
      actions[length] = Draws.index(random, policy[state]);
      state = Draws.next(process, state, actions[length], random);
      length++;
    }
    double sum = 0;
    for (int t = length - 1; t >= 0; t--) {
      sum = reward[states[t]][actions[t]] + process.discount() * sum;
      for (int a = 0; a < policy[states[t]].length; a++) {
        gradient[states[t]][a] += sum * ((a == actions[t] ? 1 : 0) - policy[states[t]][a]);
      }
    }
  }
}
