package org.alignlang.runtime.task;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.process.DecisionProcess;

/**
 * What a policy sees of a process of which a part is hidden: something of the state, and what it
 * saw and did in the steps before, as far back as its memory goes. The process is that of state and
 * memory together, so that all that is computed of processes holds for it.
 *
 * @param process states are those of the process, each with what is remembered there
 * @param of the number of the state without the memory, for each state
 * @param seen the number of what a policy sees, for each state
 */
record PartialView(DecisionProcess process, int[] of, int[] seen) {
  private static final int MAXIMUM_STATES = 1 << 13;

  /** A state, and what was seen and done in the steps before it, in turn, the latest first. */
  private record Remembering(int state, List<Integer> steps) {}

  /**
   * Hides a part of the states.
   *
   * @param process with a horizon
   * @param visible what is seen of each state; the same number where states look alike
   * @param memory how many steps back policies remember
   * @throws IllegalArgumentException if too many states come of it
   */
  static PartialView of(DecisionProcess process, int[] visible, int memory) {
    Map<Remembering, Integer> numbers = new LinkedHashMap<>();
    List<Remembering> states = new ArrayList<>();
    for (int s = 0; s < process.states(); s++) {
      if (process.start(s) > 0) {
        number(new Remembering(s, List.of()), numbers, states);
      }
    }
    int starts = states.size();
    List<int[]> moves = new ArrayList<>();
    List<Double> probabilities = new ArrayList<>();
    for (int i = 0; i < states.size(); i++) {
      Remembering from = states.get(i);
      for (int a = 0; a < process.actions(); a++) {
        List<Integer> steps = new ArrayList<>(List.of(visible[from.state()], a));
        steps.addAll(from.steps());
        List<Integer> kept = List.copyOf(steps.subList(0, Math.min(steps.size(), 2 * memory)));
        boolean over = process.absorbing(from.state());
        for (int j = 0; j < process.successors(from.state(), a); j++) {
          int next = process.successor(from.state(), a, j);
          // Where an episode has ended nothing more is remembered, so that it stays the end.
          Remembering to = over ? from : new Remembering(next, kept);
          moves.add(new int[] {i, a, number(to, numbers, states)});
          probabilities.add(process.probability(from.state(), a, j));
        }
      }
    }
    double[] start = new double[states.size()];
    for (int i = 0; i < starts; i++) {
      start[i] = process.start(states.get(i).state());
    }
    DecisionProcess.Builder builder =
        DecisionProcess.builder(states.size(), process.actions())
            .start(start)
            .stateNames(states.stream().map(state -> show(process, state)).toList())
            .actionNames(actions(process))
            .horizon(process.requireHorizon())
            .discount(process.discount());
    for (int i = 0; i < moves.size(); i++) {
      int[] move = moves.get(i);
      builder.transition(move[0], move[1], move[2], probabilities.get(i));
    }
    Map<Remembering, Integer> views = new HashMap<>();
    int[] of = new int[states.size()];
    int[] seen = new int[states.size()];
    for (int i = 0; i < seen.length; i++) {
      Remembering state = states.get(i);
      of[i] = state.state();
      seen[i] =
          views.computeIfAbsent(
              new Remembering(visible[state.state()], state.steps()), view -> views.size());
    }
    return new PartialView(builder.build(), of, seen);
  }

  /** How many things there are to be seen. */
  static int views(int[] seen) {
    return Arrays.stream(seen).max().orElse(-1) + 1;
  }

  private static int number(
      Remembering state, Map<Remembering, Integer> numbers, List<Remembering> states) {
    Integer known = numbers.get(state);
    if (known != null) {
      return known;
    }
    if (states.size() == MAXIMUM_STATES) {
      throw new IllegalArgumentException(
          "a policy of task `process` would see more than %d ways; use a smaller `memory`"
              .formatted(MAXIMUM_STATES));
    }
    numbers.put(state, states.size());
    states.add(state);
    return states.size() - 1;
  }

  private static String show(DecisionProcess process, Remembering state) {
    StringBuilder text = new StringBuilder(process.stateName(state.state()));
    for (int i = 1; i < state.steps().size(); i += 2) {
      text.append(i == 1 ? " after " : ", ").append(process.actionName(state.steps().get(i)));
    }
    return text.toString();
  }

  private static List<String> actions(DecisionProcess process) {
    List<String> names = new ArrayList<>();
    for (int a = 0; a < process.actions(); a++) {
      names.add(process.actionName(a));
    }
    return names;
  }
}
