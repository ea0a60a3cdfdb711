package org.alignlang.runtime.train;

import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;

/**
 * The gradient of a function of a policy with respect to what the policy is the optimum for. Where
 * {@code theta(w)} minimises the inner loss {@code L(theta, w)}, the implicit function theorem
 * gives
 *
 * <pre>dG/dw = - (d/dw grad_theta L)^T v  with  H v = grad_theta G,  H = grad_theta^2 L</pre>
 *
 * <p>The system is solved by conjugate gradients. Products with the Hessian are central differences
 * of the inner gradient along a direction, and so is the mixed derivative: {@code (grad_w L(theta +
 * h v) - grad_w L(theta - h v)) / 2h}. The rows of the inner objective stay the same throughout.
 */
final class ImplicitGradient {
  /** The size of a difference in the parameter that moves the most. */
  private static final double DIFFERENCE = 1e-4;

  /** The residual, relative to the right side, at which the system counts as solved. */
  private static final double TOLERANCE = 1e-8;

  private final Learner inner;
  private final int iterations;

  /**
   * @param inner the inner objective, evaluated at the current parameters
   * @param iterations the most iterations of conjugate gradients
   */
  ImplicitGradient(Learner inner, int iterations) {
    this.inner = inner;
    this.iterations = iterations;
  }

  /**
   * The gradients of a function of the policy with respect to the parameters of the inner blocks.
   *
   * @param outer the function's gradient with respect to the policy's parameters
   */
  Map<String, double[]> through(double[] outer) {
    double[] response = solve(outer);
    Map<String, double[]> gradients = new TreeMap<>();
    double h = step(response);
    if (h == 0) {
      inner.blockGradients().forEach((name, g) -> gradients.put(name, new double[g.length]));
      return gradients;
    }
    Map<String, double[]> above = at(response, h, inner::blockGradients);
    Map<String, double[]> below = at(response, -h, inner::blockGradients);
    above.forEach((name, high) -> {
      double[] low = below.getOrDefault(name, high);
      double[] gradient = new double[high.length];
      Arrays.setAll(gradient, i -> -(high[i] - low[i]) / (2 * h));
      gradients.put(name, gradient);
    });
    inner.reevaluate();
    return gradients;
  }

  /** Conjugate gradients from 0; they stop where the Hessian bends the other way. */
  private double[] solve(double[] right) {
    double[] solution = new double[right.length];
    double[] residual = right.clone();
    double[] direction = right.clone();
    double square = dot(residual, residual);
    double enough = TOLERANCE * TOLERANCE * square;
    for (int i = 0; i < iterations && square > enough; i++) {
      double[] product = product(direction);
      double curvature = dot(direction, product);
      if (!(curvature > 0)) {
        break;
      }
      double length = square / curvature;
      for (int k = 0; k < solution.length; k++) {
        solution[k] += length * direction[k];
        residual[k] -= length * product[k];
      }
      double next = dot(residual, residual);
      double ratio = next / square;
      square = next;
      for (int k = 0; k < direction.length; k++) {
        direction[k] = residual[k] + ratio * direction[k];
      }
    }
    return solution;
  }

  /** The Hessian of the inner loss times a direction. */
  private double[] product(double[] direction) {
    double h = step(direction);
    if (h == 0) {
      return new double[direction.length];
    }
    double[] above = at(direction, h, inner::policyGradient);
    double[] below = at(direction, -h, inner::policyGradient);
    double[] product = new double[direction.length];
    Arrays.setAll(product, i -> (above[i] - below[i]) / (2 * h));
    return product;
  }

  /** What the inner objective gives at parameters that are moved along a direction. */
  private <T> T at(double[] direction, double length, Supplier<T> measure) {
    double[] live = inner.policyParameters();
    double[] before = live.clone();
    try {
      for (int i = 0; i < live.length; i++) {
        live[i] += length * direction[i];
      }
      inner.reevaluate();
      return measure.get();
    } finally {
      System.arraycopy(before, 0, live, 0, live.length);
    }
  }

  /** How far to go along a direction; 0 where it is 0. */
  private static double step(double[] direction) {
    double largest = 0;
    for (double x : direction) {
      largest = Math.max(largest, Math.abs(x));
    }
    return largest == 0 ? 0 : DIFFERENCE / largest;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }
}
