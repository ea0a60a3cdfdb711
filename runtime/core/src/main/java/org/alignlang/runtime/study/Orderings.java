package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Enumeration;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.LinearProgram;
import org.alignlang.runtime.process.Occupancy;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.RealMatrix;

/**
 * Study {@code orderings}: which forms of objective can state a given ordering of a finite set of
 * policies.
 *
 * <p>A form whose value is linear in free numbers {@code w} with coefficients {@code x_i} for
 * policy {@code i} can state the ordering if and only if the linear programme {@code <w, x_i - x_j>
 * >= m} for {@code i} above {@code j}, {@code <w, x_i - x_j> = 0} for ties, {@code |w| <= 1} has a
 * solution of margin {@code m > 0}. The coefficients are: for a Markov reward the discounted
 * occupancies; for an average reward the long-run occupancies; for a function of trajectories the
 * probabilities of the histories of {@code steps} steps; for a regularised reward the occupancies
 * and the expected negative entropy of the policy.
 *
 * <p>Source: Subramani et al., "On the Expressivity of Objective-Specification Formalisms in
 * Reinforcement Learning", 2023, for the forms; the decision procedures are linear duality.
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}); {@code policies}, the probabilities of
 * the actions, state by state, policy by policy; {@code ranks}, a number per policy, the better the
 * larger, equal for ties; {@code steps} (2); {@code reward}, numbers by state and action (0).
 */
public final class Orderings implements StudyProvider {
  private static final double POSITIVE = 1e-7;
  private static final int MAXIMUM_STATES = 12;
  private static final int MAXIMUM_HISTORIES = 2000;
  private static final int SQUARINGS = 60;

  @Override
  public String name() {
    return "orderings";
  }

  @Override
  public String summary() {
    return "which forms of objective can state an ordering of policies";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("markov", "1 if the expected discounted sum of some reward states it, else 0");
    quantities.put("average", "1 if the average of some reward does");
    quantities.put("trajectory", "1 if the expectation of some function of the trajectory does");
    quantities.put("regularised", "1 if some reward less some share of the negative entropy does");
    quantities.put("eventually", "1 if the probability of reaching some set of states does");
    quantities.put("function", "1 if some function of the return of the given reward does");
    quantities.put("value", "return of the given reward, one number per policy");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("policies", "ranks", "reward");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    DecisionProcess process =
        ProcessArgument.read(
            arguments,
            "process",
            ProcessArgument.component("chain", Map.of()),
            CounterRandom.of(seed).stream("orderings"));
    double[][][] policies = policies(arguments, process);
    int[] ranks =
        arguments
            .integers("ranks", -1_000_000, 1_000_000)
            .orElseThrow(() -> arguments.missing("ranks", "a number per policy"));
    if (ranks.length != policies.length) {
      throw arguments.wrong(
          "ranks", "%d numbers, one per policy".formatted(policies.length), ranks.length);
    }
    int steps = arguments.integer("steps", 2, 1, 32);
    double[][] reward =
        ProcessArgument.numbers(arguments, "reward", process)
            .orElseGet(() -> new double[process.states()][process.actions()]);
    arguments.requireAllRead();

    double[][] discounted = new double[policies.length][];
    double[][] average = new double[policies.length][];
    double[][] regularised = new double[policies.length][];
    double[] value = new double[policies.length];
    for (int i = 0; i < policies.length; i++) {
      Studies.nextRound();
      double[][] occupancy = Occupancy.pairs(process, policies[i]);
      discounted[i] = flat(occupancy);
      average[i] = flat(longRun(process, policies[i]));
      regularised[i] = Arrays.copyOf(discounted[i], discounted[i].length + 1);
      regularised[i][discounted[i].length] = -negativeEntropy(occupancy, policies[i]);
      value[i] = Evaluation.expectedReturn(process, policies[i], reward);
    }
    double[][] lotteries = lotteries(process, policies, steps);
    int entropy = discounted[0].length;
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("markov", truth(states(discounted, ranks, -1)));
    found.put("average", truth(states(average, ranks, -1)));
    found.put("trajectory", truth(states(lotteries, ranks, -1)));
    found.put("regularised", truth(states(regularised, ranks, entropy)));
    found.put("eventually", truth(eventually(process, policies, ranks)));
    found.put("function", truth(separates(value, ranks)));
    found.put("value", value);
    return new Findings(found);
  }

  private static double[][][] policies(Arguments arguments, DecisionProcess process) {
    double[] flat =
        arguments
            .reals("policies", 0, 1)
            .orElseThrow(() ->
                arguments.missing("policies", "the probabilities of the actions, state by state"));
    int size = process.states() * process.actions();
    if (flat.length == 0 || flat.length % size != 0) {
      throw arguments.wrong(
          "policies", "%d numbers for each policy".formatted(size), flat.length + " numbers");
    }
    double[][][] policies = new double[flat.length / size][][];
    for (int i = 0; i < policies.length; i++) {
      policies[i] =
          ProcessArgument.rows(
              Arrays.copyOfRange(flat, i * size, (i + 1) * size), process.actions());
      for (double[] row : policies[i]) {
        if (Math.abs(Arrays.stream(row).sum() - 1) > 1e-9) {
          throw arguments.wrong(
              "policies",
              "probabilities that sum to 1 in every state",
              "%s in policy %d".formatted(Arrays.toString(row), i + 1));
        }
      }
    }
    return policies;
  }

