package org.alignlang.runtime.study;

import java.util.Arrays;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Tables;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.QRDecomposition;

/**
 * Distances between rewards {@code R(s, a, s')} on one process: each is canonicalised, divided by
 * its Euclidean norm, and the Euclidean distance of the two taken. Canonicalisation takes away what
 * no policy can tell: potential shaping {@code g Phi(s') - Phi(s)} and, for some, the
 * redistribution of a reward over next states that keeps its expectation.
 *
 * <p>Source: Skalse et al., "STARC: A General Framework For Quantifying Differences Between Reward
 * Functions", 2024; Gleave et al. 2021 (EPIC); Wulfe et al. 2022 (DARD).
 */
final class RewardMetric {
  /** What is taken away before rewards are compared. */
  enum Canonical {
    /** Nothing. */
    NONE,
    /** Shaping: {@code R + E[g R(s', A, S') - R(s, A, S') - g R(S, A, S')]}, S, S', A uniform. */
    EPIC,
    /** Shaping, the same with {@code S' ~ P(s, A)} and {@code S'' ~ P(s', A)}. */
    DARD,
    /** Shaping: {@code R + g V(s') - V(s)} with the values of the uniform policy. */
    POTENTIAL,
    /** Shaping and redistribution: the advantage of the uniform policy. */
    VALUE,
    /** Shaping and redistribution: the least reward of all that differ in these only. */
    LEAST
  }

  private final DecisionProcess process;
  private final double[][] uniform;

  RewardMetric(DecisionProcess process) {
    this.process = process;
    uniform = Tables.uniform(process.states(), process.actions());
  }

