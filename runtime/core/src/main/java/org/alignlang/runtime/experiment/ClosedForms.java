package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentPlan.ClosedForm;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.RowFunction;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.alignlang.runtime.train.RowFunctions;
import org.alignlang.runtime.train.Trainer;

/**
 * The closed-form optima of a plan's points, and best-of-n laws, each computed once when it is
 * first asked for. All need the task's responses to be few enough to enumerate.
 */
final class ClosedForms implements Optima {
  private static final int EQUILIBRIUM_STEPS = 100_000;
  private static final int EQUILIBRIUM_WINDOW = 100;
  private static final double EQUILIBRIUM_TOLERANCE = 1e-12;

  private final ExperimentPlan plan;
  private final RecordList records;
  private final List<TrainingId> trainings;
  private final Map<TrainingId, Bench> benches = new HashMap<>();
  private final Map<TrainingId, Optimum> optima = new HashMap<>();
  private final Set<String> notes = new LinkedHashSet<>();

  ClosedForms(ExperimentPlan plan, RecordList records, long firstSeed) {
    this.plan = plan;
    this.records = records;
    trainings = ExperimentRunner.trainings(plan, firstSeed);
  }

  /** What optima of a point are computed with. */
  private record Bench(Task task, ActorPolicies actors, QuantityEvaluator evaluator) {}

  /** An optimum with the values of its multipliers, or the reason why there is none. */
  private record Optimum(Optional<Policy> policy, Map<String, Double> multipliers, String reason) {
    static Optimum none(String reason) {
      return new Optimum(Optional.empty(), Map.of(), reason);
    }
  }

  /**
   * Solves the point's constraints.
   *
   * @throws ExperimentException if no policy meets them
   */
  void requireFeasible(int point, int seedIndex) {
    boolean constrained =
        closedForm(point).stream()
            .anyMatch(form ->
                form instanceof ClosedForm.Regularised r
                    && (!r.bounds().isEmpty() || Double.isFinite(r.divergenceBudget())));
    if (constrained) {
      optimum(point, seedIndex);
    }
  }

  /** What should be known about the optima that were asked for. */
  List<String> notes() {
    return List.copyOf(notes);
  }

  OptionalDouble valueIfKnown(Quantity quantity, int point, int seedIndex) {
    if (closedForm(point).isEmpty()
        || optimum(point, seedIndex).policy().isEmpty()
        || !isKnown(quantity, optimum(point, seedIndex))) {
      return OptionalDouble.empty();
    }
    return OptionalDouble.of(value(quantity, point, seedIndex));
  }

  /** Whether a quantity needs nothing that only training gives. */
  private boolean isKnown(Quantity quantity, Optimum optimum) {
    return switch (quantity) {
      case Quantity.Named(String name) ->
          optimum.multipliers().containsKey(name)
              || records
                  .quantity(name)
                  .filter(recorded -> !recorded.equals(quantity))
                  .map(recorded -> isKnown(recorded, optimum))
                  .orElse(false);
      case Quantity.Apply apply ->
          apply.arguments().stream().allMatch(argument -> isKnown(argument, optimum));
      case Quantity.Series _,
          Quantity.Statistic _,
          Quantity.Fitted _,
          Quantity.Coefficient _,
          Quantity.Exact _,
          Quantity.BestOf _ ->
          false;
      case Quantity.Constant _,
          Quantity.Label _,
          Quantity.Expectation _,
          Quantity.Divergence _,
          Quantity.OccupancyDivergence _,
          Quantity.Entropy _,
          Quantity.Exploitability _,
          Quantity.Agreement _ ->
          true;
      // Of samples of a policy that draws its tokens, which an optimum in closed form does not.
      case Quantity.Diversity _ -> false;
    };
  }

  @Override
  public double value(Quantity quantity, int point, int seedIndex) {
    Optimum optimum = optimum(point, seedIndex);
    Policy policy = optimum.policy().orElseThrow(() -> new ExperimentException(optimum.reason()));
    return measure(quantity, bench(point, seedIndex), policy, optimum.multipliers());
  }

