package org.alignlang.runtime.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ActorPolicies;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.experiment.ExperimentPlan.Training;
import org.alignlang.runtime.policy.Frozen;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.task.Task;

/**
 * The policies behind the actors' names.
 *
 * <ul>
 *   <li>{@code base()}: the task's base policy
 *   <li>{@code expert()}: the task's expert, for tasks that have one
 *   <li>{@code initial()}: the trained policy before its first step
 *   <li>{@code snapshot(every = K)}: a copy of the trained policy, renewed after every K steps
 *   <li>{@code ema(decay = d)}: parameters {@code d * own + (1 - d) * trained} after every step,
 *       from the initial ones
 *   <li>{@code average()}: the mean of the trained parameters before the first step and after every
 *       step so far
 *   <li>{@code sampling()}: the trained policy when the current batch was drawn
 * </ul>
 *
 * <p>The behaviour actor is the one called {@code old}, {@code behavior} or {@code behaviour}, or
 * the one given as {@code sampling()}. It is the sampling policy unless told otherwise; if it is
 * told to be another, a copy of that one draws the samples. Any other actor is the base policy
 * unless told otherwise.
 */
public final class Actors implements ActorPolicies {
  private static final Set<String> BEHAVIOUR = Set.of("old", "behavior", "behaviour");
  private static final Set<String> REFERENCE = Set.of("ref", "reference", "base");
  private static final List<String> KINDS =
      List.of("base", "expert", "initial", "snapshot", "ema", "average", "sampling");

  /** When an actor's distribution changes. */
  enum Volatility {
    NEVER,
    EACH_ROUND,
    EACH_STEP
  }

  private sealed interface Role {
    Policy policy();

    record Fixed(Policy policy) implements Role {}

    record Sampling(Policy policy) implements Role {}

    record Snapshot(Policy policy, int every) implements Role {}

    record Average(Policy policy, double decay) implements Role {}

    record Mean(Policy policy) implements Role {}

    /** A policy that another objective trains. */
    record Live(Policy policy) implements Role {}
  }

  private final Policy trained;
  private final Set<String> trainedNames = new TreeSet<>();
  private final Role.Sampling sampling;
  private final Map<String, Role> roles = new TreeMap<>();
  private final String behaviourName;
  private final Role drawnFrom;

  /**
   * Resolves the actors of a point.
   *
   * @param trained the trained policy at its first step
   * @param others the policies that other objectives train, by name
   * @throws ExperimentException for an unknown kind of actor or wrong arguments
   */
  Actors(Training point, Task task, Policy trained, Map<String, Policy> others) {
    this.trained = trained;
    sampling = new Role.Sampling(trained.copy());
    Role base = new Role.Fixed(Frozen.of(task.base()));
    List<Input> inputs = point.kernel().signature().inputs();
    trainedNames.add("");
    inputs.stream()
        .filter(BatchAssembler::ofTrainedPolicy)
        .forEach(input -> trainedNames.add(input.actor()));
    inputs.stream()
        .filter(BatchAssembler::ofActor)
        .map(BatchAssembler::actor)
        .filter(actor -> !trainedNames.contains(actor))
        .forEach(actor -> roles.put(actor, BEHAVIOUR.contains(actor) ? sampling : base));
    others.forEach((name, other) -> roles.put(name, new Role.Live(other)));
    point.actors().forEach((name, component) -> roles.put(name, role(component, task, base)));
    REFERENCE.forEach(name -> roles.putIfAbsent(name, base));
    point.draws().values().stream()
        .filter(name -> !trainedNames.contains(name))
        .forEach(name -> roles.putIfAbsent(name, BEHAVIOUR.contains(name) ? sampling : base));
    behaviourName =
        BEHAVIOUR.stream().sorted().filter(roles::containsKey).findFirst().orElse("old");
    drawnFrom = roles.getOrDefault(behaviourName, sampling);
  }

