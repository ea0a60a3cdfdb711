package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.random.CounterRandom;

/**
 * Task {@code grid}: walks over a map. {@code #} is a wall, {@code .} an open cell, {@code S} an
 * open cell in which episodes start (equally often, if there are several); every other character
 * marks open cells. The actions are {@code left} and {@code right}, {@code up} and {@code down} on
 * maps of several rows, and {@code stay} if it is asked for. A move into a wall or off the map
 * stays. With probability {@code slip} a random one of the moves is made in place of the action;
 * {@code stay} does not slip.
 *
 * <p>{@code order} is a word over the marks: what must be entered in turn, such as a key, a door
 * and a goal. How much of it is done is part of the state (a reward machine, Toro Icarte et al.
 * 2018), and a mark of the order counts as entered only where it is the next one. Episodes end when
 * all is done, and in the cells of {@code end}.
 *
 * <p>The cells of the mark {@code tend} are each fresh or not, which is part of the state too: a
 * cell that is entered becomes fresh, and every fresh cell that is not stood on stops being so with
 * probability {@code decay} per step.
 *
 * <p>Scores per token, of the state after it, beside those of every process: {@code at_X} for each
 * letter or digit {@code X} on the map, 1 where such a cell was entered; {@code bump}, 1 where the
 * cell stayed the same; {@code done}, the share of the order that is done; {@code fresh}, the share
 * of tended cells that are fresh; {@code message}, what happened as one number (0 nothing, 1 a
 * bump, then the marks in their order), and {@code message_count}, how often that had happened by
 * now; {@code score}, 1 where the order was completed plus {@code fresh}. Per episode: {@code
 * success}, 1 where the order was completed, and {@code return}.
 *
 * <p>With {@code helpful}, marks whose messages an annotator calls helpful, there are also, per
 * token, {@code annotation}, 1 where it says so of the message, with errors of probability {@code
 * annotation_noise} that are drawn anew for every step of every episode, and {@code recollection},
 * with one draw for each message. The annotator is asked of a share {@code annotation_rate} of the
 * steps, drawn at random: {@code annotated} is 1 there. It stands in for a person or a language
 * model.
 *
 * <p>Arguments: {@code map} (a list of rows), {@code order} ({@code "G"} if the map has that mark),
 * {@code end} (none), {@code tend} (none), {@code decay} (0.1), {@code slip} (0), {@code stay}
 * (false), {@code helpful} (none), {@code annotation_noise} (0), {@code annotation_rate} (1),
 * {@code horizon} (64), {@code discount} (0.95), and what every process takes.
 */
public final class GridWorld implements TaskProvider {
  private static final int MAXIMUM_STATES = 1 << 13;
  private static final int MAXIMUM_TENDED = 8;

  @Override
  public String name() {
    return "grid";
  }

  @Override
  public String summary() {
    return "walks over a map with marks to enter, in order or not";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    return new World(arguments).task(arguments, CounterRandom.of(seed).stream("grid"));
  }

  /**
   * The walks without what makes a task of them: for each mark a reward of its name, 1 for being in
   * such a cell, whatever is done.
   *
   * @param arguments those of the task that say how one walks: {@code map}, {@code order}, {@code
   *     end}, {@code tend}, {@code decay}, {@code slip}, {@code stay}
   */
  public static DecisionProcess process(Arguments arguments, double discount) {
    World world = new World(arguments);
    DecisionProcess.Builder walks = world.walks();
    world.rewards().forEach(walks::reward);
    return walks.discount(discount).build();
  }

  /** A cell, how many marks of the order are done, and which tended cells are fresh, as bits. */
  private record State(int cell, int done, int fresh) {}

