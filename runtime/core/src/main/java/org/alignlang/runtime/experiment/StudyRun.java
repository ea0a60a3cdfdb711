package org.alignlang.runtime.experiment;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.study.Findings;
import org.alignlang.runtime.study.Studies;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.train.Trainer;

/** Computes a study at one sweep point with one seed, and what is recorded of it. */
final class StudyRun {
  private final ExperimentPlan plan;
  private final ExperimentPlan.Study study;
  private final long seed;

  StudyRun(ExperimentPlan plan, ExperimentPlan.Study study, long seed) {
    this.plan = plan;
    this.study = study;
    this.seed = seed;
  }

  /**
   * What the study gives, and the records made of it, one number per index.
   *
   * @param stop whether to stop before the end
   * @throws Studies.Stopped if it was stopped
   * @throws ExperimentException if an argument is wrong; the message names the place in the spec
   */
  RecordedSeries series(List<Recorded> records, BooleanSupplier stop) {
    Findings findings =
        located(task ->
            Studies.run(
                study.study().name(),
                study.study().arguments(),
                task,
                plan.directory(),
                seed,
                stop));
    int count = findings.length();
    Map<String, double[]> values = new LinkedHashMap<>();
    findings
        .series()
        .forEach((name, numbers) ->
            values.put(name, numbers.length == count ? numbers : filled(count, numbers[0])));
    for (Recorded recorded : records) {
      values.put(recorded.name(), measure(recorded.quantity(), values, count));
    }
    return new RecordedSeries(IntStream.range(0, count).toArray(), values, Map.of());
  }

  /**
   * Judges the arguments without computing anything.
   *
   * @throws ExperimentException if one is wrong; the message names the place in the spec
   */
  void judge() {
    located(task -> {
      Studies.judge(study.study().name(), study.study().arguments(), task, plan.directory(), seed);
      return true;
    });
  }

  private <T> T located(Function<Optional<Task>, T> use) {
    try {
      return use.apply(study.task().map(part -> Trainer.makeTask(plan, part, seed)));
    } catch (IllegalArgumentException e) {
      throw new ExperimentException("%s: %s".formatted(study.study().place(), e.getMessage()), e);
    }
  }

  private double[] measure(Quantity quantity, Map<String, double[]> known, int count) {
    return switch (quantity) {
      case Quantity.Constant(double value) -> filled(count, value);
      case Quantity.Label(String name) -> filled(count, PointValues.of(study, name));
      case Quantity.Named(String name) ->
          name.equals("step")
              ? IntStream.range(0, count).asDoubleStream().toArray()
              : Optional.ofNullable(known.get(name))
                  .orElseThrow(() ->
                      new ExperimentException(
                          "study `%s` gives no `%s`".formatted(study.study().name(), name)));
      case Quantity.Apply(String function, List<Quantity> arguments) -> {
        List<double[]> values =
            arguments.stream().map(argument -> measure(argument, known, count)).toList();
        yield IntStream.range(0, count)
            .mapToDouble(
                i -> Arithmetic.apply(function, values.stream().map(value -> value[i]).toList()))
            .toArray();
      }
      default ->
          throw new ExperimentException(
              "`%s` is measured of a policy, and study `%s` has none"
                  .formatted(QuantityText.show(quantity), study.study().name()));
    };
  }

  private static double[] filled(int count, double value) {
    double[] all = new double[count];
    Arrays.fill(all, value);
    return all;
  }
}
