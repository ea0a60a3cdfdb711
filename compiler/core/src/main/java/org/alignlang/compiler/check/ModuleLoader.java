package org.alignlang.compiler.check;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceResolver;
import org.alignlang.compiler.source.Span;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.source.UnreadableSourceException;
import org.alignlang.compiler.syntax.AlignSyntax;

/**
 * Loads a module with everything that it imports, and gives each its scope: the prelude outermost,
 * then what it imports, then what it declares. A module may hide a name of the prelude, but not one
 * that it imports.
 */
public final class ModuleLoader {
  private static final String LIBRARY = "align.";

  private final SourceResolver resolver;
  private final DiagnosticSink sink;
  private final Map<String, Scope> loaded = new HashMap<>();
  private final Deque<String> loading = new ArrayDeque<>();
  private final List<SourceFile> sources = new ArrayList<>();
  private Optional<Scope> prelude = Optional.empty();

  /**
   * A module with its scope.
   *
   * @param module the syntax tree
   * @param scope what its declarations see
   */
  public record Loaded(Module module, Scope scope) {}

  public ModuleLoader(SourceResolver resolver, DiagnosticSink sink) {
    this.resolver = resolver;
    this.sink = sink;
  }

  /** Loads a file and what it imports. */
  public Loaded load(SourceFile source) {
    boolean library = source.path().startsWith("align:");
    // Imports are relative to the file's folder, wherever a message says that the file is.
    String name = source.path().substring(source.path().lastIndexOf('/') + 1);
    return load(source, library ? source.path() : "file:" + name, "", library);
  }

  /** All files that were read, the main one first, the prelude's left out. */
  public List<SourceFile> sources() {
    return List.copyOf(sources);
  }

  private Scope prelude() {
    if (prelude.isEmpty()) {
      Scope scope = Scope.empty();
      prelude = Optional.of(scope);
      for (String path : StandardLibrary.paths()) {
        if (path.startsWith("prelude/")) {
          declareLater(LibraryModule.of(path).orElseThrow(), scope);
        }
      }
    }
    return prelude.get();
  }

  private static void declareLater(LibraryModule module, Scope scope) {
    for (String name : module.names()) {
      scope.declareLater(name, () -> meaning(module.declaration(name), scope));
    }
  }

  /** A file of the standard library, of which only what is used is read. */
  private Scope load(LibraryModule module, String key) {
    loading.push(key);
    try {
      sources.add(module.source());
      Scope imports = prelude().inner();
      for (Module.Import imported : module.imports()) {
        importInto(imported, imports, "", true);
      }
      Scope own = imports.inner();
      declareLater(module, own);
      loaded.put(key, own);
      return own;
    } finally {
      loading.pop();
    }
  }

  private Loaded load(SourceFile source, String key, String folder, boolean library) {
    loading.push(key);
    try {
      sources.add(source);
      Module module = AlignSyntax.parse(source, sink).module();
      Scope imports = prelude().inner();
      Scope own = imports.inner();
      for (Module.Import imported : module.imports()) {
        importInto(imported, imports, folder, library);
      }
      for (Declaration declaration : module.declarations()) {
        if (imports.declares(declaration.name())) {
          clash(declaration.nameSpan(), declaration.name(), "an imported file declares");
        } else {
          declare(declaration, own);
        }
      }
      loaded.put(key, own);
      return new Loaded(module, own);
    } finally {
      loading.pop();
    }
  }

  private void clash(Span span, String name, String who) {
    sink.report(
        Diagnostic.of(DiagnosticCode.DUPLICATE_NAME, span, who + " `" + name + "` too")
            .withHelp("rename one of them, or import with `as`"));
  }

  private void importInto(Module.Import imported, Scope imports, String folder, boolean library) {
    Optional<Scope> found = imported.local() ? local(imported, folder, library) : library(imported);
    if (found.isEmpty()) {
      return;
    }
    Scope theirs = found.get();
    if (imported.alias().isPresent()) {
      String alias = imported.alias().get();
      if (imports.declares(alias)) {
        clash(imported.span(), alias, "another import is called");
      }
      imports.declare(alias, new Meaning.ModuleName(alias, theirs));
      return;
    }
    for (String name : theirs.ownNames()) {
      if (!imports.declares(name)) {
        imports.declareLater(name, () -> theirs.own(name).orElseThrow());
      } else if (!imports.own(name).equals(theirs.own(name))) {
        clash(imported.span(), name, "two imports declare");
      }
    }
  }

