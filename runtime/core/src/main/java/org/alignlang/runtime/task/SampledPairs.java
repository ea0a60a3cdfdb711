package org.alignlang.runtime.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task.Labelled;
import org.alignlang.runtime.task.Task.Pair;
import org.alignlang.runtime.task.Task.Response;

/**
 * Preference pairs as annotators would give them: two different responses from a policy, the first
 * preferred with probability {@code sigmoid(reward difference)} (Bradley and Terry), and the label
 * then flipped with a given probability.
 *
 * <p>With {@code theta} above 1 annotators call some pairs a tie: the first of two is preferred
 * with probability {@code sigmoid(d - log theta)}, the second with {@code sigmoid(-d - log theta)},
 * and neither else (Rao and Kupper, "Ties in Paired-Comparison Experiments", 1967). A tie keeps the
 * order in which it was drawn.
 *
 * @param count how many pairs; prompts are visited in turn
 * @param noise the probability of a flipped label
 * @param theta how alike responses must be for a tie; 1 for no ties
 */
record SampledPairs(
    Source source,
    int prompts,
    ToDoubleFunction<Response> reward,
    int count,
    double noise,
    double theta) {
  /** How often a second response equal to the first is drawn again before the pair is given up. */
  private static final int ATTEMPTS = 64;

  /** Where responses come from. */
  @FunctionalInterface
  interface Source {
    /** Draws a response to a prompt. */
    Response draw(int prompt, CounterRandom random);
  }

  /** Pairs, and 1 for each that is a tie, 0 for the others. */
  record Compared(List<Pair> pairs, double[] ties) {}

  /** Pairs without ties. */
  SampledPairs(
      Source source, int prompts, ToDoubleFunction<Response> reward, int count, double noise) {
    this(source, prompts, reward, count, noise, 1);
  }

  /** Pairs from a policy over tokens, without ties. */
  SampledPairs(
      Policy policy,
      int prompts,
      int maximumLength,
      int endToken,
      ToDoubleFunction<Response> reward,
      int count,
      double noise) {
    this(
        (prompt, random) -> Responses.sample(policy, prompt, maximumLength, endToken, random),
        prompts,
        reward,
        count,
        noise);
  }

  /** The same pairs, some of which annotators may call a tie. */
  SampledPairs withTies(double theta) {
    return new SampledPairs(source, prompts, reward, count, noise, theta);
  }

  /** Draws the pairs; fewer than {@code count} only where the policy hardly varies. */
  List<Pair> sample(CounterRandom random) {
    return compare(random).pairs();
  }

  /** Draws the pairs and says which are ties. */
  Compared compare(CounterRandom random) {
    List<Pair> pairs = new ArrayList<>();
    List<Double> ties = new ArrayList<>();
    double indifference = Math.log(theta);
    for (int i = 0; i < count; i++) {
      CounterRandom draws = random.stream(i);
      Response first = draw(i % prompts, draws);
      Response second = draw(i % prompts, draws);
      for (int k = 0; k < ATTEMPTS && Arrays.equals(first.tokens(), second.tokens()); k++) {
        second = draw(i % prompts, draws);
      }
      if (Arrays.equals(first.tokens(), second.tokens())) {
        continue;
      }
      double margin = reward.applyAsDouble(first) - reward.applyAsDouble(second);
      double level = draws.nextDouble();
      boolean prefersFirst = level < 1 / (1 + Math.exp(indifference - margin));
      boolean tied =
          theta > 1 && !prefersFirst && level < 1 / (1 + Math.exp(-indifference - margin));
      boolean flipped = draws.nextDouble() < noise;
      pairs.add(
          tied || prefersFirst != flipped ? new Pair(first, second) : new Pair(second, first));
      ties.add(tied ? 1.0 : 0.0);
    }
    return new Compared(
        List.copyOf(pairs), ties.stream().mapToDouble(Double::doubleValue).toArray());
  }

  /** Each pair as one desirable and one undesirable response. */
  static List<Labelled> unpaired(List<Pair> pairs) {
    return pairs.stream()
        .flatMap(pair ->
            List.of(new Labelled(pair.chosen(), true), new Labelled(pair.rejected(), false))
                .stream())
        .toList();
  }

  private Response draw(int prompt, CounterRandom draws) {
    return source.draw(prompt, draws);
  }
}
