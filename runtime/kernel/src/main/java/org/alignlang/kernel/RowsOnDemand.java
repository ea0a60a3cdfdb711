package org.alignlang.kernel;

/**
 * Rows of logits that are made when a kernel comes to them, a few at a time, so that all of them
 * are never in memory at once. A kernel goes through them from the first to the last, in one
 * thread, perhaps more than once.
 */
public interface RowsOnDemand {

  /** How many numbers all rows hold. */
  int length();

  /**
   * Makes a number present, with the rest of its row, and says where it stands in {@link #values}
   * and in {@link #gradient}. Rows that were present may go; their gradient, if one was written, is
   * handed on then.
   *
   * @param index where it would stand if all rows were there
   */
  int present(int index);

  /** The rows that are present; the same array until others become so. */
  float[] values();

  /** Room for the gradient of the rows that are present, 0 until it is written. */
  float[] gradient();
}
