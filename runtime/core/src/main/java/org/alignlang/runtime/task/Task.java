package org.alignlang.runtime.task;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.policy.Policy;

/**
 * What a policy is trained on: prompts, a token vocabulary, rewards, and, where the task has them,
 * preference pairs and a known base policy. A task is immutable once made; everything random in it
 * comes from the seed that it was made with.
 */
public interface Task {

  /** A response: tokens, and how many of them count. Responses end by length or by an end token. */
  record Response(int prompt, int[] tokens, int length) {}

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
