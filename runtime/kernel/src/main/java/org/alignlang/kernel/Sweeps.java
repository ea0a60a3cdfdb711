package org.alignlang.kernel;

/**
 * What runs along the tokens {@code begin} (inclusive) to {@code end} (exclusive) of one row.
 * Results are written to {@code result} at the same positions; {@code x} and {@code result} are
 * different arrays.
 */
public final class Sweeps {
  private Sweeps() {}

  /** Discounted sums from the first token on: {@code s_t = x_t + discount s_(t-1)}. */
  public static void cumulative(double[] x, double discount, int begin, int end, double[] result) {
    double sum = 0;
    for (int t = begin; t < end; t++) {
      sum = x[t] + discount * sum;
      result[t] = sum;
    }
  }

  /** Discounted sums to the last token: {@code s_t = x_t + discount s_(t+1)}. */
  public static void toGo(double[] x, double discount, int begin, int end, double[] result) {
    double sum = 0;
    for (int t = end - 1; t >= begin; t--) {
      sum = x[t] + discount * sum;
      result[t] = sum;
    }
  }

  /** The value of the next token; 0 at the last. */
  public static void next(double[] x, int begin, int end, double[] result) {
    if (end > begin) {
      System.arraycopy(x, begin + 1, result, begin, end - begin - 1);
      result[end - 1] = 0;
    }
  }

  /** The value of the token before; 0 at the first. */
  public static void previous(double[] x, int begin, int end, double[] result) {
    if (end > begin) {
      System.arraycopy(x, begin, result, begin + 1, end - begin - 1);
      result[begin] = 0;
    }
  }

  /**
   * The values at the same positions of another sequence of the row, 0 where it has no such
   * position.
   *
   * @param from where the other sequence's tokens begin in {@code x}
   * @param to where they end
   */
  public static void beside(double[] x, int from, int to, int begin, int end, double[] result) {
    int both = Math.min(to - from, end - begin);
    System.arraycopy(x, from, result, begin, both);
    java.util.Arrays.fill(result, begin + both, end, 0);
  }

  /** Discounted sums from the first token on, added up in double precision. */
  public static void cumulative(float[] x, double discount, int begin, int end, float[] result) {
    double sum = 0;
    for (int t = begin; t < end; t++) {
      sum = x[t] + discount * sum;
      result[t] = (float) sum;
    }
  }

  /** Discounted sums to the last token, added up in double precision. */
  public static void toGo(float[] x, double discount, int begin, int end, float[] result) {
    double sum = 0;
    for (int t = end - 1; t >= begin; t--) {
      sum = x[t] + discount * sum;
      result[t] = (float) sum;
    }
  }

  /** The value of the next token; 0 at the last. */
  public static void next(float[] x, int begin, int end, float[] result) {
    if (end > begin) {
      System.arraycopy(x, begin + 1, result, begin, end - begin - 1);
      result[end - 1] = 0;
    }
  }

  /** The value of the token before; 0 at the first. */
  public static void previous(float[] x, int begin, int end, float[] result) {
    if (end > begin) {
      System.arraycopy(x, begin, result, begin + 1, end - begin - 1);
      result[begin] = 0;
    }
  }
}
