package org.alignlang.kernel;

import java.lang.foreign.MemorySegment;

/**
 * Arithmetic in single precision on blocks of at most {@link #SIZE} numbers, for one thread, in
 * loops that the just-in-time compiler turns into vector instructions without help: each reads and
 * writes arrays at its own index only and has few operations, since loops with a large body are not
 * unrolled and stay scalar. None has a branch: comparisons and choices are arithmetic on the bits
 * of numbers, which are copied to and from blocks of whole numbers, since neither a choice nor a
 * conversion of bits is turned into vector instructions. Where a case is rare, such as infinity, a
 * block is searched for it first.
 *
 * <p>Where a method has an operand {@code n}, it works on the first n numbers of each array. A
 * result may be written over an operand. {@code compiler/core/docs/numerics.md} has the errors of
 * the functions.
 */
public final class Blocks {
  /** How many numbers a block has. */
  public static final int SIZE = 1024;

  /** What makes the size of an array, with its head of 16 bytes, a multiple of a cache line. */
  private static final int ROOM = SIZE + 12;

  /** How many partial sums {@link #fold} leaves. */
  public static final int LANES = 16;

  /** By how much rounding may have put the logarithm of a probability above 0. */
  public static final float SLACK = 1e-5f;

  private static final float LOG2E = 1.44269504f;

  /** 1.5 * 2^23: adding it and taking it away rounds to a whole number. */
  private static final float ROUND = 12582912f;

  private static final float SMALLEST = 1.17549435e-38f;

  /** The bits of infinity: those of a number without its sign are smaller, those of NaN larger. */
  private static final int INFINITE = 0x7f800000;

  private final float[][] numbers;
  private final MemorySegment[] numberBits;
  private final int[][] masks;
  private final float[] fraction;
  private final float[] scale;
  private final float[] first;
  private final float[] second;
  private final float[] third;
  private final float[] fourth;
  private final float[] fifth;
  private final int[] whole = new int[ROOM];
  private final int[] other = new int[ROOM];
  private final int[] condition = new int[ROOM];
  private final MemorySegment wholeBits = MemorySegment.ofArray(whole);
  private final MemorySegment otherBits = MemorySegment.ofArray(other);
  private final MemorySegment scaleBits;

  /** The smallest and the largest that {@link #search} found. */
  private int least;

  private int most;

  /**
   * @param values how many blocks of numbers there are
   * @param masks how many blocks of truth values there are
   */
  public Blocks(int values, int masks) {
    numbers = new float[values + 7][ROOM];
    numberBits = new MemorySegment[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      numberBits[i] = MemorySegment.ofArray(numbers[i]);
    }
    fraction = numbers[values];
    scale = numbers[values + 1];
    scaleBits = numberBits[values + 1];
    first = numbers[values + 2];
    second = numbers[values + 3];
    third = numbers[values + 4];
    fourth = numbers[values + 5];
    fifth = numbers[values + 6];
    this.masks = new int[masks][ROOM];
  }

  /** A block of numbers. */
  public float[] values(int index) {
    return numbers[index];
  }

  /** A block of truth values: 0 is false, -1 is true. */
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

  /** {@code weight * x}, and 0 where the weight is 0, whatever x is; not over an operand. */
  public void weigh(float[] weight, float[] x, float[] out, int n) {
    multiply(weight, x, out, n);
    bits(out, wholeBits, n);
    if (size(n) > INFINITE) {
      where(weight, out, n);
    }
  }

  /**
   * {@code weight * x}, and 0 where one of them is 0, whatever the other is; not over an operand.
   */
  public void weighBoth(float[] weight, float[] x, float[] out, int n) {
    multiply(weight, x, out, n);
    bits(out, wholeBits, n);
    if (size(n) > INFINITE) {
      where(weight, out, n);
      where(x, out, n);
    }
  }

  /** Puts 0 into x where the weight is 0. */
  private void where(float[] weight, float[] x, int n) {
    bits(weight, otherBits, n);
    bits(x, wholeBits, n);
    int[] whole = this.whole;
    int[] other = this.other;
    for (int i = 0; i < n; i++) {
      int size = other[i] << 1;
      whole[i] = whole[i] & (size | -size) >> 31;
    }
    numbers(x, n);
  }

  // Bits.

  private MemorySegment segment(float[] block) {
    for (int i = 0; i < numbers.length; i++) {
      if (numbers[i] == block) {
        return numberBits[i];
      }
    }
    throw new IllegalArgumentException("not a block of these");
  }

  /** Numbers as whole numbers. */
  private void bits(float[] x, MemorySegment out, int n) {
    MemorySegment.copy(segment(x), 0, out, 0, (long) n * Float.BYTES);
  }

