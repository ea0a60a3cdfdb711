package org.alignlang.compiler.explain;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.DivergenceRegistry;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Golden explanations. With {@code -Dalign.golden.update=true} the files are written anew, and the
 * tests still fail where they changed.
 */
class ExplanationTest {
  private static final Path GOLDEN =
      Path.of("src/test/resources/org/alignlang/compiler/explain/golden");

  /** What KaTeX supports of what is written; all of it is in its list of functions. */
  private static final Set<String> COMMANDS =
      Set.of(
          "alpha",
          "beta",
          "gamma",
          "delta",
          "varepsilon",
          "ldots",
          "eta",
          "kappa",
          "lambda",
          "mu",
          "nu",
          "pi",
          "rho",
          "sigma",
          "tau",
          "theta",
          "omega",
          "log",
          "exp",
          "max",
          "min",
          "tanh",
          "arctan",
          "sum",
          "frac",
          "succ",
          "sqrt",
          "left",
          "right",
          "lvert",
          "rvert",
          "lfloor",
          "rfloor",
          "operatorname",
          "mathrm",
          "mathcal",
          "mathbb",
          "text",
          "cdot",
          "le",
          "ge",
          "ne",
          "sim",
          "propto",
          "quad",
          "qquad",
          "nabla",
          "approx",
          "partial",
          "leftarrow",
          "Delta",
          "in",
          "begin",
          "end",
          "infty",
          "lnot",
          "land",
          "lor",
          "big",
          "|");

  private static Compilation compile(String path) {
    String text =
        path.startsWith("align:")
            ? StandardLibrary.source(path.substring(6)).orElseThrow()
            : resource(path);
    Compilation compiled = Compiler.compile(new SourceFile(path, text), CompilerOptions.defaults());
    assertThat(compiled.hasErrors()).as(compiled.diagnostics().toString()).isFalse();
    return compiled;
  }

