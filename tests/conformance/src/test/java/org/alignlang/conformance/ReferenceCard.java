package org.alignlang.conformance;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.explain.Explanation;
import org.alignlang.compiler.explain.ObjectiveExplainer;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.kernel.Signature;

/**
 * The standard library on one page: what each declaration is, its formula as the compiler prints
 * it, its source, its name in each training library, what differs, and the findings it accepts. All
 * of it is read from the library's own files: the labels {@code Source:}, {@code Names:} and {@code
 * Differs:} begin paragraphs of documentation.
 */
final class ReferenceCard {
  private static final Pattern ACCEPT =
      Pattern.compile("accept (\\w+)\\s+\"((?:[^\"\\\\]|\\\\.)*)\"");
  private static final Pattern DATED = Pattern.compile("\\(([^()]*\\b(?:19|20)\\d\\d[^()]*)\\)");
  private static final List<String> LABELS = List.of("Source", "Names", "Differs");

  private final StringBuilder page = new StringBuilder();
  private final Map<String, List<String>> names = new TreeMap<>();
  private final Map<String, Compilation> modules = new LinkedHashMap<>();

  private ReferenceCard() {
    for (String path : StandardLibrary.modules()) {
      modules.put(path, StandardObjectives.library(path));
    }
  }

  /** The page. */
  static String markdown() {
    ReferenceCard card = new ReferenceCard();
    StringBuilder entries = new StringBuilder();
    card.modules.forEach(
        (path, compilation) -> card.module(path, compilation.module().declarations(), entries));
    card.introduction();
    card.contents();
    card.index();
    return card.page.append(entries).toString().replaceAll("\n{3,}", "\n\n");
  }

  private void introduction() {
    page.append(
        """
        # The standard library

        Generated from the files beside it, and compared with them by the test suite: `ReferenceCardTest`
        writes it anew with `-Dcard=write`. [coverage.md](coverage.md) says row by row what training
        libraries have and where it is here.

        """);
  }

  private void contents() {
    page.append("## By module\n\n| module | what it has |\n|---|---|\n");
    modules.forEach((path, compilation) ->
        page.append("| [`%s`](#%s) | ".formatted(module(path), anchor(module(path))))
            .append(
                compilation.module().declarations().stream()
                    .map(d -> "[`%s`](#%s)".formatted(d.name(), anchor(d.name())))
                    .collect(Collectors.joining(" ")))
            .append(" |\n"));
  }

  /** What the training libraries call things. */
  private void index() {
    page.append("\n## By the name in a training library\n\n| there | here |\n|---|---|\n");
    names.forEach((name, here) ->
        page.append("| %s | ".formatted(name))
            .append(
                here.stream()
                    .map(h -> "[`%s`](#%s)".formatted(h, anchor(h)))
                    .collect(Collectors.joining(" ")))
            .append(" |\n"));
  }

  private void module(String path, List<Declaration> declarations, StringBuilder out) {
    out.append("\n<a id=\"%s\"></a>\n\n## %s\n".formatted(anchor(module(path)), module(path)));
    String text = StandardLibrary.source(path).orElseThrow();
    String head =
        text.lines()
            .takeWhile(l -> l.startsWith("// ") || l.equals("//"))
            .map(l -> l.substring(2).replaceFirst("^ ", ""))
            .collect(Collectors.joining("\n"));
    out.append('\n').append(head).append('\n');
    for (Declaration declaration : declarations) {
      switch (declaration) {
        case Declaration.ObjectiveDeclaration objective -> entry(path, objective, out);
        case Declaration.EstimatorDeclaration estimator -> entry(path, estimator, out);
        case Declaration.FunctionDeclaration _,
            Declaration.DivergenceDeclaration _,
            Declaration.ExperimentDeclaration _ ->
            small(declaration, out);
      }
    }
  }

  /** A function or a divergence: as it is written. */
  private static void small(Declaration declaration, StringBuilder out) {
    heading(declaration, out);
    out.append("\n```text\n").append(declaration.span().text().strip()).append("\n```\n");
    paragraphs(declaration).forEach(p -> out.append('\n').append(p).append('\n'));
  }

  private void entry(String path, Declaration declaration, StringBuilder out) {
    heading(declaration, out);
    Map<String, String> labelled = new LinkedHashMap<>();
    for (String paragraph : paragraphs(declaration)) {
      Optional<String> label =
          LABELS.stream().filter(l -> paragraph.startsWith(l + ":")).findFirst();
      if (label.isPresent()) {
        labelled.put(
            label.get(), paragraph.substring(label.get().length() + 1).strip().replace('\n', ' '));
      } else {
        out.append('\n').append(paragraph).append('\n');
      }
    }
    labelled.computeIfAbsent("Source", _ -> dated(declaration));
    out.append("\n```text\n").append(formula(path, declaration)).append("\n```\n\n");
    List<String> parameters = parameters(declaration);
    if (!parameters.isEmpty()) {
      out.append("- **Parameters**: %s\n".formatted(String.join(", ", parameters)));
    }
    if (declaration instanceof Declaration.ObjectiveDeclaration objective) {
      out.append(
          "- **Reads**: %s\n".formatted(String.join(", ", tensors(modules.get(path), objective))));
    }
    LABELS.forEach(label -> {
      if (labelled.containsKey(label)) {
        out.append("- **%s**: %s\n".formatted(label, labelled.get(label)));
      }
    });
    List<String> accepted = accepted(declaration);
    if (!accepted.isEmpty()) {
      out.append("- **Findings accepted**: %s\n".formatted(String.join("; ", accepted)));
    }
    for (String name : labelled.getOrDefault("Names", "").split("; ")) {
      names.computeIfAbsent(name.strip(), _ -> new ArrayList<>()).add(declaration.name());
    }
  }

