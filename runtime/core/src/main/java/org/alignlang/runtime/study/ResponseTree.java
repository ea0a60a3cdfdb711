package org.alignlang.runtime.study;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;

/**
 * All responses to the first prompt of a task as a tree of prefixes, with the base policy's
 * probabilities of the next token: what laws of decoders that reweight tokens are computed on.
 */
final class ResponseTree {
  private static final int MAXIMUM_RESPONSES = 1 << 15;

  private final Task task;
  private final List<Response> leaves = new ArrayList<>();
  private final List<Double> logBase = new ArrayList<>();
  private final Node root;

  /** A prefix; a whole response is one without children, and has its index among them. */
  private record Node(int[] tokens, double[] logNext, List<Node> children, int leaf) {}

  /**
   * @throws IllegalArgumentException if there are too many responses
   */
  ResponseTree(Task task) {
    this.task = task;
    if (task.responses(0, MAXIMUM_RESPONSES).isEmpty()) {
      throw new IllegalArgumentException(
          "task `%s` has more than %d responses, too many to compute with all"
              .formatted(task.name(), MAXIMUM_RESPONSES));
    }
    root = grow(new int[0], 0);
  }

  /** The task that a study needs. */
  static Task required(Optional<Task> task, String study) {
    return task.orElseThrow(() ->
        new IllegalArgumentException(
            "study `%s` is about a task's responses: add a `task` to the experiment"
                .formatted(study)));
  }

  private Node grow(int[] tokens, double logProbability) {
    int length = tokens.length;
    boolean ended = length > 0 && tokens[length - 1] == task.endToken();
    if (ended || length == task.maximumLength()) {
      leaves.add(new Response(0, tokens, length));
      logBase.add(logProbability);
      return new Node(tokens, new double[0], List.of(), leaves.size() - 1);
    }
    double[] logNext =
        Responses.nextToken(task.base(), 0, Arrays.copyOf(tokens, task.maximumLength()), length)
            .clone();
    List<Node> children = new ArrayList<>();
    for (int token = 0; token < logNext.length; token++) {
      int[] longer = Arrays.copyOf(tokens, length + 1);
      longer[length] = token;
      children.add(grow(longer, logProbability + logNext[token]));
    }
    return new Node(tokens, logNext, children, -1);
  }

  /** The base policy's log-probabilities of the responses. */
  double[] logBase() {
    return logBase.stream().mapToDouble(x -> x).toArray();
  }

  /**
   * A score of each response: one of the task's, or one drawn from the seed. {@code bigram} is the
   * sum over the tokens of a standard normal number for each token and the one before it; it is
   * shifted and scaled to mean 0 and variance 1 under the base policy, and so is {@code
   * other_bigram}, another draw.
   */
  double[] score(Arguments arguments, String argument, String name, CounterRandom random) {
    if (name.equals("bigram") || name.equals("other_bigram")) {
      int vocabulary = task.vocabulary();
      double[][] table = Draws.normals(random.stream(name), vocabulary + 1, vocabulary, 1);
      return standardised(response -> {
        double sum = 0;
        int before = vocabulary;
        for (int t = 0; t < response.length(); t++) {
          sum += table[before][response.tokens()[t]];
          before = response.tokens()[t];
        }
        return sum;
      });
    }
    if (!task.scores().contains(name)) {
      Set<String> known = new TreeSet<>(task.scores());
      known.addAll(List.of("bigram", "other_bigram"));
      throw Names.unknown("score of task `" + task.name() + "` called", name, known);
    }
    if (task.perToken(name) || task.members(name) > 0) {
      throw arguments.wrong(argument, "a score that is one number per response", name);
    }
    return leaves.stream().mapToDouble(response -> task.score(name, response)[0]).toArray();
  }

  private double[] standardised(ToDoubleFunction<Response> score) {
    double[] values = leaves.stream().mapToDouble(score).toArray();
    double[] base = logBase();
    double mean = mean(base, values);
    double[] squares = Arrays.stream(values).map(x -> (x - mean) * (x - mean)).toArray();
    double deviation = Math.sqrt(mean(base, squares));
    return Arrays.stream(values).map(x -> deviation > 0 ? (x - mean) / deviation : 0).toArray();
  }

  /** {@code sum_y p(y) x(y)}. */
  static double mean(double[] logLaw, double[] values) {
    double sum = 0;
    for (int y = 0; y < values.length; y++) {
      sum += Math.exp(logLaw[y]) * values[y];
    }
    return sum;
  }

  /** {@code KL(law || base)}, in nats. */
  double divergence(double[] logLaw) {
    double sum = 0;
    for (int y = 0; y < logLaw.length; y++) {
      double p = Math.exp(logLaw[y]);
      sum += p > 0 ? p * (logLaw[y] - logBase.get(y)) : 0;
    }
    return sum;
  }

