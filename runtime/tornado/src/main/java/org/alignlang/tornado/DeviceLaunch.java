package org.alignlang.tornado;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.tornado.DeviceLayout.Check;
import org.alignlang.tornado.DeviceLayout.Result;
import org.alignlang.tornado.DeviceLayout.Slot;
import org.alignlang.tornado.DeviceLayout.Task;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.DoubleArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** A program with its arrays, compiled for the device, with room for batches up to a size. */
final class DeviceLaunch {
  /** TornadoVM keeps what belongs to a graph under its name. */
  private static final AtomicLong GRAPHS = new AtomicLong();

  /** A NaN that no arithmetic makes: where it is left, nothing was written. */
  private static final int UNWRITTEN = 0x7fa5a11e;

  private static final long UNWRITTEN_DOUBLE = 0x7ff45a11e0000001L;

  private static final int CHUNK = 1 << 13;

  private final DeviceLayout layout;
  private final Signature signature;
  private final DeviceSizes room;
  private final DeviceArrays arrays;
  private final TornadoExecutionPlan plan;
  private final GridScheduler grids = new GridScheduler();
  private final List<WorkerGrid1D> workers = new ArrayList<>();

  /** Per task, how many threads its groups have. */
  private final List<Integer> lanes;

  private final boolean kept;
  private @Nullable TornadoExecutionResult result;
  private int call;
  private boolean trusted;

  /**
   * Makes arrays and tasks; kernels are compiled at the first run.
   *
   * @param vocabulary the number of logits of a token
   * @param kept whether the first batch stays on the device, and gradients until they are wanted
   * @throws DeviceException if they do not fit on the device
   */
  DeviceLaunch(DeviceProgram program, DeviceSizes room, int vocabulary, boolean kept) {
    this.room = room;
    this.kept = kept;
    layout = program.layout();
    signature = layout.signature();
    lanes = lanes(vocabulary);
    arrays = new DeviceArrays(layout, room, lanes, kept);
    String name = "align" + GRAPHS.incrementAndGet();
    try {
      TaskGraph graph = program.tasks(new TaskGraph(name), new KernelContext(), arrays);
      for (int i = 0; i < lanes.size(); i++) {
        WorkerGrid1D grid = new WorkerGrid1D(lanes.get(i));
        grid.setLocalWork(lanes.get(i), 1, 1);
        grids.addWorkerGrid(name + "." + layout.tasks().get(i).name(), grid);
        workers.add(grid);
      }
      plan = new TornadoExecutionPlan(graph.snapshot());
      if (kept && TornadoDevices.records()) {
        capture(plan);
      }
    } catch (OutOfMemoryError | RuntimeException e) {
      throw failure(e);
    }
  }

  /** Has the device record its work at the first run, as a CUDA graph, and repeat it later. */
  private static void capture(TornadoExecutionPlan plan) {
    try {
      // Newer than the interface that this is compiled against.
      TornadoExecutionPlan.class.getMethod("withCUDAGraph").invoke(plan);
    } catch (ReflectiveOperationException e) {
      throw new DeviceException("this TornadoVM cannot record the work of a device", e);
    }
  }

  DeviceSizes room() {
    return room;
  }

  /** Whether this is as if it was made for a batch. */
  boolean suits(DeviceSizes sizes, int vocabulary) {
    return room.holds(sizes) && lanes(vocabulary).equals(lanes);
  }

  private List<Integer> lanes(int vocabulary) {
    int mean = room.tokens().stream().mapToInt(tokens -> tokens / room.rows()).max().orElse(1);
    return layout.tasks().stream()
        .map(task ->
            Task.lanes(
                switch (task.level()) {
                  case TOKEN -> vocabulary;
                  case SEQUENCE, PAIR -> mean;
                  case BATCH, GROUP, VOCAB -> room.rows();
                }))
        .toList();
  }

  void close() {
    try {
      plan.freeDeviceMemory();
      plan.close();
    } catch (TornadoExecutionPlanException | RuntimeException e) {
      throw failure(e);
    }
  }

  private DeviceException failure(Throwable thrown) {
    if (thrown instanceof DeviceException known) {
      return known;
    }
    String reason = TornadoProbe.reason(thrown);
    if (thrown instanceof OutOfMemoryError
        || reason.contains("ncrease the maximum device memory")) {
      return new DeviceException(
          ("`%s` needs %.1f MiB on the device for this batch, more than it may take; give it more"
                  + " with ALIGN_DEVICE_MEMORY=8GB, or take a smaller batch")
              .formatted(signature.objective(), arrays.bytes() / (1024.0 * 1024)),
          thrown);
    }
    return new DeviceException(
        "`%s` does not run on the device: %s".formatted(signature.objective(), reason), thrown);
  }

