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
 * @param count how many pairs; prompts are visited in turn
 * @param noise the probability of a flipped label
 */
record SampledPairs(
    Source source, int prompts, ToDoubleFunction<Response> reward, int count, double noise) {
  /** How often a second response equal to the first is drawn again before the pair is given up. */
  private static final int ATTEMPTS = 64;

  /** Where responses come from. */
  @FunctionalInterface
  interface Source {
    /** Draws a response to a prompt. */
    Response draw(int prompt, CounterRandom random);
  }

  /** Pairs from a policy over tokens. */
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

  /** Draws the pairs; fewer than {@code count} only where the policy hardly varies. */
  List<Pair> sample(CounterRandom random) {
    List<Pair> pairs = new ArrayList<>();
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
      boolean prefersFirst = draws.nextDouble() < 1 / (1 + Math.exp(-margin));
      boolean flipped = draws.nextDouble() < noise;
      pairs.add(prefersFirst != flipped ? new Pair(first, second) : new Pair(second, first));
    }
    return List.copyOf(pairs);
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
