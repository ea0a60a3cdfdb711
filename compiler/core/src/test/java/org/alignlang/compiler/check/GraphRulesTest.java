package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The mistakes of training libraries, written in Align. */
class GraphRulesTest {
  private static List<Diagnostic> diagnostics(String text, boolean pedantic) {
    return Compiler.compile(
            new SourceFile("main.align", text), CompilerOptions.defaults().withPedantic(pedantic))
        .diagnostics();
  }

  private static List<String> findings(String text) {
    return diagnostics(text, false).stream()
        .map(d -> d.severity().word() + " " + d.code().slug())
        .toList();
  }

  private static List<String> pedantic(String text) {
    return diagnostics(text, true).stream()
        .map(d -> d.severity().word() + " " + d.code().slug())
        .toList();
  }

  private static String estimator(String... lines) {
    return "estimator it() for r: sequence {\n  " + String.join("\n  ", lines) + "\n}\n";
  }

  private static String pairs(String... lines) {
    return "objective It(beta: Real = 0.1) {\n"
        + "  policy pi\n"
        + "  reference ref\n"
        + "  pairs chosen > rejected\n"
        + "  "
        + String.join("\n  ", lines)
        + "\n}\n";
  }

  private static String sampled(String... lines) {
    return "objective It(beta: Real = 0.1) {\n"
        + "  policy pi\n"
        + "  reference ref\n"
        + "  reward r: sequence\n"
        + "  "
        + String.join("\n  ", lines)
        + "\n  estimate with rloo()\n}\n";
  }

  @Nested
  class Ratios {
    /** TRL's CISPO: the default of `epsilon_high`, 0.2, was the cap itself. */
    @Test
    void aCapBelowOneCutsEveryRatio() {
      String cispo =
          "surrogate mean[token, sequence](stop(min(pi(y.token) / old(y.token), %s)) * r *"
              + " log(pi(y.token)))";
      assertThat(findings(estimator(cispo.formatted("0.2"))))
          .containsExactly("warning clip-below-one");
      assertThat(findings(estimator(cispo.formatted("1.2")))).isEmpty();
    }

    @Test
    void aFloorAboveOneRaisesEveryRatio() {
      assertThat(
              findings(
                  estimator(
                      "surrogate mean[token, sequence](clamp(pi(y.token) / old(y.token), 1.1, 2) *"
                          + " r)")))
          .containsExactly("warning clip-below-one");
    }

    /** What a user of the library's estimator gives is reported where it is used. */
    @Test
    void boundsOfALibraryEstimatorAreReportedAtItsUse() {
      String use =
          "objective It {\n"
              + "  policy pi\n"
              + "  reward r: sequence\n"
              + "  maximize E[r]%s\n"
              + "  estimate with dapo(low = 0.2, high = -0.5)\n"
              + "}\n";
      assertThat(diagnostics(use.formatted(""), false))
          .singleElement()
          .satisfies(d -> {
            assertThat(d.code().slug()).isEqualTo("clip-below-one");
            assertThat(d.span().text()).isEqualTo("E[r]");
            assertThat(d.labels().get(0).span().source().path()).contains("estimators");
          });
      assertThat(findings(use.formatted(" accept clip_below_one")))
          .containsExactly("note clip-below-one");
    }

    /** verl: rollout correction and the PPO ratio, where the rollout policy is the old policy. */
    @ParameterizedTest
    @ValueSource(
        strings = {
          "stop(min(pi(y.token) / old(y.token), 2)) * (pi(y.token) / old(y.token)) * r",
          "stop(pi(y) / old(y)) * clamp(pi(y.token) / old(y.token), 0.8, 1.2) * r",
          "(pi(y.token) / old(y.token)) * (pi(y.token) / old(y.token)) * r"
        })
    void aRatioEntersOnce(String product) {
      assertThat(findings(estimator("surrogate mean[token, sequence](" + product + ")")))
          .containsExactly("warning repeated-ratio");
    }

    /** GSPO-token: the sequence's ratio as a weight, times a ratio that is 1. */
    @Test
    void aRatioToTheDetachedPolicyIsNoSecondCorrection() {
      assertThat(
              findings(
                  estimator(
                      "let s = stop(exp(mean[token](log(pi(y.token) / old(y.token)))))",
                      "surrogate mean[token, sequence](s * (pi(y.token) / stop(pi(y.token))) *"
                          + " r)")))
          .isEmpty();
    }

    /** CISPO without its cut. */
    @Test
    void anImportanceWeightIsDetached() {
      String cispo = "surrogate mean[token, sequence](%s * r * log(pi(y.token)))";
      assertThat(findings(estimator(cispo.formatted("min(pi(y.token) / old(y.token), 5)"))))
          .containsExactly("warning active-weight");
      assertThat(findings(estimator(cispo.formatted("stop(min(pi(y.token) / old(y.token), 5))"))))
          .isEmpty();
    }

    /** open-instruct's WPO: pairs weighed by how likely the policy finds them. */
    @Test
    void aConfidenceWeightIsDetached() {
      String wpo =
          pairs(
              "let p(s) = exp(mean[token](log(pi(s.token))))",
              "let m = beta * (log(pi(chosen) / ref(chosen)) - log(pi(rejected) / ref(rejected)))",
              "minimize mean[pair](-%s * log_sigmoid(m))");
      assertThat(findings(wpo.formatted("p(chosen) * p(rejected)")))
          .containsExactly("warning active-weight");
      assertThat(findings(wpo.formatted("stop(p(chosen) * p(rejected))"))).isEmpty();
    }

    /** trl#4772: a threshold on a product over all tokens. */
    @Test
    void aConstantBoundOnAProductOverTokensIsPedantic() {
      String sum = estimator("surrogate mean[sequence](clamp(%s, 0.8, 1.2) * r)");
      assertThat(findings(sum.formatted("pi(y) / old(y)"))).isEmpty();
      assertThat(pedantic(sum.formatted("pi(y) / old(y)"))).containsExactly("warning long-ratio");
      assertThat(pedantic(sum.formatted("exp(mean[token](log(pi(y.token) / old(y.token))))")))
          .isEmpty();
    }
  }

  @Nested
  class Accepting {
    private static final String WEIGHT =
        "surrogate mean[token, sequence](min(pi(y.token) / old(y.token), 5) * r *"
            + " log(pi(y.token))%s)";

    @Test
    void acceptedFindingsAreNotes() {
      assertThat(findings(estimator(WEIGHT.formatted(" accept active_weight"))))
          .containsExactly("note active-weight");
    }

    @Test
    void acceptsThatNothingNeedsAreFound() {
      assertThat(
              findings(
                  pairs(
                      "minimize mean[pair](-log_sigmoid(beta * log(pi(chosen) / pi(rejected) /"
                          + " ref(chosen) * ref(rejected)))) accept active_weight")))
          .containsExactly("warning unused-accept");
    }

    @Test
    void pedanticFindingsNeedNoAcceptWhereTheyAreOff() {
      String accepted =
          estimator("surrogate mean[sequence](min(pi(y) / old(y), 2) * r) accept long_ratio");
      assertThat(findings(accepted)).isEmpty();
      assertThat(pedantic(accepted)).containsExactly("note long-ratio");
    }
  }
}
