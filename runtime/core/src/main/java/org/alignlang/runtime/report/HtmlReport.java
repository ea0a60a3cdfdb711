package org.alignlang.runtime.report;

import static org.alignlang.runtime.report.Markup.escape;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.Interval;
import org.alignlang.runtime.experiment.PolicySummary;
import org.alignlang.runtime.experiment.TrainingResult;
import org.jspecify.annotations.Nullable;

/**
 * The report of a run as one HTML file: no scripts, nothing from elsewhere, light or dark as the
 * reader prefers.
 */
public final class HtmlReport {
  private static final int MOST_TRAININGS_SHOWN = 12;

  private final Contents contents;
  private final StringBuilder out = new StringBuilder();

  private HtmlReport(Contents contents) {
    this.contents = contents;
  }

  /**
   * What a report shows.
   *
   * @param title the experiment's name
   * @param subtitle where, when and how long
   * @param complete whether all trainings made all their steps
   * @param objective the objective as written
   * @param seeds how many seeds the numbers are over
   * @param table the results
   * @param claims the verdicts
   * @param charts the plots
   * @param trainings the trainings, for what their policies say
   * @param notes what a reader should know
   * @param configuration settings, by name
   * @param environment what it ran on, by name
   * @param commands how to repeat it, and how to go on
   * @param spec the spec's text
   */
  public record Contents(
      String title,
      String subtitle,
      boolean complete,
      String objective,
      int seeds,
      ResultTable table,
      List<ClaimVerdict> claims,
      List<Chart> charts,
      List<TrainingResult> trainings,
      List<String> notes,
      Map<String, String> configuration,
      Map<String, String> environment,
      List<String> commands,
      String spec) {}

  /** The report as a complete document. */
  public static String write(Contents contents) {
    return new HtmlReport(contents).write();
  }