  @Override
  public double bestOf(Quantity.BestOf quantity, int point, int seedIndex) {
    Bench bench = bench(point, seedIndex);
    Training at = plan.training(point);
    double n =
        switch (quantity.count()) {
          case Quantity.Constant(double value) -> value;
          case Quantity.Label(String name) -> PointValues.of(at, name);
          case Quantity other ->
              throw new ExperimentException(
                  "the n of `%s` is a number or a parameter, not `%s`"
                      .formatted(QuantityText.show(quantity), QuantityText.show(other)));
        };
    if (!(n >= 1) || Double.isInfinite(n)) {
      throw new ExperimentException(
          "`%s` draws %s responses; at least 1 is drawn"
              .formatted(QuantityText.show(quantity), Interval.show(n)));
    }
    List<List<Response>> responses =
        bench
            .evaluator()
            .enumerated()
            .orElseThrow(() -> new ExperimentException(tooMany(bench.task())));
    List<double[]> reference = logProbabilities(bench, quantity.reference(), responses);
    List<double[]> scores = rows(bench, quantity.score(), "the score of best_of", responses);
    List<double[]> law = new ArrayList<>();
    for (int prompt = 0; prompt < responses.size(); prompt++) {
      law.add(BestOfLaw.of(reference.get(prompt), scores.get(prompt), n));
    }
    Policy policy = new EnumeratedPolicy(bench.task().vocabulary(), responses, law);
    return measure(quantity.of(), bench, policy, Map.of());
  }

  private double measure(
      Quantity quantity, Bench bench, Policy policy, Map<String, Double> multipliers) {
    ActorPolicies actors = new WithPolicy(bench.actors(), policy);
    QuantityEvaluator.Moment moment = bench.evaluator().at(0, actors, multipliers);
    return moment.measure(resolve(quantity, multipliers.keySet(), 0)).value();
  }

  /** The quantity with recorded names replaced by what they record. */
  private Quantity resolve(Quantity quantity, Set<String> known, int depth) {
    return switch (quantity) {
      case Quantity.Named(String name) -> {
        Optional<Quantity> recorded =
            records.quantity(name).filter(found -> !found.equals(quantity) && depth < 100);
        if (known.contains(name) || recorded.isEmpty()) {
          if (!known.contains(name)) {
            throw new ExperimentException(
                ("`%s` is known from training only; an expectation, a divergence, an entropy or a"
                        + " multiplier%s has a value in closed form")
                    .formatted(name, known.isEmpty() ? "" : " " + known));
          }
          yield quantity;
        }
        yield resolve(recorded.get(), known, depth + 1);
      }
      case Quantity.Apply(String function, List<Quantity> arguments) ->
          new Quantity.Apply(
              function, arguments.stream().map(a -> resolve(a, known, depth + 1)).toList());
      case Quantity.Constant _,
          Quantity.Label _,
          Quantity.Expectation _,
          Quantity.Divergence _,
          Quantity.OccupancyDivergence _,
          Quantity.Entropy _,
          Quantity.Exploitability _,
          Quantity.Agreement _,
          Quantity.Diversity _,
          Quantity.Series _,
          Quantity.Statistic _,
          Quantity.Fitted _,
          Quantity.Coefficient _,
          Quantity.Exact _,
          Quantity.BestOf _ ->
          quantity;
    };
  }

  /** The actors with another policy in the place of the trained one. */
  private record WithPolicy(ActorPolicies others, Policy optimum) implements ActorPolicies {
    @Override
    public Policy policy(String actor) {
      return others.isTrained(actor) ? optimum : others.policy(actor);
    }

    @Override
    public boolean isTrained(String actor) {
      return others.isTrained(actor);
    }

    @Override
    public boolean isFixed(String actor) {
      return others.isFixed(actor);
    }
  }

  // Solving.

  private TrainingId training(int point, int seedIndex) {
    return trainings.get(point * plan.seeds() + seedIndex);
  }

  private Bench bench(int point, int seedIndex) {
    return benches.computeIfAbsent(
        training(point, seedIndex),
        id -> {
          Trainer trainer = new Trainer(plan, id, records.all(), Workers.serial());
          Training at = plan.training(id.point());
          return new Bench(
              trainer.task(),
              trainer.actors(),
              new QuantityEvaluator(trainer.task(), at, id.seed(), Workers.serial()));
        });
  }

  private Optional<ClosedForm> closedForm(int point) {
    return switch (plan.points().get(point)) {
      case Training training -> training.closedForm();
      case ExperimentPlan.Study _ -> Optional.empty();
    };
  }

  private Optimum optimum(int point, int seedIndex) {
    TrainingId id = training(point, seedIndex);
    Optimum found = optima.get(id);
    if (found == null) {
      found = solve(point, seedIndex);
      optima.put(id, found);
    }
    return found;
  }

