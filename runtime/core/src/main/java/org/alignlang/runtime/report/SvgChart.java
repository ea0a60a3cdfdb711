package org.alignlang.runtime.report;

import static org.alignlang.runtime.report.Markup.coordinate;
import static org.alignlang.runtime.report.Markup.escape;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import org.alignlang.runtime.report.Chart.Series;

/**
 * Draws charts as SVG, without scripts or outside resources. Colours are told apart with all common
 * forms of colour blindness, lines end in marks of different shapes, and a dark theme is used where
 * the reader prefers one.
 */
public final class SvgChart {
  private static final int WIDTH = 720;
  private static final int PLOT_HEIGHT = 320;
  private static final double FONT = 13;
  private static final double TITLE_FONT = 15;
  private static final int MAXIMUM_POINTS = 1200;
  private static final double LEGEND_ROW = 22;
  private static final double LEGEND_KEY = 30;

  /** Lines on a light ground; after Okabe and Ito, the pale ones darkened. */
  private static final List<String> LIGHT =
      List.of("#0072b2", "#d55e00", "#008f68", "#aa3377", "#a67c00", "#3399dd", "#5b5b5b");

  /** The same on a dark ground. */
  private static final List<String> DARK =
      List.of("#56b4e9", "#ff8c42", "#2fc79a", "#e58fc4", "#e6c440", "#a3d5ff", "#bdbdbd");

  /** For more lines than there are colours, from the first to the last: a scale of lightness. */
  private static final int[] RAMP = {0x440154, 0x3b528b, 0x21918c, 0x2fa56d, 0x8aa800};

  private static final int[] DARK_RAMP = {0xb084d8, 0x7a9be0, 0x3fc4bd, 0x6fdc8c, 0xf1e54b};

  private final Chart chart;
  private final Axis horizontal;
  private final Axis vertical;
  private final List<String> names;
  private final Map<String, Integer> colours = new HashMap<>();
  private final double left;
  private final double top;
  private final double right = WIDTH - 18.0;
  private final StringBuilder out = new StringBuilder();

  private SvgChart(Chart chart) {
    this.chart = chart;
    horizontal = Axis.of(numbers(chart, Series::x), true, 7);
    vertical =
        Axis.of(
            DoubleStream.concat(
                numbers(chart, Series::y),
                DoubleStream.concat(numbers(chart, Series::low), numbers(chart, Series::high))),
            false,
            6);
    Set<String> distinct = new LinkedHashSet<>();
    chart.series().stream()
        .filter(series -> !series.reference())
        .forEach(series -> distinct.add(series.name()));
    names = List.copyOf(distinct);
    for (int i = 0; i < names.size(); i++) {
      colours.put(names.get(i), i);
    }
    double labels =
        vertical.ticks().stream().mapToDouble(tick -> Markup.width(tick.label())).max().orElse(0);
    left = 34 + FONT * labels + 10;
    top = chart.title().isEmpty() ? 14 : 22 + TITLE_FONT;
  }

  private static DoubleStream numbers(Chart chart, Function<Series, double[]> part) {
    return chart.series().stream().flatMapToDouble(series -> Arrays.stream(part.apply(series)));
  }

  /** The chart as a complete SVG document. */
  public static String draw(Chart chart) {
    return new SvgChart(chart).draw();
  }

  /**
   * Several charts below each other as one SVG document.
   *
   * @param charts at least one
   */
  public static String stack(List<Chart> charts) {
    StringBuilder inner = new StringBuilder();
    double height = 0;
    for (Chart chart : charts) {
      String svg = draw(chart);
      int box = svg.indexOf("viewBox=\"") + 9;
      String[] numbers = svg.substring(box, svg.indexOf('"', box)).split(" ");
      inner.append(
          svg.replaceFirst("<svg ", "<svg x=\"0\" y=\"%s\" ".formatted(coordinate(height))));
      height += Double.parseDouble(numbers[3]);
    }
    return """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %s" width="%d" height="%s">
    %s</svg>
    """
        .formatted(WIDTH, coordinate(height), WIDTH, coordinate(height), inner);
  }

