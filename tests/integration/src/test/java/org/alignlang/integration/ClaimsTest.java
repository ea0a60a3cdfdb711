package org.alignlang.integration;

import static org.alignlang.integration.Experiments.assertClaimsHold;
import static org.alignlang.integration.Experiments.plan;
import static org.alignlang.integration.Experiments.run;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.TrainingResult;
import org.alignlang.runtime.metric.ParetoFront;
import org.apache.commons.math3.stat.regression.SimpleRegression;
import org.assertj.core.api.Condition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Claims over the points of a sweep, fits, and what is recorded of responses. */
class ClaimsTest {

  /** The minimiser of the study's loss is {@code 18 - 6 / level} where one action is on top. */
  private static final String LINE =
      """
      experiment Line {
        study  implicit_maximum(values = [0, 1, 10], level = [0.5, 0.55, 0.6, 0.65, 0.7], surrogate = chi_squared)
        fit    law(final(value), a + b / l, free = [a, b], l = level, over = level)
        plot   final(value) against 1 / level "value"
        %s
      }
      """;

  @Test
  void numbersOfPointsAreComparedAlongASweep() {
    assertClaimsHold(
        LINE.formatted(
            """
            expect slope(final(value), 1 / level, over = level) within 0.000001 of -6
              expect correlation(final(value), 1 / level, over = level) within 0.000001 of -1
              expect spearman(final(value), level, over = level) == 1
              expect kendall(-final(value), level, over = level) == -1
              expect law.a within 0.00001 of 18
              expect law.b within 0.00001 of -6
              expect law.r_squared > 0.999999 and law.error < 0.00001
              expect max(final(value), over = level) == final(value, level = 0.7)
              expect first(final(value), over = level) within 0.000001 of 6
              expect mean(final(value), over = level) < 9
              expect argmax(final(value), over = level) == 0.7
              expect least_rise(final(value), over = level) > 0
              expect overlap(final(value), -level, top = 2, over = level) == 0
            """));
  }

  @Test
  void aPlotOfNumbersOfPointsHasOnePointForEach() {
    ExperimentResult result = run(plan(LINE.formatted("expect final(value) > 5")));
    assertThat(result.charts().getFirst().series()).hasSize(1);
    double[] x = result.charts().getFirst().series().getFirst().x();
    double[] y = result.charts().getFirst().series().getFirst().y();
    assertThat(x).hasSize(5).isSorted();
    assertThat(y[0]).isCloseTo(18 - 6 * x[0], within(1e-6));
  }

  private static final String FRONT =
      """
      import align.objectives.rlhf

      experiment Front {
        task      bandit(arms = 6, prompts = 2)
        train     Rlhf(beta = [0.1, 0.3, 1, 3], D = [reverse_kl, jensen_shannon])
        optimizer adam(rate = 0.05)
        steps     40
        every     20
        seeds     3
        batch     32
        record    value = E[task.score], near = -KL(pi || ref)
        expect    hypervolume(final(value), final(near), reference = [-1, -1], over = beta) > 0
        expect    slope(final(value), log(beta), over = beta, D = reverse_kl) < 0
        expect    final(value, beta = 0.1) > final(value, beta = 3)
        expect    max(final(near), over = [beta, D]) <= 0
        expect    final(value, beta = 0.1, D = reverse_kl) > -9
      }
      """;

