package org.alignlang.runtime.batch;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * A dense array of numbers in row-major order.
 *
 * @param type what an entry is
 * @param shape the size of each axis; empty for a single number
 * @param data the entries, little-endian, without gaps
 */
public record Tensor(ElementType type, List<Integer> shape, MemorySegment data) {

  public Tensor {
    shape = List.copyOf(shape);
    if (data.byteSize() != bytes(type, shape)) {
      throw new IllegalArgumentException(
          "%d bytes for %s of shape %s".formatted(data.byteSize(), type.word(), shape));
    }
  }

  /** A tensor of zeros. */
  public static Tensor zeros(ElementType type, List<Integer> shape) {
    return new Tensor(type, shape, allocate(bytes(type, shape)));
  }

  /** An f64 tensor of the given entries. */
  public static Tensor of(List<Integer> shape, double... entries) {
    return of(ElementType.F64, shape, entries);
  }

  /** A tensor of real entries, each rounded to the nearest number of the type, ties to even. */
  public static Tensor of(ElementType type, List<Integer> shape, double... entries) {
    Tensor tensor = zeros(type, shape);
    require(tensor, entries.length);
    for (int i = 0; i < entries.length; i++) {
      type.write(tensor.data, i, entries[i]);
    }
    return tensor;
  }

  /** A tensor of integers or truth values. */
  public static Tensor ofIntegers(ElementType type, List<Integer> shape, long... entries) {
    Tensor tensor = zeros(type, shape);
    require(tensor, entries.length);
    for (int i = 0; i < entries.length; i++) {
      type.writeInteger(tensor.data, i, entries[i]);
    }
    return tensor;
  }

  /** The number of entries. */
  public long count() {
    return count(shape);
  }

  /** Entry {@code index} in row-major order; exact but for i64 beyond 2^53. */
  public double real(long index) {
    return type.read(data, index);
  }

  /** Entry {@code index} in row-major order of a type that is not real. */
  public long integer(long index) {
    return type.readInteger(data, index);
  }

  /** Where an entry is, for messages, such as {@code [2, 5]}. */
  String place(long index) {
    List<Long> place = new ArrayList<>();
    long rest = index;
    for (int axis = shape.size() - 1; axis >= 0; axis--) {
      place.addFirst(rest % shape.get(axis));
      rest /= shape.get(axis);
    }
    return place.toString();
  }

  /** The product of the axes. */
  static long count(List<Integer> shape) {
    long count = 1;
    for (int size : shape) {
      count = Math.multiplyExact(count, (long) size);
    }
    return count;
  }

  /**
   * The bytes of a tensor.
   *
   * @throws ArithmeticException if they are 2^63 or more
   */
  static long bytes(ElementType type, List<Integer> shape) {
    return Math.multiplyExact(count(shape), (long) type.bytes());
  }

  /** Zeroed memory that the garbage collector frees. */
  static MemorySegment allocate(long bytes) {
    // Arrays of the heap, so that the usual limit on memory holds; they end at 2^31 entries.
    return bytes <= Integer.MAX_VALUE - 8
        ? MemorySegment.ofArray(new byte[(int) bytes])
        : MemorySegment.ofArray(new long[Math.toIntExact(Math.ceilDiv(bytes, 8L))])
            .asSlice(0, bytes);
  }

  private static void require(Tensor tensor, int given) {
    if (tensor.count() != given) {
      throw new IllegalArgumentException(given + " entries for shape " + tensor.shape);
    }
  }
}
