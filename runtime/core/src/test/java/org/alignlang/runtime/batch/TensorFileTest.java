package org.alignlang.runtime.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TensorFileTest {
  @TempDir private Path folder;

  private static double[] reals(Tensor tensor) {
    double[] values = new double[(int) tensor.count()];
    java.util.Arrays.setAll(values, tensor::real);
    return values;
  }

  private static void assertSame(Tensor actual, Tensor expected) {
    assertThat(actual.type()).isEqualTo(expected.type());
    assertThat(actual.shape()).isEqualTo(expected.shape());
    assertThat(actual.data().mismatch(expected.data())).isEqualTo(-1);
  }

  private static Tensor random(Random random, ElementType type, List<Integer> shape) {
    Tensor tensor = Tensor.zeros(type, shape);
    for (long i = 0; i < tensor.count(); i++) {
      if (type.real()) {
        double value =
            switch (random.nextInt(8)) {
              case 0 -> Double.NEGATIVE_INFINITY;
              case 1 -> Double.NaN;
              case 2 -> 0;
              case 3 -> -0.0;
              default -> random.nextGaussian() * Math.scalb(1.0, random.nextInt(-20, 10));
            };
        type.write(tensor.data(), i, value);
      } else {
        long value =
            switch (type) {
              case BOOL -> random.nextInt(2);
              case U8 -> random.nextInt(256);
              case I32 -> random.nextInt();
              default -> random.nextLong();
            };
        type.writeInteger(tensor.data(), i, value);
      }
    }
    return tensor;
  }

  private static Map<String, Tensor> randomTensors(Random random) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (ElementType type : ElementType.values()) {
      for (int rank = 0; rank <= 3; rank++) {
        List<Integer> shape = new ArrayList<>();
        for (int axis = 0; axis < rank; axis++) {
          shape.add(random.nextInt(axis == 0 ? 0 : 1, 5));
        }
        tensors.put(type.word() + "." + rank + ".ж \"\\", random(random, type, shape));
      }
    }
    return tensors;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void safetensorsGivesBackEveryTypeAndShape(int seed) {
    Map<String, Tensor> tensors = randomTensors(new Random(seed));
    Path file = folder.resolve("a.safetensors");
    TensorFile.write(file, tensors);
    Map<String, Tensor> back = TensorFile.read(file).tensors();
    assertThat(back.keySet()).containsExactlyInAnyOrderElementsOf(tensors.keySet());
    tensors.forEach((name, tensor) -> assertSame(back.getOrDefault(name, tensor), tensor));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void npzGivesBackEveryTypeAndShapeAndWidensBfloat16(int seed) {
    Map<String, Tensor> tensors = randomTensors(new Random(seed));
    Path file = folder.resolve("a.npz");
    TensorFile.write(file, tensors);
    Map<String, Tensor> back = TensorFile.read(file).tensors();
    assertThat(back.keySet()).containsExactlyElementsOf(tensors.keySet());
    tensors.forEach((name, tensor) -> {
      Tensor expected =
          tensor.type() == ElementType.BF16
              ? Tensor.of(ElementType.F32, tensor.shape(), reals(tensor))
              : tensor;
      assertSame(back.getOrDefault(name, expected), expected);
    });
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void jsonGivesBackEveryNumber(int seed) {
    Map<String, Tensor> tensors = randomTensors(new Random(seed));
    Path file = folder.resolve("a.json");
    TensorFile.write(file, tensors);
    Map<String, Tensor> back = TensorFile.read(file).tensors();
    assertThat(back.keySet()).containsExactlyElementsOf(tensors.keySet());
    tensors.forEach((name, tensor) -> {
      Tensor found = back.getOrDefault(name, tensor);
      // An empty list has no inner lists.
      if (tensor.count() > 0) {
        assertThat(found.shape()).isEqualTo(tensor.shape());
      }
      if (tensor.type().real()) {
        ElementType narrow = tensor.type();
        assertSame(Tensor.of(narrow, found.shape(), reals(found)), resized(tensor, found.shape()));
      } else if (tensor.count() > 0) {
        for (long i = 0; i < tensor.count(); i++) {
          assertThat(found.integer(i)).isEqualTo(tensor.integer(i));
        }
      }
    });
  }

  private static Tensor resized(Tensor tensor, List<Integer> shape) {
    return new Tensor(tensor.type(), shape, tensor.data());
  }

  @ParameterizedTest
  @ValueSource(strings = {"numpy.npz", "numpy-compressed.npz"})
  void readsWhatNumpyWrote(String name) throws IOException {
    Path file = folder.resolve(name);
    try (var in = TensorFileTest.class.getResourceAsStream(name)) {
      Files.copy(java.util.Objects.requireNonNull(in), file);
    }
    Map<String, Tensor> tensors = TensorFile.read(file).tensors();
    double inf = Double.POSITIVE_INFINITY;
    double tiny = Math.scalb(1.0, -24);
    List<Integer> shape = List.of(2, 3);
    double[] values = {0.1, -1.5, inf, -inf, tiny, 65504};
    assertSame(tensors.get("f8"), Tensor.of(ElementType.F64, shape, values));
    assertSame(tensors.get("f4"), Tensor.of(ElementType.F32, shape, values));
    assertSame(tensors.get("f2"), Tensor.of(ElementType.F16, shape, values));
    assertSame(tensors.get("big"), Tensor.of(ElementType.F64, shape, values));
    assertSame(tensors.get("big.i4"), Tensor.ofIntegers(ElementType.I32, List.of(3), 1, -2, 3));
    double[] counting = new double[24];
    java.util.Arrays.setAll(counting, i -> i);
    assertSame(tensors.get("fortran"), Tensor.of(ElementType.F32, List.of(2, 3, 4), counting));
    assertSame(tensors.get("i8"), Tensor.ofIntegers(ElementType.I64, List.of(2), 1L << 62, -1));
    assertSame(tensors.get("i4"), Tensor.ofIntegers(ElementType.I32, List.of(2, 1), 1, -5));
    assertSame(tensors.get("u1"), Tensor.ofIntegers(ElementType.U8, List.of(2), 0, 255));
    assertSame(tensors.get("b1"), Tensor.ofIntegers(ElementType.BOOL, List.of(2), 1, 0));
    assertSame(tensors.get("scalar"), Tensor.of(List.of(), 0.5));
    assertSame(tensors.get("empty"), Tensor.zeros(ElementType.F32, List.of(0, 4)));
    assertThat(tensors).hasSize(12);
  }

  @Test
  void jsonTakesPythonsBareWordsAndNull() throws IOException {
    Path file = folder.resolve("a.json");
    Files.writeString(file, "{\"logits\": [[[-Infinity, 1, null], [NaN, \"-Infinity\", 2e0]]]}");
    Tensor logits = TensorFile.read(file).tensors().get("logits");
    assertThat(reals(logits))
        .containsExactly(
            Double.NEGATIVE_INFINITY, 1, Double.NaN, Double.NaN, Double.NEGATIVE_INFINITY, 2);
    assertThat(logits.shape()).containsExactly(1, 2, 3);
  }

  @Test
  void jsonLinesPadRowsToTheLongest() throws IOException {
    Path file = folder.resolve("a.jsonl");
    Files.writeString(
        file,
        """
        {"logp": [-1, -2.5], "tokens": [3, 4], "reward.r": 1, "multiplier.m": 0.5}
        {"logp": [], "tokens": [], "reward.r": 2, "multiplier.m": 0.5}

        {"logp": [-3, -4, -5], "tokens": [0, 1, 2], "reward.r": 3}
        """);
    TensorFile read = TensorFile.read(file);
    assertThat(read.lengths().get("logp")).containsExactly(2, 0, 3);
    assertThat(read.lengths().get("tokens")).containsExactly(2, 0, 3);
    assertThat(read.lengths()).doesNotContainKey("reward.r");
    double nan = Double.NaN;
    assertThat(reals(read.tensors().get("logp")))
        .containsExactly(-1, -2.5, nan, nan, nan, nan, -3, -4, -5);
    assertSame(
        read.tensors().get("tokens"),
        Tensor.ofIntegers(ElementType.I64, List.of(3, 3), 3, 4, 0, 0, 0, 0, 0, 1, 2));
    assertSame(
        read.tensors().get("reward.r"), Tensor.ofIntegers(ElementType.I64, List.of(3), 1, 2, 3));
    assertSame(read.tensors().get("multiplier.m"), Tensor.of(List.of(), 0.5));
  }

  @ParameterizedTest
  @EnumSource(names = {"SAFETENSORS", "NPZ", "JSON"})
  void writesTheSameBytesEachTime(TensorFormat format) throws IOException {
    Map<String, Tensor> tensors = randomTensors(new Random(3));
    Path one = folder.resolve("one" + format.ending());
    Path two = folder.resolve("two" + format.ending());
    TensorFile.write(one, tensors);
    TensorFile.write(two, tensors);
    assertThat(one).hasSameBinaryContentAs(two);
  }

  @Test
  void aFailedWriteKeepsTheOldFile() throws IOException {
    Path file = folder.resolve("a.json");
    Files.writeString(file, "old");
    assertThatThrownBy(() ->
            AtomicFile.write(
                file,
                channel -> {
                  channel.write(java.nio.ByteBuffer.wrap(new byte[] {1, 2, 3}));
                  throw new IOException("No space left on device");
                }))
        .isInstanceOf(IOException.class);
    assertThat(file).hasContent("old");
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aFullDiskIsOneSentence() throws IOException {
    Path full = Path.of("/dev/full");
    org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(full));
    try (var channel =
        java.nio.channels.FileChannel.open(full, java.nio.file.StandardOpenOption.WRITE)) {
      Map<String, Tensor> tensors = randomTensors(new Random(1));
      assertThatThrownBy(() -> JsonTensors.write(channel, tensors)).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> Npz.write(channel, tensors)).isInstanceOf(IOException.class);
      assertThatThrownBy(() -> Safetensors.write(channel, tensors)).isInstanceOf(IOException.class);
    }
  }

  @Test
  void writesIntoTheFileThatALinkPointsTo() throws IOException {
    Path file = folder.resolve("real.json");
    Path link = folder.resolve("link.json");
    Files.writeString(file, "old");
    Files.createSymbolicLink(link, file);
    TensorFile.write(link, Map.of("loss", Tensor.of(List.of(), 1)));
    assertThat(link).isSymbolicLink();
    assertThat(TensorFile.read(file).tensors()).containsOnlyKeys("loss");
  }
}
