package org.alignlang.runtime.batch;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The header of a NumPy array file, versions 1 to 3: a magic number, a length and a Python
 * dictionary with the keys {@code descr}, {@code fortran_order} and {@code shape}.
 *
 * @param type what an entry is
 * @param bigEndian whether entries are stored with their highest byte first
 * @param fortran whether the first axis varies fastest
 * @param shape the size of each axis
 * @param length the header's bytes, magic number included
 */
record NpyHeader(
    ElementType type, boolean bigEndian, boolean fortran, List<Integer> shape, long length) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int LONGEST = 1 << 16;
  private static final int ALIGNMENT = 64;
  private static final Pattern ITEM =
      Pattern.compile(
          "\\s*['\"](?<key>\\w+)['\"]\\s*:\\s*"
              + "(?:['\"](?<text>[^'\"]*)['\"]|(?<truth>True|False)|\\((?<sizes>[\\dL,\\s]*)\\))"
              + "\\s*(?:,|(?=\\}))\\s*");

  static NpyHeader read(Path path, String name, InputStream in) throws IOException {
    byte[] start = exactly(in, MAGIC.length + 2);
    if (!Arrays.equals(start, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw Npz.bad(path, name, "does not begin as a NumPy array does");
    }
    int version = start[MAGIC.length] & 0xff;
    if (version < 1 || version > 3) {
      throw Npz.bad(path, name, "has the NumPy format version " + version + "; 1 to 3 are known");
    }
    int width = version == 1 ? 2 : 4;
    byte[] size = Arrays.copyOf(exactly(in, width), 4);
    long length =
        Integer.toUnsignedLong(ByteBuffer.wrap(size).order(ByteOrder.LITTLE_ENDIAN).getInt());
    if (length > LONGEST) {
      throw Npz.bad(
          path, name, "has a header of %d bytes, more than %d".formatted(length, LONGEST));
    }
    byte[] text = exactly(in, (int) length);
    return parse(
        path,
        name,
        new String(text, version == 3 ? StandardCharsets.UTF_8 : StandardCharsets.ISO_8859_1)
            .strip(),
        start.length + width + length);
  }

  private static NpyHeader parse(Path path, String name, String text, long length) {
    Optional<String> type = Optional.empty();
    Optional<Boolean> fortran = Optional.empty();
    Optional<List<Integer>> shape = Optional.empty();
    Set<String> seen = new HashSet<>();
    int end = text.length() - 1;
    if (end < 1 || text.charAt(0) != '{' || text.charAt(end) != '}') {
      throw malformed(path, name, text);
    }
    int at = 1;
    while (at < end) {
      Matcher item = ITEM.matcher(text).region(at, text.length());
      if (!item.lookingAt() || !seen.add(item.group("key"))) {
        throw malformed(path, name, text);
      }
      switch (item.group("key")) {
        case "descr" -> type = Optional.ofNullable(item.group("text"));
        case "fortran_order" ->
            fortran = Optional.ofNullable(item.group("truth")).map("True"::equals);
        case "shape" -> shape = sizes(path, name, item.group("sizes"));
        default -> throw malformed(path, name, text);
      }
      at = item.end();
    }
    if (type.isEmpty() || fortran.isEmpty() || shape.isEmpty()) {
      throw malformed(path, name, text);
    }
    String code = type.get();
    return new NpyHeader(
        type(path, name, code), code.startsWith(">"), fortran.get(), shape.get(), length);
  }

  private static Optional<List<Integer>> sizes(
      Path path, String name, @org.jspecify.annotations.Nullable String text) {
    if (text == null) {
      return Optional.empty();
    }
    List<Integer> sizes = new ArrayList<>();
    for (String size : text.replace("L", "").split(",", -1)) {
      if (!size.isBlank()) {
        try {
          sizes.add(Integer.parseInt(size.strip()));
        } catch (NumberFormatException _) {
          throw Npz.bad(path, name, "has an axis of `%s` entries".formatted(size.strip()));
        }
      }
    }
    return Optional.of(sizes);
  }

  private static ElementType type(Path path, String name, String code) {
    return switch (code) {
      case "<f8", ">f8" -> ElementType.F64;
      case "<f4", ">f4" -> ElementType.F32;
      case "<f2", ">f2" -> ElementType.F16;
      case "<i8", ">i8" -> ElementType.I64;
      case "<i4", ">i4" -> ElementType.I32;
      case "|u1" -> ElementType.U8;
      case "|b1" -> ElementType.BOOL;
      default ->
          throw Npz.bad(
              path,
              name,
              "has NumPy's type `%s`; float64, float32, float16, int64, int32, uint8 and bool are read"
                  .formatted(code));
    };
  }

  /** The bytes of the entries. */
  long dataBytes(Path path, String name) {
    try {
      return Tensor.bytes(type, shape);
    } catch (ArithmeticException _) {
      throw Npz.bad(path, name, "has more than 2^63 bytes by its shape " + shape);
    }
  }

  /** The stored entries in row-major order and little-endian. */
  Tensor arrange(MemorySegment stored) {
    int width = type.bytes();
    if (bigEndian) {
      for (long at = 0; at < stored.byteSize(); at += width) {
        for (int low = 0, high = width - 1; low < high; low++, high--) {
          byte swapped = stored.get(ValueLayout.JAVA_BYTE, at + low);
          stored.set(ValueLayout.JAVA_BYTE, at + low, stored.get(ValueLayout.JAVA_BYTE, at + high));
          stored.set(ValueLayout.JAVA_BYTE, at + high, swapped);
        }
      }
    }
    if (!fortran || shape.size() < 2) {
      return new Tensor(type, shape, stored);
    }
    Tensor result = Tensor.zeros(type, shape);
    for (long i = 0; i < result.count(); i++) {
      long rest = i;
      long from = 0;
      for (int axis = shape.size() - 1; axis >= 0; axis--) {
        long stride = Tensor.count(shape.subList(0, axis));
        from += rest % shape.get(axis) * stride;
        rest /= shape.get(axis);
      }
      MemorySegment.copy(stored, from * width, result.data(), i * width, width);
    }
    return result;
  }

  /** A header of version 1 for a tensor; its length keeps the entries aligned. */
  static byte[] of(Tensor tensor) {
    String code =
        switch (tensor.type()) {
          case F64 -> "<f8";
          case F32 -> "<f4";
          case F16 -> "<f2";
          case I64 -> "<i8";
          case I32 -> "<i4";
          case U8 -> "|u1";
          case BOOL -> "|b1";
          case BF16 -> throw new IllegalArgumentException("NumPy has no bfloat16");
        };
    String sizes =
        tensor.shape().stream().map(String::valueOf).collect(Collectors.joining(", "))
            + (tensor.shape().size() == 1 ? "," : "");
    String text =
        String.format(
            Locale.ROOT, "{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", code, sizes);
    int start = MAGIC.length + 4;
    int total = Math.ceilDiv(start + text.length() + 1, ALIGNMENT) * ALIGNMENT;
    ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
    header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (total - start));
    header.put(text.getBytes(StandardCharsets.ISO_8859_1));
    while (header.remaining() > 1) {
      header.put((byte) ' ');
    }
    return header.put((byte) '\n').array();
  }

  private static byte[] exactly(InputStream in, int count) throws IOException {
    byte[] bytes = in.readNBytes(count);
    if (bytes.length < count) {
      throw new EOFException();
    }
    return bytes;
  }

  private static BatchException malformed(Path path, String name, String text) {
    String shown = text.length() > 80 ? text.substring(0, 80) + "..." : text;
    return Npz.bad(
        path,
        name,
        "its header is not a dictionary of descr, fortran_order and shape, each of a plain array: "
            + shown.replaceAll("[^\\x20-\\x7e]", "?"));
  }
}
