package org.alignlang.runtime.optimizer;

/** Moves parameters against the gradient of a loss. */
public interface Optimizer {

  /**
   * Updates the parameters in place.
   *
   * @param parameters the live parameters
   * @param gradient the gradient of the minimised loss; it is only read
   * @param step the number of the step from 0, for the schedule of the rate
   * @throws ArithmeticException if an entry of the gradient is not finite
   */
  void step(double[] parameters, double[] gradient, long step);

  /** What must be kept to go on to the same bits; empty before the first step. */
  double[] state();

  /**
   * Continues from a state that {@link #state} returned.
   *
   * @throws IllegalArgumentException if the state is not one of this optimiser
   */
  void restore(double[] state);

  /** Refuses a gradient with a NaN or an infinity in it. */
  static void requireFinite(double[] gradient, long step) {
    for (int i = 0; i < gradient.length; i++) {
      if (!Double.isFinite(gradient[i])) {
        throw new ArithmeticException(
            "at step %d the gradient of parameter %d is %s".formatted(step, i, gradient[i]));
      }
    }
  }
}
