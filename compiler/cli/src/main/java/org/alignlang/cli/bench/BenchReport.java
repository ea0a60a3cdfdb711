package org.alignlang.cli.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.alignlang.cli.run.TextTable;
import org.alignlang.kernel.Column;
import org.alignlang.runtime.HostDescription;
import org.alignlang.runtime.bench.SideBySide.Timing;
import org.alignlang.runtime.bench.SyntheticBatch.Shape;
import org.alignlang.runtime.report.Chart;
import org.alignlang.runtime.report.SvgChart;
import tools.jackson.databind.json.JsonMapper;

/**
 * What was measured.
 *
 * @param objective its name
 * @param logits whether an element is a logit; else it is a token
 * @param shape how large the data was
 * @param type its type
 * @param elements logits of one actor, or tokens, of all sequences
 * @param bytes that a call moves at least
 * @param measured one per back end and number of threads
 * @param growth how the time of the first back end grows, if that was asked for
 */
public record BenchReport(
    String objective,
    boolean logits,
    Shape shape,
    Column.Type type,
    long elements,
    long bytes,
    List<Measured> measured,
    List<Growth> growth) {
  /** From this ratio of median and least on, times say little. */
  private static final double UNSTEADY = 2;

  /** Ends the name of a back end for a batch that stays on a device. */
  static final String KEPT = ", kept";

  public BenchReport {
    measured = List.copyOf(measured);
    growth = List.copyOf(growth);
  }

  /**
   * A kernel and the room that it takes.
   *
   * @param backEnd its name
   * @param threads how many worked
   * @param loss the objective's value
   * @param allocated the bytes that a call with a new result allocates, the gradient among them
   */
  public record Row(String backEnd, int threads, double loss, long allocated) {
    /** In place of bytes that are not on Java's heap. */
    static final long UNKNOWN = -1;

    /** Whether the batch stays on a device. */
    boolean kept() {
      return backEnd.endsWith(KEPT);
    }
  }

  /**
   * A kernel's times and those of moving as many bytes.
   *
   * @param limit of {@code c = a + b} over arrays of the same size, with as many threads
   */
  public record Measured(Row row, Timing timing, Timing limit) {

    /** How many times as long as moving the bytes. */
    double overLimit() {
      return timing.least() / limit.least();
    }
  }

  /**
   * The time of a call on a part of the data.
   *
   * @param dimension which of {@code rows}, {@code tokens} and {@code vocabulary} was made smaller
   */
  public record Growth(String dimension, Shape shape, double seconds) {
    int size() {
      return switch (dimension) {
        case "rows" -> shape.rows();
        case "tokens" -> shape.tokens();
        default -> shape.vocabulary();
      };
    }
  }

  /** For people. */
  public String text() {
    StringBuilder out = new StringBuilder();
    out.append(
        "%s: %d rows of %d tokens%s, %s, %.1f MiB in and out\n\n"
            .formatted(
                objective,
                shape.rows(),
                shape.tokens(),
                logits ? " with " + shape.vocabulary() + " logits" : "",
                type.word(),
                bytes / 1048576.0));
    TextTable table =
        new TextTable()
            .text("back end")
            .number("threads")
            .number("ms a call")
            .number("median")
            .number(logits ? "ns/logit" : "ns/token")
            .number("GB/s")
            .number("memory's limit, ms")
            .number("times the limit")
            .number("room, MiB");
    for (Measured each : measured) {
      double least = each.timing.least();
      table.row(
          List.of(
              each.row.backEnd,
              String.valueOf(each.row.threads),
              number(1e3 * least),
              number(1e3 * each.timing.median()),
              number(1e9 * least / elements),
              number(bytes / least / 1e9),
              number(1e3 * each.limit.least()),
              number(each.overLimit()),
              each.row.allocated < 0 ? "" : "%.1f".formatted(each.row.allocated / 1048576.0)));
    }
    out.append(table.render());
    out.append(
        """

        Least of several rounds; the limit is that of `c = a + b` over as many bytes, timed in turns with
        the kernels. Room is the gradient and what the kernel keeps besides; further calls take none.
        """);
    measured.stream()
        .filter(each -> each.timing.median() > UNSTEADY * each.timing.least())
        .max(Comparator.comparingDouble(each -> each.timing.median() / each.timing.least()))
        .ifPresent(each ->
            out.append(
                """

                These times are not steady: half of the calls of `%s` took more than %.1f times the least. The machine
                is busy, or the kernel was not compiled yet; more time may help (--seconds 8).
                """
                    .formatted(each.row.backEnd, each.timing.median() / each.timing.least())));
    if (measured.stream().anyMatch(each -> each.row.kept())) {
      out.append(
          """

          On a device, the limit is that of its own memory. A call of `tornado` takes the batch there and
          the gradient back; where it says kept, both stay there.
          """);
    }
    if (!growth.isEmpty()) {
      TextTable sizes = new TextTable().text("growth in").number("of").number("ms a call");
      growth.forEach(each ->
          sizes.row(
              List.of(each.dimension, String.valueOf(each.size()), number(1e3 * each.seconds))));
      out.append('\n').append(sizes.render());
    }
    return out.toString();
  }

  /** Three digits. */
  private static String number(double value) {
    int digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
    return String.format(Locale.ROOT, "%." + digits + "f", value);
  }

  /** How the time grows with each dimension, as an SVG document. */
  public String chart() {
    List<Chart.Series> series = new ArrayList<>();
    double whole = 0;
    for (String dimension : growth.stream().map(Growth::dimension).distinct().toList()) {
      List<Growth> points = growth.stream().filter(g -> g.dimension.equals(dimension)).toList();
      double all = points.getLast().size();
      whole = Math.max(whole, 1e3 * points.getLast().seconds);
      series.add(
          new Chart.Series(
              dimension,
              points.stream().mapToDouble(p -> p.size() / all).toArray(),
              points.stream().mapToDouble(p -> 1e3 * p.seconds).toArray(),
              new double[0],
              new double[0],
              false));
    }
    series.add(
        new Chart.Series(
            "in proportion",
            new double[] {0, 1},
            new double[] {0, whole},
            new double[0],
            new double[0],
            true));
    return SvgChart.draw(
        new Chart(
            "How the time of " + objective + " grows",
            "part of the data in each dimension",
            "milliseconds a call",
            series));
  }

  /** For programs: one object on one line. */
  public String json() {
    HostDescription host = HostDescription.current();
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("version", 1);
    all.put("kind", "bench");
    all.put("objective", objective);
    all.put(
        "machine",
        Map.of(
            "java", host.javaVersion(), "system", host.system(), "processors", host.processors()));
    all.put("align", host.alignVersion());
    all.put("rows", shape.rows());
    all.put("tokens", shape.tokens());
    if (logits) {
      all.put("vocabulary", shape.vocabulary());
    }
    all.put("type", type.word());
    all.put("elements", elements);
    all.put("bytes", bytes);
    all.put(
        "results",
        measured.stream()
            .map(each -> {
              Map<String, Object> result = new LinkedHashMap<>();
              result.put("backend", each.row.backEnd);
              result.put("threads", each.row.threads);
              result.put("seconds", each.timing.least());
              result.put("median_seconds", each.timing.median());
              result.put("limit_seconds", each.limit.least());
              if (each.row.allocated >= 0) {
                result.put("room_bytes", each.row.allocated);
              }
              result.put("loss", each.row.loss);
              return result;
            })
            .toList());
    if (!growth.isEmpty()) {
      all.put(
          "growth",
          growth.stream()
              .map(each ->
                  Map.of("dimension", each.dimension, "size", each.size(), "seconds", each.seconds))
              .toList());
    }
    return JsonMapper.builder().build().writeValueAsString(all);
  }
}
