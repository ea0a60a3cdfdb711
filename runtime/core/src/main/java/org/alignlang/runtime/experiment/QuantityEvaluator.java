package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentPlan.LogRatioFunction;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;
import org.alignlang.runtime.experiment.ExperimentPlan.RowFunction;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;
import org.alignlang.runtime.metric.Agreement;
import org.alignlang.runtime.metric.TokenSequences;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Dynamics;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.alignlang.runtime.train.RowFunctions;

/**
 * Measures quantities under the current policies, averaged over the task's prompts.
 *
 * <p>Where all responses to all prompts together are at most {@link #MAXIMUM_ENUMERATED}, an
 * expectation is a sum over them; otherwise it is estimated from about {@link #SAMPLES} responses,
 * the same ones for all quantities of one record, drawn from the seed and the step alone:
 *
 * <ul>
 *   <li>{@code E[x]}: the mean over samples of the actor
 *   <li>{@code D(p || q)}: half of the samples are from {@code p} and half from {@code q}; with
 *       {@code u = p/q} the mean of {@code 2 (f(u) - f'(1) (u - 1)) / (1 + u)}, which is unbiased,
 *       never negative, and bounded where {@code f(u) / (1 + u)} is
 *   <li>two responses of a prompt are compared in expectation, over all pairs where there are at
 *       most {@link #MOST_COMPARED} responses, or else over pairs of samples
 *   <li>entropy: the mean over samples of the sum of the next-token entropies
 * </ul>
 *
 * <p>In a decision process {@code E[x]} is exact by dynamic programming over the states where
 * {@code x} is a sum over tokens of terms that see the state, the action, the next state and the
 * time alone; else over all action sequences where they can be listed, else from samples. The
 * entropy there is that of the actions, summed over the states visited, and {@code KL} that of the
 * trajectories; both are exact. Other divergences are those of the trajectories, by enumeration or
 * from samples.
 */
public final class QuantityEvaluator {
  /** The most responses, over all prompts, that are summed over at each record. */
  public static final int MAXIMUM_ENUMERATED = 65_536;

  /** How many responses are sampled at each record, unless there are more prompts. */
  public static final int SAMPLES = 4096;

  /** The most responses to a prompt of which all pairs are compared at each record. */
  private static final int MOST_COMPARED = 256;

  /** How many responses to a prompt are compared two by two where there are more than that. */
  private static final int PAIRED = 1024;

  private static final Set<String> REVERSE_KL = Set.of("KL", "reverse_kl");
  private static final int[] NO_TOKENS = new int[1];

  /** Log-ratios are held to this size in estimates, so that their exponentials stay finite. */
  private static final double MAXIMUM_LOG_RATIO = 500;

  /**
   * A measured number.
   *
   * @param value the number
   * @param method how it was found
   */
  public record Measured(double value, Method method) {}

  private final Task task;
  private final Training point;
  private final Workers workers;
  private final CounterRandom random;
  private final Optional<List<List<Response>>> enumerated;
  private final Map<RowFunction, RowFunctions> functions = new IdentityHashMap<>();
  private final Map<RowFunction, List<double[]>> fixedValues = new IdentityHashMap<>();
  private final Map<RowFunction, List<double[]>> fixedTerms = new IdentityHashMap<>();
  private final Map<String, List<double[]>> fixedLogProbabilities = new HashMap<>();

  /**
   * Enumerates the task's responses if there are few enough.
   *
   * @param point the sweep point, for parameters by name
   * @param seed where estimates take their samples from
   */
  public QuantityEvaluator(Task task, Training point, long seed, Workers workers) {
    this.task = task;
    this.point = point;
    this.workers = workers;
    random = CounterRandom.of(seed).stream("evaluation");
    enumerated = enumerate(task);
  }

  /** All responses, one list per prompt; empty if there are too many. */
  public Optional<List<List<Response>>> enumerated() {
    return enumerated;
  }

  /** A view of one moment of training, for all quantities of one record. */
  public Moment at(long step, ActorPolicies actors, Map<String, Double> names) {
    return new Moment(step, actors, names);
  }

