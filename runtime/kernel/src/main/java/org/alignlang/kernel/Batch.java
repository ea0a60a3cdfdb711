package org.alignlang.kernel;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The data of one kernel call, packed: only positions that exist are stored, so nothing can leak
 * from behind a mask.
 *
 * <p>Rows are sequences, or pairs for pair data. The tokens of row {@code i} of sequence {@code s}
 * are the entries {@code offsets(s)[i]} to {@code offsets(s)[i + 1]} of every token-level column;
 * vocabulary-level columns hold {@code vocabulary()} entries for each of them. Columns with an
 * ensemble axis hold their members side by side: entry {@code i * members + m}.
 *
 * <p>A column is in double or single precision, or in a type of 16 bits that kernels widen as they
 * read it.
 */
public final class Batch {
  private final int rows;
  private final int vocabulary;
  private final int groups;
  private final int[] groupOf;
  private final Map<String, int[]> offsets;
  private final Map<String, int[]> tokens;
  private final Map<String, Column> columns;

  /** Columns that a kernel wanted in another precision than theirs, made once. */
  private final Map<String, double[]> widened = new ConcurrentHashMap<>();

  private final Map<String, float[]> narrowed = new ConcurrentHashMap<>();

  private Batch(Builder builder) {
    rows = builder.rows;
    vocabulary = builder.vocabulary;
    groups = builder.groups;
    groupOf = builder.groupOf;
    offsets = Map.copyOf(builder.offsets);
    tokens = Map.copyOf(builder.tokens);
    columns = Map.copyOf(builder.columns);
  }

  public static Builder builder(int rows) {
    return new Builder(rows);
  }

  /** The number of sequences, or of pairs. */
  public int rows() {
    return rows;
  }

  /** The number of vocabulary entries; 0 if no column is at vocabulary level. */
  public int vocabulary() {
    return vocabulary;
  }

  /** The number of groups; 0 if rows are not grouped. */
  public int groups() {
    return groups;
  }

  /** The group of each row, numbered from 0 in order of first appearance; empty if not grouped. */
  public int[] groupOf() {
    return groupOf;
  }

  /** Where each row's tokens begin, and the total at the end: {@code rows + 1} numbers. */
  public int[] offsets(String sequence) {
    return require(offsets, sequence, "sequence");
  }

  /** The taken tokens of a sequence, packed. */
  public int[] tokens(String sequence) {
    return require(tokens, sequence, "tokens of sequence");
  }

  /** A column by its contract name, as it lies in memory. */
  public Column data(String name) {
    return require(columns, name, "input");
  }

  /**
   * A column whose length is known, as it lies in memory.
   *
   * @throws EvaluationException if it has another length
   */
  public Column data(String name, int length) {
    Column column = data(name);
    if (column.length() != length) {
      throw new EvaluationException(
          "input `" + name + "` holds " + column.length() + " numbers where " + length + " belong");
    }
    return column;
  }

  /**
   * A column in double precision: the array that it was built from, or else a copy that is made
   * once and must not be written to.
   */
  public double[] column(String name) {
    Column column = data(name);
    if (column instanceof Column.Doubles doubles) {
      return doubles.values();
    }
    double[] known = widened.get(name);
    return known != null ? known : widened.computeIfAbsent(name, _ -> column.toDoubles());
  }

  /**
   * A column in double precision whose length is known.
   *
   * @throws EvaluationException if it has another length
   */
  public double[] column(String name, int length) {
    data(name, length);
    return column(name);
  }

  /**
   * A column in single precision whose length is known: the array that it was built from, or else a
   * copy that is made once and must not be written to.
   *
   * @throws EvaluationException if it has another length
   */
  public float[] floats(String name, int length) {
    Column column = data(name, length);
    if (column instanceof Column.Floats floats) {
      return floats.values();
    }
    float[] known = narrowed.get(name);
    return known != null ? known : narrowed.computeIfAbsent(name, _ -> column.toFloats());
  }

