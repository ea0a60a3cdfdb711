package org.alignlang.runtime.task;

import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * Fixed random features of a vector, {@code phi_j(x) = max(0, w_j . x + b_j) sqrt(2 / count)}, with
 * {@code w_j} normal with variance 1 / inputs and {@code b_j} standard normal. What is linear in
 * them bends where data was, and runs on in straight lines where there was none, in a direction
 * that the draw decides.
 *
 * <p>Source: Rahimi and Recht, "Random Features for Large-Scale Kernel Machines", 2007; with
 * rectified linear units Cho and Saul, "Kernel Methods for Deep Learning", 2009.
 *
 * @param weights {@code [count][inputs]}
 * @param biases {@code [count]}
 */
record RandomFeatures(double[][] weights, double[] biases) {

  /** Draws the features of vectors of a length. */
  static RandomFeatures draw(int inputs, int count, CounterRandom random) {
    ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
    double[][] weights = new double[count][inputs];
    double[] biases = new double[count];
    for (int j = 0; j < count; j++) {
      for (int i = 0; i < inputs; i++) {
        weights[j][i] = normal.sample() / Math.sqrt(inputs);
      }
      biases[j] = normal.sample();
    }
    return new RandomFeatures(weights, biases);
  }

  /** The features of a vector, {@code [count]}. */
  double[] of(double[] x) {
    double scale = Math.sqrt(2.0 / biases.length);
    double[] features = new double[biases.length];
    for (int j = 0; j < features.length; j++) {
      double sum = biases[j];
      for (int i = 0; i < x.length; i++) {
        sum += weights[j][i] * x[i];
      }
      features[j] = Math.max(0, sum) * scale;
    }
    return features;
  }
}
