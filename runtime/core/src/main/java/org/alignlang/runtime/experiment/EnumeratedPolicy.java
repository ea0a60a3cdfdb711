package org.alignlang.runtime.experiment;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task.Response;

/**
 * A distribution over all responses as a policy: next-token probabilities are ratios of the
 * probabilities of prefixes. It has no parameters.
 */
final class EnumeratedPolicy implements Policy {
  private final int vocabulary;
  private final Map<Prefix, double[]> logits = new HashMap<>();

  private record Prefix(int prompt, List<Integer> tokens) {}

  /**
   * Takes the distributions.
   *
   * @param vocabulary the number of tokens
   * @param responses all responses, one list per prompt
   * @param logProbabilities one number per response, in the same order, in nats
   */
  EnumeratedPolicy(
      int vocabulary, List<List<Response>> responses, List<double[]> logProbabilities) {
    this.vocabulary = vocabulary;
    for (int prompt = 0; prompt < responses.size(); prompt++) {
      Map<Prefix, double[]> totals = new HashMap<>();
      for (int i = 0; i < responses.get(prompt).size(); i++) {
        Response response = responses.get(prompt).get(i);
        double mass = logProbabilities.get(prompt)[i];
        for (int t = 0; t < response.length(); t++) {
          double[] next =
              totals.computeIfAbsent(
                  prefix(response.promptAt(t), response.tokens(), response.seenAt(t)),
                  p -> impossible());
          int token = response.tokens()[t];
          next[token] = Responses.logSumExp(new double[] {next[token], mass});
        }
      }
      logits.putAll(totals);
    }
    // A prefix that cannot occur needs some distribution; which one, nothing depends on.
    logits.replaceAll((prefix, next) ->
        Responses.logSumExp(next) == Double.NEGATIVE_INFINITY ? new double[vocabulary] : next);
  }

  private double[] impossible() {
    double[] none = new double[vocabulary];
    Arrays.fill(none, Double.NEGATIVE_INFINITY);
    return none;
  }

  private static Prefix prefix(int prompt, int[] tokens, int length) {
    return new Prefix(prompt, Arrays.stream(tokens, 0, length).boxed().toList());
  }

  @Override
  public int vocabulary() {
    return vocabulary;
  }

  @Override
  public double[] parameters() {
    return new double[0];
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] out) {
    double[] next = logits.get(prefix(prompt, tokens, length));
    if (next == null) {
      throw new IllegalArgumentException("no response begins like this");
    }
    System.arraycopy(next, 0, out, 0, vocabulary);
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    // Nothing is trained here, so the gradient ends.
  }

  @Override
  public Policy copy() {
    return this;
  }
}