  private String write() {
    out.append(
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
        <title>%s</title>
        <style>
        %s</style>
        </head>
        <body>
        <main>
        """
            .formatted(escape(contents.title()), STYLE));
    header();
    claims();
    table();
    charts();
    policies();
    pairs("Configuration", contents.configuration());
    pairs("Environment", contents.environment());
    reproduce();
    out.append("</main>\n</body>\n</html>\n");
    return out.toString();
  }

  private void header() {
    out.append(
        "<h1>%s</h1>\n<p class=\"muted\">%s</p>\n"
            .formatted(escape(contents.title()), escape(contents.subtitle())));
    if (!contents.complete()) {
      out.append(
          "<p class=\"warning\">This run has not come to its end; all numbers are those reached so"
              + " far.</p>\n");
    }
    for (String note : contents.notes()) {
      out.append("<p class=\"warning\">%s</p>\n".formatted(escape(sentence(note))));
    }
    if (!contents.objective().isBlank()) {
      out.append(
          "<h2>Objective</h2>\n<pre>%s</pre>\n"
              .formatted(escape(contents.objective().stripIndent().strip())));
    }
  }

  private static String sentence(String text) {
    String capital = text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    return capital.endsWith(".") ? capital : capital + ".";
  }

  private void claims() {
    if (contents.claims().isEmpty()) {
      return;
    }
    if (!contents.complete()) {
      out.append("<h2>Claims</h2>\n<p>They are judged when the run is complete:</p>\n<ul>\n");
      contents
          .claims()
          .forEach(
              claim -> out.append("<li><code>%s</code></li>\n".formatted(escape(claim.text()))));
      out.append("</ul>\n");
      return;
    }
    long held = contents.claims().stream().filter(ClaimVerdict::passed).count();
    out.append(
        "<h2>Claims</h2>\n<p>%d of %d hold.</p>\n<ul class=\"claims\">\n"
            .formatted(held, contents.claims().size()));
    for (ClaimVerdict claim : contents.claims()) {
      out.append(
          "<li class=\"%s\"><p><span class=\"verdict\">%s</span> %s</p>\n<p><code>%s</code></p>\n"
              .formatted(
                  claim.passed() ? "holds" : "fails",
                  claim.passed() ? "✓ holds" : "✗ fails",
                  escape(claim.message()),
                  escape(claim.text())));
      for (ClaimVerdict.Part part : claim.parts()) {
        out.append("<p class=\"muted\">%s</p>\n".formatted(escape(part.sentence())));
      }
      out.append("</li>\n");
    }
    out.append("</ul>\n");
  }

  private void table() {
    List<ResultTable.Row> rows = contents.table().rows();
    if (rows.isEmpty()) {
      return;
    }
    Set<String> labels = new LinkedHashSet<>();
    rows.forEach(row -> labels.addAll(row.labels().keySet()));
    boolean exact = contents.table().hasExact();
    out.append("<h2>Results</h2>\n<p class=\"muted\">");
    out.append(
        contents.seeds() == 1
            ? "One seed."
            : "Means over %d seeds ± half of the 95 %% confidence interval."
                .formatted(contents.seeds()));
    out.append("</p>\n<div class=\"scroll\"><table>\n<thead><tr>");
    labels.forEach(label -> heading(label, false));
    heading("quantity", false);
    heading("at the start", true);
    heading("at the end", true);
    if (exact) {
      heading("closed form", true);
      heading("difference", true);
    }
    heading("measured", false);
    out.append("</tr></thead>\n<tbody>\n");
    int point = rows.getFirst().point();
    for (ResultTable.Row row : rows) {
      out.append(row.point() == point ? "<tr>" : "<tr class=\"next\">");
      point = row.point();
      for (String label : labels) {
        cell(row.labels().getOrDefault(label, ""), false);
      }
      cell(row.quantity(), false);
      cell(row.first());
      cell(row.last());
      if (exact) {
        cell(row.exact());
        cell(row.difference());
      }
      cell(row.method(), false);
      out.append("</tr>\n");
    }
    out.append("</tbody>\n</table></div>\n");
  }

  private void heading(String text, boolean number) {
    out.append("<th%s>%s</th>".formatted(number ? " class=\"number\"" : "", escape(text)));
  }

  private void cell(String text, boolean number) {
    out.append("<td%s>%s</td>".formatted(number ? " class=\"number\"" : "", escape(text)));
  }

  private void cell(@Nullable Interval interval) {
    if (interval == null) {
      cell("", true);
    } else if (interval.spread()) {
      out.append(
          "<td class=\"number\" title=\"%s\">%s</td>"
              .formatted(escape(interval.show()), escape(interval.showShort())));
    } else {
      cell(interval.show(), true);
    }
  }

  private void charts() {
    if (contents.charts().isEmpty()) {
      return;
    }
    out.append("<h2>Plots</h2>\n");
    if (contents.seeds() > 1) {
      out.append(
          "<p class=\"muted\">Lines are means over %d seeds, bands their range; dashed is the closed form, where one is known.</p>\n"
              .formatted(contents.seeds()));
    }
    for (Chart chart : contents.charts()) {
      out.append("<figure>\n").append(SvgChart.draw(chart)).append("</figure>\n");
    }
  }

  /** What the policies of the first seed say, before and after. */
  private void policies() {
    List<TrainingResult> shown =
        contents.trainings().stream()
            .filter(training -> training.id().seedIndex() == 0)
            .filter(training -> !training.policy().prompts().isEmpty())
            .limit(MOST_TRAININGS_SHOWN)
            .toList();
    if (shown.isEmpty()) {
      return;
    }
    out.append(
        "<h2>Responses</h2>\n"
            + "<p class=\"muted\">The most probable responses of the trained policy and of the base"
            + " policy, with their probability before (under the base policy) and after.</p>\n");
    for (TrainingResult training : shown) {
      boolean open = shown.size() == 1;
      out.append(
          "<details%s><summary>%s</summary>\n"
              .formatted(open ? " open" : "", escape(training.id().show())));
      out.append(
          "<div class=\"scroll\"><table>\n"
              + "<thead><tr><th>prompt</th><th>response</th><th class=\"number\">before</th><th"
              + " class=\"number\">after</th><th></th></tr></thead>\n"
              + "<tbody>\n");
      for (PolicySummary.Prompt prompt : training.policy().prompts()) {
        boolean first = true;
        List<PolicySummary.Top> rows =
            Stream.concat(prompt.responses().stream(), prompt.before().stream())
                .distinct()
                .toList();
        for (PolicySummary.Top top : rows) {
          out.append(first && prompt.prompt() > 0 ? "<tr class=\"next\">" : "<tr>");
          cell(first ? prompt.text() : "", false);
          cell(top.text(), false);
          cell(probability(top.baseProbability()), true);
          cell(probability(top.probability()), true);
          out.append(
              "<td><span class=\"bar\" style=\"width:%spx\"></span></td></tr>\n"
                  .formatted(Markup.coordinate(120 * Math.clamp(top.probability(), 0, 1))));
          first = false;
        }
      }
      out.append("</tbody>\n</table></div></details>\n");
    }
  }

  private static String probability(double probability) {
    return probability != 0 && probability < 0.0005
        ? String.format(Locale.ROOT, "%.1e", probability)
        : String.format(Locale.ROOT, "%.3f", probability);
  }

  private void pairs(String title, Map<String, String> pairs) {
    out.append("<h2>%s</h2>\n<dl>\n".formatted(escape(title)));
    new LinkedHashMap<>(pairs)
        .forEach((name, value) ->
            out.append("<dt>%s</dt><dd>%s</dd>\n".formatted(escape(name), escape(value))));
    out.append("</dl>\n");
  }

  private void reproduce() {
    out.append("<h2>How to reproduce</h2>\n<pre>");
    List<String> lines = new ArrayList<>(contents.commands());
    out.append(escape(String.join("\n", lines)));
    out.append("</pre>\n");
    if (!contents.spec().isBlank()) {
      out.append(
          "<details><summary>The spec</summary>\n<pre>%s</pre></details>\n"
              .formatted(escape(contents.spec().strip())));
    }
  }

  private static final String STYLE =
      """
      :root { color-scheme: light dark; --ground: #ffffff; --text: #1f2328; --muted: #59636e;
        --line: #d8dee4; --soft: #f4f6f8; --good: #1a7f37; --bad: #b42318; --accent: #0072b2; }
      @media (prefers-color-scheme: dark) {
        :root { --ground: #16191d; --text: #e4e7eb; --muted: #a3acb6; --line: #343a42;
          --soft: #20252b; --good: #4ac26b; --bad: #ff7b72; --accent: #56b4e9; }
      }
      body { margin: 0; background: var(--ground); color: var(--text);
        font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
      main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
      h1 { font-size: 1.9rem; margin: 0; overflow-wrap: anywhere; }
      h2 { font-size: 1.25rem; margin: 2.25rem 0 0.5rem; }
      p { margin: 0.3rem 0; }
      .muted { color: var(--muted); }
      .warning { border-left: 4px solid #c98a00; padding: 0.4rem 0.8rem; background: var(--soft); }
      pre, code { font-family: ui-monospace, "SFMono-Regular", Menlo, "DejaVu Sans Mono", monospace;
        font-size: 0.9em; }
      pre { background: var(--soft); padding: 0.8rem 1rem; border-radius: 6px; overflow-x: auto; }
      .scroll { overflow-x: auto; }
      table { border-collapse: collapse; width: 100%; font-size: 0.95rem; }
      th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0; border-bottom: 1px solid var(--line);
        vertical-align: top; white-space: nowrap; }
      td:nth-child(2):not(.number) { white-space: normal; }
      th { font-weight: 600; }
      .number { text-align: right; font-variant-numeric: tabular-nums; }
      tr.next td { border-top: 2px solid var(--muted); }
      .claims { list-style: none; padding: 0; }
      .claims li { border-left: 4px solid var(--line); padding: 0.3rem 0 0.3rem 0.9rem; margin: 0.8rem 0; }
      .claims .holds { border-color: var(--good); }
      .claims .fails { border-color: var(--bad); }
      .verdict { font-weight: 600; }
      .holds .verdict { color: var(--good); }
      .fails .verdict { color: var(--bad); }
      figure { margin: 1rem 0 1.75rem; }
      figure svg { width: 100%; height: auto; max-width: 54rem; display: block; }
      .bar { display: inline-block; height: 0.7em; background: var(--accent); border-radius: 2px; }
      details { margin: 0.5rem 0; }
      summary { cursor: pointer; }
      dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.25rem; margin: 0; }
      dt { color: var(--muted); }
      dd { margin: 0; overflow-wrap: anywhere; }
      @media print { details > * { display: block; } }
      """;
}
