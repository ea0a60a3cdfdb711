package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.random.CounterRandom;

/**
 * Task {@code process}: a decision process written as rules, such as
 *
 * <pre>"start step -> half 0.9, lost", "half step back -> done", "half * -> start"</pre>
 *
 * <p>A rule has a state and actions on the left ({@code *} for all that have no rule in that state
 * yet), and on the right the states that follow, with probabilities; one without takes what is
 * left. A state without rules ends an episode; in a state with some, an action without a rule stays
 * there. Episodes start in the first state of the first rule, or as {@code start} says, which is
 * like the right side of a rule.
 *
 * <p>What stands behind {@code @} in the name of a state is hidden from policies: {@code room@left}
 * and {@code room@right} look alike, as {@code room}. With {@code memory} policies see besides what
 * they saw and did in that many steps before.
 *
 * <p>Scores beside those of every process, for names that are words: {@code at_STATE}, 1 where that
 * state was entered; {@code in_STATE}, 1 where the action was taken there; {@code take_ACTION}, 1
 * where it was that action. States that look alike have {@code at_ROOM} and {@code in_ROOM} for all
 * of them. With {@code goal}, a word or several: {@code score}, 1 where one of these states was
 * entered, {@code success} and {@code return}.
 *
 * <p>Arguments: {@code rules} (a list of texts), {@code start} (none), {@code goal} (none), {@code
 * memory} (0), {@code horizon} (64), {@code discount} (0.95), and what every process takes.
 */
public final class RuledProcess implements TaskProvider {
  private static final double TOLERANCE = 1e-9;

  @Override
  public String name() {
    return "process";
  }

  @Override
  public String summary() {
    return "a decision process written as rules";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    List<String> rules =
        arguments
            .texts("rules")
            .orElseThrow(() -> arguments.missing("rules", "texts such as \"a go -> b 0.9, c\""));
    Reader reader = new Reader(arguments);
    rules.forEach(reader::names);
    rules.forEach(reader::rule);
    DecisionProcess.Builder written = reader.process();
    arguments.text("start").ifPresent(text -> written.start(reader.start(text)));
    DecisionProcess process =
        written
            .horizon(ProcessTask.horizon(arguments))
            .discount(ProcessTask.discount(arguments))
            .build();
    int memory = arguments.integer("memory", 0, 0, 64);
    Map<String, Integer> visible = reader.visible();
    boolean hides = visible.size() < reader.states.size();
    if (!hides && memory == 0) {
      return task(arguments, reader, process, s -> s, new int[0], seed);
    }
    int[] looks = new int[process.states()];
    reader.states.forEach((name, state) -> looks[state] = number(visible, shown(name)));
    PartialView view = PartialView.of(process, looks, memory);
    return task(arguments, reader, view.process(), s -> view.of()[s], view.seen(), seed);
  }

  private static Task task(
      Arguments arguments,
      Reader reader,
      DecisionProcess process,
      IntUnaryOperator of,
      int[] seen,
      long seed) {
    ProcessTask.Builder task = new ProcessTask.Builder("process", process).seen(seen).place(of);
    Map<String, Set<Integer>> named = new LinkedHashMap<>();
    reader.states.forEach(
        (name, state) -> named.computeIfAbsent(shown(name), known -> new HashSet<>()).add(state));
    named.forEach((name, states) -> {
      if (isWord(name)) {
        task.score("at_" + name, (s, a, next) -> states.contains(of.applyAsInt(next)) ? 1 : 0);
        task.score("in_" + name, (s, a, next) -> states.contains(of.applyAsInt(s)) ? 1 : 0);
      }
    });
    reader.actions.forEach((name, action) -> {
      if (isWord(name)) {
        task.score("take_" + name, (s, a, next) -> a == action ? 1 : 0);
      }
    });
    Optional<String> goal = arguments.text("goal");
    goal.ifPresent(text -> {
      Set<Integer> goals = new HashSet<>();
      for (String name : words(text)) {
        Integer state = reader.states.get(name);
        Set<Integer> alike = named.getOrDefault(name, state == null ? Set.of() : Set.of(state));
        if (alike.isEmpty()) {
          throw arguments.wrong("goal", "states of the rules, " + reader.states.keySet(), name);
        }
        goals.addAll(alike);
      }
      ProcessTask.StepScore reached = (s, a, next) -> goals.contains(of.applyAsInt(next)) ? 1 : 0;
      task.score("score", reached).reached("success", reached);
    });
    return task.build(arguments, CounterRandom.of(seed).stream("process"));
  }

  /** What is seen of a state. */
  private static String shown(String state) {
    int hidden = state.indexOf('@');
    return hidden < 0 ? state : state.substring(0, hidden);
  }

  private static int number(Map<String, Integer> numbers, String name) {
    Integer number = numbers.get(name);
    if (number == null) {
      throw Names.unknown("state", name, numbers.keySet());
    }
    return number;
  }

