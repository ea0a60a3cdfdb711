package org.alignlang.runtime.batch;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Locale;

/** What the entries of a tensor are. Bytes in memory are little-endian, as in safetensors. */
public enum ElementType {
  F64(8),
  F32(4),
  /** The upper half of an f32: 8 bits of exponent, 8 of precision. */
  BF16(2),
  /** IEEE 754 binary16. */
  F16(2),
  I64(8),
  I32(4),
  U8(1),
  /** One byte, 0 or 1. */
  BOOL(1);

  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int bytes;

  ElementType(int bytes) {
    this.bytes = bytes;
  }

  /** Bytes per entry. */
  public int bytes() {
    return bytes;
  }

  /** The name in messages and documents, such as {@code bf16}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Whether entries are floating-point numbers. */
  public boolean real() {
    return switch (this) {
      case F64, F32, BF16, F16 -> true;
      case I64, I32, U8, BOOL -> false;
    };
  }

  /** Entry {@code index} as a double; exact but for i64 beyond 2^53. */
  double read(MemorySegment data, long index) {
    return switch (this) {
      case F64 -> data.get(DOUBLE, index * 8);
      case F32 -> data.get(FLOAT, index * 4);
      case BF16 -> Float.intBitsToFloat(data.get(SHORT, index * 2) << 16);
      case F16 -> Float.float16ToFloat(data.get(SHORT, index * 2));
      case I64, I32, U8, BOOL -> readInteger(data, index);
    };
  }

  /** Entry {@code index} of a type that is not real. */
  long readInteger(MemorySegment data, long index) {
    return switch (this) {
      case I64 -> data.get(LONG, index * 8);
      case I32 -> data.get(INT, index * 4);
      case U8, BOOL -> data.get(ValueLayout.JAVA_BYTE, index) & 0xff;
      case F64, F32, BF16, F16 ->
          throw new IllegalArgumentException(word() + " is no integer type");
    };
  }

  /** Sets entry {@code index}, rounded to the nearest number of the type, ties to even. */
  void write(MemorySegment data, long index, double value) {
    switch (this) {
      case F64 -> data.set(DOUBLE, index * 8, value);
      case F32 -> data.set(FLOAT, index * 4, (float) value);
      case BF16 -> data.set(SHORT, index * 2, toBfloat16(value));
      case F16 -> data.set(SHORT, index * 2, Float.floatToFloat16(roundToOdd(value)));
      case I64, I32, U8, BOOL -> throw new IllegalArgumentException(word() + " holds no reals");
    }
  }

  /** Sets entry {@code index} of a type that is not real. */
  void writeInteger(MemorySegment data, long index, long value) {
    switch (this) {
      case I64 -> data.set(LONG, index * 8, value);
      case I32 -> data.set(INT, index * 4, Math.toIntExact(value));
      case U8, BOOL -> {
        if (value < 0 || value > (this == BOOL ? 1 : 255)) {
          throw new ArithmeticException(value + " is not in the range of " + word());
        }
        data.set(ValueLayout.JAVA_BYTE, index, (byte) value);
      }
      case F64, F32, BF16, F16 ->
          throw new IllegalArgumentException(word() + " is no integer type");
    }
  }

  private static short toBfloat16(double value) {
    int bits = Float.floatToRawIntBits(roundToOdd(value));
    if (Double.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    int half = 0x7fff + (bits >>> 16 & 1);
    return (short) (bits + half >>> 16);
  }

  /**
   * The float next to a double that has an odd last bit, unless the double is a float. A second
   * rounding to a type with at least two bits less is then that of the double itself, without the
   * error of rounding twice (Boldo and Melquiond, "Emulation of FMA and correctly rounded sums",
   * IEEE Transactions on Computers 2008).
   */
  private static float roundToOdd(double value) {
    float nearest = (float) value;
    int bits = Float.floatToRawIntBits(nearest);
    if (Double.isNaN(value) || nearest == value || Float.isInfinite(nearest) || (bits & 1) == 1) {
      return nearest;
    }
    return Float.intBitsToFloat(bits + (Math.abs((double) nearest) > Math.abs(value) ? -1 : 1));
  }
}
