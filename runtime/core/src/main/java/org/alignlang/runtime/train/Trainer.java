package org.alignlang.runtime.train;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.experiment.ExperimentPlan.Recorded;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;
import org.alignlang.runtime.experiment.Method;
import org.alignlang.runtime.experiment.PolicySummary;
import org.alignlang.runtime.experiment.QuantityEvaluator;
import org.alignlang.runtime.experiment.RecordedSeries;
import org.alignlang.runtime.experiment.TrainingId;
import org.alignlang.runtime.policy.Policies;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Tasks;
import org.jspecify.annotations.Nullable;

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
 * <p>Where several objectives are trained, each makes its steps when it is its turn, in the order
 * written, on rows of its own. They share policies and blocks by name: what one trains, another may
 * read as an actor or as a reward. Metrics of a further objective whose name is taken are recorded
 * as {@code OBJECTIVE.NAME}.
 *
 * <p>The result depends on the plan and the seed alone, to the bit, whatever the workers. The task
 * is made from the seed too, so the sweep points of one seed share it.
 */
public final class Trainer {
  /** What the seeds of policies of different names differ by. */
  private static final long SEED_STRIDE = 1_000_003;

  private final ExperimentPlan plan;
  private final TrainingId id;
  private final Training point;
  private final List<Recorded> records;
  private final Task task;
  private final Map<String, Policy> policies = new LinkedHashMap<>();
  private final Policy policy;
  private final List<Learner> learners = new ArrayList<>();
  private final QuantityEvaluator evaluator;
  private final RecordedSeries.Builder series = new RecordedSeries.Builder();
  private int step;

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
   * Makes the task, the policies, the optimisers and the actors of a training.
   *
   * @param records what to record; earlier ones may be used by later ones
   * @throws ExperimentException if the parts do not fit together; the message names the place in
   *     the spec
   */
  public Trainer(ExperimentPlan plan, TrainingId id, List<Recorded> records, Workers workers) {
    this.plan = plan;
    this.id = id;
    this.records = List.copyOf(records);
    point = plan.training(id.point());
    Task given = makeTask(plan, point, id.seed());
    List<Training> objectives = point.objectives();
    for (Training objective : objectives) {
      String name = policyName(objective);
      if (!name.isEmpty() && !policies.containsKey(name)) {
        policies.put(name, makePolicy(given, id.seed() + stride(policies.size())));
      }
    }
    policy =
        policies.isEmpty() ? makePolicy(given, id.seed()) : policies.values().iterator().next();
    LearnedScores.Networks networks = new LearnedScores.Networks();
    List<LearnedBlocks> blocks = new ArrayList<>();
    for (Training objective : objectives) {
      blocks.add(
          located(
              plan.source(),
              () ->
                  LearnedBlocks.of(
                      objective.kernel().signature(),
                      objective.blocks(),
                      objective.optimizer(),
                      given,
                      networks,
                      Optional.ofNullable(policies.get(policyName(objective))),
                      id.seed())));
    }
    task = LearnedScores.beside(given, networks);
    for (int i = 0; i < objectives.size(); i++) {
      String name = policyName(objectives.get(i));
      Map<String, Policy> others = new LinkedHashMap<>(policies);
      others.remove(name);
      learners.add(
          new Learner(
              objectives.get(i),
              task,
              policies.getOrDefault(name, policy),
              others,
              blocks.get(i),
              id.seed(),
              workers,
              plan.source(),
              this::stopped));
    }
    evaluator = new QuantityEvaluator(task, point, id.seed(), workers);
  }

  /** Policies start with weights of their own, unless they are to start alike. */
  private long stride(int policiesBefore) {
    boolean alike = Boolean.TRUE.equals(point.policy().arguments().get(Policies.START_ALIKE));
    return alike ? 0 : SEED_STRIDE * policiesBefore;
  }

  private Policy makePolicy(Task given, long seed) {
    return make(
        point.policy(), part -> Policies.create(part.name(), part.arguments(), given, seed));
  }

