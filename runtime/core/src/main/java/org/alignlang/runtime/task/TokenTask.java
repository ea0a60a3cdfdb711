package org.alignlang.runtime.task;

import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;

/**
 * A task whose responses are sequences of tokens, ended by an end token or the maximum length.
 *
 * <p>State features: the prompt and the token before, each as a unit vector (a start token has its
 * own place), and the share of the maximum length that is used up. A task with so many tokens that
 * weights over them would not fit has none.
 */
final class TokenTask implements Task {
  /** The most weights of a linear policy over state features: 32 MiB. */
  private static final long MAXIMUM_WEIGHTS = 1L << 22;

  private final String name;
  private final Policy base;
  private final Optional<Policy> expert;
  private final int prompts;
  private final int maximumLength;
  private final int endToken;
  private final Map<String, Function<Response, double[]>> scores;
  private final Set<String> perToken;
  private final List<Pair> pairs;
  private final List<Labelled> labelled;
  private final Optional<ToDoubleFunction<Response>> utility;
  private final IntFunction<String> promptText;
  private final Function<Response, String> text;

  private TokenTask(Builder builder) {
    name = builder.name;
    base = builder.base;
    expert = builder.expert;
    prompts = builder.prompts;
    maximumLength = builder.maximumLength;
    endToken = builder.endToken;
    scores = new LinkedHashMap<>(builder.scores);
    perToken = Set.copyOf(builder.perToken);
    pairs = List.copyOf(builder.pairs);
    labelled = List.copyOf(builder.labelled);
    utility = builder.utility;
    promptText = builder.promptText;
    text = builder.text;
  }

  /**
   * Starts a task.
   *
   * @param endToken the token that ends a response, or -1
   */
  static Builder builder(String name, Policy base, int prompts, int maximumLength, int endToken) {
    return new Builder(name, base, prompts, maximumLength, endToken);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int prompts() {
    return prompts;
  }

  @Override
  public int vocabulary() {
    return base.vocabulary();
  }

  @Override
  public int maximumLength() {
    return maximumLength;
  }

  @Override
  public int endToken() {
    return endToken;
  }

  @Override
  public Set<String> scores() {
    return Collections.unmodifiableSet(scores.keySet());
  }

  @Override
  public boolean perToken(String score) {
    return perToken.contains(score);
  }

  @Override
  public double[] score(String score, Response response) {
    Function<Response, double[]> function = scores.get(score);
    if (function == null) {
      throw Tasks.noSuchScore(this, score);
    }
    return function.apply(response);
  }

  @Override
  public Policy base() {
    return base;
  }

  @Override
  public Optional<Policy> expert() {
    return expert;
  }

  @Override
  public double[] features(int prompt, int[] tokens, int length) {
    int vocabulary = base.vocabulary();
    int dimension = prompts + vocabulary + 2;
    if ((long) dimension * vocabulary > MAXIMUM_WEIGHTS) {
      return new double[0];
    }
    double[] features = new double[dimension];
    features[prompt] = 1;
    features[prompts + (length == 0 ? vocabulary : tokens[length - 1])] = 1;
    features[dimension - 1] = (double) length / maximumLength;
    return features;
  }

  @Override
  public List<Response> responses(int prompt, int limit) {
    return Responses.enumerate(prompt, vocabulary(), maximumLength, endToken, limit);
  }

  @Override
  public List<Pair> pairs() {
    return pairs;
  }

  @Override
  public Optional<ToDoubleFunction<Response>> utility() {
    return utility;
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
    return text.apply(response);
  }

  /** How many tokens of a response stand before its end token. */
  static int contentLength(Response response, int endToken) {
    int length = response.length();
    return length > 0 && response.tokens()[length - 1] == endToken ? length - 1 : length;
  }

  /** Collects the parts of a task. */
  static final class Builder {
    private final String name;
    private final Policy base;
    private final int prompts;
    private final int maximumLength;
    private final int endToken;
    private final Map<String, Function<Response, double[]>> scores = new LinkedHashMap<>();
    private final Set<String> perToken = new HashSet<>();
    private Optional<Policy> expert = Optional.empty();
    private List<Pair> pairs = List.of();
    private List<Labelled> labelled = List.of();
    private Optional<ToDoubleFunction<Response>> utility = Optional.empty();
    private IntFunction<String> promptText = prompt -> "prompt " + prompt;
    private Function<Response, String> text = String::valueOf;

    private Builder(String name, Policy base, int prompts, int maximumLength, int endToken) {
      this.name = name;
      this.base = base;
      this.prompts = prompts;
      this.maximumLength = maximumLength;
      this.endToken = endToken;
    }

    /** A score with one number per response. */
    Builder score(String score, ToDoubleFunction<Response> value) {
      scores.put(score, response -> new double[] {value.applyAsDouble(response)});
      return this;
    }

    /** A score with one number per token. */
    Builder tokenScore(String score, Function<Response, double[]> values) {
      scores.put(score, values);
      perToken.add(score);
      return this;
    }

    /** A policy that does well. */
    Builder expert(Policy value) {
      expert = Optional.of(value);
      return this;
    }

    Builder pairs(List<Pair> values) {
      pairs = values;
      return this;
    }

    /** What preferences go by. */
    Builder utility(ToDoubleFunction<Response> value) {
      utility = Optional.of(value);
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

    /** How a response is shown. */
    Builder text(Function<Response, String> show) {
      text = show;
      return this;
    }

    TokenTask build() {
      return new TokenTask(this);
    }
  }
}