  private static Optional<List<List<Response>>> enumerate(Task task) {
    List<List<Response>> all = new ArrayList<>();
    int left = MAXIMUM_ENUMERATED;
    for (int prompt = 0; prompt < task.prompts(); prompt++) {
      List<Response> found = task.responses(prompt, left);
      if (found.isEmpty()) {
        return Optional.empty();
      }
      all.add(found);
      left -= found.size();
    }
    return Optional.of(all);
  }

  /** What quantities are at one moment. Not safe for use by several threads. */
  public final class Moment {
    private final long step;
    private final ActorPolicies actors;
    private final Map<String, Double> names;
    private final Map<String, List<double[]>> logProbabilities = new HashMap<>();
    private final Map<String, List<Response>> samples = new HashMap<>();

    private Moment(long step, ActorPolicies actors, Map<String, Double> names) {
      this.step = step;
      this.actors = actors;
      this.names = names;
    }

    /**
     * Measures a quantity.
     *
     * @throws ExperimentException if it needs a whole series, or a name that is not there
     */
    public Measured measure(Quantity quantity) {
      return switch (quantity) {
        case Quantity.Constant(double value) -> new Measured(value, Method.GIVEN);
        case Quantity.Named(String name) -> named(name);
        case Quantity.Label(String name) -> new Measured(PointValues.of(point, name), Method.GIVEN);
        case Quantity.Expectation(String actor, String text, RowFunction value) ->
            expectation(actor, text, value);
        case Quantity.Divergence(
                String name,
                LogRatioFunction integrand,
                String left,
                String right) ->
            divergence(name, integrand, left, right);
        case Quantity.OccupancyDivergence occupancies -> occupancies(occupancies);
        case Quantity.Entropy(String actor) -> entropy(actor);
        case Quantity.Exploitability(String actor) -> exploitability(actor);
        case Quantity.Apply(String function, List<Quantity> arguments) -> {
          Method method = Method.GIVEN;
          List<Double> values = new ArrayList<>();
          for (Quantity argument : arguments) {
            Measured measured = measure(argument);
            values.add(measured.value());
            method = method.with(measured.method());
          }
          yield new Measured(Arithmetic.apply(function, values), method);
        }
        case Quantity.Series series -> throw notRecorded(series.function());
        case Quantity.Statistic statistic -> throw notRecorded(statistic.function());
        case Quantity.Fitted fitted -> throw notRecorded(fitted.fit());
        case Quantity.Coefficient(String name) -> throw notRecorded(name);
        case Quantity.Agreement agreement -> agreement(agreement);
        case Quantity.Diversity diversity -> diversity(diversity);
        case Quantity.Exact exact ->
            throw new ExperimentException(
                "`exact(...)` does not change over training, so it is not recorded; use it in"
                    + " `expect` or `plot`");
        case Quantity.BestOf bestOf ->
            throw new ExperimentException(
                "`best_of(...)` does not change over training, so it is not recorded; use it in"
                    + " `expect` or `plot`");
      };
    }

    private static ExperimentException notRecorded(String what) {
      return new ExperimentException(
          "`%s` is made of whole series, so it cannot be recorded; use it in `expect`"
              .formatted(what));
    }

    private Measured agreement(Quantity.Agreement of) {
      RowFunctions first = function(of.first(), of.text());
      RowFunctions second = function(of.second(), of.text());
      double total = 0;
      for (int prompt = 0; prompt < task.prompts(); prompt++) {
        List<Response> responses =
            enumerated.isPresent()
                ? enumerated.get().get(prompt)
                : samplesTo(prompt, samples(of.actor()));
        double[] weights =
            enumerated.isPresent()
                ? exponentials(logProbabilities(of.actor()).get(prompt))
                : Agreement.alike(responses.size());
        double[] x = first.apply(responses, actors, workers);
        double[] y = second.apply(responses, actors, workers);
        try {
          total +=
              switch (of.measure()) {
                case "correlation" -> Agreement.correlation(x, y, weights);
                case "spearman" -> Agreement.spearman(x, y, weights);
                case "kendall" -> Agreement.kendall(x, y, weights);
                case "overlap" -> Agreement.overlap(x, y, of.option());
                case "calibration" -> Agreement.calibrationError(x, y, weights, of.option());
                default -> throw new IllegalArgumentException("no measure " + of.measure());
              };
        } catch (IllegalArgumentException e) {
          throw new ExperimentException("`%s`: %s".formatted(of.text(), e.getMessage()), e);
        }
      }
      return enumerated.isPresent()
          ? exact(total)
          : new Measured(total / task.prompts(), Method.sampled(samples(of.actor()).size()));
    }

