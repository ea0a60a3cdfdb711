package org.alignlang.conformance.fuzz;

import java.util.Arrays;

/**
 * Which jumps between places of the instrumented code were taken (as in AFL: Zalewski 2014). The
 * calls are put in by {@link InstrumentingLoader}.
 */
public final class Edges {
  private static final int SIZE = 1 << 17;
  private static final byte[] TAKEN = new byte[SIZE];
  private static final byte[] SEEN = new byte[SIZE];
  private static int before;

  private Edges() {}

  /** Control reaches a place. */
  public static void hit(int place) {
    int mixed = place * 0x9E3779B9;
    int edge = (mixed ^ before) >>> 15;
    if (TAKEN[edge] < Byte.MAX_VALUE) {
      TAKEN[edge]++;
    }
    before = mixed >>> 1;
  }

  static void clear() {
    Arrays.fill(TAKEN, (byte) 0);
    before = 0;
  }

  /** Notes what was taken, and tells how much of it is new: an edge, or one in another quantity. */
  static int fresh() {
    int fresh = 0;
    for (int edge = 0; edge < SIZE; edge++) {
      if (TAKEN[edge] != 0) {
        int size = 1 << Math.min(7, 32 - Integer.numberOfLeadingZeros(TAKEN[edge]) - 1);
        if ((SEEN[edge] & size) == 0) {
          SEEN[edge] |= (byte) size;
          fresh++;
        }
      }
    }
    return fresh;
  }

  static int seen() {
    int seen = 0;
    for (byte edge : SEEN) {
      seen += edge != 0 ? 1 : 0;
    }
    return seen;
  }
}
