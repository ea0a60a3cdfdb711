package org.alignlang.runtime.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Files that are not what they claim: each is one sentence that says what is wrong and where. */
class BadTensorFilesTest {
  @TempDir private Path folder;

  private String complaint(String name, byte[] content) throws IOException {
    Path file = folder.resolve(name);
    Files.write(file, content);
    return complaint(file);
  }

  private String complaint(Path file) {
    Throwable thrown = catchThrowable(() -> TensorFile.read(file));
    assertThat(thrown).isInstanceOf(BatchException.class);
    return String.valueOf(thrown.getMessage()).replace(folder + "/", "");
  }

  private static byte[] safetensors(String header, int dataBytes) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + dataBytes)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(text.length)
        .put(text)
        .array();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        // Not JSON, or not the right JSON.
        "0|x|its header does not begin with `{`",
        "0|{|its header is not valid JSON: Unexpected end-of-input: expected close marker for"
            + " Object (column 2)",
        "0|{} x|its header is not valid JSON: Unrecognized token 'x' (column 4)",
        "0|{\"a\": 3}|tensor `a`: has dtype nothing, which is none of F64, F32, BF16, F16, I64,"
            + " I32, U8, BOOL",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}}|tensor `a`: has"
            + " the unknown property `x`",
        "8|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}|its header is not"
            + " valid JSON: Duplicate Object property \"a\" (column 58)",
        // Types and shapes.
        "1|{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}|tensor `a`: has"
            + " dtype \"F8_E4M3\", which is none of F64, F32, BF16, F16, I64, I32, U8, BOOL",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}|tensor `a`: has `-1`"
            + " in its `shape`",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}|tensor `a`: has `1.5`"
            + " in its `shape`",
        "4|{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}|tensor `a`: needs a list of numbers"
            + " as `shape`",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[3000000000],\"data_offsets\":[0,4]}}|tensor `a`:"
            + " has an axis of 3000000000, more than 2147483647",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[2000000000,2000000000,2000000000],"
            + "\"data_offsets\":[0,4]}}|tensor `a`: has more than 2^63 bytes by its shape"
            + " [2000000000, 2000000000, 2000000000]",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[1000000000,1000000000],\"data_offsets\":[0,4]}}|"
            + "tensor `a`: has 4 bytes, and f32 of shape [1000000000, 1000000000] needs"
            + " 4000000000000000000",
        // Offsets.
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}|tensor `a`: has the"
            + " data offsets [0, 8], and the file holds 4 bytes of data",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}|tensor `a`: has the"
            + " data offsets [4, 0], and the file holds 4 bytes of data",
        "4|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}|tensor `a`: needs two"
            + " numbers as `data_offsets`, not 1",
        "6|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[2,6]}}|tensor `b`: shares"
            + " bytes with tensor `a`",
        "8|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}|tensor `a`: 4 bytes"
            + " before it are no tensor's",
        "5|{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}|its last 1 bytes belong"
            + " to no tensor",
      })
  void safetensors(int dataBytes, String header, String message) throws IOException {
    assertThat(complaint("a.safetensors", safetensors(header, dataBytes)))
        .isEqualTo("a.safetensors: " + message);
  }

  @Test
  void safetensorsThatAreCutOff() throws IOException {
    assertThat(complaint("a.safetensors", new byte[3]))
        .isEqualTo("a.safetensors: it has 3 bytes, and a safetensors file has at least 8");
    byte[] start = ByteBuffer.allocate(9).order(ByteOrder.LITTLE_ENDIAN).putLong(0, 50).array();
    assertThat(complaint("a.safetensors", start))
        .isEqualTo(
            "a.safetensors: its header has 50 bytes, and the file has only 1 after its first 8: it"
                + " is cut off");
  }

  @Test
  void safetensorsWithAnEnormousHeader() throws IOException {
    byte[] most = new byte[16];
    Arrays.fill(most, 0, 8, (byte) 0xff);
    assertThat(complaint("a.safetensors", most))
        .isEqualTo(
            "a.safetensors: its header would have 18446744073709551615 bytes, more than the"
                + " 100000000 allowed");
  }

  @Test
  void safetensorsWithAHeaderThatIsNotUtf8() throws IOException {
    byte[] bytes = safetensors("{\"a\": 1}", 0);
    bytes[10] = (byte) 0xff;
    assertThat(complaint("a.safetensors", bytes))
        .isEqualTo("a.safetensors: its header is not UTF-8");
  }

  @Test
  void safetensorsSkipMetadataAndTakeTensorsInAnyOrder() throws IOException {
    Path file = folder.resolve("a.safetensors");
    String header =
        "{\"__metadata__\":{\"format\":\"pt\"},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[4,5]},"
            + "\"none\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[4,4]},"
            + "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}   ";
    Files.write(file, safetensors(header, 5));
    assertThat(TensorFile.read(file).tensors().keySet()).containsExactly("b", "none", "a");
  }

  private static byte[] npy(int version, String header, int dataBytes) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + (version == 1 ? 2 : 4) + text.length + dataBytes)
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y', (byte) version, 0});
    if (version == 1) {
      bytes.putShort((short) text.length);
    } else {
      bytes.putInt(text.length);
    }
    return bytes.put(text).array();
  }

  private static byte[] npz(String name, byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry(name));
      zip.write(content);
    }
    return out.toByteArray();
  }

  @Test
  void npzOfPythonObjects() throws IOException {
    assertThat(
            complaint(
                "a.npz",
                npz(
                    "a.npy",
                    npy(1, "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", 8))))
        .isEqualTo(
            "a.npz: tensor `a`: has NumPy's type `|O`; float64, float32, float16, int64, int32,"
                + " uint8 and bool are read");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '!',
      quoteCharacter = '~',
      value = {
        "4!{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }!has 4 bytes of data, and f32"
            + " of shape [2] needs 8",
        "9!{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }!has 9 bytes of data, and f32"
            + " of shape [2] needs 8",
        "4!{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 1000000000), }!has 4"
            + " bytes of data, and f32 of shape [1000000000, 1000000000] needs 4000000000000000000",
        "4!{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,), }!has an axis of"
            + " `99999999999` entries",
        "4!{'descr': '<f4', 'fortran_order': False, }!its header is not a dictionary of descr,"
            + " fortran_order and shape, each of a plain array: {'descr': '<f4', 'fortran_order':"
            + " False, }",
        "4![1]!its header is not a dictionary of descr, fortran_order and shape, each of a plain"
            + " array: [1]",
        "4!{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}!its header is not a"
            + " dictionary of descr, fortran_order and shape, each of a plain array: {'descr':"
            + " [('x', '<f4')], 'fortran_order': False, 'shape': (1,)}",
        "4!{'descr': '<f4', 'descr': '<f4', 'shape': (1,)}!its header is not a dictionary of descr,"
            + " fortran_order and shape, each of a plain array: {'descr': '<f4', 'descr': '<f4',"
            + " 'shape': (1,)}",
        "2!{'descr': '<V2', 'fortran_order': False, 'shape': (1,), }!has NumPy's type `<V2`;"
            + " float64, float32, float16, int64, int32, uint8 and bool are read",
      })
  void npz(int dataBytes, String header, String message) throws IOException {
    for (int version = 1; version <= 3; version++) {
      assertThat(complaint("a.npz", npz("a.npy", npy(version, header, dataBytes))))
          .isEqualTo("a.npz: tensor `a`: " + message);
    }
  }

  @Test
  void npzThatIsNoArrayOfNumpy() throws IOException {
    byte[] good = npy(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", 4);
    byte[] wrongMagic = good.clone();
    wrongMagic[0] = 0;
    assertThat(complaint("a.npz", npz("a.npy", wrongMagic)))
        .isEqualTo("a.npz: tensor `a`: does not begin as a NumPy array does");
    byte[] wrongVersion = good.clone();
    wrongVersion[6] = 4;
    assertThat(complaint("a.npz", npz("a.npy", wrongVersion)))
        .isEqualTo("a.npz: tensor `a`: has the NumPy format version 4; 1 to 3 are known");
    assertThat(complaint("a.npz", npz("a.npy", Arrays.copyOf(good, 20))))
        .isEqualTo("a.npz: tensor `a`: is cut off");
    assertThat(complaint("a.npz", npz("a.txt", good)))
        .isEqualTo("a.npz: `a.txt` is not an array: its name does not end in .npy");
    byte[] longHeader = npy(2, "{}", 0);
    longHeader[10] = 1;
    longHeader[11] = 1;
    assertThat(complaint("a.npz", npz("a.npy", longHeader)))
        .isEqualTo("a.npz: tensor `a`: has a header of 16842754 bytes, more than 65536");
    assertThat(complaint("a.npz", new byte[100])).startsWith("a.npz is not a valid .npz file: ");
  }

  /** The index of a ZIP file, at its end, says that the entry is much longer than it is. */
  @Test
  void npzThatClaimsMoreThanItHolds() throws IOException {
    byte[] zip =
        npz("a.npy", npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", 9));
    int index = find(zip, new byte[] {'P', 'K', 1, 2});
    ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN).putInt(index + 24, 2_000_000_000);
    assertThat(complaint("a.npz", zip))
        .isEqualTo("a.npz: tensor `a`: would have 2000000000 bytes, which this file cannot hold");
  }

  @Test
  void npzWithAWrongChecksum() throws IOException {
    byte[] zip =
        npz("a.npy", npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", 9));
    zip[find(zip, new byte[] {'P', 'K', 1, 2}) + 16] ^= 1;
    assertThat(complaint("a.npz", zip))
        .isEqualTo("a.npz: tensor `a`: is damaged: its checksum is wrong");
  }

  private static int find(byte[] bytes, byte[] wanted) {
    for (int i = 0; i + wanted.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + wanted.length, wanted, 0, wanted.length)) {
        return i;
      }
    }
    throw new IllegalArgumentException("not found");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "[1]|a.json must hold one JSON object from names to numbers or nested lists of numbers",
        "{\"a\": 1, \"a\": 2}|a.json is not valid JSON: Duplicate Object property \"a\" (column"
            + " 13)",
        "{\"a\": [1, [2]]}|a.json: tensor `a` at index [0]: 1 stands where a list belongs",
        "{\"a\": [[1, 2], [3]]}|a.json: tensor `a` at index [1]: a list of 1 stands among lists of"
            + " 2",
        "{\"a\": [[1, 2], [3, \"x\"]]}|a.json: tensor `a` at index [1, 1]: \"x\" is no number",
        "{\"a\": {\"b\": 1}}|a.json: tensor `a`: {\"b\":1} is no number",
        "{\"a\": [true, 1]}|a.json: tensor `a`: it mixes truth values and numbers",
      })
  void json(String text, String message) throws IOException {
    assertThat(complaint("a.json", text.getBytes(StandardCharsets.UTF_8))).isEqualTo(message);
  }

  @Test
  void jsonThatIsNestedTooDeeply() throws IOException {
    String text = "{\"a\": " + "[".repeat(100_000) + "]".repeat(100_000) + "}";
    assertThat(complaint("a.json", text.getBytes(StandardCharsets.UTF_8)))
        .startsWith("a.json is not valid JSON: Document nesting depth");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"a\": 1};{\"a\": 1, \"b\": 2}|a.jsonl, line 2: `b` is here but not on an earlier line",
        "{\"a\": 1, \"b\": 2};{\"a\": 1}|a.jsonl, line 2: `b` is missing; every line has the same"
            + " names",
        "{\"multiplier.m\": 1};{\"multiplier.m\": 2}|a.jsonl, line 2: `multiplier.m` is 2, and 1 on"
            + " an earlier line; it belongs to the whole batch",
        "{\"a\": 1};x|a.jsonl, line 2 is not valid JSON: Unrecognized token 'x' (column 1)",
        "{\"a\": [[1, 2]]};{\"a\": [[1]]}|a.jsonl: tensor `a` at index [1, 0]: a list of 1 stands"
            + " among lists of 2",
      })
  void jsonLines(String lines, String message) throws IOException {
    assertThat(complaint("a.jsonl", lines.replace(';', '\n').getBytes(StandardCharsets.UTF_8)))
        .isEqualTo(message);
  }

  @Test
  void filesThatCannotBeRead() throws IOException {
    assertThat(complaint(folder.resolve("none.npz"))).isEqualTo("there is no file none.npz");
    assertThat(complaint(folder.resolve("none.safetensors")))
        .isEqualTo("there is no file none.safetensors");
    assertThat(complaint(folder.resolve("batch.pt")))
        .isEqualTo(
            "batch.pt must end in .safetensors, .npz, .json or .jsonl, which says how it is read");
    Files.createDirectory(folder.resolve("d.json"));
    assertThat(complaint(folder.resolve("d.json"))).isEqualTo("d.json is a folder, not a file");
    assertThat(complaint("a.json", new byte[] {(byte) 0xff})).isEqualTo("a.json is not UTF-8");
    assertThat(
            catchThrowable(() ->
                TensorFile.write(folder.resolve("no/g.npz"), Map.of("a", Tensor.of(List.of(), 1)))))
        .hasMessageContaining("its folder does not exist");
  }

  /** Whatever bytes are there, the answer is a tensor or one sentence. */
  @ParameterizedTest
  @ValueSource(strings = {"a.safetensors", "a.npz", "a.json", "a.jsonl"})
  void damagedFiles(String name) throws IOException {
    Path file = folder.resolve(name);
    if (name.equals("a.jsonl")) {
      Files.writeString(file, "{\"logp\": [-1.5, 2], \"mask\": [true, false]}\n".repeat(3));
    } else {
      TensorFile.write(
          file,
          Map.of(
              "logp", Tensor.of(ElementType.F16, List.of(2, 2), -1, -2, -3, -4),
              "mask", Tensor.ofIntegers(ElementType.BOOL, List.of(2, 2), 1, 1, 1, 0)));
    }
    byte[] good = Files.readAllBytes(file);
    Random random = new Random(11);
    int refused = 0;
    for (int i = 0; i < 250; i++) {
      byte[] bad = i % 5 == 0 ? Arrays.copyOf(good, random.nextInt(good.length)) : good.clone();
      for (int j = random.nextInt(3); j >= 0 && bad.length > 0; j--) {
        bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      }
      Files.write(file, bad);
      Throwable thrown = catchThrowable(() -> TensorFile.read(file));
      if (thrown != null) {
        assertThat(thrown).isInstanceOf(BatchException.class);
        assertThat(thrown.getMessage().lines()).hasSize(1);
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(50);
  }
}
