package org.alignlang.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.train.TrainingState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ResumeTest {
  private static final int STEPS = 11;

  @TempDir Path folder;

  private Map<TrainingId, TrainingState> uninterrupted(ExperimentPlan plan) {
    return uninterrupted(plan, 1000);
  }

  private Map<TrainingId, TrainingState> uninterrupted(
      ExperimentPlan plan, double checkpointSeconds) {
    try (RunDirectory run = Runs.store(folder.resolve("whole")).create(Runs.request(plan))) {
      Runs.run(plan, run.log(), 1, checkpointSeconds);
      return Runs.states(plan, run.log());
    }
  }

  /** Wherever the disk fails, going on leads to the same bits, with another number of threads. */
  @ParameterizedTest
  @EnumSource(FailingDisk.Failure.class)
  void aFailureAtAnyByteLosesNothingThatWasSaved(FailingDisk.Failure failure) {
    ExperimentPlan plan = Runs.plan(STEPS);
    Map<TrainingId, TrainingState> expected = uninterrupted(plan);
    FailingDisk measuring = new FailingDisk(failure, Long.MAX_VALUE);
    try (RunDirectory run =
        new RunStore(folder.resolve("measured"), measuring).create(Runs.request(plan))) {
      Runs.run(plan, run.log(), 1);
    }
    long all = Long.MAX_VALUE - measuring.left();
    Random random = new Random(failure.ordinal());
    int resumed = 0;
    for (int i = 0; i < 12; i++) {
      long budget = 3000 + (long) (random.nextDouble() * (all - 3000));
      RunStore store = new RunStore(folder.resolve("runs" + i), new FailingDisk(failure, budget));
      try (RunDirectory run = store.create(Runs.request(plan))) {
        assertThatThrownBy(() -> Runs.run(plan, run.log(), 1))
            .isInstanceOf(RunException.class)
            .hasMessageContaining("cannot be written: No space left on device");
      } catch (RunException e) {
        // Not even begun: there is no run to go on with, and a new one is as good.
        continue;
      }
      resumed++;
      RunStore mended = Runs.store(store.root());
      StoredRun left = mended.find("latest");
      assertThat(left.status()).isEqualTo(StoredRun.Status.STOPPED);
      int threads = 1 + i % 3;
      try (RunDirectory run = mended.resume(left, Runs.request(plan))) {
        Runs.run(plan, run.log(), threads);
        Runs.assertSameBits(Runs.states(plan, run.log()), expected);
      }
      assertMetricsAreThoseOf(StoredRun.read(left.path()), expected);
    }
    assertThat(resumed).isGreaterThan(6);
  }

  private static void assertMetricsAreThoseOf(
      StoredRun run, Map<TrainingId, TrainingState> expected) {
    expected.forEach((id, state) -> {
      List<StoredRun.Record> records = run.metrics(id.point(), id.seed());
      assertThat(records.stream().map(StoredRun.Record::step)).containsExactly(0, 4, 8, STEPS);
      for (int i = 0; i < records.size(); i++) {
        assertThat(records.get(i).values())
            .containsEntry("helpful", state.series().of("helpful")[i]);
      }
    });
  }

  /** At most the steps since the last state are made again. */
  @Test
  void goesOnFromTheLastStateThatWasWritten() {
    ExperimentPlan plan = Runs.plan(STEPS);
    RunStore store = new RunStore(folder, new FailingDisk(FailingDisk.Failure.KILLED, 30_000));
    try (RunDirectory run = store.create(Runs.request(plan))) {
      assertThatThrownBy(() -> Runs.run(plan, run.log(), 1)).isInstanceOf(RunException.class);
    }
    RunStore mended = Runs.store(folder);
    StoredRun left = mended.find("latest");
    long recorded = left.recordedSteps();
    assertThat(recorded).isPositive();
    List<Integer> begun = new ArrayList<>();
    Progress progress =
        new Progress() {
          @Override
          public void started(TrainingId training, int step) {
            begun.add(step);
          }
        };
    try (RunDirectory run = mended.resume(left, Runs.request(plan))) {
      new ExperimentRunner(plan, new ExperimentRunner.Options(1, 1, 0), progress, run.log()).run();
    }
    // A state is saved after every step here, so none that was recorded is made again.
    assertThat(begun.stream().mapToLong(Integer::longValue).sum()).isGreaterThanOrEqualTo(recorded);
  }

  @Test
  void passesADamagedStateOver() throws IOException {
    ExperimentPlan plan = Runs.plan(STEPS);
    Map<TrainingId, TrainingState> expected = uninterrupted(plan, 0);
    RunStore store = Runs.store(folder.resolve("whole"));
    Path states = store.find("latest").path().resolve("checkpoints/point0-seed1");
    Path newest = states.resolve("step-0000000011.checkpoint");
    byte[] bytes = Files.readAllBytes(newest);
    bytes[bytes.length / 2] ^= 4;
    Files.write(newest, bytes);
    Files.write(states.resolve("step-0000000012.checkpoint.partial"), new byte[10]);
    List<String> messages = new ArrayList<>();
    Progress progress =
        new Progress() {
          @Override
          public void message(String text) {
            messages.add(text);
          }
        };
    try (RunDirectory run = store.resume(store.find("latest"), Runs.request(plan))) {
      new ExperimentRunner(plan, new ExperimentRunner.Options(1, 2, 0), progress, run.log()).run();
      Runs.assertSameBits(Runs.states(plan, run.log()), expected);
    }
    assertThat(messages)
        .containsExactly(
            "checkpoint `checkpoints/point0-seed1/step-0000000011.checkpoint` is damaged (its"
                + " checksum does not fit its content); training (rate = 0.05, seed 1) goes on from"
                + " the one before");
    try (Stream<Path> files = Files.list(states)) {
      assertThat(files.map(file -> file.getFileName().toString()))
          .containsExactlyInAnyOrder(
              "step-0000000010.checkpoint",
              "step-0000000011.checkpoint",
              "step-0000000011.checkpoint.damaged");
    }
  }

  @Test
  void beginsAgainWhereNoStateIsWhole() throws IOException {
    ExperimentPlan plan = Runs.plan(STEPS);
    Map<TrainingId, TrainingState> expected = uninterrupted(plan, 0);
    RunStore store = Runs.store(folder.resolve("whole"));
    try (Stream<Path> files =
        Files.list(store.find("latest").path().resolve("checkpoints/point1-seed2"))) {
      for (Path file : files.toList()) {
        Files.write(file, new byte[3]);
      }
    }
    try (RunDirectory run = store.resume(store.find("latest"), Runs.request(plan))) {
      Runs.run(plan, run.log(), 3);
      Runs.assertSameBits(Runs.states(plan, run.log()), expected);
    }
  }

  /** Run in another process, which is killed at moments of chance. */
  static final class Child {
    private Child() {}

    public static void main(String[] arguments) {
      ExperimentPlan plan = Runs.plan(Integer.parseInt(arguments[1]));
      RunStore store = Runs.store(Path.of(arguments[0]));
      List<StoredRun> runs = store.list();
      try (RunDirectory run =
          runs.isEmpty()
              ? store.create(Runs.request(plan))
              : store.resume(runs.getLast(), Runs.request(plan))) {
        System.out.println("begun");
        run.finish(Runs.run(plan, run.log(), 2, 0.02));
      }
    }
  }

  @Test
  void aKilledProcessLosesNothingThatWasSaved() throws IOException, InterruptedException {
    int steps = 200;
    Random random = new Random(5);
    Path runs = folder.resolve("runs");
    Path output = folder.resolve("output.txt");
    int kills = 0;
    boolean finished = false;
    while (!finished) {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-XX:+UseSerialGC",
                  "-cp",
                  System.getProperty("java.class.path"),
                  Child.class.getName(),
                  runs.toString(),
                  Integer.toString(steps))
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean killed = kills < 3;
      if (killed) {
        while (process.isAlive() && Files.size(output) == 0) {
          Thread.sleep(2);
        }
        Thread.sleep(random.nextInt(250));
        process.destroyForcibly();
        kills++;
      }
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      finished = process.exitValue() == 0;
      assertThat(finished || killed).as(Files.readString(output)).isTrue();
    }
    ExperimentPlan plan = Runs.plan(steps);
    Map<TrainingId, TrainingState> expected = uninterrupted(plan);
    RunStore store = Runs.store(runs);
    assertThat(store.list()).hasSize(1);
    StoredRun run = store.find("latest");
    assertThat(run.status()).isEqualTo(StoredRun.Status.COMPLETE);
    assertThat(run.report()).exists();
    try (RunDirectory again = store.resume(run, Runs.request(plan))) {
      Runs.assertSameBits(Runs.states(plan, again.log()), expected);
    }
  }

  @Test
  void anInterruptedRunSavesAndGoesOn() throws InterruptedException {
    ExperimentPlan plan = Runs.plan(2000);
    RunStore store = Runs.store(folder);
    List<ExperimentResult> results = new ArrayList<>();
    Thread thread =
        new Thread(() -> {
          try (RunDirectory run = store.create(Runs.request(plan))) {
            results.add(
                new ExperimentRunner(
                        plan,
                        new ExperimentRunner.Options(1, 2, 1000),
                        Progress.silent(),
                        run.log())
                    .run());
          }
        });
    thread.start();
    while (store.list().isEmpty() || store.list().getFirst().metrics(0, 1).size() < 2) {
      Thread.sleep(5);
    }
    thread.interrupt();
    thread.join();
    assertThat(results.getFirst().complete()).isFalse();
    StoredRun left = store.find("latest");
    try (RunDirectory run = store.resume(left, Runs.request(plan))) {
      int steps =
          Runs.states(plan, run.log()).values().stream().mapToInt(TrainingState::step).sum();
      assertThat(steps).isPositive().isLessThan(8000);
      assertThat(Runs.run(plan, run.log(), 1, 1000).complete()).isTrue();
      Map<TrainingId, TrainingState> found = Runs.states(plan, run.log());
      Runs.assertSameBits(found, uninterrupted(plan));
    }
  }
}