  private static String resource(String name) {
    try (InputStream in = ExplanationTest.class.getResourceAsStream(name)) {
      return new String(
          java.util.Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Explanation objective(String path, String name) {
    Compilation compiled = compile(path);
    return ObjectiveExplainer.explain(compiled.objective(name).orElseThrow(), compiled.scope());
  }

  private static Explanation divergence(String name) {
    Compilation prelude = compile("align:prelude/divergences.align");
    Declaration declaration =
        prelude.module().declarations().stream()
            .filter(d -> d.name().equals(name))
            .findFirst()
            .orElseThrow();
    return DivergenceExplainer.explain(
        DivergenceRegistry.find(
                new Expression.NameReference(declaration.nameSpan(), name),
                prelude.scope(),
                new DiagnosticSink())
            .orElseThrow(),
        declaration.documentation());
  }

  record Golden(String file, Explanation explanation, Explanation.Format format) {
    @Override
    public String toString() {
      return file;
    }
  }

  private static final String OWN = "objectives.align";

  static Stream<Golden> golden() {
    return Stream.of(
        new Golden("quickstart.txt", objective(OWN, "SafeHelpful"), Explanation.Format.UNICODE),
        new Golden("quickstart.md", objective(OWN, "SafeHelpful"), Explanation.Format.MARKDOWN),
        new Golden("dpo.txt", objective(OWN, "PlainDpo"), Explanation.Format.UNICODE),
        new Golden("dpo.tex", objective(OWN, "PlainDpo"), Explanation.Format.LATEX),
        new Golden("grpo.txt", objective(OWN, "Grpo"), Explanation.Format.UNICODE),
        new Golden("grpo.md", objective(OWN, "Grpo"), Explanation.Format.MARKDOWN),
        new Golden("target.txt", objective(OWN, "Fit"), Explanation.Format.UNICODE),
        new Golden("distill.txt", objective(OWN, "Distill"), Explanation.Format.UNICODE),
        new Golden("distill.md", objective(OWN, "Distill"), Explanation.Format.MARKDOWN),
        new Golden("multipliers.txt", objective(OWN, "Bounded"), Explanation.Format.UNICODE),
        new Golden("sorted.txt", objective(OWN, "SortedDistill"), Explanation.Format.UNICODE),
        new Golden("sorted.md", objective(OWN, "SortedDistill"), Explanation.Format.MARKDOWN),
        new Golden("pairs.txt", objective(OWN, "SortedPairs"), Explanation.Format.UNICODE),
        new Golden("mixed.txt", objective(OWN, "Mixed"), Explanation.Format.UNICODE),
        new Golden("kl.txt", divergence("KL"), Explanation.Format.UNICODE),
        new Golden("chi_squared.md", divergence("chi_squared"), Explanation.Format.MARKDOWN),
        new Golden("jensen_shannon.txt", divergence("jensen_shannon"), Explanation.Format.UNICODE),
        new Golden(
            "total_variation.txt", divergence("total_variation"), Explanation.Format.UNICODE));
  }

  @ParameterizedTest
  @MethodSource("golden")
  void explanationIsAsRecorded(Golden golden) throws IOException {
    String actual = golden.explanation().render(golden.format());
    Path file = GOLDEN.resolve(golden.file());
    String expected = Files.exists(file) ? Files.readString(file) : "";
    if (Boolean.getBoolean("align.golden.update")) {
      Files.createDirectories(GOLDEN);
      Files.writeString(file, actual);
    }
    assertThat(actual).isEqualTo(expected);
  }

  @Test
  void everyGoldenFileIsCompared() throws IOException {
    try (Stream<Path> files = Files.list(GOLDEN)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(golden().map(Golden::file).toList());
    }
  }

  /** A name that a spec gives to a density is that of the density in all equations. */
  @Test
  void aNameStandsForOneThing() {
    String text =
        explained(
            """
            objective Two {
              policy    pi
              reference ref
              reward    r: sequence
              let p = pi(y) / ref(y)
              let q = p * exp(r) / 2
              minimize mean[sequence](p * log(q) + q)
            }
            """);

    assertThat(text).contains("q = p exp(r(y))/2", "ℒ = (1/N) ∑_y (p log q + q)");
    assertThat(text).doesNotContain("q = log");
  }

  /** What an estimator and an objective call alike are two things, and get two names. */
  @Test
  void twoThingsHaveTwoNames() {
    String text =
        explained(
            """
            objective Alike(beta: Real = 0.1) {
              policy    pi
              reward    r: sequence
              feature   x: sequence
              let a = exp(x * log(pi(y)))
              maximize E[r] - beta * mean[sequence](a^2 + a)
              estimate with rloo()
            }
            """);
    List<String> named =
        text.lines().map(String::strip).filter(line -> line.startsWith("a = ")).toList();

    assertThat(named).as(text).hasSize(3);
    assertThat(named.subList(0, 2)).as("as written").doesNotHaveDuplicates();
  }

  private static String explained(String spec) {
    Compilation compiled =
        Compiler.compile(new SourceFile("own.align", spec), CompilerOptions.defaults());
    assertThat(compiled.hasErrors()).as(compiled.diagnostics().toString()).isFalse();
    return ObjectiveExplainer.explain(compiled.objectives().getFirst(), compiled.scope())
        .render(Explanation.Format.UNICODE);
  }

  static Stream<String> library() {
    return StandardLibrary.paths().stream();
  }

  /** Every objective of the library can be explained, in LaTeX that has a chance. */
  @ParameterizedTest
  @MethodSource("library")
  void libraryCanBeExplained(String path) {
    Compilation compiled = compile("align:" + path);
    for (CheckedObjective objective : compiled.objectives()) {
      Explanation explanation = ObjectiveExplainer.explain(objective, compiled.scope());
      assertThat(explanation.render(Explanation.Format.UNICODE))
          .contains("Loss", "Gradient", "∂ℒ/∂")
          .doesNotContain("\\", "null");
      for (String formula : formulas(explanation.render(Explanation.Format.MARKDOWN))) {
        checkLatex(formula);
      }
    }
  }

  private static List<String> formulas(String markdown) {
    List<String> found = new ArrayList<>();
    Matcher matcher =
        Pattern.compile("\\$\\$(.+?)\\$\\$|\\$(.+?)\\$", Pattern.DOTALL).matcher(markdown);
    while (matcher.find()) {
      found.add(matcher.group(1) != null ? matcher.group(1) : matcher.group(2));
    }
    return found;
  }

  private static void checkLatex(String formula) {
    Set<String> unknown = new TreeSet<>();
    Matcher command = Pattern.compile("\\\\([A-Za-z]+)").matcher(formula);
    while (command.find()) {
      if (!COMMANDS.contains(command.group(1))) {
        unknown.add(command.group(1));
      }
    }
    assertThat(unknown).as("commands in %s", formula).isEmpty();
    Deque<Character> open = new ArrayDeque<>();
    int delimiters = 0;
    for (int i = 0; i < formula.length(); i++) {
      char c = formula.charAt(i);
      if (c == '\\' && i + 1 < formula.length()) {
        delimiters +=
            formula.startsWith("\\left", i) && !formula.startsWith("\\leftarrow", i) ? 1 : 0;
        delimiters -= formula.startsWith("\\right", i) ? 1 : 0;
        i++;
      } else if (c == '{') {
        open.push(c);
      } else if (c == '}') {
        assertThat(open).as("braces of %s", formula).isNotEmpty();
        open.pop();
      }
    }
    assertThat(open).as("braces of %s", formula).isEmpty();
    assertThat(delimiters).as("delimiters of %s", formula).isZero();
    // An underscore within words is an error in KaTeX.
    assertThat(formula).doesNotContainPattern("\\\\text\\{[^}]*[^\\\\]_");
    assertThat(formula.chars().filter(c -> c > 127 && !Character.isLetter(c)).count())
        .as("signs in %s", formula)
        .isZero();
  }
}