  /**
   * The taken tokens of a sequence, checked to be one per position and within the vocabulary.
   *
   * @throws EvaluationException if they are not
   */
  public int[] takenTokens(String sequence) {
    int[] taken = tokens(sequence);
    int count = offsets(sequence)[rows];
    if (taken.length != count) {
      throw new EvaluationException(
          "sequence `" + sequence + "` has " + taken.length + " tokens at " + count + " positions");
    }
    for (int t = 0; t < count; t++) {
      if (taken[t] < 0 || taken[t] >= vocabulary) {
        throw new EvaluationException(
            "token "
                + taken[t]
                + " of sequence `"
                + sequence
                + "` at position "
                + t
                + " is not in the vocabulary of "
                + vocabulary);
      }
    }
    return taken;
  }

  /**
   * The group of each row.
   *
   * @throws EvaluationException if rows are not grouped
   */
  public int[] requireGroups() {
    if (groupOf.length != rows) {
      throw new EvaluationException("the batch does not say which group each row is in");
    }
    return groupOf;
  }

  /** Whether the batch holds a column. */
  public boolean has(String name) {
    return columns.containsKey(name);
  }

  private static <T> T require(Map<String, T> map, String name, String what) {
    T value = map.get(name);
    if (value == null) {
      throw new EvaluationException("the batch lacks " + what + " `" + name + "`");
    }
    return value;
  }

  /** Collects the parts of a batch; arrays are taken over, not copied. */
  public static final class Builder {
    private final int rows;
    private int vocabulary;
    private int groups;
    private int[] groupOf = new int[0];
    private final Map<String, int[]> offsets = new HashMap<>();
    private final Map<String, int[]> tokens = new HashMap<>();
    private final Map<String, Column> columns = new HashMap<>();

    private Builder(int rows) {
      this.rows = rows;
    }

    /** The token ranges of a sequence: {@code rows + 1} non-decreasing offsets from 0. */
    public Builder sequence(String name, int[] rowOffsets) {
      if (rowOffsets.length != rows + 1 || rowOffsets[0] != 0) {
        throw new IllegalArgumentException(
            "sequence `" + name + "` needs " + (rows + 1) + " offsets from 0");
      }
      for (int i = 0; i < rows; i++) {
        if (rowOffsets[i + 1] < rowOffsets[i]) {
          throw new IllegalArgumentException(
              "the offsets of sequence `" + name + "` fall after row " + i);
        }
      }
      offsets.put(name, rowOffsets);
      return this;
    }

    /** The taken tokens of a sequence. */
    public Builder tokens(String sequence, int[] taken) {
      tokens.put(sequence, taken);
      return this;
    }

    public Builder vocabulary(int size) {
      vocabulary = size;
      return this;
    }

    /** A column of numbers under its contract name. */
    public Builder column(String name, Column column) {
      columns.put(name, column);
      return this;
    }

    /** A column in double precision. */
    public Builder column(String name, double[] values) {
      return column(name, new Column.Doubles(values));
    }

    /** A column in single precision; the gradient for it is in single precision too. */
    public Builder column(String name, float[] values) {
      return column(name, new Column.Floats(values));
    }

    /** A column in memory of the heap or outside it, without gaps, little-endian. */
    public Builder column(String name, MemorySegment memory, Column.Type type) {
      return column(name, new Column.Memory(memory, type));
    }

    /** Group ids, any integers; they are renumbered in order of first appearance. */
    public Builder groupBy(int[] ids) {
      if (ids.length != rows) {
        throw new IllegalArgumentException("group ids: " + ids.length + " for " + rows + " rows");
      }
      Map<Integer, Integer> numbers = new HashMap<>();
      groupOf = new int[rows];
      Arrays.setAll(groupOf, i -> numbers.computeIfAbsent(ids[i], id -> numbers.size()));
      groups = numbers.size();
      return this;
    }

    public Batch build() {
      return new Batch(this);
    }
  }
}
