package org.alignlang.compiler.source;

/** Finds the files that a module imports by relative path. */
@FunctionalInterface
public interface SourceResolver {

  /**
   * Reads a file.
   *
   * @param path relative to the folder of the main file, normalised, with forward slashes; never
   *     leading above that folder
   * @throws UnreadableSourceException if it cannot be read
   */
  SourceFile resolve(String path);

  /** Knows no files. */
  static SourceResolver none() {
    return path -> {
      throw new UnreadableSourceException("there is no file `" + path + "` here");
    };
  }
}