  /** The largest of {@code whole} without their signs: whether there is infinity or NaN. */
  private int size(int n) {
    int size = 0;
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      size = Math.max(size, whole[i] & 0x7fffffff);
    }
    return size;
  }

  /** Whether all numbers are in {@code [low, high)}, for positive low and high. */
  private boolean within(float[] x, float low, float high, int n) {
    bits(x, wholeBits, n);
    search(whole, n);
    return least >= Float.floatToRawIntBits(low) && most < Float.floatToRawIntBits(high);
  }

  private void search(int[] whole, int n) {
    int low = Integer.MAX_VALUE;
    int high = Integer.MIN_VALUE;
    for (int i = 0; i < n; i++) {
      low = Math.min(low, whole[i]);
      high = Math.max(high, whole[i]);
    }
    least = low;
    most = high;
  }

  // Truth.

  /** {@code x < y}. */
  public void less(float[] x, float[] y, int[] out, int n) {
    difference(x, y, n);
    isNegative(out, n);
  }

  /** {@code x < y}. */
  public void less(float[] x, float y, int[] out, int n) {
    difference(x, y, n);
    isNegative(out, n);
  }

  /** {@code x < y}. */
  public void less(float x, float[] y, int[] out, int n) {
    difference(x, y, n);
    isNegative(out, n);
  }

  // Differences without -0: 0 is added, and -0 + 0 is 0.

  private void difference(float[] x, float[] y, int n) {
    float[] difference = first;
    for (int i = 0; i < n; i++) {
      difference[i] = x[i] - y[i] + 0f;
    }
  }

  private void difference(float[] x, float y, int n) {
    float[] difference = first;
    for (int i = 0; i < n; i++) {
      difference[i] = x[i] - y + 0f;
    }
  }

  private void difference(float x, float[] y, int n) {
    float[] difference = first;
    for (int i = 0; i < n; i++) {
      difference[i] = x - y[i] + 0f;
    }
  }

  /**
   * Where the block {@code first} is below 0: not where it is NaN, the difference of a NaN or of
   * two equal infinities.
   */
  private void isNegative(int[] out, int n) {
    bits(first, wholeBits, n);
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      out[i] = (whole[i] + (0x7fffffff - INFINITE) & whole[i]) >> 31;
    }
  }

  /** {@code x <= y}. */
  public void lessOrEqual(float[] x, float[] y, int[] out, int n) {
    difference(y, x, n);
    if (hasPlainDifferences(n)) {
      isPositive(out, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      out[i] = x[i] <= y[i] ? -1 : 0;
    }
  }

  /** {@code x <= y}. */
  public void lessOrEqual(float[] x, float y, int[] out, int n) {
    difference(y, x, n);
    if (hasPlainDifferences(n)) {
      isPositive(out, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      out[i] = x[i] <= y ? -1 : 0;
    }
  }

  /** {@code x <= y}. */
  public void lessOrEqual(float x, float[] y, int[] out, int n) {
    difference(y, x, n);
    if (hasPlainDifferences(n)) {
      isPositive(out, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      out[i] = x <= y[i] ? -1 : 0;
    }
  }

  /** {@code x == y}. */
  public void equal(float[] x, float[] y, int[] out, int n) {
    difference(x, y, n);
    if (hasPlainDifferences(n)) {
      isZero(out, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      out[i] = x[i] == y[i] ? -1 : 0;
    }
  }

  /** {@code x == y}. */
  public void equal(float[] x, float y, int[] out, int n) {
    difference(x, y, n);
    if (hasPlainDifferences(n)) {
      isZero(out, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      out[i] = x[i] == y ? -1 : 0;
    }
  }

  /** Whether {@code first} has no NaN, which two equal infinities have for a difference. */
  private boolean hasPlainDifferences(int n) {
    bits(first, wholeBits, n);
    return size(n) <= INFINITE;
  }

  private void isPositive(int[] out, int n) {
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      out[i] = ~(whole[i] >> 31);
    }
  }

  private void isZero(int[] out, int n) {
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      out[i] = ~((whole[i] | -whole[i]) >> 31);
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
    bits(yes, wholeBits, n);
    bits(no, otherBits, n);
    int[] whole = this.whole;
    int[] other = this.other;
    for (int i = 0; i < n; i++) {
      whole[i] = whole[i] & condition[i] | other[i] & ~condition[i];
    }
    numbers(out, n);
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float[] yes, float no, float[] out, int n) {
    bits(yes, wholeBits, n);
    int bits = Float.floatToRawIntBits(no);
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      whole[i] = whole[i] & condition[i] | bits & ~condition[i];
    }
    numbers(out, n);
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float yes, float[] no, float[] out, int n) {
    bits(no, wholeBits, n);
    int bits = Float.floatToRawIntBits(yes);
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      whole[i] = bits & condition[i] | whole[i] & ~condition[i];
    }
    numbers(out, n);
  }

  /** {@code condition ? yes : no}. */
  public void select(int[] condition, float yes, float no, float[] out, int n) {
    int ifTrue = Float.floatToRawIntBits(yes);
    int ifFalse = Float.floatToRawIntBits(no);
    int[] whole = this.whole;
    for (int i = 0; i < n; i++) {
      whole[i] = ifTrue & condition[i] | ifFalse & ~condition[i];
    }
    numbers(out, n);
  }

  /** What {@code whole} has as bits. */
  private void numbers(float[] out, int n) {
    MemorySegment.copy(wholeBits, 0, segment(out), 0, (long) n * Float.BYTES);
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

  /** Adds {@code weight * x} to an accumulator, where the weight is not 0. */
  public void addUnder(float[] sum, float[] weight, float[] x, int n) {
    bits(x, wholeBits, n);
    if (size(n) < INFINITE) {
      fma(weight, x, sum, sum, n);
      return;
    }
    weigh(weight, x, third, n);
    add(sum, third, sum, n);
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

  /**
   * x within -127 and 127, where {@link #power2} is finite; it is 0 at -127 and less. A sum of
   * powers shows by its size whether one was too large.
   */
  public void exponent(float[] x, float[] out, int n) {
    for (int i = 0; i < n; i++) {
      out[i] = Math.min(Math.max(x[i], -127f), 127f);
    }
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
    boolean ordinary = within(x, SMALLEST, Float.POSITIVE_INFINITY, n);
    if (!ordinary) {
      max(x, SMALLEST, mantissa, n);
      bits(mantissa, wholeBits, n);
    }
    for (int i = 0; i < n; i++) {
      int bits = whole[i] - 0x3f3504f3 & 0xff800000;
      exponent[i] = bits >> 23;
      whole[i] = whole[i] - bits;
    }
    toScale(n);
    subtract(mantissa, 1f, mantissa, n);
    logSeries(mantissa, fraction, n);
    if (ordinary) {
      log(mantissa, fraction, exponent, correction, out, n);
      return;
    }
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
    if (within(more, SMALLEST, 1e8f, n)) {
      for (int i = 0; i < n; i++) {
        correction[i] = (x[i] - (more[i] - 1f)) / more[i];
      }
    } else {
      for (int i = 0; i < n; i++) {
        float lost = x[i] - (more[i] - 1f);
        correction[i] = more[i] > 0f && more[i] < 1e8f ? lost / more[i] : 0f;
      }
    }
    log(more, correction, out, n);
  }

  /** {@code 1 / (1 + exp(-x))}. */
  public void sigmoid(float[] x, float[] out, int n) {
    float[] e = second;
    float[] top = third;
    minusSize(x, e, n);
    exp(e, e, n);
    less(x, 0f, condition, n);
    select(condition, e, 1f, top, n);
    add(e, 1f, e, n);
    divide(top, e, out, n);
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

  /**
   * {@code log(1 - exp(x))} for {@code x <= 0}, where what is above 0 by no more than {@link
   * #SLACK} counts as 0.
   */
  public void log1mExp(float[] x, float[] out, int n) {
    float[] near = fourth;
    float[] far = fifth;
    min(x, SLACK, far, n);
    max(far, 0f, far, n);
    subtract(x, far, far, n);
    less(-0.6931472f, far, condition, n);
    expm1(far, near, n);
    negate(near, near, n);
    log(near, near, n);
    exp(far, far, n);
    negate(far, far, n);
    log1p(far, far, n);
    select(condition, near, far, out, n);
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
    bits(high, wholeBits, n);
    if (size(n) < INFINITE) {
      add(high, more, out, n);
      return;
    }
    for (int i = 0; i < n; i++) {
      out[i] = Math.abs(high[i]) == Float.POSITIVE_INFINITY ? high[i] : high[i] + more[i];
    }
  }

  /** {@code x - y}, 0 where both are negative infinity. */
  public void logRatio(float[] x, float[] y, float[] out, int n) {
    subtract(x, y, third, n);
    bits(third, wholeBits, n);
    if (size(n) <= INFINITE) {
      System.arraycopy(third, 0, out, 0, n);
      return;
    }
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
      out[i] = Math.abs(m[i] / (m[i] + 2f)) * Math.signum(x[i]);
    }
  }

  /** The angle in (-pi/2, pi/2) whose tangent is x. */
  public void arctan(float[] x, float[] out, int n) {
    float[] inner = second;
    float[] angle = third;
    float[] size = fourth;
    abs(x, size, n);
    for (int i = 0; i < n; i++) {
      inner[i] = Math.min(size[i], 1f / size[i]);
    }
    arctanSeries(inner, angle, n);
    subtract((float) (Math.PI / 2), angle, inner, n);
    less(1f, size, condition, n);
    select(condition, inner, angle, angle, n);
    for (int i = 0; i < n; i++) {
      out[i] = angle[i] * Math.signum(x[i]);
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
