package org.alignlang.cli.bench;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.alignlang.cli.BackEndChoice;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.bench.MemoryTraffic;
import org.alignlang.runtime.bench.SideBySide;
import org.alignlang.runtime.bench.SideBySide.Contender;
import org.alignlang.runtime.bench.SideBySide.Timing;
import org.alignlang.runtime.bench.SyntheticBatch;
import org.alignlang.runtime.bench.SyntheticBatch.Shape;
import org.alignlang.runtime.train.WorkerPool;
import org.alignlang.tornado.DeviceException;
import org.alignlang.tornado.DeviceKernel;
import org.alignlang.tornado.DeviceTraffic;
import org.alignlang.tornado.KeptBatch;

/**
 * Times an objective's kernels on random data, beside what the memory allows.
 *
 * @param spec the objective
 * @param values values for its parameters
 * @param logits whether actors hand in logits even where log-probabilities would do
 * @param size how large the data is; 0 stands for what suits the objective
 * @param type of tokens, logits and what has a gradient
 * @param threads as many and one are tried
 * @param backEnds names of what to time; the compiled ones if empty
 * @param seconds how long each is timed, all rounds together
 * @param scaling whether to find out how the time grows
 */
public record BenchRun(
    ObjectiveName spec,
    Map<String, Expression> values,
    boolean logits,
    Size size,
    Column.Type type,
    int threads,
    List<String> backEnds,
    double seconds,
    boolean scaling) {
  private static final int ROUNDS = 7;
  private static final long SEED = 1;

  /** Rows, tokens per row and vocabulary, 0 where the user does not say. */
  public record Size(int rows, int tokens, int vocabulary) {}

  /**
   * Measures.
   *
   * @throws UserError if there is no such back end, or nothing to time
   */
  public BenchReport run() {
    List<BackEnd> lowerings = lowerings();
    CheckedObjective objective = objective();
    Signature signature = objective.signature();
    double[] parameters = parameters(signature);
    try (WorkerPool pool = new WorkerPool(threads);
        Devices devices = new Devices()) {
      Shape shape = shape(signature);
      Batch batch = batch(signature, shape);
      long bytes = SyntheticBatch.bytes(signature, batch);
      List<Entry> entries =
          lowerings.contains(BackEnds.TORNADO)
              ? onDevice(objective, batch, parameters, bytes, devices)
              : onProcessor(lowerings, objective, batch, parameters, bytes, pool);
      List<Contender> contenders = new ArrayList<>();
      entries.forEach(entry -> {
        if (!contenders.contains(entry.limit())) {
          contenders.add(entry.limit());
        }
        contenders.add(entry.contender());
      });
      List<Timing> timings = measure(contenders, seconds);
      List<BenchReport.Measured> measured =
          entries.stream()
              .map(entry ->
                  new BenchReport.Measured(
                      entry.row().get(),
                      timings.get(contenders.indexOf(entry.contender())),
                      timings.get(contenders.indexOf(entry.limit()))))
              .toList();
      return new BenchReport(
          signature.objective(),
          SyntheticBatch.readsLogits(signature),
          shape,
          type,
          SyntheticBatch.elements(signature, batch),
          bytes,
          measured,
          scaling
              ? scale(lowerings.getFirst(), objective, parameters, pool, shape, devices)
              : List.of());
    } catch (IllegalArgumentException | EvaluationException | DeviceException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
  }

  /**
   * What is timed.
   *
   * @param limit what its time is set beside
   */
  private record Entry(Contender contender, Supplier<BenchReport.Row> row, Contender limit) {}

  /** What is on a device, until the end. */
  private static final class Devices implements AutoCloseable {
    private final Deque<AutoCloseable> open = new ArrayDeque<>();

    <T extends AutoCloseable> T add(T resource) {
      open.push(resource);
      return resource;
    }

    @Override
    public void close() {
      for (AutoCloseable each : open) {
        try {
          each.close();
        } catch (Exception e) {
          throw new DeviceException(String.valueOf(e.getMessage()), e);
        }
      }
    }
  }

  private List<Entry> onProcessor(
      List<BackEnd> lowerings,
      CheckedObjective objective,
      Batch batch,
      double[] parameters,
      long bytes,
      WorkerPool pool) {
    MemoryTraffic traffic = new MemoryTraffic(bytes);
    List<Entry> entries = new ArrayList<>();
    Set<Integer> counts = new LinkedHashSet<>(List.of(1, threads));
    for (int count : counts) {
      Workers workers = count == 1 ? Workers.serial() : pool;
      Contender limit = new Contender("", () -> traffic.run(workers));
      for (BackEnd lowering : lowerings) {
        ObjectiveKernel kernel = lowering.kernel(objective);
        entries.add(entry(lowering.name(), count, kernel, batch, parameters, workers, limit));
      }
    }
    return entries;
  }

  /** With the batch taken to the device at each call, and with a batch that stays there. */
  private static List<Entry> onDevice(
      CheckedObjective objective, Batch batch, double[] parameters, long bytes, Devices devices) {
    Signature signature = objective.signature();
    String name = BackEnds.TORNADO.name();
    DeviceKernel kernel = devices.add((DeviceKernel) BackEnds.TORNADO.kernel(objective));
    KeptBatch kept = devices.add(kernel.keep(batch));
    DeviceTraffic traffic = devices.add(new DeviceTraffic(bytes));
    Contender limit = new Contender("", traffic::run);
    Evaluation result = new Evaluation(signature, batch);
    return List.of(
        entry(name, 1, kernel, batch, parameters, Workers.serial(), limit),
        new Entry(
            new Contender("", () -> kept.evaluate(parameters, start(signature), result)),
            () ->
                new BenchReport.Row(
                    name + BenchReport.KEPT, 1, result.loss(), BenchReport.Row.UNKNOWN),
            limit));
  }

  private static Entry entry(
      String name,
      int count,
      ObjectiveKernel kernel,
      Batch batch,
      double[] parameters,
      Workers workers,
      Contender limit) {
    Signature signature = kernel.signature();
    Evaluation result = new Evaluation(signature, batch);
    return new Entry(
        new Contender(
            name, () -> kernel.evaluate(batch, parameters, start(signature), result, workers)),
        () -> {
          long before = allocated();
          Evaluation anew = new Evaluation(signature, batch);
          kernel.evaluate(batch, parameters, start(signature), anew, workers);
          long room =
              kernel instanceof DeviceKernel ? BenchReport.Row.UNKNOWN : allocated() - before;
          return new BenchReport.Row(name, count, anew.loss(), room);
        },
        limit);
  }

  private List<BackEnd> lowerings() {
    if (backEnds.isEmpty()) {
      return BackEnds.all().stream().filter(b -> b != BackEnds.REFERENCE).toList();
    }
    List<BackEnd> chosen =
        backEnds.stream().map(name -> BackEndChoice.of(Optional.of(name))).toList();
    if (chosen.contains(BackEnds.TORNADO) && chosen.size() > 1) {
      throw new UserError(
          "a device is timed in a run of its own: Java, as TornadoVM starts it, is slow on the"
              + " processor");
    }
    return chosen;
  }

  private CheckedObjective objective() {
    SpecFile file = Specs.load(spec.file()).requireClean();
    CheckedObjective objective = file.objective(spec.objective(), values, Set.of());
    if (!logits) {
      return objective;
    }
    Set<String> actors =
        objective.signature().inputs().stream()
            .filter(input -> input.role() == Signature.Role.LOG_PROBABILITY)
            .map(Signature.Input::actor)
            .collect(Collectors.toSet());
    return actors.isEmpty() ? objective : file.objective(spec.objective(), values, actors);
  }

  private Shape shape(Signature signature) {
    boolean wide = SyntheticBatch.readsLogits(signature);
    return new Shape(
        size.rows() > 0 ? size.rows() : wide ? 64 : 512,
        size.tokens() > 0 ? size.tokens() : wide ? 8 : 1024,
        wide ? size.vocabulary() > 0 ? size.vocabulary() : 32_000 : 1);
  }

  private Batch batch(Signature signature, Shape shape) {
    return SyntheticBatch.of(signature, shape, type, SEED);
  }

  private static double[] parameters(Signature signature) {
    return signature.parameters().stream()
        .mapToDouble(parameter -> {
          if (Double.isNaN(parameter.defaultValue())) {
            throw new UserError(
                "parameter `%s` of `%s` has no default; give it a value with -s %s=..."
                    .formatted(parameter.name(), signature.objective(), parameter.name()));
          }
          return parameter.defaultValue();
        })
        .toArray();
  }

  private static double[] start(Signature signature) {
    return signature.constraints().stream().mapToDouble(Signature.Constraint::initial).toArray();
  }

  /** The bytes that all threads have allocated so far. */
  private static long allocated() {
    return ((ThreadMXBean) ManagementFactory.getThreadMXBean()).getTotalThreadAllocatedBytes();
  }

  private static List<Timing> measure(List<Contender> contenders, double seconds) {
    Duration round = Duration.ofNanos((long) (seconds * 1e9 / ROUNDS));
    Duration warmUp = Duration.ofNanos((long) (Math.max(seconds, 0.2) * 1e9));
    return SideBySide.measure(contenders, warmUp, round, ROUNDS);
  }

  /** A quarter, a half and all of each dimension, the others as they are. */
  private List<BenchReport.Growth> scale(
      BackEnd lowering,
      CheckedObjective objective,
      double[] parameters,
      Workers workers,
      Shape shape,
      Devices devices) {
    Signature signature = objective.signature();
    ObjectiveKernel common = lowering.kernel(objective);
    Map<String, List<Shape>> shapes = new LinkedHashMap<>();
    for (int part : List.of(4, 2, 1)) {
      Shape fewer = new Shape(part(shape.rows(), part), shape.tokens(), shape.vocabulary());
      Shape shorter = new Shape(shape.rows(), part(shape.tokens(), part), shape.vocabulary());
      Shape narrower = new Shape(shape.rows(), shape.tokens(), part(shape.vocabulary(), part));
      shapes.computeIfAbsent("rows", _ -> new ArrayList<>()).add(fewer);
      shapes.computeIfAbsent("tokens", _ -> new ArrayList<>()).add(shorter);
      if (SyntheticBatch.readsLogits(signature)) {
        shapes.computeIfAbsent("vocabulary", _ -> new ArrayList<>()).add(narrower);
      }
    }
    List<Contender> contenders = new ArrayList<>();
    shapes
        .values()
        .forEach(list ->
            list.forEach(each -> {
              Batch batch = batch(signature, each);
              Evaluation result = new Evaluation(signature, batch);
              // On a device a kernel is compiled for the size of the batch.
              ObjectiveKernel kernel =
                  lowering == BackEnds.TORNADO
                      ? devices.add((DeviceKernel) lowering.kernel(objective))
                      : common;
              contenders.add(
                  new Contender(
                      "",
                      () -> kernel.evaluate(batch, parameters, start(signature), result, workers)));
            }));
    List<Timing> timings = measure(contenders, Math.min(seconds, 0.5));
    List<BenchReport.Growth> growth = new ArrayList<>();
    int next = 0;
    for (Map.Entry<String, List<Shape>> dimension : shapes.entrySet()) {
      for (Shape each : dimension.getValue()) {
        growth.add(new BenchReport.Growth(dimension.getKey(), each, timings.get(next++).least()));
      }
    }
    return growth;
  }

  private static int part(int whole, int part) {
    return Math.max(1, whole / part);
  }
}
