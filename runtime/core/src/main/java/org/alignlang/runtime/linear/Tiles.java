package org.alignlang.runtime.linear;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products of matrices, tile by tile: 8 rows of two vectors each, which stay in registers while the
 * sum runs. Every number is a sum in the order of k by fused multiplications, in tiles and at the
 * edges alike, so that the bits depend neither on tiles nor on threads.
 */
final class Tiles {
  static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  static final int LANES = SPECIES.length();

  /** How many rows a tile has. */
  static final int TILE = 8;

  /** How many columns a tile has. */
  static final int WIDTH = 2 * LANES;

  private Tiles() {}

  /**
   * {@code c[i, j] += sum over k of a[i, k] b[k, j]} for a whole tile, where the numbers of a row
   * of {@code a} lie side by side.
   *
   * @param aRow from one row of {@code a} to the next
   * @param bStep from one row of {@code b} to the next
   * @param cRow from one row of {@code c} to the next
   * @param count how many k there are
   */
  static void along(
      float[] a,
      int aFirst,
      int aRow,
      float[] b,
      int bFirst,
      int bStep,
      float[] c,
      int cFirst,
      int cRow,
      int count) {
    FloatVector x0 = FloatVector.fromArray(SPECIES, c, cFirst);
    FloatVector y0 = FloatVector.fromArray(SPECIES, c, cFirst + LANES);
    FloatVector x1 = FloatVector.fromArray(SPECIES, c, cFirst + cRow);
    FloatVector y1 = FloatVector.fromArray(SPECIES, c, cFirst + cRow + LANES);
    FloatVector x2 = FloatVector.fromArray(SPECIES, c, cFirst + 2 * cRow);
    FloatVector y2 = FloatVector.fromArray(SPECIES, c, cFirst + 2 * cRow + LANES);
    FloatVector x3 = FloatVector.fromArray(SPECIES, c, cFirst + 3 * cRow);
    FloatVector y3 = FloatVector.fromArray(SPECIES, c, cFirst + 3 * cRow + LANES);
    FloatVector x4 = FloatVector.fromArray(SPECIES, c, cFirst + 4 * cRow);
    FloatVector y4 = FloatVector.fromArray(SPECIES, c, cFirst + 4 * cRow + LANES);
    FloatVector x5 = FloatVector.fromArray(SPECIES, c, cFirst + 5 * cRow);
    FloatVector y5 = FloatVector.fromArray(SPECIES, c, cFirst + 5 * cRow + LANES);
    FloatVector x6 = FloatVector.fromArray(SPECIES, c, cFirst + 6 * cRow);
    FloatVector y6 = FloatVector.fromArray(SPECIES, c, cFirst + 6 * cRow + LANES);
    FloatVector x7 = FloatVector.fromArray(SPECIES, c, cFirst + 7 * cRow);
    FloatVector y7 = FloatVector.fromArray(SPECIES, c, cFirst + 7 * cRow + LANES);
    final int a1 = aFirst + aRow;
    final int a2 = aFirst + 2 * aRow;
    final int a3 = aFirst + 3 * aRow;
    final int a4 = aFirst + 4 * aRow;
    final int a5 = aFirst + 5 * aRow;
    final int a6 = aFirst + 6 * aRow;
    final int a7 = aFirst + 7 * aRow;
    for (int k = 0, at = bFirst; k < count; k++, at += bStep) {
      final FloatVector x = FloatVector.fromArray(SPECIES, b, at);
      final FloatVector y = FloatVector.fromArray(SPECIES, b, at + LANES);
      final FloatVector w0 = FloatVector.broadcast(SPECIES, a[aFirst + k]);
      x0 = w0.fma(x, x0);
      y0 = w0.fma(y, y0);
      final FloatVector w1 = FloatVector.broadcast(SPECIES, a[a1 + k]);
      x1 = w1.fma(x, x1);
      y1 = w1.fma(y, y1);
      final FloatVector w2 = FloatVector.broadcast(SPECIES, a[a2 + k]);
      x2 = w2.fma(x, x2);
      y2 = w2.fma(y, y2);
      final FloatVector w3 = FloatVector.broadcast(SPECIES, a[a3 + k]);
      x3 = w3.fma(x, x3);
      y3 = w3.fma(y, y3);
      final FloatVector w4 = FloatVector.broadcast(SPECIES, a[a4 + k]);
      x4 = w4.fma(x, x4);
      y4 = w4.fma(y, y4);
      final FloatVector w5 = FloatVector.broadcast(SPECIES, a[a5 + k]);
      x5 = w5.fma(x, x5);
      y5 = w5.fma(y, y5);
      final FloatVector w6 = FloatVector.broadcast(SPECIES, a[a6 + k]);
      x6 = w6.fma(x, x6);
      y6 = w6.fma(y, y6);
      final FloatVector w7 = FloatVector.broadcast(SPECIES, a[a7 + k]);
      x7 = w7.fma(x, x7);
      y7 = w7.fma(y, y7);
    }
    x0.intoArray(c, cFirst);
    y0.intoArray(c, cFirst + LANES);
    x1.intoArray(c, cFirst + cRow);
    y1.intoArray(c, cFirst + cRow + LANES);
    x2.intoArray(c, cFirst + 2 * cRow);
    y2.intoArray(c, cFirst + 2 * cRow + LANES);
    x3.intoArray(c, cFirst + 3 * cRow);
    y3.intoArray(c, cFirst + 3 * cRow + LANES);
    x4.intoArray(c, cFirst + 4 * cRow);
    y4.intoArray(c, cFirst + 4 * cRow + LANES);
    x5.intoArray(c, cFirst + 5 * cRow);
    y5.intoArray(c, cFirst + 5 * cRow + LANES);
    x6.intoArray(c, cFirst + 6 * cRow);
    y6.intoArray(c, cFirst + 6 * cRow + LANES);
    x7.intoArray(c, cFirst + 7 * cRow);
    y7.intoArray(c, cFirst + 7 * cRow + LANES);
  }

