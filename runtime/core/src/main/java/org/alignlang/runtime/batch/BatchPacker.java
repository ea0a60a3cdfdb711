package org.alignlang.runtime.batch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.batch.Expected.Axis;
import org.alignlang.runtime.batch.Expected.Content;
import org.alignlang.runtime.linear.Head;
import org.alignlang.runtime.linear.LinearLogits;

/** Packs the tensors of one file, whose names are known to be right, for one objective. */
final class BatchPacker {
  private static final int LARGEST_COLUMN = Integer.MAX_VALUE - 8;

  private final Signature signature;
  private final List<Expected> expected;

  /** What is given in place of logits, by the name of the logits. */
  private final Map<String, HiddenStates> hidden;

  private final TensorFile file;
  private final Workers workers;

  /** The size of each axis, and the tensor that it was read from. */
  private final Map<String, Size> sizes = new HashMap<>();

  /** The rows of each sequence in the packed columns, and where in [N, T] its positions are. */
  private final Map<String, int[]> offsets = new LinkedHashMap<>();

  private final Map<String, int[]> positions = new LinkedHashMap<>();

  /** Heads by name: several sequences of an actor share one. */
  private final Map<String, Head> heads = new HashMap<>();

  private record Size(int entries, String tensor) {}

  BatchPacker(
      Signature signature,
      List<Expected> expected,
      Map<String, HiddenStates> hidden,
      TensorFile file,
      Workers workers) {
    this.signature = signature;
    this.expected = expected;
    this.hidden = hidden;
    this.file = file;
    this.workers = workers;
  }

  PackedBatch pack() {
    for (Expected tensor : expected) {
      find(tensor).ifPresent(found -> require(tensor, found));
    }
    int rows = size(Axis.ROWS).orElseThrow(() -> bad("no tensor says how many rows there are"));
    Batch.Builder batch = Batch.builder(rows);
    for (String sequence : signature.sequences()) {
      locate(sequence, rows);
      batch.sequence(sequence, offsetsOf(sequence));
    }
    size(Axis.VOCABULARY).ifPresent(batch::vocabulary);
    int groups = 0;
    List<Optional<double[]>> multipliers = new ArrayList<>();
    for (Expected wanted : expected) {
      Tensor tensor = file.tensors().get(wanted.name());
      if (tensor != null && wanted.content() == Content.GROUP) {
        int[] ids = groups(wanted, tensor, rows);
        batch.groupBy(ids);
        groups = Arrays.stream(ids).max().orElse(-1) + 1;
      }
    }
    Map<String, HiddenStates.Made> made = new LinkedHashMap<>();
    for (Input input : signature.inputs()) {
      HiddenStates states = hidden.get(input.name());
      if (states != null) {
        HiddenStates.Made logits = logits(states, input);
        made.put(input.name(), logits);
        batch.column(input.name(), logits.logits().column());
        continue;
      }
      if (!file.tensors().containsKey(input.name())) {
        // Only a kept number may be left out: it is what it was before the first step.
        double initial = signature.stateOf(input).orElseThrow().initial();
        batch.column(input.name(), new double[] {initial});
        continue;
      }
      Tensor tensor = tensor(input.name());
      Expected wanted = wanted(input.name());
      if (input.level() == Level.GROUP) {
        requireSize(wanted, tensor, groups, "the number of groups");
      }
      if (wanted.content() == Content.TOKENS) {
        batch.tokens(input.sequence(), tokens(input, tensor));
      } else {
        batch.column(input.name(), column(wanted, input, tensor));
      }
    }
    for (Constraint constraint : signature.constraints()) {
      multipliers.add(multiplier(constraint));
    }
    try {
      return new PackedBatch(
          batch.build(),
          new MultiplierValues(signature.constraints(), multipliers),
          made,
          positions);
    } catch (IllegalArgumentException e) {
      throw bad(String.valueOf(e.getMessage()));
    }
  }

  // Types and shapes.

