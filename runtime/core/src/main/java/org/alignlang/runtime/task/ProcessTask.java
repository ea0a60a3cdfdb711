package org.alignlang.runtime.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.sampling.distribution.ZigguratSampler;

/**
 * A task whose responses are episodes of a finite decision process: tokens are actions, and a
 * policy sees the state alone, or the state and the time. There is one prompt; the state in which
 * an episode starts is drawn. An episode ends in a state whose actions all lead back to it, and
 * after {@code horizon} actions.
 *
 * <p>States are numbered as in the process; with the time, state {@code s} after {@code t} actions
 * has number {@code t S + s}. Where a part of the state is hidden, policies see less ({@link
 * #seen}); blocks that are tables of the state see all of it.
 *
 * <p>Scores that every such task has, per token, with {@code s} the state before it and {@code s'}
 * the one after:
 *
 * <ul>
 *   <li>{@code state}, {@code next}, {@code action}, {@code choice}: the numbers of {@code s}, of
 *       {@code s'}, of the action, and {@code s A + a} of state and action; blocks may be tables of
 *       these
 *   <li>{@code seen}: the number of what policies see of {@code s}, where that is not all
 *   <li>{@code visits}: how often the place of {@code s'} has been entered in the episode by now;
 *       the start counts
 *   <li>{@code first}: 1 where it is entered for the first time, else 0
 * </ul>
 *
 * <p>With {@code senses = n} a state, or what policies see of it, is described by {@code n}
 * standard normal numbers that are drawn for it once, in place of a unit vector; the score {@code
 * sense}, with {@code n} members, has those of {@code s}.
 *
 * <p>Tasks with a reward have {@code score} per token, and {@code return} per episode, {@code sum_t
 * discount^t score_t}; pairs, ranked lists and preferences go by it.
 */
public final class ProcessTask implements Task {
  /** The most numbers of a linear policy over state features: 32 MiB. */
  private static final long MAXIMUM_WEIGHTS = 1L << 22;

  /** The most states, times included. */
  private static final int MAXIMUM_CONTEXTS = 1 << 20;

  /** A number of a step, from the state before, the action and the state after. */
  @FunctionalInterface
  interface StepScore {
    double at(int state, int action, int next);
  }

  /** Scores of steps, and how many values each has that is a whole number from 0, or 0. */
  private record Step(StepScore score, int values) {}

  private final String name;
  private final DecisionProcess process;
  private final int horizon;
  private final boolean timed;
  private final int[] seen;
  private final double[] start;

  /** What describes each view, {@code [views][senses]}; empty for unit vectors. */
  private final double[][] senses;

  /** The states that end an episode. */
  private final boolean[] over;

  private final boolean deterministic;
  private final Policy base;
  private final Map<String, Step> steps = new LinkedHashMap<>();
  private final Map<String, Function<Response, double[]>> histories = new LinkedHashMap<>();
  private final Map<String, ToDoubleFunction<Response>> wholes = new LinkedHashMap<>();
  private final List<Pair> pairs;
  private final Dynamics dynamics;

