package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceFolder;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** The claims of all samples hold, and those about a mechanism fail without it. */
class SampleExperimentsTest {
  private static final Path SAMPLES = Path.of("..", "..", "samples");

  @TestFactory
  Stream<DynamicTest> everyClaimOfEverySampleHolds() throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.walk(SAMPLES)) {
      // Projects with specs that only generate classes have tests of their own.
      files =
          all.filter(file -> file.toString().endsWith(".align"))
              .filter(file -> read(file).contains("\nexperiment "))
              .sorted()
              .toList();
    }
    assertThat(files).isNotEmpty();
    return files.stream()
        .map(file ->
            DynamicTest.dynamicTest(
                SAMPLES.relativize(file).toString(),
                () -> {
                  for (ExperimentResult result : run(file, read(file), 0)) {
                    assertThat(result.complete()).as(String.join("; ", result.notes())).isTrue();
                    assertThat(result.claims())
                        .allSatisfy(
                            claim -> assertThat(claim.passed()).as(sentences(claim)).isTrue());
                  }
                }));
  }

  @Test
  void withoutItsConstraintTheQuickstartIsHarmful() {
    assertThat(
            failing("quickstart/safe-helpful.align", "beta = 0.3)", "beta = 0.3, budget = 1)", 1))
        .contains("training meets it, to a hundredth", "because the multiplier rose");
  }

  @Test
  void underWeakRegularisationDivergencesHardlyDiffer() {
    assertThat(failing("divergences/divergences.align", "beta: Real = 0.5", "beta: Real = 0.01", 2))
        .contains("chi-squared keeps the most diversity", "for the least usefulness");
  }

  @Test
  void withoutDoubtTheEnsembleIsOverOptimised() {
    assertThat(
            failing(
                "overoptimization/overoptimization.align", "doubt: Real = 6", "doubt: Real = 0", 2))
        .contains("and so is doubt, without any penalty");
  }

  /** The messages of the claims that fail once a text is replaced. */
  private static List<String> failing(String file, String text, String replacement, int seeds) {
    String source = read(SAMPLES.resolve(file));
    assertThat(source).contains(text);
    return run(SAMPLES.resolve(file), source.replace(text, replacement), seeds).stream()
        .flatMap(result -> result.claims().stream())
        .filter(claim -> !claim.passed())
        .map(ClaimVerdict::message)
        .toList();
  }

  private static List<ExperimentResult> run(Path file, String text, int seeds) {
    Path folder = file.getParent();
    SourceFile source = new SourceFile(file.getFileName().toString(), text);
    CompilerOptions options = CompilerOptions.defaults().withResolver(new SourceFolder(folder));
    Compilation compilation = Compiler.compile(source, options);
    assertThat(compilation.hasErrors()).as(compilation.diagnostics().toString()).isFalse();
    assertThat(compilation.experiments()).isNotEmpty();
    return compilation.experiments().stream()
        .map(experiment -> plan(experiment, compilation, folder, options, seeds))
        .map(plan ->
            new ExperimentRunner(
                    plan,
                    new ExperimentRunner.Options(1, 2, 3600),
                    Progress.silent(),
                    RunLog.none())
                .run())
        .toList();
  }

  private static ExperimentPlan plan(
      Declaration.ExperimentDeclaration experiment,
      Compilation compilation,
      Path folder,
      CompilerOptions options,
      int seeds) {
    DiagnosticSink sink = new DiagnosticSink();
    return ExperimentCompiler.compile(
            experiment,
            compilation.scope(),
            folder,
            options,
            BackEnds.standard()::kernel,
            new ExperimentCompiler.Overrides(Map.of(), 0, seeds),
            sink)
        .orElseThrow(() -> new AssertionError(sink.sorted().toString()));
  }

  private static String sentences(ClaimVerdict claim) {
    return claim.text()
        + ": "
        + String.join(" ", claim.parts().stream().map(ClaimVerdict.Part::sentence).toList());
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