  private void require(Expected wanted, Tensor tensor) {
    if (!wanted.content().accepts(tensor.type(), file.format().typed())) {
      throw bad(
          wanted,
          "has type %s; %s %s %s"
              .formatted(
                  tensor.type().word(),
                  wanted.content().words(),
                  wanted.content() == Content.MASK ? "is" : "are",
                  wanted.typeWords()));
    }
    List<Integer> shape = tensor.shape();
    // A single number may also be a list of one: not every program can store the former.
    boolean single = wanted.axes().isEmpty() && shape.equals(List.of(1));
    if (shape.size() != wanted.axes().size() && !single) {
      throw bad(wanted, "has shape %s, expected %s".formatted(shape, wanted.letters()));
    }
    for (int axis = 0; axis < wanted.axes().size(); axis++) {
      Axis wantedAxis = wanted.axes().get(axis);
      if (wantedAxis.hasFixedSize()) {
        if (shape.get(axis) != Integer.parseInt(wantedAxis.letter())) {
          throw bad(wanted, "has shape %s, expected %s".formatted(shape, wanted.letters()));
        }
        continue;
      }
      Size known = sizes.putIfAbsent(wantedAxis.key(), new Size(shape.get(axis), wanted.name()));
      if (known != null && known.entries != shape.get(axis)) {
        throw bad(
            wanted,
            "has shape %s, expected %s with %s = %d as in `%s`"
                .formatted(
                    shape, wanted.letters(), wantedAxis.letter(), known.entries, known.tensor));
      }
    }
  }

  private void requireSize(Expected wanted, Tensor tensor, int size, String what) {
    if (tensor.shape().getFirst() != size) {
      throw bad(
          wanted,
          "has shape %s, expected %s with %s = %d, %s"
              .formatted(
                  tensor.shape(), wanted.letters(), wanted.axes().getFirst().letter(), size, what));
    }
  }

  // Which positions exist.

  private void locate(String sequence, int rows) {
    Axis axis = Axis.positions(sequence);
    if (size(axis).isEmpty() && !signature.measured()) {
      offsets.put(sequence, new int[rows + 1]);
      positions.put(sequence, new int[0]);
      return;
    }
    List<Expected> along = new ArrayList<>();
    for (Expected tensor : expected) {
      if (tensor.axes().contains(axis) && file.tensors().containsKey(tensor.name())) {
        along.add(tensor);
      }
    }
    int width =
        size(axis)
            .orElseThrow(() ->
                bad(
                    "there is no tensor `%s`, which would say how many positions there are"
                        .formatted(
                            signature.sequences().size() > 1 ? sequence + ".mask" : "mask")));
    requireColumn(along.getFirst().name(), (long) rows * width);
    int[] lengths = lengths(along, rows, width);
    Optional<Expected> mask = along.stream().filter(e -> e.content() == Content.MASK).findFirst();
    int[] begin = new int[rows + 1];
    int[] places = new int[rows * width];
    int count = 0;
    for (int row = 0; row < rows; row++) {
      for (int t = 0; t < lengths[row]; t++) {
        int place = row * width + t;
        if (mask.isEmpty() || truth(mask.get(), tensor(mask.get().name()), place)) {
          places[count++] = place;
        }
      }
      begin[row + 1] = count;
    }
    offsets.put(sequence, begin);
    positions.put(sequence, Arrays.copyOf(places, count));
  }

  /** The length of each row: that of JSON lines, which all tensors must agree on, or the width. */
  private int[] lengths(List<Expected> along, int rows, int width) {
    int[] lengths = new int[rows];
    Arrays.fill(lengths, width);
    String from = "";
    for (Expected tensor : along) {
      int[] own = file.lengths().get(tensor.name());
      if (own == null) {
        continue;
      }
      for (int row = 0; row < rows; row++) {
        if (!from.isEmpty() && own[row] != lengths[row]) {
          throw bad(
              tensor,
              "has %d positions in row %d, and `%s` has %d"
                  .formatted(own[row], row, from, lengths[row]));
        }
      }
      lengths = own;
      from = tensor.name();
    }
    return lengths;
  }

  // Values.

  private Column column(Expected wanted, Input input, Tensor tensor) {
    return switch (input.level()) {
      case BATCH, GROUP, PAIR, SEQUENCE -> {
        requireColumn(input.name(), tensor.count());
        requireFull(wanted, tensor);
        double[] column = new double[(int) tensor.count()];
        for (int i = 0; i < column.length; i++) {
          column[i] =
              wanted.content() == Content.LABEL
                  ? (truth(wanted, tensor, i) ? 1 : 0)
                  : value(wanted, tensor, i);
        }
        yield new Column.Doubles(column);
      }
      case TOKEN, VOCAB -> perPosition(wanted, input, tensor);
    };
  }