  private ProcessTask(Builder builder, Arguments arguments, CounterRandom random) {
    name = builder.name;
    process = builder.process;
    horizon = process.requireHorizon();
    start = process.start();
    over = new boolean[start.length];
    for (int s = 0; s < over.length; s++) {
      over[s] = process.absorbing(s);
      if (over[s] && start[s] > 0) {
        throw new IllegalArgumentException(
            "task `%s` starts in the state `%s`, which ends an episode"
                .formatted(name, process.stateName(s)));
      }
    }
    timed = arguments.flag("timed", false);
    if ((long) process.states() * (horizon + 1) > MAXIMUM_CONTEXTS && timed) {
      throw arguments.wrong(
          "timed",
          "false where %d states and %d times are too many".formatted(process.states(), horizon),
          true);
    }
    seen = builder.seen;
    int actions = process.actions();
    int described = arguments.integer("senses", 0, 0, 256);
    senses = described == 0 ? new double[0][] : codes(views(), described, random.stream("senses"));
    if (seen.length > 0) {
      steps.put("seen", new Step((s, a, next) -> seen[s], PartialView.views(seen)));
    }
    steps.put("state", new Step((s, a, next) -> s, process.states()));
    steps.put("next", new Step((s, a, next) -> next, process.states()));
    steps.put("action", new Step((s, a, next) -> a, actions));
    steps.put(
        "choice", new Step((s, a, next) -> (double) s * actions + a, process.states() * actions));
    steps.putAll(builder.steps);
    histories.put("visits", response -> entries(response, builder.place));
    histories.put(
        "first",
        response ->
            Arrays.stream(entries(response, builder.place)).map(n -> n == 1 ? 1 : 0).toArray());
    if (senses.length > 0) {
      histories.put("sense", this::sensed);
    }
    histories.putAll(builder.histories(this));
    wholes.putAll(builder.wholes(this));
    deterministic = follows();
    dynamics = followed();
    double skill = arguments.real("skill", 0, 0, 1);
    if (skill > 0 && !steps.containsKey("score")) {
      throw arguments.wrong("skill", "0 where the task has no reward", skill);
    }
    if (skill > 0 && seen.length > 0) {
      throw arguments.wrong("skill", "0 where policies do not see the whole state", skill);
    }
    base = skill == 0 ? uniform() : skilled(skill, arguments);
    int count = arguments.integer("pairs", 0, 0, 1 << 20);
    double noise = arguments.real("label_noise", 0, 0, 1);
    if (count > 0 && !steps.containsKey("score")) {
      throw arguments.wrong("pairs", "0 where the task has no reward", count);
    }
    if (steps.containsKey("score")) {
      wholes.put("return", this::discountedReturn);
    }
    pairs =
        new SampledPairs(
                (prompt, draws) -> sample(base, prompt, draws),
                1,
                this::discountedReturn,
                count,
                noise)
            .sample(random.stream("pairs"));
  }

  /** Collects the parts of a task. */
  static final class Builder {
    private final String name;
    private final DecisionProcess process;
    private final Map<String, Step> steps = new LinkedHashMap<>();
    private final Map<String, Function<ProcessTask, Function<Response, double[]>>> histories =
        new LinkedHashMap<>();
    private final Map<String, Function<ProcessTask, ToDoubleFunction<Response>>> wholes =
        new LinkedHashMap<>();
    private IntUnaryOperator place = state -> state;
    private int[] seen = new int[0];

    /** A task on a process with a horizon. */
    Builder(String name, DecisionProcess process) {
      this.name = name;
      this.process = process;
    }

    /** A score per token; {@code score} is what the return is made of. */
    Builder score(String score, StepScore value) {
      steps.put(score, new Step(value, 0));
      return this;
    }

    /** A score per token that is a whole number from 0, and how often it was so by now. */
    Builder values(String score, int values, StepScore value) {
      steps.put(score, new Step(value, values));
      histories.put(score + "_count", task -> response -> task.counts(response, value));
      return this;
    }

    /** A score per token that depends on the whole episode. */
    Builder history(String score, Function<Response, double[]> values) {
      histories.put(score, task -> values);
      return this;
    }

    /** A score per episode: 1 where a step has this score above 0, else 0. */
    Builder reached(String score, StepScore value) {
      wholes.put(
          score,
          task -> response -> Arrays.stream(task.of(response, value)).anyMatch(x -> x > 0) ? 1 : 0);
      return this;
    }

    /** What counts as the same place in {@code visits} and {@code first}: the state by default. */
    Builder place(IntUnaryOperator placeOfState) {
      place = placeOfState;
      return this;
    }

    /** What policies see of each state: a number from 0. */
    Builder seen(int[] ofState) {
      seen = ofState;
      return this;
    }

    private Map<String, Function<Response, double[]>> histories(ProcessTask task) {
      Map<String, Function<Response, double[]>> made = new LinkedHashMap<>();
      histories.forEach((score, function) -> made.put(score, function.apply(task)));
      return made;
    }

    private Map<String, ToDoubleFunction<Response>> wholes(ProcessTask task) {
      Map<String, ToDoubleFunction<Response>> made = new LinkedHashMap<>();
      wholes.forEach((score, function) -> made.put(score, function.apply(task)));
      return made;
    }

    /**
     * The task.
     *
     * @param arguments what all tasks on processes take: {@code timed} (false), {@code skill} (0),
     *     {@code pairs} (0), {@code label_noise} (0)
     */
    ProcessTask build(Arguments arguments, CounterRandom random) {
      return new ProcessTask(this, arguments, random);
    }
  }

