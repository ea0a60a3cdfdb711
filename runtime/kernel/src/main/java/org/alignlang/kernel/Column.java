package org.alignlang.kernel;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Locale;

/**
 * The numbers of one input as they lie in memory: arrays of the heap, or any memory segment,
 * without gaps. Kernels read single precision and less as it is, and never copy a column of it to
 * double precision.
 */
public sealed interface Column {

  /** How a number is stored. */
  enum Type {
    F64(8),
    F32(4),
    /** The upper half of an f32: 8 bits of exponent, 8 of precision. */
    BF16(2),
    /** IEEE 754 binary16. */
    F16(2);

    private final int bytes;

    Type(int bytes) {
      this.bytes = bytes;
    }

    /** Bytes per number. */
    public int bytes() {
      return bytes;
    }

    /** The name in messages and documents, such as {@code bf16}. */
    public String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Double precision. */
  record Doubles(double[] values) implements Column {
    @Override
    public Type type() {
      return Type.F64;
    }

    @Override
    public int length() {
      return values.length;
    }

    @Override
    public double get(int index) {
      return values[index];
    }

    @Override
    public void copyTo(int from, float[] target, int count) {
      for (int i = 0; i < count; i++) {
        target[i] = (float) values[from + i];
      }
    }
  }

  /** Single precision. */
  record Floats(float[] values) implements Column {
    @Override
    public Type type() {
      return Type.F32;
    }

    @Override
    public int length() {
      return values.length;
    }

    @Override
    public double get(int index) {
      return values[index];
    }

    @Override
    public void copyTo(int from, float[] target, int count) {
      System.arraycopy(values, from, target, 0, count);
    }
  }

  /**
   * Memory of the heap or outside it, little-endian.
   *
   * @param memory the numbers
   * @param type how each is stored
   */
  record Memory(MemorySegment memory, Type type) implements Column {
    private static final ValueLayout.OfDouble DOUBLE =
        ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfFloat FLOAT =
        ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfShort SHORT =
        ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Memory {
      if (memory.byteSize() % type.bytes != 0) {
        throw new IllegalArgumentException(
            memory.byteSize() + " bytes are no whole number of " + type.word());
      }
      if (memory.byteSize() / type.bytes > Integer.MAX_VALUE - 8) {
        throw new IllegalArgumentException(
            memory.byteSize() / type.bytes + " numbers are more than one column can hold");
      }
    }

    @Override
    public int length() {
      return (int) (memory.byteSize() / type.bytes);
    }

    @Override
    public double get(int index) {
      return switch (type) {
        case F64 -> memory.get(DOUBLE, 8L * index);
        case F32 -> memory.get(FLOAT, 4L * index);
        case BF16 -> Float.intBitsToFloat(memory.get(SHORT, 2L * index) << 16);
        case F16 -> Float.float16ToFloat(memory.get(SHORT, 2L * index));
      };
    }

    @Override
    public void copyTo(int from, float[] target, int count) {
      switch (type) {
        case F32 -> MemorySegment.copy(memory, FLOAT, 4L * from, target, 0, count);
        case BF16 -> {
          for (int i = 0; i < count; i++) {
            target[i] = Float.intBitsToFloat(memory.get(SHORT, 2L * (from + i)) << 16);
          }
        }
        case F16 -> {
          for (int i = 0; i < count; i++) {
            target[i] = Float.float16ToFloat(memory.get(SHORT, 2L * (from + i)));
          }
        }
        case F64 -> {
          for (int i = 0; i < count; i++) {
            target[i] = (float) memory.get(DOUBLE, 8L * (from + i));
          }
        }
      }
    }
  }

  /** A column in double precision; the array is read, not copied. */
  static Column of(double[] values) {
    return new Doubles(values);
  }

  /** A column in single precision; the array is read, not copied. */
  static Column of(float[] values) {
    return new Floats(values);
  }

  /**
   * A column in memory of the heap or outside it, without gaps, little-endian; nothing is copied.
   */
  static Column of(MemorySegment memory, Type type) {
    return new Memory(memory, type);
  }

  /**
   * A column in single precision: what lies between the buffer's position and its limit, on the
   * heap or outside it. Nothing is copied.
   *
   * @throws IllegalArgumentException if the buffer is not little-endian
   */
  static Column of(FloatBuffer buffer) {
    requireLittleEndian(buffer.order());
    return new Memory(MemorySegment.ofBuffer(buffer), Type.F32);
  }

  /**
   * A column in double precision: what lies between the buffer's position and its limit, on the
   * heap or outside it. Nothing is copied.
   *
   * @throws IllegalArgumentException if the buffer is not little-endian
   */
  static Column of(DoubleBuffer buffer) {
    requireLittleEndian(buffer.order());
    return new Memory(MemorySegment.ofBuffer(buffer), Type.F64);
  }

  private static void requireLittleEndian(ByteOrder order) {
    if (order != ByteOrder.LITTLE_ENDIAN) {
      throw new IllegalArgumentException(
          "the buffer is big-endian, and columns are little-endian: call"
              + " `order(ByteOrder.LITTLE_ENDIAN)` on the byte buffer before `asFloatBuffer()`");
    }
  }

  /**
   * Logits that are made when they are read; only a kernel of single precision can go over them.
   */
  record OnDemand(RowsOnDemand rows) implements Column {
    @Override
    public Type type() {
      return Type.F32;
    }

    @Override
    public int length() {
      return rows.length();
    }

    @Override
    public double get(int index) {
      int at = rows.present(index);
      return rows.values()[at];
    }

    @Override
    public void copyTo(int from, float[] target, int count) {
      for (int i = 0; i < count; i++) {
        int at = rows.present(from + i);
        target[i] = rows.values()[at];
      }
    }
  }

  Type type();

  /** How many numbers there are. */
  int length();

  /** One number, exactly. */
  double get(int index);

  /** Copies {@code count} numbers to the beginning of an array, rounded to single precision. */
  void copyTo(int from, float[] target, int count);

  /** All numbers in double precision: the column's own array if that is what it is. */
  default double[] toDoubles() {
    if (this instanceof Doubles doubles) {
      return doubles.values();
    }
    double[] values = new double[length()];
    for (int i = 0; i < values.length; i++) {
      values[i] = get(i);
    }
    return values;
  }

  /** All numbers in single precision: the column's own array if that is what it is. */
  default float[] toFloats() {
    if (this instanceof Floats floats) {
      return floats.values();
    }
    float[] values = new float[length()];
    copyTo(0, values, values.length);
    return values;
  }
}