  // What goes in.

  /** Puts a batch where the device gets it from. */
  void send(Batch batch, DeviceSizes sizes) {
    IntArray counts = arrays.sizes();
    counts.set(DeviceLayout.ROWS, sizes.rows());
    counts.set(DeviceLayout.GROUPS, sizes.groups());
    counts.set(DeviceLayout.VOCABULARY, batch.vocabulary());
    for (int s = 0; s < sizes.tokens().size(); s++) {
      counts.set(DeviceLayout.TOKENS + s, sizes.tokens().get(s));
    }
    arrays.findInts("groupOfRow").ifPresent(array -> copy(batch.requireGroups(), 0, array));
    arrays
        .findInts("rowsOfGroups")
        .ifPresent(array -> layGroups(batch.requireGroups(), batch.groups(), array));
    for (int s = 0; s < sizes.tokens().size(); s++) {
      String sequence = signature.sequences().get(s);
      int[] offsets = batch.offsets(sequence);
      int at = s * offsets.length;
      arrays.findInts("offsets").ifPresent(array -> copy(offsets, at, array));
      arrays
          .findInts("row of token of " + sequence)
          .ifPresent(array -> layRows(offsets, batch.rows(), array));
      arrays
          .findInts("taken tokens of " + sequence)
          .ifPresent(array -> copy(batch.takenTokens(sequence), 0, array));
    }
    for (Slot slot : layout.columns()) {
      int elements = elements(slot.level(), slot.sequence(), sizes);
      int from =
          slot.level() == Level.BATCH
              ? signature.parameters().size() + signature.constraints().size() + slot.slot()
              : slot.slot() * elements;
      arrays
          .findDoubles(columns(slot))
          .ifPresent(
              array -> copy(batch.data(slot.input(), elements * slot.members()), from, array));
    }
    arrays
        .findDoubles("scalars")
        .ifPresent(array -> {
          for (int i = 0; i < layout.constants().size(); i++) {
            array.set(layout.firstConstant() + i, layout.constants().get(i));
          }
        });
    for (Signature.Input input : signature.inputs()) {
      arrays
          .findFloats(input.name())
          .ifPresent(array -> {
            int count = sizes.logits().get(signature.sequences().indexOf(input.sequence()));
            copy(batch.data(input.name(), count), array);
          });
    }
  }

  /** Puts the numbers of a call where the device gets them from. */
  void send(double[] parameters, double[] multipliers) {
    call = call == Integer.MAX_VALUE >> 1 ? 1 : call + 1;
    arrays.sizes().set(DeviceLayout.CALL, call);
    arrays
        .findDoubles("scalars")
        .ifPresent(array -> {
          copy(parameters, 0, array);
          copy(multipliers, parameters.length, array);
        });
  }

  private static String columns(Slot slot) {
    return switch (slot.level()) {
      case BATCH -> "scalars";
      case GROUP -> "columns of groups";
      case PAIR, SEQUENCE -> "columns of rows";
      case TOKEN -> "columns of " + slot.sequence();
      case VOCAB -> throw new IllegalStateException("logits are no columns: " + slot);
    };
  }

  private int elements(Level level, String sequence, DeviceSizes sizes) {
    return switch (level) {
      case BATCH -> 1;
      case GROUP -> sizes.groups();
      case PAIR, SEQUENCE -> sizes.rows();
      case TOKEN -> sizes.tokens().get(signature.sequences().indexOf(sequence));
      case VOCAB -> throw new IllegalStateException("logits are no columns");
    };
  }

  private static void copy(int[] numbers, int at, IntArray array) {
    MemorySegment.copy(
        numbers, 0, array.getSegment(), ValueLayout.JAVA_INT, 4L * at, numbers.length);
  }

  private static void copy(double[] numbers, int at, DoubleArray array) {
    MemorySegment.copy(
        numbers, 0, array.getSegment(), ValueLayout.JAVA_DOUBLE, 8L * at, numbers.length);
  }

  private static void copy(Column column, int at, DoubleArray array) {
    if (column instanceof Column.Doubles doubles) {
      copy(doubles.values(), at, array);
      return;
    }
    for (int i = 0; i < column.length(); i++) {
      array.set(at + i, column.get(i));
    }
  }