  /**
   * Whether some {@code w} orders the policies by {@code <w, x_i>}.
   *
   * @param x {@code [policies][coefficients]}
   * @param nonNegative a coefficient whose weight must not be negative, or -1
   */
  static boolean states(double[][] x, int[] ranks, int nonNegative) {
    int width = x[0].length;
    LinearProgram program = new LinearProgram(width + 1, false);
    for (int i = 0; i < width; i++) {
      program.between(i, i == nonNegative ? 0 : -1, 1);
    }
    program.between(width, 0, 1);
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < x.length; j++) {
        if (i == j || ranks[i] < ranks[j] || (ranks[i] == ranks[j] && i > j)) {
          continue;
        }
        double[] row = new double[width + 1];
        for (int k = 0; k < width; k++) {
          row[k] = x[i][k] - x[j][k];
        }
        if (ranks[i] == ranks[j]) {
          program.equal(row, 0);
        } else {
          row[width] = -1;
          program.atLeast(row, 0);
        }
      }
    }
    double[] margin = new double[width + 1];
    margin[width] = 1;
    return program.maximise(margin).orElseThrow().value() > POSITIVE;
  }

  private static double[][] lotteries(DecisionProcess process, double[][][] policies, int steps) {
    List<Enumeration.History> histories = Enumeration.histories(process, steps, MAXIMUM_HISTORIES);
    double[][] lotteries = new double[policies.length][histories.size()];
    for (int i = 0; i < policies.length; i++) {
      double[][] policy = policies[i];
      Arrays.setAll(lotteries[i], k -> histories.get(k).probability(policy));
    }
    return lotteries;
  }

  private static double negativeEntropy(double[][] occupancy, double[][] policy) {
    double sum = 0;
    for (int s = 0; s < policy.length; s++) {
      for (int a = 0; a < policy[s].length; a++) {
        sum += policy[s][a] > 0 ? occupancy[s][a] * Math.log(policy[s][a]) : 0;
      }
    }
    return sum;
  }

  /** How often a policy is in a state and takes an action in the long run. */
  private static double[][] longRun(DecisionProcess process, double[][] policy) {
    double[] d = limit(process, policy, new boolean[process.states()]).preMultiply(process.start());
    double[][] pairs = Tables.copy(policy);
    for (int s = 0; s < d.length; s++) {
      for (int a = 0; a < pairs[s].length; a++) {
        pairs[s][a] *= d[s];
      }
    }
    return pairs;
  }

  /**
   * The limit of the averages of the powers of the chain, with some states made absorbing: the
   * chain that stays with probability 1/2 has the same limit, and its powers themselves converge.
   */
  private static RealMatrix limit(DecisionProcess process, double[][] policy, boolean[] ends) {
    int states = process.states();
    double[][] lazy = new double[states][states];
    for (int s = 0; s < states; s++) {
      lazy[s][s] = ends[s] ? 1 : 0.5;
      for (int a = 0; a < process.actions() && !ends[s]; a++) {
        for (int i = 0; i < process.successors(s, a); i++) {
          lazy[s][process.successor(s, a, i)] += policy[s][a] * process.probability(s, a, i) / 2;
        }
      }
    }
    RealMatrix power = new Array2DRowRealMatrix(lazy, false);
    for (int k = 0; k < SQUARINGS; k++) {
      power = power.multiply(power);
      for (int s = 0; s < states; s++) {
        // Rounding must not let the rows drift from 1 over so many squarings.
        double sum = Arrays.stream(power.getRow(s)).sum();
        power.setRowVector(s, power.getRowVector(s).mapDivide(sum));
      }
    }
    return power;
  }

  private static boolean eventually(DecisionProcess process, double[][][] policies, int[] ranks) {
    int states = process.states();
    if (states > MAXIMUM_STATES) {
      throw new IllegalArgumentException(
          "study `orderings` tries all sets of states, which %d states are too many for: at most %d"
              .formatted(states, MAXIMUM_STATES));
    }
    for (int set = 1; set < 1 << states; set++) {
      boolean[] target = new boolean[states];
      for (int s = 0; s < states; s++) {
        target[s] = (set >> s & 1) == 1;
      }
      double[] reached = new double[policies.length];
      for (int i = 0; i < policies.length; i++) {
        double[] d = limit(process, policies[i], target).preMultiply(process.start());
        for (int s = 0; s < states; s++) {
          reached[i] += target[s] ? d[s] : 0;
        }
      }
      if (orders(reached, ranks)) {
        return true;
      }
    }
    return false;
  }

  private static boolean orders(double[] value, int[] ranks) {
    for (int i = 0; i < value.length; i++) {
      for (int j = 0; j < value.length; j++) {
        double above = value[i] - value[j];
        if (ranks[i] > ranks[j] ? !(above > POSITIVE) : ranks[i] == ranks[j] && above > POSITIVE) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether policies of different rank differ in value, so that a function can tell them apart. */
  private static boolean separates(double[] value, int[] ranks) {
    for (int i = 0; i < value.length; i++) {
      for (int j = 0; j < i; j++) {
        if (ranks[i] != ranks[j] && Math.abs(value[i] - value[j]) <= POSITIVE) {
          return false;
        }
      }
    }
    return new TreeSet<>(Arrays.stream(ranks).boxed().toList()).size() > 1;
  }

  private static double[] flat(double[][] table) {
    return Arrays.stream(table).flatMapToDouble(Arrays::stream).toArray();
  }

  private static double[] truth(boolean holds) {
    return new double[] {holds ? 1 : 0};
  }
}