  /** The argument {@code horizon}, at most 64 actions unless told otherwise. */
  static int horizon(Arguments arguments) {
    return arguments.integer("horizon", 64, 1, 1 << 16);
  }

  /** The argument {@code discount}, 0.95 unless told otherwise. */
  static double discount(Arguments arguments) {
    return arguments.real("discount", 0.95, 0, 1);
  }

  /** The process, with its horizon. */
  public DecisionProcess process() {
    return process;
  }

  /** The state behind the number that policies see. */
  public int stateOf(int context) {
    return context % process.states();
  }

  private int context(int state, int time) {
    return timed ? time * process.states() + state : state;
  }

  // Policies.

  /** A policy that does not change, with one row of logits per state or per state and time. */
  private record StatePolicy(double[][] rows) implements Policy {
    @Override
    public int vocabulary() {
      return rows[0].length;
    }

    @Override
    public double[] parameters() {
      return new double[0];
    }

    @Override
    public void logits(int prompt, int[] tokens, int length, double[] out) {
      System.arraycopy(rows[prompt % rows.length], 0, out, 0, out.length);
    }

    @Override
    public void backward(
        int prompt, int[] tokens, int length, double[] logitGradient, double[] gradient) {
      // Nothing is trained here, so the gradient ends.
    }

    @Override
    public Policy copy() {
      return this;
    }
  }

  private Policy uniform() {
    return new StatePolicy(new double[1][process.actions()]);
  }

  /** The optimal policy, which does with probability {@code 1 - skill} anything. */
  private Policy skilled(double skill, Arguments arguments) {
    double[][] reward = expected(score("score"));
    if (!timed) {
      if (process.discount() >= 1) {
        throw arguments.wrong("discount", "below 1 where `skill` is given and not `timed`", 1.0);
      }
      return new StatePolicy(logits(Planning.optimal(process, reward).policy(), skill));
    }
    double[][][] stepwise = Planning.optimalStepwise(process, reward).policy();
    double[][] rows = new double[(horizon + 1) * process.states()][process.actions()];
    for (int t = 0; t < horizon; t++) {
      System.arraycopy(logits(stepwise[t], skill), 0, rows, t * process.states(), process.states());
    }
    return new StatePolicy(rows);
  }

  private static double[][] logits(double[][] policy, double skill) {
    double[][] logits = Tables.copy(policy);
    for (double[] row : logits) {
      Arrays.setAll(row, a -> Math.log(skill * row[a] + (1 - skill) / row.length));
    }
    return logits;
  }

  /** {@code r(s, a) = sum_s' P(s' | s, a) score(s, a, s')}; 0 where episodes have ended. */
  private double[][] expected(StepScore score) {
    double[][] reward = new double[process.states()][process.actions()];
    for (int s = 0; s < reward.length; s++) {
      for (int a = 0; a < process.actions() && !over[s]; a++) {
        for (int i = 0; i < process.successors(s, a); i++) {
          reward[s][a] += process.probability(s, a, i) * score.at(s, a, process.successor(s, a, i));
        }
      }
    }
    return reward;
  }

  private StepScore score(String score) {
    Step step = steps.get(score);
    if (step == null) {
      throw Tasks.noSuchScore(this, score);
    }
    return step.score();
  }

  // Episodes.

  private boolean follows() {
    int starts = 0;
    for (int s = 0; s < process.states(); s++) {
      starts += start[s] > 0 ? 1 : 0;
      for (int a = 0; a < process.actions(); a++) {
        if (process.successors(s, a) > 1) {
          return false;
        }
      }
    }
    return starts == 1;
  }

