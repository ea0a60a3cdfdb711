package org.alignlang.compiler.explain;

import static org.assertj.core.api.Assertions.assertThat;

import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is derived of an objective beside its gradient: its optimum, its bias, its class. */
class OptimumAndClassTest {
  private static String explained(String parameters, String body) {
    SourceFile source =
        new SourceFile(
            "it.align", "objective It(%s) {\n  policy pi\n%s\n}\n".formatted(parameters, body));
    Compilation compiled = Compiler.compile(source, CompilerOptions.defaults());
    assertThat(compiled.hasErrors()).as(compiled.diagnostics().toString()).isFalse();
    return ObjectiveExplainer.explain(compiled.objectives().getFirst(), compiled.scope())
        .render(Explanation.Format.UNICODE)
        .replaceAll("\\s+", " ");
  }

  private static String pairs(String parameters, String link, String loss) {
    return explained(
        parameters,
        "  reference ref\n  pairs chosen > rejected\n  let h(s) = "
            + link
            + "\n  let m = h(chosen) - h(rejected)\n  minimize mean[pair]("
            + loss
            + ")");
  }

  private static final String LOG_RATIO = "log(pi(s) / ref(s))";

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "b: Real = 0.1; -log_sigmoid(b * m); π*(y) ∝ π_ref(y) exp(r(y)/b)",
        "b: Real = 0.3; exp(-b * m); π*(y) ∝ π_ref(y) exp(r(y)/(2 b))",
        "b: Real = 0.3; softplus(-m / b); π*(y) ∝ π_ref(y) exp(r(y)",
        "tau: Real = 0.2; (m - 1 / (2 * tau))^2; π*(y) ∝ π_ref(y) exp(P(y)/τ)",
        "b: Real = 0.1; -0.9 * log_sigmoid(b * m) - 0.1 * log_sigmoid(-b * m); which has no closed"
            + " form here",
        "b: Real = 0.1; -log_sigmoid(b * h(chosen)) - log_sigmoid(-b * h(rejected)); None known"
      })
  void optimaOfPairLosses(String parameters, String loss, String expected) {
    assertThat(pairs(parameters, LOG_RATIO, loss)).contains(expected);
  }

  @ParameterizedTest
  @CsvSource({"jensen_shannon", "forward_kl", "chi_squared"})
  void linksOfOtherDivergencesAreInverted(String divergence) {
    assertThat(pairs("b: Real = 0.1", divergence + ".link(pi(s) / ref(s))", "-log_sigmoid(b * m)"))
        .contains("m = log(p/(1 − p))/b")
        .contains("π*(y) = π_ref(y) (f′)⁻¹(r(y)/b − ν)");
  }

  @Test
  void averagesOverTokensHaveNone() {
    assertThat(
            pairs(
                "b: Real = 0.1",
                "mean[token](log(pi(s.token) / ref(s.token)))",
                "-log_sigmoid(b * m)"))
        .contains("None in closed form");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "b * E[sum[token](hit)]; MR",
        "b * E[r]; FTR",
        "E[r] - b * KL(pi || ref); RRL",
        "E[r] - b * jensen_shannon(pi || ref); FPR",
        "-(E[r] - b)^2; ONMR",
        "b * E[r] * E[sum[token](hit)]; OMORL"
      })
  void classes(String goal, String expected) {
    String text =
        explained(
            "b: Real = 0.1",
            (goal.contains("r]") ? "  reward r: sequence\n" : "")
                + (goal.contains("hit") ? "  reward hit: token\n" : "")
                + (goal.contains("ref") ? "  reference ref\n" : "")
                + "  maximize "
                + goal
                + "\n  estimate with rloo()");
    assertThat(text).contains("in the class " + expected + ",");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "rloo(); K (r − mean)/(K − 1): unbiased",
        "grpo(); weighs prompts by 1/std",
        "ppo(); (K − 1)/K times the true one",
        "reinforce(); (N − 1)/N times the true one",
        "exact(); No bias, no variance",
        "gspo(); a bias towards `old`"
      })
  void biasOfEstimators(String estimator, String expected) {
    assertThat(
            explained(
                "b: Real = 0.1",
                "  reward r: sequence\n  maximize b * E[r]\n  estimate with " + estimator))
        .contains(expected);
  }

  @Test
  void whatIsNotLinearIsBiased() {
    assertThat(
            explained(
                "b: Real = 0.1",
                "  reward r: sequence\n  maximize E[r] - b * E[r]^2\n  estimate with rloo()"))
        .contains("a bias of order 1/N");
  }
}