  /** Parameters as they are declared, with their defaults. */
  private static List<String> parameters(Declaration declaration) {
    List<Declaration.Parameter> declared =
        switch (declaration) {
          case Declaration.ObjectiveDeclaration objective -> objective.parameters();
          case Declaration.EstimatorDeclaration estimator -> estimator.parameters();
          default -> List.of();
        };
    return declared.stream()
        .map(p -> "`" + p.span().text().strip().replaceAll("\\s+", " ") + "`")
        .toList();
  }

  /** The tensors of a batch, by their contract names, that the declared form reads. */
  private static List<String> tensors(
      Compilation compilation, Declaration.ObjectiveDeclaration declaration) {
    Signature signature = checked(compilation, declaration).signature();
    return Stream.concat(
            signature.inputs().stream().map(Signature.Input::name),
            signature.grouped() ? Stream.of("group") : Stream.of())
        .map(name -> "`" + name + "`")
        .toList();
  }

  private static CheckedObjective checked(
      Compilation compilation, Declaration.ObjectiveDeclaration declaration) {
    return Compiler.check(
            declaration,
            compilation.scope(),
            Map.of(),
            Set.of(),
            CompilerOptions.defaults(),
            new DiagnosticSink())
        .orElseThrow();
  }

  private static void heading(Declaration declaration, StringBuilder out) {
    String kind =
        switch (declaration) {
          case Declaration.ObjectiveDeclaration _ -> "objective";
          case Declaration.EstimatorDeclaration _ -> "estimator";
          case Declaration.FunctionDeclaration _ -> "fun";
          case Declaration.DivergenceDeclaration _ -> "divergence";
          case Declaration.ExperimentDeclaration _ -> "experiment";
        };
    out.append(
        "\n<a id=\"%s\"></a>\n\n### %s `%s`\n"
            .formatted(anchor(declaration.name()), kind, declaration.name()));
  }

  /** The paragraphs of documentation. */
  static List<String> paragraphs(Declaration declaration) {
    return List.of(declaration.documentation().strip().split("\n\\s*\n"));
  }

  /** The first source that is named in the text. */
  private static String dated(Declaration declaration) {
    return DATED
        .matcher(declaration.documentation().replace('\n', ' '))
        .results()
        .map(r -> r.group(1) + ".")
        .findFirst()
        .orElseThrow(() -> new AssertionError(declaration.name() + " names no source"));
  }

  private static List<String> accepted(Declaration declaration) {
    return ACCEPT
        .matcher(declaration.span().text())
        .results()
        .map(ReferenceCard::finding)
        .distinct()
        .toList();
  }

  private static String finding(MatchResult accept) {
    DiagnosticCode code = DiagnosticCode.find(accept.group(1)).orElseThrow();
    return "%s `%s`, \"%s\"".formatted(code.code(), code.slug(), accept.group(2));
  }

  /** What the compiler prints as the declaration's formula. */
  private String formula(String path, Declaration declaration) {
    if (declaration instanceof Declaration.ObjectiveDeclaration objective) {
      return section(explained(modules.get(path), objective), "As written");
    }
    Declaration.EstimatorDeclaration estimator = (Declaration.EstimatorDeclaration) declaration;
    Compilation compilation =
        Compiler.compile(
            new SourceFile("card.align", StandardObjectives.plain(path, estimator)),
            CompilerOptions.defaults());
    Declaration.ObjectiveDeclaration plain =
        (Declaration.ObjectiveDeclaration) compilation.module().declarations().getFirst();
    String section = section(explained(compilation, plain), "Estimator " + estimator.name());
    // The documentation stands before.
    return section.substring(Math.max(section.indexOf("∇"), 0));
  }

  private static String explained(
      Compilation compilation, Declaration.ObjectiveDeclaration declaration) {
    return ObjectiveExplainer.explain(checked(compilation, declaration), compilation.scope())
        .render(Explanation.Format.UNICODE);
  }

  /** The lines below a heading, without their indentation. */
  private static String section(String explanation, String heading) {
    return explanation
        .lines()
        .dropWhile(l -> !l.equals(heading))
        .skip(1)
        .takeWhile(l -> l.isBlank() || l.startsWith(" "))
        .collect(Collectors.joining("\n"))
        .stripIndent()
        .strip();
  }

  private static String module(String path) {
    return path.startsWith("prelude/")
        ? path.replace('/', ' ').replace(".align", "")
        : "align." + path.replace('/', '.').replaceFirst("\\.align$", "");
  }

  /** Names that differ in case alone have different anchors. */
  private static String anchor(String name) {
    return name.replaceAll("[^\\w.]", "-").toLowerCase(Locale.ROOT)
        + (Character.isUpperCase(name.charAt(0)) ? "-objective" : "");
  }
}
