package org.alignlang.integration;

import static org.alignlang.integration.Experiments.plans;
import static org.alignlang.integration.Experiments.read;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentResult;
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
                        .allSatisfy(claim ->
                            assertThat(claim.passed())
                                .as(claim.text() + ": " + claim.sentence())
                                .isTrue());
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
    return plans(file, text, seeds).stream().map(Experiments::run).toList();
  }
}