  /** The name of the policy that an objective trains; empty if it trains none. */
  private static String policyName(Training objective) {
    return objective.kernel().signature().inputs().stream()
        .filter(input -> input.trained() && BatchAssembler.ofActor(input))
        .map(Input::actor)
        .findFirst()
        .orElse("");
  }

  /**
   * Makes the task of a point.
   *
   * @throws ExperimentException if its name or arguments are wrong; the message names the place
   */
  public static Task makeTask(ExperimentPlan plan, Training point, long seed) {
    return makeTask(plan, point.task(), seed);
  }

  /**
   * Makes a task.
   *
   * @throws ExperimentException if its name or arguments are wrong; the message names the place
   */
  public static Task makeTask(ExperimentPlan plan, Component task, long seed) {
    return make(task, part -> Tasks.create(part.name(), part.arguments(), plan.directory(), seed));
  }

  /** The task; its scores include what blocks of the training give. */
  public Task task() {
    return task;
  }

  /** The trained policy, live; of several that of the first objective that trains one. */
  public Policy policy() {
    return policy;
  }

  /** The actors, live. */
  public Actors actors() {
    return principal().actors();
  }

  /** The first objective that trains a policy, or else the first. */
  private Learner principal() {
    for (int i = 0; i < learners.size(); i++) {
      if (!policyName(point.objectives().get(i)).isEmpty()) {
        return learners.get(i);
      }
    }
    return learners.getFirst();
  }

