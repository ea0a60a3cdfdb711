package org.alignlang.runtime.train;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.dual.Multipliers;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.experiment.ExperimentPlan.Point;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.experiment.Method;
import org.alignlang.runtime.experiment.PolicySummary;
import org.alignlang.runtime.experiment.QuantityEvaluator;
import org.alignlang.runtime.experiment.RecordedSeries;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.optimizer.Optimizer;
import org.alignlang.runtime.optimizer.Optimizers;
import org.alignlang.runtime.optimizer.Schedule;
import org.alignlang.runtime.policy.Policies;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.alignlang.runtime.task.Tasks;

/**
 * One training of one sweep point with one seed: sample, score, estimate, backward, optimiser step,
 * dual step, record.
 *
 * <p>The record at step {@code s} holds the quantities under the policy after {@code s} steps, the
 * multipliers of that moment, and loss and metrics of that policy on the batch of step {@code s}.
 * There is one at step 0, every {@code recordEvery} steps, and at the last step. A recorded name
 * takes precedence over a metric or multiplier of the same name, which is then recorded as {@code
 * metric.NAME} or {@code multiplier.NAME}.
 *
 * <p>The result depends on the plan and the seed alone, to the bit, whatever the workers. The task
 * is made from the seed too, so the sweep points of one seed share it.
 */
public final class Trainer {
  private final ExperimentPlan plan;
  private final TrainingId id;
  private final Point point;
  private final List<Recorded> records;
  private final Workers workers;
  private final Signature signature;
  private final Task task;
  private final Policy policy;
  private final Optimizer optimizer;
  private final Multipliers multipliers;
  private final Actors actors;
  private final RowSource source;
  private final BatchAssembler assembler;
  private final LearnedBlocks blocks;

  /** The numbers that the objective keeps from step to step. */
  private final double[] kept;

  private final double[] parameters;

  /** What moves parameters, by their index. */
  private final Map<Integer, Schedule> schedules = new TreeMap<>();

  private final PolicyGradient policyGradient;
  private final QuantityEvaluator evaluator;
  private final RecordedSeries.Builder series = new RecordedSeries.Builder();
  private int step;
  private Prepared prepared = Prepared.NONE;

  /** A round's rows with their batch; {@code round} is -1 before the first. */
  private record Prepared(long round, Rows rows, Batch batch, Evaluation evaluation) {
    static final Prepared NONE = none();