  private static void copy(Column column, FloatArray array) {
    MemorySegment target = array.getSegment();
    int count = column.length();
    switch (column) {
      case Column.Floats floats ->
          MemorySegment.copy(floats.values(), 0, target, ValueLayout.JAVA_FLOAT, 0, count);
      case Column.Memory memory when memory.type() == Column.Type.F32 ->
          MemorySegment.copy(memory.memory(), 0, target, 0, 4L * count);
      case Column.Doubles _, Column.Memory _, Column.OnDemand _ -> {
        float[] chunk = new float[Math.min(count, CHUNK)];
        for (int from = 0; from < count; from += CHUNK) {
          int length = Math.min(CHUNK, count - from);
          column.copyTo(from, chunk, length);
          MemorySegment.copy(chunk, 0, target, ValueLayout.JAVA_FLOAT, 4L * from, length);
        }
      }
    }
  }

  private static void layRows(int[] offsets, int rows, IntArray array) {
    for (int row = 0; row < rows; row++) {
      for (int t = offsets[row]; t < offsets[row + 1]; t++) {
        array.set(t, row);
      }
    }
  }

  private static void layGroups(int[] groupOf, int groups, IntArray array) {
    int[] next = new int[groups + 1];
    for (int group : groupOf) {
      next[group + 1]++;
    }
    for (int group = 0; group < groups; group++) {
      next[group + 1] += next[group];
    }
    for (int group = 0; group <= groups; group++) {
      array.set(group, next[group]);
    }
    for (int row = 0; row < groupOf.length; row++) {
      array.set(groups + 1 + next[groupOf[row]]++, row);
    }
  }

  // The run.

  /**
   * Runs all tasks and makes sure that each of them ran, in this call and with all its threads.
   *
   * @throws DeviceException if something was not done
   */
  void run(DeviceSizes sizes) {
    List<Task> tasks = layout.tasks();
    long[] threads = new long[tasks.size()];
    for (int i = 0; i < threads.length; i++) {
      Task task = tasks.get(i);
      threads[i] =
          (long) lanes.get(i) * Math.max(1, elements(task.level(), task.sequence(), sizes));
      if (threads[i] > Integer.MAX_VALUE) {
        throw new DeviceException(
            "`%s` would need %d threads on the device for this batch, more than there can be"
                .formatted(signature.objective(), threads[i]));
      }
      workers.get(i).setGlobalWork(threads[i], 1, 1);
    }
    IntArray evidence = arrays.evidence();
    evidence.init(0);
    if (!trusted) {
      poison();
    }
    try {
      result = plan.withGridScheduler(grids).execute();
    } catch (OutOfMemoryError | RuntimeException e) {
      throw failure(e);
    }
    for (int i = 0; i < threads.length; i++) {
      int expected = DeviceLayout.evidence(call, (int) threads[i], lanes.get(i) - 1);
      if (evidence.get(i) != expected) {
        throw new DeviceException(
            ("the kernel `%s` of `%s` did not run on the device with its %d threads, and TornadoVM"
                    + " did not say so; what it printed may tell why")
                .formatted(tasks.get(i).name(), signature.objective(), threads[i]));
      }
    }
    if (!trusted) {
      bring();
      requireWritten(sizes);
      trusted = true;
    }
  }

  /** Copies gradients that stayed on the device. */
  void bring() {
    TornadoExecutionResult last = result;
    if (last == null) {
      throw new IllegalStateException("nothing was evaluated yet");
    }
    if (kept && arrays.gradients().length > 0) {
      try {
        last.transferToHost(arrays.gradients());
      } catch (RuntimeException e) {
        throw failure(e);
      }
    }
  }

  /** Marks what is to come back, so that the first run shows that all of it does. */
  private void poison() {
    for (Signature.Input input : signature.inputs()) {
      arrays
          .findFloats("gradient of " + input.name())
          .ifPresent(array -> array.init(Float.intBitsToFloat(UNWRITTEN)));
    }
    for (Slot slot : layout.gradients()) {
      arrays
          .findDoubles(values(slot.level(), slot.sequence(), true))
          .ifPresent(array -> array.init(Double.longBitsToDouble(UNWRITTEN_DOUBLE)));
    }
    arrays.batchValues().init(Double.longBitsToDouble(UNWRITTEN_DOUBLE));
  }