  /** How many steps have been made. */
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
      boolean recording = step % plan.recordEvery() == 0;
      boolean alone = learners.size() == 1;
      if (recording) {
        learners.forEach(learner -> learner.evaluate(step));
        record(observer);
      }
      if (recording && !alone) {
        // A record must not change what the objectives see when it is their turn.
        learners.forEach(Learner::discard);
      }
      if (point.turns() instanceof ExperimentPlan.Turns.Bilevel bilevel) {
        bilevelStep(bilevel);
      } else {
        for (int i = 0; i < learners.size(); i++) {
          if (point.turns().moves(i, step)) {
            if (!(recording && alone)) {
              learners.get(i).evaluate(step);
            }
            learners.get(i).update();
          }
        }
      }
      step++;
      if (!observer.stepped(step, this::state)) {
        return step == plan.steps() && finish(observer);
      }
    }
    return finish(observer);
  }

  /** A step of the inner objective, and one of the outer where it is its turn. */
  private void bilevelStep(ExperimentPlan.Turns.Bilevel bilevel) {
    Learner outer = learners.get(0);
    Learner inner = learners.get(1);
    inner.evaluate(step);
    inner.update(true, Set.copyOf(bilevel.over()));
    if (!bilevel.moves(0, step)) {
      return;
    }
    outer.evaluate(step);
    inner.evaluate(step);
    Map<String, double[]> direct = outer.blockGradients();
    Map<String, double[]> response =
        new ImplicitGradient(inner, bilevel.iterations()).through(outer.policyGradient());
    for (String block : bilevel.over()) {
      double[] gradient = response.get(block);
      if (gradient == null) {
        throw new IllegalStateException("no block `" + block + "`");
      }
      double[] own = direct.get(block);
      for (int i = 0; own != null && i < gradient.length; i++) {
        gradient[i] += own[i];
      }
      inner.moveBlock(block, gradient, step / bilevel.every());
    }
    outer.update(false, Set.copyOf(bilevel.over()));
  }

  /** A copy of all that is needed to go on. */
  public TrainingState state() {
    Map<String, double[]> arrays = new LinkedHashMap<>();
    arrays.put("parameters", policy.parameters().clone());
    policies.forEach((name, own) -> {
      if (own != policy) {
        arrays.put("parameters " + name, own.parameters().clone());
      }
    });
    for (int i = 0; i < learners.size(); i++) {
      String prefix = prefix(i);
      learners.get(i).state().forEach((name, array) -> arrays.put(prefix + name, array));
    }
    return new TrainingState(step, arrays, series.build());
  }

  /** What stands before the names of the numbers of an objective but the first. */
  private static String prefix(int objective) {
    return objective == 0 ? "" : (objective + 1) + ": ";
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
    policies.forEach((name, own) -> {
      if (own != policy) {
        targets.put("parameters " + name, own.parameters());
      }
    });
    targets.forEach((name, target) -> {
      double[] saved = saved(state, name);
      if (saved.length != target.length) {
        throw misfit("`%s` has %d numbers, not %d".formatted(name, saved.length, target.length));
      }
    });
    for (int i = 0; i < learners.size(); i++) {
      String prefix = prefix(i);
      try {
        learners.get(i).restore(name -> saved(state, prefix + name));
      } catch (IllegalArgumentException e) {
        throw misfit(String.valueOf(e.getMessage()));
      }
    }
    targets.forEach(
        (name, target) -> System.arraycopy(saved(state, name), 0, target, 0, target.length));
    series.restore(state.series());
    step = state.step();
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
      learners.forEach(learner -> learner.evaluate(step));
      record(observer);
    }
    return true;
  }

  /** What the objectives say of themselves, by the names under which it is recorded. */
  private Map<String, Double> measured() {
    Map<String, Double> names = new LinkedHashMap<>();
    for (int k = 0; k < learners.size(); k++) {
      Learner learner = learners.get(k);
      Signature signature = learner.signature();
      String owner = signature.objective() + ".";
      putBeside(names, owner, "loss", learner.evaluation().loss());
      for (int i = 0; i < signature.metrics().size(); i++) {
        putBeside(names, owner, signature.metrics().get(i), learner.evaluation().metrics()[i]);
      }
      double[] values = learner.multipliers();
      for (int j = 0; j < values.length; j++) {
        putBeside(names, owner, signature.constraints().get(j).multiplier(), values[j]);
      }
    }
    return names;
  }

  private void record(Observer observer) {
    Map<String, Double> measured = measured();
    Map<String, Double> names = new LinkedHashMap<>();
    names.put("step", (double) step);
    names.putAll(measured);
    Map<String, Double> record = new LinkedHashMap<>();
    Map<String, Method> methods = new LinkedHashMap<>();
    QuantityEvaluator.Moment moment = evaluator.at(step, actors(), names);
    for (Recorded recorded : records) {
      try {
        QuantityEvaluator.Measured found = moment.measure(recorded.quantity());
        record.put(recorded.name(), found.value());
        names.put(recorded.name(), found.value());
        methods.put(recorded.name(), found.method());
      } catch (ExperimentException e) {
        throw new ExperimentException(
            "%s: record `%s`: %s".formatted(plan.source(), recorded.name(), e.getMessage()), e);
      } catch (EvaluationException | ArithmeticException e) {
        throw stopped("record `%s`: %s".formatted(recorded.name(), e.getMessage()), e);
      }
    }
    measured.forEach((name, value) -> {
      boolean multiplier =
          learners.stream()
              .flatMap(learner -> learner.signature().constraints().stream())
              .anyMatch(constraint -> constraint.multiplier().equals(name));
      putBeside(record, multiplier ? "multiplier." : "metric.", name, value);
    });
    series.add(step, record, methods);
    observer.recorded(step, record);
  }

  private static void putBeside(
      Map<String, Double> record, String prefix, String name, double value) {
    record.put(record.containsKey(name) ? prefix + name : name, value);
  }

  private ExperimentException stopped(String reason, @Nullable Exception cause) {
    String message =
        "%s: training of `%s` (%s) stopped at step %d: %s"
            .formatted(plan.source(), plan.name(), id.show(), step, reason);
    return cause == null
        ? new ExperimentException(message)
        : new ExperimentException(message, cause);
  }

  static <T> T make(Component part, Function<Component, T> factory) {
    return located(part.place(), () -> factory.apply(part));
  }

  static <T> T located(String place, Supplier<T> supplier) {
    try {
      return supplier.get();
    } catch (IllegalArgumentException e) {
      throw new ExperimentException(place + ": " + e.getMessage(), e);
    }
  }
}
