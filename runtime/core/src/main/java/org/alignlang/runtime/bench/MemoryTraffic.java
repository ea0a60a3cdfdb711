package org.alignlang.runtime.bench;

import org.alignlang.kernel.Workers;

/**
 * What the memory allows: {@code c = a + b} over arrays that are together as large as a batch and
 * its gradients. A kernel that reads its columns once and writes its gradients once cannot be
 * faster where the data does not fit into the caches.
 */
public final class MemoryTraffic {
  private static final int PIECE = 1 << 14;

  private final float[] a;
  private final float[] b;
  private final float[] c;

  /** Arrays of so many bytes together. */
  public MemoryTraffic(long bytes) {
    int length = (int) Math.clamp(bytes / 12, 1, Integer.MAX_VALUE - 8);
    a = new float[length];
    b = new float[length];
    c = new float[length];
    for (int i = 0; i < length; i++) {
      a[i] = i;
      b[i] = 1;
    }
  }

  /** Moves all of it once. */
  public void run(Workers workers) {
    int pieces = (a.length + PIECE - 1) / PIECE;
    workers.run(
        pieces,
        (from, to) -> add(a, b, c, from * PIECE, (int) Math.min(a.length, (long) to * PIECE)));
  }

  private static void add(float[] a, float[] b, float[] c, int from, int to) {
    for (int i = from; i < to; i++) {
      c[i] = a[i] + b[i];
    }
  }
}
