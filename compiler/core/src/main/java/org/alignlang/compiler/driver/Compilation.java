package org.alignlang.compiler.driver;

import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.source.SourceFile;

/**
 * The result of compiling one module: everything that was found out, errors included.
 *
 * @param module the syntax tree
 * @param scope what the module's declarations see
 * @param sources the module's file and those that it imports
 * @param objectives its objectives that are free of errors, checked with their default parameters
 * @param diagnostics all findings, ordered by file and position
 */
public record Compilation(
    Module module,
    Scope scope,
    List<SourceFile> sources,
    List<CheckedObjective> objectives,
    List<Diagnostic> diagnostics) {

  public Compilation {
    sources = List.copyOf(sources);
    objectives = List.copyOf(objectives);
    diagnostics = List.copyOf(diagnostics);
  }

  public boolean hasErrors() {
    return diagnostics.stream().anyMatch(Diagnostic::isError);
  }

  /** The checked objective of this name. */
  public Optional<CheckedObjective> objective(String name) {
    return objectives.stream().filter(o -> o.name().equals(name)).findFirst();
  }

  /** The experiments that the module declares. */
  public List<Declaration.ExperimentDeclaration> experiments() {
    return module.declarations().stream()
        .filter(Declaration.ExperimentDeclaration.class::isInstance)
        .map(Declaration.ExperimentDeclaration.class::cast)
        .toList();
  }
}
