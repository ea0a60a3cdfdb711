package org.alignlang.runtime.process;

/**
 * The exact gradient of an occupancy functional with respect to the logits of a softmax policy, and
 * the natural gradient.
 *
 * <p>With {@code r = dF/dmu}, {@code A} the advantage of the policy under {@code r} and {@code d}
 * the normalised occupancy of the states, {@code dF/dtheta(s, a) = d(s) pi(a | s) A(s, a)}: the
 * policy gradient theorem (Sutton et al. 2000) with the normalisation {@code 1 - g} in {@code F}.
 * The natural gradient, that is the gradient times the inverse of the Fisher matrix {@code
 * E_mu[grad log pi grad log pi']}, is {@code A(s, a)} itself (Kakade 2001).
 */
public final class OccupancyGradient {
  private OccupancyGradient() {}

  /**
   * The gradient with respect to the logits, {@code [S][A]}.
   *
   * @param logits {@code [S][A]}
   */
  public static double[][] exact(
      DecisionProcess process, double[][] logits, OccupancyFunctional functional) {
    double[][] policy = Tables.softmax(logits);
    double[][] occupancy = Occupancy.pairs(process, policy);
    double[][] gradient = Evaluation.advantages(process, policy, functional.derivative(occupancy));
    for (int s = 0; s < gradient.length; s++) {
      for (int a = 0; a < gradient[s].length; a++) {
        gradient[s][a] *= occupancy[s][a];
      }
    }
    return gradient;
  }

  /** The natural gradient, {@code [S][A]}: the advantage under the pseudo-reward. */
  public static double[][] natural(
      DecisionProcess process, double[][] logits, OccupancyFunctional functional) {
    double[][] policy = Tables.softmax(logits);
    return Evaluation.advantages(
        process, policy, functional.derivative(Occupancy.pairs(process, policy)));
  }

  /**
   * Natural gradient ascent from given logits; a step of size {@code rate} multiplies the policy by
   * {@code exp(rate A)}.
   *
   * @return the logits after {@code steps} steps
   */
  public static double[][] ascend(
      DecisionProcess process,
      double[][] logits,
      OccupancyFunctional functional,
      double rate,
      int steps) {
    double[][] current = Tables.copy(logits);
    for (int step = 0; step < steps; step++) {
      double[][] direction = natural(process, current, functional);
      for (int s = 0; s < current.length; s++) {
        for (int a = 0; a < current[s].length; a++) {
          current[s][a] += rate * direction[s][a];
        }
      }
    }
    return current;
  }
}
