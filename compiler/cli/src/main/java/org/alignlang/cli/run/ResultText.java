package org.alignlang.cli.run;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.compiler.diagnostic.Palette;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.report.ResultTable;
import org.jspecify.annotations.Nullable;

/** Results as text for a terminal. */
final class ResultText {
  private ResultText() {}

  /** The table of what was recorded, with the closed form beside it where it is known. */
  static String table(List<ResultTable.Row> rows) {
    Set<String> labels = new LinkedHashSet<>();
    rows.forEach(row -> labels.addAll(row.labels().keySet()));
    TextTable table = new TextTable();
    labels.forEach(table::text);
    table.text("quantity").number("start").number("end").number("closed form").number("difference");
    List<String> previous = List.of();
    for (ResultTable.Row row : rows) {
      List<String> own =
          labels.stream().map(label -> row.labels().getOrDefault(label, "")).toList();
      List<String> cells =
          new ArrayList<>(own.equals(previous) ? own.stream().map(o -> "").toList() : own);
      previous = own;
      cells.add(row.quantity());
      cells.add(row.first().showShort());
      cells.add(row.last().showShort());
      cells.add(show(row.exact()));
      cells.add(show(row.difference()));
      table.row(cells);
    }
    int seeds = rows.isEmpty() ? 0 : rows.getFirst().last().count();
    boolean spread = rows.stream().anyMatch(row -> row.first().spread() || row.last().spread());
    return table.render()
        + (spread
            ? "Means over %d seeds ± half of the 95 %% confidence interval.\n".formatted(seeds)
            : "");
  }

  static String show(@Nullable Interval interval) {
    return interval == null ? "" : interval.showShort();
  }

  /** The verdicts, one paragraph each. */
  static String claims(List<ClaimVerdict> claims, Palette palette) {
    StringBuilder out = new StringBuilder();
    for (ClaimVerdict claim : claims) {
      out.append(claim.passed() ? palette.good("✓ holds") : palette.error("✗ fails"))
          .append("  ")
          .append(claim.message().isEmpty() ? "" : claim.message() + ": ")
          .append(claim.text())
          .append('\n');
      for (ClaimVerdict.Part part : claim.parts()) {
        out.append("    ").append(part.sentence()).append('\n');
      }
    }
    return out.toString();
  }
}
