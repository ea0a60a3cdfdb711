package org.alignlang.runtime.batch;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.TokenStreamLocation;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Tensors as nested JSON arrays, for small batches and for reading by eye. Infinity and NaN are the
 * strings {@code "Infinity"}, {@code "-Infinity"} and {@code "NaN"}; Python's bare words are read
 * too. {@code null} is read as NaN, for what lies behind a mask.
 */
final class JsonTensors {
  private static final long LONGEST_FILE = 1 << 29;
  private static final String MULTIPLIER = "multiplier.";

  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .build();

  private JsonTensors() {}

  static Map<String, Tensor> read(Path path) throws IOException {
    JsonNode root = parse(path.toString(), text(path));
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (Map.Entry<String, JsonNode> entry : root.properties()) {
      String where = "%s: tensor `%s`".formatted(path, entry.getKey());
      tensors.put(entry.getKey(), new Nested(where, entry.getValue(), false).tensor());
    }
    return tensors;
  }

  static TensorFile readLines(Path path) throws IOException {
    Map<String, List<JsonNode>> columns = new LinkedHashMap<>();
    Map<String, JsonNode> multipliers = new LinkedHashMap<>();
    int rows = 0;
    int number = 0;
    for (String line : text(path).lines().toList()) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      String place = "%s, line %d".formatted(path, number);
      JsonNode row = parse(place, line);
      for (Map.Entry<String, JsonNode> entry : row.properties()) {
        String name = entry.getKey();
        if (name.startsWith(MULTIPLIER)) {
          JsonNode known = multipliers.putIfAbsent(name, entry.getValue());
          if (known != null && !known.equals(entry.getValue())) {
            throw new BatchException(
                "%s: `%s` is %s, and %s on an earlier line; it belongs to the whole batch"
                    .formatted(place, name, entry.getValue(), known));
          }
          continue;
        }
        List<JsonNode> column = columns.computeIfAbsent(name, _ -> new ArrayList<>());
        if (column.size() < rows) {
          throw new BatchException(
              "%s: `%s` is here but not on an earlier line".formatted(place, name));
        }
        column.add(entry.getValue());
      }
      rows++;
      for (Map.Entry<String, List<JsonNode>> column : columns.entrySet()) {
        if (column.getValue().size() < rows) {
          throw new BatchException(
              "%s: `%s` is missing; every line has the same names"
                  .formatted(place, column.getKey()));
        }
      }
    }
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, int[]> lengths = new LinkedHashMap<>();
    columns.forEach((name, nodes) -> {
      String where = "%s: tensor `%s`".formatted(path, name);
      Nested nested = new Nested(where, MAPPER.createArrayNode().addAll(nodes), true);
      Tensor tensor = nested.tensor();
      tensors.put(name, tensor);
      if (tensor.shape().size() > 1) {
        lengths.put(name, nodes.stream().mapToInt(JsonNode::size).toArray());
      }
    });
    multipliers.forEach((name, node) ->
        tensors.put(
            name, new Nested("%s: tensor `%s`".formatted(path, name), node, false).tensor()));
    return new TensorFile(path, TensorFormat.JSONL, tensors, lengths);
  }

  private static String text(Path path) throws IOException {
    long size = Files.size(path);
    if (size > LONGEST_FILE) {
      throw new BatchException(
          "%s has %d bytes, more than the %d that are read as JSON; use .safetensors or .npz"
              .formatted(path, size, LONGEST_FILE));
    }
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(Files.readAllBytes(path)))
          .toString();
    } catch (CharacterCodingException _) {
      throw new BatchException(path + " is not UTF-8");
    }
  }

  private static JsonNode parse(String place, String text) {
    JsonNode root;
    try {
      root = MAPPER.readTree(text);
    } catch (JacksonException e) {
      throw new BatchException("%s is not valid JSON: %s".formatted(place, complaint(e)), e);
    }
    if (!root.isObject()) {
      throw new BatchException(
          place + " must hold one JSON object from names to numbers or nested lists of numbers");
    }
    return root;
  }

  /** What a parser complains of and where, without its advice to programmers. */
  static String complaint(JacksonException e) {
    String message = e.getOriginalMessage().lines().findFirst().orElse("it cannot be parsed");
    for (String advice : List.of(" (start marker", ": was expecting", "; maximum allowed")) {
      int at = message.indexOf(advice);
      message = at < 0 ? message : message.substring(0, at);
    }
    // What breaks a limit, such as that of nesting, is said without a place.
    TokenStreamLocation place = e.getLocation();
    if (place == null || place.getLineNr() < 1) {
      return message;
    }
    int line = place.getLineNr();
    return "%s (%scolumn %d)"
        .formatted(message, line == 1 ? "" : "line " + line + ", ", place.getColumnNr());
  }

  static void write(FileChannel channel, Map<String, Tensor> tensors) throws IOException {
    OutputStream out = Channels.newOutputStream(channel);
    // Its default form: a line per tensor.
    try (JsonGenerator json =
        MAPPER.writer().with(new DefaultPrettyPrinter()).createGenerator(out, JsonEncoding.UTF8)) {
      json.writeStartObject();
      for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
        json.writeName(entry.getKey());
        write(json, entry.getValue(), 0, 0);
      }
      json.writeEndObject();
      json.writeRaw('\n');
    } catch (JacksonException e) {
      if (e.getCause() instanceof IOException cause) {
        throw cause;
      }
      throw e;
    }
  }

  private static void write(JsonGenerator json, Tensor tensor, int axis, long from) {
    if (axis == tensor.shape().size()) {
      switch (tensor.type()) {
        case F64 -> json.writeNumber(tensor.real(from));
        // As a float, so that 0.1 is not 0.10000000149011612.
        case F32, BF16, F16 -> json.writeNumber((float) tensor.real(from));
        case I64, I32, U8 -> json.writeNumber(tensor.integer(from));
        case BOOL -> json.writeBoolean(tensor.integer(from) != 0);
      }
      return;
    }
    json.writeStartArray();
    int size = tensor.shape().get(axis);
    for (int i = 0; i < size; i++) {
      write(json, tensor, axis + 1, from * size + i);
    }
    json.writeEndArray();
  }

  /** Nested arrays on their way to a tensor: f64, or i64 if all are whole, or bool if all are. */
  private static final class Nested {
    private final String where;
    private final JsonNode root;
    private final boolean ragged;
    private final List<Integer> shape = new ArrayList<>();
    private boolean anyReal;
    private boolean anyInteger;
    private boolean anyTruth;

    /**
     * @param where the file and tensor, for messages
     * @param ragged whether the second axis may have several lengths
     */
    Nested(String where, JsonNode root, boolean ragged) {
      this.where = where;
      this.root = root;
      this.ragged = ragged;
    }

    Tensor tensor() {
      measure(root, 0);
      inspect(root, 0, "");
      if (anyTruth && (anyReal || anyInteger)) {
        throw new BatchException(where + ": it mixes truth values and numbers");
      }
      ElementType type = anyReal ? ElementType.F64 : anyTruth ? ElementType.BOOL : ElementType.I64;
      Tensor tensor = Tensor.zeros(type, shape);
      if (anyReal) {
        for (long i = 0; ragged && i < tensor.count(); i++) {
          type.write(tensor.data(), i, Double.NaN);
        }
      }
      fill(tensor, root, 0, 0);
      return tensor;
    }

    /** The depth, and the largest size at each depth. */
    private void measure(JsonNode node, int axis) {
      if (!node.isArray()) {
        return;
      }
      if (shape.size() == axis) {
        shape.add(0);
      }
      shape.set(axis, Math.max(shape.get(axis), node.size()));
      for (JsonNode element : node.values()) {
        measure(element, axis + 1);
      }
    }

    private void inspect(JsonNode node, int axis, String place) {
      String at = place.isEmpty() ? "" : " at index [" + place + "]";
      if (axis == shape.size()) {
        if (node.isBoolean()) {
          anyTruth = true;
        } else if (node.isIntegralNumber() && node.canConvertToLong()) {
          anyInteger = true;
        } else if (node.isNumber() || node.isNull() || special(node)) {
          anyReal = true;
        } else {
          throw new BatchException("%s%s: %s is no number".formatted(where, at, brief(node)));
        }
        return;
      }
      if (!node.isArray()) {
        throw new BatchException(
            "%s%s: %s stands where a list belongs".formatted(where, at, brief(node)));
      }
      if (node.size() != shape.get(axis) && !(ragged && axis == 1)) {
        throw new BatchException(
            "%s%s: a list of %d stands among lists of %d"
                .formatted(where, at, node.size(), shape.get(axis)));
      }
      for (int i = 0; i < node.size(); i++) {
        inspect(node.path(i), axis + 1, place.isEmpty() ? "" + i : place + ", " + i);
      }
    }

    private void fill(Tensor tensor, JsonNode node, int axis, long from) {
      if (axis < shape.size()) {
        for (int i = 0; i < node.size(); i++) {
          fill(tensor, node.path(i), axis + 1, from * shape.get(axis) + i);
        }
      } else if (tensor.type() == ElementType.F64) {
        tensor.type().write(tensor.data(), from, number(node));
      } else {
        long value = node.isBoolean() ? (node.booleanValue() ? 1 : 0) : node.longValue();
        tensor.type().writeInteger(tensor.data(), from, value);
      }
    }

    private static double number(JsonNode node) {
      if (node.isNull()) {
        return Double.NaN;
      }
      return node.isString() ? Double.parseDouble(node.stringValue()) : node.doubleValue();
    }

    private static boolean special(JsonNode node) {
      return node.isString()
          && List.of("NaN", "Infinity", "-Infinity").contains(node.stringValue());
    }

    private static String brief(JsonNode node) {
      String text = node.toString();
      return text.length() > 40 ? text.substring(0, 40) + "..." : text;
    }
  }
}
