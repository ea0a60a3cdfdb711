package org.alignlang.compiler.source;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The files of one folder. Nothing outside it can be read through it, whatever a path or a link
 * says.
 *
 * @param root the folder
 * @param prefix what stands before the names of its files in messages, such as {@code specs/}
 */
public record SourceFolder(Path root, String prefix) implements SourceResolver {
  private static final int LONGEST = 4 * 1024 * 1024;

  public SourceFolder {
    // The empty path is the working folder, but is no beginning of the paths in it.
    root = root.toAbsolutePath().normalize();
  }

  /** A folder whose files are shown by their names in it. */
  public SourceFolder(Path root) {
    this(root, "");
  }

  @Override
  public SourceFile resolve(String path) {
    Path file;
    try {
      file = root.resolve(path).normalize();
    } catch (InvalidPathException e) {
      throw new UnreadableSourceException("`" + path + "` is not a path: " + e.getReason());
    }
    if (!file.startsWith(root)) {
      throw new UnreadableSourceException("`" + path + "` leads out of the folder of the spec");
    }
    try {
      if (Files.exists(file) && !file.toRealPath().startsWith(root.toRealPath())) {
        throw new UnreadableSourceException("`" + path + "` leads out of the folder of the spec");
      }
    } catch (IOException e) {
      throw new UnreadableSourceException("`" + path + "` cannot be read: " + reason(e));
    }
    return read(file, prefix + path);
  }

  /**
   * Reads a file as strict UTF-8.
   *
   * @param file the file
   * @param name the name under which messages show it
   */
  public static SourceFile read(Path file, String name) {
    if (Files.isDirectory(file)) {
      throw new UnreadableSourceException("`" + name + "` is a folder, not a file");
    }
    try (InputStream stream = Files.newInputStream(file)) {
      return read(stream, name);
    } catch (NoSuchFileException e) {
      throw new UnreadableSourceException("there is no file `" + name + "`");
    } catch (IOException e) {
      throw new UnreadableSourceException("`" + name + "` cannot be read: " + reason(e));
    }
  }

  /** What went wrong in a few words, without the path that the exception's message repeats. */
  public static String reason(IOException problem) {
    return switch (problem) {
      case AccessDeniedException _ -> "permission denied";
      case FileSystemException e when e.getReason() != null -> e.getReason();
      default -> String.valueOf(problem.getMessage());
    };
  }

  /**
   * Reads a stream to its end as strict UTF-8; stops early at one that is too long for a spec.
   *
   * @param stream what to read; it stays open
   * @param name the name under which messages show it
   */
  public static SourceFile read(InputStream stream, String name) {
    try {
      byte[] bytes = stream.readNBytes(LONGEST + 1);
      if (bytes.length > LONGEST) {
        throw new UnreadableSourceException(
            "`" + name + "` is too long: a spec has at most " + LONGEST / 1024 / 1024 + " MiB");
      }
      String text =
          StandardCharsets.UTF_8
              .newDecoder()
              .onMalformedInput(CodingErrorAction.REPORT)
              .onUnmappableCharacter(CodingErrorAction.REPORT)
              .decode(ByteBuffer.wrap(bytes))
              .toString();
      if (text.indexOf('\0') >= 0) {
        throw new UnreadableSourceException("`" + name + "` is a binary file, not a text");
      }
      return new SourceFile(name, text);
    } catch (CharacterCodingException e) {
      throw new UnreadableSourceException("`" + name + "` is not UTF-8 text");
    } catch (IOException e) {
      throw new UnreadableSourceException("`" + name + "` cannot be read: " + reason(e));
    }
  }
}