    private RowFunctions function(RowFunction value, String text) {
      return functions.computeIfAbsent(value, v -> new RowFunctions(task, v, "`" + text + "`"));
    }

    private List<Response> samplesTo(int prompt, List<Response> drawn) {
      int each = drawn.size() / task.prompts();
      return drawn.subList(prompt * each, (prompt + 1) * each);
    }

    private Measured diversity(Quantity.Diversity of) {
      boolean listed =
          !of.measure().equals("distinct")
              && enumerated.isPresent()
              && enumerated.get().stream().allMatch(all -> all.size() <= MOST_COMPARED);
      double total = 0;
      int drawn = 0;
      for (int prompt = 0; prompt < task.prompts(); prompt++) {
        if (listed) {
          List<int[]> tokens = tokens(enumerated.orElseThrow().get(prompt));
          double[] law = exponentials(logProbabilities(of.actor()).get(prompt));
          for (int i = 0; i < law.length; i++) {
            for (int j = 0; j < law.length; j++) {
              total += law[i] * law[j] * compare(of, tokens.get(i), tokens.get(j));
            }
          }
          continue;
        }
        List<int[]> tokens =
            tokens(
                enumerated.isPresent()
                    ? draw(of.actor(), prompt, of.draws() > 0 ? of.draws() : PAIRED)
                    : samplesTo(prompt, samples(of.actor())));
        int used = of.measure().equals("distinct") ? of.draws() : tokens.size() / 2 * 2;
        if (used < 2 && !of.measure().equals("distinct") || used > tokens.size()) {
          throw new ExperimentException(
              "`%s` looks at %d responses to a prompt, and %d are drawn to each of the %d prompts"
                  .formatted(
                      QuantityText.show(of), Math.max(used, 2), tokens.size(), task.prompts()));
        }
        drawn += used;
        if (of.measure().equals("distinct")) {
          total += TokenSequences.distinct(tokens.subList(0, used), of.run());
        } else {
          double sum = 0;
          for (int i = 0; i < used; i += 2) {
            sum += compare(of, tokens.get(i), tokens.get(i + 1));
          }
          total += sum / (used / 2);
        }
      }
      return listed ? exact(total) : new Measured(total / task.prompts(), Method.sampled(drawn));
    }

    /** So many responses to a prompt, where nothing else needs samples. */
    private List<Response> draw(String actor, int prompt, int count) {
      Policy policy = actors.policy(actor);
      CounterRandom own = random.stream(actor).stream(step).stream(prompt);
      return IntStream.range(0, count)
          .mapToObj(i -> Responses.sample(policy, task, prompt, own.stream(i)))
          .toList();
    }

    private static double compare(Quantity.Diversity of, int[] a, int[] b) {
      return of.measure().equals("edit_distance")
          ? TokenSequences.editDistance(a, b)
          : TokenSequences.similarity(a, b, of.run());
    }

    private Measured named(String name) {
      Double value = names.get(name);
      if (value == null) {
        throw new ExperimentException(
            "there is no metric, multiplier or earlier record called `%s`; known: %s"
                .formatted(name, String.join(", ", names.keySet())));
      }
      return new Measured(value, Method.GIVEN);
    }

