package org.alignlang.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Arithmetic in single precision on blocks of at most {@link #SIZE} numbers, for one thread, in
 * loops that the just-in-time compiler turns into vector instructions without help: each reads and
 * writes arrays at its own index only and has few operations, since loops with a large body are not
 * unrolled and stay scalar.
 *
 * <p>Where a method has an operand {@code n}, it works on the first n numbers of each array. A
 * result may be written over an operand. {@code compiler/core/docs/numerics.md} has the errors of
 * the functions.
 */
public final class Blocks {
  /** How many numbers a block has. */
  public static final int SIZE = 512;

  /** How many partial sums {@link #fold} leaves. */
  public static final int LANES = 16;

  private static final float LOG2E = 1.44269504f;

  /** 1.5 * 2^23: adding it and taking it away rounds to a whole number. */
  private static final float ROUND = 12582912f;

  private static final float SMALLEST = 1.17549435e-38f;

  private final float[][] values;
  private final int[][] masks;
  private final float[] fraction = new float[SIZE];
  private final float[] scale = new float[SIZE];
  private final float[] first = new float[SIZE];
  private final float[] second = new float[SIZE];
  private final float[] third = new float[SIZE];
  private final float[] fourth = new float[SIZE];
  private final float[] fifth = new float[SIZE];
  private final int[] whole = new int[SIZE];
  private final MemorySegment scaleBits = MemorySegment.ofArray(scale);
  private final MemorySegment wholeBits = MemorySegment.ofArray(whole);

  /**
   * @param values how many blocks of numbers there are
   * @param masks how many blocks of truth values there are
   */
  public Blocks(int values, int masks) {
    this.values = new float[values][SIZE];
    this.masks = new int[masks][SIZE];
  }

  /** A block of numbers. */
  public float[] values(int index) {
    return values[index];
  }

  /** A block of truth values: 0 is false, all else is true. */
  public int[] mask(int index) {
    return masks[index];
  }

  // Moves.

  /** Reads n numbers of an array from {@code from} on. */
  public void read(float[] array, int from, float[] out, int n) {
    System.arraycopy(array, from, out, 0, n);
  }

  /** Writes n numbers to an array from {@code from} on. */
  public void write(float[] x, float[] array, int from, int n) {
    System.arraycopy(x, 0, array, from, n);
  }

  /** The same number everywhere. */
  public void fill(float x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x;
    }
  }

  // Arithmetic.

  /** {@code -x}. */
  public void negate(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = -x[i];
    }
  }

  /** {@code |x|}. */
  public void abs(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.abs(x[i]);
    }
  }

  /** The square root of x. */
  public void sqrt(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = (float) Math.sqrt(x[i]);
    }
  }

  /** 1, -1 or 0, as x is above, below or at 0. */
  public void sign(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.signum(x[i]);
    }
  }

  /** The largest whole number not above x. */
  public void floor(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = (float) Math.floor(x[i]);
    }
  }

  /** {@code x + y}. */
  public void add(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] + y[i];
    }
  }

  /** {@code x + y}. */
  public void add(float[] x, float y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] + y;
    }
  }

  /** {@code x - y}. */
  public void subtract(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] - y[i];
    }
  }

  /** {@code x - y}. */
  public void subtract(float[] x, float y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] - y;
    }
  }

  /** {@code x - y}. */
  public void subtract(float x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x - y[i];
    }
  }

  /** {@code x y}. */
  public void multiply(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] * y[i];
    }
  }

  /** {@code x y}. */
  public void multiply(float[] x, float y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] * y;
    }
  }

  /** {@code x / y}. */
  public void divide(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] / y[i];
    }
  }

  /** {@code x / y}. */
  public void divide(float[] x, float y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] / y;
    }
  }

  /** {@code x / y}. */
  public void divide(float x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x / y[i];
    }
  }

  /** The smaller of x and y; NaN if one of them is. */
  public void min(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.min(x[i], y[i]);
    }
  }

  /** The smaller of x and y; NaN if one of them is. */
  public void min(float[] x, float y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.min(x[i], y);
    }
  }

  /** The larger of x and y; NaN if one of them is. */
  public void max(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.max(x[i], y[i]);
    }
  }

  /** The larger of x and y; NaN if one of them is. */
  public void max(float[] x, float y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.max(x[i], y);
    }
  }

  /** {@code x y + z}, rounded once. */
  public void fma(float[] x, float[] y, float[] z, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.fma(x[i], y[i], z[i]);
    }
  }

  /** {@code x y + z}, rounded once. */
  public void fma(float[] x, float[] y, float z, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.fma(x[i], y[i], z);
    }
  }

  /** {@code x y + z}, rounded once. */
  public void fma(float[] x, float y, float[] z, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.fma(x[i], y, z[i]);
    }
  }

  /** {@code x y + z}, rounded once. */
  public void fma(float[] x, float y, float z, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.fma(x[i], y, z);
    }
  }

  /** {@code weight * x}, and 0 where the weight is 0, whatever x is. */
  public void weigh(float[] weight, float[] x, float[] out, int n) {
    multiply(weight, x, third, n);
    if (hasNaN(third, n)) {
      for (int i = 0; i < n; i++) {
        out[i] = weight[i] == 0 ? 0 : third[i];
      }
    } else {
      System.arraycopy(third, 0, out, 0, n);
    }
  }

  /** Whether one of n numbers is NaN: without branches, as whole numbers. */
  private boolean hasNaN(float[] x, int n) {
    System.arraycopy(x, 0, scale, 0, n);
    MemorySegment.copy(scaleBits, 0, wholeBits, 0, (long) n * Float.BYTES);
    int most = 0;
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      most = Math.max(most, whole[i] & 0x7fffffff);
    }
    return most > 0x7f800000;
  }

  /** {@code weight * x}, and 0 where one of them is 0, whatever the other is. */
  public void weighBoth(float[] weight, float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = weight[i] == 0 || x[i] == 0 ? 0 : weight[i] * x[i];
    }
  }

  // Truth.

  /** {@code x < y}. */
  public void less(float[] x, float[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] < y[i] ? -1 : 0;
    }
  }

  /** {@code x < y}. */
  public void less(float[] x, float y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] < y ? -1 : 0;
    }
  }

  /** {@code x < y}. */
  public void less(float x, float[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x < y[i] ? -1 : 0;
    }
  }

  /** {@code x <= y}. */
  public void lessOrEqual(float[] x, float[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] <= y[i] ? -1 : 0;
    }
  }

  /** {@code x <= y}. */
  public void lessOrEqual(float[] x, float y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] <= y ? -1 : 0;
    }
  }

  /** {@code x <= y}. */
  public void lessOrEqual(float x, float[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x <= y[i] ? -1 : 0;
    }
  }

  /** {@code x == y}. */
  public void equal(float[] x, float[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] == y[i] ? -1 : 0;
    }
  }

  /** {@code x == y}. */
  public void equal(float[] x, float y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] == y ? -1 : 0;
    }
  }

  /** {@code !x}. */
  public void not(int[] x, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = ~x[i];
    }
  }

  /** {@code x && y}. */
  public void and(int[] x, int[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] & y[i];
    }
  }

  /** {@code x || y}. */
  public void or(int[] x, int[] y, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = x[i] | y[i];
    }
  }

  /** True at one index, if it is one of the block, and false elsewhere. */
  public void mark(int index, int[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = 0;
    }
    if (index >= 0 && index < n) {
      out[index] = -1;
    }
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float[] yes, float[] no, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = condition[i] != 0 ? yes[i] : no[i];
    }
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float[] yes, float no, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = condition[i] != 0 ? yes[i] : no;
    }
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float yes, float[] no, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = condition[i] != 0 ? yes : no[i];
    }
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float yes, float no, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = condition[i] != 0 ? yes : no;
    }
  }

  // Sums. An accumulator is a block; its n-th number adds up the n-th numbers of blocks.

  /** How many numbers of an accumulator are in use for a sum over {@code count} numbers. */
  private static int extent(int count) {
    int extent = LANES;
    while (extent < count && extent < SIZE) {
      extent *= 2;
    }
    return extent;
  }

  /** Begins an accumulator over {@code count} numbers with what changes nothing: 0 for a sum. */
  public void begin(float[] sum, float neutral, int count) {
    fill(neutral, sum, extent(count));
  }

  /** Adds x to an accumulator. */
  public void addTo(float[] sum, float[] x, int n) {
    add(sum, x, sum, n);
  }

  /** Adds {@code x y} to an accumulator. */
  public void addTo(float[] sum, float[] x, float[] y, int n) {
    fma(x, y, sum, sum, n);
  }

  /**
   * Adds up an accumulator over {@code count} numbers, always in the same order, and puts what
   * remains, {@link #LANES} numbers, into an array from {@code at} on.
   */
  public void fold(float[] sum, int count, float[] out, int at) {
    for (int half = extent(count) / 2; half >= LANES; half /= 2) {
      System.arraycopy(sum, half, first, 0, half);
      add(sum, first, sum, half);
    }
    System.arraycopy(sum, 0, out, at, LANES);
  }

  /** The largest number of an accumulator over {@code count} numbers. */
  public float largest(float[] sum, int count) {
    for (int half = extent(count) / 2; half >= LANES; half /= 2) {
      System.arraycopy(sum, half, first, 0, half);
      max(sum, first, sum, half);
    }
    float largest = sum[0];
    for (int i = 1; i < LANES; i++) {
      largest = Math.max(largest, sum[i]);
    }
    return largest;
  }

  /** The smallest number of an accumulator over {@code count} numbers. */
  public float smallest(float[] sum, int count) {
    for (int half = extent(count) / 2; half >= LANES; half /= 2) {
      System.arraycopy(sum, half, first, 0, half);
      min(sum, first, sum, half);
    }
    float smallest = sum[0];
    for (int i = 1; i < LANES; i++) {
      smallest = Math.min(smallest, sum[i]);
    }
    return smallest;
  }

  // Functions. Polynomials are minimax fits of this project, the same as in generated vector code.

  /** {@code max(x, -127)}: an exponent at which {@link #power2} is 0 where it is 0 below. */
  public void exponent(float[] x, float[] out, int n) {
    max(x, -127f, out, n);
  }

  /** {@code 2^x} for {@code -127 <= x < 128}; 0 below -126.5. */
  public void power2(float[] x, float[] out, int n) {
    float[] fraction = this.fraction;
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      float k = x[i] + ROUND - ROUND;
      fraction[i] = x[i] - k;
      whole[i] = (int) k + 127 << 23;
    }
    toScale(n);
    power2(fraction, scale, out, n);
  }

  private static void power2(float[] fraction, float[] scale, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      float f = fraction[i];
      float p = Math.fma(0.00132647273f, f, 0.00967151299f);
      p = Math.fma(p, f, 0.0555073359f);
      p = Math.fma(p, f, 0.240222424f);
      p = Math.fma(p, f, 0.693147004f);
      out[i] = Math.fma(p, f, 1f) * scale[i];
    }
  }

  /** Whole numbers as the bits of floats. */
  private void toScale(int n) {
    MemorySegment.copy(wholeBits, 0, scaleBits, 0, (long) n * Float.BYTES);
  }

  /** {@code exp(x) = 2 scale (1 + q)}: the scale into its block, q into {@code fraction}. */
  private void reduce(float[] x, int n) {
    float[] fraction = this.fraction;
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      float within = Math.max(Math.min(x[i], 89f), -87.4f);
      float k = Math.fma(within, LOG2E, ROUND) - ROUND;
      fraction[i] = Math.fma(k, 2.12194440e-4f, Math.fma(k, -0.693359375f, within));
      whole[i] = (int) k + 126 << 23;
    }
    toScale(n);
    series(fraction, n);
  }

  private static void series(float[] fraction, int n) {
    for (int i = 0; i < n; i++) {
      float f = fraction[i];
      float p = Math.fma(0.0013882393250241876f, f, 0.008367180824279785f);
      p = Math.fma(p, f, 0.04166722297668457f);
      p = Math.fma(p, f, 0.16666539013385773f);
      p = Math.fma(p, f, 0.4999999701976776f);
      fraction[i] = Math.fma(p, f * f, f);
    }
  }

  /** {@code exp(x)}; 0 below -86.9, infinity above 88.7. */
  public void exp(float[] x, float[] out, int n) {
    reduce(x, n);
    float[] fraction = this.fraction;
    float[] scale = this.scale;
    for (int i = 0; i < n; i++) {
      out[i] = (fraction[i] + 1f) * scale[i] * 2f;
    }
  }

  /** {@code exp(x) - 1}, without cancellation near 0. */
  public void expm1(float[] x, float[] out, int n) {
    reduce(x, n);
    float[] fraction = this.fraction;
    float[] scale = this.scale;
    for (int i = 0; i < n; i++) {
      out[i] = Math.fma(fraction[i], scale[i], scale[i] - 0.5f) * 2f;
    }
  }

  /**
   * {@code log(x)}; negative infinity at 0, NaN below; what is smaller than 1.2e-38 counts as that.
   */
  public void log(float[] x, float[] out, int n) {
    fill(0f, second, n);
    log(x, second, out, n);
  }

  /**
   * {@code log(x) + correction}, the correction being less than a unit in the last place of x. Uses
   * the blocks first, fraction and scale.
   */
  private void log(float[] x, float[] correction, float[] out, int n) {
    float[] exponent = first;
    float[] mantissa = scale;
    int[] whole = this.whole;
    max(x, SMALLEST, mantissa, n);
    MemorySegment.copy(scaleBits, 0, wholeBits, 0, (long) n * Float.BYTES);
    for (int i = 0; i < n; i++) {
      int bits = whole[i] - 0x3f3504f3 & 0xff800000;
      exponent[i] = bits >> 23;
      whole[i] = whole[i] - bits;
    }
    toScale(n);
    subtract(mantissa, 1f, mantissa, n);
    logSeries(mantissa, fraction, n);
    log(mantissa, fraction, exponent, correction, fraction, n);
    for (int i = 0; i < n; i++) {
      out[i] =
          x[i] > 0 && x[i] < Float.POSITIVE_INFINITY
              ? fraction[i]
              : x[i] == 0 ? Float.NEGATIVE_INFINITY : x[i] > 0 ? x[i] : Float.NaN;
    }
  }

  private static void logSeries(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      float f = x[i];
      float p = Math.fma(-0.07634429633617401f, f, 0.12761549651622772f);
      p = Math.fma(p, f, -0.131601944565773f);
      p = Math.fma(p, f, 0.14201761782169342f);
      p = Math.fma(p, f, -0.16623356938362122f);
      p = Math.fma(p, f, 0.20001226663589478f);
      p = Math.fma(p, f, -0.250008225440979f);
      p = Math.fma(p, f, 0.3333333134651184f);
      out[i] = p * f;
    }
  }

  private static void log(
      float[] fraction, float[] series, float[] exponent, float[] correction, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      float f = fraction[i];
      float square = f * f;
      float small =
          Math.fma(exponent[i], -2.12194440e-4f, Math.fma(series[i], square, correction[i]));
      float rest = Math.fma(square, -0.5f, small);
      out[i] = Math.fma(exponent[i], 0.693359375f, rest + f);
    }
  }

  /** {@code log(1 + x)}, without cancellation near 0: what 1 + x loses is put back. */
  public void log1p(float[] x, float[] out, int n) {
    float[] more = third;
    float[] correction = second;
    add(x, 1f, more, n);
    for (int i = 0; i < n; i++) {
      float lost = x[i] - (more[i] - 1f);
      correction[i] = more[i] > 0f && more[i] < 1e8f ? lost / more[i] : 0f;
    }
    log(more, correction, out, n);
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public void sigmoid(float[] x, float[] out, int n) {
    float[] e = first;
    minusSize(x, e, n);
    exp(e, e, n);
    for (int i = 0; i < n; i++) {
      out[i] = (x[i] < 0f ? e[i] : 1f) / (e[i] + 1f);
    }
  }

  private void minusSize(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = -Math.abs(x[i]);
    }
  }

  /** {@code log(1 + exp(x))}. */
  public void softplus(float[] x, float[] out, int n) {
    float[] e = fourth;
    minusSize(x, e, n);
    exp(e, e, n);
    log1p(e, e, n);
    for (int i = 0; i < n; i++) {
      out[i] = Math.max(x[i], 0f) + e[i];
    }
  }

  /** {@code log(sigmoid(x))}. */
  public void logSigmoid(float[] x, float[] out, int n) {
    negate(x, fifth, n);
    softplus(fifth, out, n);
    negate(out, out, n);
  }

  /** {@code log(1 - exp(x))} for {@code x <= 0}. */
  public void log1mExp(float[] x, float[] out, int n) {
    float[] near = fourth;
    float[] far = fifth;
    expm1(x, near, n);
    negate(near, near, n);
    log(near, near, n);
    exp(x, far, n);
    negate(far, far, n);
    log1p(far, far, n);
    for (int i = 0; i < n; i++) {
      out[i] = x[i] > -0.6931472f ? near[i] : far[i];
    }
  }

  /** {@code log(exp(x) + exp(y))}. */
  public void logAddExp(float[] x, float[] y, float[] out, int n) {
    float[] high = fifth;
    float[] more = fourth;
    for (int i = 0; i < n; i++) {
      more[i] = Math.min(x[i], y[i]) - Math.max(x[i], y[i]);
    }
    max(x, y, high, n);
    exp(more, more, n);
    log1p(more, more, n);
    for (int i = 0; i < n; i++) {
      out[i] = Math.abs(high[i]) == Float.POSITIVE_INFINITY ? high[i] : high[i] + more[i];
    }
  }

  /** {@code x - y}, 0 where both are negative infinity. */
  public void logRatio(float[] x, float[] y, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] =
          x[i] == Float.NEGATIVE_INFINITY && y[i] == Float.NEGATIVE_INFINITY ? 0f : x[i] - y[i];
    }
  }

  /** The hyperbolic tangent of x. */
  public void tanh(float[] x, float[] out, int n) {
    float[] m = first;
    for (int i = 0; i < n; i++) {
      m[i] = Math.abs(x[i]) * -2f;
    }
    expm1(m, m, n);
    for (int i = 0; i < n; i++) {
      out[i] = Math.copySign(m[i] / (m[i] + 2f), x[i]);
    }
  }

  /** The angle in (-pi/2, pi/2) whose tangent is x. */
  public void arctan(float[] x, float[] out, int n) {
    float[] inner = first;
    float[] angle = second;
    for (int i = 0; i < n; i++) {
      float size = Math.abs(x[i]);
      inner[i] = size > 1f ? 1f / size : size;
    }
    arctanSeries(inner, angle, n);
    for (int i = 0; i < n; i++) {
      float whole = Math.abs(x[i]) > 1f ? (float) (Math.PI / 2) - angle[i] : angle[i];
      out[i] = Math.copySign(whole, x[i]);
    }
  }

  private static void arctanSeries(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      float square = x[i] * x[i];
      float p = Math.fma(0.002849851967766881f, square, -0.016068479046225548f);
      p = Math.fma(p, square, 0.04269127547740936f);
      p = Math.fma(p, square, -0.0750427395105362f);
      p = Math.fma(p, square, 0.10640924423933029f);
      p = Math.fma(p, square, -0.14203642308712006f);
      p = Math.fma(p, square, 0.1999261975288391f);
      p = Math.fma(p, square, -0.3333307206630707f);
      p = Math.fma(p, square, 1f);
      out[i] = p * x[i];
    }
  }

  /** {@code x^p}: repeated multiplication where p is a small whole number. */
  public void power(float[] x, double p, float[] out, int n) {
    if (p == Math.rint(p) && Math.abs(p) <= 16) {
      float[] square = first;
      float[] value = second;
      System.arraycopy(x, 0, square, 0, n);
      fill(1f, value, n);
      for (int bits = (int) Math.abs(p); bits > 0; bits >>= 1) {
        if ((bits & 1) == 1) {
          multiply(value, square, value, n);
        }
        multiply(square, square, square, n);
      }
      if (p >= 0) {
        System.arraycopy(value, 0, out, 0, n);
      } else {
        divide(1f, value, out, n);
      }
      return;
    }
    log(x, fourth, n);
    multiply(fourth, (float) p, fourth, n);
    exp(fourth, out, n);
  }
}
