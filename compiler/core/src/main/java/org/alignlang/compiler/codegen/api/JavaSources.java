package org.alignlang.compiler.codegen.api;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JavaText;

/** Writes the classes of objectives as Java sources below a folder. */
public final class JavaSources {
  private JavaSources() {}

  /**
   * A source file.
   *
   * @param file where it is
   * @param changed whether it had to be written; a file that was right already keeps its time, so
   *     that builds do not compile it anew
   */
  public record Written(Path file, boolean changed) {}

  /** An objective, the package of its classes, and which kernels they have. */
  public record Unit(CheckedObjective objective, String packageName, KernelKind kernels) {}

  /** Writes the classes of objectives into one package; see {@link #write(List, Path)}. */
  public static List<Written> write(
      List<CheckedObjective> objectives, String packageName, Path folder) throws IOException {
    return write(
        objectives.stream().map(o -> new Unit(o, packageName, KernelKind.JVM)).toList(), folder);
  }

  /**
   * Writes the classes of objectives: a typed one, and the kernels behind it.
   *
   * @param units the objectives with their packages
   * @param folder the folder of the source tree; nothing outside it is written
   * @throws IllegalArgumentException if a package has no possible name, or two objectives would be
   *     the same file
   * @throws IOException if a file cannot be written, or a link leads out of the folder
   */
  public static List<Written> write(List<Unit> units, Path folder) throws IOException {
    Map<Path, String> texts = new LinkedHashMap<>();
    Map<String, CheckedObjective> owners = new LinkedHashMap<>();
    for (Unit unit : units) {
      for (GeneratedSource source :
          ObjectiveApi.emit(unit.objective(), unit.packageName(), unit.kernels())) {
        Path file = directory(unit.packageName(), folder).resolve(source.type() + ".java");
        // Some file systems do not tell apart names that differ in case alone.
        CheckedObjective other =
            owners.putIfAbsent(file.toString().toLowerCase(Locale.ROOT), unit.objective());
        if (other != null) {
          throw new IllegalArgumentException(
              "`%s` of `%s` and `%s` of `%s` would be the same file, %s.java"
                  .formatted(
                      other.name(),
                      other.signature().source(),
                      unit.objective().name(),
                      unit.objective().signature().source(),
                      source.type()));
        }
        texts.put(file, source.text());
      }
    }
    List<Written> written = new ArrayList<>();
    for (Map.Entry<Path, String> text : texts.entrySet()) {
      Path directory = Objects.requireNonNull(text.getKey().getParent());
      Files.createDirectories(directory);
      if (!directory.toRealPath().startsWith(folder.toRealPath())) {
        throw new IOException("a link leads out of the output folder");
      }
      written.add(new Written(text.getKey(), writeIfDifferent(text.getKey(), text.getValue())));
    }
    return written;
  }

  private static Path directory(String packageName, Path folder) {
    JavaText.checkPackage(packageName);
    Path directory = folder;
    for (String part : packageName.split("\\.")) {
      directory = directory.resolve(part);
    }
    return directory;
  }

  private static boolean writeIfDifferent(Path file, String text) throws IOException {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    if (Files.isRegularFile(file) && Arrays.equals(Files.readAllBytes(file), bytes)) {
      return false;
    }
    // A link is replaced, not followed: what it points to may lie anywhere.
    if (Files.isSymbolicLink(file)) {
      Files.delete(file);
    }
    Files.write(file, bytes);
    return true;
  }
}
