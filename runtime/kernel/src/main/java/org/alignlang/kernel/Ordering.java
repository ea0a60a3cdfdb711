package org.alignlang.kernel;

/**
 * The order of a batch's rows, or of a sequence's tokens, by a key, ascending, within the batch,
 * within each group, or of tokens within each row; equal keys keep the order of the elements, and
 * NaN comes last. Allocate once for a number of elements and reuse.
 */
public final class Ordering {
  /** The elements scope by scope, each scope in the order of the elements. */
  private final int[] slots;

  /** The elements scope by scope, each scope in the order of the key. */
  private final int[] order;

  private final int[] spare;

  /** Where each scope ends in {@link #slots}; scopes without elements are left out. */
  private final int[] ends;

  private int filled;
  private int scopes;

  /**
   * @param elements how many rows or tokens there are
   */
  public Ordering(int elements) {
    slots = new int[elements];
    order = new int[elements];
    spare = new int[elements];
    ends = new int[elements];
  }

  /** Orders all elements. */
  public void by(double[] keys) {
    begin();
    add(0, slots.length);
    finish(keys);
  }

  /** Orders the rows of each group. */
  public void by(int[] groupOf, int groups, double[] keys) {
    begin();
    for (int group = 0; group < groups; group++) {
      for (int row = 0; row < groupOf.length; row++) {
        if (groupOf[row] == group) {
          add(row, row + 1);
        }
      }
      finish(keys);
    }
  }

  /**
   * Orders the tokens of each row.
   *
   * @param offsets where each row's tokens begin, and last where they end
   */
  public void by(int[] offsets, double[] keys) {
    begin();
    for (int row = 0; row + 1 < offsets.length; row++) {
      add(offsets[row], offsets[row + 1]);
      finish(keys);
    }
  }

  /** Orders the tokens of each group of rows. */
  public void by(int[] offsets, int[] groupOf, int groups, double[] keys) {
    begin();
    for (int group = 0; group < groups; group++) {
      for (int row = 0; row < groupOf.length; row++) {
        if (groupOf[row] == group) {
          add(offsets[row], offsets[row + 1]);
        }
      }
      finish(keys);
    }
  }

  private void begin() {
    filled = 0;
    scopes = 0;
  }

  /** Adds elements to the scope at hand. */
  private void add(int from, int to) {
    for (int element = from; element < to; element++) {
      slots[filled] = element;
      order[filled] = element;
      filled++;
    }
  }

  private void finish(double[] keys) {
    int first = scopes == 0 ? 0 : ends[scopes - 1];
    if (filled > first) {
      sort(keys, first, filled);
      ends[scopes] = filled;
      scopes++;
    }
  }

  /** Gives the i-th element of each scope the value of the one with the i-th smallest key. */
  public void gather(double[] values, double[] result) {
    for (int i = 0; i < order.length; i++) {
      result[slots[i]] = values[order[i]];
    }
  }

  /** The inverse: gives the element with the i-th smallest key the value of the i-th. */
  public void scatter(double[] values, double[] result) {
    for (int i = 0; i < order.length; i++) {
      result[order[i]] = values[slots[i]];
    }
  }

  /**
   * The sum of the values of each element's scope whose key equals its own, in the order of the
   * elements.
   *
   * @param keys those that the elements are ordered by; a NaN equals none, but an element counts
   *     for itself
   */
  public void sumMatching(double[] keys, double[] values, double[] result) {
    int first = 0;
    for (int scope = 0; scope < scopes; scope++) {
      while (first < ends[scope]) {
        double key = keys[order[first]];
        double sum = values[order[first]];
        int end = first + 1;
        while (end < ends[scope] && keys[order[end]] == key) {
          sum += values[order[end]];
          end++;
        }
        for (int i = first; i < end; i++) {
          result[order[i]] = sum;
        }
        first = end;
      }
    }
  }

  /** The position of each element, from 0. */
  public static void positions(double[] result) {
    for (int element = 0; element < result.length; element++) {
      result[element] = element;
    }
  }

  /** The position of each row in its group, from 0, in the order of the rows. */
  public static void positions(int[] groupOf, double[] result) {
    for (int row = 0; row < result.length; row++) {
      result[row] = 0;
      for (int other = row - 1; other >= 0; other--) {
        if (groupOf[other] == groupOf[row]) {
          result[row] = result[other] + 1;
          break;
        }
      }
    }
  }

  /** The position of each token among those of its group of rows, from 0. */
  public static void positions(int[] offsets, int[] groupOf, double[] result) {
    for (int row = 0; row < groupOf.length; row++) {
      double next = 0;
      for (int other = row - 1; other >= 0; other--) {
        if (groupOf[other] == groupOf[row]) {
          next += offsets[other + 1] - offsets[other];
        }
      }
      for (int t = offsets[row]; t < offsets[row + 1]; t++) {
        result[t] = next++;
      }
    }
  }

  /** Whether one key comes before another; 0 and -0 are equal. */
  private static boolean isBefore(double a, double b) {
    return a < b || (Double.isNaN(b) && !Double.isNaN(a));
  }

  /** A stable merge sort of a stretch of the order. */
  private void sort(double[] keys, int from, int to) {
    if (to - from < 2) {
      return;
    }
    int middle = (from + to) >>> 1;
    sort(keys, from, middle);
    sort(keys, middle, to);
    System.arraycopy(order, from, spare, from, to - from);
    int left = from;
    int right = middle;
    for (int i = from; i < to; i++) {
      boolean takeLeft =
          right >= to || (left < middle && !isBefore(keys[spare[right]], keys[spare[left]]));
      order[i] = takeLeft ? spare[left++] : spare[right++];
    }
  }
}
