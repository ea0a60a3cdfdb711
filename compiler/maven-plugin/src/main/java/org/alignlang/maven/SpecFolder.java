package org.alignlang.maven;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import java.util.zip.ZipFile;
import org.apache.maven.plugin.MojoExecutionException;

/**
 * A folder of specs.
 *
 * @param root the folder, which need not exist
 */
record SpecFolder(Path root) {
  static final String PACKED = "META-INF/align";

  /** The specs below the folder by their names in it, sorted, without those in hidden folders. */
  List<String> specs() throws MojoExecutionException {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .map(file -> root.relativize(file).toString().replace('\\', '/'))
          .filter(name -> name.endsWith(".align"))
          .filter(name -> Arrays.stream(name.split("/")).noneMatch(part -> part.startsWith(".")))
          .sorted()
          .toList();
    } catch (IOException | UncheckedIOException e) {
      throw new MojoExecutionException("The folder " + root + " cannot be read: " + e.getMessage());
    }
  }

  /** Whether a jar, or a folder of classes, says which specs it holds. */
  static boolean isLibrary(Path place) throws MojoExecutionException {
    if (Files.isDirectory(place)) {
      return Files.exists(place.resolve(PACKED).resolve("manifest"));
    }
    if (!place.toString().endsWith(".jar") || !Files.exists(place)) {
      return false;
    }
    try (ZipFile jar = new ZipFile(place.toFile())) {
      return jar.getEntry(PACKED + "/manifest") != null;
    } catch (IOException e) {
      throw new MojoExecutionException("The jar " + place + " cannot be read: " + e.getMessage());
    }
  }

  /** Writes the list of the specs for a jar; touches nothing that is right already. */
  void writeManifest(Path resources) throws MojoExecutionException {
    Path file = resources.resolve(PACKED).resolve("manifest");
    byte[] text = (String.join("\n", specs()) + "\n").getBytes(StandardCharsets.UTF_8);
    try {
      if (!Files.exists(file) || !Arrays.equals(Files.readAllBytes(file), text)) {
        Files.createDirectories(file.getParent());
        Files.write(file, text);
      }
    } catch (IOException e) {
      throw new MojoExecutionException(file + " cannot be written: " + e.getMessage());
    }
  }
}
