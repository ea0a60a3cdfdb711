package org.alignlang.runtime.batch;

import java.nio.file.Path;
import java.util.Locale;

/** The formats of tensor files, told apart by how the file's name ends. */
public enum TensorFormat {
  SAFETENSORS,
  NPZ,
  /** One object: name to nested arrays. Numbers have no type of their own. */
  JSON,
  /** One object per row: name to the row's entry. Numbers have no type of their own. */
  JSONL;

  /** How a file's name ends, such as {@code .npz}. */
  public String ending() {
    return "." + name().toLowerCase(Locale.ROOT);
  }

  /** Whether a tensor's type is the file's word, and not guessed from how its numbers look. */
  public boolean typed() {
    return this == SAFETENSORS || this == NPZ;
  }

  /**
   * The format of a file to read.
   *
   * @throws BatchException if the name ends in no known way
   */
  public static TensorFormat of(Path path) {
    String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
    for (TensorFormat format : values()) {
      if (name.endsWith(format.ending())) {
        return format;
      }
    }
    throw new BatchException(
        path + " must end in .safetensors, .npz, .json or .jsonl, which says how it is read");
  }

  /**
   * The format of a file to write.
   *
   * @throws BatchException if the name ends in no known way, or in one that is only read
   */
  public static TensorFormat ofOutput(Path path) {
    String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
    for (TensorFormat format : values()) {
      if (format != JSONL && name.endsWith(format.ending())) {
        return format;
      }
    }
    throw new BatchException(
        path + " must end in .safetensors, .npz or .json, which says how it is written");
  }
}
