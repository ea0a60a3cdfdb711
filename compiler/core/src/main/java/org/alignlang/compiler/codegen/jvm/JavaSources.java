package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.JavaFile;
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
import org.alignlang.compiler.check.CheckedObjective;

/** Writes the kernels of objectives as Java sources below a folder. */
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

  /**
   * Writes one class for each objective.
   *
   * @param objectives the objectives
   * @param packageName the package of all classes
   * @param folder the folder of the source tree; nothing outside it is written
   * @throws IllegalArgumentException if the package has no possible name, or two objectives would
   *     be the same file
   * @throws IOException if a file cannot be written, or a link leads out of the folder
   */
  public static List<Written> write(
      List<CheckedObjective> objectives, String packageName, Path folder) throws IOException {
    Map<String, String> texts = new LinkedHashMap<>();
    Map<String, CheckedObjective> owners = new LinkedHashMap<>();
    for (CheckedObjective objective : objectives) {
      JavaFile source = JvmBackEnd.source(objective, packageName);
      String name = source.typeSpec().name();
      // Some file systems do not tell apart names that differ in case alone.
      CheckedObjective other = owners.putIfAbsent(name.toLowerCase(Locale.ROOT), objective);
      if (other != null) {
        throw new IllegalArgumentException(
            "`%s` of `%s` and `%s` of `%s` would be the same file, %s.java"
                .formatted(
                    other.name(),
                    other.signature().source(),
                    objective.name(),
                    objective.signature().source(),
                    name));
      }
      texts.put(name, source.toString());
    }
    Path directory = folder;
    for (String part : packageName.split("\\.")) {
      directory = directory.resolve(part);
    }
    Files.createDirectories(directory);
    if (!directory.toRealPath().startsWith(folder.toRealPath())) {
      throw new IOException("a link leads out of the output folder");
    }
    List<Written> written = new ArrayList<>();
    for (Map.Entry<String, String> text : texts.entrySet()) {
      Path file = directory.resolve(text.getKey() + ".java");
      written.add(new Written(file, writeIfDifferent(file, text.getValue())));
    }
    return written;
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
