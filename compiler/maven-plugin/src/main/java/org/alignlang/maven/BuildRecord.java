package org.alignlang.maven;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * What the compiler wrote of its last run, {@code align generate --state}: whether all of it is as
 * it was then.
 *
 * @param file where it is kept
 * @param out the output folder
 */
record BuildRecord(Path file, Path out) {
  private static final String HEAD = "align-build 1";
  private static final int DIGEST = 64;

  /** Whether options, sources, imports and outputs are those of the last run. */
  boolean isCurrent(String key) {
    try {
      if (!Files.exists(file)) {
        return false;
      }
      List<String> lines = Files.readAllLines(file);
      if (lines.size() < 2 || !lines.get(0).equals(HEAD) || !lines.get(1).equals("key " + key)) {
        return false;
      }
      for (String line : lines.subList(2, lines.size())) {
        int space = line.indexOf(' ');
        String digest = line.substring(space + 1, space + 1 + DIGEST);
        String name = line.substring(space + 1 + DIGEST + 1);
        byte[] content =
            line.startsWith("read ") ? content(name) : Files.readAllBytes(out.resolve(name));
        if (!digest(content).equals(digest)) {
          return false;
        }
      }
      return true;
    } catch (IOException | RuntimeException e) {
      // A file that is gone or not as expected: all is made anew.
      return false;
    }
  }

  private static byte[] content(String name) throws IOException {
    int jar = name.indexOf("!/");
    if (jar < 0) {
      return Files.readAllBytes(Path.of(name));
    }
    try (ZipFile zip = new ZipFile(name.substring(0, jar))) {
      ZipEntry entry = zip.getEntry(SpecFolder.PACKED + "/" + name.substring(jar + 2));
      try (InputStream in = zip.getInputStream(entry)) {
        return in.readAllBytes();
      }
    }
  }

  /** What tells the options of a run, and the compiler itself, from others. */
  static String key(List<String> options, List<Path> classPath) throws IOException {
    StringBuilder text = new StringBuilder();
    options.forEach(option -> text.append(option.length()).append(':').append(option));
    for (Path jar : classPath) {
      FileTime time = Files.getLastModifiedTime(jar);
      text.append('\n')
          .append(jar)
          .append(' ')
          .append(Files.size(jar))
          .append(' ')
          .append(time.toMillis());
    }
    return digest(text.toString().getBytes(StandardCharsets.UTF_8));
  }

  private static String digest(byte[] content) {
    try {
      StringBuilder text = new StringBuilder();
      for (byte b : MessageDigest.getInstance("SHA-256").digest(content)) {
        text.append(Character.forDigit(b >> 4 & 15, 16)).append(Character.forDigit(b & 15, 16));
      }
      return text.toString();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
