package org.alignlang.cli.emit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.jvm.JavaSources;
import org.alignlang.compiler.source.SourceFolder;

/** Writes the objectives of specs as Java sources. */
public final class JavaGenerator {
  private JavaGenerator() {}

  /**
   * Writes a class for each objective that the arguments name.
   *
   * @param arguments specs, {@code FILE#OBJECTIVE}, or folders of specs
   * @param packageName the package of the classes
   * @param folder the folder of the source tree
   */
  public static List<JavaSources.Written> generate(
      List<String> arguments, String packageName, String folder) {
    List<CheckedObjective> objectives = new ArrayList<>();
    for (String argument : arguments) {
      ObjectiveName name = ObjectiveName.parse(argument);
      for (String file : Specs.expand(List.of(name.file()))) {
        objectives.addAll(objectives(file, name.objective()));
      }
    }
    if (objectives.isEmpty()) {
      throw new UserError("there is no objective in " + String.join(", ", arguments));
    }
    try {
      return JavaSources.write(objectives, packageName, Specs.path(folder));
    } catch (IllegalArgumentException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new UserError("`" + folder + "` cannot be written: " + SourceFolder.reason(e));
    }
  }

  private static List<CheckedObjective> objectives(String file, Optional<String> name) {
    SpecFile read = Specs.load(file).requireClean();
    SpecFile spec =
        read.source().path().startsWith("align:")
            ? read
            : read.named(sourceName(read.source().path()));
    return name.isPresent()
        ? List.of(spec.objective(name, Map.of(), Set.of()))
        : spec.compilation().objectives();
  }

  /** The name of a spec in its sources, which say the same wherever they are generated. */
  private static String sourceName(String file) {
    boolean portable = !Specs.path(file).isAbsolute() && !file.contains("..");
    return portable ? file : file.substring(file.lastIndexOf('/') + 1);
  }
}
