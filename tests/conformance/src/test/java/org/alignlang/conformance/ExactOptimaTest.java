package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.junit.jupiter.api.Test;

/** {@code exact(...)} and {@code best_of(...)} from a spec to a verdict. */
class ExactOptimaTest {

  private static ExperimentPlan plan(String text) {
    Compilation compilation =
        Compiler.compile(new SourceFile("optima.align", text), CompilerOptions.defaults());
    assertThat(compilation.diagnostics()).isEmpty();
    DiagnosticSink sink = new DiagnosticSink();
    Optional<ExperimentPlan> plan = plan(compilation, sink);
    assertThat(sink.sorted()).isEmpty();
    return plan.orElseThrow();
  }

  private static Optional<ExperimentPlan> plan(Compilation compilation, DiagnosticSink sink) {
    return ExperimentCompiler.compile(
        compilation.experiments().get(0),
        compilation.scope(),
        Path.of("."),
        CompilerOptions.defaults(),
        objective -> new InterpretedKernel(objective.program()),
        ExperimentCompiler.Overrides.NONE,
        sink);
  }

  private static List<String> problems(String text) {
    DiagnosticSink sink = new DiagnosticSink();
    plan(Compiler.compile(new SourceFile("optima.align", text), CompilerOptions.defaults()), sink);
    return sink.sorted().stream().map(Diagnostic::message).toList();
  }

  private static ExperimentResult run(String text) {
    return new ExperimentRunner(
            plan(text), new ExperimentRunner.Options(1, 2, 10), Progress.silent(), RunLog.none())
        .run();
  }

  private static void assertAllHold(ExperimentResult result) {
    assertThat(result.claims()).isNotEmpty();
    for (ClaimVerdict claim : result.claims()) {
      assertThat(claim.passed()).as(claim.parts().toString()).isTrue();
    }
  }

  @Test
  void trainingReachesTheOptimumUnderTwoConstraintsWithItsMultipliers() {
    assertAllHold(
        run(
            """
            objective Constrained(beta: Real = 0.3) {
              policy    pi
              reference ref
              reward    helpful: sequence
              reward    harm: sequence
              maximize   E[helpful] - beta * KL(pi || ref)
              subject to E[harm] <= 0.3        multiplier lambda(rate = 0.5)
                         KL(pi || ref) <= 0.25 multiplier mu(rate = 0.5)
              estimate   with exact()
            }
            experiment Reaches {
              task      bandit(helpful = [1, 0, -1], harm = [0.9, 0.2, 0.1], base = [0.4, 0.3, 0.3])
              train     Constrained()
              optimizer natural(rate = 0.3)
              steps     800
              batch     0
              record    good = E[helpful], bad = E[harm], distance = KL(pi || ref), h = entropy(pi)
              expect    final(bad) within 0.001 of exact(bad)
              expect    final(good) within 0.001 of exact(good)
              expect    final(distance) within 0.001 of exact(distance)
              expect    final(h) within 0.001 of exact(h)
              expect    final(lambda) within 1% of exact(lambda)
              expect    final(mu) within 1% of exact(mu)
              expect    exact(distance) within 1e-9 of 0.25
              expect    exact(good - 0.3 * distance) >= final(good) - 0.3 * final(distance) - 0.001
            }
            """));
  }

  @Test
  void trainingReachesAnFRegularisedOptimum() {
    assertAllHold(
        run(
            """
            objective Chi(beta: Real = 0.3) {
              policy    pi
              reference ref
              reward    helpful: sequence
              maximize  E[helpful] - beta * chi_squared(pi || ref)
              estimate  with exact()
            }
            experiment Regularised {
              // u = 1 + (r - nu) / (2 beta) with nu = E_ref[r] = 0.1 while no arm is given up.
              task      bandit(helpful = [0.4, 0, -0.2], harm = [0, 0, 0], base = [0.4, 0.3, 0.3])
              train     Chi(beta = [0.4, 0.8])
              optimizer natural(rate = 0.3)
              steps     200
              batch     0
              record    good = E[helpful], distance = chi_squared(pi || ref)
              expect    final(good) within 0.0001 of exact(good)
              expect    exact(good) within 1e-12 of 0.1 + 0.066 / (2 * beta)
              expect    exact(distance) within 1e-12 of 0.066 / (4 * beta^2)
            }
            """));
  }

  @Test
  void theBestOfNIsKnownExactly() {
    assertAllHold(
        run(
            """
            objective Plain(beta: Real = 1) {
              policy    pi
              reference ref
              reward    helpful: sequence
              maximize  E[helpful] - beta * KL(pi || ref)
              estimate  with exact()
            }
            experiment Best {
              task    bandit(helpful = [3, 2, 1, 0], harm = [1, 0, 0, 0], base = [0.25, 0.25, 0.25, 0.25])
              train   Plain(beta = [0.5, 2])
              steps   1
              batch   0
              record  good = E[helpful], bad = E[task.harm], distance = KL(pi || ref)
              // F^2 = 1/16, 4/16, 9/16, 1: E = (3 * 7 + 2 * 5 + 3) / 16.
              expect  best_of(good, n = 2, by = helpful) within 1e-12 of 34 / 16
              expect  best_of(bad, n = 2, by = helpful) within 1e-12 of 7 / 16
              expect  best_of(bad, n = 2, by = -task.helpful) within 1e-12 of 1 / 16
              expect  best_of(distance, n = 2, by = helpful) <= log(2) - 1 / 2
              expect  best_of(KL(pi || ref), n = 1, by = helpful) within 1e-12 of 0
              expect  best_of(good, n = beta, by = helpful) within 1e-12 of 34 / 16  where beta == 2
            }
            """));
  }

  @Test
  void aConstraintThatNoPolicyMeetsStopsTheRunBeforeItTrains() {
    assertThatThrownBy(() ->
            run(
                """
                objective Strict {
                  policy    pi
                  reference ref
                  reward    helpful: sequence
                  reward    harm: sequence
                  maximize   E[helpful] - KL(pi || ref)
                  subject to E[harm] <= 0.05 multiplier lambda(rate = 0.5)
                  estimate   with exact()
                }
                experiment Impossible {
                  task   bandit(helpful = [1, 0], harm = [0.9, 0.2], base = [0.5, 0.5])
                  train  Strict()
                  steps  10
                  batch  0
                }
                """))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("no policy meets `E[harm] <= 0.05`: the least that it can be is 0.2");
  }

  @Test
  void whatHasNoClosedFormSaysSo() {
    assertThat(
            problems(
                """
                objective Two {
                  policy    pi
                  reference ref
                  reward    helpful: sequence
                  maximize  E[helpful] - KL(pi || ref) - chi_squared(pi || ref)
                  estimate  with exact()
                }
                experiment None {
                  task   bandit(helpful = [1, 0], harm = [0.9, 0.2], base = [0.5, 0.5])
                  train  Two()
                  steps  1
                  batch  0
                  record good = E[helpful]
                  expect final(good) <= exact(good)
                }
                """))
        .containsExactly("there is no optimum in closed form: there are two divergences");
  }
}