  /** The map and its states. */
  private static final class World {
    private final List<String> rows;
    private final int width;
    private final String order;
    private final String end;
    private final String tend;
    private final double decay;
    private final double slip;
    private final int[] tended;
    private final List<int[]> moves = new ArrayList<>();
    private final List<String> actions = new ArrayList<>();
    private final Map<State, Integer> numbers = new LinkedHashMap<>();
    private final List<State> states = new ArrayList<>();
    private final TreeSet<Character> marks = new TreeSet<>();

    World(Arguments arguments) {
      rows = arguments.texts("map").orElseThrow(() -> arguments.missing("map", "a list of rows"));
      width = rows.isEmpty() ? 0 : rows.getFirst().length();
      if (width == 0 || rows.stream().anyMatch(row -> row.length() != width)) {
        throw arguments.wrong("map", "rows of one length, at least 1", rows);
      }
      String all = String.join("", rows);
      all.chars().filter(c -> "#.S".indexOf(c) < 0).forEach(c -> marks.add((char) c));
      if (all.indexOf('S') < 0) {
        throw arguments.wrong("map", "a map with a cell `S`, in which episodes start", rows);
      }
      order = marked(arguments, "order", marks.contains('G') ? "G" : "");
      end = marked(arguments, "end", "");
      tend = marked(arguments, "tend", "");
      decay = arguments.real("decay", 0.1, 0, 1);
      slip = arguments.real("slip", 0, 0, 1);
      if (rows.size() > 1) {
        act("up", -1, 0);
        act("down", 1, 0);
      }
      act("left", 0, -1);
      act("right", 0, 1);
      if (arguments.flag("stay", false)) {
        actions.add("stay");
      }
      tended = all.chars().filter(c -> tend.indexOf(c) >= 0).toArray();
      int cell = 0;
      for (int i = 0; i < all.length(); i++) {
        if (tend.indexOf(all.charAt(i)) >= 0) {
          tended[cell++] = i;
        }
      }
      if (tended.length > MAXIMUM_TENDED) {
        throw arguments.wrong("tend", "at most %d cells".formatted(MAXIMUM_TENDED), tended.length);
      }
    }

    private String marked(Arguments arguments, String name, String otherwise) {
      String word = arguments.text(name).orElse(otherwise);
      for (char c : word.toCharArray()) {
        if (!marks.contains(c)) {
          throw arguments.wrong(name, "made of the marks on the map, " + marks, word);
        }
      }
      return word;
    }

    private void act(String action, int down, int right) {
      actions.add(action);
      moves.add(new int[] {down, right});
    }

    private char mark(int cell) {
      return rows.get(cell / width).charAt(cell % width);
    }

    private int moved(int cell, int[] move) {
      int row = cell / width + move[0];
      int column = cell % width + move[1];
      boolean inside = row >= 0 && row < rows.size() && column >= 0 && column < width;
      return inside && mark(row * width + column) != '#' ? row * width + column : cell;
    }

    private boolean over(State state) {
      return (!order.isEmpty() && state.done() == order.length())
          || end.indexOf(mark(state.cell())) >= 0;
    }

    private int number(State state) {
      Integer known = numbers.get(state);
      if (known != null) {
        return known;
      }
      if (states.size() == MAXIMUM_STATES) {
        throw new IllegalArgumentException(
            "task `grid` has more than %d states; use a smaller map, or fewer marks in `order` and"
                    .formatted(MAXIMUM_STATES)
                + " `tend`");
      }
      numbers.put(state, states.size());
      states.add(state);
      return states.size() - 1;
    }