  /** The exponential tilt {@code base e^(b score) / Z}. */
  double[] tilt(double[] score, double strength) {
    double[] law = logBase();
    for (int y = 0; y < law.length; y++) {
      law[y] += strength * score[y];
    }
    double normaliser = Responses.logSumExp(law.clone());
    return Arrays.stream(law).map(x -> x - normaliser).toArray();
  }

  /** The value of each prefix: the base policy's expectation of a score of the response. */
  Values exactValues(double[] score) {
    Map<List<Integer>, Double> values = new HashMap<>();
    value(root, score, values);
    return tokens -> values.getOrDefault(Arrays.stream(tokens).boxed().toList(), 0.0);
  }

  private double value(Node node, double[] score, Map<List<Integer>, Double> values) {
    double value = 0;
    if (node.leaf() >= 0) {
      value = score[node.leaf()];
    } else {
      for (int token = 0; token < node.children().size(); token++) {
        value += Math.exp(node.logNext()[token]) * value(node.children().get(token), score, values);
      }
    }
    values.put(Arrays.stream(node.tokens()).boxed().toList(), value);
    return value;
  }

  /**
   * Values learned by TD(lambda) from samples of the base policy, in a table by the length of the
   * prefix and its last tokens: target {@code A_t + V_t}, {@code A_t = delta_t + lambda A_{t+1}},
   * {@code delta_t = r_t + V_{t+1} - V_t}, the score as the reward of the last step. Each entry is
   * the mean of its targets.
   */
  Values learnedValues(
      double[] score, int samples, int context, double lambda, int epochs, CounterRandom random) {
    double[] law = logBase();
    int[] drawn = new int[samples];
    Arrays.setAll(drawn, i -> Responses.draw(law, random.nextDouble()));
    Map<List<Integer>, double[]> table = new HashMap<>();
    for (int epoch = 0; epoch < epochs; epoch++) {
      for (int y : drawn) {
        int[] tokens = leaves.get(y).tokens();
        double advantage = 0;
        // What follows the end has no value.
        double next = 0;
        for (int t = leaves.get(y).length(); t >= 1; t--) {
          double[] entry =
              table.computeIfAbsent(key(Arrays.copyOf(tokens, t), context), k -> new double[2]);
          double reward = t == leaves.get(y).length() ? score[y] : 0;
          double value = entry[0];
          advantage = reward + next - value + lambda * advantage;
          entry[1]++;
          entry[0] += advantage / entry[1];
          next = value;
        }
      }
    }
    return tokens -> {
      double[] entry = table.get(key(tokens, context));
      return entry == null ? 0 : entry[0];
    };
  }

  private static List<Integer> key(int[] tokens, int context) {
    List<Integer> key = new ArrayList<>(List.of(tokens.length));
    for (int t = Math.max(0, tokens.length - context); t < tokens.length; t++) {
      key.add(tokens[t]);
    }
    return key;
  }

  /** The law of {@code pi(a | s) ~ base(a | s) e^(values(s + a))}, as log-probabilities. */
  double[] reweighted(Values values) {
    return reweighted(values, Integer.MAX_VALUE);
  }

  /** The same where only the base's {@code top} most probable tokens are drawn. */
  double[] reweighted(Values values, int top) {
    double[] law = new double[leaves.size()];
    Arrays.fill(law, Double.NEGATIVE_INFINITY);
    reweight(root, 0, values, top, law);
    return law;
  }

  private void reweight(Node node, double logProbability, Values values, int top, double[] law) {
    if (node.leaf() >= 0) {
      law[node.leaf()] = logProbability;
      return;
    }
    double[] logits = node.logNext().clone();
    double[] ordered = Arrays.stream(logits).sorted().toArray();
    double least = ordered[Math.max(0, ordered.length - top)];
    for (int token = 0; token < logits.length; token++) {
      logits[token] =
          node.logNext()[token] < least
              ? Double.NEGATIVE_INFINITY
              : logits[token] + values.of(node.children().get(token).tokens());
    }
    double[] next = Tables.softmax(logits);
    for (int token = 0; token < logits.length; token++) {
      if (next[token] > 0) {
        double logNext = logProbability + Math.log(next[token]);
        reweight(node.children().get(token), logNext, values, top, law);
      }
    }
  }

  /** A value of each prefix. */
  @FunctionalInterface
  interface Values {
    /** The value of a prefix, given as its tokens. */
    double of(int[] tokens);

    /** {@code share * this + otherShare * other}. */
    default Values mixed(double share, double otherShare, Values other) {
      return tokens -> share * of(tokens) + otherShare * other.of(tokens);
    }

    /** {@code share * this}. */
    default Values times(double share) {
      return tokens -> share * of(tokens);
    }
  }
}
