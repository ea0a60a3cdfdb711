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
    double logBelow = Double.NEGATIVE_INFINITY;
    for (int start = 0; start < order.length; ) {
      int end = start;
      double logTie = Double.NEGATIVE_INFINITY;
      while (end < order.length && scores[order[end]] == scores[order[start]]) {
        logTie = Functions.logAddExp(logTie, logReference[order[end]] - logTotal);
        end++;
      }
      double logUpTo = end == order.length ? 0 : Math.min(0, Functions.logAddExp(logBelow, logTie));
      // log(F^n - F-^n) = n log F + log(1 - exp(n (log F- - log F))).
      double logMass =
          logUpTo == Double.NEGATIVE_INFINITY || logTie == Double.NEGATIVE_INFINITY
              ? Double.NEGATIVE_INFINITY
              : n * logUpTo + Functions.log1mExp(n * Math.min(logBelow - logUpTo, 0));
      for (int i = start; i < end; i++) {
        double share = logReference[order[i]] - logTotal;
        law[order[i]] = share == Double.NEGATIVE_INFINITY ? share : logMass + share - logTie;
      }
      logBelow = logUpTo;
      start = end;
    }
    return law;
  }

  /**
   * {@code log n - (n - 1) / n}, an upper bound on the KL divergence of the best of n from the
   * reference, which is attained where no response has a probability of its own (ibid., theorem 1).
   */
  public static double divergenceBound(double n) {
    return Math.log(n) - (n - 1) / n;
  }
}