  private Role role(Component component, Task task, Role base) {
    try {
      Arguments read = Arguments.of("actor", component.name(), component.arguments());
      Role role =
          switch (component.name()) {
            case "base" -> base;
            case "expert" ->
                new Role.Fixed(
                    Frozen.of(
                        task.expert()
                            .orElseThrow(() ->
                                new IllegalArgumentException(
                                    "task `%s` has no expert".formatted(task.name())))));
            case "initial" -> new Role.Fixed(Frozen.of(trained));
            case "sampling" -> sampling;
            case "snapshot" -> {
              if (!read.has("every")) {
                throw read.missing("every", "a number of steps of at least 1");
              }
              yield new Role.Snapshot(
                  trained.copy(), read.integer("every", 1, 1, Integer.MAX_VALUE));
            }
            case "ema" -> {
              if (!read.has("decay")) {
                throw read.missing("decay", "a number from 0 to 1");
              }
              yield new Role.Average(trained.copy(), read.real("decay", 0, 0, 1));
            }
            case "average" -> new Role.Mean(trained.copy());
            default -> throw Names.unknown("actor", component.name(), KINDS);
          };
      read.requireAllRead();
      return role;
    } catch (IllegalArgumentException e) {
      throw new ExperimentException(component.place() + ": " + e.getMessage(), e);
    }
  }

  /** The policy behind a name, live: it changes as training goes on. */
  @Override
  public Policy policy(String actor) {
    if (trainedNames.contains(actor)) {
      return trained;
    }
    return role(actor).policy();
  }

  /** The role of an actor that is not the trained one; the behaviour actor's is what was drawn. */
  private Role role(String actor) {
    Role role = roles.get(actor);
    if (role == null) {
      Set<String> known = new TreeSet<>(roles.keySet());
      trainedNames.stream().filter(name -> !name.isEmpty()).forEach(known::add);
      throw new ExperimentException(Names.unknown("actor", actor, known).getMessage());
    }
    return actor.equals(behaviourName) && !(role instanceof Role.Fixed) ? sampling : role;
  }

  @Override
  public boolean isTrained(String actor) {
    return trainedNames.contains(actor);
  }

  @Override
  public boolean isFixed(String actor) {
    return volatility(actor) == Volatility.NEVER;
  }

  /** The policy that draws samples. */
  Policy behaviour() {
    return drawnFrom instanceof Role.Fixed fixed ? fixed.policy() : sampling.policy();
  }

  Volatility volatility(String actor) {
    if (isTrained(actor)) {
      return Volatility.EACH_STEP;
    }
    return switch (role(actor)) {
      case Role.Fixed fixed -> Volatility.NEVER;
      case Role.Sampling drawn -> Volatility.EACH_ROUND;
      case Role.Snapshot snapshot -> Volatility.EACH_STEP;
      case Role.Average average -> Volatility.EACH_STEP;
      case Role.Mean mean -> Volatility.EACH_STEP;
      case Role.Live live -> Volatility.EACH_STEP;
    };
  }

  /** A batch is about to be drawn. */
  void beginRound() {
    switch (drawnFrom) {
      case Role.Fixed fixed -> {}
      case Role.Sampling drawn -> assign(trained, sampling.policy());
      case Role.Snapshot snapshot -> assign(snapshot.policy(), sampling.policy());
      case Role.Average average -> assign(average.policy(), sampling.policy());
      case Role.Mean mean -> assign(mean.policy(), sampling.policy());
      case Role.Live live -> assign(live.policy(), sampling.policy());
    }
  }

  /**
   * The trained policy has made a step.
   *
   * @param steps how many it has made by now
   */
  void stepped(long steps) {
    for (Role role : roles.values()) {
      switch (role) {
        case Role.Snapshot snapshot -> {
          if (steps % snapshot.every() == 0) {
            assign(trained, snapshot.policy());
          }
        }
        case Role.Average average -> {
          double[] own = average.policy().parameters();
          double[] now = trained.parameters();
          for (int i = 0; i < own.length; i++) {
            own[i] = average.decay() * own[i] + (1 - average.decay()) * now[i];
          }
        }
        case Role.Mean mean -> {
          double[] own = mean.policy().parameters();
          double[] now = trained.parameters();
          for (int i = 0; i < own.length; i++) {
            own[i] += (now[i] - own[i]) / (steps + 1);
          }
        }
        case Role.Fixed fixed -> {}
        case Role.Live live -> {}
        case Role.Sampling drawn -> {}
      }
    }
  }

  /** The live parameters that change as training goes on, by name, the trained ones left out. */
  Map<String, double[]> state() {
    Map<String, double[]> state = new LinkedHashMap<>();
    state.put("sampling", sampling.policy().parameters());
    roles.forEach((name, role) -> {
      if (role instanceof Role.Snapshot
          || role instanceof Role.Average
          || role instanceof Role.Mean) {
        state.put("actor " + name, role.policy().parameters());
      }
    });
    return state;
  }

  private static void assign(Policy from, Policy to) {
    System.arraycopy(from.parameters(), 0, to.parameters(), 0, to.parameters().length);
  }
}