  private String draw() {
    double bottom = top + PLOT_HEIGHT;
    List<LegendEntry> legend = legend();
    double legendTop = bottom + 58;
    double height = legend.isEmpty() ? bottom + 52 : legendTop + legendHeight(legend) + 2;
    grid(bottom);
    for (Series series : chart.series()) {
      if (series.low().length > 0) {
        band(series, bottom);
      }
    }
    for (Series series : chart.series()) {
      if (series.reference()) {
        reference(series, bottom);
      }
    }
    for (Series series : chart.series()) {
      if (!series.reference()) {
        line(series, bottom);
      }
    }
    drawLegend(legend, legendTop);
    return """
    <svg xmlns="http://www.w3.org/2000/svg" class="align-chart" viewBox="0 0 %d %s" \
    width="%d" height="%s" role="img" aria-label="%s" \
    font-family="system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif" font-size="%s">
    <style>%s</style>
    <rect class="ground" width="%d" height="%s" fill="#ffffff"/>
    %s</svg>
    """
        .formatted(
            WIDTH,
            coordinate(height),
            WIDTH,
            coordinate(height),
            escape(description()),
            coordinate(FONT),
            style(),
            WIDTH,
            coordinate(height),
            out);
  }

  private String description() {
    String lines = names.size() > 1 ? "; lines: " + String.join("; ", names) : "";
    String title = chart.title().isEmpty() ? "" : chart.title() + ": ";
    return "%s%s against %s%s"
        .formatted(title, chart.verticalLabel(), chart.horizontalLabel(), lines);
  }

  private String style() {
    StringBuilder dark = new StringBuilder();
    for (int i = 0; i < names.size(); i++) {
      String colour = colour(i, DARK, DARK_RAMP);
      dark.append(
          ".align-chart .l%d{stroke:%s}.align-chart .f%d{fill:%s}".formatted(i, colour, i, colour));
    }
    return "@media (prefers-color-scheme: dark){.align-chart .ground{fill:#16191d}"
        + ".align-chart text{fill:#e4e7eb}.align-chart .grid{stroke:#343a42}"
        + ".align-chart .frame{stroke:#7d8590}.align-chart .known{stroke:#a9b1ba}"
        + dark
        + "}";
  }

  private String colour(int index, List<String> few, int[] ramp) {
    if (index < 0) {
      return "#6e7781";
    }
    if (names.size() <= few.size()) {
      return few.get(index);
    }
    double at = (double) index / (names.size() - 1) * (ramp.length - 1);
    int from = Math.min((int) at, ramp.length - 2);
    double part = at - from;
    int mixed = 0;
    for (int shift = 16; shift >= 0; shift -= 8) {
      double a = (ramp[from] >> shift) & 255;
      double b = (ramp[from + 1] >> shift) & 255;
      mixed |= (int) Math.round(a + part * (b - a)) << shift;
    }
    return "#%06x".formatted(mixed);
  }

  private String light(int index) {
    return colour(index, LIGHT, RAMP);
  }

  private double x(double value) {
    return left + horizontal.position(value) * (right - left);
  }

  private double y(double value, double bottom) {
    return bottom - vertical.position(value) * (bottom - top);
  }

  private void grid(double bottom) {
    if (!chart.title().isEmpty()) {
      text(left, 8 + TITLE_FONT, "start", chart.title(), WIDTH - left - 10, TITLE_FONT, true);
    }
    for (Axis.Tick tick : vertical.ticks()) {
      double at = y(tick.value(), bottom);
      out.append(
          "<line class=\"grid\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"#dde1e6\"/>\n"
              .formatted(coordinate(left), coordinate(at), coordinate(right), coordinate(at)));
      text(left - 8, at + FONT * 0.35, "end", tick.label(), left, FONT, false);
    }
    for (Axis.Tick tick : horizontal.ticks()) {
      double at = x(tick.value());
      out.append(
          "<line class=\"frame\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"#57606a\"/>\n"
              .formatted(
                  coordinate(at), coordinate(bottom), coordinate(at), coordinate(bottom + 5)));
      double half = FONT * Markup.width(tick.label()) / 2;
      double shown = Math.min(at, WIDTH - half - 2);
      text(shown, bottom + 20, "middle", tick.label(), WIDTH, FONT, false);
    }
    out.append(
        "<path class=\"frame\" d=\"M%s %sV%sH%s\" fill=\"none\" stroke=\"#57606a\"/>\n"
            .formatted(coordinate(left), coordinate(top), coordinate(bottom), coordinate(right)));
    text(
        (left + right) / 2,
        bottom + 42,
        "middle",
        chart.horizontalLabel() + (horizontal.logarithmic() ? " (logarithmic)" : ""),
        right - left,
        FONT,
        false);
    String label = chart.verticalLabel() + (vertical.logarithmic() ? " (logarithmic)" : "");
    out.append(
        "<text transform=\"translate(%s %s) rotate(-90)\" text-anchor=\"middle\" fill=\"#24292f\">%s</text>\n"
            .formatted(
                coordinate(10 + FONT * 0.6),
                coordinate((top + bottom) / 2),
                escape(fit(label, PLOT_HEIGHT, FONT))));
  }

