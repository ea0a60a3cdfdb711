package org.alignlang.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFileAttributeView;

/** Writing specs. */
public final class SpecText {
  private SpecText() {}

  /**
   * Replaces a file in one step, so that nobody ever sees half of it. @throws UserError if it
   * cannot be written
   */
  public static void replace(Path path, String name, String text) {
    try {
      // A link stays one: what it leads to is replaced.
      Path file = path.toRealPath();
      Path folder = file.getParent();
      Path fresh = Files.createTempFile(folder, ".align", ".tmp");
      try {
        Files.write(fresh, text.getBytes(StandardCharsets.UTF_8));
        if (Files.getFileAttributeView(fresh, PosixFileAttributeView.class) != null) {
          Files.setPosixFilePermissions(fresh, Files.getPosixFilePermissions(file));
        }
        Files.move(
            fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } finally {
        Files.deleteIfExists(fresh);
      }
    } catch (IOException e) {
      throw new UserError("`" + name + "` cannot be written: " + e.getMessage());
    }
  }
}
