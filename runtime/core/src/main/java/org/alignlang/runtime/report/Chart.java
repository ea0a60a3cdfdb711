package org.alignlang.runtime.report;

import java.util.List;

/**
 * A line chart as data.
 *
 * @param title shown above; plain text
 * @param horizontalLabel the label of the horizontal axis
 * @param verticalLabel the label of the vertical axis
 * @param series the lines, in the order of the legend
 */
public record Chart(
    String title, String horizontalLabel, String verticalLabel, List<Series> series) {

  public Chart {
    series = List.copyOf(series);
  }

  /**
   * One line, with an optional band around it.
   *
   * @param name its name in the legend; empty for none
   * @param x horizontal positions; NaN breaks the line
   * @param y vertical positions
   * @param low lower edge of the band, empty for none
   * @param high upper edge of the band, empty for none
   * @param reference whether this is a reference line (drawn dashed and grey), such as a closed
   *     form
   */
  public record Series(
      String name, double[] x, double[] y, double[] low, double[] high, boolean reference) {}
}
