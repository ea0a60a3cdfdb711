package org.alignlang.runtime.optimizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Residual;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.policy.Seeing;
import org.alignlang.runtime.policy.SoftmaxTable;
import org.alignlang.runtime.task.Dynamics;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.CholeskyDecomposition;

/**
 * Natural gradient descent with the exact Fisher matrix: {@code p = p - rate * (F + damping * I)^-1
 * g}, with {@code F} the mean over prompts of {@code sum_y pi(y) s(y) s(y)'} and {@code s = grad
 * log pi}. The step is (but for the damping) the same for every parametrisation of the same
 * policies.
 *
 * <p>The sum is over all responses. For a softmax table of one-token responses the matrix has one
 * block per prompt, {@code (diag(p) - p p') / prompts}, which is inverted in closed form (Sherman
 * and Morrison); otherwise the matrix is formed and solved by Cholesky's decomposition. For a
 * softmax table over the states of a decision process it has one block per state, {@code d(s)
 * (diag(p) - p p')} with the discounted visits {@code d(s) = sum_t discount^t P(s_t = s)}, exact by
 * dynamic programming: the step is then the advantage of each action (Kakade 2001). States that
 * look alike to the policy share a block.
 *
 * <p>Source: Amari, "Natural Gradient Works Efficiently in Learning", Neural Computation 1998;
 * Kakade, "A Natural Policy Gradient", NeurIPS 2001.
 */
public final class NaturalGradient implements Optimizer {
  /** The most responses per prompt that are enumerated. */
  public static final int MAXIMUM_RESPONSES = 4096;

  /** The most multiplications that forming the Fisher matrix may take at each step. */
  private static final double MAXIMUM_WORK = 1 << 29;

  private final Schedule rate;
  private final double damping;
  private final Policy policy;
  private final int prompts;
  private final boolean blocks;
  private final Optional<Dynamics> dynamics;
  private final double discount;
  private final int[] seen;
  private final List<List<Response>> responses = new ArrayList<>();

  /**
   * Creates the optimiser of one policy on one task.
   *
   * @param rate the step size
   * @param damping added to the diagonal of the Fisher matrix, above 0
   * @throws IllegalArgumentException if the Fisher matrix is too large to be formed
   */
  public NaturalGradient(Schedule rate, double damping, Policy policy, Task task) {
    this.rate = rate;
    this.damping = damping;
    this.policy = policy;
    prompts = task.prompts();
    Policy trained = policy instanceof Residual residual ? residual.own() : policy;
    Policy own = trained instanceof Seeing seeing ? seeing.own() : trained;
    blocks = own instanceof SoftmaxTable && task.memory() <= 1;
    seen = task.seen();
    dynamics = task.dynamics();
    discount = task.discount();
    if (blocks) {
      return;
    }
    if (!task.deterministic()) {
      throw new IllegalArgumentException(
          ("optimizer `natural` sums over all responses, and the states of task `%s` follow at"
                  + " random; use policy `softmax_table` or optimizer `adam`")
              .formatted(task.name()));
    }
    double count = 0;
    for (int prompt = 0; prompt < prompts; prompt++) {
      List<Response> all = task.responses(prompt, MAXIMUM_RESPONSES);
      if (all.isEmpty()) {
        throw new IllegalArgumentException(
            "optimizer `natural` sums over all responses, and task `%s` has more than %d; use `adam`"
                .formatted(task.name(), MAXIMUM_RESPONSES));
      }
      responses.add(all);
      count += all.size();
    }
    double size = policy.parameters().length;
    if (size * size * (count + size) > MAXIMUM_WORK) {
      throw new IllegalArgumentException(
          ("optimizer `natural` needs the Fisher matrix of %.0f parameters over %.0f responses,"
                  + " which is too large; use `adam`, a smaller policy or a smaller task")
              .formatted(size, count));
    }
  }

  @Override
  public void step(double[] parameters, double[] gradient, long step) {
    Optimizer.requireFinite(gradient, step);
    if (parameters != policy.parameters()) {
      throw new IllegalArgumentException("these are not the parameters of the policy");
    }
    double[] direction = blocks ? solveBlocks(gradient) : solve(gradient);
    double size = rate.at(step);
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] -= size * direction[i];
    }
  }

  /** Always empty: a step depends on the parameters and the gradient alone. */
  @Override
  public double[] state() {
    return new double[0];
  }

  @Override
  public void restore(double[] state) {
    if (state.length > 0) {
      throw new IllegalArgumentException("this is not the state of natural: it is not empty");
    }
  }

  private double[] solveBlocks(double[] gradient) {
    int vocabulary = policy.vocabulary();
    double[] direction = new double[gradient.length];
    double[] visits =
        dynamics
            .map(process -> process.visits(policy, discount))
            .orElseGet(() -> {
              double[] equal = new double[prompts];
              Arrays.fill(equal, 1.0 / prompts);
              return equal;
            });
    // States that look alike have one row; any of them shows what it is.
    double[] weights = new double[gradient.length / vocabulary];
    int[] shown = new int[weights.length];
    for (int state = 0; state < visits.length; state++) {
      int row = seen.length == 0 ? state : seen[state];
      weights[row] += visits[state];
      shown[row] = state;
    }
    for (int row = 0; row < weights.length; row++) {
      double[] p = Responses.nextToken(policy, shown[row], new int[1], 0);
      int start = row * vocabulary;
      double weight = weights[row];
      double projection = 0;
      double remainder = 0;
      for (int v = 0; v < vocabulary; v++) {
        p[v] = Math.exp(p[v]);
        double diagonal = p[v] * weight + damping;
        direction[start + v] = gradient[start + v] / diagonal;
        projection += p[v] * direction[start + v] * weight;
        // 1 - weight p' A^-1 p, summed without cancellation since the p sum to 1.
        remainder += p[v] * damping / diagonal;
      }
      for (int v = 0; v < vocabulary; v++) {
        direction[start + v] += p[v] / (p[v] * weight + damping) * projection / remainder;
      }
    }
    return direction;
  }

  private double[] solve(double[] gradient) {
    int size = gradient.length;
    double[][] fisher = new double[size][size];
    for (List<Response> all : responses) {
      double[] logProbabilities = Responses.logProbabilities(policy, all);
      for (int y = 0; y < logProbabilities.length; y++) {
        double weight = Math.exp(logProbabilities[y]) / prompts;
        if (weight > 0) {
          addOuterProduct(weight, score(all.get(y)), fisher);
        }
      }
    }
    for (int i = 0; i < size; i++) {
      fisher[i][i] += damping;
      for (int j = 0; j < i; j++) {
        fisher[j][i] = fisher[i][j];
      }
    }
    return new CholeskyDecomposition(new Array2DRowRealMatrix(fisher, false))
        .getSolver()
        .solve(new ArrayRealVector(gradient, false))
        .toArray();
  }

  private double[] score(Response response) {
    double[] ones = new double[response.length()];
    Arrays.fill(ones, 1);
    double[] score = new double[policy.parameters().length];
    Responses.addScore(policy, response, ones, score);
    return score;
  }

  /** Adds to the lower triangle. */
  private static void addOuterProduct(double weight, double[] vector, double[][] matrix) {
    for (int i = 0; i < vector.length; i++) {
      double factor = weight * vector[i];
      if (factor != 0) {
        for (int j = 0; j <= i; j++) {
          matrix[i][j] += factor * vector[j];
        }
      }
    }
  }
}
