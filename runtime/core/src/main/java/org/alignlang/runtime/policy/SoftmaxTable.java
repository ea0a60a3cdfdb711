package org.alignlang.runtime.policy;

import java.util.Arrays;

/**
 * One row of logits per state (prompt and prefix): every distribution over the responses can be
 * reached. Row {@code prompt * prefixes + sum_(t < length) V^t + (the prefix as a number in base
 * V)}; states behind an end token have rows that are never visited.
 *
 * <p>Parameters: {@code [states, vocabulary]}, logits in nats.
 */
public final class SoftmaxTable implements Policy {
  /**
   * The most logits a table may hold: 32 MiB of numbers, and as much again per optimiser moment.
   */
  public static final int MAXIMUM_LOGITS = 1 << 22;

  private final int vocabulary;
  private final int prefixes;
  private final int[] firstOfLength;
  private final double[] logits;

  private SoftmaxTable(int vocabulary, int prefixes, int[] firstOfLength, double[] logits) {
    this.vocabulary = vocabulary;
    this.prefixes = prefixes;
    this.firstOfLength = firstOfLength;
    this.logits = logits;
  }

  /**
   * A table of zeros, the uniform distribution in every state.
   *
   * @param prompts how many prompts there are
   * @param vocabulary how many tokens there are
   * @param maximumLength the longest response, in tokens
   * @throws IllegalArgumentException if it would hold more than {@link #MAXIMUM_LOGITS} logits
   */
  public static SoftmaxTable zeros(int prompts, int vocabulary, int maximumLength) {
    int[] firstOfLength = new int[maximumLength];
    long prefixes = 0;
    long ofLength = 1;
    for (int t = 0; t < maximumLength; t++) {
      firstOfLength[t] = (int) prefixes;
      prefixes += ofLength;
      if (prefixes * prompts * vocabulary > MAXIMUM_LOGITS) {
        throw new IllegalArgumentException(
            ("a softmax table for %d prompts, %d tokens and responses of up to %d tokens needs more"
                    + " than %d logits; use policy `autoregressive`, or a shorter task")
                .formatted(prompts, vocabulary, maximumLength, MAXIMUM_LOGITS));
      }
      ofLength *= vocabulary;
    }
    return new SoftmaxTable(
        vocabulary,
        (int) prefixes,
        firstOfLength,
        new double[(int) (prompts * prefixes * vocabulary)]);
  }

  /** A table over one-token responses with the given logits, one row per prompt. */
  public static SoftmaxTable of(double[][] rows) {
    SoftmaxTable table = zeros(rows.length, rows[0].length, 1);
    for (int prompt = 0; prompt < rows.length; prompt++) {
      System.arraycopy(rows[prompt], 0, table.logits, prompt * table.vocabulary, table.vocabulary);
    }
    return table;
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public double[] parameters() {
    return logits;
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] out) {
    System.arraycopy(logits, start(prompt, tokens, length), out, 0, vocabulary);
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    int start = start(prompt, tokens, length);
    for (int v = 0; v < vocabulary; v++) {
      parameterGradient[start + v] += logitGradient[v];
    }
  }

  @Override
  public Policy copy() {
    return new SoftmaxTable(
        vocabulary, prefixes, firstOfLength, Arrays.copyOf(logits, logits.length));
  }

  private int start(int prompt, int[] tokens, int length) {
    int prefix = 0;
    for (int t = 0; t < length; t++) {
      prefix = prefix * vocabulary + tokens[t];
    }
    return (prompt * prefixes + firstOfLength[length] + prefix) * vocabulary;
  }
}