    /** The states that follow by a move, with their probabilities. */
    private Map<State, Double> entered(State from, int[] move) {
      int cell = moved(from.cell(), move);
      boolean next = from.done() < order.length() && order.charAt(from.done()) == mark(cell);
      int done = from.done() + (next ? 1 : 0);
      Map<Integer, Double> fresh = new LinkedHashMap<>(Map.of(0, 1.0));
      for (int bit = 0; bit < tended.length; bit++) {
        double stays = tended[bit] == cell ? 1 : (from.fresh() >> bit & 1) == 1 ? 1 - decay : 0;
        Map<Integer, Double> more = new LinkedHashMap<>();
        for (Map.Entry<Integer, Double> entry : fresh.entrySet()) {
          if (stays > 0) {
            more.merge(entry.getKey() | 1 << bit, entry.getValue() * stays, Double::sum);
          }
          if (stays < 1) {
            more.merge(entry.getKey(), entry.getValue() * (1 - stays), Double::sum);
          }
        }
        fresh = more;
      }
      Map<State, Double> law = new LinkedHashMap<>();
      fresh.forEach((bits, probability) -> law.put(new State(cell, done, bits), probability));
      return law;
    }

    private Map<State, Double> law(State from, int action) {
      int[] still = {0, 0};
      if (action >= moves.size()) {
        return entered(from, still);
      }
      Map<State, Double> law = new LinkedHashMap<>();
      if (slip < 1) {
        entered(from, moves.get(action))
            .forEach((s, p) -> law.merge(s, (1 - slip) * p, Double::sum));
      }
      if (slip > 0) {
        for (int[] move : moves) {
          entered(from, move).forEach((s, p) -> law.merge(s, slip / moves.size() * p, Double::sum));
        }
      }
      return law;
    }

    private record Followed(int state, int action, int next, double probability) {}

    /** The walks, from the states in which episodes start. */
    DecisionProcess.Builder walks() {
      for (int cell = 0; cell < rows.size() * width; cell++) {
        if (mark(cell) == 'S') {
          number(new State(cell, 0, 0));
        }
      }
      int starts = states.size();
      List<Followed> followed = new ArrayList<>();
      for (int s = 0; s < states.size(); s++) {
        State from = states.get(s);
        for (int a = 0; a < actions.size(); a++) {
          int state = s;
          int action = a;
          if (over(from)) {
            followed.add(new Followed(s, a, s, 1));
          } else {
            law(from, a)
                .forEach((next, p) -> followed.add(new Followed(state, action, number(next), p)));
          }
        }
      }
      DecisionProcess.Builder builder = DecisionProcess.builder(states.size(), actions.size());
      followed.forEach(f -> builder.transition(f.state(), f.action(), f.next(), f.probability()));
      double[] start = new double[states.size()];
      Arrays.fill(start, 0, starts, 1.0 / starts);
      return builder
          .start(start)
          .stateNames(states.stream().map(this::show).toList())
          .actionNames(actions);
    }

    /** For each mark the reward of being in its cells: 1 there, whatever is done. */
    Map<String, double[][]> rewards() {
      Map<String, double[][]> rewards = new LinkedHashMap<>();
      for (char mark : marks) {
        double[][] reward = new double[states.size()][actions.size()];
        for (int s = 0; s < reward.length; s++) {
          Arrays.fill(reward[s], mark(states.get(s).cell()) == mark ? 1 : 0);
        }
        rewards.put(String.valueOf(mark), reward);
      }
      return rewards;
    }

    Task task(Arguments arguments, CounterRandom random) {
      DecisionProcess process =
          walks()
              .horizon(ProcessTask.horizon(arguments))
              .discount(ProcessTask.discount(arguments))
              .build();
      ProcessTask.Builder task = scored(new ProcessTask.Builder("grid", process));
      String helpful = marked(arguments, "helpful", "");
      if (!helpful.isEmpty()) {
        double noise = arguments.real("annotation_noise", 0, 0, 1);
        double rate = arguments.real("annotation_rate", 1, 0, 1);
        annotate(task, new Annotator(helpful, noise, rate, random.stream("annotator")));
      }
      return task.build(arguments, random);
    }

    /** Marks whose messages are called helpful, how often that is wrong, and how often asked. */
    private record Annotator(String helpful, double noise, double rate, CounterRandom random) {}

