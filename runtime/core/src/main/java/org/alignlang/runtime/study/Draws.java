package org.alignlang.runtime.study;

import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/** What studies draw at random. */
final class Draws {
  private Draws() {}

  /** Normal numbers of a standard deviation. */
  static double[] normals(CounterRandom random, int count, double scale) {
    ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
    double[] drawn = new double[count];
    for (int i = 0; i < count; i++) {
      drawn[i] = scale * normal.sample();
    }
    return drawn;
  }

  /** A table of normal numbers. */
  static double[][] normals(CounterRandom random, int rows, int columns, double scale) {
    return ProcessArgument.rows(normals(random, rows * columns, scale), columns);
  }

  /** An index with the probabilities given. */
  static int index(CounterRandom random, double[] probabilities) {
    double u = random.nextDouble();
    for (int i = 0; i < probabilities.length; i++) {
      u -= probabilities[i];
      if (u < 0) {
        return i;
      }
    }
    // Rounding left a remainder: the last index that can be drawn at all.
    int last = probabilities.length - 1;
    while (last > 0 && probabilities[last] == 0) {
      last--;
    }
    return last;
  }

  /** The state after an action. */
  static int next(DecisionProcess process, int state, int action, CounterRandom random) {
    double u = random.nextDouble();
    int last = process.successors(state, action) - 1;
    for (int i = 0; i < last; i++) {
      u -= process.probability(state, action, i);
      if (u < 0) {
        return process.successor(state, action, i);
      }
    }
    return process.successor(state, action, last);
  }
}
