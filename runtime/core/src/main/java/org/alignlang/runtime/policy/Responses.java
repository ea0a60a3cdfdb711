package org.alignlang.runtime.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.apache.commons.rng.UniformRandomProvider;

/**
 * Responses under a policy: their log-probabilities in nats, sampling, and enumeration. An end
 * token is the last token of its response and counts in its length and probability.
 */
public final class Responses {
  private Responses() {}

  /**
   * Turns logits into log-probabilities, in place. Logits of -infinity are tokens of probability 0.
   *
   * @throws ArithmeticException if a logit is NaN or +infinity, or all are -infinity
   */
  public static void logSoftmax(double[] logits) {
    double largest = largest(logits);
    if (!Double.isFinite(largest)) {
      throw new ArithmeticException(
          "logits have no softmax: the largest of %s is %s".formatted(show(logits), largest));
    }
    // The largest is taken off first: it may be so large that log(total) would vanish beside it.
    double total = 0;
    for (int v = 0; v < logits.length; v++) {
      logits[v] -= largest;
      total += Math.exp(logits[v]);
    }
    double logTotal = Math.log(total);
    for (int v = 0; v < logits.length; v++) {
      logits[v] -= logTotal;
    }
  }

  /** The logarithm of the sum of exponentials; -infinity for an empty sum, NaN if a term is NaN. */
  public static double logSumExp(double[] terms) {
    double largest = largest(terms);
    if (!Double.isFinite(largest)) {
      return largest;
    }
    double sum = 0;
    for (double term : terms) {
      sum += Math.exp(term - largest);
    }
    return largest + Math.log(sum);
  }

  /** The log-probabilities of the next token in a state, one per token of the vocabulary. */
  public static double[] nextToken(Policy policy, int prompt, int[] tokens, int length) {
    double[] logits = new double[policy.vocabulary()];
    policy.logits(prompt, tokens, length, logits);
    logSoftmax(logits);
    return logits;
  }

  /**
   * The log-probabilities of the token {@code t} of a response, one per token of the vocabulary.
   */
  public static double[] nextToken(Policy policy, Response response, int t) {
    return nextToken(policy, response.promptAt(t), response.tokens(), response.seenAt(t));
  }

  /** The log-probability of each token of a response, {@code response.length()} numbers. */
  public static double[] tokenLogProbabilities(Policy policy, Response response) {
    double[] result = new double[response.length()];
    for (int t = 0; t < result.length; t++) {
      result[t] = nextToken(policy, response, t)[response.tokens()[t]];
    }
    return result;
  }

  /** The log-probability of a whole response. */
  public static double logProbability(Policy policy, Response response) {
    double sum = 0;
    for (double token : tokenLogProbabilities(policy, response)) {
      sum += token;
    }
    return sum;
  }

  /**
   * The log-probability of each of many responses. A state's logits are computed once for
   * consecutive responses that share it, so pass responses in the order of {@link #enumerate}.
   */
  public static double[] logProbabilities(Policy policy, List<Response> responses) {
    double[] result = new double[responses.size()];
    List<double[]> path = new ArrayList<>();
    for (int i = 0; i < result.length; i++) {
      Response response = responses.get(i);
      int shared = i == 0 ? 0 : sharedStates(responses.get(i - 1), response);
      while (path.size() > shared) {
        path.removeLast();
      }
      while (path.size() < response.length()) {
        path.add(nextToken(policy, response, path.size()));
      }
      for (int t = 0; t < response.length(); t++) {
        result[i] += path.get(t)[response.tokens()[t]];
      }
    }
    return result;
  }

  /** How many tokens of two responses, from the first, are drawn in the same states. */
  public static int sharedStates(Response a, Response b) {
    int limit = Math.min(a.length(), b.length());
    int shared = 0;
    if (a.visitsStates()) {
      while (shared < limit && a.states()[shared] == b.states()[shared]) {
        shared++;
      }
      return shared;
    }
    if (a.prompt() != b.prompt()) {
      return 0;
    }
    while (shared < limit && a.tokens()[shared] == b.tokens()[shared]) {
      shared++;
    }
    return Math.min(shared + 1, limit);
  }