  private void text(
      double x, double y, String anchor, String text, double room, double size, boolean bold) {
    out.append(
        "<text x=\"%s\" y=\"%s\" text-anchor=\"%s\" fill=\"#24292f\"%s%s>%s</text>\n"
            .formatted(
                coordinate(x),
                coordinate(y),
                anchor,
                size == FONT ? "" : " font-size=\"" + coordinate(size) + "\"",
                bold ? " font-weight=\"600\"" : "",
                escape(fit(text, room, size))));
  }

  /** Cuts a text that is wider than its room. */
  private static String fit(String text, double room, double size) {
    if (Markup.width(text) * size <= room) {
      return text;
    }
    int end = text.length();
    while (end > 1 && (Markup.width(text.substring(0, end)) + 0.8) * size > room) {
      end = text.offsetByCodePoints(end, -1);
    }
    return text.substring(0, end).stripTrailing() + "…";
  }

  private void band(Series series, double bottom) {
    int index = colours.getOrDefault(series.name(), -1);
    for (int[] run : runs(series)) {
      StringBuilder path = new StringBuilder();
      List<Integer> kept = thinned(series.y(), run[0], run[1]);
      for (int i : kept) {
        path.append(path.isEmpty() ? 'M' : 'L')
            .append(point(series.x()[i], series.high()[i], bottom));
      }
      for (int i : kept.reversed()) {
        path.append('L').append(point(series.x()[i], series.low()[i], bottom));
      }
      out.append(
          "<path class=\"f%d\" d=\"%sZ\" fill=\"%s\" fill-opacity=\"0.18\"/>\n"
              .formatted(index, path, light(index)));
    }
  }

  private void line(Series series, double bottom) {
    int index = colours.getOrDefault(series.name(), -1);
    StringBuilder path = new StringBuilder();
    int last = -1;
    for (int[] run : runs(series)) {
      boolean first = true;
      for (int i : thinned(series.y(), run[0], run[1])) {
        path.append(first ? 'M' : 'L').append(point(series.x()[i], series.y()[i], bottom));
        first = false;
      }
      last = run[1] - 1;
    }
    if (last < 0) {
      return;
    }
    out.append(
        "<path class=\"l%d\" d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-linejoin=\"round\"/>\n"
            .formatted(index, path, light(index)));
    mark(index, x(series.x()[last]), y(series.y()[last], bottom));
  }

  private void reference(Series series, double bottom) {
    int index = colours.getOrDefault(series.name(), -1);
    String style = index < 0 ? "known" : "l" + index;
    for (int[] run : runs(series)) {
      if (run[1] - run[0] == 1) {
        out.append(
            "<circle class=\"%s\" cx=\"%s\" cy=\"%s\" r=\"6\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\" stroke-dasharray=\"3 2\"/>\n"
                .formatted(
                    style,
                    coordinate(x(series.x()[run[0]])),
                    coordinate(y(series.y()[run[0]], bottom)),
                    light(index)));
        continue;
      }
      StringBuilder path = new StringBuilder();
      for (int i : thinned(series.y(), run[0], run[1])) {
        path.append(path.isEmpty() ? 'M' : 'L').append(point(series.x()[i], series.y()[i], bottom));
      }
      out.append(
          "<path class=\"%s\" d=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"1.5\" stroke-dasharray=\"6 4\"/>\n"
              .formatted(style, path, light(index)));
    }
  }

  private String point(double x, double y, double bottom) {
    return coordinate(x(x)) + " " + coordinate(y(y, bottom));
  }

  /** Where a series has places: from, to (exclusive), between what breaks it. */
  private List<int[]> runs(Series series) {
    List<int[]> runs = new ArrayList<>();
    int from = -1;
    int count = Math.min(series.x().length, series.y().length);
    for (int i = 0; i <= count; i++) {
      boolean there = i < count && there(series, i);
      if (there && from < 0) {
        from = i;
      } else if (!there && from >= 0) {
        runs.add(new int[] {from, i});
        from = -1;
      }
    }
    return runs;
  }

