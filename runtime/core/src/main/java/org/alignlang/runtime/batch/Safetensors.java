package org.alignlang.runtime.batch;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * The safetensors format: 8 bytes with the length of a JSON header, the header, the tensors' bytes.
 * As the format's own library, this refuses a header above 100 MB, names that occur twice, and
 * bytes that belong to no tensor or to two.
 */
final class Safetensors {
  private static final long LONGEST_HEADER = 100_000_000;
  private static final String METADATA = "__metadata__";

  private Safetensors() {}

  private record Region(String name, long begin, long end) {}

  /** Maps the file, so that a tensor that nobody reads costs nothing. */
  static Map<String, Tensor> read(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < 8) {
        throw bad(path, "it has " + size + " bytes, and a safetensors file has at least 8");
      }
      MemorySegment file = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, Arena.ofAuto());
      long length = ElementType.I64.readInteger(file, 0);
      if (length < 0 || length > LONGEST_HEADER) {
        throw bad(
            path,
            "its header would have %s bytes, more than the %d allowed"
                .formatted(Long.toUnsignedString(length), LONGEST_HEADER));
      }
      if (length > size - 8) {
        throw bad(
            path,
            "its header has %d bytes, and the file has only %d after its first 8: it is cut off"
                .formatted(length, size - 8));
      }
      return tensors(path, header(path, file.asSlice(8, length)), file.asSlice(8 + length));
    }
  }

  private static JsonNode header(Path path, MemorySegment bytes) {
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(bytes.asByteBuffer()).toString();
    } catch (CharacterCodingException _) {
      throw bad(path, "its header is not UTF-8");
    }
    if (!text.startsWith("{")) {
      throw bad(path, "its header does not begin with `{`");
    }
    try {
      return JsonTensors.MAPPER.readTree(text);
    } catch (JacksonException e) {
      throw bad(path, "its header is not valid JSON: " + JsonTensors.complaint(e));
    }
  }

  private static Map<String, Tensor> tensors(Path path, JsonNode header, MemorySegment data) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    List<Region> regions = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : header.properties()) {
      String name = entry.getKey();
      if (name.equals(METADATA)) {
        continue;
      }
      JsonNode info = entry.getValue();
      for (Map.Entry<String, JsonNode> property : info.properties()) {
        if (!List.of("dtype", "shape", "data_offsets").contains(property.getKey())) {
          throw bad(path, name, "has the unknown property `" + property.getKey() + "`");
        }
      }
      ElementType type = type(path, name, info.path("dtype"));
      List<Integer> shape = shape(path, name, info.path("shape"));
      List<Long> offsets = numbers(path, name, "data_offsets", info.path("data_offsets"));
      if (offsets.size() != 2) {
        throw bad(path, name, "needs two numbers as `data_offsets`, not " + offsets.size());
      }
      long begin = offsets.get(0);
      long end = offsets.get(1);
      if (begin > end || end > data.byteSize()) {
        throw bad(
            path,
            name,
            "has the data offsets %s, and the file holds %d bytes of data"
                .formatted(offsets, data.byteSize()));
      }
      long needed = bytes(path, name, type, shape);
      if (end - begin != needed) {
        throw bad(
            path,
            name,
            "has %d bytes, and %s of shape %s needs %d"
                .formatted(end - begin, type.word(), shape, needed));
      }
      tensors.put(name, new Tensor(type, shape, data.asSlice(begin, needed)));
      regions.add(new Region(name, begin, end));
    }
    regions.sort(Comparator.comparingLong(Region::begin).thenComparingLong(Region::end));
    long reached = 0;
    String previous = "";
    for (Region region : regions) {
      if (region.begin < reached) {
        throw bad(path, region.name, "shares bytes with tensor `" + previous + "`");
      }
      if (region.begin > reached) {
        throw bad(path, region.name, (region.begin - reached) + " bytes before it are no tensor's");
      }
      reached = region.end;
      previous = region.name;
    }
    if (reached < data.byteSize()) {
      throw bad(path, "its last " + (data.byteSize() - reached) + " bytes belong to no tensor");
    }
    return tensors;
  }

  private static ElementType type(Path path, String name, JsonNode dtype) {
    for (ElementType type : ElementType.values()) {
      if (dtype.isString() && type.name().equals(dtype.stringValue())) {
        return type;
      }
    }
    throw bad(
        path,
        name,
        "has dtype %s, which is none of F64, F32, BF16, F16, I64, I32, U8, BOOL"
            .formatted(dtype.isMissingNode() ? "nothing" : dtype.toString()));
  }

  private static List<Integer> shape(Path path, String name, JsonNode shape) {
    List<Integer> sizes = new ArrayList<>();
    for (long size : numbers(path, name, "shape", shape)) {
      if (size > Integer.MAX_VALUE) {
        throw bad(path, name, "has an axis of " + size + ", more than " + Integer.MAX_VALUE);
      }
      sizes.add((int) size);
    }
    return sizes;
  }

  private static List<Long> numbers(Path path, String name, String what, JsonNode array) {
    if (!array.isArray()) {
      throw bad(path, name, "needs a list of numbers as `" + what + "`");
    }
    List<Long> numbers = new ArrayList<>();
    for (JsonNode element : array.values()) {
      if (!element.isIntegralNumber() || !element.canConvertToLong() || element.longValue() < 0) {
        throw bad(path, name, "has `" + element + "` in its `" + what + "`");
      }
      numbers.add(element.longValue());
    }
    return numbers;
  }

  private static long bytes(Path path, String name, ElementType type, List<Integer> shape) {
    try {
      return Tensor.bytes(type, shape);
    } catch (ArithmeticException _) {
      throw bad(path, name, "has more than 2^63 bytes by its shape " + shape);
    }
  }

  /** Wide types first, so that every tensor is aligned, as the format's own library does. */
  static void write(FileChannel channel, Map<String, Tensor> tensors) throws IOException {
    List<Map.Entry<String, Tensor>> ordered = new ArrayList<>(tensors.entrySet());
    ordered.sort(Comparator.comparingInt(e -> -e.getValue().type().bytes()));
    Map<String, Object> header = new LinkedHashMap<>();
    long position = 0;
    for (Map.Entry<String, Tensor> entry : ordered) {
      Tensor tensor = entry.getValue();
      long end = position + tensor.data().byteSize();
      Map<String, Object> info = new LinkedHashMap<>();
      info.put("dtype", tensor.type().name());
      info.put("shape", tensor.shape());
      info.put("data_offsets", List.of(position, end));
      header.put(entry.getKey(), info);
      position = end;
    }
    byte[] text = JsonTensors.MAPPER.writeValueAsBytes(header);
    int padded = Math.ceilDiv(text.length, 8) * 8;
    ByteBuffer start = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
    start.putLong(padded).put(text);
    while (start.hasRemaining()) {
      start.put((byte) ' ');
    }
    Bytes.write(channel, start.flip());
    for (Map.Entry<String, Tensor> entry : ordered) {
      Bytes.write(channel, entry.getValue().data());
    }
  }

  private static BatchException bad(Path path, String complaint) {
    return new BatchException(path + ": " + complaint);
  }

  private static BatchException bad(Path path, String name, String complaint) {
    return new BatchException("%s: tensor `%s`: %s".formatted(path, name, complaint));
  }
}
