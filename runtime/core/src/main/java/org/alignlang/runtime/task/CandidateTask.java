package org.alignlang.runtime.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.policy.Frozen;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.SoftmaxTable;

/**
 * A task whose responses are candidates known in advance, each a single token: bandits, contextual
 * bandits, and sets of given texts. Prompts may differ in how many candidates they have; the base
 * policy gives probability 0 to tokens beyond them.
 */
final class CandidateTask implements Task {
  private final String name;
  private final int vocabulary;
  private final int[] candidates;
  private final Policy base;
  private final Map<String, double[][][]> scores;
  private final double[][] stateFeatures;
  private final double[][][] actionFeatures;
  private final List<Pair> pairs;
  private final Map<String, double[]> pairColumns;
  private final List<Labelled> labelled;
  private final Optional<ToDoubleFunction<Response>> utility;
  private final double[][] wins;
  private final IntFunction<String> promptText;
  private final BiFunction<Integer, Integer, String> text;

  private CandidateTask(Builder builder) {
    name = builder.name;
    candidates = builder.candidates;
    vocabulary = Arrays.stream(candidates).max().orElseThrow();
    base = builder.base;
    scores = new LinkedHashMap<>(builder.scores);
    stateFeatures = builder.stateFeatures;
    actionFeatures = builder.actionFeatures;
    pairs = List.copyOf(builder.pairs);
    pairColumns = Map.copyOf(builder.pairColumns);
    labelled = List.copyOf(builder.labelled);
    utility = builder.utility;
    wins = builder.wins;
    promptText = builder.promptText;
    text = builder.text;
  }

  static Builder builder(String name, int prompts, int candidates) {
    int[] counts = new int[prompts];
    Arrays.fill(counts, candidates);
    return new Builder(name, counts);
  }