    /**
     * The sum over times of the expected term of a step, where a value is a sum of terms that see
     * no more than the step; empty where it is not.
     */
    private Optional<Measured> sumOverSteps(String actor, String text, RowFunction value) {
      Optional<IntFunction<RowFunction>> terms = value.terms();
      if (task.dynamics().isEmpty()
          || terms.isEmpty()
          || !value.inputs().stream().allMatch(input -> RowFunctions.ofStep(task, input))) {
        return Optional.empty();
      }
      Dynamics dynamics = task.dynamics().get();
      double[] total = new double[1];
      dynamics.follow(
          actors.policy(actor),
          (time, law) -> {
            double[] term = termOfSteps(text, value, terms.get(), time, dynamics.steps());
            for (int i = 0; i < law.length; i++) {
              total[0] += law[i] > 0 ? law[i] * term[i] : 0;
            }
          });
      return Optional.of(new Measured(total[0], Method.GIVEN));
    }

    private double[] termOfSteps(
        String text,
        RowFunction value,
        IntFunction<RowFunction> terms,
        int time,
        List<Response> steps) {
      List<double[]> known = fixedTerms.computeIfAbsent(value, v -> new ArrayList<>());
      if (time < known.size()) {
        return known.get(time);
      }
      RowFunctions function = new RowFunctions(task, terms.apply(time), "`" + text + "`");
      double[] found = function.apply(steps, actors, workers);
      if (!function.changes()) {
        known.add(found);
      }
      return found;
    }

    private Measured expectation(String actor, String text, RowFunction value) {
      Optional<Measured> exact = sumOverSteps(actor, text, value);
      if (exact.isPresent()) {
        return exact.get();
      }
      RowFunctions function =
          functions.computeIfAbsent(value, v -> new RowFunctions(task, v, "`" + text + "`"));
      if (enumerated.isEmpty()) {
        List<Response> drawn = samples(actor);
        double[] values = function.apply(drawn, actors, workers);
        double sum = 0;
        for (double v : values) {
          sum += v;
        }
        return new Measured(sum / values.length, Method.sampled(values.length));
      }
      List<double[]> weights = logProbabilities(actor);
      List<double[]> values =
          function.changes()
              ? values(function)
              : fixedValues.computeIfAbsent(value, v -> values(function));
      double total = 0;
      for (int prompt = 0; prompt < weights.size(); prompt++) {
        double sum = 0;
        double[] own = weights.get(prompt);
        for (int i = 0; i < own.length; i++) {
          double probability = Math.exp(own[i]);
          // A response that cannot occur does not count, whatever its value.
          if (probability > 0) {
            sum += probability * values.get(prompt)[i];
          }
        }
        total += sum;
      }
      return exact(total);
    }

    /**
     * {@code KL(p || q)} of trajectories: of the actions in the states that {@code p} visits, for
     * the probabilities of the transitions cancel.
     */
    private Measured divergenceOfActions(Dynamics dynamics, String left, String right) {
      Policy p = actors.policy(left);
      Policy q = actors.policy(right);
      double[] visits = dynamics.visits(p, 1);
      double sum = 0;
      for (int state = 0; state < visits.length; state++) {
        if (visits[state] > 0) {
          double[] logP = Responses.nextToken(p, state, NO_TOKENS, 0);
          double[] logQ = Responses.nextToken(q, state, NO_TOKENS, 0);
          for (int v = 0; v < logP.length; v++) {
            double probability = Math.exp(logP[v]);
            sum += probability > 0 ? visits[state] * probability * (logP[v] - logQ[v]) : 0;
          }
        }
      }
      return new Measured(sum, Method.GIVEN);
    }

    private Measured divergence(
        String name, LogRatioFunction integrand, String left, String right) {
      if (task.dynamics().isPresent() && name.equals("forward_kl")) {
        return divergenceOfActions(task.dynamics().get(), right, left);
      }
      if (task.dynamics().isPresent() && REVERSE_KL.contains(name)) {
        return divergenceOfActions(task.dynamics().get(), left, right);
      }
      if (enumerated.isEmpty()) {
        return sampledDivergence(integrand, left, right);
      }
      List<double[]> p = logProbabilities(left);
      List<double[]> q = logProbabilities(right);
      double total = 0;
      for (int prompt = 0; prompt < p.size(); prompt++) {
        double sum = 0;
        for (int i = 0; i < p.get(prompt).length; i++) {
          sum += term(integrand, p.get(prompt)[i], q.get(prompt)[i]);
        }
        total += sum;
      }
      return exact(total);
    }

