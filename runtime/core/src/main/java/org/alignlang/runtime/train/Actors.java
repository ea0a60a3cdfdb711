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
 *   <li>{@code soup(first, second, share = 0.5)}: parameters {@code (1 - share) * first + share *
 *       second} of two policies of one form, as they are by now
 * </ul>
 *
 * <p>{@code initial}, {@code snapshot}, {@code ema} and {@code average} are of the policy that the
 * objective trains, or of the one that is named with {@code of}, which another objective trains.
 * What stands in place of such a policy under its own name is of that policy.
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
      List.of("base", "expert", "initial", "snapshot", "ema", "average", "sampling", "soup");

  /** Those that are made of one trained policy. */
  private static final Set<String> OF_A_POLICY = Set.of("initial", "snapshot", "ema", "average");

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

    record Snapshot(Policy policy, Policy source, int every) implements Role {}

    record Average(Policy policy, Policy source, double decay) implements Role {}

    record Mean(Policy policy, Policy source) implements Role {}

    /** The average of two policies' parameters; {@code into} is where it is put. */
    record Soup(Policy into, Policy first, Policy second, double share) implements Role {
      @Override
      public Policy policy() {
        double[] parameters = into.parameters();
        for (int i = 0; i < parameters.length; i++) {
          parameters[i] = (1 - share) * first.parameters()[i] + share * second.parameters()[i];
        }
        return into;
      }
    }

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
    point
        .actors()
        .forEach((name, component) -> roles.put(name, role(name, component, task, base, others)));
    REFERENCE.forEach(name -> roles.putIfAbsent(name, base));
    point.draws().values().stream()
        .filter(name -> !trainedNames.contains(name))
        .forEach(name -> roles.putIfAbsent(name, BEHAVIOUR.contains(name) ? sampling : base));
    behaviourName =
        BEHAVIOUR.stream().sorted().filter(roles::containsKey).findFirst().orElse("old");
    drawnFrom = roles.getOrDefault(behaviourName, sampling);
  }

  private Role role(
      String actor, Component component, Task task, Role base, Map<String, Policy> others) {
    try {
      Arguments read = Arguments.of("actor", component.name(), component.arguments());
      Policy source =
          OF_A_POLICY.contains(component.name())
              ? read.text("of")
                  .map(of -> source(read, "of", of, others))
                  .orElse(others.getOrDefault(actor, trained))
              : trained;
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
            case "initial" -> new Role.Fixed(Frozen.of(source));
            case "sampling" -> sampling;
            case "snapshot" -> {
              if (!read.has("every")) {
                throw read.missing("every", "a number of steps of at least 1");
              }
              yield new Role.Snapshot(
                  source.copy(), source, read.integer("every", 1, 1, Integer.MAX_VALUE));
            }
            case "ema" -> {
              if (!read.has("decay")) {
                throw read.missing("decay", "a number from 0 to 1");
              }
              yield new Role.Average(source.copy(), source, read.real("decay", 0, 0, 1));
            }
            case "average" -> new Role.Mean(source.copy(), source);
            case "soup" -> soup(read, others);
            default -> throw Names.unknown("actor", component.name(), KINDS);
          };
      read.requireAllRead();
      return role;
    } catch (IllegalArgumentException e) {
      throw new ExperimentException(component.place() + ": " + e.getMessage(), e);
    }
  }

  /** A policy that is trained, by this objective or by another. */
  private Policy source(Arguments read, String argument, String name, Map<String, Policy> others) {
    Policy other = others.get(name);
    if (other != null) {
      return other;
    }
    if (!trainedNames.contains(name)) {
      Set<String> known = new TreeSet<>(others.keySet());
      trainedNames.stream().filter(own -> !own.isEmpty()).forEach(known::add);
      throw read.wrong(argument, "a policy that is trained, of " + Names.quoted(known), name);
    }
    return trained;
  }

  private Role soup(Arguments read, Map<String, Policy> others) {
    Policy first = source(read, "first", policyName(read, "first"), others);
    Policy second = source(read, "second", policyName(read, "second"), others);
    if (first.parameters().length != second.parameters().length) {
      throw new IllegalArgumentException(
          "a soup is of policies of one form, and these have %d and %d parameters"
              .formatted(first.parameters().length, second.parameters().length));
    }
    return new Role.Soup(first.copy(), first, second, read.real("share", 0.5, 0, 1));
  }

  private static String policyName(Arguments read, String argument) {
    return read.text(argument)
        .orElseThrow(() -> read.missing(argument, "the name of a policy that is trained"));
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
      case Role.Soup soup -> Volatility.EACH_STEP;
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
      case Role.Soup soup -> assign(soup.policy(), sampling.policy());
      case Role.Live live -> assign(live.policy(), sampling.policy());
    }
  }

  /**
   * The objective has made a step.
   *
   * @param steps how many it has made by now
   */
  void stepped(long steps) {
    for (Role role : roles.values()) {
      switch (role) {
        case Role.Snapshot snapshot -> {
          if (steps % snapshot.every() == 0) {
            assign(snapshot.source(), snapshot.policy());
          }
        }
        case Role.Average average -> {
          double[] own = average.policy().parameters();
          double[] now = average.source().parameters();
          for (int i = 0; i < own.length; i++) {
            own[i] = average.decay() * own[i] + (1 - average.decay()) * now[i];
          }
        }
        case Role.Mean mean -> {
          double[] own = mean.policy().parameters();
          double[] now = mean.source().parameters();
          for (int i = 0; i < own.length; i++) {
            own[i] += (now[i] - own[i]) / (steps + 1);
          }
        }
        case Role.Fixed fixed -> {}
        case Role.Soup soup -> {}
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
