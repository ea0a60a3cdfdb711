package org.alignlang.kernel;

/**
 * The order of a batch's rows by a key, ascending, within the batch or within each group; equal
 * keys keep the order of the rows, and NaN comes last. Allocate once for a number of rows and
 * reuse.
 */
public final class Ordering {
  private final int[] slots;
  private final int[] order;
  private final int[] spare;

  public Ordering(int rows) {
    slots = new int[rows];
    order = new int[rows];
    spare = new int[rows];
  }

  /** Orders all rows. */
  public void by(double[] keys) {
    for (int row = 0; row < order.length; row++) {
      slots[row] = row;
      order[row] = row;
    }
    sort(keys, 0, order.length);
  }

  /** Orders the rows of each group. */
  public void by(double[] keys, int[] groupOf, int groups) {
    int next = 0;
    for (int group = 0; group < groups; group++) {
      int first = next;
      for (int row = 0; row < order.length; row++) {
        if (groupOf[row] == group) {
          slots[next] = row;
          order[next] = row;
          next++;
        }
      }
      sort(keys, first, next);
    }
  }

  /** Gives the i-th row of each scope the value of the row with the i-th smallest key. */
  public void gather(double[] values, double[] result) {
    for (int i = 0; i < order.length; i++) {
      result[slots[i]] = values[order[i]];
    }
  }

  /** The inverse: gives the row with the i-th smallest key the value of the i-th row. */
  public void scatter(double[] values, double[] result) {
    for (int i = 0; i < order.length; i++) {
      result[order[i]] = values[slots[i]];
    }
  }

  /** The position of each row in its scope, from 0, in the order of the rows. */
  public static void positions(double[] result) {
    for (int row = 0; row < result.length; row++) {
      result[row] = row;
    }
  }

  /** The position of each row in its group, from 0, in the order of the rows. */
  public static void positions(int[] groupOf, double[] result) {
    for (int row = 0; row < result.length; row++) {
      int before = 0;
      for (int other = row - 1; other >= 0; other--) {
        if (groupOf[other] == groupOf[row]) {
          before = (int) result[other] + 1;
          break;
        }
      }
      result[row] = before;
    }
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
          right >= to
              || (left < middle && Double.compare(keys[spare[left]], keys[spare[right]]) <= 0);
      order[i] = takeLeft ? spare[left++] : spare[right++];
    }
  }
}