  private boolean there(Series series, int i) {
    boolean line =
        Double.isFinite(horizontal.position(series.x()[i]))
            && Double.isFinite(vertical.position(series.y()[i]));
    return line
        && (series.low().length == 0
            || (Double.isFinite(vertical.position(series.low()[i]))
                && Double.isFinite(vertical.position(series.high()[i]))));
  }

  /** The least and the greatest of each short stretch, so that long series stay small and true. */
  private static List<Integer> thinned(double[] y, int from, int to) {
    List<Integer> kept = new ArrayList<>();
    int stretch = Math.max(1, (int) Math.ceil(2.0 * (to - from) / MAXIMUM_POINTS));
    for (int start = from; start < to; start += stretch) {
      int low = start;
      int high = start;
      for (int i = start; i < Math.min(to, start + stretch); i++) {
        low = y[i] < y[low] ? i : low;
        high = y[i] > y[high] ? i : high;
      }
      kept.add(Math.min(low, high));
      if (low != high) {
        kept.add(Math.max(low, high));
      }
    }
    if (kept.getLast() != to - 1) {
      kept.add(to - 1);
    }
    return kept;
  }

  private void mark(int index, double x, double y) {
    double r = 4;
    String shape =
        switch (Math.floorMod(index, 4)) {
          case 1 -> "M%s %sh8v8h-8Z".formatted(coordinate(x - r), coordinate(y - r));
          case 2 -> "M%s %sl5 8.5h-10Z".formatted(coordinate(x), coordinate(y - 5));
          case 3 ->
              "M%s %sl5.5 5.5l-5.5 5.5l-5.5 -5.5Z".formatted(coordinate(x), coordinate(y - 5.5));
          default ->
              "M%s %sa4 4 0 1 0 8 0a4 4 0 1 0 -8 0Z".formatted(coordinate(x - r), coordinate(y));
        };
    out.append(
        "<path class=\"f%d\" d=\"%s\" fill=\"%s\"/>\n".formatted(index, shape, light(index)));
  }

  /** An entry of the legend; {@code index} is -1 for reference lines. */
  private record LegendEntry(String text, int index, double width) {}

  private List<LegendEntry> legend() {
    List<LegendEntry> entries = new ArrayList<>();
    if (names.size() > 1 || (names.size() == 1 && chart.series().size() > 1)) {
      for (String name : names) {
        if (!name.isEmpty()) {
          entries.add(entry(name, colours.getOrDefault(name, -1)));
        }
      }
    }
    Set<String> references = new LinkedHashSet<>();
    for (Series series : chart.series()) {
      if (series.reference()) {
        references.add(
            series.name().isEmpty() || colours.containsKey(series.name())
                ? "closed form"
                : series.name());
      }
    }
    references.forEach(name -> entries.add(entry(name, -1)));
    return entries;
  }

  private LegendEntry entry(String text, int index) {
    String shown = fit(text, right - left - LEGEND_KEY - 20, FONT);
    return new LegendEntry(shown, index, LEGEND_KEY + FONT * Markup.width(shown) + 22);
  }

  private double legendHeight(List<LegendEntry> entries) {
    double x = left;
    int rows = 1;
    for (LegendEntry entry : entries) {
      if (x > left && x + entry.width() > right) {
        rows++;
        x = left;
      }
      x += entry.width();
    }
    return rows * LEGEND_ROW;
  }

  private void drawLegend(List<LegendEntry> entries, double legendTop) {
    double x = left;
    double y = legendTop + 8;
    for (LegendEntry entry : entries) {
      if (x > left && x + entry.width() > right) {
        x = left;
        y += LEGEND_ROW;
      }
      out.append(
          "<line class=\"%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\" stroke=\"%s\" stroke-width=\"2\"%s/>\n"
              .formatted(
                  entry.index() < 0 ? "known" : "l" + entry.index(),
                  coordinate(x),
                  coordinate(y),
                  coordinate(x + LEGEND_KEY - 8),
                  coordinate(y),
                  light(entry.index()),
                  entry.index() < 0 ? " stroke-dasharray=\"6 4\"" : ""));
      if (entry.index() >= 0) {
        mark(entry.index(), x + (LEGEND_KEY - 8) / 2, y);
      }
      text(x + LEGEND_KEY - 2, y + FONT * 0.35, "start", entry.text(), WIDTH, FONT, false);
      x += entry.width();
    }
  }
}