  /**
   * A column of the existing positions in the precision of its tensor; the tensor's own memory
   * where every position of a vocabulary column exists.
   */
  private Column perPosition(Expected wanted, Input input, Tensor tensor) {
    int[] places = positionsOf(input.sequence());
    int[] begin = offsetsOf(input.sequence());
    long width = 1;
    for (int size : tensor.shape().subList(2, tensor.shape().size())) {
      width *= size;
    }
    requireColumn(input.name(), places.length * width);
    int entries = (int) width;
    boolean whole = input.level() == Level.VOCAB && places.length * width == tensor.count();
    int count = places.length * entries;
    return switch (tensor.type()) {
      case F64, I64, I32, U8, BOOL -> {
        double[] column = new double[count];
        perRow(wanted, tensor, places, begin, entries, (e, value) -> column[e] = value);
        yield new Column.Doubles(column);
      }
      case F32, BF16, F16 -> {
        if (whole) {
          perRow(wanted, tensor, places, begin, entries, (_, _) -> {});
          yield new Column.Memory(tensor.data(), stored(tensor.type()));
        }
        float[] column = new float[count];
        perRow(wanted, tensor, places, begin, entries, (e, value) -> column[e] = (float) value);
        yield new Column.Floats(column);
      }
    };
  }

  /** Logits that are made of hidden states while a kernel goes over them. */
  private HiddenStates.Made logits(HiddenStates states, Input input) {
    try {
      return made(states, input);
    } catch (IllegalArgumentException e) {
      throw bad("`%s`: %s".formatted(states.hidden(), e.getMessage()));
    }
  }

  private HiddenStates.Made made(HiddenStates states, Input input) {
    Tensor tensor = tensor(states.hidden());
    float[] numbers = perPosition(wanted(states.hidden()), input, tensor).toFloats();
    Head head = heads.get(states.head());
    if (head == null) {
      Tensor weights = tensor(states.head());
      requireColumn(states.head(), weights.count());
      requireFull(wanted(states.head()), weights);
      float[] all = new float[(int) weights.count()];
      for (int i = 0; i < all.length; i++) {
        all[i] = (float) value(wanted(states.head()), weights, i);
      }
      List<Integer> shape = weights.shape();
      head = new Head(all, shape.get(0), shape.get(1), input.trained());
      heads.put(states.head(), head);
    }
    return new HiddenStates.Made(
        states,
        new LinearLogits(numbers, head, input.trained(), HiddenStates.CHUNK, workers),
        head);
  }

  private static Column.Type stored(ElementType type) {
    return switch (type) {
      case BF16 -> Column.Type.BF16;
      case F16 -> Column.Type.F16;
      case F32, F64, I64, I32, U8, BOOL -> Column.Type.F32;
    };
  }

  /** Where a value of a packed column goes. */
  private interface Entries {
    void put(int entry, double value);
  }

  /** Reads and checks the entries of all existing positions. */
  private void perRow(
      Expected wanted, Tensor tensor, int[] places, int[] begin, int entries, Entries column) {
    workers.run(
        begin.length - 1,
        (from, to) -> {
          for (int p = begin[from]; p < begin[to]; p++) {
            long start = (long) places[p] * entries;
            boolean any = false;
            for (int e = 0; e < entries; e++) {
              double value = value(wanted, tensor, start + e);
              any |= value > Double.NEGATIVE_INFINITY;
              column.put(p * entries + e, value);
            }
            if (wanted.content() == Content.LOGITS && !any) {
              throw bad(
                  wanted,
                  "has only -Infinity at index %s: no token has a probability there"
                      .formatted(
                          List.of(
                              places[p] / tensor.shape().get(1),
                              places[p] % tensor.shape().get(1))));
            }
          }
        });
  }

  /** An entry that exists, checked for what it holds. */
  private double value(Expected wanted, Tensor tensor, long index) {
    double value = tensor.real(index);
    boolean bad =
        switch (wanted.content()) {
          case LOG_PROBABILITY, LOGITS -> Double.isNaN(value) || value == Double.POSITIVE_INFINITY;
          case COLUMN, MULTIPLIER -> !Double.isFinite(value);
          case TOKENS, GROUP, LABEL, MASK -> false;
        };
    if (bad) {
      throw bad(wanted, "has %s at index %s".formatted(value, tensor.place(index)));
    }
    if (wanted.content() == Content.LOG_PROBABILITY && value > rounding(tensor.type())) {
      throw bad(
          wanted,
          "has %s at index %s, and a log-probability is at most 0"
              .formatted(value, tensor.place(index)));
    }
    return value;
  }

