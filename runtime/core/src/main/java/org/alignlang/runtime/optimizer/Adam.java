package org.alignlang.runtime.optimizer;

/**
 * Adam with bias correction, decoupled weight decay (AdamW) and an optional bound on the gradient's
 * Euclidean norm. Bias correction counts the steps that this optimiser has made.
 *
 * <p>Sources: Kingma and Ba, "Adam", ICLR 2015, algorithm 1; Loshchilov and Hutter, "Decoupled
 * Weight Decay Regularization", ICLR 2019.
 */
public final class Adam implements Optimizer {
  private final Schedule rate;
  private final double beta1;
  private final double beta2;
  private final double epsilon;
  private final double weightDecay;
  private final double clipNorm;
  private long steps;
  private double[] first = new double[0];
  private double[] second = new double[0];

  /**
   * Creates the optimiser.
   *
   * @param rate the step size
   * @param beta1 decay of the mean of gradients, from 0 inclusive to 1 exclusive
   * @param beta2 decay of the mean of squared gradients, from 0 inclusive to 1 exclusive
   * @param epsilon added to the root of the second moment, above 0
   * @param weightDecay the pull of the parameters towards 0, at least 0
   * @param clipNorm gradients of a larger norm are scaled down to it; infinite for none
   */
  public Adam(
      Schedule rate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      double clipNorm) {
    this.rate = rate;
    this.beta1 = beta1;
    this.beta2 = beta2;
    this.epsilon = epsilon;
    this.weightDecay = weightDecay;
    this.clipNorm = clipNorm;
  }

  @Override
  public void step(double[] parameters, double[] gradient, long step) {
    Optimizer.requireFinite(gradient, step);
    if (first.length == 0) {
      first = new double[parameters.length];
      second = new double[parameters.length];
    }
    steps++;
    double norm = norm(gradient);
    double scale = norm > clipNorm ? clipNorm / norm : 1;
    double size = rate.at(step);
    double correction1 = 1 - Math.pow(beta1, steps);
    double correction2 = 1 - Math.pow(beta2, steps);
    for (int i = 0; i < parameters.length; i++) {
      double g = scale * gradient[i];
      first[i] = beta1 * first[i] + (1 - beta1) * g;
      second[i] = beta2 * second[i] + (1 - beta2) * g * g;
      double direction = (first[i] / correction1) / (Math.sqrt(second[i] / correction2) + epsilon);
      parameters[i] -= size * (direction + weightDecay * parameters[i]);
    }
  }

  /** The number of steps, the first moments, the second moments. */
  @Override
  public double[] state() {
    if (steps == 0) {
      return new double[0];
    }
    double[] state = new double[1 + 2 * first.length];
    state[0] = steps;
    System.arraycopy(first, 0, state, 1, first.length);
    System.arraycopy(second, 0, state, 1 + first.length, second.length);
    return state;
  }

  @Override
  public void restore(double[] state) {
    if (state.length > 0 && state.length % 2 == 0) {
      throw new IllegalArgumentException("this is not the state of adam: its length is even");
    }
    int size = state.length / 2;
    steps = state.length == 0 ? 0 : (long) state[0];
    first = new double[size];
    second = new double[size];
    if (size > 0) {
      System.arraycopy(state, 1, first, 0, size);
      System.arraycopy(state, 1 + size, second, 0, size);
    }
  }

  /** The Euclidean norm, scaled so that squares neither overflow nor vanish. */
  private static double norm(double[] gradient) {
    double largest = 0;
    for (double g : gradient) {
      largest = Math.max(largest, Math.abs(g));
    }
    if (largest == 0) {
      return 0;
    }
    double sum = 0;
    for (double g : gradient) {
      sum += (g / largest) * (g / largest);
    }
    return largest * Math.sqrt(sum);
  }
}
