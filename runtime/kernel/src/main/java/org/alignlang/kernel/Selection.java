package org.alignlang.kernel;

import java.util.Arrays;

/**
 * Finds the k-th largest entry of a row, such as the logits of a position: the least of the k
 * largest so far stands at the root of a heap, and most entries are only compared with it. NaN is
 * none of the largest. One thread uses it at a time.
 */
public final class Selection {
  private double[] heap = new double[0];

  /**
   * The k-th largest of {@code count} entries.
   *
   * @param k rounded down, and held between 1 and the number of entries
   * @param first where the row begins
   * @return negative infinity if fewer entries are numbers
   */
  public double largest(double k, double[] row, int first, int count) {
    int size = begin(k, count);
    for (int i = first; i < first + count; i++) {
      if (row[i] > heap[0]) {
        replaceLeast(row[i], size);
      }
    }
    return heap[0];
  }

  /** The k-th largest of {@code count} entries in single precision. */
  public double largest(double k, float[] row, int first, int count) {
    int size = begin(k, count);
    for (int i = first; i < first + count; i++) {
      if (row[i] > heap[0]) {
        replaceLeast(row[i], size);
      }
    }
    return heap[0];
  }

  private int begin(double k, int count) {
    int size = Math.max(1, (int) Math.min(Math.floor(k), count));
    if (heap.length < size) {
      heap = new double[size];
    }
    Arrays.fill(heap, 0, size, Double.NEGATIVE_INFINITY);
    return size;
  }

  /** Puts an entry in the place of the least, and the least of the rest at the root. */
  private void replaceLeast(double entry, int size) {
    int hole = 0;
    while (true) {
      int child = 2 * hole + 1;
      if (child >= size) {
        break;
      }
      if (child + 1 < size && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= entry) {
        break;
      }
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = entry;
  }
}