  @Test
  void aClaimIsJudgedOnceForEachValueThatItLeavesOpen() {
    ExperimentResult result = run(plan(FRONT));
    List<List<Map<String, String>>> judgedAt =
        result.claims().stream()
            .map(claim -> claim.parts().stream().map(ClaimVerdict.Part::labels).toList())
            .toList();
    List<Map<String, String>> byDivergence =
        List.of(Map.of("D", "reverse_kl"), Map.of("D", "jensen_shannon"));
    assertThat(judgedAt)
        .containsExactly(
            byDivergence, List.of(Map.of()), byDivergence, List.of(Map.of()), List.of(Map.of()));
    // By hand, over the trainings of the first divergence and seed.
    List<TrainingResult> sweep =
        result.trainings().stream()
            .filter(t -> t.id().seedIndex() == 0 && t.id().labels().get("D").equals("reverse_kl"))
            .toList();
    SimpleRegression line = new SimpleRegression();
    sweep.forEach(t ->
        line.addData(
            Math.log(Double.parseDouble(t.id().labels().getOrDefault("beta", ""))),
            t.series().last("value")));
    double volume =
        ParetoFront.of(
                sweep.stream()
                    .map(t -> new double[] {t.series().last("value"), t.series().last("near")})
                    .toList())
            .hypervolume(new double[] {-1, -1});
    ExperimentResult alone = run(plan(FRONT.replace("seeds     3", "seeds     1")));
    assertThat(alone.claims().get(0).parts().getFirst().left().mean())
        .isCloseTo(volume, within(1e-12));
    assertThat(alone.claims().get(1).parts().getFirst().left().mean())
        .isCloseTo(line.getSlope(), within(1e-12));
  }

  @Test
  void pairedDifferencesHaveTheIntervalOfStudent() {
    ExperimentResult result = run(plan(FRONT));
    ClaimVerdict.Part part = result.claims().get(2).parts().getFirst();
    double[] high = values(result, "0.1");
    double[] low = values(result, "3");
    double[] difference = new double[3];
    Arrays.setAll(difference, i -> high[i] - low[i]);
    double mean = Arrays.stream(difference).average().orElseThrow();
    double variance = Arrays.stream(difference).map(d -> (d - mean) * (d - mean)).sum() / 2;
    // The 97.5 % quantile of Student's t with 2 degrees of freedom.
    double half = 4.302652729911275 * Math.sqrt(variance / 3);
    assertThat(part.difference().mean()).isCloseTo(mean, within(1e-12));
    assertThat(part.difference().low()).isCloseTo(mean - half, within(1e-9));
    assertThat(part.passed()).isEqualTo(mean > 0 && mean - half > 0);
  }

  private static double[] values(ExperimentResult result, String beta) {
    return result.trainings().stream()
        .filter(t ->
            beta.equals(t.id().labels().get("beta"))
                && "reverse_kl".equals(t.id().labels().get("D")))
        .mapToDouble(t -> t.series().last("value"))
        .toArray();
  }

