package org.alignlang.runtime.experiment;

import java.util.Arrays;
import java.util.Comparator;
import org.alignlang.kernel.Functions;
import org.alignlang.runtime.policy.Responses;

/**
 * The law of the best of n: the response with the highest score among n independent draws, ties
 * broken evenly among the draws. With F the distribution function of the score, a response of score
 * s has probability {@code ref(y) (F(s)^n - F(s-)^n) / (F(s) - F(s-))}, the law of the n-th order
 * statistic shared within ties by the reference (Beirami et al. 2024, "Theoretical guarantees on
 * the best-of-n alignment policy", lemma 1).
 */
public final class BestOfLaw {
  private static final double LOG_HALF = -Math.log(2);

  private BestOfLaw() {}

  /**
   * The log-probabilities of the best of n, in nats.
   *
   * @param logReference log-probabilities of all responses, which sum to 1
   * @param scores one per response; equal scores tie
   * @param n how many are drawn, at least 1; need not be whole
   */
  public static double[] of(double[] logReference, double[] scores, double n) {
    if (!(n >= 1) || Double.isInfinite(n)) {
      throw new IllegalArgumentException("the best of " + n + " draws: at least 1 is drawn");
    }
    Integer[] order = new Integer[scores.length];
    Arrays.setAll(order, i -> i);
    Arrays.sort(order, Comparator.comparingDouble(i -> scores[i]));
    double[] law = new double[scores.length];
    double logTotal = Responses.logSumExp(logReference);
    double[] logAbove = above(order, logReference, scores, logTotal);
    double logBelow = Double.NEGATIVE_INFINITY;
    for (int start = 0; start < order.length; ) {
      int end = start;
      double logTie = Double.NEGATIVE_INFINITY;
      while (end < order.length && scores[order[end]] == scores[order[start]]) {
        logTie = Functions.logAddExp(logTie, logReference[order[end]] - logTotal);
        end++;
      }
      // Near 1 the logarithm of F is taken from what is above, which n draws still tell from
      // nothing.
      double logUpTo =
          logAbove[start] < LOG_HALF
              ? Functions.log1mExp(logAbove[start])
              : Functions.logAddExp(logBelow, logTie);
      double logRatio =
          logTie - logUpTo < LOG_HALF
              ? Functions.log1mExp(logTie - logUpTo)
              : Math.min(logBelow - logUpTo, 0);
      // log(F^n - F-^n) = n log F + log(1 - exp(n (log F- - log F))).
      double logMass =
          logUpTo == Double.NEGATIVE_INFINITY || logTie == Double.NEGATIVE_INFINITY
              ? Double.NEGATIVE_INFINITY
              : n * logUpTo + Functions.log1mExp(n * logRatio);
      for (int i = start; i < end; i++) {
        double share = logReference[order[i]] - logTotal;
        law[order[i]] = share == Double.NEGATIVE_INFINITY ? share : logMass + share - logTie;
      }
      logBelow = logUpTo;
      start = end;
    }
    return law;
  }

  /** By place in the order: the logarithm of the mass of larger scores. */
  private static double[] above(
      Integer[] order, double[] logReference, double[] scores, double logTotal) {
    double[] above = new double[order.length];
    double logSum = Double.NEGATIVE_INFINITY;
    for (int end = order.length; end > 0; ) {
      int start = end;
      double logFrom = logSum;
      while (start > 0 && scores[order[start - 1]] == scores[order[end - 1]]) {
        start--;
        logFrom = Functions.logAddExp(logFrom, logReference[order[start]] - logTotal);
      }
      Arrays.fill(above, start, end, logSum);
      logSum = logFrom;
      end = start;
    }
    return above;
  }

  /**
   * {@code log n - (n - 1) / n}, an upper bound on the KL divergence of the best of n from the
   * reference, which is attained where no response has a probability of its own (ibid., theorem 1).
   */
  public static double divergenceBound(double n) {
    return Math.log(n) - (n - 1) / n;
  }
}
