package org.alignlang.compiler.source;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;

/** The sources of the standard library, as packaged in {@code align-stdlib}. */
public final class StandardLibrary {
  private static final String ROOT = "/org/alignlang/stdlib/";

  private static final String PAPERS = "papers/";

  private StandardLibrary() {}

  /** Returns the paths of all sources, sorted, for example {@code losses/dpo.align}. */
  public static List<String> paths() {
    return Index.PATHS;
  }

  /** The paths of what can be imported: all but the papers, which are experiments. */
  public static List<String> modules() {
    return Index.PATHS.stream().filter(path -> !path.startsWith(PAPERS)).toList();
  }

  /** The paths of the papers' specs, sorted. */
  public static List<String> papers() {
    return Index.PATHS.stream().filter(path -> path.startsWith(PAPERS)).toList();
  }

  /** Read once: it is part of the program. */
  private static final class Index {
    static final List<String> PATHS =
        read("index.txt")
            .orElseThrow(() -> new IllegalStateException("align-stdlib has no index.txt"))
            .lines()
            .filter(line -> !line.isBlank())
            .toList();
  }

  /** Returns the text of the source with this path, or empty if the library has none such. */
  public static Optional<String> source(String path) {
    return path.endsWith(".align") ? read(path) : Optional.empty();
  }

  private static Optional<String> read(String path) {
    try (InputStream in = StandardLibrary.class.getResourceAsStream(ROOT + path)) {
      return in == null
          ? Optional.empty()
          : Optional.of(new String(in.readAllBytes(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
