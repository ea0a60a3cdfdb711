package org.alignlang.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.kernel.AlignVersion;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.bench.MemoryTraffic;
import org.alignlang.runtime.bench.SideBySide;
import org.alignlang.runtime.bench.SideBySide.Contender;
import org.alignlang.runtime.bench.SideBySide.Timing;
import org.alignlang.runtime.bench.SyntheticBatch.Shape;
import org.alignlang.runtime.report.Chart;
import org.alignlang.runtime.report.SvgChart;
import org.alignlang.runtime.train.WorkerPool;
import tools.jackson.databind.json.JsonMapper;

/**
 * Times every workload on kernels, libtorch, plain Java and {@code c = a + b}, in turns in one
 * process, and writes what came of it as Markdown, JSON and a chart.
 *
 * <p>{@code run FOLDER [SECONDS [THREADS]]}; libtorch takes part where it is on the class path.
 */
public final class SideBySideRun {
  private static final int ROUNDS = 9;

  private SideBySideRun() {}

  /** What is timed: small enough to end within minutes. */
  private static final List<Plan> PLANS =
      List.of(
          new Plan(Workload.Kind.POLICY, new Shape(64, 8, 32000)),
          new Plan(Workload.Kind.POLICY, new Shape(8, 8, 128256)),
          new Plan(Workload.Kind.POLICY, new Shape(256, 8, 512)),
          new Plan(Workload.Kind.GRPO, new Shape(512, 1024, 1)),
          new Plan(Workload.Kind.PPO, new Shape(512, 1024, 1)),
          new Plan(Workload.Kind.DPO, new Shape(512, 1024, 1)));

  private record Plan(Workload.Kind kind, Shape shape) {}

  /**
   * One measurement.
   *
   * @param workload its objective
   * @param size its data
   * @param contestant who
   * @param threads how many
   * @param perElement nanoseconds per logit or token, the least and the median
   */
  private record Line(
      String workload,
      String size,
      String contestant,
      int threads,
      double perElement,
      double median) {}

  /** The name of {@code c = a + b} in results. */
  private static final String LIMIT = "c = a + b";

  public static void main(String[] arguments) throws IOException, InterruptedException {
    if (arguments.length > 0 && arguments[0].equals("--memory")) {
      memory(arguments[1], Integer.parseInt(arguments[2]));
      return;
    }
    if (arguments.length < 1) {
      System.err.println("usage: run FOLDER [SECONDS [THREADS]]");
      System.exit(2);
    }
    Path folder = Path.of(arguments[0]);
    double seconds = arguments.length > 1 ? Double.parseDouble(arguments[1]) : 2;
    int most =
        arguments.length > 2
            ? Integer.parseInt(arguments[2])
            : Runtime.getRuntime().availableProcessors();
    Files.createDirectories(folder);
    List<Line> lines = new ArrayList<>();
    for (int threads : most == 1 ? List.of(1) : List.of(1, most)) {
      for (Plan plan : PLANS) {
        lines.addAll(measure(Workload.of(plan.kind(), plan.shape()), threads, seconds));
      }
      lines.addAll(measureLinear(threads, seconds));
    }
    Map<String, Long> peaks = peaks();
    String name =
        LocalDate.now() + "-" + cpu().toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    Files.writeString(folder.resolve(name + ".md"), markdown(name, lines, peaks));
    Files.writeString(folder.resolve(name + ".json"), json(lines, peaks));
    Files.writeString(folder.resolve(name + ".svg"), chart(lines));
    System.out.println("written to " + folder.resolve(name + ".md"));
  }

  private static List<Line> measure(Workload workload, int threads, double seconds) {
    List<Line> lines = new ArrayList<>();
    List<Contestant> contestants = new ArrayList<>();
    try (WorkerPool pool = new WorkerPool(threads)) {
      Workers workers = threads == 1 ? Workers.serial() : pool;
      List<Contender> contenders = new ArrayList<>();
      MemoryTraffic traffic = new MemoryTraffic(workload.bytes());
      contenders.add(new Contender(LIMIT, () -> traffic.run(workers)));
      names(workload)
          .forEach(name -> {
            Contestant contestant = contestant(name, workload, workers, threads);
            contestants.add(contestant);
            contenders.add(new Contender(name, contestant::step));
          });
      Duration all = Duration.ofMillis((long) (1000 * seconds));
      for (Timing timing : SideBySide.measure(contenders, all, all.dividedBy(ROUNDS), ROUNDS)) {
        lines.add(
            line(
                workload.kind().name().toLowerCase(Locale.ROOT),
                workload.size(),
                timing,
                threads,
                workload.elements()));
      }
    }
    contestants.forEach(Contestant::close);
    return lines;
  }

  private static LinearWorkload linear() {
    return new LinearWorkload(512, 1024, 32000);
  }

