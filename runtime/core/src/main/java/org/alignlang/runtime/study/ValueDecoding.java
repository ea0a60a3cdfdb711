package org.alignlang.runtime.study;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.experiment.BestOfLaw;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code value_decoding}: a frozen policy decoded with its own value function, {@code pi(a |
 * s) ~ base(a | s) e^(b V(s + a))}, against best-of-n and the exponential tilt at the same KL
 * divergence from the base. All laws are exact, over all responses to the task's first prompt.
 *
 * <p>{@code V} is the expected score of the base policy's continuations, exact ({@code score}) or
 * learned by TD(lambda) ({@code learned_score}), see {@link ResponseTree}. Best-of-n at a
 * divergence takes the real number n whose law has it ({@link BestOfLaw}); where even the best of
 * all falls short, it is that.
 *
 * <p>Source: Han et al., "Value Augmented Sampling for Language Model Alignment and
 * Personalization", 2024; TD(lambda): Sutton 1988.
 *
 * <p>Arguments: {@code score} ({@code bigram}, {@code other_bigram} or one of the task's), {@code
 * guide}, the score whose values are used (the same), {@code strengths} ({@code [0.5, 1, 2, 4]}),
 * {@code samples} (3000), {@code context} (2), the last tokens that the learned table sees, {@code
 * lambda} (0.95), {@code epochs} (2), {@code top} (all), how many of the base's most probable
 * tokens decoding draws from.
 */
public final class ValueDecoding implements StudyProvider {
  private static final double MOST_DRAWS = Math.log(1e12);

  @Override
  public String name() {
    return "value_decoding";
  }

  @Override
  public boolean takesTask() {
    return true;
  }

  @Override
  public String summary() {
    return "a frozen policy decoded with its own values, against best-of-n and the tilt";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("strength", "b at each index");
    quantities.put("score", "expected score of decoding with exact values");
    quantities.put("kl", "its KL from the base, nats per response");
    quantities.put("learned_score", "expected score of decoding with learned values");
    quantities.put("learned_kl", "its KL from the base, nats per response");
    quantities.put("best_of_score", "expected score of best-of-n at the same divergence");
    quantities.put("draws", "the n of that best-of-n");
    quantities.put("tilt_score", "expected score of the tilt at the same divergence");
    quantities.put(
        "gap", "what decoding falls short of the tilt's E[score] - KL / b at the same b");
    quantities.put("distance", "sum |p - q| / 2 from the tilt of the same b");
    quantities.put("base_score", "expected score of the base policy");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("strengths");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("value_decoding");
    ResponseTree tree = new ResponseTree(ResponseTree.required(task, name()));
    String name = arguments.text("score").orElse("bigram");
    double[] score = tree.score(arguments, "score", name, random);
    double[] guide = tree.score(arguments, "guide", arguments.text("guide").orElse(name), random);
    double[] strengths = arguments.reals("strengths", 0, 1000).orElse(new double[] {0.5, 1, 2, 4});
    int samples = arguments.integer("samples", 3000, 1, 1_000_000);
    int context = arguments.integer("context", 2, 1, 64);
    double lambda = arguments.real("lambda", 0.95, 0, 1);
    int epochs = arguments.integer("epochs", 2, 1, 100);
    int top = arguments.integer("top", Integer.MAX_VALUE, 1, Integer.MAX_VALUE);
    arguments.requireAllRead();

    ResponseTree.Values exact = tree.exactValues(guide);
    ResponseTree.Values learned =
        tree.learnedValues(guide, samples, context, lambda, epochs, random.stream("samples"));
    double[] base = tree.logBase();
    Map<String, double[]> found = new LinkedHashMap<>();
    quantities().keySet().forEach(key -> found.put(key, new double[strengths.length]));
    for (int i = 0; i < strengths.length; i++) {
      Studies.nextRound();
      double b = strengths[i];
      double[] law = tree.reweighted(exact.times(b), top);
      double[] sampled = tree.reweighted(learned.times(b), top);
      double divergence = tree.divergence(law);
      double draws =
          Math.exp(
              root(
                  log -> tree.divergence(BestOfLaw.of(base, score, Math.exp(log))) - divergence,
                  MOST_DRAWS));
      double[] best = BestOfLaw.of(base, score, draws);
      double tilted =
          root(strength -> tree.divergence(tree.tilt(score, strength)) - divergence, 1e6);
      double[] same = tree.tilt(score, b);
      double reward = ResponseTree.mean(law, score);
      requireNonNull(found.get("strength"))[i] = b;
      requireNonNull(found.get("score"))[i] = reward;
      requireNonNull(found.get("kl"))[i] = divergence;
      requireNonNull(found.get("learned_score"))[i] = ResponseTree.mean(sampled, score);
      requireNonNull(found.get("learned_kl"))[i] = tree.divergence(sampled);
      requireNonNull(found.get("best_of_score"))[i] = ResponseTree.mean(best, score);
      requireNonNull(found.get("draws"))[i] = draws;
      requireNonNull(found.get("tilt_score"))[i] =
          ResponseTree.mean(tree.tilt(score, tilted), score);
      requireNonNull(found.get("gap"))[i] =
          b > 0
              ? ResponseTree.mean(same, score)
                  - tree.divergence(same) / b
                  - (reward - divergence / b)
              : 0;
      requireNonNull(found.get("distance"))[i] = distance(law, same);
      requireNonNull(found.get("base_score"))[i] = ResponseTree.mean(base, score);
    }
    return new Findings(found);
  }

  private static double distance(double[] logP, double[] logQ) {
    double sum = 0;
    for (int y = 0; y < logP.length; y++) {
      sum += Math.abs(Math.exp(logP[y]) - Math.exp(logQ[y])) / 2;
    }
    return sum;
  }

  /** Where an increasing function is 0 between 0 and an upper bound, or the bound. */
  private static double root(DoubleUnaryOperator increasing, double most) {
    double low = 0;
    double high = 1;
    while (high < most && increasing.applyAsDouble(high) < 0) {
      low = high;
      high *= 2;
    }
    high = Math.min(high, most);
    for (int i = 0; i < 40; i++) {
      double middle = (low + high) / 2;
      if (increasing.applyAsDouble(middle) < 0) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }
}