  private Optimum solve(int point, int seedIndex) {
    Optional<ClosedForm> form = closedForm(point);
    if (form.isEmpty()) {
      return Optimum.none(
          "this objective has no optimum in closed form: that needs rewards less one divergence"
              + " from one reference, under bounds on them, or the fit to a target");
    }
    Bench bench = bench(point, seedIndex);
    Optional<List<List<Response>>> responses = bench.evaluator().enumerated();
    if (responses.isEmpty()) {
      notes.add(tooMany(bench.task()));
      return Optimum.none(tooMany(bench.task()));
    }
    int[] seen = bench.task().seen();
    boolean markov = seen.length == 0 && isMarkov(form.get(), bench.task());
    if (sharesContexts(responses.get(), seen, markov)) {
      return Optimum.none(
          "in task `%s` policies see the same state after different actions, so what is best for"
                  .formatted(bench.task().name())
              + " whole episodes is out of their reach; `timed = true` may tell the states apart");
    }
    return switch (form.get()) {
      case ClosedForm.Target(RowFunction logDensity) -> target(bench, logDensity, responses.get());
      case ClosedForm.Regularised regularised ->
          regularised(bench, regularised, responses.get(), training(point, seedIndex));
    };
  }

  /**
   * Whether what is optimised adds up over steps, each of which needs its state and action only.
   */
  private static boolean isMarkov(ClosedForm form, Task task) {
    List<RowFunction> read = new ArrayList<>();
    switch (form) {
      case ClosedForm.Target(RowFunction logDensity) -> read.add(logDensity);
      case ClosedForm.Regularised regularised -> {
        read.add(regularised.reward());
        regularised.bounds().forEach(bound -> read.add(bound.value()));
      }
    }
    return read.stream()
        .flatMap(function -> function.inputs().stream())
        .filter(input -> input.role() == Signature.Role.COLUMN)
        .map(input -> input.name().substring(input.name().lastIndexOf('.') + 1))
        .allMatch(score -> task.scores().contains(score) && task.markov(score));
  }

  /**
   * Whether the best law of whole episodes may be out of a policy's reach, as it sees the same at
   * two times, or after two ways where these differ in what is to come.
   *
   * @param seen what a policy sees of each state; empty where it sees the state
   * @param markov whether only time and state matter for what is to come
   */
  private static boolean sharesContexts(
      List<List<Response>> responses, int[] seen, boolean markov) {
    Map<Integer, List<Integer>> ways = new HashMap<>();
    for (List<Response> ofPrompt : responses) {
      for (Response response : ofPrompt) {
        if (!response.visitsStates()) {
          return false;
        }
        List<Integer> way = new ArrayList<>();
        for (int t = 0; t < response.length(); t++) {
          int state = response.promptAt(t);
          int view = seen.length == 0 ? state : seen[state];
          List<Integer> known = ways.putIfAbsent(view, List.copyOf(way));
          if (known != null && (markov ? known.size() != way.size() : !known.equals(way))) {
            return true;
          }
          way.add(response.tokens()[t]);
        }
      }
    }
    return false;
  }

  private static String tooMany(Task task) {
    return "task `%s` has more than %d responses, too many to sum over, so nothing exact is known"
        .formatted(task.name(), QuantityEvaluator.MAXIMUM_ENUMERATED);
  }

  private Optimum target(Bench bench, RowFunction logDensity, List<List<Response>> responses) {
    RowFunctions function = new RowFunctions(bench.task(), logDensity, "the target");
    List<double[]> densities = new ArrayList<>();
    for (List<Response> ofPrompt : responses) {
      double[] density = function.apply(ofPrompt, bench.actors(), Workers.serial());
      double logZ = Responses.logSumExp(density);
      if (!Double.isFinite(logZ)) {
        return Optimum.none("the target density of a prompt sums to " + Math.exp(logZ));
      }
      for (int i = 0; i < density.length; i++) {
        density[i] -= logZ;
      }
      densities.add(density);
    }
    return new Optimum(
        Optional.of(new EnumeratedPolicy(bench.task().vocabulary(), responses, densities)),
        Map.of(),
        "");
  }

