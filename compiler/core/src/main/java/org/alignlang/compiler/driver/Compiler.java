package org.alignlang.compiler.driver;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.LibraryChecker;
import org.alignlang.compiler.check.ModuleLoader;
import org.alignlang.compiler.check.ObjectiveChecker;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;

/** The compiler, phase by phase. Stateless and thread-safe. */
public final class Compiler {
  private Compiler() {}

  /**
   * Compiles a text that imports no files.
   *
   * @param name the name under which messages and generated sources show it, such as {@code
   *     dpo.align}
   * @param text the spec
   */
  public static Compilation compile(String name, String text) {
    return compile(new SourceFile(name, text), CompilerOptions.defaults());
  }

  /**
   * Compiles a module: loads it with its imports, checks its declarations, and turns its objectives
   * into programs. Never throws for what a text contains; findings are in the result.
   */
  public static Compilation compile(SourceFile source, CompilerOptions options) {
    DiagnosticSink sink = new DiagnosticSink();
    ModuleLoader loader = new ModuleLoader(options.resolver(), sink);
    ModuleLoader.Loaded loaded = loader.load(source);
    List<CheckedObjective> objectives = new ArrayList<>();
    for (Declaration declaration : loaded.module().declarations()) {
      switch (declaration) {
        case Declaration.ObjectiveDeclaration objective ->
            check(objective, loaded.scope(), Map.of(), Set.of(), options, sink)
                .ifPresent(objectives::add);
        case Declaration.EstimatorDeclaration estimator ->
            LibraryChecker.check(estimator, loaded.scope(), options.pedantic(), sink);
        case Declaration.DivergenceDeclaration divergence ->
            LibraryChecker.check(divergence, loaded.scope(), sink);
        case Declaration.FunctionDeclaration function ->
            LibraryChecker.check(function, loaded.scope(), sink);
        case Declaration.ExperimentDeclaration _ -> {}
      }
    }
    return new Compilation(
        loaded.module(), loaded.scope(), loader.sources(), objectives, sink.sorted());
  }

  /**
   * Checks one objective with values for its parameters.
   *
   * @param declaration the objective
   * @param scope what its module sees
   * @param values values for parameters by name, in place of their defaults
   * @param logits actors whose logits are read instead of their log-probabilities
   */
  public static Optional<CheckedObjective> check(
      Declaration.ObjectiveDeclaration declaration,
      Scope scope,
      Map<String, Expression> values,
      Set<String> logits,
      CompilerOptions options,
      DiagnosticSink sink) {
    return ObjectiveChecker.check(
        declaration, scope, values, logits, options.simplify(), options.pedantic(), sink);
  }
}
