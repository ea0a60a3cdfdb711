package org.alignlang.conformance.fuzz;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.DivergenceRegistry;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.codegen.JvmBackEnd;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.FullRenderer;
import org.alignlang.compiler.diagnostic.GithubRenderer;
import org.alignlang.compiler.diagnostic.Palette;
import org.alignlang.compiler.diagnostic.ShortRenderer;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.emit.GraphPrinter;
import org.alignlang.compiler.emit.TokenPrinter;
import org.alignlang.compiler.emit.TreePrinter;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.explain.DivergenceExplainer;
import org.alignlang.compiler.explain.Explanation;
import org.alignlang.compiler.explain.ObjectiveExplainer;
import org.alignlang.compiler.format.Formatter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceResolver;
import org.alignlang.compiler.source.Span;
import org.alignlang.compiler.source.UnreadableSourceException;
import org.alignlang.compiler.syntax.AlignSyntax;

/**
 * Everything that the command line does with a text, one after the other: parse, check, show the
 * findings, lay out, print every stage, explain, and generate Java. Whatever the text is, nothing
 * of it may fail.
 *
 * <p>A function of strings, so that it can be loaded by another class loader: it takes a spec and
 * gives what came of it, in one word.
 */
public final class Pipeline implements Function<String, String> {
  private static final String NAME = "fuzzed.align";

  /** Files that specs may import. */
  private static final Map<String, String> NEIGHBOURS =
      Map.of(
          "other.align",
          "fun twice(x: Real) = 2 * x\nobjective Other { policy pi minimize"
              + " -mean[sequence](log(pi(y))) }\n",
          "broken.align",
          "fun (",
          "cycle.align",
          "import \"fuzzed.align\"\n");

  @Override
  public String apply(String text) {
    SourceFile source = new SourceFile(NAME, text);
    SourceResolver resolver =
        path -> {
          if (path.equals(NAME)) {
            return source;
          }
          String found = NEIGHBOURS.get(path);
          if (found == null) {
            throw new UnreadableSourceException("there is no file `" + path + "`");
          }
          return new SourceFile(path, found);
        };
    CompilerOptions options =
        CompilerOptions.defaults().withResolver(resolver).withPedantic(text.length() % 2 == 0);
    Compilation compilation = Compiler.compile(source, options);
    show(compilation.diagnostics());
    TokenPrinter.print(source);
    TreePrinter.print(compilation.module());
    layOut(source);
    for (Declaration.ExperimentDeclaration experiment : compilation.experiments()) {
      DiagnosticSink sink = new DiagnosticSink();
      ExperimentCompiler.compile(
          experiment,
          compilation.scope(),
          Path.of("no/such/folder"),
          options,
          BackEnds.REFERENCE::kernel,
          ExperimentCompiler.Overrides.NONE,
          sink);
      show(sink.sorted());
    }
    for (CheckedObjective objective : compilation.objectives()) {
      print(objective, compilation);
    }
    for (Declaration declaration : compilation.module().declarations()) {
      if (declaration instanceof Declaration.DivergenceDeclaration && !compilation.hasErrors()) {
        AlignSyntax.parseExpression(
                new SourceFile("<topic>", declaration.name()), new DiagnosticSink())
            .flatMap(e -> DivergenceRegistry.find(e, compilation.scope(), new DiagnosticSink()))
            .ifPresent(d ->
                DivergenceExplainer.explain(d, declaration.documentation())
                    .render(Explanation.Format.UNICODE));
      }
    }
    if (!compilation.hasErrors()) {
      return compilation.objectives().isEmpty() ? "clean" : "compiled";
    }
    boolean parsed =
        compilation.diagnostics().stream()
            .filter(Diagnostic::isError)
            .noneMatch(d -> d.code().code().startsWith("ALN1"));
    return parsed ? "checked" : "parsed";
  }

  private static void show(List<Diagnostic> diagnostics) {
    new FullRenderer(Palette.PLAIN).render(diagnostics);
    new ShortRenderer(Palette.PLAIN).render(diagnostics);
    new GithubRenderer().render(diagnostics);
    for (Diagnostic diagnostic : diagnostics) {
      if (diagnostic.code() == DiagnosticCode.INTERNAL) {
        throw new IllegalStateException(diagnostic.toString());
      }
      Span span = diagnostic.span();
      if (span.end() > span.source().text().length()) {
        throw new IllegalStateException(diagnostic + " ends behind its file");
      }
    }
  }

  private static void layOut(SourceFile source) {
    if (Formatter.format(source) instanceof Formatter.Outcome.Formatted formatted) {
      String once = formatted.text();
      if (!(Formatter.format(new SourceFile(NAME, once))
              instanceof Formatter.Outcome.Formatted twice)
          || !twice.text().equals(once)) {
        throw new IllegalStateException("laid out twice it changes: " + once);
      }
    }
  }

  private static void print(CheckedObjective objective, Compilation compilation) {
    GraphPrinter.typed(objective);
    GraphPrinter.graph(objective);
    GraphPrinter.gradient(objective);
    Explanation explanation = ObjectiveExplainer.explain(objective, compilation.scope());
    for (Explanation.Format format : Explanation.Format.values()) {
      explanation.render(format);
    }
    JvmBackEnd.source(objective, "generated").toString();
    DiagnosticSink sink = new DiagnosticSink();
    Compiler.check(
        objective.declaration(),
        compilation.scope(),
        Map.of(),
        Set.copyOf(objective.actors().keySet()),
        CompilerOptions.defaults(),
        sink);
    show(sink.sorted());
  }
}
