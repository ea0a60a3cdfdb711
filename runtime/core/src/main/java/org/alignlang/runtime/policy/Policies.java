package org.alignlang.runtime.policy;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Makes policies by the names that specs use.
 *
 * <p>All take {@code relative} (true): whether the logits are added to those of the task's base
 * policy, so that training starts there; with false, tables and linear policies start uniform and
 * networks random. Where a training has several policies, {@code start_alike} (false) gives
 * networks the same random weights.
 */
public final class Policies {
  private static final List<String> NAMES =
      List.of("softmax_table", "linear", "mlp", "autoregressive");

  /** The argument by which all policies of a training start with the same weights. */
  public static final String START_ALIKE = "start_alike";

  private Policies() {}

  /** The names that {@link #create} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * Makes a policy for a task.
   *
   * <ul>
   *   <li>{@code softmax_table()}
   *   <li>{@code linear(features = "action" or "state")}: by default the task's action features if
   *       it has any
   *   <li>{@code mlp(hidden = [32], features = ...)}
   *   <li>{@code autoregressive(context = 4, embedding = 16, hidden = 32)}
   * </ul>
   *
   * @param seed where initial weights come from
   * @throws IllegalArgumentException for an unknown name or argument, a value that does not fit, or
   *     a task that lacks the features
   */
  public static Policy create(String name, Map<String, Object> arguments, Task task, long seed) {
    Arguments read = Arguments.of("policy", name, arguments);
    CounterRandom random = CounterRandom.of(seed).stream("policy");
    boolean relative = read.flag("relative", true);
    // Whoever makes several policies sees to it.
    read.flag(START_ALIKE, false);
    double outputScale = relative ? 0 : 1;
    Policy own =
        switch (name) {
          case "softmax_table" -> {
            read.requireAllRead();
            yield seeing(
                SoftmaxTable.zeros(views(task), task.vocabulary(), Math.max(1, task.memory())),
                task);
          }
          case "linear" -> {
            Features features = features(read, name, task);
            read.requireAllRead();
            yield LinearSoftmax.zeros(features, task.vocabulary());
          }
          case "mlp" -> {
            int[] hidden = read.integers("hidden", 1, 4096).orElse(new int[] {32});
            Features features = features(read, name, task);
            read.requireAllRead();
            yield MultilayerPerceptron.random(
                features, task.vocabulary(), hidden, outputScale, random);
          }
          case "autoregressive" -> {
            Autoregressive.Shape shape =
                new Autoregressive.Shape(
                    views(task),
                    task.vocabulary(),
                    read.integer("context", Math.clamp(task.memory(), 1, 4), 1, 256),
                    read.integer("embedding", 16, 1, 4096),
                    read.integer("hidden", 32, 1, 4096));
            read.requireAllRead();
            yield seeing(Autoregressive.random(shape, outputScale, random), task);
          }
          default -> throw Names.unknown("policy", name, NAMES);
        };
    return relative ? new Residual(task.base(), own) : own;
  }

  /** How many states policies tell apart. */
  private static int views(Task task) {
    return Arrays.stream(task.seen()).max().orElse(task.contexts() - 1) + 1;
  }

  private static Policy seeing(Policy own, Task task) {
    int[] seen = task.seen();
    return seen.length == 0 ? own : new Seeing(own, seen);
  }

  /**
   * A function of states in the shape of a policy over one token, whose only logit is its value:
   * {@code linear()} or {@code mlp(hidden = [32])} over the task's state features.
   *
   * @param block the name of the block, with which its first weights differ
   * @throws IllegalArgumentException for a wrong argument, or a task that has no state features
   */
  public static Policy valueNetwork(
      String name, Map<String, Object> arguments, Task task, long seed, String block) {
    Arguments read = Arguments.of("block", name, arguments);
    int[] hidden =
        name.equals("mlp") ? read.integers("hidden", 1, 4096).orElse(new int[] {32}) : new int[0];
    read.requireAllRead();
    Features features =
        Features.ofState(task)
            .orElseThrow(() ->
                new IllegalArgumentException(
                    "`%s` needs state features, which task `%s` does not have; use `table`"
                        .formatted(name, task.name())));
    return name.equals("mlp")
        ? MultilayerPerceptron.random(
            features, 1, hidden, 1, CounterRandom.of(seed).stream("block").stream(block))
        : LinearSoftmax.zeros(features, 1);
  }

  private static Features features(Arguments read, String policy, Task task) {
    Optional<Features> ofAction = Features.ofAction(task);
    Optional<Features> ofState = Features.ofState(task);
    Optional<String> wanted = read.word("features", List.of("action", "state"));
    Optional<Features> found =
        wanted
            .map(kind -> kind.equals("action") ? ofAction : ofState)
            .orElse(ofAction.isPresent() ? ofAction : ofState);
    return found.orElseThrow(() ->
        new IllegalArgumentException(
            "policy `%s` needs %s features, which task `%s` does not have; use `%s`"
                .formatted(
                    policy,
                    wanted.orElse("action or state"),
                    task.name(),
                    wanted.isPresent() && (ofAction.isPresent() || ofState.isPresent())
                        ? policy
                            + "(features = \""
                            + (ofAction.isPresent() ? "action" : "state")
                            + "\")"
                        : task.memory() <= 1 ? "softmax_table" : "autoregressive")));
  }
}
