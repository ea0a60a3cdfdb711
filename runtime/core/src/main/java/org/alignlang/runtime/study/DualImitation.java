package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.Occupancy;
import org.alignlang.runtime.process.Planning;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;

/**
 * Study {@code dual_imitation}: an expert's occupancy measure recovered with the help of data of
 * another policy, which need not cover it.
 *
 * <p>{@code dual} minimises the chi-squared divergence of {@code b d + (1 - b) d_S} from {@code m =
 * b d_E + (1 - b) d_S} over occupancies {@code d}, by its unconstrained dual over values: {@code
 * min_V b (1 - g) <start, V> + <m, f*(y)> - (1 - b) <d_S, y>}, {@code y(s, a) = g E V(s') - V(s)},
 * {@code f*(y) = y + y^2 / 4} for {@code y > -2} and {@code -1} below. The ratio is {@code w =
 * max(0, 1 + y / 2)}, and {@code d = (w m - (1 - b) d_S) / b}. Damped Newton steps; values start at
 * normal numbers from the seed. {@code support} maximises the sum of {@code log(d_E / d_S)} by
 * actions that the other data contains, as methods do that estimate this ratio on it.
 *
 * <p>Source: Sikchi et al. 2024 (Dual RL: ReCOIL), section 4; f* of chi-squared with the constraint
 * {@code w >= 0}.
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}), the names of two of its rewards, {@code
 * expert} and {@code other}, whose optimal policies gave {@code d_E} and {@code d_S}; {@code share}
 * b (0.5), {@code method} ({@code dual} or {@code support}), {@code steps} (100).
 */
public final class DualImitation implements StudyProvider {
  private static final double SMALLEST = 1e-12;

  @Override
  public String name() {
    return "dual_imitation";
  }