  /** Starts a task whose prompts have different numbers of candidates. */
  static Builder builder(String name, int[] candidates) {
    return new Builder(name, candidates);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int prompts() {
    return candidates.length;
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public int maximumLength() {
    return 1;
  }

  @Override
  public int endToken() {
    return -1;
  }

  @Override
  public Set<String> scores() {
    return Collections.unmodifiableSet(scores.keySet());
  }

  @Override
  public int members(String score) {
    int length = table(score)[0][0].length;
    return length == 1 ? 0 : length;
  }

  @Override
  public double[] score(String score, Response response) {
    double[][] ofPrompt = table(score)[response.prompt()];
    int candidate = response.tokens()[0];
    if (candidate >= ofPrompt.length) {
      throw new IllegalArgumentException(
          "prompt %d of task `%s` has %d candidates, and %d is not one of them"
              .formatted(response.prompt(), name, ofPrompt.length, candidate));
    }
    return ofPrompt[candidate].clone();
  }

  @Override
  public Policy base() {
    return base;
  }

  @Override
  public double[] features(int prompt, int[] tokens, int length) {
    return stateFeatures.length == 0 ? new double[0] : stateFeatures[prompt].clone();
  }

  @Override
  public double[] actionFeatures(int prompt, int[] tokens, int length, int token) {
    if (actionFeatures.length == 0) {
      return new double[0];
    }
    double[][] ofPrompt = actionFeatures[prompt];
    return token < ofPrompt.length ? ofPrompt[token].clone() : new double[ofPrompt[0].length];
  }

  @Override
  public List<Response> responses(int prompt, int limit) {
    if (candidates[prompt] > limit) {
      return List.of();
    }
    List<Response> all = new ArrayList<>();
    for (int candidate = 0; candidate < candidates[prompt]; candidate++) {
      all.add(response(prompt, candidate));
    }
    return all;
  }

  @Override
  public List<Pair> pairs() {
    return pairs;
  }

  @Override
  public Map<String, double[]> pairColumns() {
    return pairColumns;
  }

  @Override
  public Optional<ToDoubleFunction<Response>> utility() {
    return utility;
  }

  @Override
  public boolean prefers() {
    return wins.length > 0 || utility.isPresent();
  }

  @Override
  public double preference(Response first, Response second) {
    return wins.length > 0
        ? wins[first.tokens()[0]][second.tokens()[0]]
        : Task.super.preference(first, second);
  }

  @Override
  public List<Labelled> labelled() {
    return labelled;
  }

  @Override
  public String showPrompt(int prompt) {
    return promptText.apply(prompt);
  }

  @Override
  public String show(Response response) {
    return text.apply(response.prompt(), response.tokens()[0]);
  }

  static Response response(int prompt, int candidate) {
    return new Response(prompt, new int[] {candidate}, 1);
  }

  private double[][][] table(String score) {
    double[][][] table = scores.get(score);
    if (table == null) {
      throw Tasks.noSuchScore(this, score);
    }
    return table;
  }

  /** Collects the parts of a task; arrays are taken over, not copied. */
  static final class Builder {
    private final String name;
    private final int[] candidates;
    private final Map<String, double[][][]> scores = new LinkedHashMap<>();
    private Policy base;
    private double[][] stateFeatures;
    private double[][][] actionFeatures = new double[0][][];
    private List<Pair> pairs = List.of();
    private Map<String, double[]> pairColumns = Map.of();
    private List<Labelled> labelled = List.of();
    private Optional<ToDoubleFunction<Response>> utility = Optional.empty();
    private double[][] wins = new double[0][];
    private IntFunction<String> promptText = prompt -> "prompt " + prompt;
    private BiFunction<Integer, Integer, String> text =
        (prompt, candidate) -> String.valueOf(candidate);

    private Builder(String name, int[] candidates) {
      this.name = name;
      this.candidates = candidates;
      double[][] uniform = new double[candidates.length][];
      int vocabulary = Arrays.stream(candidates).max().orElseThrow();
      stateFeatures = new double[candidates.length][candidates.length];
      for (int prompt = 0; prompt < candidates.length; prompt++) {
        uniform[prompt] = new double[vocabulary];
        Arrays.fill(uniform[prompt], candidates[prompt], vocabulary, Double.NEGATIVE_INFINITY);
        stateFeatures[prompt][prompt] = 1;
      }
      base = Frozen.of(SoftmaxTable.of(uniform));
    }

    /** The base policy's logits, {@code [prompts][vocabulary]}; uniform without this. */
    Builder base(double[][] logits) {
      base = Frozen.of(SoftmaxTable.of(logits));
      return this;
    }

    Policy base() {
      return base;
    }

    /** A score with one number per candidate, {@code [prompts][candidates]}. */
    Builder score(String score, double[][] values) {
      double[][][] table = new double[values.length][][];
      for (int prompt = 0; prompt < values.length; prompt++) {
        table[prompt] =
            Arrays.stream(values[prompt])
                .mapToObj(value -> new double[] {value})
                .toArray(double[][]::new);
      }
      scores.put(score, table);
      return this;
    }

    /** A score with several members, {@code [prompts][candidates][members]}. */
    Builder ensemble(String score, double[][][] values) {
      scores.put(score, values);
      return this;
    }

    /** State features, {@code [prompts][dimension]}; without this the prompt's unit vector. */
    Builder stateFeatures(double[][] features) {
      stateFeatures = features;
      return this;
    }

    /** Action features, {@code [prompts][candidates][dimension]}. */
    Builder actionFeatures(double[][][] features) {
      actionFeatures = features;
      return this;
    }

    Builder pairs(List<Pair> values) {
      pairs = values;
      return this;
    }

    /** What is known of the pairs besides: by name one number per pair. */
    Builder pairColumns(Map<String, double[]> values) {
      pairColumns = values;
      return this;
    }

    /** What preferences go by. */
    Builder utility(ToDoubleFunction<Response> value) {
      utility = Optional.of(value);
      return this;
    }

    /** The probability that one candidate is preferred to another, {@code [first][second]}. */
    Builder wins(double[][] probabilities) {
      wins = probabilities;
      return this;
    }

    Builder labelled(List<Labelled> values) {
      labelled = values;
      return this;
    }

    /** How a prompt is shown. */
    Builder promptText(IntFunction<String> show) {
      promptText = show;
      return this;
    }

    /** How a candidate is shown, given its prompt. */
    Builder text(BiFunction<Integer, Integer, String> show) {
      text = show;
      return this;
    }

    CandidateTask build() {
      return new CandidateTask(this);
    }
  }
}
