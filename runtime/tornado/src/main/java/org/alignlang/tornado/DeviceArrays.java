package org.alignlang.tornado;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.tornado.DeviceLayout.Check;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.DoubleArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The arrays of a program, made when its tasks ask for them. Logits and their gradients are in
 * single precision, all other numbers in double.
 */
public final class DeviceArrays {
  private final DeviceLayout layout;
  private final DeviceSizes room;
  private final List<Integer> lanes;
  private final boolean kept;
  private final Map<String, IntArray> ints = new LinkedHashMap<>();
  private final Map<String, DoubleArray> doubles = new LinkedHashMap<>();
  private final Map<String, FloatArray> floats = new LinkedHashMap<>();
  private final List<Object> sent = new ArrayList<>();
  private final List<Object> fetched = new ArrayList<>();
  private final List<Object> gradients = new ArrayList<>();

  /**
   * Arrays with room for a batch.
   *
   * @param room the sizes of the batch, each at least 1
   * @param lanes per task, how many threads its groups have
   * @param kept whether one batch is on the device for all calls, and the gradients of its tokens
   *     and logits stay there until they are asked for
   */
  DeviceArrays(DeviceLayout layout, DeviceSizes room, List<Integer> lanes, boolean kept) {
    this.layout = layout;
    this.lanes = List.copyOf(lanes);
    this.room = room;
    this.kept = kept;
  }

