package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;

/** Texts with one experiment, compiled and run. */
final class Experiments {
  private Experiments() {}

  static ExperimentPlan plan(String text) {
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
            ExperimentCompiler.Overrides.NONE,
            sink)
        .orElseThrow(() -> new AssertionError(sink.sorted().toString()));
  }

  static void assertClaimsHold(String text) {
    ExperimentResult result =
        new ExperimentRunner(
                plan(text),
                new ExperimentRunner.Options(1, 2, 3600),
                Progress.silent(),
                RunLog.none())
            .run();
    assertThat(result.claims())
        .isNotEmpty()
        .allSatisfy(claim ->
            assertThat(claim.passed())
                .as(
                    String.join(
                        " ", claim.parts().stream().map(ClaimVerdict.Part::sentence).toList()))
                .isTrue());
  }
}
