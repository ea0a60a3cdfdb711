package org.alignlang.runtime.process;

import java.util.Optional;

/**
 * Planning as a linear programme over occupancy measures: {@code maximise <r, mu>} over {@code mu
 * >= 0} with {@code sum_a mu(s, a) = (1 - g) start(s) + g sum_{s',a'} P(s | s', a') mu(s', a')} and
 * budgets {@code <c, mu> <= b}.
 *
 * <p>Source: Puterman 1994, section 6.9; Altman, "Constrained Markov Decision Processes", 1999.
 */
public final class OccupancyProgram {
  private final DecisionProcess process;
  private final LinearProgram program;

  /** The programme of a process without budgets; the discount must be below 1. */
  public OccupancyProgram(DecisionProcess process) {
    this.process = process;
    double discount = process.discount();
    if (discount >= 1) {
      throw new IllegalArgumentException("an endless horizon needs a discount below 1");
    }
    int actions = process.actions();
    program = new LinearProgram(process.states() * actions, true);
    double[][] flow = new double[process.states()][process.states() * actions];
    for (int s = 0; s < process.states(); s++) {
      for (int a = 0; a < actions; a++) {
        flow[s][s * actions + a] += 1;
        for (int i = 0; i < process.successors(s, a); i++) {
          flow[process.successor(s, a, i)][s * actions + a] -=
              discount * process.probability(s, a, i);
        }
      }
    }
    for (int s = 0; s < process.states(); s++) {
      program.equal(flow[s], (1 - discount) * process.start(s));
    }
  }

  /** Adds the budget {@code <cost, mu> <= bound}; the cost is {@code [S][A]}. */
  public OccupancyProgram atMost(double[][] cost, double bound) {
    program.atMost(flat(cost), bound);
    return this;
  }

  /** The occupancy measure of greatest {@code <reward, mu>}, {@code [S][A]}; empty if none fits. */
  public Optional<double[][]> maximise(double[][] reward) {
    return program.maximise(flat(reward)).map(solution -> table(solution.point()));
  }

  private double[] flat(double[][] table) {
    double[] flat = new double[process.states() * process.actions()];
    for (int s = 0; s < table.length; s++) {
      System.arraycopy(table[s], 0, flat, s * process.actions(), process.actions());
    }
    return flat;
  }

  private double[][] table(double[] flat) {
    double[][] table = new double[process.states()][process.actions()];
    for (int s = 0; s < table.length; s++) {
      System.arraycopy(flat, s * process.actions(), table[s], 0, process.actions());
    }
    return table;
  }
}