  /** The last layer and the loss together, a second and more per call. */
  private static List<Line> measureLinear(int threads, double seconds) {
    LinearWorkload workload = linear();
    List<Contestant> contestants = new ArrayList<>();
    List<Contender> contenders = new ArrayList<>();
    try (WorkerPool pool = new WorkerPool(threads)) {
      contestants.add(workload.inChunks(threads == 1 ? Workers.serial() : pool));
      contenders.add(new Contender("vector", contestants.getLast()::step));
      if (LibtorchContestant.isAvailable()) {
        LibtorchContestant.threads(threads);
        contestants.add(workload.libtorch());
        contenders.add(new Contender("libtorch", contestants.getLast()::step));
      }
      Duration all = Duration.ofMillis((long) (1000 * seconds));
      return SideBySide.measure(contenders, all, all.dividedBy(ROUNDS), 3).stream()
          .map(timing -> line("linear", workload.size(), timing, threads, workload.elements()))
          .toList();
    } finally {
      contestants.forEach(Contestant::close);
    }
  }

  private static Line line(
      String workload, String size, Timing timing, int threads, long elements) {
    Line line =
        new Line(
            workload,
            size,
            timing.name(),
            threads,
            1e9 * timing.least() / elements,
            1e9 * timing.median() / elements);
    System.out.printf(
        Locale.ROOT,
        "%-8s %-14s %-10s %d threads %8.3f ns (median %.3f)%n",
        line.workload(),
        line.size(),
        line.contestant(),
        threads,
        line.perElement(),
        line.median());
    return line;
  }

  private static List<String> names(Workload workload) {
    List<String> names = new ArrayList<>(List.of("vector", "jvm"));
    if (workload.kind() == Workload.Kind.POLICY) {
      names.add("plain Java");
    }
    if (LibtorchContestant.isAvailable()) {
      names.add("libtorch");
    }
    return names;
  }

  private static Contestant contestant(
      String name, Workload workload, Workers workers, int threads) {
    return switch (name) {
      case "libtorch" -> {
        LibtorchContestant.threads(threads);
        yield new LibtorchContestant(workload);
      }
      case "plain Java" -> new PlainContestant(workload, workers);
      default -> new KernelContestant(workload, BackEnds.find(name).orElseThrow(), workers);
    };
  }

  // Memory: each in a process of its own, whose high-water mark the system keeps.

  private static final Shape WIDE = new Shape(64, 8, 32000);

  private static Map<String, Long> peaks() throws IOException, InterruptedException {
    Map<String, Long> peaks = new LinkedHashMap<>();
    if (!Files.exists(Path.of("/proc/self/status"))) {
      return peaks;
    }
    List<String> names = new ArrayList<>(List.of("data alone"));
    names.addAll(names(Workload.of(Workload.Kind.POLICY, new Shape(1, 1, 2))));
    names.add("linear, vector");
    if (LibtorchContestant.isAvailable()) {
      names.add("linear, libtorch");
    }
    for (String name : names) {
      List<String> command = new ArrayList<>();
      command.add(ProcessHandle.current().info().command().orElse("java"));
      ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
          .filter(argument -> !argument.startsWith("-Xmx") && !argument.endsWith("GC"))
          .forEach(command::add);
      // What a larger heap takes is what nobody has collected yet.
      command.addAll(
          List.of("-XX:+UseSerialGC", name.startsWith("linear") ? "-Xmx6g" : "-Xmx300m"));
      command.addAll(List.of("-cp", System.getProperty("java.class.path")));
      command.addAll(List.of(SideBySideRun.class.getName(), "--memory", name, "3"));
      Process process =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      if (process.waitFor() == 0) {
        peaks.put(name, Long.parseLong(said.strip()));
      }
    }
    return peaks;
  }

  /** Prints the most memory that this process has had, in KiB, after some steps. */
  private static void memory(String name, int steps) throws IOException {
    Contestant contestant =
        switch (name) {
          case "linear, vector" -> linear().inChunks(Workers.serial());
          case "linear, libtorch" -> linear().libtorch();
          case "data alone" -> {
            Workload.of(Workload.Kind.POLICY, WIDE);
            yield new Contestant() {
              @Override
              public void step() {}

              @Override
              public double loss() {
                return 0;
              }

              @Override
              public Map<String, float[]> gradients() {
                return Map.of();
              }
            };
          }
          default -> contestant(name, Workload.of(Workload.Kind.POLICY, WIDE), Workers.serial(), 1);
        };
    for (int step = 0; step < steps; step++) {
      contestant.step();
    }
    try (var status = Files.lines(Path.of("/proc/self/status"))) {
      status
          .filter(line -> line.startsWith("VmHWM:"))
          .map(line -> line.replaceAll("[^0-9]", ""))
          .forEach(System.out::println);
    }
  }

  // Results.

  private static String cpu() throws IOException {
    Path path = Path.of("/proc/cpuinfo");
    if (!Files.exists(path)) {
      return System.getProperty("os.arch");
    }
    try (var lines = Files.lines(path)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    }
  }

