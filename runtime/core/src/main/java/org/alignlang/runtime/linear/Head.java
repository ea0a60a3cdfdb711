package org.alignlang.runtime.linear;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The last layer of a model: {@code logits[t, v] = sum over h of hidden[t, h] weights[v, h]}. */
public final class Head {
  private final float[] weights;
  private final int vocabulary;
  private final int width;
  private final float @Nullable [] gradient;

  /**
   * A head.
   *
   * @param weights [vocabulary, width], row by row
   * @param trained whether its gradient is wanted
   * @throws IllegalArgumentException if there are not as many weights, or this Java was started
   *     without the Vector API, which makes logits of them
   */
  public Head(float[] weights, int vocabulary, int width, boolean trained) {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      throw new IllegalArgumentException(
          "logits of hidden states need a Java that was started with"
              + " --add-modules=jdk.incubator.vector");
    }
    if (weights.length != (long) vocabulary * width) {
      throw new IllegalArgumentException(
          weights.length + " weights for a head of [" + vocabulary + ", " + width + "]");
    }
    this.weights = weights;
    this.vocabulary = vocabulary;
    this.width = width;
    gradient = trained ? new float[weights.length] : null;
  }

  /** The weights, [vocabulary, width]. */
  public float[] weights() {
    return weights;
  }

  /** How many logits a token has. */
  public int vocabulary() {
    return vocabulary;
  }

  /** How many numbers a hidden state has. */
  public int width() {
    return width;
  }

  /** Makes the gradient 0, for another evaluation. */
  public void clear() {
    if (gradient != null) {
      Arrays.fill(gradient, 0);
    }
  }

  /** The sum of the gradients of all logits that were made with it, [vocabulary, width]. */
  public float @Nullable [] gradient() {
    return gradient;
  }
}