  private Dynamics followed() {
    double[] first = new double[contexts()];
    System.arraycopy(start, 0, first, 0, start.length);
    List<Response> all = new ArrayList<>();
    List<Double> probabilities = new ArrayList<>();
    for (int time = 0; time < (timed ? horizon : 1); time++) {
      for (int s = 0; s < process.states(); s++) {
        for (int a = 0; a < process.actions() && !over[s]; a++) {
          for (int i = 0; i < process.successors(s, a); i++) {
            int[] states = {context(s, time), context(process.successor(s, a, i), time + 1)};
            all.add(new Response(0, new int[] {a}, 1, states));
            probabilities.add(process.probability(s, a, i));
          }
        }
      }
    }
    return new Dynamics(
        first, horizon, all, probabilities.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /** Draws the start, and then an action and a successor at each step: two draws per step. */
  @Override
  public Response sample(Policy policy, int prompt, UniformRandomProvider random) {
    int state = start(random.nextDouble());
    int[] states = new int[horizon + 1];
    int[] tokens = new int[horizon];
    int length = 0;
    states[0] = context(state, 0);
    while (length < horizon && !over[state]) {
      double[] next = Responses.nextToken(policy, states[length], tokens, 0);
      int action = Responses.draw(next, random.nextDouble());
      tokens[length++] = action;
      state = successor(state, action, random.nextDouble());
      states[length] = context(state, length);
    }
    return new Response(
        prompt, Arrays.copyOf(tokens, length), length, Arrays.copyOf(states, length + 1));
  }

  private int start(double uniform) {
    double cumulative = 0;
    int last = 0;
    for (int s = 0; s < start.length; s++) {
      if (start[s] > 0) {
        cumulative += start[s];
        last = s;
        if (uniform < cumulative) {
          return s;
        }
      }
    }
    return last;
  }

  private int successor(int state, int action, double uniform) {
    int last = process.successors(state, action) - 1;
    double cumulative = 0;
    for (int i = 0; i < last; i++) {
      cumulative += process.probability(state, action, i);
      if (uniform < cumulative) {
        return process.successor(state, action, i);
      }
    }
    return process.successor(state, action, last);
  }

  @Override
  public List<Response> responses(int prompt, int limit) {
    if (!deterministic) {
      return List.of();
    }
    List<Response> found = new ArrayList<>();
    int[] states = new int[horizon + 1];
    states[0] = start(0);
    boolean all = extend(states[0], new int[horizon], states, 0, limit, found);
    return all ? List.copyOf(found) : List.of();
  }

  private boolean extend(
      int state, int[] tokens, int[] states, int length, int limit, List<Response> found) {
    if (length == horizon || over[state]) {
      found.add(
          new Response(
              0, Arrays.copyOf(tokens, length), length, Arrays.copyOf(states, length + 1)));
      return found.size() <= limit;
    }
    for (int action = 0; action < process.actions(); action++) {
      tokens[length] = action;
      int next = process.successor(state, action, 0);
      states[length + 1] = context(next, length + 1);
      if (!extend(next, tokens, states, length + 1, limit, found)) {
        return false;
      }
    }
    return true;
  }

  // Scores.

  private double[] of(Response response, StepScore score) {
    double[] values = new double[response.length()];
    for (int t = 0; t < values.length; t++) {
      values[t] =
          score.at(
              stateOf(response.states()[t]),
              response.tokens()[t],
              stateOf(response.states()[t + 1]));
    }
    return values;
  }

  private double[] counts(Response response, StepScore score) {
    Map<Double, Integer> seen = new HashMap<>();
    return Arrays.stream(of(response, score))
        .map(value -> seen.merge(value, 1, Integer::sum))
        .toArray();
  }

  private double[] entries(Response response, IntUnaryOperator place) {
    Map<Integer, Integer> seen = new HashMap<>();
    seen.put(place.applyAsInt(stateOf(response.states()[0])), 1);
    double[] entries = new double[response.length()];
    for (int t = 0; t < entries.length; t++) {
      int entered = place.applyAsInt(stateOf(response.states()[t + 1]));
      entries[t] = seen.merge(entered, 1, Integer::sum);
    }
    return entries;
  }

  private double discountedReturn(Response response) {
    double sum = 0;
    double factor = 1;
    for (double reward : of(response, score("score"))) {
      sum += factor * reward;
      factor *= process.discount();
    }
    return sum;
  }

  @Override
  public Set<String> scores() {
    Set<String> all = new LinkedHashSet<>(steps.keySet());
    all.addAll(histories.keySet());
    all.addAll(wholes.keySet());
    return Collections.unmodifiableSet(all);
  }

  @Override
  public boolean perToken(String score) {
    return steps.containsKey(score) || histories.containsKey(score);
  }

  @Override
  public int members(String score) {
    return score.equals("sense") && senses.length > 0 && senses[0].length > 1
        ? senses[0].length
        : 0;
  }

  @Override
  public boolean markov(String score) {
    return steps.containsKey(score);
  }

  @Override
  public int values(String score) {
    Step step = steps.get(score);
    return step == null ? 0 : step.values();
  }

  @Override
  public double[] score(String score, Response response) {
    Step step = steps.get(score);
    if (step != null) {
      return of(response, step.score());
    }
    Function<Response, double[]> history = histories.get(score);
    if (history != null) {
      return history.apply(response);
    }
    ToDoubleFunction<Response> whole = wholes.get(score);
    if (whole == null) {
      throw Tasks.noSuchScore(this, score);
    }
    return new double[] {whole.applyAsDouble(response)};
  }

  // The rest of the task.

  @Override
  public String name() {
    return name;
  }

  @Override
  public int prompts() {
    return 1;
  }

  @Override
  public int contexts() {
    return process.states() * (timed ? horizon + 1 : 1);
  }

  /** With the time, what is seen after {@code t} actions has the number {@code t V + v}. */
  @Override
  public int[] seen() {
    if (seen.length == 0) {
      return seen;
    }
    int views = PartialView.views(seen);
    int[] all = new int[contexts()];
    Arrays.setAll(all, c -> c / seen.length * views + seen[c % seen.length]);
    return all;
  }

  @Override
  public int memory() {
    return 0;
  }

  @Override
  public boolean deterministic() {
    return deterministic;
  }

  @Override
  public Optional<Dynamics> dynamics() {
    return Optional.of(dynamics);
  }

  @Override
  public double discount() {
    return process.discount();
  }

  @Override
  public int vocabulary() {
    return process.actions();
  }

  @Override
  public int maximumLength() {
    return horizon;
  }

  @Override
  public int endToken() {
    return -1;
  }

  @Override
  public Policy base() {
    return base;
  }

  private int views() {
    return seen.length == 0 ? process.states() : PartialView.views(seen);
  }

  private int view(int state) {
    return seen.length == 0 ? state : seen[state];
  }

  private static double[][] codes(int views, int numbers, CounterRandom random) {
    ZigguratSampler.NormalizedGaussian normal = ZigguratSampler.NormalizedGaussian.of(random);
    double[][] codes = new double[views][numbers];
    for (double[] code : codes) {
      Arrays.setAll(code, i -> normal.sample());
    }
    return codes;
  }

  /** The descriptions of the states before the steps, one after another. */
  private double[] sensed(Response response) {
    double[] all = new double[response.length() * senses[0].length];
    for (int t = 0; t < response.length(); t++) {
      double[] code = senses[view(stateOf(response.states()[t]))];
      System.arraycopy(code, 0, all, t * code.length, code.length);
    }
    return all;
  }

  /**
   * What is seen of the state as a unit vector, or as its {@code senses}, and with the time the
   * share of the horizon that is used up.
   */
  @Override
  public double[] features(int prompt, int[] tokens, int length) {
    int dimension = (senses.length == 0 ? views() : senses[0].length) + (timed ? 1 : 0);
    if ((long) dimension * process.actions() > MAXIMUM_WEIGHTS) {
      return new double[0];
    }
    double[] features = new double[dimension];
    if (senses.length == 0) {
      features[view(stateOf(prompt))] = 1;
    } else {
      double[] code = senses[view(stateOf(prompt))];
      System.arraycopy(code, 0, features, 0, code.length);
    }
    if (timed) {
      features[dimension - 1] = (double) (prompt / process.states()) / horizon;
    }
    return features;
  }

  @Override
  public List<Pair> pairs() {
    return pairs;
  }

  @Override
  public List<Labelled> labelled() {
    return SampledPairs.unpaired(pairs);
  }

  @Override
  public Optional<ToDoubleFunction<Response>> utility() {
    return steps.containsKey("score") ? Optional.of(this::discountedReturn) : Optional.empty();
  }

  @Override
  public String showPrompt(int prompt) {
    return "start";
  }

  @Override
  public String show(Response response) {
    StringBuilder text = new StringBuilder();
    for (int t = 0; t < response.length(); t++) {
      text.append(t == 0 ? "" : " ").append(process.actionName(response.tokens()[t]));
    }
    return text.toString();
  }
}