  /** Before its tasks, a graph copies what the host gives to the device. */
  public void send(TaskGraph graph) {
    List<Object> changing = kept ? List.of(sizes(), scalars()) : sent;
    graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, changing.toArray());
    Object[] staying = sent.stream().filter(array -> !changing.contains(array)).toArray();
    if (staying.length > 0) {
      graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, staying);
    }
  }

  /** After its tasks, a graph copies what the host wants from the device. */
  public void fetch(TaskGraph graph) {
    graph.transferToHost(DataTransferMode.EVERY_EXECUTION, fetched.toArray());
    if (!gradients.isEmpty()) {
      graph.transferToHost(
          kept ? DataTransferMode.UNDER_DEMAND : DataTransferMode.EVERY_EXECUTION,
          gradients.toArray());
    }
  }

  /** The gradients of tokens and logits. */
  Object[] gradients() {
    return gradients.toArray();
  }

  /** The bytes that all arrays take. */
  long bytes() {
    long bytes = 0;
    for (IntArray array : ints.values()) {
      bytes += array.getNumBytesOfSegmentWithHeader();
    }
    for (DoubleArray array : doubles.values()) {
      bytes += array.getNumBytesOfSegmentWithHeader();
    }
    for (FloatArray array : floats.values()) {
      bytes += array.getNumBytesOfSegmentWithHeader();
    }
    return bytes;
  }

  /** How many threads the groups of a task have. */
  public int lanes(int task) {
    return lanes.get(task);
  }

  // What the host gives.

  /** The sizes of the batch; see {@link DeviceLayout}. */
  public IntArray sizes() {
    return ints("sizes", DeviceLayout.TOKENS + room.tokens().size());
  }

  /** The group of each row. */
  public IntArray groupOfRow() {
    return ints("groupOfRow", room.rows());
  }

  /** Where the rows of each group begin in what follows, and the rows, group after group. */
  public IntArray rowsOfGroups() {
    return ints("rowsOfGroups", room.groups() + 1 + room.rows());
  }

  /** Where the tokens of each row begin, and the last ones end; sequence after sequence. */
  public IntArray offsets() {
    return ints("offsets", room.tokens().size() * (room.rows() + 1));
  }

  /** The row of each token. */
  public IntArray rowOfToken(String sequence) {
    return ints("row of token of " + sequence, tokens(sequence));
  }

  /** The taken tokens. */
  public IntArray takenTokens(String sequence) {
    return ints("taken tokens of " + sequence, tokens(sequence));
  }

  /** Parameters, multipliers, columns of the batch, and the constants of the layout. */
  public DoubleArray scalars() {
    return sent("scalars", Math.max(1, layout.scalars()));
  }

  public DoubleArray groupColumns() {
    return sent("columns of groups", layout.columnSlots(Level.GROUP, ""), room.groups());
  }

  public DoubleArray rowColumns() {
    return sent("columns of rows", layout.columnSlots(Level.SEQUENCE, ""), room.rows());
  }

  public DoubleArray tokenColumns(String sequence) {
    return sent(
        "columns of " + sequence, layout.columnSlots(Level.TOKEN, sequence), tokens(sequence));
  }

  /** The logits of an input. */
  public FloatArray logits(String input) {
    FloatArray known = floats.get(input);
    if (known != null) {
      return known;
    }
    FloatArray array = new FloatArray(room.logits().get(sequence(input)));
    floats.put(input, array);
    sent.add(array);
    return array;
  }

  // What kernels write.

  /** Values of the batch; the host gets them back. */
  public DoubleArray batchValues() {
    return fetched("values of the batch", Math.max(1, layout.batchValues()), 1);
  }

  public DoubleArray groupValues() {
    return wanted(Level.GROUP)
        ? fetched("values of groups", layout.groupValues(), room.groups())
        : doubles("values of groups", layout.groupValues(), room.groups());
  }

  public DoubleArray rowValues() {
    return wanted(Level.SEQUENCE)
        ? fetched("values of rows", layout.rowValues(), room.rows())
        : doubles("values of rows", layout.rowValues(), room.rows());
  }

  public DoubleArray tokenValues(String sequence) {
    String name = "values of " + sequence;
    int slots = layout.tokenValues().get(layout.signature().sequences().indexOf(sequence));
    boolean checked =
        layout.checks().stream()
            .anyMatch(c -> c.level() == Level.TOKEN && c.sequence().equals(sequence));
    return checked
        ? fetched(name, slots, tokens(sequence))
        : doubles(name, slots, tokens(sequence));
  }

  public DoubleArray tokenGradients(String sequence) {
    String name = "gradients of " + sequence;
    boolean known = doubles.containsKey(name);
    DoubleArray array = doubles(name, layout.gradientSlots(sequence), tokens(sequence));
    if (!known) {
      gradients.add(array);
    }
    return array;
  }

  /** The gradient of an input of logits. */
  public FloatArray logitsGradient(String input) {
    FloatArray known = floats.get("gradient of " + input);
    if (known != null) {
      return known;
    }
    FloatArray array = new FloatArray(room.logits().get(sequence(input)));
    floats.put("gradient of " + input, array);
    gradients.add(array);
    return array;
  }

  /** What kernels show that they ran; see {@link DeviceLayout#evidence}. */
  public IntArray evidence() {
    IntArray known = ints.get("evidence");
    if (known != null) {
      return known;
    }
    IntArray array = new IntArray(layout.tasks().size());
    ints.put("evidence", array);
    fetched.add(array);
    return array;
  }

  // What the host looks up.

  /** An array of whole numbers, if the program has it. */
  Optional<IntArray> findInts(String name) {
    return Optional.ofNullable(ints.get(name));
  }

  /** An array of numbers in double precision, if the program has it. */
  Optional<DoubleArray> findDoubles(String name) {
    return Optional.ofNullable(doubles.get(name));
  }

  /** An array of numbers in single precision, if the program has it. */
  Optional<FloatArray> findFloats(String name) {
    return Optional.ofNullable(floats.get(name));
  }

  /** Whether the host wants values of a level, for a gradient or to see whether it may go on. */
  private boolean wanted(Level level) {
    return layout.gradients().stream().anyMatch(g -> g.level() == level)
        || layout.checks().stream()
            .map(Check::level)
            .map(l -> l == Level.PAIR ? Level.SEQUENCE : l)
            .anyMatch(l -> l == level);
  }

  private int tokens(String sequence) {
    return room.tokens().get(layout.signature().sequences().indexOf(sequence));
  }

  private int sequence(String input) {
    Signature.Input contract =
        layout.signature().inputs().stream()
            .filter(i -> i.name().equals(input))
            .findFirst()
            .orElseThrow();
    return layout.signature().sequences().indexOf(contract.sequence());
  }

  private IntArray ints(String name, int count) {
    IntArray known = ints.get(name);
    if (known != null) {
      return known;
    }
    IntArray array = new IntArray(count);
    array.clear();
    ints.put(name, array);
    sent.add(array);
    return array;
  }

  private DoubleArray doubles(String name, int slots, int elements) {
    return doubles.computeIfAbsent(
        name,
        key -> {
          long count = (long) slots * elements;
          if (count > Integer.MAX_VALUE - 8) {
            throw new DeviceException(
                count + " numbers are more than the " + key + " on a device can be");
          }
          DoubleArray array = new DoubleArray((int) count);
          array.clear();
          return array;
        });
  }

  private DoubleArray sent(String name, int count) {
    return sent(name, count, 1);
  }

  private DoubleArray sent(String name, int slots, int elements) {
    boolean known = doubles.containsKey(name);
    DoubleArray array = doubles(name, slots, elements);
    if (!known) {
      sent.add(array);
    }
    return array;
  }

  private DoubleArray fetched(String name, int slots, int elements) {
    boolean known = doubles.containsKey(name);
    DoubleArray array = doubles(name, slots, elements);
    if (!known) {
      fetched.add(array);
    }
    return array;
  }
}
