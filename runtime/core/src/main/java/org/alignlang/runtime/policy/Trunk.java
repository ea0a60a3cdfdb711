package org.alignlang.runtime.policy;

import java.util.Optional;

/** A policy's network up to its last hidden layer, on which other outputs may stand. */
public interface Trunk {

  /** How many numbers the last hidden layer has. */
  int width();

  /** The numbers of the last hidden layer, after the arguments of {@link Policy#logits}. */
  double[] hidden(int prompt, int[] tokens, int length);

  /**
   * Adds the gradient of a loss with respect to the policy's parameters, given its gradient with
   * respect to what {@link #hidden} returns for the same arguments.
   */
  void backwardHidden(
      int prompt, int[] tokens, int length, double[] hiddenGradient, double[] parameterGradient);

  /** The trunk of a policy, if its network has a hidden layer that is one per state. */
  static Optional<Trunk> of(Policy policy) {
    return switch (policy) {
      case Residual residual -> of(residual.own());
      case MultilayerPerceptron network -> network.trunk();
      case Autoregressive network -> Optional.of(network);
      default -> Optional.empty();
    };
  }
}
