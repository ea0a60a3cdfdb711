package org.alignlang.runtime.train;

import static org.alignlang.runtime.train.Plans.component;
import static org.alignlang.runtime.train.Plans.expectation;
import static org.alignlang.runtime.train.Plans.kl;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.experiment.ExperimentRunner;
import org.alignlang.runtime.experiment.Method;
import org.alignlang.runtime.experiment.RecordedSeries;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {
  static final Trainer.Observer BLIND =
      new Trainer.Observer() {
        @Override
        public void recorded(int step, Map<String, Double> values) {}

        @Override
        public boolean stepped(int steps, Supplier<TrainingState> state) {
          return true;
        }
      };

  static Trainer trainer(ExperimentPlan plan, Workers workers) {
    TrainingId id = ExperimentRunner.trainings(plan, 1).getFirst();
    return new Trainer(plan, id, plan.records(), workers);
  }

  private static Trainer trained(ExperimentPlan plan) {
    Trainer trainer = trainer(plan, Workers.serial());
    assertThat(trainer.run(BLIND)).isTrue();
    return trainer;
  }

  /** {@code E[score]} under the tilted distribution {@code ref exp(reward / beta) / Z}. */
  private static double tilted(Task task, String reward, double beta, String score) {
    double total = 0;
    for (int prompt = 0; prompt < task.prompts(); prompt++) {
      List<Response> all = task.responses(prompt, 100_000);
      double[] logits = Responses.logProbabilities(task.base(), all);
      for (int i = 0; i < logits.length; i++) {
        logits[i] += task.score(reward, all.get(i))[0] / beta;
      }
      Responses.logSoftmax(logits);
      for (int i = 0; i < logits.length; i++) {
        total += Math.exp(logits[i]) * task.score(score, all.get(i))[0];
      }
    }
    return total / task.prompts();
  }

  @Test
  void exactTrainingReachesTheClosedForm() {
    double beta = 0.7;
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.exactRegularised("helpful"))
            .parameters(beta)
            .task("bandit", Map.of("arms", 8.0, "prompts", 3.0))
            .optimizer("natural", Map.of("rate", 0.2))
            .steps(600, 100)
            .records(
                new Recorded("helpful", expectation("helpful")),
                new Recorded("divergence", kl("pi", "ref")),
                new Recorded(
                    "root", new Quantity.Apply("sqrt", List.of(new Quantity.Named("divergence")))))
            .build();
    Trainer trainer = trained(plan);
    RecordedSeries series = trainer.series();
    assertThat(series.steps()).containsExactly(0, 100, 200, 300, 400, 500, 600);
    assertThat(series.last("helpful"))
        .isCloseTo(tilted(trainer.task(), "helpful", beta, "helpful"), within(1e-5));
    assertThat(series.of("divergence")[0]).isCloseTo(0, within(1e-12));
    // The kernel's own metric and the recorded divergence are the same number found two ways.
    assertThat(series.of("kl")).containsExactly(series.of("divergence"), within(1e-10));
    assertThat(series.last("root")).isEqualTo(Math.sqrt(series.last("divergence")));
    assertThat(series.methods().get("helpful")).isEqualTo(Method.enumerated(24));
    assertThat(series.values()).containsKeys("loss", "kl");
  }

  @Test
  void reinforceClimbsOnAverage() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.reinforce("helpful"))
            .task("bandit", Map.of("arms", 8.0, "prompts", 2.0))
            .batch(64, 8)
            .optimizer("adam", Map.of("rate", 0.1))
            .steps(150, 50)
            .records(new Recorded("helpful", expectation("helpful")))
            .build();
    Trainer trainer = trained(plan);
    double best = 0;
    for (int prompt = 0; prompt < 2; prompt++) {
      best +=
          trainer.task().responses(prompt, 100).stream()
                  .mapToDouble(response -> trainer.task().score("helpful", response)[0])
                  .max()
                  .orElseThrow()
              / 2;
    }
    assertThat(trainer.series().of("helpful")[0]).isLessThan(0.6 * best);
    assertThat(trainer.series().last("helpful")).isGreaterThan(0.97 * best);
  }

  @Test
  void dpoLearnsThePreferredArms() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.dpo())
            .parameters(0.5)
            .task("bandit", Map.of("arms", 6.0, "pairs", 300.0))
            .batch(32, 1)
            .steps(300, 100)
            .records(new Recorded("gold", expectation("gold")))
            .build();
    RecordedSeries series = trained(plan).series();
    assertThat(series.of("loss")[0]).isCloseTo(Math.log(2), within(1e-12));
    assertThat(series.last("loss")).isLessThan(0.6);
    assertThat(series.last("gold")).isGreaterThan(series.of("gold")[0] + 0.5);
  }

  @Test
  void theDualStepBringsTheConstraintToItsBound() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.exactConstrained())
            .parameters(0.1, 0.10)
            .task("bandit", Map.of("arms", 8.0))
            .optimizer("adam", Map.of("rate", 0.02))
            .steps(3000, 1000)
            .records(new Recorded("harmful", expectation("harm")))
            .build();
    RecordedSeries series = trained(plan).series();
    assertThat(series.of("lambda")[0]).isZero();
    assertThat(series.last("lambda")).isGreaterThan(0.1);
    assertThat(series.last("harmful")).isCloseTo(0.10, within(0.003));
    assertThat(series.of("harm")).containsExactly(series.of("harmful"), within(1e-12));
  }

  @Test
  void logitsAndLogProbabilitiesGiveTheSameTraining() {
    List<RecordedSeries> both = new ArrayList<>();
    for (boolean fromLogits : new boolean[] {false, true}) {
      ExperimentPlan plan =
          Plans.of(HandWrittenKernels.labelled(fromLogits))
              .task("bandit", Map.of("arms", 5.0))
              .policy("softmax_table", Map.of())
              .steps(40, 10)
              .records(new Recorded("helpful", expectation("helpful")))
              .build();
      both.add(trained(plan).series());
    }
    assertThat(both.get(1).of("helpful")).containsExactly(both.get(0).of("helpful"), within(1e-9));
    assertThat(both.get(0).last("helpful")).isNotEqualTo(both.get(0).of("helpful")[0]);
  }

  @Test
  void theBehaviourPolicyIsTheOneAtTheStartOfTheEpochs() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.importanceWeighted("helpful"))
            .batch(16, 1)
            .epochs(4)
            .steps(12, 1)
            .build();
    double[] deviation = trained(plan).series().of("deviation");
    for (int step = 0; step <= 12; step++) {
      if (step % 4 == 0) {
        assertThat(deviation[step]).as("step " + step).isZero();
      } else {
        assertThat(deviation[step]).as("step " + step).isGreaterThan(1e-3);
      }
    }
  }

  @Test
  void aBehaviourThatIsASnapshotDrawsTheSamples() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.importanceWeighted("helpful"))
            .batch(16, 1)
            .actors(Map.of("old", component("snapshot", Map.of("every", 5.0))))
            .steps(10, 1)
            .build();
    double[] deviation = trained(plan).series().of("deviation");
    for (int step = 0; step <= 10; step++) {
      assertThat(deviation[step] == 0).as("step " + step).isEqualTo(step % 5 == 0);
    }
  }

  @Test
  void averagesAndSnapshotsFollowTheTrainedPolicy() {
    Quantity lag = kl("pi", "slow");
    Quantity still = kl("pi", "start");
    Quantity copy = kl("pi", "copy");
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.exactRegularised("helpful"))
            .parameters(0.5)
            .actors(
                Map.of(
                    "slow", component("ema", Map.of("decay", 0.9)),
                    "start", component("initial", Map.of()),
                    "copy", component("snapshot", Map.of("every", 10.0))))
            .steps(100, 10)
            .records(
                new Recorded("lag", lag), new Recorded("still", still), new Recorded("copy", copy))
            .build();
    RecordedSeries series = trained(plan).series();
    assertThat(series.of("copy")).containsOnly(series.of("copy")[0]);
    assertThat(series.of("copy")[0]).isCloseTo(0, within(1e-12));
    assertThat(series.of("lag")[1]).isGreaterThan(1e-3).isLessThan(series.of("still")[1]);
    assertThat(series.last("still")).isGreaterThan(0.1);
    assertThat(series.of("still")).containsExactly(series.of("kl"), within(1e-10));
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 7})
  void theBitsDoNotDependOnTheNumberOfThreads(int threads) {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.reinforce("helpful"))
            .task("bandit", Map.of("arms", 8.0, "prompts", 3.0))
            .policy("mlp", Map.of("hidden", List.of(8.0)))
            .batch(60, 4)
            .steps(15, 5)
            .records(new Recorded("helpful", expectation("helpful")))
            .build();
    Trainer alone = trained(plan);
    try (WorkerPool pool = new WorkerPool(threads)) {
      Trainer together = trainer(plan, pool);
      together.run(BLIND);
      assertThat(together.policy().parameters()).containsExactly(alone.policy().parameters());
      alone
          .series()
          .values()
          .forEach((name, values) ->
              assertThat(together.series().of(name)).as(name).containsExactly(values));
    }
  }

  @Test
  void promptsComeInTurnAndEachVisitIsAGroup() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.reinforce("helpful"))
            .task("bandit", Map.of("arms", 4.0, "prompts", 3.0))
            .batch(8, 4)
            .build();
    Trainer trainer = trainer(plan, Workers.serial());
    RowSource source = RowSource.of(plan.training(0), trainer.task(), trainer.actors(), 1);
    List<Integer> prompts = new ArrayList<>();
    for (int round = 0; round < 3; round++) {
      Rows rows = source.rows(round, trainer.policy(), Workers.serial());
      assertThat(rows.groups()).containsExactly(0, 0, 0, 0, 1, 1, 1, 1);
      prompts.add(rows.of("y").get(0).prompt());
      prompts.add(rows.of("y").get(7).prompt());
    }
    assertThat(prompts).containsExactly(0, 1, 2, 0, 1, 2);
  }

  @Test
  void everyPairIsSeenOnceInEachPass() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.dpo())
            .parameters(0.5)
            .task("bandit", Map.of("arms", 6.0, "pairs", 30.0))
            .batch(12, 1)
            .build();
    Task task = Trainer.makeTask(plan, plan.training(0), 1);
    Actors actors = trainer(plan, Workers.serial()).actors();
    RowSource source = RowSource.of(plan.training(0), task, actors, 1);
    List<Response> seen = new ArrayList<>();
    for (int round = 0; round < 5; round++) {
      Rows rows = source.rows(round, task.base(), Workers.serial());
      assertThat(rows.count()).isEqualTo(12);
      seen.addAll(rows.of("chosen"));
    }
    List<Response> all = task.pairs().stream().map(Task.Pair::chosen).toList();
    assertThat(counts(seen.subList(0, 30))).isEqualTo(counts(all));
    assertThat(counts(seen.subList(30, 60))).isEqualTo(counts(all));
    assertThat(seen.subList(0, 30)).isNotEqualTo(all).isNotEqualTo(seen.subList(30, 60));
  }

  private static Map<Integer, Integer> counts(List<Response> responses) {
    Map<Integer, Integer> counts = new TreeMap<>();
    responses.forEach(response -> counts.merge(response.tokens()[0], 1, Integer::sum));
    return counts;
  }

  @Test
  void aLossThatIsNotFiniteNamesStepMetricAndCause() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.breaking("helpful")).parameters(3).batch(4, 1).build();
    Trainer trainer = trainer(plan, Workers.serial());
    assertThatThrownBy(() -> trainer.run(BLIND))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("(seed 1) stopped at step 3")
        .hasMessageContaining("the loss of objective `Breaking` is NaN, metric `calls` is NaN")
        .hasMessageContaining("optimizer `adam`");
  }

  @Test
  void aBaseThatExcludesAResponseIsNamedAsTheCause() {
    Map<String, Object> bandit = new HashMap<>();
    bandit.put("helpful", List.of(1.0, 0.0, 0.0));
    bandit.put("harm", List.of(0.0, 0.0, 0.0));
    bandit.put("base", List.of(0.5, 0.5, 0.0));
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.exactRegularised("helpful"))
            .parameters(0.1)
            .task("bandit", bandit)
            .policy("softmax_table", Map.of("relative", false))
            .build();
    Trainer trainer = trainer(plan, Workers.serial());
    assertThatThrownBy(() -> trainer.run(BLIND))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("`ref.logp`, which is -Infinity at row 2")
        .hasMessageContaining("step 0");
  }

  @Test
  void mistakesInThePlanNameTheirPlace() {
    assertThatThrownBy(
            () -> trained(Plans.of(HandWrittenKernels.reinforce("helpfull")).batch(4, 2).build()))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("`reward.helpfull`")
        .hasMessageContaining("did you mean `helpful`?");
    assertThatThrownBy(
            () -> trained(Plans.of(HandWrittenKernels.reinforce("harm")).batch(6, 4).build()))
        .hasMessageContaining("batch 6 is not a multiple of group 4");
    assertThatThrownBy(() ->
            trained(
                Plans.of(HandWrittenKernels.reinforce("harm")).optimizer("adm", Map.of()).build()))
        .hasMessageContaining("test.align:7: there is no optimizer `adm`; did you mean `adam`?");
    assertThatThrownBy(() ->
            trained(
                Plans.of(HandWrittenKernels.dpo())
                    .parameters(1)
                    .task("bandit", Map.of("pairs", 0.0))
                    .build()))
        .hasMessageContaining("needs preference pairs, and task `bandit` has none");
    assertThatThrownBy(() ->
            trained(
                Plans.of(HandWrittenKernels.exactRegularised("helpful"))
                    .parameters(1)
                    .actors(Map.of("slow", component("ema", Map.of())))
                    .build()))
        .hasMessageContaining("actor `ema` needs the argument `decay`");
    assertThatThrownBy(() ->
            trained(
                Plans.of(HandWrittenKernels.exactRegularised("helpful"))
                    .parameters(1)
                    .records(new Recorded("kl2", kl("pi", "reff")))
                    .build()))
        .hasMessageContaining("record `kl2`: there is no actor `reff`; did you mean `ref`?");
  }

  @Test
  void tooManyResponsesAreRefusedWithTheirCount() {
    ExperimentPlan plan =
        Plans.of(HandWrittenKernels.exactRegularised("helpful"))
            .parameters(1)
            .task("bandit", Map.of("arms", 400.0, "prompts", 501.0, "pairs", 0.0))
            .build();
    assertThatThrownBy(() -> trainer(plan, Workers.serial()))
        .isInstanceOf(ExperimentException.class)
        .hasMessageContaining("at most 200000")
        .hasMessageContaining("task `bandit` has up to 400.0 responses to each of 501 prompts");
  }
}
