package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.LUDecomposition;

/**
 * Study {@code reward_free_exploration}: a linear mixture process is explored without a reward, and
 * then planned in for rewards that were not known before.
 *
 * <p>{@code P(s' | s, a) = sum_i theta_i phi_i(s' | s, a)} with known {@code phi} and unknown
 * {@code theta} in {@code R^4}. With {@code psi_V(s, a) = (sum_s' phi_i(s' | s, a) V(s'))_i} the
 * expectation of a value is {@code <psi_V, theta>}. Exploring by uncertainty: the pseudo-reward is
 * {@code min(1, 2 beta max_V |psi_V|)}, the norm that of the inverse covariance {@code S}, and
 * episodes follow the optimistic plan {@code Q = min(H - h, reward + <psi_V', theta> + beta
 * |psi_V'|)}. Regression: each visited pair adds {@code psi_u psi_u' / w} to {@code S} and {@code
 * psi_u u(s') / w} to its target, {@code u} the maximiser over V; {@code w = max(1 / H, variance of
 * u, |psi_u| / sqrt(d))} or 1. The maximum of a convex function over values in [0, 1] is at a
 * vertex, so all 0-1 values of the states that a pair can lead to are tried.
 *
 * <p>The process: a corridor of {@code length} cells; {@code right} succeeds or stays, {@code left}
 * goes back. In its last cell action {@code left} leads to one end and {@code right} to the other,
 * or the reverse; {@code theta} is the product of ({@code success}, 1 - success) and ({@code true},
 * 1 - true). Afterwards each end in turn is rewarded with {@code 1 / H} per step; plans use the
 * estimate of theta without a bonus, ties broken at random.
 *
 * <p>Source: Zhang, Zhang and Gu, "Optimal Horizon-Free Reward-Free Exploration for Linear Mixture
 * MDPs", 2023: this is its computable relative UCRL-RFE (Zhang, Zhou and Gu 2021) with variance
 * weights; the paper's own algorithm takes a joint maximum over policies, models and pseudo-rewards
 * as an oracle.
 *
 * <p>Arguments: {@code length} (9), {@code horizon} (32), {@code episodes} (15), {@code explore}:
 * {@code uncertainty} or {@code uniform} (random actions), {@code weights}: {@code variance} or
 * {@code none}, {@code beta} (1), {@code success} (0.9), {@code truth} (0.65).
 */
public final class RewardFreeExploration implements StudyProvider {
  private static final int FEATURES = 4;
  private static final double RIDGE = 0.01;

  @Override
  public String name() {
    return "reward_free_exploration";
  }