  /**
   * The same where the 8 numbers of a column of {@code a} lie side by side, and its columns behind
   * each other.
   */
  static void across(
      float[] a,
      int aFirst,
      float[] b,
      int bFirst,
      int bStep,
      float[] c,
      int cFirst,
      int cRow,
      int count) {
    FloatVector x0 = FloatVector.fromArray(SPECIES, c, cFirst);
    FloatVector y0 = FloatVector.fromArray(SPECIES, c, cFirst + LANES);
    FloatVector x1 = FloatVector.fromArray(SPECIES, c, cFirst + cRow);
    FloatVector y1 = FloatVector.fromArray(SPECIES, c, cFirst + cRow + LANES);
    FloatVector x2 = FloatVector.fromArray(SPECIES, c, cFirst + 2 * cRow);
    FloatVector y2 = FloatVector.fromArray(SPECIES, c, cFirst + 2 * cRow + LANES);
    FloatVector x3 = FloatVector.fromArray(SPECIES, c, cFirst + 3 * cRow);
    FloatVector y3 = FloatVector.fromArray(SPECIES, c, cFirst + 3 * cRow + LANES);
    FloatVector x4 = FloatVector.fromArray(SPECIES, c, cFirst + 4 * cRow);
    FloatVector y4 = FloatVector.fromArray(SPECIES, c, cFirst + 4 * cRow + LANES);
    FloatVector x5 = FloatVector.fromArray(SPECIES, c, cFirst + 5 * cRow);
    FloatVector y5 = FloatVector.fromArray(SPECIES, c, cFirst + 5 * cRow + LANES);
    FloatVector x6 = FloatVector.fromArray(SPECIES, c, cFirst + 6 * cRow);
    FloatVector y6 = FloatVector.fromArray(SPECIES, c, cFirst + 6 * cRow + LANES);
    FloatVector x7 = FloatVector.fromArray(SPECIES, c, cFirst + 7 * cRow);
    FloatVector y7 = FloatVector.fromArray(SPECIES, c, cFirst + 7 * cRow + LANES);
    for (int k = 0, at = bFirst; k < count; k++, at += bStep) {
      final FloatVector x = FloatVector.fromArray(SPECIES, b, at);
      final FloatVector y = FloatVector.fromArray(SPECIES, b, at + LANES);
      final FloatVector w0 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k]);
      x0 = w0.fma(x, x0);
      y0 = w0.fma(y, y0);
      final FloatVector w1 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 1]);
      x1 = w1.fma(x, x1);
      y1 = w1.fma(y, y1);
      final FloatVector w2 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 2]);
      x2 = w2.fma(x, x2);
      y2 = w2.fma(y, y2);
      final FloatVector w3 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 3]);
      x3 = w3.fma(x, x3);
      y3 = w3.fma(y, y3);
      final FloatVector w4 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 4]);
      x4 = w4.fma(x, x4);
      y4 = w4.fma(y, y4);
      final FloatVector w5 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 5]);
      x5 = w5.fma(x, x5);
      y5 = w5.fma(y, y5);
      final FloatVector w6 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 6]);
      x6 = w6.fma(x, x6);
      y6 = w6.fma(y, y6);
      final FloatVector w7 = FloatVector.broadcast(SPECIES, a[aFirst + TILE * k + 7]);
      x7 = w7.fma(x, x7);
      y7 = w7.fma(y, y7);
    }
    x0.intoArray(c, cFirst);
    y0.intoArray(c, cFirst + LANES);
    x1.intoArray(c, cFirst + cRow);
    y1.intoArray(c, cFirst + cRow + LANES);
    x2.intoArray(c, cFirst + 2 * cRow);
    y2.intoArray(c, cFirst + 2 * cRow + LANES);
    x3.intoArray(c, cFirst + 3 * cRow);
    y3.intoArray(c, cFirst + 3 * cRow + LANES);
    x4.intoArray(c, cFirst + 4 * cRow);
    y4.intoArray(c, cFirst + 4 * cRow + LANES);
    x5.intoArray(c, cFirst + 5 * cRow);
    y5.intoArray(c, cFirst + 5 * cRow + LANES);
    x6.intoArray(c, cFirst + 6 * cRow);
    y6.intoArray(c, cFirst + 6 * cRow + LANES);
    x7.intoArray(c, cFirst + 7 * cRow);
    y7.intoArray(c, cFirst + 7 * cRow + LANES);
  }

  /** The same for any number of rows and columns, one number at a time. */
  static void edge(
      float[] a,
      int aFirst,
      int aRow,
      int aStep,
      float[] b,
      int bFirst,
      int bStep,
      float[] c,
      int cFirst,
      int cRow,
      int count,
      int rows,
      int columns) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < columns; j++) {
        float sum = c[cFirst + i * cRow + j];
        for (int k = 0; k < count; k++) {
          sum = Math.fma(a[aFirst + i * aRow + k * aStep], b[bFirst + k * bStep + j], sum);
        }
        c[cFirst + i * cRow + j] = sum;
      }
    }
  }
}
