package org.alignlang.runtime.optimizer;

/**
 * Stochastic gradient descent with heavy-ball momentum and decoupled weight decay: {@code m =
 * momentum * m + g}, {@code p = p - rate * (m + weightDecay * p)}.
 */
public final class Sgd implements Optimizer {
  private final Schedule rate;
  private final double momentum;
  private final double weightDecay;
  private double[] velocity = new double[0];

  /**
   * Creates the optimiser.
   *
   * @param rate the step size
   * @param momentum from 0 inclusive to 1 exclusive
   * @param weightDecay the pull of the parameters towards 0, at least 0
   */
  public Sgd(Schedule rate, double momentum, double weightDecay) {
    this.rate = rate;
    this.momentum = momentum;
    this.weightDecay = weightDecay;
  }

  @Override
  public void step(double[] parameters, double[] gradient, long step) {
    Optimizer.requireFinite(gradient, step);
    if (velocity.length == 0) {
      velocity = new double[parameters.length];
    }
    double size = rate.at(step);
    for (int i = 0; i < parameters.length; i++) {
      velocity[i] = momentum * velocity[i] + gradient[i];
      parameters[i] -= size * (velocity[i] + weightDecay * parameters[i]);
    }
  }

  @Override
  public double[] state() {
    return velocity.clone();
  }

  @Override
  public void restore(double[] state) {
    velocity = state.clone();
  }
}
