package org.alignlang.kernel;

/** The elementary functions of generated kernels that the JDK lacks, in numerically stable form. */
public final class Functions {
  private Functions() {}

  /** {@code 1 / (1 + exp(-x))}. */
  public static double sigmoid(double x) {
    if (x >= 0) {
      return 1 / (1 + Math.exp(-x));
    }
    double e = Math.exp(x);
    return e / (1 + e);
  }

  /** {@code log(1 + exp(x))}. */
  public static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** {@code log(sigmoid(x))}. */
  public static double logSigmoid(double x) {
    return -softplus(-x);
  }

  /** {@code log(1 - exp(x))} for {@code x <= 0}; negative infinity at 0, NaN above. */
  public static double log1mExp(double x) {
    return x > -0.6931471805599453 ? Math.log(-Math.expm1(x)) : Math.log1p(-Math.exp(x));
  }

  /** {@code log(exp(a) + exp(b))}. */
  public static double logAddExp(double a, double b) {
    double high = Math.max(a, b);
    if (Double.isInfinite(high)) {
      return high;
    }
    return high + Math.log1p(Math.exp(Math.min(a, b) - high));
  }

  /**
   * {@code exp(a) * x}; 0 where the exponential is 0, because {@code a} is negative infinity or far
   * below 0, whatever {@code x} is, and where {@code x} is 0, whatever {@code a} is: an exponential
   * that leaves the doubles is a number.
   */
  public static double expTimes(double a, double x) {
    return weighted(Math.exp(a), x);
  }

  /** {@code weight * x}, and 0 where one of them is 0, whatever the other is. */
  public static double weighted(double weight, double x) {
    return weight == 0 || x == 0 ? 0 : weight * x;
  }

  /** {@code a - b}, the log of a ratio of probabilities; 0 where both probabilities are 0. */
  public static double logRatio(double a, double b) {
    return a == Double.NEGATIVE_INFINITY && b == Double.NEGATIVE_INFINITY ? 0 : a - b;
  }

  /**
   * {@code logit - normaliser}, where the normaliser was added up in single precision and may be
   * less than the logit that makes it up: a probability that comes out as 1 or more counts as
   * {@code 1 - 1e-12}, so that {@code log(1 - p)} and its slope are finite.
   */
  public static double logProbability(double logit, double normaliser) {
    return Math.min(logit - normaliser, -1e-12);
  }

  /** {@code x > 0 ? 1 : x < 0 ? -1 : 0}. */
  public static double sign(double x) {
    return Math.signum(x);
  }

  /** The whole number of powers of two that covers {@code exp(x)}; 0 if there is none. */
  public static float exponentShift(double x) {
    double shift = Math.ceil(x * 1.4426950408889634);
    return Math.abs(shift) == Double.POSITIVE_INFINITY ? 0 : (float) shift;
  }

  /**
   * A whole number that is larger for a larger float: the bits, those of negative numbers turned
   * round. A NaN lies outside the infinities.
   */
  public static int place(float x) {
    int bits = Float.floatToRawIntBits(x);
    return bits ^ bits >> 31 >>> 1;
  }

  /** The float whose {@link #place} this is. */
  public static float atPlace(int place) {
    return Float.intBitsToFloat(place ^ place >> 31 >>> 1);
  }

  /** The sum of {@code count} numbers, in double precision and always in the same order. */
  public static double sum(float[] numbers, int from, int count) {
    double even = 0;
    double odd = 0;
    int i = from;
    for (; i + 1 < from + count; i += 2) {
      even += numbers[i];
      odd += numbers[i + 1];
    }
    return i < from + count ? even + odd + numbers[i] : even + odd;
  }
}