  /**
   * How far above 0 a log-probability may be by rounding: a few units in the last place of logits
   * up to 64, from which it was computed.
   */
  private static double rounding(ElementType type) {
    return switch (type) {
      case F64, I64, I32, U8, BOOL -> 1e-9;
      case F32 -> 1e-4;
      case F16 -> 0.1;
      case BF16 -> 0.5;
    };
  }

  private boolean truth(Expected wanted, Tensor tensor, long index) {
    double value = tensor.real(index);
    if (value != 0 && value != 1) {
      throw bad(
          wanted,
          "has %s at index %s; it holds 0 and 1".formatted(plain(value), tensor.place(index)));
    }
    return value == 1;
  }

  private int[] tokens(Input input, Tensor tensor) {
    Expected wanted = wanted(input.name());
    int[] places = positionsOf(input.sequence());
    int vocabulary = size(Axis.VOCABULARY).orElse(Integer.MAX_VALUE);
    int[] tokens = new int[places.length];
    for (int p = 0; p < places.length; p++) {
      long token = integer(wanted, tensor, places[p]);
      if (token < 0 || token >= vocabulary) {
        throw bad(
            wanted,
            "has token %d at index %s, outside the vocabulary of %d"
                .formatted(token, tensor.place(places[p]), vocabulary));
      }
      tokens[p] = (int) token;
    }
    return tokens;
  }

  /** Ids, numbered in order of first appearance: those of the file may need 64 bits. */
  private int[] groups(Expected wanted, Tensor tensor, int rows) {
    Map<Long, Integer> numbers = new HashMap<>();
    int[] groups = new int[rows];
    for (int row = 0; row < rows; row++) {
      groups[row] = numbers.computeIfAbsent(integer(wanted, tensor, row), _ -> numbers.size());
    }
    return groups;
  }

  private long integer(Expected wanted, Tensor tensor, long index) {
    if (!tensor.type().real()) {
      return tensor.integer(index);
    }
    double value = tensor.real(index);
    if (value != Math.rint(value) || Math.abs(value) > 1L << 53) {
      throw bad(
          wanted, "has %s at index %s, not a whole number".formatted(value, tensor.place(index)));
    }
    return (long) value;
  }

  private Optional<double[]> multiplier(Constraint constraint) {
    String name = BatchContract.multiplier(constraint);
    Tensor tensor = file.tensors().get(name);
    if (tensor == null) {
      return Optional.empty();
    }
    double[] values = new double[(int) tensor.count()];
    Arrays.setAll(values, i -> value(wanted(name), tensor, i));
    return Optional.of(values);
  }

  /** Lists of unequal length are for positions, not for the members of an ensemble. */
  private void requireFull(Expected wanted, Tensor tensor) {
    int[] lengths = file.lengths().getOrDefault(wanted.name(), new int[0]);
    for (int row = 0; row < lengths.length; row++) {
      if (lengths[row] != tensor.shape().get(1)) {
        throw bad(
            wanted,
            "has %d entries in row %d, expected %d"
                .formatted(lengths[row], row, tensor.shape().get(1)));
      }
    }
  }

  private void requireColumn(String name, long entries) {
    if (entries > LARGEST_COLUMN) {
      throw bad(
          "`%s` has %d entries, more than the %d that one batch can hold; use a smaller batch"
              .formatted(name, entries, LARGEST_COLUMN));
    }
  }

  private Optional<Tensor> find(Expected tensor) {
    return Optional.ofNullable(file.tensors().get(tensor.name()));
  }

  private Optional<Integer> size(Axis axis) {
    return Optional.ofNullable(sizes.get(axis.key())).map(Size::entries);
  }

  private Tensor tensor(String name) {
    Tensor tensor = file.tensors().get(name);
    if (tensor == null) {
      throw new IllegalStateException("no tensor `" + name + "`, which was there");
    }
    return tensor;
  }

  private Expected wanted(String name) {
    return expected.stream().filter(e -> e.name().equals(name)).findFirst().orElseThrow();
  }

  private int[] offsetsOf(String sequence) {
    return offsets.getOrDefault(sequence, new int[0]);
  }

  private int[] positionsOf(String sequence) {
    return positions.getOrDefault(sequence, new int[0]);
  }

  private static String plain(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.valueOf((long) value)
        : String.valueOf(value);
  }

  private BatchException bad(Expected tensor, String complaint) {
    return bad("tensor `%s` %s".formatted(tensor.name(), complaint));
  }

  private BatchException bad(String complaint) {
    return new BatchException(file.path() + ": " + complaint);
  }
}