  @Test
  void agreementAndDiversityAreMeasuredOfResponses() {
    assertClaimsHold(
        """
        objective Nothing {
          policy pi
          reward helpful: sequence
          maximize E[helpful]
          estimate with exact()
        }

        experiment Measures {
          task   bandit(helpful = [1, 2, 3, 4], harm = [0.5, 0.25, 0.5, 1], gold = [2, 1, 4, 3], base = [0.4, 0.3, 0.2, 0.1])
          train  Nothing()
          steps  1
          record rank = spearman(task.helpful, task.gold, under = ref)
          record tau = kendall(task.helpful, task.gold)
          record line = correlation(task.helpful, task.gold)
          record top = overlap(task.helpful, task.gold, top = 1)
          record error = calibration(task.harm, if task.gold > 2 then 1 else 0, bins = 2)
          record far = edit_distance(pi), near = similarity(pi), share = distinct(pi, n = 1, draws = 4)
          expect first(top) == 0
          expect first(far) within 0.000001 of 1 - (0.16 + 0.09 + 0.04 + 0.01)
          expect first(near) within 0.000001 of 0.3
          // Bins below and above a half: 0.3 at 0.25 where 0 comes; 0.4, 0.2, 0.1 at 0.5, 0.5, 1.
          expect first(error) within 0.000001 of 0.3 * 0.25 + abs(0.4 * 0.5 + 0.2 * (0.5 - 1))
          // Pairs of arms by the product of their probabilities; two are the other way round.
          expect first(tau) within 0.000001 of (0.35 - 2 * (0.12 + 0.02)) / 0.35
          expect first(line) > 0 and first(rank) > 0
          expect first(share) >= 0.25 and first(share) <= 1
        }
        """);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          expect slope(final(value), over = level) < 0 | `slope` is of 2 series, not of 1
          expect slope(final(value), 1, over = levle) < 0 | `levle` is not swept
          expect hypervolume(final(value), level, over = level) > 0 | needs `reference`, a list of 2 numbers
          expect hypervolume(final(value), level, reference = [0], over = level) > 0 | a list of 2 numbers
          expect overlap(final(value), level, top = 1.5, over = level) > 0 | `top` is a whole number
          expect slope(final(value), level, over = level, level = 0.5) > 0 | both held and gone over
          expect slope(value, 1, over = level) > 0 | `value` is a series
          expect law.c > 0 | the fit `law` has no `c`
          fit law(final(value), a, free = [a], over = level) | `law` is there already
          fit more(final(value), a, free = [a, b], over = level) | the formula does not have `b` in it
          fit more(final(value), value, free = [value], over = level) | means something else here
          fit more(final(value), c + level, free = [a], over = level) | nothing called `c` is recorded
          fit more(final(value)) | a fit takes what is fitted, a formula, and `free`
          record x = law.a | is one number of a sweep or a training, no series
          record x = spearman(value, level) | is measured of a policy, and a study trains none
          """)
  void whatIsWrongIsSaid(String line, String message) {
    String text = LINE.formatted(line);
    Compilation compilation =
        Compiler.compile(new SourceFile("x.align", text), CompilerOptions.defaults());
    DiagnosticSink sink = new DiagnosticSink();
    compilation
        .experiments()
        .forEach(experiment ->
            ExperimentCompiler.compile(
                experiment,
                compilation.scope(),
                Path.of("."),
                CompilerOptions.defaults(),
                BackEnds.standard()::kernel,
                ExperimentCompiler.Overrides.NONE,
                sink));
    assertThat(sink.sorted())
        .haveAtLeastOne(
            new Condition<Diagnostic>(
                found -> found.isError() && found.message().contains(message),
                "an error that says: " + message));
  }

  @Test
  void aFitOfTooFewPointsFailsAndSaysWhy() {
    ExperimentResult result =
        run(
            plan(
                """
                experiment Short {
                  study  implicit_maximum(values = [0, 1, 10], level = [0.5, 0.6])
                  fit    law(final(value), a + b / level, free = [a, b], over = level)
                  expect law.a > 0
                }
                """));
    assertThat(result.claims().getFirst().passed()).isFalse();
    assertThat(result.claims().getFirst().sentence())
        .contains("2 coefficients cannot be fitted to 2 numbers");
  }

  @Test
  void aControlMayDropAnObjectiveWhoseBlockHasASetting() {
    ExperimentResult control =
        run(
            plan("""
            objective Fit {
              learn r: sequence
              pairs chosen > rejected
              minimize mean[pair](-log_sigmoid(r(chosen) - r(rejected)) + 0.01 * (r(chosen)^2 + r(rejected)^2))
            }

            objective Improve {
              policy    pi
              reference ref
              reward    r: sequence
              maximize  E[r] - 0.2 * KL(pi || ref)
              estimate  with exact()
            }

            objective Stay {
              policy    pi
              reference ref
              minimize  KL(pi || ref)
              estimate  with exact()
            }

            experiment Learned {
              task      bandit(arms = 4, pairs = 200)
              train     alternate(Fit(), Improve())
              r         table(optimizer = adam(rate = 0.05))
              optimizer adam(rate = 0.05)
              steps     60
              record    gold = E[task.gold]
              expect    final(gold) > first(gold) + 0.1

              control "no reward model" {
                train Stay()
              }
            }
            """)
                .controls()
                .getFirst()
                .plan());
    assertThat(control.claims().getFirst().passed()).isFalse();
  }
}
