package org.alignlang.runtime.policy;

/** A policy as a fixed distribution: it has no parameters and takes no gradient. */
public final class Frozen implements Policy {
  private final Policy distribution;

  private Frozen(Policy distribution) {
    this.distribution = distribution;
  }

  /** Freezes a copy of a policy. */
  public static Policy of(Policy policy) {
    return policy instanceof Frozen ? policy : new Frozen(policy.copy());
  }

  @Override
  public int vocabulary() {
    return distribution.vocabulary();
  }

  @Override
  public double[] parameters() {
    return new double[0];
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] logits) {
    distribution.logits(prompt, tokens, length, logits);
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    // Nothing is trained here, so the gradient ends.
  }

  /** Returns this policy: it never changes. */
  @Override
  public Policy copy() {
    return this;
  }
}