  private Optional<Scope> library(Module.Import imported) {
    String path =
        imported.path().startsWith(LIBRARY)
            ? imported.path().substring(LIBRARY.length()).replace('.', '/') + ".align"
            : "";
    Optional<LibraryModule> module = path.isEmpty() ? Optional.empty() : LibraryModule.of(path);
    if (module.isEmpty()) {
      List<String> known =
          StandardLibrary.modules().stream()
              .filter(p -> !p.startsWith("prelude/"))
              .map(p -> LIBRARY + p.replace(".align", "").replace('/', '.'))
              .toList();
      Diagnostic diagnostic =
          Diagnostic.of(
              DiagnosticCode.UNKNOWN_IMPORT,
              imported.span(),
              "the standard library has no `" + imported.path() + "`");
      sink.report(
          Suggestions.meant(
              diagnostic.withHelp(
                  "files of your own are imported by their path: `import \"losses.align\"`"),
              imported.path(),
              known));
      return Optional.empty();
    }
    String key = "align:" + path;
    return cached(key, imported, () -> load(module.get(), key));
  }

  private Optional<Scope> local(Module.Import imported, String folder, boolean library) {
    if (library) {
      unknown(imported, "the standard library imports nothing by path");
      return Optional.empty();
    }
    Optional<String> path = normalize(folder, imported.path());
    if (path.isEmpty() || !imported.path().endsWith(".align")) {
      unknown(
          imported,
          path.isEmpty()
              ? "an import must stay inside the folder of the spec"
              : "an import names an `.align` file");
      return Optional.empty();
    }
    String key = "file:" + path.get();
    if (loaded.containsKey(key) || loading.contains(key)) {
      return cached(key, imported, () -> loaded.get(key));
    }
    try {
      SourceFile source = resolver.resolve(path.get());
      int slash = path.get().lastIndexOf('/');
      String inside = slash < 0 ? "" : path.get().substring(0, slash);
      return cached(key, imported, () -> load(source, key, inside, false).scope());
    } catch (UnreadableSourceException e) {
      unknown(imported, String.valueOf(e.getMessage()));
      return Optional.empty();
    }
  }

  private void unknown(Module.Import imported, String message) {
    sink.report(Diagnostic.of(DiagnosticCode.UNKNOWN_IMPORT, imported.span(), message));
  }

  private Optional<Scope> cached(String key, Module.Import imported, Supplier<Scope> load) {
    if (loading.contains(key)) {
      sink.report(
          Diagnostic.of(
                  DiagnosticCode.IMPORT_CYCLE,
                  imported.span(),
                  "`" + imported.path() + "` is being loaded already: files import each other")
              .withHelp("move what both need into a third file"));
      return Optional.empty();
    }
    if (loading.size() > 64) {
      unknown(imported, "imports are nested too deeply");
      return Optional.empty();
    }
    Scope known = loaded.get(key);
    return Optional.of(known != null ? known : load.get());
  }

  /** A path relative to the root folder, or empty if it leads out of it. */
  private static Optional<String> normalize(String folder, String path) {
    if (path.startsWith("/") || path.contains("\\") || path.contains(":")) {
      return Optional.empty();
    }
    Deque<String> parts = new ArrayDeque<>();
    String whole = folder.isEmpty() ? path : folder + "/" + path;
    for (String part : whole.split("/")) {
      if (part.equals("..")) {
        if (parts.isEmpty()) {
          return Optional.empty();
        }
        parts.removeLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        parts.addLast(part);
      }
    }
    return parts.isEmpty() ? Optional.empty() : Optional.of(String.join("/", parts));
  }

  private void declare(Declaration declaration, Scope scope) {
    if (scope.declares(declaration.name())) {
      sink.report(
          Diagnostic.of(
              DiagnosticCode.DUPLICATE_NAME,
              declaration.nameSpan(),
              "`" + declaration.name() + "` is declared twice"));
      return;
    }
    scope.declare(declaration.name(), meaning(declaration, scope));
  }

  private static Meaning meaning(Declaration declaration, Scope scope) {
    return switch (declaration) {
      case Declaration.DivergenceDeclaration d -> new Meaning.DivergenceFamily(d, scope);
      case Declaration.FunctionDeclaration f ->
          new Meaning.FunctionName(f.name(), f.parameters(), f.lets(), f.body(), scope);
      case Declaration.EstimatorDeclaration e -> new Meaning.EstimatorName(e, scope);
      case Declaration.ObjectiveDeclaration o -> new Meaning.ObjectiveName(o, scope);
      case Declaration.ExperimentDeclaration x -> new Meaning.ExperimentName(x, scope);
    };
  }
}
