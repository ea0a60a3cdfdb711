package org.alignlang.runtime.metric;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * How far two lists of numbers agree, number by number. Weights are probabilities of the places,
 * not negative; NaN where a measure is not defined, as for a constant list.
 */
public final class Agreement {
  /** The longest lists that are compared pair by pair. */
  public static final int MOST_PAIRED = 8192;

  private Agreement() {}

  /** Weights that count every place alike. */
  public static double[] alike(int count) {
    double[] weights = new double[count];
    Arrays.fill(weights, 1.0 / count);
    return weights;
  }

  /** Pearson's correlation. */
  public static double correlation(double[] x, double[] y, double[] weights) {
    double total = Arrays.stream(weights).sum();
    double meanX = dot(x, weights) / total;
    double meanY = dot(y, weights) / total;
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (int i = 0; i < x.length; i++) {
      xx += weights[i] * (x[i] - meanX) * (x[i] - meanX);
      yy += weights[i] * (y[i] - meanY) * (y[i] - meanY);
      xy += weights[i] * (x[i] - meanX) * (y[i] - meanY);
    }
    return xx > 0 && yy > 0 ? xy / Math.sqrt(xx * yy) : Double.NaN;
  }

  /** Spearman's rank correlation: Pearson's of the ranks, ties at their middle rank. */
  public static double spearman(double[] x, double[] y, double[] weights) {
    return correlation(ranks(x, weights), ranks(y, weights), weights);
  }

  /** The weight below each number and half of that of its equals. */
  private static double[] ranks(double[] x, double[] weights) {
    Integer[] order = IntStream.range(0, x.length).boxed().toArray(Integer[]::new);
    Arrays.sort(order, Comparator.comparingDouble(i -> x[i]));
    double[] ranks = new double[x.length];
    double below = 0;
    for (int from = 0; from < order.length; ) {
      int to = from;
      double equal = 0;
      while (to < order.length && x[order[to]] == x[order[from]]) {
        equal += weights[order[to++]];
      }
      for (int i = from; i < to; i++) {
        ranks[order[i]] = below + equal / 2;
      }
      below += equal;
      from = Math.max(to, from + 1);
    }
    return ranks;
  }

  /** Kendall's tau-b: pairs in the same order less pairs in opposite order, ties taken out. */
  public static double kendall(double[] x, double[] y, double[] weights) {
    if (x.length > MOST_PAIRED) {
      throw new IllegalArgumentException(
          "Kendall's tau compares all pairs of at most %d numbers, not of %d; `spearman` has no"
                  .formatted(MOST_PAIRED, x.length)
              + " such bound");
    }
    double agree = 0;
    double inX = 0;
    double inY = 0;
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < i; j++) {
        double weight = weights[i] * weights[j];
        double dx = Math.signum(x[i] - x[j]);
        double dy = Math.signum(y[i] - y[j]);
        agree += weight * dx * dy;
        inX += weight * dx * dx;
        inY += weight * dy * dy;
      }
    }
    return inX > 0 && inY > 0 ? agree / Math.sqrt(inX * inY) : Double.NaN;
  }

  /**
   * The Jaccard overlap of the places of the {@code top} largest numbers of each list: common
   * places over places in either. What equals the last that counts does count.
   */
  public static double overlap(double[] x, double[] y, int top) {
    if (top > x.length) {
      throw new IllegalArgumentException(
          "the top %d of %d numbers are asked for".formatted(top, x.length));
    }
    double leastX = Arrays.stream(x).sorted().toArray()[x.length - top];
    double leastY = Arrays.stream(y).sorted().toArray()[y.length - top];
    long both = IntStream.range(0, x.length).filter(i -> x[i] >= leastX && y[i] >= leastY).count();
    long either =
        IntStream.range(0, x.length).filter(i -> x[i] >= leastX || y[i] >= leastY).count();
    return (double) both / either;
  }

  /**
   * The expected calibration error of predicted probabilities (Naeini et al. 2015): predictions are
   * put into bins of equal width, and the distances of the mean prediction from the mean outcome
   * are averaged by the weight of the bins.
   *
   * @param predicted from 0 to 1
   * @param outcome from 0 to 1: what came, or how often it comes
   */
  public static double calibrationError(
      double[] predicted, double[] outcome, double[] weights, int bins) {
    double[] excess = new double[bins];
    for (int i = 0; i < predicted.length; i++) {
      if (weights[i] > 0 && !(predicted[i] >= 0 && predicted[i] <= 1)) {
        throw new IllegalArgumentException(
            "a predicted probability is from 0 to 1, not " + predicted[i]);
      }
      int bin = Math.clamp((int) (predicted[i] * bins), 0, bins - 1);
      excess[bin] += weights[i] * (predicted[i] - outcome[i]);
    }
    return Arrays.stream(excess).map(Math::abs).sum() / Arrays.stream(weights).sum();
  }

  private static double dot(double[] x, double[] weights) {
    return IntStream.range(0, x.length).mapToDouble(i -> x[i] * weights[i]).sum();
  }
}
