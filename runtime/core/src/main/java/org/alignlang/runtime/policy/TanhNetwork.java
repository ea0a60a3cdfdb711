package org.alignlang.runtime.policy;

import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * A fully connected network, tanh between layers and linear at the end, over a slice of a flat
 * parameter array: for each layer the weights {@code [outputs, inputs]}, then the biases {@code
 * [outputs]}.
 */
record TanhNetwork(int offset, int[] sizes) {

  /** How many parameters the slice has. */
  int parameterCount() {
    int count = 0;
    for (int layer = 1; layer < sizes.length; layer++) {
      count = Math.addExact(count, Math.multiplyExact(sizes[layer], sizes[layer - 1] + 1));
    }
    return count;
  }

  /**
   * Fills the slice: weights normal with variance 1 / inputs, biases 0.
   *
   * @param lastScale factor on the last layer's weights; with 0 the network's outputs start at 0
   *     while the gradient still reaches that layer
   */
  void initialise(double[] parameters, CounterRandom random, double lastScale) {
    ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
    int at = offset;
    for (int layer = 1; layer < sizes.length; layer++) {
      double scale = (layer == sizes.length - 1 ? lastScale : 1) / Math.sqrt(sizes[layer - 1]);
      int weights = sizes[layer] * sizes[layer - 1];
      for (int i = 0; i < weights; i++) {
        parameters[at + i] = scale * normal.sample();
      }
      at += weights + sizes[layer];
    }
  }

  /** The outputs of all layers, the input first; the last entry is the network's output. */
  double[][] forward(double[] parameters, double[] input) {
    double[][] outputs = new double[sizes.length][];
    outputs[0] = input;
    int at = offset;
    for (int layer = 1; layer < sizes.length; layer++) {
      int inputs = sizes[layer - 1];
      int biases = at + sizes[layer] * inputs;
      double[] out = new double[sizes[layer]];
      for (int o = 0; o < out.length; o++) {
        double sum = parameters[biases + o];
        int row = at + o * inputs;
        for (int i = 0; i < inputs; i++) {
          sum += parameters[row + i] * outputs[layer - 1][i];
        }
        out[o] = layer == sizes.length - 1 ? sum : Math.tanh(sum);
      }
      outputs[layer] = out;
      at = biases + out.length;
    }
    return outputs;
  }

  /** How many numbers the layer before the output has. */
  int lastHidden() {
    return sizes[sizes.length - 2];
  }

  /** The numbers of the layer before the output, of what {@link #forward} returned. */
  static double[] lastHidden(double[][] outputs) {
    return outputs[outputs.length - 2];
  }

  /**
   * As {@link #backward}, from a gradient with respect to the layer before the output; with it the
   * last layer's parameters have none.
   */
  double[] backwardHidden(
      double[] parameters,
      double[][] outputs,
      double[] hiddenGradient,
      double[] parameterGradient) {
    int last = sizes.length - 1;
    double[] gradient = hiddenGradient.clone();
    for (int i = 0; i < gradient.length; i++) {
      gradient[i] *= 1 - outputs[last - 1][i] * outputs[last - 1][i];
    }
    int end = offset + parameterCount() - sizes[last] * (sizes[last - 1] + 1);
    return backward(last - 1, end, parameters, outputs, gradient, parameterGradient);
  }

  /**
   * Adds the gradient with respect to the parameters and returns the one with respect to the input.
   *
   * @param outputs what {@link #forward} returned
   * @param outputGradient the gradient with respect to the last layer's output
   */
  double[] backward(
      double[] parameters,
      double[][] outputs,
      double[] outputGradient,
      double[] parameterGradient) {
    return backward(
        sizes.length - 1,
        offset + parameterCount(),
        parameters,
        outputs,
        outputGradient,
        parameterGradient);
  }

  /** Goes back from a layer, whose parameters end at {@code end}, before its tanh. */
  private double[] backward(
      int from,
      int end,
      double[] parameters,
      double[][] outputs,
      double[] fromGradient,
      double[] parameterGradient) {
    double[] gradient = fromGradient;
    for (int layer = from; layer >= 1; layer--) {
      int inputs = sizes[layer - 1];
      int biases = end - sizes[layer];
      int start = biases - sizes[layer] * inputs;
      double[] below = new double[inputs];
      for (int o = 0; o < sizes[layer]; o++) {
        double g = gradient[o];
        if (g == 0) {
          continue;
        }
        int row = start + o * inputs;
        parameterGradient[biases + o] += g;
        for (int i = 0; i < inputs; i++) {
          parameterGradient[row + i] += g * outputs[layer - 1][i];
          below[i] += g * parameters[row + i];
        }
      }
      if (layer > 1) {
        for (int i = 0; i < inputs; i++) {
          below[i] *= 1 - outputs[layer - 1][i] * outputs[layer - 1][i];
        }
      }
      gradient = below;
      end = start;
    }
    return gradient;
  }
}
