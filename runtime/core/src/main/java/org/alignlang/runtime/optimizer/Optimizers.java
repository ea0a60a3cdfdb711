package org.alignlang.runtime.optimizer;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Task;

/**
 * Makes optimisers by the names that specs use. A rate is a number or a schedule: {@code
 * constant(value)}, {@code linear(from, to, steps)}, {@code cosine(from, to, steps)}, {@code
 * warmup(steps, to)} with a number or a schedule as {@code to}.
 */
public final class Optimizers {
  private static final List<String> NAMES = List.of("sgd", "adam", "natural");
  private static final List<String> SCHEDULES = List.of("constant", "linear", "cosine", "warmup");

  private Optimizers() {}

  /** The names that {@link #create(String, Map, Policy, Task)} knows. */
  public static List<String> names() {
    return NAMES;
  }

  /**
   * Makes an optimiser for a policy on a task.
   *
   * <ul>
   *   <li>{@code sgd(rate = 0.1, momentum = 0, weight_decay = 0)}
   *   <li>{@code adam(rate = 0.01, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weight_decay = 0,
   *       clip_norm)}
   *   <li>{@code natural(rate = 0.1, damping = 0.001)}
   * </ul>
   *
   * @throws IllegalArgumentException for an unknown name or argument, or a value that does not fit
   */
  public static Optimizer create(
      String name, Map<String, Object> arguments, Policy policy, Task task) {
    return name.equals("natural")
        ? natural(Arguments.of("optimizer", name, arguments), policy, task)
        : create(name, arguments);
  }

  /**
   * Makes an optimiser that needs to know nothing of what it optimises: every one but {@code
   * natural}.
   *
   * @throws IllegalArgumentException for an unknown name or argument, or a value that does not fit
   */
  public static Optimizer create(String name, Map<String, Object> arguments) {
    Arguments read = Arguments.of("optimizer", name, arguments);
    Optimizer optimizer =
        switch (name) {
          case "sgd" ->
              new Sgd(
                  rate(read, 0.1),
                  read.real("momentum", 0, 0, Math.nextDown(1.0)),
                  read.real("weight_decay", 0, 0, Double.MAX_VALUE));
          case "adam" ->
              new Adam(
                  rate(read, 0.01),
                  read.real("beta1", 0.9, 0, Math.nextDown(1.0)),
                  read.real("beta2", 0.999, 0, Math.nextDown(1.0)),
                  read.above("epsilon", 1e-8, 0),
                  read.real("weight_decay", 0, 0, Double.MAX_VALUE),
                  read.above("clip_norm", Double.POSITIVE_INFINITY, 0));
          case "natural" ->
              throw new IllegalArgumentException(
                  "optimizer `natural` needs a policy and a task; only policies have a Fisher"
                      + " matrix here");
          default -> throw Names.unknown("optimizer", name, NAMES);
        };
    read.requireAllRead();
    return optimizer;
  }

  private static Optimizer natural(Arguments read, Policy policy, Task task) {
    Schedule rate = rate(read, 0.1);
    double damping = read.above("damping", 1e-3, 0);
    read.requireAllRead();
    return new NaturalGradient(rate, damping, policy, task);
  }

  private static Schedule rate(Arguments read, double otherwise) {
    return read.value("rate")
        .map(value -> schedule(read, "rate", value))
        .orElse(new Schedule.Constant(otherwise));
  }

  private static Schedule schedule(Arguments owner, String argument, Object value) {
    if (value instanceof Number number && number.doubleValue() >= 0) {
      if (Double.isFinite(number.doubleValue())) {
        return new Schedule.Constant(number.doubleValue());
      }
    }
    if (!(value instanceof Component call)) {
      throw owner.wrong(argument, "a number of at least 0 or a schedule", value);
    }
    return schedule(call.name(), call.arguments());
  }

  /**
   * A schedule of numbers: {@code constant(value)}, {@code linear(from, to, steps)}, {@code
   * cosine(from, to, steps)} or {@code warmup(steps, to)}.
   *
   * @throws IllegalArgumentException for an unknown name or argument, or a value that does not fit
   */
  public static Schedule schedule(String name, Map<String, Object> arguments) {
    Arguments read = Arguments.of("schedule", name, arguments);
    Schedule schedule =
        switch (name) {
          case "constant" -> new Schedule.Constant(required(read, "value"));
          case "linear" ->
              new Schedule.Linear(required(read, "from"), required(read, "to"), steps(read));
          case "cosine" ->
              new Schedule.Cosine(required(read, "from"), required(read, "to"), steps(read));
          case "warmup" -> {
            Optional<Object> to = read.value("to");
            yield new Schedule.Warmup(
                steps(read),
                schedule(
                    read,
                    "to",
                    to.orElseThrow(() -> read.missing("to", "a number or a schedule"))));
          }
          default -> throw Names.unknown("schedule", name, SCHEDULES);
        };
    read.requireAllRead();
    return schedule;
  }

  private static double required(Arguments read, String name) {
    if (!read.has(name)) {
      throw read.missing(name, "a number of at least 0");
    }
    return read.real(name, 0, 0, Double.MAX_VALUE);
  }

  private static long steps(Arguments read) {
    if (!read.has("steps")) {
      throw read.missing("steps", "a whole number of at least 1");
    }
    return read.integer("steps", 1, 1, Integer.MAX_VALUE);
  }
}
