package org.alignlang.runtime.train;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import org.alignlang.kernel.Level;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Dynamics;
import org.alignlang.runtime.task.Task;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * A task whose scores include what trained blocks give: a reward model that one objective fits is a
 * reward of another. Blocks {@code r1} to {@code rN} are the members of the score {@code r}. A
 * score of the task itself keeps its name.
 */
final class LearnedScores implements Task {

  /** The networks of a training's blocks, by name. */
  static final class Networks {
    private record Network(Policy policy, Level level, String of) {}

    private final Map<String, Network> networks = new LinkedHashMap<>();

    /**
     * The network of a name, made if there is none.
     *
     * @param of the score whose values the network is a table of; empty if it sees states
     */
    Policy get(String name, Level level, String of, Supplier<Policy> make) {
      Network known = networks.get(name);
      if (known == null) {
        known = new Network(make.get(), level, of);
        networks.put(name, known);
      } else if (!known.of().equals(of)) {
        throw new IllegalArgumentException(
            "`%s` has another form in another objective".formatted(name));
      } else if (known.level() != level) {
        throw new IllegalArgumentException(
            "`%s` is a block per %s in one objective and per %s in another"
                .formatted(name, known.level().word(), level.word()));
      }
      return known.policy();
    }
  }

  private record Score(List<Policy> members, boolean perToken, String of) {}

  private final Task task;
  private final Map<String, Score> learned;

  private LearnedScores(Task task, Map<String, Score> learned) {
    this.task = task;
    this.learned = learned;
  }

  /** The task with what the networks give, where they give numbers per sequence or token. */
  static Task beside(Task task, Networks networks) {
    Map<String, Score> learned = new LinkedHashMap<>();
    networks.networks.forEach((name, network) -> {
      if (network.level() == Level.SEQUENCE || network.level() == Level.TOKEN) {
        boolean perToken = network.level() == Level.TOKEN;
        learned.put(name, new Score(List.of(network.policy()), perToken, network.of()));
        String ensemble = name.replaceFirst("1$", "");
        List<Policy> members = members(ensemble, networks);
        if (!ensemble.equals(name) && members.size() > 1 && !perToken) {
          learned.put(ensemble, new Score(members, false, network.of()));
        }
      }
    });
    learned.keySet().removeAll(task.scores());
    return learned.isEmpty() ? task : new LearnedScores(task, learned);
  }

  private static List<Policy> members(String ensemble, Networks networks) {
    List<Policy> members = new java.util.ArrayList<>();
    for (int i = 1; ; i++) {
      Networks.Network next = networks.networks.get(ensemble + i);
      if (next == null) {
        return members;
      }
      members.add(next.policy());
    }
  }

  @Override
  public Set<String> scores() {
    Set<String> all = new LinkedHashSet<>(task.scores());
    all.addAll(learned.keySet());
    return all;
  }

  @Override
  public boolean changes(String score) {
    return learned.containsKey(score);
  }

  @Override
  public boolean perToken(String score) {
    Score own = learned.get(score);
    return own == null ? task.perToken(score) : own.perToken();
  }

  @Override
  public int members(String score) {
    Score own = learned.get(score);
    return own == null ? task.members(score) : own.members().size() == 1 ? 0 : own.members().size();
  }

  @Override
  public double[] score(String score, Response response) {
    Score own = learned.get(score);
    if (own == null) {
      return task.score(score, response);
    }
    double[] one = new double[1];
    LearnedBlocks.Sight sight = LearnedBlocks.Sight.of(task, own.of(), own.perToken(), response);
    if (own.perToken()) {
      double[] values = new double[response.length()];
      for (int t = 0; t < values.length; t++) {
        sight.ask(own.members().getFirst(), t, one);
        values[t] = one[0];
      }
      return values;
    }
    double[] values = new double[own.members().size()];
    for (int m = 0; m < values.length; m++) {
      sight.ask(own.members().get(m), response.length(), one);
      values[m] = one[0];
      if (!Double.isFinite(values[m])) {
        throw new ExperimentException(
            "block `%s` gives %s for the response `%s`".formatted(score, one[0], show(response)));
      }
    }
    return values;
  }

  @Override
  public String name() {
    return task.name();
  }

  @Override
  public int prompts() {
    return task.prompts();
  }

  @Override
  public int vocabulary() {
    return task.vocabulary();
  }

  @Override
  public int maximumLength() {
    return task.maximumLength();
  }

  @Override
  public int endToken() {
    return task.endToken();
  }

  @Override
  public int contexts() {
    return task.contexts();
  }

  @Override
  public int[] seen() {
    return task.seen();
  }

  @Override
  public int memory() {
    return task.memory();
  }

  @Override
  public boolean deterministic() {
    return task.deterministic();
  }

  @Override
  public Response sample(Policy policy, int prompt, UniformRandomProvider random) {
    return task.sample(policy, prompt, random);
  }

  @Override
  public Optional<Dynamics> dynamics() {
    return task.dynamics();
  }

  @Override
  public double discount() {
    return task.discount();
  }

  @Override
  public int values(String score) {
    return learned.containsKey(score) ? 0 : task.values(score);
  }

  /** A block per token depends on what it sees, the state or a score of the task. */
  @Override
  public boolean markov(String score) {
    Score own = learned.get(score);
    return own == null
        ? task.markov(score)
        : own.perToken() && (own.of().isEmpty() || task.markov(own.of()));
  }

  @Override
  public Policy base() {
    return task.base();
  }

  @Override
  public double[] features(int prompt, int[] tokens, int length) {
    return task.features(prompt, tokens, length);
  }

  @Override
  public double[] actionFeatures(int prompt, int[] tokens, int length, int token) {
    return task.actionFeatures(prompt, tokens, length, token);
  }

  @Override
  public List<Response> responses(int prompt, int limit) {
    return task.responses(prompt, limit);
  }

  @Override
  public List<Pair> pairs() {
    return task.pairs();
  }

  @Override
  public Map<String, double[]> pairColumns() {
    return task.pairColumns();
  }

  @Override
  public List<Labelled> labelled() {
    return task.labelled();
  }

  @Override
  public double preference(Response first, Response second) {
    return task.preference(first, second);
  }

  @Override
  public boolean prefers() {
    return task.prefers();
  }

  @Override
  public Optional<ToDoubleFunction<Response>> utility() {
    return task.utility();
  }

  @Override
  public String showPrompt(int prompt) {
    return task.showPrompt(prompt);
  }

  @Override
  public String show(Response response) {
    return task.show(response);
  }
}
