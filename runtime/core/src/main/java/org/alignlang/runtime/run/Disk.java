package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * The writing operations that the safety of a run rests on; tests put in one that fails at a chosen
 * byte.
 */
interface Disk {
  /** Fills a file, making it if need be, and forces it to the device. */
  void write(Path file, byte[] content) throws IOException;

  /** Adds to the end of a file, making it if need be. */
  void append(Path file, byte[] content) throws IOException;

  /** Puts a file in the place of another at once, and forces the folder to the device. */
  void move(Path from, Path to) throws IOException;

  void delete(Path file) throws IOException;

  /** The file system. */
  static Disk real() {
    return new Disk() {
      @Override
      public void write(Path file, byte[] content) throws IOException {
        try (FileChannel channel =
            FileChannel.open(
                file,
                StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING,
                StandardOpenOption.WRITE)) {
          ByteBuffer rest = ByteBuffer.wrap(content);
          while (rest.hasRemaining()) {
            channel.write(rest);
          }
          channel.force(true);
        }
      }

      @Override
      public void append(Path file, byte[] content) throws IOException {
        Files.write(file, content, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      }

      @Override
      public void move(Path from, Path to) throws IOException {
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        Path folder = to.toAbsolutePath().getParent();
        if (folder != null) {
          force(folder);
        }
      }

      @Override
      public void delete(Path file) throws IOException {
        Files.deleteIfExists(file);
      }

      private void force(Path folder) {
        try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
          channel.force(true);
        } catch (IOException e) {
          // Some systems cannot open folders; there the move is as durable as they make it.
        }
      }
    };
  }

  /**
   * Replaces a file's content so that, whatever happens, either the old or the new one is there,
   * complete.
   *
   * @throws RunException if it cannot be written; the file is as before
   */
  default void replace(Path file, byte[] content) {
    Path partial = file.resolveSibling(file.getFileName() + PARTIAL);
    try {
      write(partial, content);
      move(partial, file);
    } catch (IOException e) {
      try {
        delete(partial);
      } catch (IOException second) {
        e.addSuppressed(second);
      }
      throw new RunException("`%s` cannot be written: %s".formatted(file, reason(e)), e);
    }
  }

  /** The ending of files that are being written. */
  String PARTIAL = ".partial";

  /** What went wrong, without the path that {@link IOException#getMessage} often begins with. */
  static String reason(IOException e) {
    return switch (e) {
      case NoSuchFileException missing -> "its folder or file does not exist";
      case FileAlreadyExistsException exists -> "something of that name is there already";
      case FileSystemException system when system.getReason() != null -> system.getReason();
      case java.nio.file.AccessDeniedException denied -> "permission denied";
      default -> e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    };
  }
}
