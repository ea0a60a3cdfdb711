package org.alignlang.runtime.policy;

/**
 * One number that stands on the last hidden layer of a policy's network, linear in it, in the shape
 * of a policy over one token. Its own parameters are the weights, then the bias, all 0 at first;
 * the hidden layers are the policy's, and go on being trained with it.
 */
public final class TrunkOutput implements Policy {
  private final Policy policy;
  private final Trunk trunk;
  private final double[] parameters;

  private TrunkOutput(Policy policy, Trunk trunk, double[] parameters) {
    this.policy = policy;
    this.trunk = trunk;
    this.parameters = parameters;
  }

  /**
   * An output on a policy, whose parameters it reads as they are by then.
   *
   * @throws IllegalArgumentException if the policy's network has no hidden layer that is one per
   *     state
   */
  public static TrunkOutput on(Policy policy) {
    Trunk trunk =
        Trunk.of(policy)
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "`head()` stands on the hidden layer of the policy, and this one has none that"
                        + " is one per state: `policy mlp(features = \"state\")` and"
                        + " `autoregressive()` do"));
    return new TrunkOutput(policy, trunk, new double[trunk.width() + 1]);
  }

  /** Whether it stands on this very policy. */
  public boolean standsOn(Policy other) {
    return policy == other;
  }

  /** The parameters of the policy that it stands on, live. */
  public double[] trunkParameters() {
    return policy.parameters();
  }

  @Override
  public int vocabulary() {
    return 1;
  }

  @Override
  public double[] parameters() {
    return parameters;
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] logits) {
    double[] hidden = trunk.hidden(prompt, tokens, length);
    double sum = parameters[hidden.length];
    for (int i = 0; i < hidden.length; i++) {
      sum += parameters[i] * hidden[i];
    }
    logits[0] = sum;
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    double[] hidden = trunk.hidden(prompt, tokens, length);
    for (int i = 0; i < hidden.length; i++) {
      parameterGradient[i] += logitGradient[0] * hidden[i];
    }
    parameterGradient[hidden.length] += logitGradient[0];
  }

  /** Adds the gradient with respect to the parameters of the policy that it stands on. */
  public void backwardTrunk(
      int prompt, int[] tokens, int length, double gradient, double[] policyGradient) {
    if (gradient != 0) {
      double[] hidden = new double[trunk.width()];
      for (int i = 0; i < hidden.length; i++) {
        hidden[i] = gradient * parameters[i];
      }
      trunk.backwardHidden(prompt, tokens, length, hidden, policyGradient);
    }
  }

  /** A copy with parameters of its own, on a copy of the policy. */
  @Override
  public TrunkOutput copy() {
    TrunkOutput copy = on(policy.copy());
    System.arraycopy(parameters, 0, copy.parameters, 0, parameters.length);
    return copy;
  }
}
