package org.alignlang.runtime.batch;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** A file that is replaced as a whole or not at all. */
final class AtomicFile {
  private AtomicFile() {}

  /** Writes the new content. */
  @FunctionalInterface
  interface Content {
    void write(FileChannel channel) throws IOException;
  }

  /** Writes beside the file, then moves into its place; a failure leaves nothing behind. */
  static void write(Path path, Content content) throws IOException {
    Path absolute = path.toAbsolutePath();
    // A link stays one: what it points to is replaced.
    Path target = Files.exists(absolute) ? absolute.toRealPath() : absolute;
    Path beside =
        target.resolveSibling(
            "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
    try {
      try (FileChannel channel =
          FileChannel.open(
              beside,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE)) {
        content.write(channel);
        channel.force(true);
      }
      try {
        Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
      } catch (AtomicMoveNotSupportedException _) {
        Files.move(beside, target, StandardCopyOption.REPLACE_EXISTING);
      }
    } finally {
      Files.deleteIfExists(beside);
    }
  }
}
