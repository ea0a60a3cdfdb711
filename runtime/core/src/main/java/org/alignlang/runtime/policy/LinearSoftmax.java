package org.alignlang.runtime.policy;

import java.util.Arrays;

/**
 * Logits that are linear in features. Over action features {@code phi(state, token)} one weight
 * vector scores every token, {@code logit = w . phi}; over state features {@code x} each token has
 * its own, {@code logit = W[token] . x}.
 *
 * <p>Parameters: {@code [dimension]} over action features, {@code [vocabulary, dimension]} over
 * state features; they start at 0.
 */
public final class LinearSoftmax implements Policy {
  private final Features features;
  private final int vocabulary;
  private final double[] weights;

  private LinearSoftmax(Features features, int vocabulary, double[] weights) {
    this.features = features;
    this.vocabulary = vocabulary;
    this.weights = weights;
  }

  /** Weights of 0, the uniform distribution in every state. */
  public static LinearSoftmax zeros(Features features, int vocabulary) {
    int size =
        switch (features) {
          case Features.OfAction action -> action.dimension();
          case Features.OfState state -> Math.multiplyExact(state.dimension(), vocabulary);
        };
    return new LinearSoftmax(features, vocabulary, new double[size]);
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public double[] parameters() {
    return weights;
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] logits) {
    switch (features) {
      case Features.OfAction action -> {
        double[][] rows = action.at(prompt, tokens, length);
        for (int v = 0; v < vocabulary; v++) {
          logits[v] = dot(weights, 0, rows[v]);
        }
      }
      case Features.OfState state -> {
        double[] x = state.at(prompt, tokens, length);
        for (int v = 0; v < vocabulary; v++) {
          logits[v] = dot(weights, v * x.length, x);
        }
      }
    }
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    switch (features) {
      case Features.OfAction action -> {
        double[][] rows = action.at(prompt, tokens, length);
        for (int v = 0; v < vocabulary; v++) {
          add(logitGradient[v], rows[v], parameterGradient, 0);
        }
      }
      case Features.OfState state -> {
        double[] x = state.at(prompt, tokens, length);
        for (int v = 0; v < vocabulary; v++) {
          add(logitGradient[v], x, parameterGradient, v * x.length);
        }
      }
    }
  }

  @Override
  public Policy copy() {
    return new LinearSoftmax(features, vocabulary, Arrays.copyOf(weights, weights.length));
  }

  private static double dot(double[] weights, int offset, double[] x) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += weights[offset + i] * x[i];
    }
    return sum;
  }

  private static void add(double factor, double[] x, double[] target, int offset) {
    if (factor != 0) {
      for (int i = 0; i < x.length; i++) {
        target[offset + i] += factor * x[i];
      }
    }
  }
}
