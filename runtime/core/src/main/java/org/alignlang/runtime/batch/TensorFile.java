package org.alignlang.runtime.batch;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The named tensors of one file.
 *
 * @param path where they were read from
 * @param format how they were stored
 * @param tensors by name, in the file's order
 * @param lengths of JSON lines, where rows may have different lengths: the length of each row of a
 *     tensor with at least two axes; rows are padded to the longest, with NaN or 0
 */
public record TensorFile(
    Path path, TensorFormat format, Map<String, Tensor> tensors, Map<String, int[]> lengths) {

  public TensorFile {
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
    lengths = Map.copyOf(lengths);
  }

  /**
   * Reads a file in the format that its name ends in.
   *
   * @throws BatchException if there is no such file, or it is not what its name says
   */
  public static TensorFile read(Path path) {
    TensorFormat format = TensorFormat.of(path);
    try {
      if (Files.isDirectory(path)) {
        throw new BatchException(path + " is a folder, not a file");
      }
      return switch (format) {
        case SAFETENSORS -> new TensorFile(path, format, Safetensors.read(path), Map.of());
        case NPZ -> new TensorFile(path, format, Npz.read(path), Map.of());
        case JSON -> new TensorFile(path, format, JsonTensors.read(path), Map.of());
        case JSONL -> JsonTensors.readLines(path);
      };
    } catch (NoSuchFileException _) {
      throw new BatchException("there is no file " + path);
    } catch (FileSystemException e) {
      throw new BatchException("cannot read " + path + reason(e), e);
    } catch (IOException e) {
      throw new BatchException("cannot read " + path + ": " + e.getMessage(), e);
    }
  }

  /**
   * Writes a file in the format that its name ends in. The file appears when it is complete; if
   * that fails, one that was there before is as it was.
   *
   * @throws BatchException if it cannot be written
   */
  public static void write(Path path, Map<String, Tensor> tensors) {
    TensorFormat format = TensorFormat.ofOutput(path);
    try {
      AtomicFile.write(
          path,
          channel -> {
            switch (format) {
              case SAFETENSORS -> Safetensors.write(channel, tensors);
              case NPZ -> Npz.write(channel, tensors);
              case JSON -> JsonTensors.write(channel, tensors);
              case JSONL -> throw new IllegalStateException("not an output format: " + format);
            }
          });
    } catch (FileSystemException e) {
      throw new BatchException("cannot write " + path + reason(e), e);
    } catch (IOException e) {
      throw new BatchException("cannot write " + path + ": " + e.getMessage(), e);
    }
  }

  private static String reason(FileSystemException e) {
    if (e instanceof java.nio.file.AccessDeniedException) {
      return ": access denied";
    }
    if (e instanceof NoSuchFileException) {
      return ": its folder does not exist";
    }
    return e.getReason() == null ? "" : ": " + e.getReason();
  }
}
