package org.alignlang.cli.run;

import java.util.ArrayList;
import java.util.List;

/** A table as text: columns as wide as they must be, numbers to the right. */
public final class TextTable {
  private static final String GAP = "  ";

  private final List<Column> columns = new ArrayList<>();
  private final List<List<String>> rows = new ArrayList<>();

  private record Column(String heading, boolean right) {}

  /** Adds a column of text. */
  public TextTable text(String heading) {
    columns.add(new Column(heading, false));
    return this;
  }

  /** Adds a column of numbers. */
  public TextTable number(String heading) {
    columns.add(new Column(heading, true));
    return this;
  }

  /** Adds a row, one text per column. */
  public void row(List<String> cells) {
    if (cells.size() != columns.size()) {
      throw new IllegalArgumentException(cells.size() + " cells, " + columns.size() + " columns");
    }
    rows.add(List.copyOf(cells));
  }

  public boolean isEmpty() {
    return rows.isEmpty();
  }

  /** The table, with a line under the headings; columns that are empty everywhere are left out. */
  public String render() {
    List<Integer> shown = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      int column = i;
      if (rows.isEmpty() || rows.stream().anyMatch(row -> !row.get(column).isEmpty())) {
        shown.add(i);
      }
    }
    StringBuilder out = new StringBuilder();
    List<String> rule = new ArrayList<>();
    for (int i = 0; i < columns.size(); i++) {
      rule.add("─".repeat(width(i)));
    }
    line(out, columns.stream().map(Column::heading).toList(), shown);
    line(out, rule, shown);
    rows.forEach(row -> line(out, row, shown));
    return out.toString();
  }

  private int width(int column) {
    return Math.max(
        length(columns.get(column).heading()),
        rows.stream().mapToInt(row -> length(row.get(column))).max().orElse(0));
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  private void line(StringBuilder out, List<String> cells, List<Integer> shown) {
    StringBuilder line = new StringBuilder();
    for (int i : shown) {
      String padding = " ".repeat(width(i) - length(cells.get(i)));
      boolean right = columns.get(i).right();
      line.append(line.isEmpty() ? "" : GAP)
          .append(right ? padding : "")
          .append(cells.get(i))
          .append(right ? "" : padding);
    }
    out.append(line.toString().stripTrailing()).append('\n');
  }
}
