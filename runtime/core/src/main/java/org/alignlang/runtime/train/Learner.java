package org.alignlang.runtime.train;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.dual.Multipliers;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;
import org.alignlang.runtime.optimizer.Optimizer;
import org.alignlang.runtime.optimizer.Optimizers;
import org.alignlang.runtime.optimizer.Schedule;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.jspecify.annotations.Nullable;

/**
 * One objective of a training, with all that moves with it: its rows, the optimiser of the policy
 * that it trains, its multipliers, blocks and kept numbers. Policies and blocks of one name are
 * shared between the objectives of a training.
 */
final class Learner {
  /** Makes the error of a training that cannot go on. */
  @FunctionalInterface
  interface Failure {
    ExperimentException apply(String reason, @Nullable Exception cause);
  }

  private final Training point;
  private final Signature signature;
  private final Task task;
  private final Policy policy;
  private final boolean trainsPolicy;
  private final Actors actors;
  private final LearnedBlocks blocks;
  private final Workers workers;
  private final Failure stopped;
  private final Optimizer optimizer;
  private final Multipliers multipliers;
  private final RowSource source;
  private final BatchAssembler assembler;
  private final PolicyGradient policyGradient;

  /** The numbers that the objective keeps from step to step. */
  private final double[] kept;

  private final double[] parameters;

  /** What moves parameters, by their index. */
  private final Map<Integer, Schedule> schedules = new TreeMap<>();

  /** How many optimiser steps this objective has made. */
  private int moves;

  private Prepared prepared = Prepared.NONE;

  /** A round's rows with their batch; {@code round} is -1 before the first. */
  private record Prepared(long round, Rows rows, Batch batch, Evaluation evaluation) {
    static final Prepared NONE = none();

    private static Prepared none() {
      Signature empty =
          new Signature(
              "", "", List.of(), List.of(), List.of(), List.of(), List.of(), List.of(), false,
              false, false, Map.of());
      Batch batch = Batch.builder(0).build();
      return new Prepared(-1, Rows.of(List.of(), new int[0]), batch, new Evaluation(empty, batch));
    }
  }

  /**
   * Makes the parts of one objective.
   *
   * @param policy the policy that the objective trains, or that its data comes from
   * @param others the policies that other objectives of the training train, by name
   * @param blocks the blocks that the objective trains
   * @param place the spec, for messages
   * @param stopped the error of a training that cannot go on, for a reason
   * @throws ExperimentException if the parts do not fit together
   */
  Learner(
      Training point,
      Task task,
      Policy policy,
      Map<String, Policy> others,
      LearnedBlocks blocks,
      long seed,
      Workers workers,
      String place,
      Failure stopped) {
    this.point = point;
    this.task = task;
    this.policy = policy;
    this.blocks = blocks;
    this.workers = workers;
    this.stopped = stopped;
    signature = point.kernel().signature();
    String owner = "objective `" + signature.objective() + "`";
    if (point.parameters().length != signature.parameters().size()) {
      throw new IllegalArgumentException(
          "%s has %d parameters, not %d"
              .formatted(owner, signature.parameters().size(), point.parameters().length));
    }
    List<Input> trained =
        signature.inputs().stream()
            .filter(i -> i.trained() && i.role() != Signature.Role.LEARNED)
            .toList();
    trainsPolicy = !trained.isEmpty();
    optimizer =
        Trainer.make(
            point.optimizer(),
            part -> Optimizers.create(part.name(), part.arguments(), policy, task));
    multipliers = Trainer.located(place, () -> new Multipliers(signature.constraints()));
    actors = new Actors(point, task, policy, others);
    source = RowSource.of(point, task, actors, seed);
    kept = signature.states().stream().mapToDouble(Signature.State::initial).toArray();
    parameters = point.parameters().clone();
    point
        .schedules()
        .forEach((name, component) ->
            schedules.put(
                index(name),
                Trainer.make(component, c -> Optimizers.schedule(c.name(), c.arguments()))));
    assembler =
        new BatchAssembler(
            task, signature.inputs(), signature.sequences(), signature.grouped(), owner);
    policyGradient = new PolicyGradient(policy, trained);
  }

  Signature signature() {
    return signature;
  }

  Actors actors() {
    return actors;
  }

  /** What the last evaluation gave. */
  Evaluation evaluation() {
    return prepared.evaluation();
  }

  /** The multipliers as they are by now, in the order of the constraints. */
  double[] multipliers() {
    return multipliers.values();
  }

  /** The numbers that change, by name, as copies. */
  Map<String, double[]> state() {
    Map<String, double[]> arrays = new LinkedHashMap<>();
    arrays.put("optimizer", optimizer.state().clone());
    arrays.put("multipliers", multipliers.state().clone());
    arrays.put("kept", kept.clone());
    arrays.put("moves", new double[] {moves});
    arrays.putAll(blocks.state());
    actors.state().forEach((name, own) -> arrays.put(name, own.clone()));
    return arrays;
  }

  /**
   * Goes on from a state.
   *
   * @throws IllegalArgumentException if it does not fit
   */
  void restore(Function<String, double[]> saved) {
    Map<String, double[]> targets = new LinkedHashMap<>();
    targets.put("kept", kept);
    targets.putAll(actors.state());
    targets.forEach((name, target) -> {
      double[] from = saved.apply(name);
      if (from.length != target.length) {
        throw new IllegalArgumentException(
            "`%s` has %d numbers, not %d".formatted(name, from.length, target.length));
      }
    });
    optimizer.restore(saved.apply("optimizer"));
    multipliers.restore(saved.apply("multipliers"));
    blocks.restore(saved);
    targets.forEach(
        (name, target) -> System.arraycopy(saved.apply(name), 0, target, 0, target.length));
    moves = (int) saved.apply("moves")[0];
    prepared = Prepared.NONE;
  }

