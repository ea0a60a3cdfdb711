package org.alignlang.tornado;

import uk.ac.manchester.tornado.api.math.TornadoMath;

/**
 * The elementary functions of kernels, in what TornadoVM compiles right: one return per method, no
 * {@code &&} or {@code ||} (an inner negation gets lost), no {@code <=} where a NaN may come (it
 * becomes the negation of {@code >}), no literal that is not finite (in double precision its type
 * is lost), and none of {@code log1p}, {@code expm1} and {@code floor}, which it lacks.
 *
 * <p>Truth values are numbers, 1 and 0.
 */
// Devices have no Double.isNaN: a number that is not itself is none.
@SuppressWarnings("IdentityBinaryExpression")
public final class DeviceMath {
  private DeviceMath() {}

  /** {@code x > y ? x : y}, NaN if either is. */
  public static double larger(double x, double y) {
    return x > y ? x : y > x ? y : x == y ? x : x + y;
  }

  /** {@code x > y ? x : y}, NaN if either is. */
  public static float larger(float x, float y) {
    return x > y ? x : y > x ? y : x == y ? x : x + y;
  }

  /** {@code x < y ? x : y}, NaN if either is. */
  public static double smaller(double x, double y) {
    return x < y ? x : y < x ? y : x == y ? x : x + y;
  }

  /** {@code x < y ? x : y}, NaN if either is. */
  public static float smaller(float x, float y) {
    return x < y ? x : y < x ? y : x == y ? x : x + y;
  }

  /** 1 if {@code x <= y}, else 0. */
  public static double lessOrEqual(double x, double y) {
    return (x < y ? 1.0 : 0.0) + (x == y ? 1.0 : 0.0);
  }

  /** 1 if {@code x <= y}, else 0. */
  public static float lessOrEqual(float x, float y) {
    return (x < y ? 1f : 0f) + (x == y ? 1f : 0f);
  }

  /**
   * 1 if row {@code i} with the key {@code x} comes before row {@code j} with the key {@code y}:
   * ascending, equal keys in the order of the rows, NaN last.
   */
  public static int precedes(double x, int i, double y, int j) {
    int less = x < y ? 1 : 0;
    int equal = x == y ? 1 : 0;
    int number = x == x ? 1 : 0;
    int other = y == y ? 1 : 0;
    int before = i < j ? 1 : 0;
    return less + equal * before + number * (1 - other) + (1 - number) * (1 - other) * before;
  }

  /** What element {@code i} adds to the sum of the elements with the key of {@code j}. */
  public static double matching(double x, int i, double y, int j, double value) {
    return x == y ? value : i == j ? value : 0.0;
  }

  /**
   * The {@code left}-th element from {@code begin} if that is before {@code end}, else the other.
   */
  public static int slot(int left, int begin, int end, int other) {
    int here = (left > -1 ? 1 : 0) * (left < end - begin ? 1 : 0);
    return here * (begin + left) + (1 - here) * other;
  }

  /** Which of the largest of so many entries is meant, from 1. */
  public static double held(double k, int entries) {
    double whole = floor(k);
    return whole > 1.0 ? (whole < entries ? whole : entries) : 1.0;
  }

  /** 1 if an entry is at least as large as another. */
  public static int asLarge(float x, float y) {
    int less = y < x ? 1 : 0;
    int equal = x == y ? 1 : 0;
    return less + equal;
  }

  /**
   * An entry that {@code asLarge} entries are as large as if these are k or more, else the other.
   */
  public static double among(int asLarge, double k, float x, double other) {
    return asLarge < k ? other : x;
  }

  /** {@code weight * x}, and 0 where one of them is 0, whatever the other is. */
  public static double weighted(double weight, double x) {
    return weight == 0.0 ? 0.0 : x == 0.0 ? 0.0 : weight * x;
  }

  /** {@code weight * x}, and 0 where one of them is 0, whatever the other is. */
  public static float weighted(float weight, float x) {
    return weight == 0f ? 0f : x == 0f ? 0f : weight * x;
  }

  /** {@code x - y}, and 0 where both are negative infinity. */
  public static double logRatio(double x, double y) {
    return x < -Double.MAX_VALUE ? (y < -Double.MAX_VALUE ? 0.0 : x - y) : x - y;
  }

  /** {@code x - y}, and 0 where both are negative infinity. */
  public static float logRatio(float x, float y) {
    return x < -Float.MAX_VALUE ? (y < -Float.MAX_VALUE ? 0f : x - y) : x - y;
  }

  /** {@code x > 0 ? 1 : x < 0 ? -1 : x}. */
  public static double sign(double x) {
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : x;
  }

  /** {@code x > 0 ? 1 : x < 0 ? -1 : x}. */
  public static float sign(float x) {
    return x > 0f ? 1f : x < 0f ? -1f : x;
  }

  /** The largest whole number not above {@code x}; from 2^52 on every number is whole. */
  public static double floor(double x) {
    double whole = (double) (long) x;
    double below = whole > x ? whole - 1.0 : whole;
    return Math.abs(x) < 4503599627370496.0 ? below : x;
  }

  /** {@code log(1 + x)} (Kahan 1982): what rounding does to {@code 1 + x} cancels. */
  public static double log1p(double x) {
    double u = 1.0 + x;
    return u == 1.0 ? x : u - 1.0 == x ? Math.log(u) : Math.log(u) * (x / (u - 1.0));
  }

  /** {@code exp(x) - 1} (Kahan 1982). */
  public static double expm1(double x) {
    double u = Math.exp(x);
    double d = u - 1.0;
    return u == 1.0 ? x : d == -1.0 ? -1.0 : x > 50.0 ? u : d * (x / Math.log(u));
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public static double sigmoid(double x) {
    double e = Math.exp(-Math.abs(x));
    return x > 0.0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
  }

  /** {@code log(1 + exp(x))}. */
  public static double softplus(double x) {
    return larger(x, 0.0) + log1p(Math.exp(-Math.abs(x)));
  }

  /** {@code log(sigmoid(x))}. */
  public static double logSigmoid(double x) {
    return -softplus(-x);
  }

  /** {@code log(1 - exp(x))} for {@code x <= 0}. */
  public static double log1mExp(double x) {
    return x > -0.6931471805599453 ? Math.log(-expm1(x)) : log1p(-Math.exp(x));
  }

  /** {@code log(exp(x) + exp(y))}. */
  public static double logAddExp(double x, double y) {
    double high = larger(x, y);
    double low = smaller(x, y);
    // An infinite or undefined larger one is the result; its difference from itself is not 0.
    return high - high == 0.0 ? high + log1p(Math.exp(low - high)) : high;
  }

  /** What rounding {@code x} to single precision left of it; 0 if it was too large for that. */
  public static float rest(double x, float single) {
    return single - single == 0f ? (float) (x - single) : 0f;
  }

  public static double exp(double x) {
    return Math.exp(x);
  }

  public static float exp(float x) {
    return TornadoMath.exp(x);
  }

  public static double atan(double x) {
    return TornadoMath.atan(x);
  }
}
