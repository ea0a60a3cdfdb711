package org.alignlang.cli.explain;

import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.InvalidSpec;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.check.DivergenceRegistry;
import org.alignlang.compiler.check.Meaning;
import org.alignlang.compiler.check.ObjectiveLookup;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticPages;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.explain.DivergenceExplainer;
import org.alignlang.compiler.explain.Explanation;
import org.alignlang.compiler.explain.ObjectiveExplainer;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.syntax.AlignSyntax;

/** Finds out what is to be explained, and explains it. */
public final class ExplainRun {
  private final Output output;
  private final Explanation.Format format;
  private final Map<String, Expression> values;

  /**
   * @param values values for parameters; an objective takes those that it has
   */
  public ExplainRun(Output output, Explanation.Format format, Map<String, Expression> values) {
    this.output = output;
    this.format = format;
    this.values = Map.copyOf(values);
  }

  /** Explains a topic, or lists all of them, and returns the exit code. */
  public int run(Optional<String> topic, boolean all) {
    if (all == topic.isPresent()) {
      throw new UserError(
          all
              ? "`--all` lists everything and takes no topic"
              : "say what to explain: a code such as ALN4004, a spec, or a divergence; `--all`"
                  + " lists what there is");
    }
    if (all) {
      requireNoValues();
    }
    output.out().print(all ? list() : explained(topic.orElseThrow()));
    output.out().flush();
    return ExitCode.CLEAN;
  }

  private String list() {
    StringBuilder list = new StringBuilder("Findings\n");
    for (DiagnosticCode code : DiagnosticCode.values()) {
      list.append(
          "  %s  %-7s  %-20s  %s%n"
              .formatted(code.code(), code.severity().word(), code.slug(), code.title()));
    }
    list.append("\nDivergences\n");
    for (String name : divergences()) {
      list.append("  ").append(name).append('\n');
    }
    return list.toString();
  }

  private String explained(String topic) {
    Optional<DiagnosticCode> code = DiagnosticCode.find(topic);
    boolean spec = code.isEmpty() && isSpec(topic);
    if (!spec) {
      requireNoValues();
    }
    if (code.isPresent()) {
      return page(code.get());
    }
    if (spec) {
      return spec(ObjectiveName.parse(topic));
    }
    return divergence(topic, prelude()).orElseThrow(() -> unknown(topic));
  }

  private void requireNoValues() {
    if (!values.isEmpty()) {
      throw new UserError(
          "`-s` gives a parameter of an objective its value; a divergence has its own in"
              + " parentheses, as in `alpha(a = 0.3)`");
    }
  }

  private static boolean isSpec(String topic) {
    return topic.equals("-")
        || topic.contains("#")
        || topic.contains("/")
        || topic.contains(".")
            && !topic.contains("(")
            && (topic.endsWith(".align") || topic.startsWith("align."))
        || !topic.contains("(") && Files.exists(Specs.path(topic));
  }

  // Findings.

  private String page(DiagnosticCode code) {
    String page = DiagnosticPages.page(code);
    return switch (format) {
      case MARKDOWN -> page;
      case UNICODE -> plain(page);
      case LATEX ->
          throw new UserError(
              "a finding's page is text: `--format latex` is for objectives and divergences");
    };
  }

  /** A page without the marks of Markdown; examples are indented instead of fenced. */
  private static String plain(String page) {
    StringBuilder out = new StringBuilder();
    boolean code = false;
    for (String line : page.split("\n")) {
      if (line.startsWith("```")) {
        code = !code;
        String file = line.substring(3).replaceFirst("^align ?", "");
        if (!file.isEmpty()) {
          out.append("    // ").append(file).append('\n');
        }
      } else {
        String text = line.replaceFirst("^#+ ", "");
        out.append(code && !line.isEmpty() ? "    " : "").append(text).append('\n');
      }
    }
    return out.toString();
  }

  // Objectives.

