package org.alignlang.runtime.study;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code composed_decoding}: a frozen policy decoded with the values of two scores, weighed
 * at the time of decoding: {@code pi(a | s) ~ base(a | s) e^(b (w V1(s + a) + (1 - w) V2(s + a)))}.
 * Values and laws are exact, see {@link ResponseTree}.
 *
 * <p>Source: Han et al. 2024 (Value Augmented Sampling), on composition.
 *
 * <p>Arguments: {@code first} ({@code bigram}) and {@code second} ({@code other_bigram}), scores as
 * for {@code value_decoding}; {@code strength} b (2); {@code weights} w ({@code [0, 0.5, 1]}).
 */
public final class ComposedDecoding implements StudyProvider {
  @Override
  public String name() {
    return "composed_decoding";
  }

  @Override
  public boolean takesTask() {
    return true;
  }

  @Override
  public String summary() {
    return "a frozen policy decoded with weighed values of two scores";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("weight", "w at each index");
    quantities.put("first_reward", "expected first score");
    quantities.put("second_reward", "expected second score");
    quantities.put("kl", "KL from the base, nats per response");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("weights");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("value_decoding");
    ResponseTree tree = new ResponseTree(ResponseTree.required(task, name()));
    double[] first =
        tree.score(arguments, "first", arguments.text("first").orElse("bigram"), random);
    double[] second =
        tree.score(arguments, "second", arguments.text("second").orElse("other_bigram"), random);
    double strength = arguments.real("strength", 2, 0, 1000);
    double[] weights = arguments.reals("weights", 0, 1).orElse(new double[] {0, 0.5, 1});
    arguments.requireAllRead();
    ResponseTree.Values ofFirst = tree.exactValues(first);
    ResponseTree.Values ofSecond = tree.exactValues(second);
    Map<String, double[]> found = new LinkedHashMap<>();
    quantities().keySet().forEach(key -> found.put(key, new double[weights.length]));
    for (int i = 0; i < weights.length; i++) {
      Studies.nextRound();
      double w = weights[i];
      double[] law = tree.reweighted(ofFirst.mixed(strength * w, strength * (1 - w), ofSecond));
      requireNonNull(found.get("weight"))[i] = w;
      requireNonNull(found.get("first_reward"))[i] = ResponseTree.mean(law, first);
      requireNonNull(found.get("second_reward"))[i] = ResponseTree.mean(law, second);
      requireNonNull(found.get("kl"))[i] = tree.divergence(law);
    }
    return new Findings(found);
  }
}