    /** What the annotator says of the message of each step. */
    private void annotate(ProcessTask.Builder task, Annotator annotator) {
      List<Character> listed = List.copyOf(marks);
      boolean[] errs = new boolean[2 + listed.size()];
      CounterRandom own = annotator.random().stream("recollection");
      for (int m = 0; m < errs.length; m++) {
        errs[m] = own.nextDouble() < annotator.noise();
      }
      task.score(
          "recollection",
          (s, a, next) -> helpful(annotator, s, next) != errs[message(s, next)] ? 1 : 0);
      task.history(
          "annotation",
          response -> {
            double[] draws = draws(annotator.random(), response);
            for (int t = 0; t < draws.length; t++) {
              int state = response.states()[t] % states.size();
              int next = response.states()[t + 1] % states.size();
              draws[t] = helpful(annotator, state, next) != draws[t] < annotator.noise() ? 1 : 0;
            }
            return draws;
          });
      CounterRandom asked = annotator.random().stream("asked");
      task.history(
          "annotated",
          response ->
              Arrays.stream(draws(asked, response))
                  .map(x -> x < annotator.rate() ? 1 : 0)
                  .toArray());
    }

    /** A uniform number per step; the same for the same episode, whoever asks and how often. */
    private static double[] draws(CounterRandom random, Task.Response response) {
      CounterRandom own =
          random.stream(Arrays.hashCode(response.tokens()), Arrays.hashCode(response.states()));
      double[] draws = new double[response.length()];
      Arrays.setAll(draws, t -> own.nextDouble());
      return draws;
    }

    private boolean helpful(Annotator annotator, int state, int next) {
      return annotator.helpful().indexOf(happened(state, next)) >= 0;
    }

    private int message(int state, int next) {
      int mark = List.copyOf(marks).indexOf(happened(state, next));
      return mark >= 0 ? 2 + mark : bumped(state, next) ? 1 : 0;
    }

    private String show(State state) {
      String place = state.cell() / width + "," + state.cell() % width;
      String done = order.isEmpty() ? "" : " done " + state.done();
      return place + done + (tended.length == 0 ? "" : " fresh " + state.fresh());
    }

    private ProcessTask.Builder scored(ProcessTask.Builder task) {
      List<Character> listed = List.copyOf(marks);
      for (char mark : listed) {
        if (Character.isLetterOrDigit(mark)) {
          task.score("at_" + mark, (s, a, next) -> happened(s, next) == mark ? 1 : 0);
        }
      }
      task.score("bump", (s, a, next) -> bumped(s, next) ? 1 : 0);
      task.values("message", 2 + listed.size(), (s, a, next) -> message(s, next));
      if (!order.isEmpty()) {
        ProcessTask.StepScore completed =
            (s, a, next) ->
                states.get(next).done() == order.length() && states.get(s).done() < order.length()
                    ? 1
                    : 0;
        task.reached("success", completed);
        task.score("done", (s, a, next) -> (double) states.get(next).done() / order.length());
        task.score("score", (s, a, next) -> completed.at(s, a, next) + fresh(next));
      }
      if (tended.length > 0) {
        task.score("fresh", (s, a, next) -> fresh(next));
      }
      if (order.isEmpty() && tended.length > 0) {
        task.score("score", (s, a, next) -> fresh(next));
      }
      return task.place(s -> states.get(s).cell());
    }

    private double fresh(int state) {
      return tended.length == 0
          ? 0
          : (double) Integer.bitCount(states.get(state).fresh()) / tended.length;
    }

    private boolean bumped(int state, int next) {
      return states.get(state).cell() == states.get(next).cell();
    }

    /** The mark that was entered, as far as it counts; {@code .} for none. */
    private char happened(int state, int next) {
      char mark = mark(states.get(next).cell());
      if (order.indexOf(mark) >= 0) {
        return states.get(next).done() > states.get(state).done() ? mark : '.';
      }
      return marks.contains(mark) ? mark : '.';
    }
  }
}
