package org.alignlang.runtime.process;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.math3.exception.TooManyIterationsException;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.RealVector;
import org.apache.commons.math3.optim.MaxIter;
import org.apache.commons.math3.optim.linear.LinearConstraint;
import org.apache.commons.math3.optim.linear.LinearConstraintSet;
import org.apache.commons.math3.optim.linear.LinearObjectiveFunction;
import org.apache.commons.math3.optim.linear.NoFeasibleSolutionException;
import org.apache.commons.math3.optim.linear.NonNegativeConstraint;
import org.apache.commons.math3.optim.linear.PivotSelectionRule;
import org.apache.commons.math3.optim.linear.Relationship;
import org.apache.commons.math3.optim.linear.SimplexSolver;
import org.apache.commons.math3.optim.linear.UnboundedSolutionException;
import org.apache.commons.math3.optim.nonlinear.scalar.GoalType;

/**
 * A small linear programme: {@code maximise <c, x>} subject to linear constraints, solved by the
 * simplex method of Commons Math with Bland's rule, which cannot cycle. Rounding can lead one order
 * of pivots astray, so a programme that seems unbounded is solved again with Dantzig's rule.
 * Variables with a lower bound are measured from it, as the method is at its best with variables
 * that are not negative.
 */
public final class LinearProgram {
  private static final int MAXIMUM_ITERATIONS = 100_000;

  private final int variables;
  private final double[] least;
  private final List<LinearConstraint> constraints = new ArrayList<>();

  /**
   * @param variables how many there are
   * @param nonNegative whether all of them are at least 0; otherwise they are free
   */
  public LinearProgram(int variables, boolean nonNegative) {
    this.variables = variables;
    least = new double[variables];
    Arrays.fill(least, nonNegative ? 0 : Double.NEGATIVE_INFINITY);
  }

  /**
   * An optimum.
   *
   * @param point the variables
   * @param value of the objective
   */
  public record Solution(double[] point, double value) {}

  /** Requires {@code <row, x> <= bound}. */
  public LinearProgram atMost(double[] row, double bound) {
    return constrain(row, Relationship.LEQ, bound);
  }

  /** Requires {@code <row, x> >= bound}. */
  public LinearProgram atLeast(double[] row, double bound) {
    return constrain(row, Relationship.GEQ, bound);
  }

  /** Requires {@code <row, x> = bound}. */
  public LinearProgram equal(double[] row, double bound) {
    return constrain(row, Relationship.EQ, bound);
  }

  /** Requires {@code low <= x_i <= high} for one variable. */
  public LinearProgram between(int variable, double low, double high) {
    double[] row = new double[variables];
    row[variable] = 1;
    least[variable] = Math.max(least[variable], low);
    return atMost(row, high);
  }

  /** Whether any point satisfies the constraints. */
  public boolean feasible() {
    return maximise(new double[variables]).isPresent();
  }

  /**
   * The optimum, or empty if no point satisfies the constraints.
   *
   * @throws IllegalArgumentException if the objective is unbounded
   */
  public Optional<Solution> maximise(double[] objective) {
    requireWidth(objective);
    try {
      return solve(objective, PivotSelectionRule.BLAND);
    } catch (UnboundedSolutionException | TooManyIterationsException _) {
      try {
        return solve(objective, PivotSelectionRule.DANTZIG);
      } catch (UnboundedSolutionException e) {
        throw new IllegalArgumentException("the linear programme has no bounded optimum", e);
      } catch (TooManyIterationsException e) {
        throw new IllegalArgumentException(
            "the linear programme of %d variables and %d constraints is too large"
                .formatted(variables, constraints.size()),
            e);
      }
    }
  }

  private Optional<Solution> solve(double[] objective, PivotSelectionRule rule) {
    boolean bounded = Arrays.stream(least).allMatch(Double::isFinite);
    double[] origin = bounded ? least : new double[variables];
    List<LinearConstraint> all = new ArrayList<>();
    for (LinearConstraint constraint : constraints) {
      RealVector row = constraint.getCoefficients();
      double offset = row.dotProduct(new ArrayRealVector(origin, false));
      all.add(
          new LinearConstraint(row, constraint.getRelationship(), constraint.getValue() - offset));
    }
    for (int i = 0; i < variables; i++) {
      if (!bounded && Double.isFinite(least[i])) {
        double[] row = new double[variables];
        row[i] = 1;
        all.add(new LinearConstraint(row, Relationship.GEQ, least[i]));
      }
    }
    try {
      double[] point =
          new SimplexSolver()
              .optimize(
                  new LinearObjectiveFunction(objective, 0),
                  new LinearConstraintSet(all),
                  GoalType.MAXIMIZE,
                  new NonNegativeConstraint(bounded),
                  new MaxIter(MAXIMUM_ITERATIONS),
                  rule)
              .getPoint();
      for (int i = 0; i < variables; i++) {
        point[i] += origin[i];
      }
      return Optional.of(new Solution(point, Tables.dot(objective, point)));
    } catch (NoFeasibleSolutionException e) {
      return Optional.empty();
    }
  }

  private LinearProgram constrain(double[] row, Relationship relationship, double bound) {
    requireWidth(row);
    constraints.add(new LinearConstraint(row.clone(), relationship, bound));
    return this;
  }

  private void requireWidth(double[] row) {
    if (row.length != variables) {
      throw new IllegalArgumentException(
          "a row of %d numbers is given for %d variables".formatted(row.length, variables));
    }
  }
}
