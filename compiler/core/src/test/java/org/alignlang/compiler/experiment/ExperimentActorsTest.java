package org.alignlang.compiler.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Optional;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.junit.jupiter.api.Test;

class ExperimentActorsTest {
  private final DiagnosticSink sink = new DiagnosticSink();

  private Optional<ExperimentPlan> plan(String setting) {
    String text =
        """
        objective OffPolicy {
          policy   pi
          behavior mu
          reward   score: sequence
          maximize E[score]
          estimate with ppo()
        }
        experiment Drawn {
          task  bandit(arms = 4)
          train OffPolicy()
          steps 1
          %s
        }
        """
            .formatted(setting);
    Compilation compiled =
        Compiler.compile(new SourceFile("drawn.align", text), CompilerOptions.defaults());
    assertThat(compiled.diagnostics()).isEmpty();
    return ExperimentCompiler.compile(
        compiled.experiments().getFirst(),
        compiled.scope(),
        Path.of(""),
        CompilerOptions.defaults(),
        objective -> new InterpretedKernel(objective.program()),
        ExperimentCompiler.Overrides.NONE,
        sink);
  }

  @Test
  void theBehaviourPolicyIsWhatSampledUnderAnyName() {
    ExperimentPlan plan = plan("").orElseThrow();
    assertThat(plan.training(0).actors())
        .hasEntrySatisfying("mu", what -> assertThat(what.name()).isEqualTo("sampling"));
  }

  @Test
  void onlyOldDrawsFromAnotherPolicy() {
    assertThat(plan("mu snapshot(every = 5)")).isEmpty();
    assertThat(sink.sorted())
        .extracting(Diagnostic::message)
        .containsExactly(
            "samples are drawn from the actor called `old`, and this one is called `mu`");
  }

  @Test
  void whoSampledIsDeclaredByTheObjective() {
    assertThat(plan("old base()")).isEmpty();
    assertThat(sink.sorted())
        .extracting(found -> found.message() + "; " + found.help().orElse(""))
        .containsExactly(
            "the objective does not say that `old` sampled its data; declare it there: `behavior"
                + " old`");
  }
}
