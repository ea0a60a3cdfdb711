package org.alignlang.cli.emit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.cli.InvalidSpec;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.api.JavaSources;
import org.alignlang.compiler.codegen.api.KernelKind;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
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
   * @param values values for parameters; an objective takes those that it has
   * @param kernels which kernels the classes have
   * @throws InvalidSpec if no objective has a parameter for one of the values
   */
  public static List<JavaSources.Written> generate(
      List<String> arguments,
      String packageName,
      String folder,
      Map<String, Expression> values,
      KernelKind kernels) {
    List<CheckedObjective> objectives = new ArrayList<>();
    for (String argument : arguments) {
      ObjectiveName name = ObjectiveName.parse(argument);
      for (String file : Specs.expand(List.of(name.file()))) {
        objectives.addAll(objectives(file, name.objective(), values));
      }
    }
    if (objectives.isEmpty()) {
      throw new UserError("there is no objective in " + String.join(", ", arguments));
    }
    requireTaken(objectives, values);
    try {
      return JavaSources.write(
          objectives.stream().map(o -> new JavaSources.Unit(o, packageName, kernels)).toList(),
          Specs.path(folder));
    } catch (IllegalArgumentException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new UserError("`" + folder + "` cannot be written: " + SourceFolder.reason(e));
    }
  }

  /** Every value belongs to a parameter. @throws InvalidSpec if one does not */
  static void requireTaken(List<CheckedObjective> objectives, Map<String, Expression> values) {
    values.forEach((name, value) -> {
      if (objectives.stream().noneMatch(o -> o.parameter(name).isPresent())) {
        String message = "no objective that is generated has a parameter called `" + name + "`";
        throw new InvalidSpec(
            List.of(Diagnostic.of(DiagnosticCode.UNKNOWN_NAME, value.span(), message)));
      }
    });
  }

  private static List<CheckedObjective> objectives(
      String file, Optional<String> name, Map<String, Expression> values) {
    return objectives(Specs.load(file).requireClean().portable(), name, values);
  }

  /** The objectives of a spec, each with those of the values that it has a parameter for. */
  static List<CheckedObjective> objectives(
      SpecFile spec, Optional<String> name, Map<String, Expression> values) {
    List<CheckedObjective> chosen =
        name.isPresent()
            ? List.of(spec.objective(name, Map.of(), Set.of()))
            : spec.compilation().objectives();
    if (values.isEmpty()) {
      return chosen;
    }
    List<CheckedObjective> set = new ArrayList<>();
    for (CheckedObjective objective : chosen) {
      Map<String, Expression> own = new LinkedHashMap<>(values);
      own.keySet().removeIf(parameter -> objective.parameter(parameter).isEmpty());
      Optional<String> which = name.isPresent() ? name : Optional.of(objective.name());
      set.add(spec.objective(which, own, Set.of()));
    }
    return set;
  }
}
