package org.alignlang.runtime.policy;

/**
 * A policy that starts from another one: its logits are {@code base + own}. The base is frozen; the
 * parameters are those of {@code own}, so a policy whose own logits start at 0 starts at the base's
 * distribution, and weight decay pulls towards the base.
 */
public final class Residual implements Policy {
  private final Policy base;
  private final Policy own;

  /**
   * Adds trained logits to a fixed policy.
   *
   * @throws IllegalArgumentException if the vocabularies differ
   */
  public Residual(Policy base, Policy own) {
    if (base.vocabulary() != own.vocabulary()) {
      throw new IllegalArgumentException(
          "a policy over %d tokens cannot start from one over %d"
              .formatted(own.vocabulary(), base.vocabulary()));
    }
    this.base = Frozen.of(base);
    this.own = own;
  }

  /** The fixed part. */
  public Policy base() {
    return base;
  }

  /** The trained part. */
  public Policy own() {
    return own;
  }

  @Override
  public int vocabulary() {
    return own.vocabulary();
  }

  @Override
  public double[] parameters() {
    return own.parameters();
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] logits) {
    own.logits(prompt, tokens, length, logits);
    double[] start = new double[vocabulary()];
    base.logits(prompt, tokens, length, start);
    for (int v = 0; v < start.length; v++) {
      logits[v] += start[v];
    }
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    own.backward(prompt, tokens, length, logitGradient, parameterGradient);
  }

  @Override
  public Policy copy() {
    return new Residual(base, own.copy());
  }
}
