package org.alignlang.runtime.policy;

/**
 * A distribution over responses, one token at a time: given a prompt and the tokens so far it gives
 * logits over the vocabulary, and takes back the gradient with respect to them.
 *
 * <p>Implementations hold their parameters in one flat array, which the optimiser updates in place.
 */
public interface Policy {

  /** The number of tokens. */
  int vocabulary();

  /** The live parameters, flat. */
  double[] parameters();

  /**
   * Next-token logits.
   *
   * @param prompt the prompt's number
   * @param tokens the response so far; only the first {@code length} entries are read
   * @param length how many tokens precede the one asked for
   * @param logits receives {@code vocabulary()} logits
   */
  void logits(int prompt, int[] tokens, int length, double[] logits);

  /**
   * Adds the gradient of a loss with respect to the parameters, given its gradient with respect to
   * the logits that {@link #logits} returns for the same arguments.
   */
  void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient);

  /** A copy with its own parameters, for snapshots and frozen references. */
  Policy copy();
}
