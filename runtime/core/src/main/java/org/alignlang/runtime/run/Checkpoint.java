package org.alignlang.runtime.run;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.alignlang.runtime.experiment.Method;
import org.alignlang.runtime.experiment.RecordedSeries;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.train.TrainingState;

/**
 * A saved state as bytes: {@code ALIGNCKP}, the format's version (int32), the run's fingerprint,
 * the training (point int32, seed int64), the seconds so far (float64), the state, and the SHA-256
 * of all that precedes. Numbers are big-endian, floating-point numbers are kept to the bit, texts
 * are a length in bytes (int32) and UTF-8.
 *
 * @param fingerprint the run that it belongs to
 * @param point the sweep point's number
 * @param seed the training's seed
 * @param saved the state and the seconds until then
 */
record Checkpoint(String fingerprint, int point, long seed, RunLog.Saved saved) {
  static final int VERSION = 1;

  private static final byte[] MAGIC = "ALIGNCKP".getBytes(StandardCharsets.US_ASCII);
  private static final int DIGEST = 32;

  /** What was read is not a whole checkpoint. */
  static final class DamagedException extends Exception {
    private static final long serialVersionUID = 1L;

    DamagedException(String message) {
      super(message);
    }
  }

  static Checkpoint of(String fingerprint, TrainingId training, RunLog.Saved saved) {
    return new Checkpoint(fingerprint, training.point(), training.seed(), saved);
  }

  byte[] encode() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.write(MAGIC);
      out.writeInt(VERSION);
      writeText(out, fingerprint);
      out.writeInt(point);
      out.writeLong(seed);
      out.writeDouble(saved.seconds());
      TrainingState state = saved.state();
      out.writeInt(state.step());
      out.writeInt(state.arrays().size());
      for (Map.Entry<String, double[]> array : state.arrays().entrySet()) {
        writeText(out, array.getKey());
        writeNumbers(out, array.getValue());
      }
      RecordedSeries series = state.series();
      out.writeInt(series.count());
      for (int step : series.steps()) {
        out.writeInt(step);
      }
      out.writeInt(series.values().size());
      for (Map.Entry<String, double[]> values : series.values().entrySet()) {
        writeText(out, values.getKey());
        writeNumbers(out, values.getValue());
      }
      out.writeInt(series.methods().size());
      for (Map.Entry<String, Method> method : series.methods().entrySet()) {
        writeText(out, method.getKey());
        out.writeBoolean(method.getValue().exact());
        out.writeInt(method.getValue().count());
      }
      out.write(Fingerprint.sha256(bytes.toByteArray()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads a checkpoint.
   *
   * @throws DamagedException if the bytes are not those that were written
   * @throws RunException if they were written by a newer version of Align
   */
  static Checkpoint decode(byte[] bytes) throws DamagedException {
    if (bytes.length < MAGIC.length + Integer.BYTES + DIGEST) {
      throw new DamagedException("it is cut off after %d bytes".formatted(bytes.length));
    }
    if (!Arrays.equals(bytes, 0, MAGIC.length, MAGIC, 0, MAGIC.length)) {
      throw new DamagedException("it does not begin as a checkpoint does");
    }
    int body = bytes.length - DIGEST;
    byte[] digest = Fingerprint.sha256(Arrays.copyOf(bytes, body));
    if (!Arrays.equals(digest, 0, DIGEST, bytes, body, bytes.length)) {
      throw new DamagedException("its checksum does not fit its content");
    }
    try (DataInputStream in =
        new DataInputStream(new ByteArrayInputStream(bytes, MAGIC.length, body - MAGIC.length))) {
      int version = in.readInt();
      if (version != VERSION) {
        throw new RunException(
            "the checkpoints are in format %d, and this version of Align reads format %d"
                .formatted(version, VERSION));
      }
      String fingerprint = readText(in);
      int point = in.readInt();
      long seed = in.readLong();
      double seconds = in.readDouble();
      int step = in.readInt();
      Map<String, double[]> arrays = readArrays(in);
      int[] steps = new int[count(in, Integer.BYTES)];
      for (int i = 0; i < steps.length; i++) {
        steps[i] = in.readInt();
      }
      Map<String, double[]> values = readArrays(in);
      Map<String, Method> methods = new LinkedHashMap<>();
      for (int left = count(in, 1); left > 0; left--) {
        methods.put(readText(in), new Method(in.readBoolean(), in.readInt()));
      }
      return new Checkpoint(
          fingerprint,
          point,
          seed,
          new RunLog.Saved(
              new TrainingState(step, arrays, new RecordedSeries(steps, values, methods)),
              seconds));
    } catch (IOException e) {
      throw new DamagedException("its parts do not fit together");
    }
  }

  private static void writeText(DataOutputStream out, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static void writeNumbers(DataOutputStream out, double[] numbers) throws IOException {
    out.writeInt(numbers.length);
    for (double number : numbers) {
      out.writeLong(Double.doubleToRawLongBits(number));
    }
  }

  private static String readText(DataInputStream in) throws IOException {
    byte[] bytes = new byte[count(in, 1)];
    in.readFully(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Map<String, double[]> readArrays(DataInputStream in) throws IOException {
    Map<String, double[]> arrays = new LinkedHashMap<>();
    for (int left = count(in, 1); left > 0; left--) {
      String name = readText(in);
      double[] numbers = new double[count(in, Double.BYTES)];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = Double.longBitsToDouble(in.readLong());
      }
      arrays.put(name, numbers);
    }
    return arrays;
  }

  /** A count of things that take at least {@code size} bytes each; no more than are left. */
  private static int count(DataInputStream in, int size) throws IOException {
    int count = in.readInt();
    if (count < 0 || (long) count * size > in.available()) {
      throw new IOException("count " + count);
    }
    return count;
  }
}
