package org.alignlang.conformance;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.alignlang.runtime.batch.Tensor;
import org.alignlang.runtime.batch.TensorFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * One file of {@code tests/oracle/vectors}: a batch, and what an objective says about it.
 *
 * @param spec the spec's path from the root of the repository
 * @param objective its name in the spec
 * @param parameters their values, as a spec writes them
 * @param relative how far a number may be from what is expected, as a share of it
 * @param floor a difference that is nothing
 * @param batch the tensors to evaluate on
 * @param expected {@code loss}, {@code grad.NAME} and {@code multiplier.NAME}
 */
record OracleVector(
    String spec,
    String objective,
    Map<String, String> parameters,
    double relative,
    double floor,
    TensorFile batch,
    Map<String, Tensor> expected) {
  private static final String EXPECTED = "expected.";
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  OracleVector {
    parameters = Map.copyOf(parameters);
    expected = Map.copyOf(expected);
  }

  /**
   * Reads a vector that is whole, as it was written, and of the present script.
   *
   * @param sums the SHA-256 of each file by name
   * @param script the SHA-256 of the script
   * @throws AssertionError naming the file if it is not
   */
  static OracleVector read(Path path, Map<String, String> sums, String script) throws IOException {
    String name = String.valueOf(path.getFileName());
    String written = sums.get(name);
    if (written == null) {
      throw new AssertionError(name + " is not in SHA256SUMS");
    }
    if (!written.equals(sha256(path))) {
      throw new AssertionError(name + " was cut off or altered: its SHA-256 is not " + written);
    }
    JsonNode metadata = metadata(path);
    if (!script.equals(metadata.path("script").stringValue(""))) {
      throw new AssertionError(
          name + " is stale: oracle.py has changed since it was written; run it again");
    }
    Map<String, Tensor> batch = new LinkedHashMap<>();
    Map<String, Tensor> expected = new LinkedHashMap<>();
    TensorFile file = TensorFile.read(path);
    file.tensors()
        .forEach((key, tensor) -> {
          if (key.startsWith(EXPECTED)) {
            expected.put(key.substring(EXPECTED.length()), tensor);
          } else {
            batch.put(key, tensor);
          }
        });
    return new OracleVector(
        metadata.path("spec").stringValue(),
        metadata.path("objective").stringValue(),
        MAPPER.readTree(metadata.path("parameters").stringValue()).properties().stream()
            .collect(Collectors.toMap(Map.Entry::getKey, p -> p.getValue().stringValue())),
        Double.parseDouble(metadata.path("relative").stringValue()),
        Double.parseDouble(metadata.path("floor").stringValue()),
        new TensorFile(path, file.format(), batch, Map.of()),
        expected);
  }

  /** The number that a parameter has. */
  OptionalDouble parameter(String name) {
    String value = parameters.get(name);
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(value));
  }

  /**
   * The parameters that choose a form of the objective, {@code NAME=VALUE}: those that are no
   * numbers.
   */
  List<String> forms() {
    return parameters.entrySet().stream()
        .filter(p -> !p.getValue().matches("[-+.0-9eE]+"))
        .map(p -> p.getKey() + "=" + p.getValue())
        .sorted()
        .toList();
  }

  /** The files of a folder with their sums, as {@code sha256sum} writes them. */
  static Map<String, String> sums(Path folder) throws IOException {
    Map<String, String> sums = new TreeMap<>();
    try (Stream<String> lines = Files.lines(folder.resolve("SHA256SUMS"))) {
      lines.map(line -> line.split("  ", 2)).forEach(parts -> sums.put(parts[1], parts[0]));
    }
    return sums;
  }

  static String sha256(Path path) throws IOException {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  private static JsonNode metadata(Path path) throws IOException {
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path)).order(ByteOrder.LITTLE_ENDIAN);
    byte[] header = new byte[(int) bytes.getLong()];
    bytes.get(header);
    return MAPPER.readTree(new String(header, StandardCharsets.UTF_8)).path("__metadata__");
  }
}
