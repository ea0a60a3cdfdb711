package org.alignlang.runtime.task;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * What a policy is trained on: prompts, a token vocabulary, rewards, and, where the task has them,
 * preference pairs and a known base policy. A task is immutable once made; everything random in it
 * comes from the seed that it was made with.
 */
public interface Task {

  /**
   * A response: tokens, and how many of them count. Responses end by length or by an end token.
   *
   * <p>What a policy knows when it draws a token is, in ordinary tasks, the prompt and the tokens
   * before. In a decision process, where tokens are actions, it is the state alone; a policy sees
   * the state's number as a prompt without tokens. {@link #promptAt} and {@link #seenAt} say which,
   * so that whoever asks a policy about a response asks with {@code (promptAt(t), tokens,
   * seenAt(t))}. They are methods of the response and not of the task, because functions of
   * responses and policies need no task then.
   *
   * @param states the numbers of the states in which the tokens were drawn, and of the one after
   *     the last, {@code length + 1} of them; empty where responses visit no states
   */
  record Response(int prompt, int[] tokens, int length, int[] states) {
    private static final int[] NONE = new int[0];

    /** A response that visits no states. */
    public Response(int prompt, int[] tokens, int length) {
      this(prompt, tokens, length, NONE);
    }

    /** Whether policies see states in place of the prompt and the tokens before. */
    public boolean visitsStates() {
      return states.length > 0;
    }

    /**
     * The prompt that a policy sees after {@code t} tokens: the state's number, if there is one.
     */
    public int promptAt(int t) {
      return states.length > 0 ? states[t] : prompt;
    }

    /** How many tokens a policy sees after {@code t} of them. */
    public int seenAt(int t) {
      return states.length > 0 ? 0 : t;
    }
  }

  /** A preference pair, as observed (label noise included). */
  record Pair(Response chosen, Response rejected) {}

  /** An unpaired response with its label. */
  record Labelled(Response response, boolean desirable) {}

  /** The name by which specs ask for this task. */
  String name();

  /** The number of prompts; training visits them in turn. */
  int prompts();

  /** The number of tokens. */
  int vocabulary();

  /** The longest response, in tokens. */
  int maximumLength();

  /**
   * How many prompts policies tell apart: those of the task, or its states where responses visit
   * states.
   */
  default int contexts() {
    return prompts();
  }

  /**
   * The number of what policies see of each state, from 0; empty where they see the whole state.
   */
  default int[] seen() {
    return new int[0];
  }

  /**
   * How many tokens policies and blocks see at most: the longest response, or none where responses
   * visit states.
   */
  default int memory() {
    return maximumLength();
  }

  /** Whether tokens alone decide which states follow; they do where there are none. */
  default boolean deterministic() {
    return true;
  }

  /** Draws a response to a prompt: from one stream of random numbers, the same bits. */
  default Response sample(Policy policy, int prompt, UniformRandomProvider random) {
    return Responses.sample(policy, prompt, maximumLength(), endToken(), random);
  }

  /** How states follow each other; empty where responses visit none. */
  default Optional<Dynamics> dynamics() {
    return Optional.empty();
  }

  /** The discount of a decision process; 1 where there is none. */
  default double discount() {
    return 1;
  }

  /**
   * The occupancy measure of a policy, {@code [contexts][vocabulary]}: the probability of each
   * state and action, {@code sum over t of discount^t P(s_t = s, a_t = a)} divided by its sum.
   * Empty where responses visit no states.
   */
  default Optional<double[][]> occupancy(Policy policy, double discount) {
    return dynamics()
        .map(dynamics -> {
          double[] visits = dynamics.visits(policy, discount);
          double total = Arrays.stream(visits).sum();
          double[][] occupancy = new double[visits.length][];
          for (int s = 0; s < visits.length; s++) {
            double share = visits[s] / total;
            occupancy[s] =
                Arrays.stream(Responses.nextToken(policy, s, new int[1], 0))
                    .map(logProbability -> share * Math.exp(logProbability))
                    .toArray();
          }
          return occupancy;
        });
  }

  /**
   * The token that ends a response before the maximum length, or -1 if all responses have that
   * length.
   */
  int endToken();

  /**
   * The rewards and features that can be asked for by name, such as {@code gold} or {@code proxy}.
   */
  Set<String> scores();

  /** Whether a score is given per token; otherwise it is one number per response. */
  default boolean perToken(String score) {
    return false;
  }

  /**
   * How many values a score has that is one of the whole numbers from 0: what a table of them has
   * entries for. 0 for other scores.
   */
  default int values(String score) {
    return 0;
  }

  /**
   * Whether a score per token depends on the state before the token, the token, and the state after
   * it alone, and not on what else the response has been through.
   */
  default boolean markov(String score) {
    return false;
  }

  /** Whether a score changes while policies are trained. */
  default boolean changes(String score) {
    return false;
  }

  /** The number of ensemble members of a score; 0 if it is a single one. */
  default int members(String score) {
    return 0;
  }

  /**
   * Scores a response.
   *
   * @return one number; or one per ensemble member; or one per token, if {@link #perToken}
   */
  double[] score(String score, Response response);

  /** The policy that training starts from and that a reference means unless told otherwise. */
  Policy base();

  /**
   * A policy that does well, for a teacher or for demonstrations; empty where the task has none.
   */
  default Optional<Policy> expert() {
    return Optional.empty();
  }

  /**
   * The features of a state (prompt and prefix) for policies that need them; empty where the task
   * has none.
   */
  default double[] features(int prompt, int[] tokens, int length) {
    return new double[0];
  }

  /**
   * The features of one choice of token in a state, for policies whose logits are linear in (or a
   * network over) action features; empty where the task has none.
   */
  default double[] actionFeatures(int prompt, int[] tokens, int length, int token) {
    return new double[0];
  }

  /** All responses to a prompt, if there are at most {@code limit} of them, else an empty list. */
  List<Response> responses(int prompt, int limit);

  /** Preference pairs; empty where the task has none. */
  default List<Pair> pairs() {
    return List.of();
  }

  /**
   * What is known of the preference pairs besides their responses, such as {@code tie}: by name one
   * number per pair, in the order of {@link #pairs()}.
   */
  default Map<String, double[]> pairColumns() {
    return Map.of();
  }

  /** Unpaired labelled responses; empty where the task has none. */
  default List<Labelled> labelled() {
    return List.of();
  }

  /**
   * The probability that the first of two responses to a prompt is preferred to the second; with
   * the responses exchanged it is 1 less this.
   *
   * @throws UnsupportedOperationException if the task has no preference ({@link #prefers})
   */
  default double preference(Response first, Response second) {
    ToDoubleFunction<Response> utility =
        utility()
            .orElseThrow(
                () -> new UnsupportedOperationException("task `" + name() + "` has no preference"));
    return 1 / (1 + Math.exp(utility.applyAsDouble(second) - utility.applyAsDouble(first)));
  }

  /** Whether the task can say which of two responses is preferred. */
  default boolean prefers() {
    return utility().isPresent();
  }

  /** What preferences go by, in the model of Bradley and Terry; empty where the task has none. */
  default Optional<ToDoubleFunction<Response>> utility() {
    return Optional.empty();
  }

  /** A prompt as text, for reports. */
  default String showPrompt(int prompt) {
    return "prompt " + prompt;
  }

  /** A response as text, for reports. */
  default String show(Response response) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < response.length(); i++) {
      text.append(i == 0 ? "" : " ").append(response.tokens()[i]);
    }
    return text.toString();
  }
}