    private Measured occupancies(Quantity.OccupancyDivergence of) {
      double[][] p = occupancy(of.left(), of.discount());
      double[][] q = occupancy(of.right(), of.discount());
      double sum = 0;
      for (int state = 0; state < p.length; state++) {
        for (int action = 0; action < p[state].length; action++) {
          sum += term(of.integrand(), Math.log(p[state][action]), Math.log(q[state][action]));
        }
      }
      return new Measured(sum, Method.GIVEN);
    }

    private double[][] occupancy(String actor, double discount) {
      return task.occupancy(actors.policy(actor), discount)
          .orElseThrow(() ->
              new ExperimentException(
                  "`occupancy(%s)` needs a decision process, and task `%s` is none"
                      .formatted(actor, task.name())));
    }

    private Measured sampledDivergence(LogRatioFunction integrand, String left, String right) {
      List<Response> drawn = new ArrayList<>(samples(left));
      drawn.addAll(samples(right));
      double[] p = sequenceLogProbabilities(actors.policy(left), drawn);
      double[] q = sequenceLogProbabilities(actors.policy(right), drawn);
      double h = 1e-5;
      double slope = (integrand.applyAsDouble(h) - integrand.applyAsDouble(-h)) / (2 * h);
      double sum = 0;
      for (int i = 0; i < p.length; i++) {
        double x = Math.clamp(p[i] - q[i], -MAXIMUM_LOG_RATIO, MAXIMUM_LOG_RATIO);
        sum += 2 * (integrand.applyAsDouble(x) - slope * Math.expm1(x)) / (1 + Math.exp(x));
      }
      return new Measured(sum / p.length, Method.sampled(p.length));
    }

    private Measured entropy(String actor) {
      if (task.dynamics().isPresent()) {
        return entropyOfActions(actor, task.dynamics().get());
      }
      if (enumerated.isEmpty()) {
        return sampledEntropy(actor);
      }
      double total = 0;
      for (double[] own : logProbabilities(actor)) {
        double sum = 0;
        for (double logProbability : own) {
          double probability = Math.exp(logProbability);
          if (probability > 0) {
            sum -= probability * logProbability;
          }
        }
        total += sum;
      }
      return exact(total);
    }

    /** The entropies of the actions in the states that are visited, summed. */
    private Measured entropyOfActions(String actor, Dynamics dynamics) {
      Policy policy = actors.policy(actor);
      double[] visits = dynamics.visits(policy, 1);
      double sum = 0;
      for (int state = 0; state < visits.length; state++) {
        if (visits[state] > 0) {
          sum += visits[state] * entropyOf(Responses.nextToken(policy, state, NO_TOKENS, 0));
        }
      }
      return new Measured(sum, Method.GIVEN);
    }

    private Measured sampledEntropy(String actor) {
      List<Response> drawn = samples(actor);
      Policy policy = actors.policy(actor);
      double[] entropies = new double[drawn.size()];
      workers.run(
          drawn.size(),
          (from, to) -> {
            for (int i = from; i < to; i++) {
              Response response = drawn.get(i);
              for (int t = 0; t < response.length(); t++) {
                entropies[i] += entropyOf(Responses.nextToken(policy, response, t));
              }
            }
          });
      double sum = 0;
      for (double value : entropies) {
        sum += value;
      }
      return new Measured(sum / entropies.length, Method.sampled(entropies.length));
    }

    private Measured exploitability(String actor) {
      if (!task.prefers()) {
        throw new ExperimentException(
            "`exploitability(%s)` needs a preference, and task `%s` has none"
                .formatted(actor, task.name()));
      }
      if (enumerated.isEmpty()) {
        throw new ExperimentException(
            "`exploitability(%s)` needs a task with at most %d responses"
                .formatted(actor, MAXIMUM_ENUMERATED));
      }
      List<double[]> own = logProbabilities(actor);
      double total = 0;
      for (int prompt = 0; prompt < own.size(); prompt++) {
        List<Response> all = enumerated.get().get(prompt);
        double best = Double.NEGATIVE_INFINITY;
        for (Response response : all) {
          double wins = 0;
          for (int i = 0; i < all.size(); i++) {
            double probability = Math.exp(own.get(prompt)[i]);
            wins += probability > 0 ? probability * task.preference(response, all.get(i)) : 0;
          }
          best = Math.max(best, wins);
        }
        total += best - 0.5;
      }
      return exact(total);
    }

