package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code self_designed_reward}: REINFORCE on a long chain with a reward at one end only, with
 * an intrinsic reward that the learner designs for itself and a bonus for rare states.
 *
 * <p>The learner's reward is {@code r + R_phi(s, a) + B(s')}, {@code B(s) = b / sqrt(1 + n(s))}
 * with {@code n} the visits so far. Of every episode, with {@code G_t} the discounted sum of the
 * rewards {@code r} from step {@code t} and a critic {@code V(s)} that regresses it, {@code R_phi}
 * ascends {@code sum_t pi(a_t | s_t) (G_t - V(s_t)) (R_phi(s_t, a_t) - sum_b pi(b | s_t) R_phi(s_t,
 * b))}: the first-order effect of the intrinsic reward on the return. The policy is a softmax
 * table.
 *
 * <p>Source: Devidze, Kamalaruban and Singla, "Exploration-Guided Reward Shaping for Reinforcement
 * Learning under Sparse Rewards", NeurIPS 2022 (EXPLORS), with a table for {@code R_phi}.
 *
 * <p>Arguments: {@code right} (10) and {@code left} (20), the cells on each side of the start;
 * {@code slip} (0.05), {@code horizon} (20), {@code discount} (0.99), {@code episodes} (3000),
 * {@code design} (true), {@code bonus} b (1), {@code actor_rate} (0.1), {@code critic_rate} (0.01),
 * {@code design_rate} (0.01). The policy is updated every 2 episodes on the last 5, the design
 * every 5 on the last 10.
 */
public final class SelfDesignedReward implements StudyProvider {
  private static final int WINDOW = 100;

  @Override
  public String name() {
    return "self_designed_reward";
  }

  @Override
  public String summary() {
    return "REINFORCE on a long chain with a reward that the learner designs for itself";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("success", "share of episodes that reach the goal, per 100 episodes");
    quantities.put("episodes", "episodes so far");
    return quantities;
  }

  /** An episode: states and actions, and the state after the last. */
  private record Episode(int[] states, int[] actions, double[] rewards) {}

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    int right = arguments.integer("right", 10, 1, 500);
    int left = arguments.integer("left", 20, 0, 500);
    double slip = arguments.real("slip", 0.05, 0, 0.5);
    int horizon = arguments.integer("horizon", 20, 1, 10_000);
    double discount = arguments.real("discount", 0.99, 0, 0.99999);
    int episodes = arguments.integer("episodes", 3000, WINDOW, 1_000_000);
    boolean design = arguments.flag("design", true);
    double bonus = arguments.real("bonus", 1, 0, 1000);
    double actorRate = arguments.above("actor_rate", 0.1, 0);
    double criticRate = arguments.above("critic_rate", 0.01, 0);
    double designRate = arguments.above("design_rate", 0.01, 0);
    arguments.requireAllRead();

    CounterRandom random = CounterRandom.of(seed).stream("self_designed_reward");
    DecisionProcess process = Processes.chain(left + right + 1, left, slip, discount);
    int goal = left + right;
    double[][] theta = new double[process.states()][2];
    double[][] phi = new double[process.states()][2];
    double[] critic = new double[process.states()];
    double[] visits = new double[process.states()];
    Deque<Episode> recent = new ArrayDeque<>();
    double[] success = new double[episodes / WINDOW];
    double[] counted = new double[episodes / WINDOW];
    Arrays.setAll(counted, i -> (i + 1.0) * WINDOW);
    for (int episode = 1; episode <= episodes; episode++) {
      Studies.nextRound();
      Episode walked = walk(process, theta, goal, horizon, random);
      for (int t = 1; t < walked.states().length; t++) {
        visits[walked.states()[t]]++;
      }
      recent.addFirst(walked);
      if (recent.size() > 10) {
        recent.removeLast();
      }
      boolean reached = walked.states()[walked.actions().length] == goal;
      int window = (episode - 1) / WINDOW;
      if (window < success.length) {
        success[window] += reached ? 1.0 / WINDOW : 0;
      }
      if (design && episode % 5 == 0) {
        for (Episode past : recent) {
          redesign(past, theta, phi, critic, discount, designRate, criticRate);
        }
      }
      if (episode % 2 == 0) {
        List<Episode> latest = recent.stream().limit(5).toList();
        double[][] gradient = new double[theta.length][2];
        for (Episode past : latest) {
          reinforce(past, theta, phi, visits, bonus, discount, gradient);
        }
        for (int s = 0; s < theta.length; s++) {
          for (int a = 0; a < 2; a++) {
            theta[s][a] += actorRate * gradient[s][a] / latest.size();
          }
        }
      }
    }
    return new Findings(Map.of("success", success, "episodes", counted));
  }

  private static Episode walk(
      DecisionProcess process, double[][] theta, int goal, int horizon, CounterRandom random) {
    int[] states = new int[horizon + 1];
    int[] actions = new int[horizon];
    double[] rewards = new double[horizon];
    int state = Draws.index(random, process.start());
    states[0] = state;
    int t = 0;
    while (t < horizon && state != goal) {
      actions[t] = Draws.index(random, Tables.softmax(theta[state]));
      state = Draws.next(process, state, actions[t], random);
      rewards[t] = state == goal ? 1 : 0;
      states[++t] = state;
    }
    return new Episode(
        Arrays.copyOf(states, t + 1), Arrays.copyOf(actions, t), Arrays.copyOf(rewards, t));
  }

  private static void redesign(
      Episode episode,
      double[][] theta,
      double[][] phi,
      double[] critic,
      double discount,
      double designRate,
      double criticRate) {
    double sum = 0;
    for (int t = episode.actions().length - 1; t >= 0; t--) {
      sum = episode.rewards()[t] + discount * sum;
      int s = episode.states()[t];
      double[] p = Tables.softmax(theta[s]);
      double weight = designRate * p[episode.actions()[t]] * (sum - critic[s]);
      for (int a = 0; a < p.length; a++) {
        phi[s][a] += weight * ((a == episode.actions()[t] ? 1 : 0) - p[a]);
      }
      critic[s] += criticRate * (sum - critic[s]);
    }
  }

  private static void reinforce(
      Episode episode,
      double[][] theta,
      double[][] phi,
      double[] visits,
      double bonus,
      double discount,
      double[][] gradient) {
    double sum = 0;
    for (int t = episode.actions().length - 1; t >= 0; t--) {
      int s = episode.states()[t];
      int action = episode.actions()[t];
      double shaped =
          episode.rewards()[t]
              + phi[s][action]
              + bonus / Math.sqrt(1 + visits[episode.states()[t + 1]]);
      sum = shaped + discount * sum;
      double[] p = Tables.softmax(theta[s]);
      for (int a = 0; a < p.length; a++) {
        gradient[s][a] += sum * ((a == action ? 1 : 0) - p[a]);
      }
    }
  }
}