  /**
   * Fills in the batch of the current step and evaluates the kernel on it.
   *
   * @param step the step of the training
   */
  void evaluate(int step) {
    try {
      prepare();
      fillActors(Actors.Volatility.EACH_STEP);
      assembler.refill(prepared.batch(), prepared.rows(), workers);
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
      throw stopped.apply(String.valueOf(e.getMessage()), e);
    }
    requireFinite();
  }

  private void prepare() {
    long round = moves / point.epochs();
    if (moves % point.epochs() == 0) {
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
      if (Signature.isOccupancy(input)) {
        if (volatility == Actors.Volatility.EACH_STEP) {
          assembler.fillOccupancies(
              input,
              prepared.batch(),
              prepared.rows(),
              policy,
              actors.policy(BatchAssembler.actor(input)),
              signature.discounts().getOrDefault(input.name(), 1.0));
        }
        continue;
      }
      Policy actor =
          BatchAssembler.ofTrainedPolicy(input)
              ? policy
              : actors.policy(BatchAssembler.actor(input));
      Actors.Volatility own =
          BatchAssembler.ofTrainedPolicy(input)
              ? Actors.Volatility.EACH_STEP
              : actors.volatility(BatchAssembler.actor(input));
      if (own == volatility) {
        assembler.fill(input, prepared.batch(), prepared.rows(), actor, workers);
      }
    }
  }

  /** The gradient of the last evaluation with respect to the policy's parameters, as a copy. */
  double[] policyGradient() {
    return gradient().clone();
  }

  /** The same, reused by the next call: through probabilities and through heads. */
  private double[] gradient() {
    double[] gradient =
        policyGradient.compute(prepared.batch(), prepared.rows(), prepared.evaluation(), workers);
    blocks.addToPolicy(prepared.batch(), prepared.rows(), prepared.evaluation(), gradient);
    return gradient;
  }

  /** The gradients of the last evaluation with respect to the blocks' parameters, as copies. */
  Map<String, double[]> blockGradients() {
    Map<String, double[]> gradients = new TreeMap<>();
    blocks
        .gradients(prepared.batch(), prepared.rows(), prepared.evaluation())
        .forEach((name, gradient) -> gradients.put(name, gradient.clone()));
    return gradients;
  }

  /** The policy's parameters, live. */
  double[] policyParameters() {
    return policy.parameters();
  }

  /** One step of a block along a gradient. */
  void moveBlock(String name, double[] gradient, long step) {
    blocks.move(name, gradient, step);
  }

  /** Evaluates the same rows again, with all parameters as they are now. */
  void reevaluate() {
    fillActors(Actors.Volatility.EACH_STEP);
    blocks.fill(prepared.batch(), prepared.rows());
    point
        .kernel()
        .evaluate(
            prepared.batch(), parameters, multipliers.values(), prepared.evaluation(), workers);
  }

  /** Makes one step along the gradients of the last evaluation. */
  void update() {
    update(true, Set.of());
  }

  /**
   * Makes one step along the gradients of the last evaluation.
   *
   * @param movesPolicy whether the policy makes one
   * @param held the blocks that make none
   */
  void update(boolean movesPolicy, Set<String> held) {
    double[] gradient = trainsPolicy && movesPolicy ? gradient() : new double[0];
    // Before the policy moves: a head's gradient is made of the policy's hidden layer.
    Map<String, double[]> blockGradients =
        blocks.gradients(prepared.batch(), prepared.rows(), prepared.evaluation());
    try {
      if (trainsPolicy && movesPolicy) {
        optimizer.step(policy.parameters(), gradient, moves);
      }
      multipliers.update(prepared.evaluation().violations());
      blocks.step(blockGradients, held, moves);
    } catch (ArithmeticException e) {
      throw stopped.apply(String.valueOf(e.getMessage()), e);
    }
    for (int i = 0; i < kept.length; i++) {
      int metric = signature.metrics().indexOf(signature.states().get(i).name());
      kept[i] = prepared.evaluation().metrics()[metric];
    }
    moves++;
    actors.stepped(moves);
  }

  /** The evaluation was for a record alone: the rows of the next step are drawn when it comes. */
  void discard() {
    if (moves % point.epochs() == 0) {
      prepared = Prepared.NONE;
    }
  }

  private void requireFinite() {
    Evaluation evaluation = prepared.evaluation();
    if (!Double.isFinite(evaluation.loss())) {
      throw stopped.apply(
          "the loss of objective `%s` is %s%s; %s"
              .formatted(
                  signature.objective(), evaluation.loss(), badMetrics(evaluation), suspect()),
          null);
    }
    for (Input input : signature.inputs()) {
      if (input.trained()) {
        double[] gradient = evaluation.gradient(input.name());
        for (int i = 0; i < gradient.length; i++) {
          if (!Double.isFinite(gradient[i])) {
            throw stopped.apply(
                "the gradient of objective `%s` for `%s` is %s at %s%s; %s"
                    .formatted(
                        signature.objective(),
                        input.name(),
                        gradient[i],
                        place(input, i),
                        badMetrics(evaluation),
                        suspect()),
                null);
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

  private int index(String parameter) {
    for (int i = 0; i < signature.parameters().size(); i++) {
      if (signature.parameters().get(i).name().equals(parameter)) {
        return i;
      }
    }
    throw new IllegalArgumentException("no parameter `" + parameter + "`");
  }
}