    private static Prepared none() {
      Signature empty =
          new Signature(
              "", "", List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), false,
              false, false);
      Batch batch = Batch.builder(0).build();
      return new Prepared(-1, Rows.of(List.of(), new int[0]), batch, new Evaluation(empty, batch));
    }
  }

  /** Follows a training and decides whether it goes on. */
  public interface Observer {
    /** A record was made: the numbers by name. */
    void recorded(int step, Map<String, Double> values);

    /**
     * An optimiser step was made.
     *
     * @param steps how many by now
     * @param state the training's state, for checkpoints; a copy, made when asked for
     * @return whether to go on
     */
    boolean stepped(int steps, Supplier<TrainingState> state);
  }

  /**
   * Makes the task, the policy, the optimiser and the actors of a training.
   *
   * @param records what to record; earlier ones may be used by later ones
   * @throws ExperimentException if the parts do not fit together; the message names the place in
   *     the spec
   */
  public Trainer(ExperimentPlan plan, TrainingId id, List<Recorded> records, Workers workers) {
    this.plan = plan;
    this.id = id;
    this.records = List.copyOf(records);
    this.workers = workers;
    point = plan.points().get(id.point());
    signature = point.kernel().signature();
    String owner = "objective `" + signature.objective() + "`";
    if (point.parameters().length != signature.parameters().size()) {
      throw new IllegalArgumentException(
          "%s has %d parameters, not %d"
              .formatted(owner, signature.parameters().size(), point.parameters().length));
    }
    task = makeTask(plan, point, id.seed());
    policy =
        make(
            point.policy(),
            part -> Policies.create(part.name(), part.arguments(), task, id.seed()));
    optimizer =
        make(
            point.optimizer(),
            part -> Optimizers.create(part.name(), part.arguments(), policy, task));
    multipliers = located(plan.source(), () -> new Multipliers(signature.constraints()));
    actors = new Actors(point, task, policy);
    source = RowSource.of(point, task, actors, id.seed());
    blocks =
        located(
            plan.source(),
            () -> LearnedBlocks.of(signature, point.blocks(), point.optimizer(), task, id.seed()));
    kept = signature.states().stream().mapToDouble(Signature.State::initial).toArray();
    parameters = point.parameters().clone();
    point
        .schedules()
        .forEach((name, component) ->
            schedules.put(
                index(name), make(component, c -> Optimizers.schedule(c.name(), c.arguments()))));
    assembler =
        new BatchAssembler(
            task, signature.inputs(), signature.sequences(), signature.grouped(), owner);
    policyGradient =
        new PolicyGradient(
            policy,
            signature.inputs().stream()
                .filter(i -> i.trained() && i.role() != Signature.Role.LEARNED)
                .toList());
    evaluator = new QuantityEvaluator(task, point, id.seed(), workers);
  }

  /**
   * Makes the task of a point.
   *
   * @throws ExperimentException if its name or arguments are wrong; the message names the place
   */
  public static Task makeTask(ExperimentPlan plan, Point point, long seed) {
    return make(
        point.task(), part -> Tasks.create(part.name(), part.arguments(), plan.directory(), seed));
  }

  /** The task. */
  public Task task() {
    return task;
  }

  /** The trained policy, live. */
  public Policy policy() {
    return policy;
  }

  /** The actors, live. */
  public Actors actors() {
    return actors;
  }

  /** How many optimiser steps have been made. */
  public int step() {
    return step;
  }

  /** What has been recorded so far. */
  public RecordedSeries series() {
    return series.build();
  }

  /** What the policy says by now. */
  public PolicySummary summary() {
    return PolicySummary.of(policy, task, id.seed());
  }

  /**
   * Trains to the end, or until the observer stops it; a stopped training can go on.
   *
   * @return whether all steps were made
   * @throws ExperimentException if a number stops being finite, or the data has no value under the
   *     objective; the message names the training, the step and what to look at
   */
  public boolean run(Observer observer) {
    while (step < plan.steps()) {
      evaluate();
      if (step % plan.recordEvery() == 0) {
        record(observer);
      }
      update();
      step++;
      if (!observer.stepped(step, this::state)) {
        return step == plan.steps() && finish(observer);
      }
    }
    return finish(observer);
  }

  /** A copy of all that is needed to go on. */
  public TrainingState state() {
    Map<String, double[]> arrays = new LinkedHashMap<>();
    arrays.put("parameters", policy.parameters().clone());
    arrays.put("optimizer", optimizer.state().clone());
    arrays.put("multipliers", multipliers.state().clone());
    arrays.put("kept", kept.clone());
    arrays.putAll(blocks.state());
    actors.state().forEach((name, own) -> arrays.put(name, own.clone()));
    return new TrainingState(step, arrays, series.build());
  }

  /**
   * Goes on from a state of the same training, to the same bits as if it had not been interrupted.
   *
   * @throws ExperimentException if the state does not fit this training
   */
  public void restore(TrainingState state) {
    if (state.step() > plan.steps()) {
      throw misfit("it has made %d of %d steps".formatted(state.step(), plan.steps()));
    }
    Map<String, double[]> targets = new LinkedHashMap<>();
    targets.put("parameters", policy.parameters());
    targets.put("kept", kept);
    targets.putAll(actors.state());
    targets.forEach((name, target) -> {
      double[] saved = saved(state, name);
      if (saved.length != target.length) {
        throw misfit("`%s` has %d numbers, not %d".formatted(name, saved.length, target.length));
      }
    });
    try {
      optimizer.restore(saved(state, "optimizer"));
      multipliers.restore(saved(state, "multipliers"));
      blocks.restore(name -> saved(state, name));
    } catch (IllegalArgumentException e) {
      throw misfit(String.valueOf(e.getMessage()));
    }
    targets.forEach(
        (name, target) -> System.arraycopy(saved(state, name), 0, target, 0, target.length));
    series.restore(state.series());
    step = state.step();
    prepared = Prepared.NONE;
  }

  private static double[] saved(TrainingState state, String name) {
    double[] array = state.arrays().get(name);
    if (array == null) {
      throw misfit("`" + name + "` is missing");
    }
    return array;
  }

  private static ExperimentException misfit(String fact) {
    return new ExperimentException("the saved state is not one of this training: " + fact);
  }

  private boolean finish(Observer observer) {
    if (series.lastStep() < step) {
      evaluate();
      record(observer);
    }
    return true;
  }

  /** Fills in the batch of the current step and evaluates the kernel on it. */
  private void evaluate() {
    try {
      prepare();
      fillActors(Actors.Volatility.EACH_STEP);
      blocks.fill(prepared.batch(), prepared.rows());
      for (int i = 0; i < kept.length; i++) {
        String input = signature.states().get(i).input();
        if (prepared.batch().has(input)) {
          prepared.batch().column(input)[0] = kept[i];
        }
      }
      schedules.forEach((i, schedule) -> parameters[i] = schedule.at(step));
      point
          .kernel()
          .evaluate(
              prepared.batch(), parameters, multipliers.values(), prepared.evaluation(), workers);
    } catch (EvaluationException | ArithmeticException e) {
      throw stopped(String.valueOf(e.getMessage()), e);
    }
    requireFinite();
  }

  private void prepare() {
    long round = step / point.epochs();
    if (step % point.epochs() == 0) {
      actors.beginRound();
      blocks.beginRound();
    }
    if (round == prepared.round()) {
      return;
    }
    Rows rows = source.rows(round, actors.behaviour(), workers);
    if (rows == prepared.rows()) {
      prepared = new Prepared(round, rows, prepared.batch(), prepared.evaluation());
    } else {
      Batch batch = assembler.lay(rows, workers);
      prepared = new Prepared(round, rows, batch, new Evaluation(signature, batch));
      fillActors(Actors.Volatility.NEVER);
    }
    fillActors(Actors.Volatility.EACH_ROUND);
  }

  private void fillActors(Actors.Volatility volatility) {
    for (Input input : assembler.actorInputs()) {
      Policy actor = BatchAssembler.ofTrainedPolicy(input) ? policy : actors.policy(BatchAssembler.actor(input));
      Actors.Volatility own =
          BatchAssembler.ofTrainedPolicy(input)
              ? Actors.Volatility.EACH_STEP
              : actors.volatility(BatchAssembler.actor(input));
      if (own == volatility) {
        assembler.fill(input, prepared.batch(), prepared.rows(), actor, workers);
      }
    }
  }

  private void update() {
    double[] gradient =
        policyGradient.compute(prepared.batch(), prepared.rows(), prepared.evaluation(), workers);
    try {
      optimizer.step(policy.parameters(), gradient, step);
      multipliers.update(prepared.evaluation().violations());
      blocks.step(prepared.batch(), prepared.rows(), prepared.evaluation(), step);
    } catch (ArithmeticException e) {
      throw stopped(String.valueOf(e.getMessage()), e);
    }
    for (int i = 0; i < kept.length; i++) {
      int metric = signature.metrics().indexOf(signature.states().get(i).name());
      kept[i] = prepared.evaluation().metrics()[metric];
    }
    actors.stepped(step + 1L);
  }

  private void record(Observer observer) {
    Map<String, Double> names = new LinkedHashMap<>();
    names.put("step", (double) step);
    names.put("loss", prepared.evaluation().loss());
    for (int i = 0; i < signature.metrics().size(); i++) {
      names.put(signature.metrics().get(i), prepared.evaluation().metrics()[i]);
    }
    double[] values = multipliers.values();
    for (int j = 0; j < values.length; j++) {
      names.put(signature.constraints().get(j).multiplier(), values[j]);
    }
    Map<String, Double> record = new LinkedHashMap<>();
    Map<String, Method> methods = new LinkedHashMap<>();
    QuantityEvaluator.Moment moment = evaluator.at(step, actors, names);
    for (Recorded recorded : records) {
      try {
        QuantityEvaluator.Measured measured = moment.measure(recorded.quantity());
        record.put(recorded.name(), measured.value());
        names.put(recorded.name(), measured.value());
        methods.put(recorded.name(), measured.method());
      } catch (ExperimentException e) {
        throw new ExperimentException(
            "%s: record `%s`: %s".formatted(plan.source(), recorded.name(), e.getMessage()), e);
      } catch (EvaluationException | ArithmeticException e) {
        throw stopped("record `%s`: %s".formatted(recorded.name(), e.getMessage()), e);
      }
    }
    record.putIfAbsent("loss", prepared.evaluation().loss());
    for (int i = 0; i < signature.metrics().size(); i++) {
      putBeside(record, "metric.", signature.metrics().get(i), prepared.evaluation().metrics()[i]);
    }
    for (int j = 0; j < values.length; j++) {
      putBeside(record, "multiplier.", signature.constraints().get(j).multiplier(), values[j]);
    }
    series.add(step, record, methods);
    observer.recorded(step, record);
  }

  private static void putBeside(
      Map<String, Double> record, String prefix, String name, double value) {
    record.put(record.containsKey(name) ? prefix + name : name, value);
  }

  private void requireFinite() {
    Evaluation evaluation = prepared.evaluation();
    if (!Double.isFinite(evaluation.loss())) {
      throw stopped(
          "the loss of objective `%s` is %s%s; %s"
              .formatted(
                  signature.objective(), evaluation.loss(), badMetrics(evaluation), suspect()));
    }
    for (Input input : signature.inputs()) {
      if (input.trained()) {
        double[] gradient = evaluation.gradient(input.name());
        for (int i = 0; i < gradient.length; i++) {
          if (!Double.isFinite(gradient[i])) {
            throw stopped(
                "the gradient of objective `%s` for `%s` is %s at %s%s; %s"
                    .formatted(
                        signature.objective(),
                        input.name(),
                        gradient[i],
                        place(input, i),
                        badMetrics(evaluation),
                        suspect()));
          }
        }
      }
    }
  }

  private String badMetrics(Evaluation evaluation) {
    StringBuilder bad = new StringBuilder();
    for (int i = 0; i < signature.metrics().size(); i++) {
      if (!Double.isFinite(evaluation.metrics()[i])) {
        bad.append(
            ", metric `%s` is %s".formatted(signature.metrics().get(i), evaluation.metrics()[i]));
      }
    }
    return bad.toString();
  }

  /** What to look at when the objective has no finite value. */
  private String suspect() {
    String largest = "";
    double size = -1;
    for (Input input : signature.inputs()) {
      if (!prepared.batch().has(input.name())) {
        continue;
      }
      double[] column = prepared.batch().column(input.name());
      for (int i = 0; i < column.length; i++) {
        if (Double.isNaN(column[i]) || Double.isInfinite(column[i])) {
          return "look at `%s`, which is %s at %s"
              .formatted(input.name(), column[i], place(input, i));
        }
        if (Math.abs(column[i]) > size) {
          size = Math.abs(column[i]);
          largest = "`%s` = %.6g at %s".formatted(input.name(), column[i], place(input, i));
        }
      }
    }
    return ("every input is finite, the largest being %s: look for an overflow or a division by"
            + " zero in the objective, and try a smaller rate of optimizer `%s` (%s)")
        .formatted(largest, point.optimizer().name(), point.optimizer().place());
  }

  /** The row that an entry of a column belongs to, for messages. */
  private String place(Input input, int index) {
    String sequence = BatchAssembler.sequence(input);
    int row = index / Math.max(1, input.members());
    String token = "";
    if (input.level() == Level.TOKEN || input.level() == Level.VOCAB) {
      int[] offsets = prepared.batch().offsets(sequence);
      int position = input.level() == Level.VOCAB ? index / task.vocabulary() : index;
      int found = Arrays.binarySearch(offsets, position);
      row = found >= 0 ? found : -found - 2;
      token = "token " + (position - offsets[row]) + " of ";
    }
    Response response = prepared.rows().of(sequence).get(row);
    return "row %d (%sresponse `%s` to prompt %d)"
        .formatted(row, token, task.show(response), response.prompt());
  }

  private ExperimentException stopped(String reason, Exception cause) {
    return new ExperimentException(stoppedMessage(reason), cause);
  }

  private ExperimentException stopped(String reason) {
    return new ExperimentException(stoppedMessage(reason));
  }

  private String stoppedMessage(String reason) {
    return "%s: training of `%s` (%s) stopped at step %d: %s"
        .formatted(plan.source(), plan.name(), id.show(), step, reason);
  }

  private int index(String parameter) {
    for (int i = 0; i < signature.parameters().size(); i++) {
      if (signature.parameters().get(i).name().equals(parameter)) {
        return i;
      }
    }
    throw new IllegalArgumentException("no parameter `" + parameter + "`");
  }

  private static <T> T make(Component part, Function<Component, T> factory) {
    return located(part.place(), () -> factory.apply(part));
  }

  private static <T> T located(String place, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (IllegalArgumentException e) {
      throw new ExperimentException(place + ": " + e.getMessage(), e);
    }
  }
}
