package org.alignlang.compiler.fix;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class FixApplierTest {

  static List<Diagnostic> findings(SourceFile source) {
    CompilerOptions options = CompilerOptions.defaults().withPedantic(true);
    Compilation compiled = Compiler.compile(source, options);
    DiagnosticSink sink = new DiagnosticSink();
    compiled.diagnostics().forEach(sink::report);
    for (Declaration.ExperimentDeclaration experiment : compiled.experiments()) {
      ExperimentCompiler.compile(
          experiment,
          compiled.scope(),
          Path.of(""),
          options,
          objective -> new InterpretedKernel(objective.program()),
          ExperimentCompiler.Overrides.NONE,
          sink);
    }
    return sink.sorted();
  }

  private static FixApplier.Outcome fix(String text, boolean suggestions) {
    return new FixApplier(FixApplierTest::findings, suggestions)
        .apply(new SourceFile("spec.align", text));
  }

  /** A change that is made unasked: the finding, a line before, and the line after. */
  static Stream<Arguments> safe() {
    return Stream.of(
        one("ALN1002", "let h = log(pi(y));", "let h = log(pi(y))"),
        one("ALN1002", "let h = log(pi(y)) # kept", "let h = log(pi(y)) // kept"),
        one(
            "ALN1002",
            "let h = if r > 0 && r < 1 then log(pi(y)) else 0",
            "let h = if r > 0 and r < 1 then log(pi(y)) else 0"),
        one(
            "ALN1002",
            "let h = if !(r > 0) then log(pi(y)) else 0",
            "let h = if not (r > 0) then log(pi(y)) else 0"),
        one("ALN1001", "let h := log(pi(y))", "let h = log(pi(y))"),
        one("ALN1001", "lett h = log(pi(y))", "let h = log(pi(y))"),
        one("ALN1001", "val h = log(pi(y))", "let h = log(pi(y))"),
        one("ALN1001", "let h = 2log(pi(y))", "let h = 2 * log(pi(y))"),
        one("ALN1001", "let h = .5 * log(pi(y))", "let h = 0.5 * log(pi(y))"),
        one("ALN1001", "let h = log(pi(y))**2", "let h = log(pi(y))^2"),
        one(
            "ALN1001",
            "let h = if r => 0 then log(pi(y)) else 0",
            "let h = if r >= 0 then log(pi(y)) else 0"),
        one("ALN2001", "let h = log_sigmiod(log(pi(y)))", "let h = log_sigmoid(log(pi(y)))"),
        one(
            "ALN2001",
            "let h = sum[tokn](log(pi(y.token)))",
            "let h = sum[token](log(pi(y.token)))"),
        one(
            "ALN2001",
            "let h = sum[token](log(pi(y.toke)))",
            "let h = sum[token](log(pi(y.token)))"),
        one(
            "ALN2001",
            "let h = log(pi(y)) / max(r, 1) accept unguarded_divison",
            "let h = log(pi(y)) / max(r, 1)"),
        one("ALN2008", "let unused = r + 1\n  let h = log(pi(y))", "let h = log(pi(y))"),
        one("ALN2008", "let unused = r + 1 // why\n  let h = log(pi(y))", "let h = log(pi(y))"),
        one("ALN4008", "let h = log(pi(y)) / length(y)", "let h = log(pi(y)) / max(length(y), 1)"),
        one("ALN4014", "let h = log(pi(y)) accept biased \"I accept it\"", "let h = log(pi(y))"),
        one("ALN4014", "let h = (r * log(pi(y))) accept biased", "let h = (r * log(pi(y)))"));
  }

  private static Arguments one(String code, String before, String after) {
    return Arguments.of(code, before, after);
  }

  private static String spec(String line) {
    return """
    /// What is around it stays as it is.
    objective Around {
      policy  pi
      feature r: sequence

      %s

      minimize -mean[sequence](r * h)   // as it was
    }
    """
        .formatted(line);
  }

  @ParameterizedTest(name = "{0} {1}")
  @MethodSource("safe")
  void safeChangesAreMadeUnasked(String code, String before, String after) {
    List<Diagnostic> found = findings(new SourceFile("spec.align", spec(before)));
    assertThat(found).extracting(d -> d.code().code()).contains(code);

    FixApplier.Outcome outcome = fix(spec(before), false);

    assertThat(outcome.text()).isEqualTo(spec(after));
    assertThat(outcome.left()).isEmpty();
    assertThat(outcome.applied()).isNotEmpty();
    // Once mended, there is nothing left to do.
    assertThat(fix(outcome.text(), true).applied()).isEmpty();
  }

  /** A change that is made on demand, in a whole spec. */
  static Stream<Arguments> suggested() {
    return Stream.of(
        Arguments.of(
            "ALN4002",
            "objective X(a: Real = 1) {\n  policy pi\n  minimize -mean[sequence](log(pi(y)))\n}\n",
            "objective X {\n  policy pi\n  minimize -mean[sequence](log(pi(y)))\n}\n"),
        Arguments.of(
            "ALN4002",
            "objective X(a: Real = 1, b: Real = 2) {\n"
                + "  policy pi\n"
                + "  minimize -mean[sequence](b * log(pi(y)))\n"
                + "}\n",
            "objective X(b: Real = 2) {\n"
                + "  policy pi\n"
                + "  minimize -mean[sequence](b * log(pi(y)))\n"
                + "}\n"),
        Arguments.of(
            "ALN4002",
            "objective X(b: Real = 2, a: Real = 1) {\n"
                + "  policy pi\n"
                + "  minimize -mean[sequence](b * log(pi(y)))\n"
                + "}\n",
            "objective X(b: Real = 2) {\n"
                + "  policy pi\n"
                + "  minimize -mean[sequence](b * log(pi(y)))\n"
                + "}\n"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("suggested")
  void suggestionsAreMadeOnDemand(String code, String before, String after) {
    assertThat(findings(new SourceFile("spec.align", before)))
        .extracting(d -> d.code().code())
        .contains(code);
    assertThat(fix(before, false).text()).isEqualTo(before);

    FixApplier.Outcome outcome = fix(before, true);

    assertThat(outcome.text()).isEqualTo(after);
    assertThat(outcome.left()).isEmpty();
  }

  /** The part of a spec that a suggestion changes, with what is around it. */
  static Stream<Arguments> changed() {
    return Stream.of(
        part(
            "ALN3003",
            PLAIN,
            "maximize E[r]",
            "minimize -log(pi(y))",
            "minimize mean[sequence](-log(pi(y)))"),
        part(
            "ALN3003",
            PLAIN,
            "maximize E[r]",
            "minimize -log(pi(y.token))",
            "minimize mean[token, sequence](-log(pi(y.token)))"),
        part(
            "ALN3005",
            PLAIN,
            "maximize E[r]",
            "maximize E[r / (std[group](r) + 1)]",
            "maximize E[r / (std[group](r, ddof = 1) + 1)]"),
        part(
            "ALN3005",
            PLAIN,
            "maximize E[r]",
            "maximize E[r / (std[group](r, ddof = 2) + 1)]",
            "maximize E[r / (std[group](r, ddof = 1) + 1)]"),
        part(
            "ALN4004",
            RL,
            "maximize E[r]",
            "maximize E[r] - KL(pi || ref, by = k3, in = loss)",
            "maximize E[r] - KL(pi || ref, by = k2, in = loss)"),
        part(
            "ALN4004",
            RL,
            "maximize E[r]",
            "maximize E[r] - KL(pi || ref, by = k3)",
            "maximize E[r] - KL(pi || ref, by = k1)"),
        part(
            "ALN4004",
            RL,
            "maximize E[r]",
            "maximize E[r] - jensen_shannon(pi || ref, by = k2, in = reward)",
            "maximize E[r] - jensen_shannon(pi || ref)"),
        part(
            "ALN4004",
            RL,
            "maximize E[r]",
            "maximize E[r] - KL(pi || ref, by = exact)",
            "maximize E[r] - KL(pi || ref, by = exact, per = token)"),
        part(
            "ALN4008",
            PLAIN,
            "maximize E[r]",
            "maximize E[r / std[group](r, ddof = 1)]",
            "maximize E[r / (std[group](r, ddof = 1) + 1e-4)]"),
        part(
            "ALN4012",
            PLAIN,
            "maximize E[r]",
            "maximize E[r - log(pi(y))]",
            "maximize E[stop(r - log(pi(y)))]"),
        part(
            "ALN4026",
            PLAIN,
            "maximize E[r]",
            "maximize E[log(r)]",
            "maximize E[log(max(r, 1e-12))]"),
        part(
            "ALN4007",
            PLAIN,
            "maximize E[r]",
            "maximize E[r]\n  subject to E[length(y)] <= 3",
            "maximize E[r]\n"
                + "  subject to E[length(y)] <= 3 multiplier lambda(init = 0, rate = 0.05)"),
        part(
            "ALN4017",
            OFF,
            "min(ratio * r, clamp(ratio, 0.8, 1.2) * r)",
            "min(ratio, 0.2) * r",
            "min(ratio, 1 + 0.2) * r"),
        part(
            "ALN4017",
            OFF,
            "min(ratio * r, clamp(ratio, 0.8, 1.2) * r)",
            "clamp(ratio, 0, 0.28) * r",
            "clamp(ratio, 0, 1 + 0.28) * r"),
        part(
            "ALN4022",
            RL,
            "maximize E[r]",
            "maximize E[r] - beta * mean[sequence](min((log(pi(y) / ref(y)))^2, 10))",
            "maximize E[r] - beta * mean[sequence]((log(pi(y) / ref(y)))^2)"),
        part(
            "ALN4019",
            OFF,
            "min(ratio * r, clamp(ratio, 0.8, 1.2) * r)",
            "pi(y.token) / old(y.token) * r * log(pi(y.token))",
            "stop(pi(y.token) / old(y.token) * r) * log(pi(y.token))"));
  }

  private static final String RL =
      """
      objective X(beta: Real = 0.1) {
        policy    pi
        reference ref
        reward    r: sequence

        maximize E[r]
        estimate with rloo()
      }
      """;

  /** Without a penalty. */
  private static final String PLAIN =
      """
      objective X {
        policy pi
        reward r: sequence

        maximize E[r]
        estimate with rloo()
      }
      """;

  private static final String OFF =
      """
      objective X {
        policy   pi
        behavior old
        reward   r: sequence

        let ratio = pi(y.token) / old(y.token)

        maximize mean[token, sequence](min(ratio * r, clamp(ratio, 0.8, 1.2) * r))
      }
      """;

  private static Arguments part(
      String code, String spec, String right, String before, String after) {
    return Arguments.of(code, spec.replace(right, before), after);
  }

  @ParameterizedTest(name = "{0} {2}")
  @MethodSource("changed")
  void suggestionsChangeTheirPart(String code, String spec, String after) {
    List<Diagnostic> before = findings(new SourceFile("spec.align", spec));
    assertThat(before)
        .filteredOn(d -> d.code().code().equals(code))
        .singleElement()
        .satisfies(d -> assertThat(d.fixes()).hasSize(1));

    FixApplier.Outcome outcome = fix(spec, true);

    assertThat(outcome.text()).contains(after);
    assertThat(outcome.left()).extracting(d -> d.code().code()).doesNotContain(code);
  }

  @Test
  void aMissingImportIsAdded() {
    String experiment =
        """
        experiment Try {
          task  bandit(arms = 8)
          train Dpo(beta = 0.1)
          steps 20
        }
        """;
    assertThat(fix(experiment, false).text()).isEqualTo("import align.losses.dpo\n\n" + experiment);
    assertThat(fix("import align.losses.ipo\n\n" + experiment, false).text())
        .isEqualTo("import align.losses.ipo\nimport align.losses.dpo\n\n" + experiment);
  }

  @Test
  void changesThatBringOthersToLightAreFollowed() {
    FixApplier.Outcome outcome =
        fix(
            spec("let unusd = r + rr;\n  let h = lgo(pi(y));").replace("r + rr", "lenght(y)"),
            false);
    assertThat(outcome.text()).isEqualTo(spec("let h = log(pi(y))"));
    assertThat(outcome.applied()).hasSize(5);
  }

  @Test
  void aParameterThatAnExperimentSetsIsNotTakenAway() {
    String spec =
        """
        objective X(a: Real = 1) {
          policy pi
          minimize -mean[sequence](log(pi(y)))
        }

        experiment Try {
          task  bandit(arms = 8)
          train X(a = 2)
          steps 20
        }
        """;
    assertThat(fix(spec, true).text()).isEqualTo(spec);
  }

  /** A checker that finds `a` to be wrong, and `b` to be worse. */
  private static Function<SourceFile, List<Diagnostic>> letters(String replacement) {
    return source ->
        source
            .text()
            .chars()
            .filter(c -> c == 'a' || c == 'b')
            .mapToObj(c -> {
              int at = source.text().indexOf(c);
              Diagnostic diagnostic =
                  Diagnostic.of(
                      c == 'a' ? DiagnosticCode.UNUSED_LET : DiagnosticCode.SYNTAX,
                      source.span(at, at + 1),
                      "" + (char) c);
              return c == 'a'
                  ? diagnostic.withFix(
                      Fix.safe("change", Edit.replace(source.span(at, at + 1), replacement)))
                  : diagnostic;
            })
            .toList();
  }

  @Test
  void whatMakesItWorseOrMendsNothingIsNotDone() {
    for (String replacement : List.of("b", "aa", "a", "a ")) {
      FixApplier.Outcome outcome =
          new FixApplier(letters(replacement), true).apply(new SourceFile("s", "xay"));
      assertThat(outcome.text()).isEqualTo("xay");
      assertThat(outcome.applied()).isEmpty();
      assertThat(outcome.left()).hasSize(1);
    }
    assertThat(new FixApplier(letters("c"), true).apply(new SourceFile("s", "xaya")).text())
        .isEqualTo("xcyc");
  }
}
