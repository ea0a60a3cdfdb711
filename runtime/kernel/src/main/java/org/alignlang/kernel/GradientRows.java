package org.alignlang.kernel;

import org.jspecify.annotations.Nullable;

/** Where a kernel writes the gradient for logits: one array, or rows that are handed on. */
public final class GradientRows {
  /** Room for nothing. */
  public static final GradientRows NONE = new GradientRows(new float[0], null);

  private final float[] whole;
  private final @Nullable RowsOnDemand rows;

  private GradientRows(float[] whole, @Nullable RowsOnDemand rows) {
    this.whole = whole;
    this.rows = rows;
  }

  static GradientRows of(float[] whole) {
    return new GradientRows(whole, null);
  }

  static GradientRows of(RowsOnDemand rows) {
    return new GradientRows(new float[0], rows);
  }

  /** The array that holds the row at hand. */
  public float[] array() {
    return rows == null ? whole : rows.gradient();
  }

  /** Where in the array the row begins that would begin at {@code from} if all were there. */
  public int first(int from) {
    return rows == null ? from : rows.present(from);
  }
}