  private static Map<String, Object> machine() throws IOException {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("cpu", cpu());
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("system", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.vm.name") + " " + Runtime.version());
    machine.put("peer", LibtorchContestant.isAvailable() ? LibtorchContestant.version() : "none");
    machine.put("align", AlignVersion.current());
    return machine;
  }

  private static String json(List<Line> lines, Map<String, Long> peaks) throws IOException {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("machine", machine());
    all.put("load_average", ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage());
    all.put(
        "nanoseconds_per_element",
        lines.stream()
            .map(line -> {
              Map<String, Object> one = new LinkedHashMap<>();
              one.put("workload", line.workload());
              one.put("size", line.size());
              one.put("contestant", line.contestant());
              one.put("threads", line.threads());
              one.put("least", line.perElement());
              one.put("median", line.median());
              return one;
            })
            .toList());
    all.put("peak_kib", peaks);
    return JsonMapper.builder().build().writerWithDefaultPrettyPrinter().writeValueAsString(all)
        + "\n";
  }

  private static Optional<Line> find(List<Line> lines, Line like, String contestant) {
    return lines.stream()
        .filter(line ->
            line.workload().equals(like.workload())
                && line.size().equals(like.size())
                && line.threads() == like.threads()
                && line.contestant().equals(contestant))
        .findFirst();
  }

  private static String markdown(String name, List<Line> lines, Map<String, Long> peaks)
      throws IOException {
    StringBuilder out = new StringBuilder("# Kernels side by side, " + LocalDate.now() + "\n\n");
    machine()
        .forEach(
            (key, value) -> out.append("- ").append(key).append(": ").append(value).append('\n'));
    out.append(
        String.format(
            Locale.ROOT,
            """
            - load average when it ended: %.1f (another program's work falls on all in turn)

            Nanoseconds per logit (`policy`, per token elsewhere) for loss and gradient in single precision, least of
            %d rounds in one process. `times the limit` is `vector` over `c = a + b` on as many bytes.

            | workload | size | threads | vector | jvm | plain Java | libtorch | c = a + b | libtorch / vector | libtorch / jvm | times the limit |
            |---|---|---|---|---|---|---|---|---|---|---|
            """,
            ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
            ROUNDS));
    for (Line line : lines) {
      if (!line.contestant().equals("vector")) {
        continue;
      }
      out.append("| %s | %s | %d |".formatted(line.workload(), line.size(), line.threads()));
      for (String who : List.of("vector", "jvm", "plain Java", "libtorch", LIMIT)) {
        out.append(find(lines, line, who).map(l -> number(l.perElement())).orElse(" "))
            .append(" |");
      }
      out.append(ratio(lines, line, "libtorch", "vector"))
          .append(" |")
          .append(ratio(lines, line, "libtorch", "jvm"))
          .append(" |")
          .append(ratio(lines, line, "vector", LIMIT))
          .append(" |\n");
    }
    if (!peaks.isEmpty()) {
      out.append(
          "\n"
              + "Most memory of a process (resident set) that does `policy` [512, 32000] three"
              + " times on one thread in a heap of 300 MiB;\n"
              + "the data are two inputs, a gradient is 63 MiB more:\n\n"
              + "| | MiB |\n"
              + "|---|---|\n");
      peaks.forEach((who, kib) -> out.append("| %s | %d |\n".formatted(who, kib / 1024)));
    }
    out.append("\n![times](").append(name).append(".svg)\n");
    return out.toString();
  }

  private static String ratio(List<Line> lines, Line like, String above, String below) {
    Optional<Line> a = find(lines, like, above);
    Optional<Line> b = find(lines, like, below);
    return a.isPresent() && b.isPresent()
        ? number(a.get().perElement() / b.get().perElement())
        : " ";
  }

  private static String number(double value) {
    int digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
    return String.format(Locale.ROOT, " %." + digits + "f", value);
  }

  /** Time per element over the workloads, in the order of the table, with one thread. */
  private static String chart(List<Line> lines) {
    List<Line> first =
        lines.stream().filter(l -> l.contestant().equals("vector") && l.threads() == 1).toList();
    List<Chart.Series> series = new ArrayList<>();
    for (String who : List.of("vector", "jvm", "libtorch", LIMIT)) {
      double[] x = new double[first.size()];
      double[] y = new double[first.size()];
      for (int i = 0; i < x.length; i++) {
        x[i] = i + 1;
        y[i] =
            find(lines, first.get(i), who).map(l -> Math.log10(l.perElement())).orElse(Double.NaN);
      }
      series.add(new Chart.Series(who, x, y, new double[0], new double[0], who.equals(LIMIT)));
    }
    return SvgChart.draw(
        new Chart(
            "One thread, the workloads in the order of the table",
            "line of the table",
            "log10 of nanoseconds per element",
            series));
  }
}