  private static boolean isWord(String name) {
    return name.chars().allMatch(c -> Character.isLetterOrDigit(c) || c == '_');
  }

  private static List<String> words(String text) {
    return List.of(text.trim().split("\\s+"));
  }

  /** Reads rules. */
  private static final class Reader {
    private final Arguments arguments;
    private final Map<String, Integer> states = new LinkedHashMap<>();
    private final Map<String, Integer> actions = new LinkedHashMap<>();
    private final Map<Integer, Map<Integer, Map<Integer, Double>>> laws = new HashMap<>();

    private Reader(Arguments arguments) {
      this.arguments = arguments;
    }

    /** The left and the right side of a rule. */
    private String[] sides(String rule) {
      String[] sides = rule.split("->", -1);
      if (sides.length != 2 || words(sides[0]).size() < 2 || sides[1].isBlank()) {
        throw arguments.wrong("rules", "of the form \"state action -> state 0.9, state\"", rule);
      }
      return sides;
    }

    /** Collects the names of a rule, in the order in which they are met. */
    private void names(String rule) {
      String[] sides = sides(rule);
      List<String> left = words(sides[0]);
      add(states, left.getFirst());
      left.stream().skip(1).filter(word -> !word.equals("*")).forEach(word -> add(actions, word));
      for (String follower : sides[1].split(",", -1)) {
        add(states, words(follower).getFirst());
      }
    }

    private static void add(Map<String, Integer> numbers, String name) {
      numbers.putIfAbsent(name, numbers.size());
    }

    private void rule(String rule) {
      String[] sides = sides(rule);
      List<String> left = words(sides[0]);
      int state = number(left.getFirst());
      Map<Integer, Double> law = law("rules", rule, sides[1]);
      Map<Integer, Map<Integer, Double>> own = laws.computeIfAbsent(state, s -> new HashMap<>());
      for (String word : left.subList(1, left.size())) {
        if (word.equals("*")) {
          actions.values().forEach(action -> own.putIfAbsent(action, law));
        } else if (own.put(actions.getOrDefault(word, 0), law) != null) {
          throw arguments.wrong(
              "rules", "one for each state and action; `%s` has two".formatted(word), rule);
        }
      }
    }

    private int number(String state) {
      return RuledProcess.number(states, state);
    }

    /** What policies see of the states, numbered. */
    private Map<String, Integer> visible() {
      Map<String, Integer> visible = new LinkedHashMap<>();
      states.keySet().forEach(state -> add(visible, shown(state)));
      return visible;
    }

    /** The probabilities of the states in which episodes start. */
    private double[] start(String text) {
      double[] start = new double[states.size()];
      law("start", text, text).forEach((state, probability) -> start[state] = probability);
      return start;
    }

    private Map<Integer, Double> law(String argument, String rule, String text) {
      Map<Integer, Double> law = new LinkedHashMap<>();
      List<Integer> open = new ArrayList<>();
      double total = 0;
      for (String follower : text.split(",", -1)) {
        List<String> parts = words(follower);
        int next = number(parts.getFirst());
        if (law.containsKey(next) || open.contains(next) || parts.size() > 2) {
          throw arguments.wrong(argument, "a state and at most one probability", rule);
        }
        if (parts.size() == 1) {
          open.add(next);
          continue;
        }
        double probability = probability(argument, parts.get(1), rule);
        law.put(next, probability);
        total += probability;
      }
      double left = 1 - total;
      if (open.size() > 1 || left < -TOLERANCE || (open.isEmpty() && left > TOLERANCE)) {
        throw arguments.wrong(
            argument, "probabilities that sum to 1, at most one of them left out", rule);
      }
      open.forEach(next -> law.put(next, Math.max(0, left)));
      return law;
    }

    private double probability(String argument, String word, String rule) {
      try {
        double value =
            word.endsWith("%")
                ? Double.parseDouble(word.substring(0, word.length() - 1)) / 100
                : Double.parseDouble(word);
        if (value >= 0 && value <= 1) {
          return value;
        }
      } catch (NumberFormatException _) {
        // Said below, with the rule.
      }
      throw arguments.wrong(argument, "a probability where `%s` is".formatted(word), rule);
    }

    private DecisionProcess.Builder process() {
      DecisionProcess.Builder builder =
          DecisionProcess.builder(states.size(), Math.max(1, actions.size()))
              .stateNames(List.copyOf(states.keySet()))
              .actionNames(List.copyOf(actions.keySet()));
      for (int s = 0; s < states.size(); s++) {
        Map<Integer, Map<Integer, Double>> own = laws.getOrDefault(s, Map.of());
        for (int a = 0; a < actions.size(); a++) {
          int state = s;
          int action = a;
          own.getOrDefault(a, Map.of(s, 1.0))
              .forEach((next, p) -> builder.transition(state, action, next, p));
        }
      }
      return builder;
    }
  }
}
