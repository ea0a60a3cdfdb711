package org.alignlang.integration;

import static org.alignlang.integration.Experiments.plans;
import static org.alignlang.integration.Experiments.read;
import static org.alignlang.integration.Experiments.run;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The rows of the papers: every claim holds, and in every control one fails. {@code
 * -Dalign.papers=all} runs all of them, as continuous integration does; otherwise a few quick ones
 * are run and the others compiled.
 */
class PapersTest {
  private static final Path PAPERS = Path.of("..", "..", "stdlib", "papers");
  private static final boolean ALL = "all".equals(System.getProperty("align.papers"));
  private static final Set<String> QUICK = Set.of("03", "12", "14", "21", "26", "30");

  @TestFactory
  Stream<DynamicTest> everyRowHoldsAndItsControlsFail() throws IOException {
    List<Path> rows;
    try (Stream<Path> all = Files.list(PAPERS)) {
      rows = all.filter(file -> file.toString().endsWith(".align")).sorted().toList();
    }
    assertThat(rows).isNotEmpty();
    return rows.stream()
        .map(row -> DynamicTest.dynamicTest(row.getFileName().toString(), () -> verify(row)));
  }

  private static void verify(Path row) {
    boolean run = ALL || QUICK.contains(row.getFileName().toString().substring(0, 2));
    List<ExperimentPlan> plans = plans(row, read(row), 0);
    assertThat(plans.stream().mapToInt(plan -> plan.controls().size()).sum())
        .as("negative controls")
        .isPositive();
    for (ExperimentPlan plan : plans) {
      assertThat(plan.claims()).as("claims of " + plan.name()).isNotEmpty();
      if (!run) {
        continue;
      }
      ExperimentResult result = run(plan);
      assertThat(result.complete()).as(String.join("; ", result.notes())).isTrue();
      assertThat(result.claims())
          .allSatisfy(claim -> assertThat(claim.passed()).as(claim.sentence()).isTrue());
      for (ExperimentPlan.Control control : plan.controls()) {
        assertThat(run(control.plan()).claims())
            .as("claims where there is " + control.text())
            .anyMatch(claim -> !claim.passed());
      }
    }
  }
}
