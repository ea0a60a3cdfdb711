package org.alignlang.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The version of Align that this build is, for example {@code 0.1.0}. */
public final class AlignVersion {
  private static final String CURRENT = read();

  private AlignVersion() {}

  /** Returns the version, as written in the build. */
  public static String current() {
    return CURRENT;
  }

  private static String read() {
    try (InputStream in = AlignVersion.class.getResourceAsStream("version.txt")) {
      if (in == null) {
        throw new IllegalStateException("the resource version.txt is missing from align-kernel");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