  private String spec(ObjectiveName name) {
    SpecFile spec = Specs.load(name.file()).requireClean();
    Scope scope = spec.compilation().scope();
    Optional<String> own = name.objective().flatMap(topic -> divergence(topic, scope));
    if (own.isPresent()) {
      requireNoValues();
      return own.get();
    }
    List<String> divergences =
        name.objective().isPresent()
            ? List.of()
            : spec.compilation().module().declarations().stream()
                .filter(Declaration.DivergenceDeclaration.class::isInstance)
                .flatMap(d -> divergence(d.name(), scope).stream())
                .toList();
    List<String> names =
        name.objective()
            .map(List::of)
            .orElseGet(() ->
                spec.compilation().objectives().stream().map(CheckedObjective::name).toList());
    if (names.isEmpty() && divergences.isEmpty()) {
      throw new UserError("`" + spec.source().path() + "` declares no objective and no divergence");
    }
    List<CheckedObjective> objectives =
        names.stream().map(each -> spec.objective(Optional.of(each), Map.of(), Set.of())).toList();
    values.forEach((parameter, value) -> {
      if (objectives.stream().noneMatch(o -> o.parameter(parameter).isPresent())) {
        throw new InvalidSpec(
            List.of(
                Suggestions.meant(
                    Diagnostic.of(
                        DiagnosticCode.UNKNOWN_NAME,
                        value.span(),
                        "`%s` has no parameter called `%s`"
                            .formatted(String.join("`, `", names), parameter)),
                    parameter,
                    objectives.stream()
                        .flatMap(o -> o.declaration().parameters().stream())
                        .map(Declaration.Parameter::name)
                        .toList())));
      }
    });
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      Map<String, Expression> taken = new LinkedHashMap<>(values);
      CheckedObjective plain = objectives.get(i);
      taken.keySet().removeIf(parameter -> plain.parameter(parameter).isEmpty());
      CheckedObjective objective =
          taken.isEmpty() ? plain : spec.objective(Optional.of(names.get(i)), taken, Set.of());
      parts.add(
          ObjectiveExplainer.explain(objective, scope(spec, names.get(i)), taken).render(format));
    }
    parts.addAll(divergences);
    return String.join("\n", parts);
  }

  /** What the objective's own module sees, which may be an imported one. */
  public static Scope scope(SpecFile spec, String name) {
    Scope scope = spec.compilation().scope();
    return AlignSyntax.parseExpression(new SourceFile("<topic>", name), new DiagnosticSink())
        .flatMap(e -> ObjectiveLookup.find(e, scope))
        .map(ObjectiveLookup.Found::scope)
        .orElse(scope);
  }

  // Divergences.

  private static Scope prelude() {
    return Compiler.compile(new SourceFile("<prelude>", ""), CompilerOptions.defaults()).scope();
  }

  private static Set<String> divergences() {
    Scope scope = prelude();
    Set<String> names = new TreeSet<>();
    for (String name : scope.visible()) {
      if (scope.find(name).orElse(null) instanceof Meaning.DivergenceFamily) {
        names.add(name);
      }
    }
    return names;
  }

  private Optional<String> divergence(String topic, Scope scope) {
    DiagnosticSink sink = new DiagnosticSink();
    Optional<Expression> expression =
        AlignSyntax.parseExpression(new SourceFile("<topic>", topic), sink);
    Optional<Divergence> found = expression.flatMap(e -> DivergenceRegistry.find(e, scope, sink));
    if (found.isEmpty() && topic.contains("(") && sink.hasErrors()) {
      throw new UserError("`" + topic + "`: " + sink.sorted().getFirst().message());
    }
    return found.map(
        d -> DivergenceExplainer.explain(d, documentation(scope, topic)).render(format));
  }

  private static String documentation(Scope scope, String topic) {
    int bracket = topic.indexOf('(');
    String name = bracket < 0 ? topic : topic.substring(0, bracket).strip();
    return scope
        .find(name)
        .filter(Meaning.DivergenceFamily.class::isInstance)
        .map(m -> ((Meaning.DivergenceFamily) m).declaration())
        .map(Declaration::documentation)
        .orElse("");
  }

  private static UserError unknown(String topic) {
    List<String> known = new ArrayList<>(divergences());
    Arrays.stream(DiagnosticCode.values())
        .forEach(c -> {
          known.add(c.code());
          known.add(c.slug());
        });
    return new UserError(
        "there is nothing called `"
            + topic
            + "` to explain"
            + Suggestions.nearest(topic, known)
                .map(n -> "; did you mean `" + n + "`?")
                .orElse("; `align explain --all` lists what there is"));
  }
}