    private Measured exact(double total) {
      int count = enumerated.orElseThrow().stream().mapToInt(List::size).sum();
      return new Measured(total / task.prompts(), Method.enumerated(count));
    }

    /** One array per prompt, in the order of the enumeration. */
    private List<double[]> values(RowFunctions function) {
      return enumerated.orElseThrow().stream()
          .map(responses -> function.apply(responses, actors, workers))
          .toList();
    }

    private List<double[]> logProbabilities(String actor) {
      Supplier<List<double[]>> compute =
          () -> {
            Policy policy = actors.policy(actor);
            List<List<Response>> all = enumerated.orElseThrow();
            double[][] found = new double[all.size()][];
            workers.run(
                found.length,
                (from, to) -> {
                  for (int prompt = from; prompt < to; prompt++) {
                    found[prompt] = Responses.logProbabilities(policy, all.get(prompt));
                  }
                });
            return List.of(found);
          };
      return actors.isFixed(actor)
          ? fixedLogProbabilities.computeIfAbsent(actor, name -> compute.get())
          : logProbabilities.computeIfAbsent(actor, name -> compute.get());
    }

    private double[] sequenceLogProbabilities(Policy policy, List<Response> responses) {
      double[] found = new double[responses.size()];
      workers.run(
          found.length,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              found[i] = Responses.logProbability(policy, responses.get(i));
            }
          });
      return found;
    }

    /** The same number of responses to each prompt. */
    private List<Response> samples(String actor) {
      return samples.computeIfAbsent(
          actor,
          name -> {
            int each = Math.max(1, Math.ceilDiv(SAMPLES, task.prompts()));
            Policy policy = actors.policy(actor);
            CounterRandom own = random.stream(actor).stream(step);
            Response[] drawn = new Response[each * task.prompts()];
            workers.run(
                drawn.length,
                (from, to) -> {
                  for (int i = from; i < to; i++) {
                    drawn[i] = Responses.sample(policy, task, i / each, own.stream(i));
                  }
                });
            return List.of(drawn);
          });
    }
  }

  private static double[] exponentials(double[] logarithms) {
    return Arrays.stream(logarithms).map(Math::exp).toArray();
  }

  private static List<int[]> tokens(List<Response> responses) {
    return responses.stream()
        .map(response -> Arrays.copyOf(response.tokens(), response.length()))
        .toList();
  }

  private static double entropyOf(double[] logProbabilities) {
    double entropy = 0;
    for (double logProbability : logProbabilities) {
      double probability = Math.exp(logProbability);
      entropy -= probability > 0 ? probability * logProbability : 0;
    }
    return entropy;
  }

  /** {@code q f(p / q)} with its limits where a probability is 0. */
  static double term(LogRatioFunction integrand, double logP, double logQ) {
    double p = Math.exp(logP);
    double q = Math.exp(logQ);
    if (p == 0 && q == 0) {
      return 0;
    }
    if (q == 0) {
      return p * limit(x -> integrand.applyAsDouble(x) * Math.exp(-x));
    }
    if (p == 0) {
      return q * limit(x -> integrand.applyAsDouble(-x));
    }
    return q * integrand.applyAsDouble(logP - logQ);
  }

  /** The limit at infinity of a function that is monotone far out: infinite if it still rises. */
  private static double limit(LogRatioFunction function) {
    double far = function.applyAsDouble(300);
    double farther = function.applyAsDouble(600);
    double noise = 1e-9 * Math.max(1, Math.abs(far));
    return farther <= far + noise ? farther : Double.POSITIVE_INFINITY;
  }
}
