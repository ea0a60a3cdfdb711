package org.alignlang.runtime.task;

import org.alignlang.runtime.policy.Policy;

/**
 * A fixed policy whose next token depends on the prompt and the token before it: what tasks over
 * tokens use as their base policy. It has no parameters.
 */
final class MarkovPolicy implements Policy {
  private final double[][][] logits;
  private final int vocabulary;

  /**
   * Takes the logits over.
   *
   * @param logits {@code [prompts][vocabulary + 1][vocabulary]}; the last row of a prompt is for
   *     the first token
   */
  MarkovPolicy(double[][][] logits) {
    this.logits = logits;
    vocabulary = logits[0][0].length;
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public double[] parameters() {
    return new double[0];
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] out) {
    int before = length == 0 ? vocabulary : tokens[length - 1];
    System.arraycopy(logits[prompt][before], 0, out, 0, vocabulary);
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
