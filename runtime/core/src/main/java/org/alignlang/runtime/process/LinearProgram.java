package org.alignlang.runtime.process;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.commons.math3.exception.TooManyIterationsException;
import org.apache.commons.math3.optim.MaxIter;
import org.apache.commons.math3.optim.PointValuePair;
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
 * simplex method of Commons Math with Bland's rule, which cannot cycle.
 */
public final class LinearProgram {
  private static final int MAXIMUM_ITERATIONS = 100_000;

  private final int variables;
  private final boolean nonNegative;
  private final List<LinearConstraint> constraints = new ArrayList<>();

  /**
   * @param variables how many there are
   * @param nonNegative whether all of them are at least 0; otherwise they are free
   */
  public LinearProgram(int variables, boolean nonNegative) {
    this.variables = variables;
    this.nonNegative = nonNegative;
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

  /** Requires {@code least <= x_i <= most} for one variable. */
  public LinearProgram between(int variable, double least, double most) {
    double[] row = new double[variables];
    row[variable] = 1;
    return atLeast(row, least).atMost(row, most);
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
      PointValuePair optimum =
          new SimplexSolver()
              .optimize(
                  new LinearObjectiveFunction(objective, 0),
                  new LinearConstraintSet(constraints),
                  GoalType.MAXIMIZE,
                  new NonNegativeConstraint(nonNegative),
                  new MaxIter(MAXIMUM_ITERATIONS),
                  PivotSelectionRule.BLAND);
      return Optional.of(new Solution(optimum.getPoint(), optimum.getValue()));
    } catch (NoFeasibleSolutionException e) {
      return Optional.empty();
    } catch (UnboundedSolutionException e) {
      throw new IllegalArgumentException("the linear programme has no bounded optimum", e);
    } catch (TooManyIterationsException e) {
      throw new IllegalArgumentException(
          "the linear programme of %d variables and %d constraints is too large"
              .formatted(variables, constraints.size()),
          e);
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
