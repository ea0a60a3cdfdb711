package org.alignlang.kernel;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Orders of the vocabulary entries of a position by their values, ascending, and room for rows of
 * values: equal values keep the order of the entries, 0 and -0 are equal, and NaN comes last. A row
 * of n entries takes time in proportion to n. One thread uses it at a time.
 */
public final class EntryOrders {
  private static final int BITS = 8;
  private static final int DIGITS = Long.SIZE / BITS;
  private static final int BUCKETS = 1 << BITS;

  /** Below so many entries a sort by insertion is quicker. */
  private static final int FEW = 48;

  private final int count;
  private final List<double[]> rows = new ArrayList<>();
  private final List<int[]> orders = new ArrayList<>();
  private long[] keys;
  private long[] spareKeys;
  private int[] spare;
  private final int[] histograms = new int[DIGITS * BUCKETS];

  /**
   * @param count how many entries a row has
   */
  public EntryOrders(int count) {
    this.count = count;
    keys = new long[count];
    spareKeys = new long[count];
    spare = new int[count];
  }

  /** Room for one number per entry. */
  public double[] row(int index) {
    while (rows.size() <= index) {
      rows.add(new double[count]);
    }
    return rows.get(index);
  }

  /** Orders the entries by a key. */
  public void sort(int index, double[] key) {
    while (orders.size() <= index) {
      orders.add(new int[count]);
    }
    int[] order = orders.get(index);
    for (int i = 0; i < count; i++) {
      // Adding 0 makes 0 of -0; the bits of a NaN are made those of the largest number.
      long bits = Double.doubleToLongBits(key[i] + 0.0);
      keys[i] = bits ^ ((bits >> (Long.SIZE - 1)) & Long.MAX_VALUE);
      order[i] = i;
    }
    if (count <= FEW) {
      insert(order);
    } else {
      orders.set(index, distribute(order));
    }
  }

  private void insert(int[] order) {
    for (int i = 1; i < count; i++) {
      long key = keys[i];
      int entry = order[i];
      int hole = i;
      while (hole > 0 && keys[hole - 1] > key) {
        keys[hole] = keys[hole - 1];
        order[hole] = order[hole - 1];
        hole--;
      }
      keys[hole] = key;
      order[hole] = entry;
    }
  }

  /** Sorts by one digit after the other, from the last; a digit that all have is left out. */
  private int[] distribute(int[] first) {
    int[] order = first;
    Arrays.fill(histograms, 0);
    for (int i = 0; i < count; i++) {
      long key = keys[i] ^ Long.MIN_VALUE;
      for (int digit = 0; digit < DIGITS; digit++) {
        histograms[digit * BUCKETS + ((int) (key >>> (digit * BITS)) & (BUCKETS - 1))]++;
      }
    }
    for (int digit = 0; digit < DIGITS; digit++) {
      int from = digit * BUCKETS;
      int next = 0;
      boolean same = false;
      for (int bucket = from; bucket < from + BUCKETS; bucket++) {
        int size = histograms[bucket];
        same |= size == count;
        histograms[bucket] = next;
        next += size;
      }
      if (same) {
        continue;
      }
      for (int i = 0; i < count; i++) {
        long key = keys[i] ^ Long.MIN_VALUE;
        int place = histograms[from + ((int) (key >>> (digit * BITS)) & (BUCKETS - 1))]++;
        spareKeys[place] = keys[i];
        spare[place] = order[i];
      }
      long[] otherKeys = keys;
      keys = spareKeys;
      spareKeys = otherKeys;
      int[] other = order;
      order = spare;
      spare = other;
    }
    return order;
  }

  /** Gives the i-th place the value of the entry with the i-th smallest key. */
  public void gather(int index, double[] values, double[] result) {
    int[] order = orders.get(index);
    for (int i = 0; i < count; i++) {
      result[i] = values[order[i]];
    }
  }

  /** The inverse: gives the entry with the i-th smallest key the value of the i-th place. */
  public void scatter(int index, double[] values, double[] result) {
    int[] order = orders.get(index);
    for (int i = 0; i < count; i++) {
      result[order[i]] = values[i];
    }
  }
}
