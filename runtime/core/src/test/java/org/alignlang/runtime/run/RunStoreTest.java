package org.alignlang.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunStoreTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "../../etc/passwd, etc-passwd",
    "..., run",
    "a b/c\\d:e, a-b-c-d-e",
    "Überoptimierung_β2, Überoptimierung_β2",
    ".hidden, hidden",
    "safe-helpful, safe-helpful"
  })
  void namesStayInTheirFolder(String name, String plain) {
    assertThat(RunNames.plain(name, "run")).isEqualTo(plain);
    assertThat(folder.resolve(RunNames.plain(name, "run")).normalize().getParent())
        .isEqualTo(folder);
  }

  @Test
  void runsOfTheSameSecondGetTheirOwnFolders() {
    RunStore store = Runs.store(folder.resolve("deep/runs"));
    ExperimentPlan plan = Runs.plan(5);
    for (int i = 0; i < 4; i++) {
      store.create(Runs.request(plan)).close();
    }
    assertThat(store.list()).hasSize(4);
    assertThat(store.list().stream().map(StoredRun::name)).doesNotHaveDuplicates();
    assertThat(store.list().getFirst().name()).matches("\\d{8}-\\d{6}-Test");
  }

  @Test
  void holdsAllThatIsNeededToRepeatTheRun() throws IOException {
    RunStore store = Runs.store(folder);
    ExperimentPlan plan = Runs.plan(5);
    Map<String, String> sources = new LinkedHashMap<>();
    sources.put("test.align", "experiment Test {}\n");
    sources.put("lib/test.align", "// ours\n");
    sources.put("align:losses/dpo.align", "// theirs\n");
    RunRequest request =
        new RunRequest(plan, sources, "/specs/test.align", Map.of("beta", "0.5"), "jvm", 1, 2);
    Path path;
    ExperimentResult result;
    try (RunDirectory run = store.create(request)) {
      path = run.path();
      result = Runs.run(plan, run.log(), 2);
      run.finish(result);
    }
    try (Stream<Path> files = Files.walk(path)) {
      assertThat(
              files
                  .filter(Files::isRegularFile)
                  .map(file -> path.relativize(file).toString())
                  .filter(file -> !file.startsWith("checkpoints")))
          .containsExactlyInAnyOrder(
              "run.json",
              "run.lock",
              "results.json",
              "report.html",
              "spec/test.align",
              "spec/test-2.align",
              "spec/dpo.align",
              "metrics/point0-seed1.jsonl",
              "metrics/point0-seed2.jsonl",
              "metrics/point1-seed1.jsonl",
              "metrics/point1-seed2.jsonl",
              "plots/01-helpful-against-step.svg");
    }
    assertThat(path.resolve("spec/test-2.align")).hasContent("// ours");
    StoredRun read = StoredRun.read(path);
    assertThat(read.manifest().fingerprint()).isEqualTo(request.manifest().fingerprint());
    assertThat(read.manifest().overrides()).containsEntry("beta", "0.5");
    assertThat(read.manifest().points().get(1).optimizer()).isEqualTo("adam(rate = 0.1)");
    assertThat(read.manifest().environment().javaVersion()).isNotBlank();
    assertThat(read.results().orElseThrow().quantities().getFirst().last().mean())
        .isEqualTo(
            (result.trainings().get(0).series().last("helpful")
                    + result.trainings().get(1).series().last("helpful"))
                / 2);
    assertThat(read.recordedSteps()).isEqualTo(20).isEqualTo(read.plannedSteps());
  }

  @Test
  void aChangedSpecIsRefused() {
    RunStore store = Runs.store(folder);
    ExperimentPlan plan = Runs.plan(5);
    store.create(Runs.request(plan)).close();
    StoredRun run = store.find("latest");
    assertThatThrownBy(() -> store.resume(run, Runs.request(plan, "experiment Test { }")))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("cannot go on, because `test.align` has changed")
        .hasMessageContaining(run.path().resolve("spec/test.align").toString());
    assertThatThrownBy(() -> store.resume(run, Runs.request(Runs.plan(6))))
        .hasMessageContaining("the number of steps was 5 and is now 6");
  }

  @Test
  void changedDataIsRefused() throws IOException {
    Path data = folder.resolve("scores.jsonl");
    Files.writeString(data, "{}\n");
    RunStore store = Runs.store(folder.resolve("runs"));
    ExperimentPlan plan = reading(Runs.plan(5), data);
    store.create(Runs.request(plan)).close();
    Files.writeString(data, "{}\n{}\n");
    assertThatThrownBy(() -> store.resume(store.find("latest"), Runs.request(plan)))
        .hasMessageContaining("scores.jsonl` has changed");
  }

  private static ExperimentPlan reading(ExperimentPlan plan, Path data) {
    ExperimentPlan.Training point = plan.training(0);
    ExperimentPlan.Component task =
        new ExperimentPlan.Component(
            "preferences", Map.of("file", data.toString()), "test.align:2");
    return new ExperimentPlan(
        plan.name(),
        plan.source(),
        plan.sourceText(),
        plan.directory(),
        plan.objectiveText(),
        List.of(
            new ExperimentPlan.Training(
                point.labels(),
                point.kernel(),
                point.parameters(),
                task,
                point.policy(),
                point.optimizer(),
                point.batch(),
                point.group(),
                point.epochs(),
                point.actors(),
                java.util.Map.of(),
                java.util.Map.of(),
                java.util.Map.of(),
                point.closedForm(),
                java.util.List.of(),
                ExperimentPlan.Turns.Alternate.ALONE)),
        plan.steps(),
        plan.seeds(),
        plan.recordEvery(),
        plan.records(),
        plan.plots(),
        plan.claims(),
        plan.controls(),
        plan.maximumSeconds());
  }

  @Test
  void oneProcessWritesARunAtATime() {
    RunStore store = Runs.store(folder);
    ExperimentPlan plan = Runs.plan(5);
    try (RunDirectory run = store.create(Runs.request(plan))) {
      StoredRun stored = store.find(run.path().toString());
      assertThat(stored.status()).isEqualTo(StoredRun.Status.RUNNING);
      assertThatThrownBy(() -> store.resume(stored, Runs.request(plan)))
          .isInstanceOf(RunException.class)
          .hasMessageContaining("is being written by another process");
    }
    assertThat(store.find("latest").status()).isEqualTo(StoredRun.Status.STOPPED);
  }

  @Test
  void findsRunsByPartsOfTheirNames() {
    RunStore store = Runs.store(folder);
    assertThatThrownBy(() -> store.find("latest")).hasMessageContaining("no runs");
    assertThatThrownBy(() -> store.find("Tset")).hasMessageContaining("there is no run `Tset`");
    store.create(Runs.request(Runs.plan(5))).close();
    String name = store.find("Test").name();
    assertThat(store.find(name.substring(0, 12)).name()).isEqualTo(name);
    assertThatThrownBy(() -> store.find(name.replace('-', '_')))
        .hasMessageContaining("did you mean `" + name + "`?");
    store.create(Runs.request(Runs.plan(5))).close();
    assertThat(store.find(name).name()).isEqualTo(name);
    assertThatThrownBy(() -> store.find("Test")).hasMessageContaining("2 runs");
  }

  @Test
  void foldersThatAreNoRunsDoNotCount() throws IOException {
    Files.createDirectories(folder.resolve("20250101-000000-Half"));
    Files.writeString(folder.resolve("notes.txt"), "");
    assertThat(Runs.store(folder).list()).isEmpty();
    Path run = folder.resolve("20250101-000000-Damaged");
    Files.createDirectories(run);
    Files.writeString(run.resolve("run.json"), "{\"format\": 1, ");
    List<String> damaged = new ArrayList<>();
    assertThat(Runs.store(folder).list(damaged::add)).isEmpty();
    assertThat(damaged).hasSize(2);
    assertThat(damaged.getFirst()).contains("run.json` is damaged: ");
    assertThat(damaged.getLast()).contains("-Half` was killed before its first step");
  }

  @Test
  void anUnwritableFolderIsAnErrorInOneSentence() throws IOException {
    Path file = folder.resolve("file");
    Files.writeString(file, "");
    assertThatThrownBy(() -> Runs.store(file.resolve("runs")).create(Runs.request(Runs.plan(5))))
        .isInstanceOf(RunException.class)
        .hasMessageStartingWith("no run can be written to folder `")
        .hasMessageNotContaining("Exception");
    Assumptions.assumeFalse("root".equals(System.getProperty("user.name")), "root may write");
    Path closed =
        Files.createDirectory(
            folder.resolve("closed"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("r-x------")));
    assertThatThrownBy(() -> Runs.store(closed.resolve("runs")).create(Runs.request(Runs.plan(5))))
        .hasMessageContaining("permission denied");
  }
}
