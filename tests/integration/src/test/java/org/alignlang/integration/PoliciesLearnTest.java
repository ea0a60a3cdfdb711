package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
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
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every policy learns with every optimiser, over several tokens and over arms with features. */
class PoliciesLearnTest {

  private static ExperimentResult run(String text) {
    Compilation compilation =
        Compiler.compile(new SourceFile("learn.align", text), CompilerOptions.defaults());
    assertThat(compilation.diagnostics().stream().filter(Diagnostic::isError)).isEmpty();
    DiagnosticSink sink = new DiagnosticSink();
    return ExperimentCompiler.compile(
            compilation.experiments().getFirst(),
            compilation.scope(),
            Path.of("."),
            CompilerOptions.defaults(),
            BackEnds.standard()::kernel,
            new ExperimentCompiler.Overrides(Map.of(), 0, 0),
            sink)
        .map(plan ->
            new ExperimentRunner(
                    plan,
                    new ExperimentRunner.Options(1, 2, 3600),
                    Progress.silent(),
                    RunLog.none())
                .run())
        .orElseThrow(() -> new AssertionError(sink.sorted().toString()));
  }

  private static void assertClaimsHold(ExperimentResult result) {
    assertThat(result.claims())
        .isNotEmpty()
        .allSatisfy(claim ->
            assertThat(claim.passed())
                .as(
                    String.join(
                        " ", claim.parts().stream().map(ClaimVerdict.Part::sentence).toList()))
                .isTrue());
  }

  /** A table ends at the closed form, and the others near to it. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(rate = 1)",
        "adam(rate = cosine(from = 0.1, to = 0.01, steps = 250))",
        "natural(rate = warmup(steps = 10, to = 0.2))"
      })
  void overSeveralTokens(String optimizer) {
    assertClaimsHold(
        run(
            """
            objective Keyword(beta: Real = 0.3) {
              policy    pi
              reference ref
              reward    count: sequence

              maximize E[count] - beta * KL(pi || ref)
              estimate with exact()
            }
            experiment Learn {
              task      sequences(letters = 2, length = 3, prompts = 2)
              train     Keyword()
              policy    [softmax_table(), autoregressive(context = 2, embedding = 3, hidden = 8),
                         linear(), mlp(hidden = [6])]
              optimizer OPTIMIZER
              steps     250
              batch     0
              every     250
              record    value = E[task.count] - beta * KL(pi || ref)
              expect    final(value) > first(value) + 0.5
              expect    final(value, policy = softmax_table())
                within 2% of exact(value, policy = softmax_table())
              expect    final(value) within 5% of exact(value)
            }
            """
                .replace("OPTIMIZER", optimizer)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "sgd(rate = linear(from = 2, to = 0.2, steps = 250))",
        "adam(rate = 0.05)",
        "natural(rate = 0.2)"
      })
  void overArmsWithFeatures(String optimizer) {
    assertClaimsHold(
        run(
            """
            objective Gold(beta: Real = 0.3) {
              policy    pi
              reference ref
              reward    gold: sequence

              maximize E[gold] - beta * KL(pi || ref)
              estimate with exact()
            }
            experiment Learn {
              task      [gold_proxy(arms = 6, prompts = 2, features = 3), bandit(arms = 4)]
              train     Gold()
              policy    [softmax_table(), mlp(hidden = [6]), linear()]
              optimizer OPTIMIZER
              steps     250
              batch     0
              every     250
              record    value = E[task.gold] - beta * KL(pi || ref)
              expect    final(value) > first(value) + 0.1
              expect    final(value, policy = softmax_table())
                within 2% of exact(value, policy = softmax_table())
            }
            """
                .replace("OPTIMIZER", optimizer)));
  }

  @Test
  void experimentsNameObjectives() {
    assertClaimsHold(
        run(
            """
            objective More() {
              policy pi
              reference ref
              reward helpful: sequence
              maximize E[helpful] - KL(pi || ref)
              estimate with exact()
            }
            objective Less() {
              policy pi
              reference ref
              reward helpful: sequence
              maximize -E[helpful] - KL(pi || ref)
              estimate with exact()
            }
            experiment Both {
              task   bandit(arms = 4)
              train  [More(), Less()]
              steps  50
              batch  0
              record useful = E[task.helpful], negative = -E[task.helpful]
              plot   useful against step by objective
              expect final(useful) > first(useful) where objective == More
              expect final(useful, objective = More) > final(useful, objective = Less)
              expect final(negative) == -final(useful)
              expect final(objective) > first(objective)
            }
            """));
  }
}