  private Optimum regularised(
      Bench bench,
      ClosedForm.Regularised form,
      List<List<Response>> responses,
      TrainingId training) {
    if (!bench.actors().isFixed(form.reference())) {
      return Optimum.none(
          "the reference `%s` changes over training, so there is no one optimum"
              .formatted(form.reference()));
    }
    List<double[]> reference = logProbabilities(bench, form.reference(), responses);
    List<RegularisedProblem.Bound> bounds = new ArrayList<>();
    for (ClosedForm.Bound bound : form.bounds()) {
      bounds.add(
          new RegularisedProblem.Bound(
              bound.text(),
              rows(bench, bound.value(), "`" + bound.text() + "`", responses),
              bound.relation(),
              bound.limit()));
    }
    boolean selfPlay =
        form.reward().inputs().stream()
            .anyMatch(
                input -> Signature.opponent(input).filter(bench.actors()::isTrained).isPresent());
    RegularisedProblem problem =
        new RegularisedProblem(
            reference,
            selfPlay ? List.of() : rows(bench, form.reward(), "the reward", responses),
            form.strength(),
            form.integrand(),
            form.inverse(),
            form.divergenceBudget(),
            bounds);
    RegularisedProblem.Solution solution;
    try {
      if (selfPlay) {
        Optional<RegularisedProblem.Solution> equilibrium =
            equilibrium(bench, form, problem, responses);
        if (equilibrium.isEmpty()) {
          return Optimum.none(
              "no equilibrium was found: the iteration towards it does not settle, as without a"
                  + " divergence that is strong enough");
        }
        solution = equilibrium.get();
      } else {
        solution = RegularisedSolver.solve(problem);
      }
    } catch (ExperimentException e) {
      String where = training.labels().isEmpty() ? "" : "at " + training.show() + ": ";
      throw new ExperimentException(plan.source() + ": " + where + e.getMessage(), e);
    }
    Map<String, Double> multipliers = new LinkedHashMap<>();
    for (int k = 0; k < bounds.size(); k++) {
      multipliers.put(form.bounds().get(k).multiplier(), solution.multipliers()[k]);
    }
    if (!form.budgetMultiplier().isEmpty()) {
      multipliers.put(form.budgetMultiplier(), solution.budgetMultiplier(problem));
    }
    return new Optimum(
        Optional.of(
            new EnumeratedPolicy(
                bench.task().vocabulary(), responses, solution.logProbabilities())),
        multipliers,
        "");
  }

  /**
   * The policy that is the best response to itself, where rewards are win rates against the trained
   * policy: the fixed point of the regularised best response, approached with a step that shrinks
   * where the distance to the response does not.
   */
  private static Optional<RegularisedProblem.Solution> equilibrium(
      Bench bench,
      ClosedForm.Regularised form,
      RegularisedProblem problem,
      List<List<Response>> responses) {
    List<double[]> now = problem.logReference();
    double step = 0.5;
    double before = Double.POSITIVE_INFINITY;
    for (int iteration = 0; iteration < EQUILIBRIUM_STEPS; iteration++) {
      Policy own = new EnumeratedPolicy(bench.task().vocabulary(), responses, now);
      Bench against =
          new Bench(bench.task(), new WithPolicy(bench.actors(), own), bench.evaluator());
      RegularisedProblem.Solution response =
          RegularisedSolver.solve(
              problem.withReward(rows(against, form.reward(), "the reward", responses)));
      double distance = 0;
      List<double[]> next = new ArrayList<>();
      for (int prompt = 0; prompt < now.size(); prompt++) {
        double[] from = now.get(prompt);
        double[] to = response.logProbabilities().get(prompt);
        double[] mixed = new double[from.length];
        for (int i = 0; i < from.length; i++) {
          distance = Math.max(distance, Math.abs(Math.exp(from[i]) - Math.exp(to[i])));
          mixed[i] = Double.isInfinite(to[i]) ? to[i] : (1 - step) * from[i] + step * to[i];
        }
        double logZ = Responses.logSumExp(mixed);
        for (int i = 0; i < mixed.length; i++) {
          mixed[i] -= logZ;
        }
        next.add(mixed);
      }
      if (distance < EQUILIBRIUM_TOLERANCE) {
        return Optional.of(response);
      }
      if (iteration % EQUILIBRIUM_WINDOW == 0) {
        // Policies turn around an equilibrium before they come near it: one step says nothing.
        if (distance > before / 2) {
          step /= 2;
        }
        before = distance;
      }
      now = next;
    }
    return Optional.empty();
  }

  private static List<double[]> logProbabilities(
      Bench bench, String actor, List<List<Response>> responses) {
    Policy policy = bench.actors().policy(actor);
    return responses.stream().map(all -> Responses.logProbabilities(policy, all)).toList();
  }

  private static List<double[]> rows(
      Bench bench, RowFunction function, String owner, List<List<Response>> responses) {
    RowFunctions rows = new RowFunctions(bench.task(), function, owner);
    return responses.stream()
        .map(all -> rows.apply(all, bench.actors(), Workers.serial()))
        .toList();
  }
}