  private void requireWritten(DeviceSizes sizes) {
    for (Signature.Input input : signature.inputs()) {
      arrays
          .findFloats("gradient of " + input.name())
          .ifPresent(array -> {
            int count = sizes.logits().get(signature.sequences().indexOf(input.sequence()));
            for (int i = 0; i < count; i++) {
              require(Float.floatToRawIntBits(array.get(i)) != UNWRITTEN, input.name());
            }
          });
    }
    for (Slot slot : layout.gradients()) {
      int elements = elements(slot.level(), slot.sequence(), sizes);
      arrays
          .findDoubles(values(slot.level(), slot.sequence(), true))
          .ifPresent(array -> {
            for (int i = 0; i < elements; i++) {
              double value = array.get(slot.slot() * elements + i);
              require(Double.doubleToRawLongBits(value) != UNWRITTEN_DOUBLE, slot.input());
            }
          });
    }
  }

  private void require(boolean written, String input) {
    if (!written) {
      throw new DeviceException(
          "the device wrote only a part of the gradient of `%s` for %s"
              .formatted(signature.objective(), input));
    }
  }

  // What comes out.

  /** The array that holds values, or gradients, of a level. */
  private static String values(Level level, String sequence, boolean gradient) {
    return switch (level) {
      case BATCH -> "values of the batch";
      case GROUP -> "values of groups";
      case PAIR, SEQUENCE -> "values of rows";
      case TOKEN -> (gradient ? "gradients of " : "values of ") + sequence;
      case VOCAB -> throw new IllegalStateException("logits have arrays of their own");
    };
  }

  /** The first element, if any, at which a value is not positive. */
  Optional<Integer> firstFailure(Check check) {
    DoubleArray array =
        arrays.findDoubles(values(check.level(), check.sequence(), false)).orElseThrow();
    int elements = elementsNow(check.level(), check.sequence());
    for (int i = 0; i < elements; i++) {
      if (array.get(check.slot() * elements + i) == 1.0) {
        return Optional.of(i);
      }
    }
    return Optional.empty();
  }

  private int elementsNow(Level level, String sequence) {
    IntArray counts = arrays.sizes();
    return switch (level) {
      case BATCH -> 1;
      case GROUP -> counts.get(DeviceLayout.GROUPS);
      case PAIR, SEQUENCE -> counts.get(DeviceLayout.ROWS);
      case TOKEN -> counts.get(DeviceLayout.TOKENS + signature.sequences().indexOf(sequence));
      case VOCAB -> throw new IllegalStateException("nothing is kept for each logit");
    };
  }

  /** The row that a token belongs to. */
  static int rowOf(int[] offsets, int token) {
    int row = 0;
    while (offsets[row + 1] <= token) {
      row++;
    }
    return row;
  }

  /** Hands loss, metrics and violations over. */
  void fetch(Evaluation result) {
    result.setLoss(scalar(layout.loss()));
    for (int i = 0; i < layout.metrics().size(); i++) {
      result.metrics()[i] = scalar(layout.metrics().get(i));
    }
    for (int i = 0; i < layout.violations().size(); i++) {
      result.violations()[i] = scalar(layout.violations().get(i));
    }
  }

  /** Hands the gradients over. */
  void fetchGradients(Batch batch, Evaluation result) {
    for (Slot slot : layout.gradients()) {
      int elements = elementsNow(slot.level(), slot.sequence());
      DoubleArray array =
          arrays.findDoubles(values(slot.level(), slot.sequence(), true)).orElseThrow();
      int from = slot.slot() * elements;
      if (batch.data(slot.input()).type() == Column.Type.F64) {
        double[] target = result.gradient(slot.input());
        MemorySegment.copy(
            array.getSegment(), ValueLayout.JAVA_DOUBLE, 8L * from, target, 0, target.length);
      } else {
        float[] target = result.floatGradient(slot.input());
        for (int i = 0; i < target.length; i++) {
          target[i] = (float) array.get(from + i);
        }
      }
    }
    for (Signature.Input input : signature.inputs()) {
      arrays
          .findFloats("gradient of " + input.name())
          .ifPresent(array -> fetch(array, input.name(), batch, result));
    }
  }

  private static void fetch(FloatArray array, String input, Batch batch, Evaluation result) {
    if (batch.data(input).type() == Column.Type.F64) {
      double[] target = result.gradient(input);
      for (int i = 0; i < target.length; i++) {
        target[i] = array.get(i);
      }
    } else {
      float[] target = result.floatGradient(input);
      MemorySegment.copy(array.getSegment(), ValueLayout.JAVA_FLOAT, 0, target, 0, target.length);
    }
  }

  private double scalar(Result result) {
    DoubleArray array = result.given() ? arrays.scalars() : arrays.batchValues();
    return array.get(result.slot());
  }
}
