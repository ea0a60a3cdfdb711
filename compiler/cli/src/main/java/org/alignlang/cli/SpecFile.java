package org.alignlang.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Meaning;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.SourceFile;

/**
 * A spec that was read and compiled.
 *
 * @param folder the folder that it lies in; its imports and data files are relative to it
 * @param source its text
 * @param options how it was compiled
 * @param compilation what came of that
 * @param roots other folders where its imports are looked for
 */
public record SpecFile(
    Path folder,
    SourceFile source,
    CompilerOptions options,
    Compilation compilation,
    List<Path> roots) {

  public SpecFile {
    roots = List.copyOf(roots);
  }

  /** This spec. @throws InvalidSpec if it has errors */
  public SpecFile requireClean() {
    if (compilation.hasErrors()) {
      throw new InvalidSpec(compilation.diagnostics());
    }
    return this;
  }

  /**
   * One of its objectives, checked with values for its parameters.
   *
   * @param name the objective's name; may be left out where there is only one. An imported one is
   *     found too
   * @param values values for parameters by name, see {@link ParameterValues}
   * @param logits actors whose logits are read instead of their log-probabilities
   * @throws UserError if there is no such objective
   * @throws InvalidSpec if the objective has errors with these values
   */
  public CheckedObjective objective(
      Optional<String> name, Map<String, Expression> values, Set<String> logits) {
    Found found = name.map(this::find).orElseGet(this::only);
    DiagnosticSink sink = new DiagnosticSink();
    Optional<CheckedObjective> checked =
        Compiler.check(found.declaration, found.scope, values, logits, options, sink);
    if (checked.isEmpty() || sink.hasErrors()) {
      throw new InvalidSpec(sink.sorted());
    }
    return checked.get();
  }

  /**
   * One of its experiments.
   *
   * @param name the experiment's name; may be left out where there is only one
   * @throws UserError if there is no such experiment
   */
  public Declaration.ExperimentDeclaration experiment(Optional<String> name) {
    List<Declaration.ExperimentDeclaration> all = compilation.experiments();
    if (name.isPresent()) {
      return all.stream()
          .filter(e -> e.name().equals(name.get()))
          .findFirst()
          .orElseThrow(() ->
              unknown("experiment", name.get(), all.stream().map(Declaration::name).toList()));
    }
    return single("experiment", all);
  }

  /**
   * The same spec under the name of its file alone: what is generated from it says the same
   * wherever it is called from.
   */
  public SpecFile portable() {
    String path = source.path();
    return path.startsWith("align:") ? this : named(path.substring(path.lastIndexOf('/') + 1));
  }

  /**
   * The same spec under another name; the names of what it imports tell nothing of this machine.
   */
  public SpecFile named(String name) {
    return Specs.compile(
        folder, new SourceFile(name, source.text()), options.pedantic(), roots, true);
  }

  /** Another text in its place: of the same file, with the same options. */
  public SpecFile with(SourceFile text) {
    return new SpecFile(folder, text, options, Compiler.compile(text, options), roots);
  }

  /** Errors, warnings and notes. */
  public List<Diagnostic> diagnostics() {
    return compilation.diagnostics();
  }

  /** What is wrong with its experiments; objectives that they train are checked once more. */
  public List<Diagnostic> experimentDiagnostics() {
    DiagnosticSink sink = new DiagnosticSink();
    for (Declaration.ExperimentDeclaration experiment : compilation.experiments()) {
      ExperimentCompiler.check(
          experiment, compilation.scope(), folder, options, BackEnds.REFERENCE::kernel, sink);
    }
    return sink.sorted();
  }

  private record Found(Declaration.ObjectiveDeclaration declaration, Scope scope) {}

  private Found find(String name) {
    int dot = name.indexOf('.');
    Optional<Meaning> meaning =
        dot < 0
            ? compilation.scope().find(name)
            : compilation
                .scope()
                .find(name.substring(0, dot))
                .filter(Meaning.ModuleName.class::isInstance)
                .map(Meaning.ModuleName.class::cast)
                .flatMap(m -> m.scope().find(name.substring(dot + 1)));
    return meaning
        .filter(Meaning.ObjectiveName.class::isInstance)
        .map(Meaning.ObjectiveName.class::cast)
        .map(o -> new Found(o.declaration(), o.scope()))
        .orElseThrow(
            () -> unknown("objective", name, declared().stream().map(Declaration::name).toList()));
  }

  private Found only() {
    return new Found(single("objective", declared()), compilation.scope());
  }

  private List<Declaration.ObjectiveDeclaration> declared() {
    return compilation.module().declarations().stream()
        .filter(Declaration.ObjectiveDeclaration.class::isInstance)
        .map(Declaration.ObjectiveDeclaration.class::cast)
        .toList();
  }

  private <D extends Declaration> D single(String what, List<D> all) {
    if (all.isEmpty()) {
      throw new UserError("`" + source.path() + "` declares no " + what);
    }
    if (all.size() > 1) {
      throw new UserError(
          "`%s` declares several %ss; say which: %s"
              .formatted(
                  source.path(),
                  what,
                  String.join(", ", all.stream().map(Declaration::name).toList())));
    }
    return all.getFirst();
  }

  private UserError unknown(String what, String name, List<String> known) {
    String hint =
        Suggestions.nearest(name, known)
            .map(n -> "; did you mean `" + n + "`?")
            .orElse(known.isEmpty() ? "" : "; it has " + String.join(", ", known));
    return new UserError("`" + source.path() + "` has no " + what + " `" + name + "`" + hint);
  }
}