  /** The distance, from 0 to 2; a reward that canonicalises to 0 stays 0. */
  double distance(Canonical canonical, double[][][] first, double[][][] second) {
    double[] a = normalised(canonicalised(canonical, first), first);
    double[] b = normalised(canonicalised(canonical, second), second);
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  /**
   * What is lost by optimising the other reward, as a share of the range of returns, averaged over
   * both directions: {@code ((max J1 - J1(pi2)) / (max J1 - min J1) + ...) / 2}.
   */
  double regret(double[][][] first, double[][][] second) {
    double[][] r1 = expected(first);
    double[][] r2 = expected(second);
    return (loss(r1, r2) + loss(r2, r1)) / 2;
  }

  /** {@code E[R(s, a, s') | s, a]}, {@code [S][A]}. */
  double[][] expected(double[][][] reward) {
    double[][] expected = new double[process.states()][process.actions()];
    for (int s = 0; s < expected.length; s++) {
      for (int a = 0; a < expected[s].length; a++) {
        expected[s][a] = process.expectation(s, a, reward[s][a]);
      }
    }
    return expected;
  }

  private double loss(double[][] own, double[][] other) {
    Planning.Stationary best = Planning.optimal(process, own);
    double[][] opposite = Tables.copy(own);
    for (double[] row : opposite) {
      Arrays.setAll(row, a -> -row[a]);
    }
    double highest = Tables.dot(process.start(), best.values());
    double lowest = -Tables.dot(process.start(), Planning.optimal(process, opposite).values());
    double[][] followed = Planning.optimal(process, other).policy();
    double range = highest - lowest;
    return range > 0 ? (highest - Evaluation.expectedReturn(process, followed, own)) / range : 0;
  }

  private double[] canonicalised(Canonical canonical, double[][][] reward) {
    return switch (canonical) {
      case NONE -> flat(reward);
      case EPIC -> flat(epic(reward));
      case DARD -> flat(dard(reward));
      case POTENTIAL -> {
        double[] v = Evaluation.values(process, uniform, expected(reward));
        yield flat(shaped(reward, v, v));
      }
      case VALUE ->
          Arrays.stream(Evaluation.advantages(process, uniform, expected(reward)))
              .flatMapToDouble(Arrays::stream)
              .toArray();
      case LEAST -> least(expected(reward));
    };
  }

  /** {@code R(s, a, s') + g after(s') - before(s)}. */
  double[][][] shaped(double[][][] reward, double[] after, double[] before) {
    double[][][] shaped = new double[reward.length][process.actions()][reward.length];
    for (int s = 0; s < reward.length; s++) {
      for (int a = 0; a < process.actions(); a++) {
        for (int next = 0; next < reward.length; next++) {
          shaped[s][a][next] = reward[s][a][next] + process.discount() * after[next] - before[s];
        }
      }
    }
    return shaped;
  }

  private double[][][] epic(double[][][] reward) {
    double[] mean = new double[reward.length];
    for (int s = 0; s < mean.length; s++) {
      mean[s] = Arrays.stream(flat(new double[][][] {reward[s]})).average().orElse(0);
    }
    // The last term, g E[R(S, A, S')], is one number for all: added to what is taken from s.
    double overall = process.discount() * Arrays.stream(mean).average().orElse(0);
    double[] before = Arrays.stream(mean).map(m -> m + overall).toArray();
    return shaped(reward, mean, before);
  }

  private double[][][] dard(double[][][] reward) {
    int states = reward.length;
    int actions = process.actions();
    double[][] from = new double[states][states];
    double[] next = new double[states];
    for (int s = 0; s < states; s++) {
      for (int a = 0; a < actions; a++) {
        next[s] += process.expectation(s, a, reward[s][a]) / actions;
        for (int i = 0; i < process.successors(s, a); i++) {
          from[s][process.successor(s, a, i)] += process.probability(s, a, i) / actions;
        }
      }
    }
    double[][][] canonical = shaped(reward, next, next);
    for (int s = 0; s < states; s++) {
      for (int end = 0; end < states; end++) {
        // E[R(S', A, S'')], S' after s, S'' after s' as drawn for the same s'.
        double sum = 0;
        for (int middle = 0; middle < states; middle++) {
          for (int a = 0; a < actions && from[s][middle] > 0; a++) {
            sum += from[s][middle] * Tables.dot(from[end], reward[middle][a]) / actions;
          }
        }
        for (int a = 0; a < actions; a++) {
          canonical[s][a][end] -= process.discount() * sum;
        }
      }
    }
    return canonical;
  }

  /** The residual of the least-squares fit of {@code Phi(s) - g E Phi(s')} to the reward. */
  private double[] least(double[][] reward) {
    int states = process.states();
    int actions = process.actions();
    double[][] shaping = new double[states * actions][states];
    double[] r = new double[states * actions];
    for (int s = 0; s < states; s++) {
      for (int a = 0; a < actions; a++) {
        int row = s * actions + a;
        r[row] = reward[s][a];
        shaping[row][s] += 1;
        for (int i = 0; i < process.successors(s, a); i++) {
          shaping[row][process.successor(s, a, i)] -=
              process.discount() * process.probability(s, a, i);
        }
      }
    }
    Array2DRowRealMatrix matrix = new Array2DRowRealMatrix(shaping, false);
    ArrayRealVector target = new ArrayRealVector(r, false);
    return target
        .subtract(matrix.operate(new QRDecomposition(matrix).getSolver().solve(target)))
        .toArray();
  }

  private static double[] normalised(double[] canonical, double[][][] reward) {
    double norm = Math.sqrt(Tables.dot(canonical, canonical));
    double largest = Arrays.stream(flat(reward)).map(Math::abs).max().orElse(0);
    // What is left of a reward that is pure shaping is rounding.
    double scale = norm > 1e-12 * largest ? 1 / norm : 0;
    return Arrays.stream(canonical).map(x -> x * scale).toArray();
  }

  private static double[] flat(double[][][] reward) {
    return Arrays.stream(reward).flatMap(Arrays::stream).flatMapToDouble(Arrays::stream).toArray();
  }
}