  @Override
  public String summary() {
    return "a linear mixture process explored without a reward, then planned in for any";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put(
        "suboptimality", "largest V* - V of the plans for both rewards, after each episode");
    quantities.put("parameter_error", "Euclidean distance of the estimate from theta");
    quantities.put("visits", "steps so far in the last cell of the corridor");
    return quantities;
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("reward_free");
    Mixture mixture =
        new Mixture(
            arguments.integer("length", 9, 1, 60),
            arguments.real("success", 0.9, 0, 1),
            arguments.real("truth", 0.65, 0, 1));
    int horizon = arguments.integer("horizon", 32, 1, 1024);
    int episodes = arguments.integer("episodes", 15, 1, 100_000);
    boolean uncertainty =
        arguments
            .word("explore", List.of("uncertainty", "uniform"))
            .orElse("uncertainty")
            .equals("uncertainty");
    boolean variance =
        arguments
            .word("weights", List.of("variance", "none"))
            .orElse("variance")
            .equals("variance");
    double beta = arguments.above("beta", 1, 0);
    arguments.requireAllRead();

    DecisionProcess truth = mixture.process(mixture.theta).withHorizon(horizon).withDiscount(1);
    Regression regression = new Regression(mixture, beta, horizon, variance);
    double[] suboptimality = new double[episodes];
    double[] error = new double[episodes];
    double[] visits = new double[episodes];
    double seen = 0;
    for (int episode = 0; episode < episodes; episode++) {
      Studies.nextRound();
      double[][][] policy =
          uncertainty
              ? regression.plan(regression.pseudoReward(), true, random)
              : Tables.atEveryStep(Tables.uniform(mixture.states, 2), horizon);
      int state = 0;
      for (int h = 0; h < horizon; h++) {
        int action = Draws.index(random, policy[h][state]);
        int next = Draws.next(truth, state, action, random);
        regression.add(state, action, next);
        seen += state == mixture.length - 1 ? 1 : 0;
        state = next;
      }
      regression.solve();
      visits[episode] = seen;
      for (int i = 0; i < FEATURES; i++) {
        error[episode] += Math.pow(regression.estimate[i] - mixture.theta[i], 2);
      }
      error[episode] = Math.sqrt(error[episode]);
      for (int end = mixture.length; end < mixture.states; end++) {
        double[][] reward = new double[mixture.states][2];
        Arrays.fill(reward[end], 1.0 / horizon);
        double best = Planning.optimalStepwise(truth, reward).values()[0][0];
        double got =
            Evaluation.expectedReturn(truth, regression.plan(reward, false, random), reward);
        suboptimality[episode] = Math.max(suboptimality[episode], best - got);
      }
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("suboptimality", suboptimality);
    found.put("parameter_error", error);
    found.put("visits", visits);
    return new Findings(found);
  }

  /** The corridor's base kernels: success or not, times which action leads to which end. */
  static final class Mixture {
    final int length;
    final int states;
    final double[] theta;

    Mixture(int length, double success, double truth) {
      this.length = length;
      states = length + 2;
      theta =
          new double[] {
            success * truth,
            success * (1 - truth),
            (1 - success) * truth,
            (1 - success) * (1 - truth)
          };
    }

    /** The state that base kernel {@code i} leads to. */
    int next(int i, int state, int action) {
      if (state >= length) {
        return state;
      }
      if (state == length - 1) {
        return length + (i % 2 == 0 ? action : 1 - action);
      }
      if (action == 0) {
        return Math.max(0, state - 1);
      }
      return i < 2 ? state + 1 : state;
    }

    DecisionProcess process(double[] mixing) {
      DecisionProcess.Builder builder = DecisionProcess.builder(states, 2).discount(0.5);
      for (int s = 0; s < states; s++) {
        for (int a = 0; a < 2; a++) {
          for (int i = 0; i < FEATURES; i++) {
            builder.transition(s, a, next(i, s, a), mixing[i]);
          }
        }
      }
      return builder.build();
    }

    double[] psi(int state, int action, double[] values) {
      double[] psi = new double[FEATURES];
      Arrays.setAll(psi, i -> values[next(i, state, action)]);
      return psi;
    }
  }

  /** Weighted ridge regression of values on their features. */
  private static final class Regression {
    private final Mixture mixture;
    private final double beta;
    private final int horizon;
    private final boolean variance;
    private final double[][] covariance = new double[FEATURES][FEATURES];
    private final double[] target = new double[FEATURES];
    private double[][] inverse;
    private final double[] estimate = new double[FEATURES];

    Regression(Mixture mixture, double beta, int horizon, boolean variance) {
      this.mixture = mixture;
      this.beta = beta;
      this.horizon = horizon;
      this.variance = variance;
      for (int i = 0; i < FEATURES; i++) {
        covariance[i][i] = RIDGE;
      }
      inverse = inverted();
    }

    void solve() {
      inverse = inverted();
      for (int i = 0; i < FEATURES; i++) {
        estimate[i] = Tables.dot(inverse[i], target);
      }
    }

    private double[][] inverted() {
      return new LUDecomposition(new Array2DRowRealMatrix(covariance))
          .getSolver()
          .getInverse()
          .getData();
    }

    private double norm(double[] psi) {
      double sum = 0;
      for (int i = 0; i < FEATURES; i++) {
        sum += psi[i] * Tables.dot(inverse[i], psi);
      }
      return Math.sqrt(Math.max(0, sum));
    }

    /** The 0-1 value of largest norm; of equally large ones the first. */
    private double[] widest(int state, int action) {
      int[] reached = new int[FEATURES];
      Arrays.setAll(reached, i -> mixture.next(i, state, action));
      int[] successors = Arrays.stream(reached).distinct().toArray();
      double[] widest = new double[mixture.states];
      double most = -1;
      for (int set = 1; set < 1 << successors.length; set++) {
        double[] values = new double[mixture.states];
        for (int k = 0; k < successors.length; k++) {
          values[successors[k]] = set >> k & 1;
        }
        double norm = norm(mixture.psi(state, action, values));
        if (norm > most + 1e-12) {
          most = norm;
          widest = values;
        }
      }
      return widest;
    }

    double[][] pseudoReward() {
      double[][] reward = new double[mixture.states][2];
      for (int s = 0; s < reward.length; s++) {
        for (int a = 0; a < 2; a++) {
          reward[s][a] = Math.min(1, 2 * beta * norm(mixture.psi(s, a, widest(s, a))));
        }
      }
      return reward;
    }

    void add(int state, int action, int next) {
      double[] u = widest(state, action);
      double[] psi = mixture.psi(state, action, u);
      double mean = Math.clamp(Tables.dot(psi, estimate), 0, 1);
      // u is 0 or 1, so its square is itself and its variance that of a coin. While the estimate is
      // poor its variance is too, and the norm keeps the first observations from outweighing all.
      double weight =
          variance
              ? Math.max(
                  Math.max(1.0 / horizon, mean * (1 - mean)), norm(psi) / Math.sqrt(FEATURES))
              : 1;
      for (int i = 0; i < FEATURES; i++) {
        target[i] += psi[i] * u[next] / weight;
        for (int j = 0; j < FEATURES; j++) {
          covariance[i][j] += psi[i] * psi[j] / weight;
        }
      }
    }

    /** The plan for a reward by the present estimate, optimistic or not. */
    double[][][] plan(double[][] reward, boolean optimistic, CounterRandom random) {
      double[] values = new double[mixture.states];
      double[][][] policy = new double[horizon][mixture.states][2];
      for (int h = horizon - 1; h >= 0; h--) {
        double[] better = new double[mixture.states];
        for (int s = 0; s < mixture.states; s++) {
          double[] q = new double[2];
          for (int a = 0; a < 2; a++) {
            double[] psi = mixture.psi(s, a, values);
            double bonus = optimistic ? beta * norm(psi) : 0;
            q[a] =
                Math.clamp(
                    reward[s][a] + Tables.dot(psi, estimate) + bonus, 0, (double) horizon - h);
          }
          boolean tie = Math.abs(q[0] - q[1]) < 1e-12;
          int choice = tie ? random.nextInt(2) : q[0] > q[1] ? 0 : 1;
          policy[h][s][choice] = 1;
          better[s] = q[choice];
        }
        values = better;
      }
      return policy;
    }
  }
}
