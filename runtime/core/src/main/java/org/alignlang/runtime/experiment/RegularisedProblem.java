package org.alignlang.runtime.experiment;

import java.util.List;
import org.alignlang.runtime.experiment.ExperimentPlan.LogRatioFunction;

/**
 * {@code maximise mean over prompts of E[reward] - strength D(pi || reference)} over all policies,
 * under bounds on mean expectations and on the mean divergence. Arrays are {@code
 * [prompts][responses]}.
 *
 * @param logReference log-probabilities in nats; responses of probability 0 stay at 0
 * @param reward what is maximised
 * @param strength the weight of the divergence; 0 is allowed where the budget is finite
 * @param integrand {@code x -> f(exp x)}
 * @param inverse {@code y -> log((f')^-1(y))}; -infinity below the range of f', infinity above it
 * @param budget the most that the divergence may be, infinite without a bound
 * @param bounds linear constraints
 */
record RegularisedProblem(
    List<double[]> logReference,
    List<double[]> reward,
    double strength,
    LogRatioFunction integrand,
    LogRatioFunction inverse,
    double budget,
    List<Bound> bounds) {

  /** The same problem with other rewards. */
  RegularisedProblem withReward(List<double[]> other) {
    return new RegularisedProblem(
        logReference, other, strength, integrand, inverse, budget, bounds);
  }

  /**
   * {@code mean over prompts of E[values] RELATION limit}.
   *
   * @param text the constraint as written, for messages
   */
  record Bound(String text, List<double[]> values, String relation, double limit) {
    /** The factor of the multiplier in the Lagrangian: the reward loses {@code sign * value}. */
    double sign() {
      return relation.equals(">=") ? -1 : 1;
    }

    boolean equality() {
      return relation.equals("==");
    }
  }

  /**
   * The maximiser.
   *
   * @param logProbabilities of each response, per prompt
   * @param temperature the total weight of the divergence, {@code strength} and the multiplier of
   *     its budget
   * @param multipliers of the bounds, in their order; not negative except for equalities
   * @param normalisers {@code nu} per prompt, in {@code pi = ref (f')^-1((reward - nu) /
   *     temperature)}
   * @param divergence the mean divergence
   */
  record Solution(
      List<double[]> logProbabilities,
      double temperature,
      double[] multipliers,
      double[] normalisers,
      double divergence) {
    /** The multiplier of the divergence budget; 0 where it does not bind. */
    double budgetMultiplier(RegularisedProblem problem) {
      return temperature - problem.strength();
    }
  }
}
