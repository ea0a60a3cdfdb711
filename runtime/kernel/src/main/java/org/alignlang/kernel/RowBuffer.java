package org.alignlang.kernel;

/**
 * The rows of a column as single-precision arrays, for one thread: the column's own array where it
 * is one, the rows that are present where they are made on demand, else a buffer into which each
 * row is copied and widened when it is opened.
 */
public final class RowBuffer {
  private float[] array = new float[0];
  private float[] buffer = new float[0];
  private int first;

  /** Goes to a row: {@code count} numbers from {@code from} on. */
  public void open(Column column, int from, int count) {
    if (column instanceof Column.Floats floats) {
      array = floats.values();
      first = from;
      return;
    }
    if (column instanceof Column.OnDemand made) {
      first = made.rows().present(from);
      array = made.rows().values();
      return;
    }
    if (buffer.length < count) {
      buffer = new float[count];
    }
    column.copyTo(from, buffer, count);
    array = buffer;
    first = 0;
  }

  /** The array that holds the open row. */
  public float[] array() {
    return array;
  }

  /** Where in the array the open row begins. */
  public int first() {
    return first;
  }
}
