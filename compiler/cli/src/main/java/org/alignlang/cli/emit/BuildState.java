package org.alignlang.cli.emit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.zip.ZipFile;
import org.alignlang.compiler.source.ImportPath;

/**
 * What a build has read and written, as text: a first line {@code align-build 1}, {@code key TEXT},
 * and for each file {@code read DIGEST PATH} or {@code wrote DIGEST PATH}, with SHA-256 digests. A
 * file in a jar is {@code JAR!/ENTRY}; what was written is named from the output folder.
 *
 * @param file where it is kept
 * @param out the output folder
 */
record BuildState(Path file, Path out) {
  private static final String HEAD = "align-build 1";
  private static final String WROTE = "wrote ";
  private static final int DIGEST = 64;

  /** Deletes what was written the last time and is not among the files of now. */
  int prune(Collection<Path> files) throws IOException {
    Set<Path> now = new HashSet<>();
    files.forEach(path -> now.add(path.toAbsolutePath().normalize()));
    Path root = out.toAbsolutePath().normalize();
    int deleted = 0;
    for (String line : lines()) {
      if (line.startsWith(WROTE) && line.length() > WROTE.length() + DIGEST + 1) {
        Path old = root.resolve(line.substring(WROTE.length() + DIGEST + 1)).normalize();
        // The file may have been altered by hand: nothing outside the folder is ever deleted.
        if (old.startsWith(root) && !now.contains(old) && Files.deleteIfExists(old)) {
          deleted++;
          deleteEmpty(Objects.requireNonNull(old.getParent()), root);
        }
      }
    }
    return deleted;
  }

  private List<String> lines() throws IOException {
    try {
      List<String> lines = Files.readAllLines(file);
      return !lines.isEmpty() && lines.getFirst().equals(HEAD) ? lines : List.of();
    } catch (NoSuchFileException e) {
      return List.of();
    }
  }

  private static void deleteEmpty(Path folder, Path root) throws IOException {
    Path empty = folder;
    while (empty.startsWith(root) && !empty.equals(root)) {
      try {
        Files.deleteIfExists(empty);
      } catch (DirectoryNotEmptyException e) {
        return;
      }
      empty = Objects.requireNonNull(empty.getParent());
    }
  }

  /**
   * Writes the state.
   *
   * @param read the names of the files that were read
   * @param files what was written
   */
  void write(String key, Collection<String> read, Collection<Path> files) throws IOException {
    List<String> lines = new ArrayList<>();
    lines.add(HEAD);
    lines.add("key " + key);
    for (String name : read) {
      lines.add("read " + digest(content(name)) + " " + name);
    }
    for (Path path : files) {
      String name = out.relativize(path).toString().replace('\\', '/');
      lines.add(WROTE + digest(Files.readAllBytes(path)) + " " + name);
    }
    Path parent = file.toAbsolutePath().getParent();
    if (parent != null) {
      Files.createDirectories(parent);
    }
    Files.write(file, lines, StandardCharsets.UTF_8);
  }

  private static byte[] content(String name) throws IOException {
    int jar = name.indexOf("!/");
    if (jar < 0) {
      return Files.readAllBytes(Path.of(name));
    }
    try (ZipFile zip = new ZipFile(name.substring(0, jar));
        InputStream in =
            zip.getInputStream(zip.getEntry(ImportPath.FOLDER + name.substring(jar + 2)))) {
      return in.readAllBytes();
    }
  }

  private static String digest(byte[] content) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(content));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
