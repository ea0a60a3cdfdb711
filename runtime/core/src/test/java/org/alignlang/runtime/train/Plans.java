package org.alignlang.runtime.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Claim;
import org.alignlang.runtime.experiment.ExperimentPlan.ClosedForm;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;

/** Builds plans for tests, step by step, from sensible defaults. */
public final class Plans {
  private final ObjectiveKernel kernel;
  private double[] parameters = new double[0];
  private Component task = component("bandit", Map.of("arms", 8.0));
  private Component policy = component("softmax_table", Map.of());
  private Component optimizer = component("adam", Map.of("rate", 0.05));
  private int batch;
  private int group = 1;
  private int epochs = 1;
  private Map<String, Component> actors = Map.of();
  private Optional<ClosedForm> closedForm = Optional.empty();
  private int steps = 20;
  private int seeds = 1;
  private int recordEvery = 5;
  private double maximumSeconds = 600;
  private List<Recorded> records = List.of();
  private List<Claim> claims = List.of();
  private final List<Training> points = new ArrayList<>();

  private Plans(ObjectiveKernel kernel) {
    this.kernel = kernel;
  }

  public static Plans of(ObjectiveKernel kernel) {
    return new Plans(kernel);
  }

  public static Component component(String name, Map<String, Object> arguments) {
    return new Component(name, arguments, "test.align:7");
  }

  public static Quantity kl(String left, String right) {
    return new Quantity.Divergence("KL", x -> Math.exp(x) * x, left, right);
  }

  public static Quantity expectation(String score) {
    return new Quantity.Expectation("pi", "E[task." + score + "]", HandWrittenKernels.score(score));
  }

  public Plans parameters(double... values) {
    parameters = values;
    return this;
  }

  public Plans task(String name, Map<String, Object> arguments) {
    task = component(name, arguments);
    return this;
  }

  public Plans policy(String name, Map<String, Object> arguments) {
    policy = component(name, arguments);
    return this;
  }

  public Plans optimizer(String name, Map<String, Object> arguments) {
    optimizer = component(name, arguments);
    return this;
  }

  public Plans batch(int rows, int perPrompt) {
    batch = rows;
    group = perPrompt;
    return this;
  }

  public Plans epochs(int count) {
    epochs = count;
    return this;
  }

  public Plans actors(Map<String, Component> map) {
    actors = map;
    return this;
  }

  public Plans closedForm(ClosedForm form) {
    closedForm = Optional.of(form);
    return this;
  }

  public Plans steps(int count, int every) {
    steps = count;
    recordEvery = every;
    return this;
  }

  public Plans seeds(int count) {
    seeds = count;
    return this;
  }

  public Plans maximumSeconds(double seconds) {
    maximumSeconds = seconds;
    return this;
  }

  public Plans records(Recorded... list) {
    records = List.of(list);
    return this;
  }

  public Plans claims(Claim... list) {
    claims = List.of(list);
    return this;
  }

  /** Adds a sweep point with the values as they are by now. */
  public Plans point(Map<String, String> labels) {
    points.add(
        new Training(
            labels,
            kernel,
            parameters,
            task,
            policy,
            optimizer,
            batch,
            group,
            epochs,
            actors,
            java.util.Map.of(),
            java.util.Map.of(),
            java.util.Map.of(),
            closedForm,
            java.util.List.of(),
            ExperimentPlan.Turns.Alternate.ALONE));
    return this;
  }

  public ExperimentPlan build() {
    if (points.isEmpty()) {
      point(Map.of());
    }
    return new ExperimentPlan(
        "Test",
        "test.align",
        "experiment Test {}",
        Path.of("."),
        "maximise",
        List.copyOf(points),
        steps,
        seeds,
        recordEvery,
        records,
        List.of(),
        claims,
        List.of(),
        maximumSeconds);
  }
}
