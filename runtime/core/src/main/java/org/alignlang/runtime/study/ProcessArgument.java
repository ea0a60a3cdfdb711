package org.alignlang.runtime.study;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.GridWorld;

/**
 * Reads decision processes, and rewards on them, that a spec hands to a study.
 *
 * <ul>
 *   <li>{@code grid(map = ["S.#", "..G"], end = "", slip = 0, stay = false)}: the walks of the task
 *       of this name, with its arguments but for those of an annotator; a reward for each mark, 1
 *       for being in such a cell
 *   <li>{@code chain(states = 6, start = 0, slip = 0)}: see {@link Processes#chain}
 *   <li>{@code random(states = 8, actions = 3, concentration = 0.5)}: see {@link Processes#random}
 *   <li>{@code table(states = 2, actions = 2, moves = [1, 1, 0, 1])}: the successor of each state
 *       and action, state by state; or {@code transitions}, a row of probabilities for each; with
 *       {@code start}, the probabilities of the states (the first one unless given)
 * </ul>
 *
 * <p>Each takes {@code discount} (0.9).
 */
final class ProcessArgument {
  private static final List<String> KINDS = List.of("grid", "chain", "random", "table");

  private ProcessArgument() {}

  /** The process that an argument names, or the other one if it is not given. */
  static DecisionProcess read(
      Arguments arguments, String name, Component otherwise, CounterRandom random) {
    Component given =
        switch (arguments.value(name).orElse(otherwise)) {
          case Component component -> component;
          case String kind -> new Component(kind, Map.of(), "");
          case Object other ->
              throw arguments.wrong(name, "a process, such as `chain(states = 6)`", other);
        };
    Arguments own = Arguments.of("process", given.name(), given.arguments());
    double discount = own.real("discount", 0.9, 0, 1);
    if (discount == 1) {
      throw own.wrong("discount", "a number from 0 to 1, and below 1", discount);
    }
    DecisionProcess process =
        switch (given.name()) {
          case "grid" -> GridWorld.process(own, discount);
          case "chain" ->
              Processes.chain(
                  own.integer("states", 6, 2, 2048),
                  own.integer("start", 0, 0, 2047),
                  own.real("slip", 0, 0, 1),
                  discount);
          case "random" ->
              Processes.random(
                  own.integer("states", 8, 1, 512),
                  own.integer("actions", 3, 1, 64),
                  own.above("concentration", 0.5, 0),
                  discount,
                  random);
          case "table" -> table(own, discount);
          default -> throw Names.unknown("process", given.name(), KINDS);
        };
    own.requireAllRead();
    return process;
  }

  /** A process with these numbers as arguments, for defaults. */
  static Component component(String name, Map<String, Object> arguments) {
    return new Component(name, arguments, "");
  }

  /** A reward {@code [S][A]}: the name of one that the process has, or its numbers, row by row. */
  static double[][] reward(
      Arguments arguments, String name, String otherwise, DecisionProcess process) {
    Object value = arguments.value(name).orElse(otherwise);
    if (value instanceof String reward) {
      return process.reward(reward);
    }
    return numbers(arguments, name, process).orElseThrow();
  }

  /** A reward given as numbers, row by row. */
  static Optional<double[][]> numbers(Arguments arguments, String name, DecisionProcess process) {
    return arguments
        .reals(name, -Double.MAX_VALUE, Double.MAX_VALUE)
        .map(flat -> {
          int size = process.states() * process.actions();
          if (flat.length != size) {
            throw arguments.wrong(
                name,
                "%d numbers, one for each of %d states and %d actions"
                    .formatted(size, process.states(), process.actions()),
                flat.length + " numbers");
          }
          return rows(flat, process.actions());
        });
  }

  static double[][] rows(double[] flat, int width) {
    double[][] rows = new double[flat.length / width][];
    Arrays.setAll(rows, i -> Arrays.copyOfRange(flat, i * width, (i + 1) * width));
    return rows;
  }

  private static DecisionProcess table(Arguments own, double discount) {
    int states = own.integer("states", 2, 1, 512);
    int actions = own.integer("actions", 2, 1, 64);
    DecisionProcess.Builder builder = DecisionProcess.builder(states, actions).discount(discount);
    own.reals("start", 0, 1).ifPresent(builder::start);
    Optional<int[]> moves = own.integers("moves", 0, states - 1);
    Optional<double[]> transitions = own.reals("transitions", 0, 1);
    if (moves.isPresent() == transitions.isPresent()) {
      throw own.missing("moves", "the successor of each state and action, or else `transitions`");
    }
    int width = moves.isPresent() ? 1 : states;
    int given = moves.map(m -> m.length).orElseGet(() -> transitions.orElseThrow().length);
    if (given != states * actions * width) {
      throw own.wrong(
          moves.isPresent() ? "moves" : "transitions",
          states * actions * width + " numbers",
          given + " numbers");
    }
    for (int s = 0; s < states; s++) {
      for (int a = 0; a < actions; a++) {
        int row = s * actions + a;
        if (moves.isPresent()) {
          builder.transition(s, a, moves.get()[row], 1);
        }
        for (int next = 0; next < states && transitions.isPresent(); next++) {
          builder.transition(s, a, next, transitions.get()[row * states + next]);
        }
      }
    }
    return builder.build();
  }
}