  /**
   * Adds the gradient of {@code sum_t weights[t] * log pi(token t)} with respect to the parameters.
   *
   * @param weights one number per token of the response
   */
  public static void addScore(
      Policy policy, Response response, double[] weights, double[] parameterGradient) {
    for (int t = 0; t < response.length(); t++) {
      if (weights[t] == 0) {
        continue;
      }
      double[] logitGradient = nextToken(policy, response, t);
      for (int v = 0; v < logitGradient.length; v++) {
        logitGradient[v] = -weights[t] * Math.exp(logitGradient[v]);
      }
      logitGradient[response.tokens()[t]] += weights[t];
      policy.backward(
          response.promptAt(t),
          response.tokens(),
          response.seenAt(t),
          logitGradient,
          parameterGradient);
    }
  }

  /** Draws a response to a prompt of a task, token by token. */
  public static Response sample(
      Policy policy, Task task, int prompt, UniformRandomProvider random) {
    return task.sample(policy, prompt, random);
  }

  /**
   * Draws a response token by token, one draw of {@code random} per token.
   *
   * @param endToken the token that ends a response, or -1
   */
  public static Response sample(
      Policy policy, int prompt, int maximumLength, int endToken, UniformRandomProvider random) {
    int[] tokens = new int[maximumLength];
    int length = 0;
    while (length < maximumLength) {
      int token = draw(nextToken(policy, prompt, tokens, length), random.nextDouble());
      tokens[length++] = token;
      if (token == endToken) {
        break;
      }
    }
    return new Response(prompt, Arrays.copyOf(tokens, length), length);
  }

  /**
   * The inverse of a distribution function: the first index where the cumulative probability
   * exceeds {@code uniform}. Never an index of probability 0.
   *
   * @param uniform a number from 0 inclusive to 1 exclusive
   */
  public static int draw(double[] logProbabilities, double uniform) {
    double total = 0;
    for (double logProbability : logProbabilities) {
      total += Math.exp(logProbability);
    }
    double target = uniform * total;
    double cumulative = 0;
    int last = 0;
    for (int v = 0; v < logProbabilities.length; v++) {
      double probability = Math.exp(logProbabilities[v]);
      if (probability > 0) {
        cumulative += probability;
        last = v;
        if (target < cumulative) {
          return v;
        }
      }
    }
    return last;
  }

  /**
   * All responses to a prompt in lexicographic order, if there are at most {@code limit}, else
   * none.
   *
   * @param endToken the token that ends a response, or -1
   */
  public static List<Response> enumerate(
      int prompt, int vocabulary, int maximumLength, int endToken, int limit) {
    if (count(vocabulary, maximumLength, endToken) > limit) {
      return List.of();
    }
    List<Response> responses = new ArrayList<>();
    extend(prompt, vocabulary, endToken, new int[maximumLength], 0, responses);
    return List.copyOf(responses);
  }

  /** How many responses there are to one prompt, infinite where that exceeds all doubles. */
  public static double count(int vocabulary, int maximumLength, int endToken) {
    if (endToken < 0) {
      return Math.pow(vocabulary, maximumLength);
    }
    // Responses that end at token t + 1, and those that never do.
    double open = 1;
    double ended = 0;
    for (int t = 0; t < maximumLength; t++) {
      ended += open;
      open *= vocabulary - 1;
    }
    return ended + open;
  }

  private static void extend(
      int prompt, int vocabulary, int endToken, int[] prefix, int length, List<Response> found) {
    if (length == prefix.length || (length > 0 && prefix[length - 1] == endToken)) {
      found.add(new Response(prompt, Arrays.copyOf(prefix, length), length));
      return;
    }
    for (int token = 0; token < vocabulary; token++) {
      prefix[length] = token;
      extend(prompt, vocabulary, endToken, prefix, length + 1, found);
    }
  }

  /** The largest term; NaN if one is NaN, -infinity if there is none. */
  private static double largest(double[] terms) {
    double largest = Double.NEGATIVE_INFINITY;
    for (double term : terms) {
      largest = Math.max(largest, term);
    }
    return largest;
  }

  private static String show(double[] logits) {
    return logits.length <= 8
        ? Arrays.toString(logits)
        : Arrays.toString(Arrays.copyOf(logits, 8)).replace("]", ", ...]");
  }
}