  @Override
  public String summary() {
    return "an expert's occupancy recovered with data of another policy that does not cover it";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("coverage", "mass of d_E on pairs other than the first that d_S has");
    quantities.put("distance", "sum |d - d_E| / 2 of the occupancy of the recovered policy");
    quantities.put("residual", "largest |d - d_E| of the dual's d itself; 0 for `support`");
    quantities.put("recovered", "occupancy of the expert's goal by the recovered policy");
    quantities.put("expert", "occupancy of the expert's goal by the expert");
    return quantities;
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("dual_imitation");
    DecisionProcess process =
        ProcessArgument.read(
            arguments,
            "process",
            ProcessArgument.component("grid", Map.of("map", List.of("L..S..G"), "end", "L")),
            random);
    double[][] goal = process.reward(arguments.text("expert").orElse("G"));
    double[][] wrong = process.reward(arguments.text("other").orElse("L"));
    double share = arguments.real("share", 0.5, 0.01, 0.99);
    String method = arguments.word("method", List.of("dual", "support")).orElse("dual");
    int steps = arguments.integer("steps", 100, 1, 10_000);
    arguments.requireAllRead();

    double[][] expert = Occupancy.pairs(process, Planning.optimal(process, goal).policy());
    double[][] other = Occupancy.pairs(process, Planning.optimal(process, wrong).policy());
    double residual = 0;
    double[][] policy;
    if (method.equals("dual")) {
      double[] start = Draws.normals(random, process.states(), 1);
      double[][] d = new Dual(process, expert, other, share).solve(start, steps);
      for (int s = 0; s < d.length; s++) {
        for (int a = 0; a < d[s].length; a++) {
          residual = Math.max(residual, Math.abs(d[s][a] - expert[s][a]));
          d[s][a] = d[s][a] > SMALLEST ? d[s][a] : 0;
        }
      }
      policy = Occupancy.policy(d);
    } else {
      policy = onSupport(process, expert, other);
    }
    double[][] recovered = Occupancy.pairs(process, policy);
    double distance = 0;
    double covered = 0;
    for (int s = 0; s < recovered.length; s++) {
      for (int a = 0; a < recovered[s].length; a++) {
        distance += Math.abs(recovered[s][a] - expert[s][a]) / 2;
        covered += other[s][a] > SMALLEST && process.start(s) == 0 ? expert[s][a] : 0;
      }
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("coverage", new double[] {covered});
    found.put("distance", new double[] {distance});
    found.put("residual", new double[] {residual});
    found.put("recovered", new double[] {Tables.dot(recovered, goal)});
    found.put("expert", new double[] {Tables.dot(expert, goal)});
    return new Findings(found);
  }

  /** The optimum of {@code log(d_E / d_S)} among actions in the data; uniform where it has none. */
  private static double[][] onSupport(
      DecisionProcess process, double[][] expert, double[][] other) {
    double[][] reward = new double[process.states()][process.actions()];
    double worst = Math.log(SMALLEST) * 2 / (1 - process.discount());
    for (int s = 0; s < reward.length; s++) {
      boolean seen = Arrays.stream(other[s]).anyMatch(x -> x > SMALLEST);
      for (int a = 0; a < reward[s].length; a++) {
        boolean covered = other[s][a] > SMALLEST;
        reward[s][a] =
            covered ? Math.log(Math.max(expert[s][a], SMALLEST) / other[s][a]) : seen ? worst : 0;
      }
    }
    Planning.Stationary plan = Planning.optimal(process, reward);
    double[][] policy = Tables.uniform(process.states(), process.actions());
    for (int s = 0; s < policy.length; s++) {
      if (Arrays.stream(other[s]).anyMatch(x -> x > SMALLEST)) {
        policy[s] = plan.policy()[s];
      }
    }
    return policy;
  }

  /** The convex dual problem over values. */
  static final class Dual {
    private final DecisionProcess process;
    private final double[][] other;
    private final double[][] mixture;
    private final double share;

    Dual(DecisionProcess process, double[][] expert, double[][] other, double share) {
      this.process = process;
      this.other = other;
      this.share = share;
      mixture = Tables.mix(share, expert, other);
    }

    /** The occupancy at the dual's minimiser, {@code [S][A]}. */
    double[][] solve(double[] start, int steps) {
      double[] v = start.clone();
      for (int step = 0; step < steps; step++) {
        Studies.nextRound();
        double[] gradient = gradient(v);
        double norm = Math.sqrt(Tables.dot(gradient, gradient));
        if (norm < 1e-14) {
          break;
        }
        double[] direction = newton(v, gradient);
        double slope = Tables.dot(direction, gradient);
        double value = value(v);
        double length = 1;
        while (length > 1e-10
            && value(moved(v, direction, length)) > value + 1e-4 * length * slope) {
          length /= 2;
        }
        v = moved(v, direction, length);
      }
      double[][] y = slack(v);
      double[][] d = Tables.copy(y);
      for (int s = 0; s < d.length; s++) {
        for (int a = 0; a < d[s].length; a++) {
          double ratio = Math.max(0, 1 + y[s][a] / 2);
          d[s][a] = (ratio * mixture[s][a] - (1 - share) * other[s][a]) / share;
        }
      }
      return d;
    }

    double value(double[] v) {
      double[][] y = slack(v);
      double sum = share * (1 - process.discount()) * Tables.dot(process.start(), v);
      for (int s = 0; s < y.length; s++) {
        for (int a = 0; a < y[s].length; a++) {
          double conjugate = y[s][a] > -2 ? y[s][a] + y[s][a] * y[s][a] / 4 : -1;
          sum += mixture[s][a] * conjugate - (1 - share) * other[s][a] * y[s][a];
        }
      }
      return sum;
    }

    double[] gradient(double[] v) {
      double[][] y = slack(v);
      double[] gradient = process.start();
      for (int s = 0; s < gradient.length; s++) {
        gradient[s] *= share * (1 - process.discount());
      }
      for (int s = 0; s < y.length; s++) {
        for (int a = 0; a < y[s].length; a++) {
          double ratio = Math.max(0, 1 + y[s][a] / 2);
          double weight = mixture[s][a] * ratio - (1 - share) * other[s][a];
          double[] row = row(s, a);
          for (int i = 0; i < row.length; i++) {
            gradient[i] += weight * row[i];
          }
        }
      }
      return gradient;
    }

    private double[] newton(double[] v, double[] gradient) {
      double[][] y = slack(v);
      int states = v.length;
      double[][] hessian = new double[states][states];
      for (int s = 0; s < states; s++) {
        // The divergence is blind to values of states that no data reaches.
        hessian[s][s] += 1e-10;
        for (int a = 0; a < y[s].length; a++) {
          double weight = y[s][a] > -2 ? mixture[s][a] / 2 : 0;
          double[] row = row(s, a);
          for (int i = 0; i < states && weight > 0; i++) {
            for (int j = 0; j < states; j++) {
              hessian[i][j] += weight * row[i] * row[j];
            }
          }
        }
      }
      double[] solved =
          new CholeskyDecomposition(new Array2DRowRealMatrix(hessian, false), 1e-9, 0)
              .getSolver()
              .solve(new ArrayRealVector(gradient, false))
              .toArray();
      return Arrays.stream(solved).map(x -> -x).toArray();
    }

    /** {@code g E V(s') - V(s)}. */
    private double[][] slack(double[] v) {
      double[][] y =
          Evaluation.actionValues(process, new double[process.states()][process.actions()], v);
      for (int s = 0; s < y.length; s++) {
        for (int a = 0; a < y[s].length; a++) {
          y[s][a] -= v[s];
        }
      }
      return y;
    }

    /** The derivative of the slack of a state and an action with respect to the values. */
    private double[] row(int state, int action) {
      double[] row = new double[process.states()];
      row[state] -= 1;
      for (int i = 0; i < process.successors(state, action); i++) {
        row[process.successor(state, action, i)] +=
            process.discount() * process.probability(state, action, i);
      }
      return row;
    }

    private static double[] moved(double[] v, double[] direction, double length) {
      double[] moved = v.clone();
      for (int i = 0; i < moved.length; i++) {
        moved[i] += length * direction[i];
      }
      return moved;
    }
  }
}
