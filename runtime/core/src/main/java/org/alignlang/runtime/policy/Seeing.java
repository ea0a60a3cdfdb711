package org.alignlang.runtime.policy;

/**
 * A policy that sees a part of the state only: its row for a state is the own policy's for what is
 * seen there. The parameters are those of the own policy.
 */
public final class Seeing implements Policy {
  private final Policy own;
  private final int[] seen;

  /**
   * Lets a policy see.
   *
   * @param own over what is seen, as prompts
   * @param seen the number of what is seen, for each state
   */
  public Seeing(Policy own, int[] seen) {
    this.own = own;
    this.seen = seen.clone();
  }

  /** The policy over what is seen. */
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
    own.logits(seen[prompt], tokens, length, logits);
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    own.backward(seen[prompt], tokens, length, logitGradient, parameterGradient);
  }

  @Override
  public Policy copy() {
    return new Seeing(own.copy(), seen);
  }
}
