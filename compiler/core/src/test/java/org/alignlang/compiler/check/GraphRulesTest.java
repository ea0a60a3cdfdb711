package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Severity;
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
  class Penalties {
    private static final String X = "let x = log(pi(y.token) / ref(y.token))";

    /** TRL's GRPO with `beta` above 0, OpenRLHF with `use_kl_loss`, and other spellings. */
    @ParameterizedTest
    @ValueSource(
        strings = {
          "exp(-x) - 1 + x",
          "expm1(-x) + x",
          "ref(y.token) / pi(y.token) - log(ref(y.token) / pi(y.token)) - 1",
          "x",
          "(log(pi(y.token)) - log(ref(y.token)))",
          "abs(x)",
          "exp(x) - 1 - x",
          "pi(y.token) / stop(pi(y.token)) * (x^2 / 2)"
        })
    void writtenPenaltiesThatDescendSomethingElse(String penalty) {
      assertThat(
              findings(
                  sampled(
                      X,
                      "maximize E[r] - beta * mean[token, sequence](" + penalty + ")",
                      "metric kl = mean[token, sequence](x)")))
          .containsExactly("warning written-divergence");
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "x^2 / 2",
          "pi(y.token) / stop(pi(y.token)) * (exp(-x) - 1 + x)",
          "pi(y.token) / stop(pi(y.token)) * x"
        })
    void writtenPenaltiesThatDescendTheReverseDivergence(String penalty) {
      assertThat(
              findings(sampled(X, "maximize E[r] - beta * mean[token, sequence](" + penalty + ")")))
          .isEmpty();
    }

    /** verl, OpenRLHF and TRL's PPO: k2, k3 and abs as rewards. */
    @Test
    void inARewardOnlyTheLogRatioIsExact() {
      String reward = "maximize E[r - beta * sum[token](stop(%s))]";
      for (String penalty : List.of("x^2 / 2", "exp(-x) - 1 + x", "abs(x)")) {
        assertThat(findings(sampled(X, reward.formatted(penalty))))
            .as(penalty)
            .containsExactly("warning written-divergence");
      }
      assertThat(findings(sampled(X, reward.formatted("x")))).isEmpty();
    }

    @Test
    void anEntropyBonusOfSampledLogProbabilitiesPullsNowhere() {
      assertThat(
              findings(
                  "objective It(c: Real = 0.01) {\n  policy pi\n  reward r: sequence\n"
                      + "  maximize E[r] - c * mean[token, sequence](log(pi(y.token)))\n"
                      + "  estimate with rloo()\n}\n"))
          .containsExactly("warning written-divergence");
    }

    /** Likelihood on data that the policy did not sample is no mistake. */
    @Test
    void fineTuningOnDataIsNoPenalty() {
      assertThat(
              findings(
                  "objective It {\n"
                      + "  policy pi\n"
                      + "  minimize -mean[token, sequence](log(pi(y.token)))\n"
                      + "}\n"))
          .isEmpty();
    }

    /** A divergence that is named was judged by name. */
    @Test
    void namedDivergencesAreJudgedOnce() {
      assertThat(
              findings(
                  sampled(
                      "maximize E[r] - beta * KL(pi || ref, by = k3, in = loss, per = token) accept"
                          + " biased")))
          .containsExactly("note accepted-bias");
    }

    /** verl: the estimate is cut to 10 before it is differentiated. */
    @Test
    void aBoundTakesThePenaltyAway() {
      String loss = "maximize E[r] - beta * mean[token, sequence](%s)";
      assertThat(findings(sampled(X, loss.formatted("clamp(x^2 / 2, -10, 10)"))))
          .containsExactly("warning clamped-penalty");
      assertThat(findings(sampled(X, loss.formatted("clamp(x, -20, 20)^2 / 2")))).isEmpty();
    }

    /** safe-rlhf: the reward is bounded after its penalty was subtracted. */
    @Test
    void aBoundOnTheRewardWithItsPenalty() {
      String x = "let x = stop(log(pi(y) / ref(y)))";
      assertThat(findings(sampled(x, "maximize E[clamp(r - beta * x, -50, 50)]")))
          .containsExactly("warning clamped-penalty");
      assertThat(findings(sampled(x, "maximize E[clamp(r, -50, 50) - beta * x]"))).isEmpty();
    }

    /** slime#397: a coefficient that moves the reported loss only. */
    @Test
    void aTermWithoutGradient() {
      assertThat(
              findings(sampled("maximize E[r] - beta * mean[sequence](stop(log(pi(y) / ref(y))))")))
          .containsExactly("warning inert-term");
    }

    @Test
    void aLetThatNothingUses() {
      assertThat(
              findings(
                  sampled(
                      "let penalty = beta * KL(pi || ref)",
                      "maximize E[r] - beta * KL(pi || ref)")))
          .containsExactly("warning unused-let");
    }
  }

  @Nested
  class Boundedness {
    private static final String MARGIN =
        "let m = beta * (log(pi(chosen) / ref(chosen)) - log(pi(rejected) / ref(rejected)))";

    @Test
    void lossesThatFallForEver() {
      for (String loss :
          List.of(
              "-m",
              "-0.9 * log_sigmoid(m) + 0.1 * log_sigmoid(-m)",
              "log(pi(rejected)) - log_sigmoid(m)")) {
        assertThat(findings(pairs(MARGIN, "minimize mean[pair](" + loss + ")")))
            .as(loss)
            .containsExactly("warning unbounded-below");
      }
    }

    @Test
    void lossesWithAFloor() {
      for (String loss : List.of("-log_sigmoid(m)", "relu(1 - m)", "(m - 5)^2", "sigmoid(-m)")) {
        assertThat(findings(pairs(MARGIN, "minimize mean[pair](" + loss + ")"))).as(loss).isEmpty();
      }
    }

    /** omnisafe's IPO: a barrier that has no value outside of its constraint. */
    @Test
    void aBarrierWithoutAnInfeasibleSide() {
      assertThat(
              findings(
                  sampled(
                      "reward cost: sequence",
                      "maximize E[r] + beta * log(25 - E[cost]) - KL(pi || ref)")))
          .containsExactly("warning log-of-zero");
    }

    /** TRL's AlphaPO and the links of divergences, on sums over tokens. */
    @Test
    void exponentialsOfSumsArePedantic() {
      String loss = "minimize mean[pair](-log_sigmoid(ref(chosen) / pi(chosen) * -beta))";
      String text = pairs(loss);
      assertThat(findings(text)).doesNotContain("warning unbounded-exp");
      assertThat(pedantic(text)).contains("warning unbounded-exp");
      assertThat(pedantic(text.replace("ref(chosen) / pi(chosen)", "ref(chosen) * pi(chosen)")))
          .doesNotContain("warning unbounded-exp");
    }

    /** OpenRLHF#1295. */
    @Test
    void aMaskTimesInfinity() {
      String loss =
          "feature keep: pair\n  let p = exp(mean[token](log(pi(rejected.token))))\n  %s\n"
              + "  minimize mean[pair](-log_sigmoid(m) - %s)";
      assertThat(
              findings(
                  pairs(
                      MARGIN,
                      loss.formatted("let mask = if keep > 0 then 1 else 0", "mask * log(1 - p)"))))
          .containsExactly("warning masked-product");
      assertThat(
              findings(
                  pairs(
                      MARGIN,
                      loss.formatted("let kept = keep > 0", "(if kept then log(1 - p) else 0)"))))
          .isEmpty();
    }
  }

  @Nested
  class Lengths {
    /** IPO, which is a sum in some trainers and a mean in others. */
    @Test
    void aSumMeetsAMean() {
      String loss =
          "minimize mean[pair]((%s - log(pi(rejected) / ref(rejected)) - 1 / (2 * beta))^2)";
      assertThat(
              findings(
                  pairs(loss.formatted("mean[token](log(pi(chosen.token) / ref(chosen.token)))"))))
          .containsExactly("warning mixed-lengths");
      assertThat(findings(pairs(loss.formatted("log(pi(chosen) / ref(chosen))")))).isEmpty();
    }

    /** GRPO; the library's own says that it is meant. */
    @Test
    void lengthBiasIsPedantic() {
      String loss = "surrogate mean[sequence](%s(pi(y.token) / old(y.token) * r))";
      assertThat(findings(estimator(loss.formatted("mean[token]")))).isEmpty();
      assertThat(pedantic(estimator(loss.formatted("mean[token]"))))
          .containsExactly("warning length-bias");
      assertThat(pedantic(estimator(loss.formatted("sum[token]")))).isEmpty();
      assertThat(pedantic(sampled("maximize E[r] - beta * KL(pi || ref)").replace("rloo", "grpo")))
          .containsExactly("note length-bias");
    }

    /** TRL's OnlineDPO: `scores_1 >= scores_2`. */
    @Test
    void tiesArePedantic() {
      String text =
          pairs(
              "reward score: sequence",
              "let m = beta * log(pi(chosen) / ref(chosen) * ref(rejected) / pi(rejected))",
              "minimize mean[pair](-log_sigmoid(%s))");
      String sided = text.formatted("if score(chosen) >= score(rejected) then m else -m");
      assertThat(findings(sided)).isEmpty();
      assertThat(pedantic(sided)).containsExactly("warning one-sided-tie");
      assertThat(
              pedantic(
                  text.formatted(
                      "if score(chosen) > score(rejected) then m else if score(chosen) =="
                          + " score(rejected) then 0 * m else -m")))
          .isEmpty();
    }
  }

  @Nested
  class Accepting {
    private static final String WEIGHT =
        "surrogate mean[token, sequence](min(pi(y.token) / old(y.token), 5) * r *"
            + " log(pi(y.token))%s)";

    @ParameterizedTest
    @ValueSource(
        strings = {
          "mean[token, sequence](min(pi(y.token) / old(y.token), 0.2) * r) accept clip_below_one",
          "mean[token, sequence](pi(y.token) / old(y.token) * (pi(y.token) / old(y.token)) * r)"
              + " accept repeated_ratio",
          "mean[sequence](min(pi(y) / old(y), 2) * r) accept long_ratio",
          "mean[sequence](pi(y) / old(y) * r) accept unbounded_exp",
          "mean[sequence](mean[token](log(pi(y.token)) * r)) accept length_bias"
        })
    void everyCodeOfEstimatorsCanBeAccepted(String surrogate) {
      assertThat(diagnostics(estimator("surrogate " + surrogate), true))
          .isNotEmpty()
          .allSatisfy(d -> assertThat(d.severity()).isEqualTo(Severity.NOTE));
    }

    @Test
    void acceptedFindingsAreNotes() {
      assertThat(findings(estimator(WEIGHT.formatted(" accept active_weight"))))
          .containsExactly("note active-weight");
    }

    /** One spec per code, each with the finding that its page shows, and an `accept` of it. */
    @ParameterizedTest
    @ValueSource(
        strings = {
          "let unused = beta * log(pi(chosen)) accept unused_let\n"
              + "  minimize mean[pair](-log_sigmoid(m))",
          "minimize mean[pair](-m) accept unbounded_below",
          "minimize mean[pair](relu(1 - m) + beta * log(m + 1)^2) accept log_of_zero",
          "minimize mean[pair](-log_sigmoid(m)) + mean[pair](stop(m)) accept inert_term",
          "minimize mean[pair](-log_sigmoid(m + mean[token](log(pi(chosen.token))))) accept"
              + " mixed_lengths",
          "minimize mean[pair](-log_sigmoid(m) + (if m > 1 then 1 else 0) * log(1 -"
              + " exp(mean[token](log(pi(rejected.token)))))) accept masked_product",
          "minimize mean[pair](-exp(mean[token](log(pi(chosen.token)))) * log_sigmoid(m)) accept"
              + " active_weight"
        })
    void everyCodeOnPairsCanBeAccepted(String lines) {
      String text =
          pairs(
              "let m = beta * (log(pi(chosen) / ref(chosen)) - log(pi(rejected) / ref(rejected)))",
              lines);
      assertThat(diagnostics(text, true))
          .as(text)
          .isNotEmpty()
          .allSatisfy(d -> assertThat(d.severity()).isEqualTo(Severity.NOTE));
    }

    @ParameterizedTest
    @ValueSource(
        strings = {
          "maximize E[r] - beta * mean[token, sequence](x) accept written_divergence",
          "maximize E[r] - beta * mean[token, sequence](min(x^2 / 2, 5)) accept clamped_penalty"
        })
    void everyCodeOnSamplesCanBeAccepted(String line) {
      String text = sampled("let x = log(pi(y.token) / ref(y.token))", line);
      assertThat(diagnostics(text, true))
          .as(text)
          .isNotEmpty()
          .allSatisfy(d -> assertThat(d.severity()).isEqualTo(Severity.NOTE));
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
