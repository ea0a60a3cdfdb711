package org.alignlang.compiler.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;

class QuantitiesTest {
  private static List<Diagnostic> findings(String price, String record) {
    String text =
        """
        objective Priced(price: Real = 0.1) {
          policy pi
          reward count: sequence
          let unit = length(y) / 10
          let likely = log(pi(y))
          reward value = count - price * unit
          maximize E[value] + 0.01 * mean[sequence](likely^2)
          estimate with rloo()
        }
        experiment Measure {
          task   sequences(letters = 2, length = 2)
          train  Priced(price = %s)
          steps  1
          record measured = %s
        }
        """
            .formatted(price, record);
    return problems(text);
  }

  /** What is found in the experiment of a text whose objectives have no findings. */
  private static List<Diagnostic> problems(String text) {
    Compilation compiled =
        Compiler.compile(new SourceFile("experiment.align", text), CompilerOptions.defaults());
    assertThat(compiled.diagnostics()).isEmpty();
    DiagnosticSink sink = new DiagnosticSink();
    ExperimentCompiler.compile(
        compiled.experiments().getFirst(),
        compiled.scope(),
        Path.of(""),
        CompilerOptions.defaults(),
        objective -> new InterpretedKernel(objective.program()),
        ExperimentCompiler.Overrides.NONE,
        sink);
    return sink.sorted();
  }

  @Test
  void rewardsThatUseLetsAreMeasured() {
    assertThat(findings("0.1", "E[value]")).isEmpty();
  }

  @Test
  void theBasePolicyNeedsNoDeclaration() {
    assertThat(findings("[0.1, 0.2]", "KL(pi || ref)")).isEmpty();
    assertThat(findings("0.1", "KL(pi || sft)"))
        .extracting(Diagnostic::message)
        .containsExactly("`sft` is not an actor of the objective");
  }

  @Test
  void anExpectationUnderAnotherActorNamesIt() {
    assertThat(findings("0.1", "expected(count, under = ref)")).isEmpty();
    assertThat(findings("0.1", "expected(count, under = sft)"))
        .extracting(Diagnostic::message)
        .containsExactly("`sft` is not an actor of the objective");
    assertThat(findings("0.1", "expected(count, of = ref)"))
        .extracting(Diagnostic::message)
        .containsExactly("`expected` has no argument `of`");
  }

  @Test
  void anExpectationMeansTheSameAtAllPoints() {
    assertThat(findings("[0.1, 0.2]", "E[count]")).isEmpty();
    assertThat(findings("[0.1, 0.2]", "E[value]"))
        .extracting(Diagnostic::message)
        .containsExactly("`value` means different things at the points of this sweep");
  }

  @Test
  void probabilitiesAreMeasuredAndWholeVocabulariesAreNot() {
    assertThat(findings("0.1", "E[likely - log(pi(y))]")).isEmpty();
    assertThat(findings("0.1", "E[sum[token](sum[vocab](pi(y.vocab)^2))]"))
        .extracting(Diagnostic::message)
        .containsExactly(
            "a record reads the probabilities of responses and tokens, not of the whole"
                + " vocabulary");
  }

  private static List<Diagnostic> claims(String objective, String values, String claims) {
    String text =
        """
        objective Held(beta: Real = 0.1, D: Divergence = reverse_kl) {
          policy    pi
          reference ref
          reward    score: sequence
          %s
          estimate  with rloo()
        }
        experiment Claim {
          task   bandit(arms = 4)
          train  Held(%s)
          steps  1
          record value = E[task.score]
          %s
        }
        """
            .formatted(objective, values, claims);
    return problems(text);
  }

  private static final String PLAIN = "maximize E[score] - beta * D(pi || ref)";

  /** What has no optimum in closed form is told before anything is trained. */
  @Test
  void exactNeedsAClosedForm() {
    String exact = "expect final(value) within 1 of exact(value)";
    assertThat(claims(PLAIN, "", exact)).isEmpty();
    assertThat(claims(PLAIN, "D = total_variation", exact))
        .singleElement()
        .satisfies(found -> {
          assertThat(found.span().text()).isEqualTo("exact(value)");
          assertThat(found.message())
              .isEqualTo(
                  "there is no optimum in closed form: the derivative of total_variation's f has no"
                      + " inverse");
        });
    assertThat(claims("maximize E[score]^2 - beta * D(pi || ref)", "", exact))
        .singleElement()
        .satisfies(found -> assertThat(found.message()).contains("not linear"));
  }

  /** Only points that a claim asks about must have one. */
  @Test
  void exactNeedsAClosedFormWhereItIsAsked() {
    String swept = "D = [reverse_kl, total_variation]";
    String exact = "expect final(value) within 1 of exact(value)";
    assertThat(claims(PLAIN, swept, exact)).hasSize(1);
    assertThat(claims(PLAIN, swept, exact + " where D == reverse_kl")).isEmpty();
    assertThat(claims(PLAIN, swept, "expect final(value) < 1 + exact(value, D = reverse_kl)"))
        .isEmpty();
    String both = "beta = [0.1, 1], " + swept;
    String held = "expect mean(exact(value), over = beta, D = %s) < 9";
    assertThat(claims(PLAIN, both, held.formatted("reverse_kl"))).isEmpty();
    assertThat(claims(PLAIN, both, held.formatted("total_variation"))).hasSize(1);
    assertThat(claims(PLAIN, swept, "plot exact(value) against step")).isEmpty();
    // A control takes away what a claim is about, and so perhaps what it compares with.
    assertThat(
            claims(
                PLAIN, "", exact + " control \"no penalty\" { train Held(D = total_variation) }"))
        .isEmpty();
  }
}
