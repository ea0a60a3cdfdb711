package org.alignlang.runtime.policy;

import java.util.Arrays;

/**
 * One number per state (prompt and prefix, complete responses included): every function of the
 * states can be reached. It has the shape of a policy over one token, whose only logit is the
 * number.
 *
 * <p>Entry {@code prompt * prefixes + sum_(t < length) V^t + (the prefix as a number in base V)}.
 */
public final class StateTable implements Policy {
  private final int vocabulary;
  private final int prefixes;
  private final double[] values;

  private StateTable(int vocabulary, int prefixes, double[] values) {
    this.vocabulary = vocabulary;
    this.prefixes = prefixes;
    this.values = values;
  }

  /**
   * A table of one value everywhere.
   *
   * @param prompts how many prompts there are
   * @param vocabulary how many tokens there are
   * @param maximumLength the longest prefix, in tokens
   * @throws IllegalArgumentException if it would hold more than {@link SoftmaxTable#MAXIMUM_LOGITS}
   *     numbers
   */
  public static StateTable filled(int prompts, int vocabulary, int maximumLength, double value) {
    long prefixes = 0;
    long ofLength = 1;
    for (int t = 0; t <= maximumLength; t++) {
      prefixes += ofLength;
      if (prefixes * prompts > SoftmaxTable.MAXIMUM_LOGITS) {
        throw new IllegalArgumentException(
            ("a table of states for %d prompts, %d tokens and responses of up to %d tokens needs"
                    + " more than %d numbers; use `linear` or `mlp`, or a shorter task")
                .formatted(prompts, vocabulary, maximumLength, SoftmaxTable.MAXIMUM_LOGITS));
      }
      ofLength *= vocabulary;
    }
    double[] values = new double[(int) (prompts * prefixes)];
    Arrays.fill(values, value);
    return new StateTable(vocabulary, (int) prefixes, values);
  }

  @Override
  public int vocabulary() {
    return 1;
  }

  @Override
  public double[] parameters() {
    return values;
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] out) {
    out[0] = values[index(prompt, tokens, length)];
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    parameterGradient[index(prompt, tokens, length)] += logitGradient[0];
  }

  @Override
  public Policy copy() {
    return new StateTable(vocabulary, prefixes, values.clone());
  }

  private int index(int prompt, int[] tokens, int length) {
    int first = 0;
    int prefix = 0;
    int ofLength = 1;
    for (int t = 0; t < length; t++) {
      first += ofLength;
      ofLength *= vocabulary;
      prefix = prefix * vocabulary + tokens[t];
    }
    return prompt * prefixes + first + prefix;
  }
}
