package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.MatrixGame;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code self_play}: two players of a zero-sum matrix game learn against each other.
 *
 * <p>The row player gets {@code f(p, q) = p' A q + tau H(p) - tau H(q)}, which the column player
 * loses; with {@code tau = 0} that is the game itself. Both step at once by entropic mirror
 * descent, {@code log p += rate (A q - tau log p)}, and the like for {@code q}. Methods:
 *
 * <ul>
 *   <li>{@code mirror_descent}: the gradients at the players' present policies (multiplicative
 *       weights)
 *   <li>{@code optimistic}: twice these less the gradients of the step before
 *   <li>{@code mirror_prox}: a step to look ahead, and then, from where they were, the step with
 *       the gradients there
 * </ul>
 *
 * <p>The duality gap {@code max over p of f(p, q) - min over q of f(p, q)} is 0 at the equilibrium
 * alone. Without a temperature mirror descent circles and only its average converges; the other two
 * converge themselves.
 *
 * <p>Source: Nemirovski 2004 (mirror-prox); Rakhlin and Sridharan 2013, Daskalakis et al. 2018
 * (optimism); the regularised step is that of magnetic mirror descent (Sokota et al. 2023).
 *
 * <p>Arguments: {@code payoff} A, row by row; {@code rows} (the root of how many numbers there
 * are); {@code method} ({@code mirror_descent}), {@code temperature} tau (0), {@code rate} (0.1),
 * {@code steps} (1000), {@code start} (1), the standard deviation of the logits that both start
 * from.
 */
public final class SelfPlay implements StudyProvider {
  private static final List<String> METHODS =
      List.of("mirror_descent", "optimistic", "mirror_prox");

  @Override
  public String name() {
    return "self_play";
  }

  @Override
  public String summary() {
    return "two players of a matrix game who learn against each other";
  }

  @Override
  public Map<String, String> quantities() {
    return Map.of(
        "gap", "duality gap of the policies at each step",
        "average_gap", "duality gap of the averages of the policies so far, without temperature",
        "payoff", "what the row player gets at each step, p' A q",
        "game_value", "the value of the game, by linear programming");
  }

  @Override
  public Set<String> lists() {
    return Set.of("payoff");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    double[] flat =
        arguments
            .reals("payoff", -1e6, 1e6)
            .orElseThrow(() -> arguments.missing("payoff", "what the row player gets, row by row"));
    int root = (int) Math.sqrt(flat.length);
    if (!arguments.has("rows") && root * root != flat.length) {
      throw arguments.wrong(
          "payoff", "as many rows as columns, where `rows` is not given", flat.length + " numbers");
    }
    int rows = arguments.integer("rows", root, 1, 1024);
    if (flat.length == 0 || flat.length % rows != 0) {
      throw arguments.wrong(
          "payoff", "%d rows of one length".formatted(rows), flat.length + " numbers");
    }
    String method = arguments.word("method", METHODS).orElse("mirror_descent");
    double temperature = arguments.real("temperature", 0, 0, 1e6);
    double rate = arguments.above("rate", 0.1, 0);
    int steps = arguments.integer("steps", 1000, 1, 1_000_000);
    double start = arguments.real("start", 1, 0, 100);
    arguments.requireAllRead();

    double[][] payoff = ProcessArgument.rows(flat, flat.length / rows);
    MatrixGame game = new MatrixGame(payoff);
    CounterRandom random = CounterRandom.of(seed).stream("self_play");
    Players now =
        new Players(
            normalised(Draws.normals(random, rows, start)),
            normalised(Draws.normals(random, payoff[0].length, start)));
    Players before = now.gradient(payoff, temperature);
    double[] sumRow = new double[rows];
    double[] sumColumn = new double[payoff[0].length];
    double[] gap = new double[steps + 1];
    double[] averageGap = new double[steps + 1];
    double[] gets = new double[steps + 1];
    for (int step = 0; step <= steps; step++) {
      Studies.nextRound();
      Players gradient = now.gradient(payoff, temperature);
      Players ahead = now.plus(rate, gradient);
      Players played = method.equals("mirror_prox") ? ahead : now;
      add(sumRow, exponentials(played.row()));
      add(sumColumn, exponentials(played.column()));
      gap[step] = now.gap(game, payoff, temperature);
      averageGap[step] = game.gap(scaled(sumRow, step + 1), scaled(sumColumn, step + 1));
      gets[step] = game.value(exponentials(now.row()), exponentials(now.column()));
      now =
          switch (method) {
            case "mirror_descent" -> ahead;
            case "optimistic" -> ahead.plus(rate, gradient).plus(-rate, before);
            default -> now.plus(rate, ahead.gradient(payoff, temperature));
          };
      before = gradient;
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("gap", gap);
    found.put("average_gap", averageGap);
    found.put("payoff", gets);
    found.put("game_value", new double[] {game.nash().value()});
    return new Findings(found);
  }

  /** Both players' logarithms of probabilities, or a direction in them. */
  private record Players(double[] row, double[] column) {

    /** What each wants more of: {@code A q - tau log p} and {@code -A' p - tau log q}. */
    Players gradient(double[][] payoff, double temperature) {
      double[] p = exponentials(row);
      double[] q = exponentials(column);
      double[] forRow = new double[row.length];
      double[] forColumn = new double[column.length];
      for (int i = 0; i < row.length; i++) {
        forRow[i] = Tables.dot(payoff[i], q) - temperature * row[i];
        for (int j = 0; j < column.length; j++) {
          forColumn[j] -= p[i] * payoff[i][j];
        }
      }
      for (int j = 0; j < column.length; j++) {
        forColumn[j] -= temperature * column[j];
      }
      return new Players(forRow, forColumn);
    }

    Players plus(double rate, Players direction) {
      return new Players(
          normalised(moved(row, rate, direction.row)),
          normalised(moved(column, rate, direction.column)));
    }

    /** The duality gap; with a temperature both best answers are log-sum-exps. */
    double gap(MatrixGame game, double[][] payoff, double temperature) {
      double[] p = exponentials(row);
      double[] q = exponentials(column);
      if (temperature == 0) {
        return game.gap(p, q);
      }
      Players plain = gradient(payoff, 0);
      return best(plain.row, temperature)
          + best(plain.column, temperature)
          - temperature * (entropy(row) + entropy(column));
    }

    /** {@code max over p of p' x + tau H(p)}. */
    private static double best(double[] x, double temperature) {
      double largest = Arrays.stream(x).max().orElseThrow();
      return largest
          + temperature
              * Math.log(Arrays.stream(x).map(v -> Math.exp((v - largest) / temperature)).sum());
    }
  }

  private static double entropy(double[] logProbabilities) {
    return -Arrays.stream(logProbabilities).map(x -> Math.exp(x) * x).sum();
  }

  private static double[] moved(double[] from, double rate, double[] direction) {
    double[] moved = new double[from.length];
    Arrays.setAll(moved, i -> from[i] + rate * direction[i]);
    return moved;
  }

  private static double[] normalised(double[] logits) {
    double largest = Arrays.stream(logits).max().orElseThrow();
    double sum = largest + Math.log(Arrays.stream(logits).map(x -> Math.exp(x - largest)).sum());
    return Arrays.stream(logits).map(x -> x - sum).toArray();
  }

  private static double[] exponentials(double[] logarithms) {
    return Arrays.stream(logarithms).map(Math::exp).toArray();
  }

  private static void add(double[] sum, double[] more) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += more[i];
    }
  }

  private static double[] scaled(double[] sum, double by) {
    return Arrays.stream(sum).map(x -> x / by).toArray();
  }
}
