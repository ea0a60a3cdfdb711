package org.alignlang.compiler.source;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * The files of one folder. Nothing outside it can be read through it, whatever a path or a link
 * says.
 *
 * @param root the folder
 */
public record SourceFolder(Path root) implements SourceResolver {
  private static final long LONGEST = 4L * 1024 * 1024;

  @Override
  public SourceFile resolve(String path) {
    Path file = root.resolve(path).normalize();
    if (!file.startsWith(root.normalize())) {
      throw new UnreadableSourceException("`" + path + "` leads out of the folder of the spec");
    }
    try {
      if (Files.exists(file) && !file.toRealPath().startsWith(root.toRealPath())) {
        throw new UnreadableSourceException("`" + path + "` leads out of the folder of the spec");
      }
    } catch (IOException e) {
      throw new UnreadableSourceException("`" + path + "` cannot be read: " + e.getMessage());
    }
    return read(file, path);
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
    try {
      long size = Files.size(file);
      if (size > LONGEST) {
        throw new UnreadableSourceException(
            "`" + name + "` has " + size + " bytes; a spec has at most " + LONGEST);
      }
      byte[] bytes = Files.readAllBytes(file);
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
    } catch (NoSuchFileException e) {
      throw new UnreadableSourceException("there is no file `" + name + "`");
    } catch (CharacterCodingException e) {
      throw new UnreadableSourceException("`" + name + "` is not UTF-8 text");
    } catch (IOException e) {
      throw new UnreadableSourceException("`" + name + "` cannot be read: " + e.getMessage());
    }
  }
}
