package org.alignlang.runtime.run;

import static org.alignlang.runtime.train.Plans.component;
import static org.alignlang.runtime.train.Plans.expectation;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.train.HandWrittenKernels;
import org.alignlang.runtime.train.Plans;
import org.alignlang.runtime.train.TrainingState;

/** Small experiments that use all of a training's state, and ways to run them. */
final class Runs {
  private Runs() {}

  /** Two sweep points with two seeds each: batches reused, a lagging actor, a network, Adam. */
  static ExperimentPlan plan(int steps) {
    return Plans.of(HandWrittenKernels.importanceWeighted("helpful"))
        .task("bandit", Map.of("arms", 6.0, "prompts", 2.0))
        .policy("mlp", Map.of("hidden", List.of(4.0)))
        .actors(Map.of("old", component("snapshot", Map.of("every", 5.0))))
        .batch(12, 1)
        .epochs(3)
        .steps(steps, 4)
        .seeds(2)
        .records(new Recorded("helpful", expectation("helpful")))
        .point(Map.of("rate", "0.05"))
        .optimizer("adam", Map.of("rate", 0.1))
        .point(Map.of("rate", "0.1"))
        .build();
  }

  static RunRequest request(ExperimentPlan plan) {
    return request(plan, "experiment Test {}");
  }

  static RunRequest request(ExperimentPlan plan, String text) {
    return new RunRequest(
        plan, Map.of("test.align", text), "/specs/test.align", Map.of(), "reference", 1, 2);
  }

  /** Runs with a saved state after every step. */
  static ExperimentResult run(ExperimentPlan plan, RunLog log, int threads) {
    return run(plan, log, threads, 0);
  }

  static ExperimentResult run(
      ExperimentPlan plan, RunLog log, int threads, double checkpointSeconds) {
    return new ExperimentRunner(
            plan,
            new ExperimentRunner.Options(1, threads, checkpointSeconds),
            Progress.silent(),
            log)
        .run();
  }

  /** The last saved state of each training. */
  static Map<TrainingId, TrainingState> states(ExperimentPlan plan, RunLog log) {
    Map<TrainingId, TrainingState> states = new LinkedHashMap<>();
    for (TrainingId id : ExperimentRunner.trainings(plan, 1)) {
      states.put(id, log.load(id, Progress.silent()).orElseThrow().state());
    }
    return states;
  }

  static void assertSameBits(
      Map<TrainingId, TrainingState> found, Map<TrainingId, TrainingState> expected) {
    assertThat(found.keySet()).isEqualTo(expected.keySet());
    expected.forEach((id, state) -> {
      TrainingState other = found.get(id);
      assertThat(other.step()).isEqualTo(state.step());
      assertThat(other.arrays().keySet()).isEqualTo(state.arrays().keySet());
      state
          .arrays()
          .forEach((name, numbers) ->
              assertThat(other.arrays().get(name)).as(name).containsExactly(numbers));
      assertThat(other.series().steps()).containsExactly(state.series().steps());
      state
          .series()
          .values()
          .forEach((name, numbers) ->
              assertThat(other.series().of(name)).as(name).containsExactly(numbers));
      assertThat(other.series().methods()).isEqualTo(state.series().methods());
    });
  }

  static RunStore store(Path root) {
    return new RunStore(root, new QuickDisk());
  }
}
