package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.alignlang.runtime.experiment.RegularisedProblem.Bound;
import org.alignlang.runtime.experiment.RegularisedProblem.Solution;
import org.alignlang.runtime.policy.Responses;
import org.apache.commons.math3.linear.Array2DRowRealMatrix;
import org.apache.commons.math3.linear.ArrayRealVector;
import org.apache.commons.math3.linear.RealMatrix;
import org.apache.commons.math3.linear.SingularValueDecomposition;

/**
 * Solves {@link RegularisedProblem}s by their dual, which is convex.
 *
 * <p>For a temperature {@code t} and multipliers {@code rho} in units of it the maximiser is {@code
 * ref (f')^-1(z)} with {@code z = (reward - nu) / t - sum sign rho value}, and {@code nu} such that
 * it sums to 1. Its variation gives gradient and Hessian of the dual: the covariances of the
 * bounds' values under the weights {@code ref / f''(u)}. Newton steps, projected on multipliers
 * that are not negative, find {@code rho}; the divergence falls as {@code t} rises, so that a root
 * search finds the temperature that meets a budget.
 */
final class RegularisedSolver {
  private static final int MAXIMUM_STEPS = 300;
  private static final double PRECISION = 1e-12;

  private final RegularisedProblem problem;
  private final int prompts;
  private final int constraints;

  /** How far each bound's values lie apart, by which its numbers are judged. */
  private final double[] spread;

  private final double rewardSpread;

  /** Where a search for the multipliers has got to; the next one begins there. */
  private double[] warm;

  private RegularisedSolver(RegularisedProblem problem) {
    this.problem = problem;
    prompts = problem.logReference().size();
    constraints = problem.bounds().size();
    spread = new double[constraints];
    for (int k = 0; k < constraints; k++) {
      spread[k] = spread(problem.bounds().get(k).values());
    }
    rewardSpread = spread(problem.reward());
    warm = new double[constraints];
  }

  /**
   * Solves.
   *
   * @throws ExperimentException if no policy meets the constraints, or the temperature is 0; the
   *     message says which and by how much
   */
  static Solution solve(RegularisedProblem problem) {
    RegularisedSolver solver = new RegularisedSolver(problem);
    solver.requireEachFeasible();
    return solver.atBudget();
  }

  private double spread(List<double[]> values) {
    double widest = 0;
    for (int x = 0; x < prompts; x++) {
      double low = Double.POSITIVE_INFINITY;
      double high = Double.NEGATIVE_INFINITY;
      for (int i = 0; i < values.get(x).length; i++) {
        if (possible(x, i)) {
          low = Math.min(low, values.get(x)[i]);
          high = Math.max(high, values.get(x)[i]);
        }
      }
      widest = Math.max(widest, high - low);
    }
    return widest > 0 ? widest : 1;
  }

  private boolean possible(int prompt, int response) {
    return problem.logReference().get(prompt)[response] != Double.NEGATIVE_INFINITY;
  }

  // Feasibility.

  private void requireEachFeasible() {
    for (int k = 0; k < constraints; k++) {
      Bound bound = problem.bounds().get(k);
      double least = extreme(direction(k, 1));
      double most = -extreme(direction(k, -1));
      double slack = 1e-12 * spread[k];
      boolean tooLow = !bound.relation().equals(">=") && bound.limit() < least - slack;
      boolean tooHigh = !bound.relation().equals("<=") && bound.limit() > most + slack;
      if (tooLow || tooHigh) {
        throw new ExperimentException(
            "no policy meets `%s`: the %s that it can be is %s"
                .formatted(
                    bound.text(), tooLow ? "least" : "most", Interval.show(tooLow ? least : most)));
      }
    }
  }

  private double[] direction(int k, double value) {
    double[] weights = new double[constraints];
    weights[k] = value;
    return weights;
  }

  /** The least that the weighted sum of the bounds' means can be. */
  private double extreme(double[] weights) {
    double total = 0;
    for (int x = 0; x < prompts; x++) {
      double least = Double.POSITIVE_INFINITY;
      for (int i = 0; i < problem.logReference().get(x).length; i++) {
        if (possible(x, i)) {
          double value = 0;
          for (int k = 0; k < constraints; k++) {
            value += weights[k] * problem.bounds().get(k).values().get(x)[i];
          }
          least = Math.min(least, value);
        }
      }
      total += least;
    }
    return total / prompts;
  }

  /** Whether these multipliers prove that no policy meets all bounds (Farkas). */
  private boolean provesInfeasible(double[] rho) {
    double[] weights = new double[constraints];
    double limit = 0;
    double scale = 0;
    for (int k = 0; k < constraints; k++) {
      Bound bound = problem.bounds().get(k);
      weights[k] = bound.sign() * rho[k];
      limit += weights[k] * bound.limit();
      scale += Math.abs(rho[k]) * spread[k];
    }
    return extreme(weights) > limit + 1e-9 * scale;
  }

  // The temperature.

  private Solution atBudget() {
    double strength = problem.strength();
    if (strength > 0) {
      Dual dual = multipliers(strength);
      if (dual.divergence() <= problem.budget()) {
        return dual.solution();
      }
    }
    if (Double.isInfinite(problem.budget())) {
      throw new ExperimentException(
          "without a divergence there is no temperature: the optimum is not unique");
    }
    double high = Math.max(strength, rewardSpread);
    Dual upper = multipliers(high);
    while (upper.divergence() > problem.budget()) {
      high *= 4;
      if (high > 1e15 * Math.max(strength, rewardSpread)) {
        throw new ExperimentException(
            "no policy meets the constraints within a divergence of %s: they need at least %s"
                .formatted(Interval.show(problem.budget()), Interval.show(upper.divergence())));
      }
      upper = multipliers(high);
    }
    double low = high;
    Dual lower = upper;
    while (lower.divergence() < problem.budget()) {
      low /= 4;
      if (low < strength || low < 1e-7 * rewardSpread) {
        // The budget does not bind.
        return multipliers(Math.max(low, strength)).solution();
      }
      lower = multipliers(low);
    }
    // The divergence falls in the temperature: bisection with secant steps in its logarithm.
    double a = Math.log(low);
    double b = Math.log(high);
    double fa = lower.divergence() - problem.budget();
    double fb = upper.divergence() - problem.budget();
    Dual best = upper;
    for (int i = 0; i < 200 && b - a > 1e-14; i++) {
      double secant = a + (b - a) * fa / (fa - fb);
      double middle = i % 3 == 2 || !(secant > a && secant < b) ? 0.5 * (a + b) : secant;
      Dual between = multipliers(Math.exp(middle));
      double value = between.divergence() - problem.budget();
      best = between;
      if (Math.abs(value) <= 1e-14 * Math.max(1, problem.budget())) {
        break;
      }
      if (value > 0) {
        a = middle;
        fa = value;
      } else {
        b = middle;
        fb = value;
      }
    }
    return best.solution();
  }

  // The multipliers.

  /** The dual function at given multipliers, with what its minimisation needs. */
  private record Dual(
      double value, double[] gradient, RealMatrix hessian, double divergence, Solution solution) {}

  private Dual multipliers(double temperature) {
    double[] rho = warm.clone();
    Dual dual = dual(temperature, rho);
    for (int step = 0; step < MAXIMUM_STEPS; step++) {
      if (residual(dual, rho) <= PRECISION) {
        break;
      }
      if (provesInfeasible(rho)) {
        throw new ExperimentException("no policy meets these constraints together: " + texts());
      }
      double[] direction = newton(dual, rho);
      double before = residual(dual, rho);
      double length = 1;
      boolean moved = false;
      for (int halving = 0; halving < 60 && !moved; halving++) {
        double[] next = new double[constraints];
        double decrease = 0;
        for (int k = 0; k < constraints; k++) {
          next[k] = rho[k] + length * direction[k];
          if (!problem.bounds().get(k).equality()) {
            next[k] = Math.max(0, next[k]);
          }
          decrease += dual.gradient()[k] * (next[k] - rho[k]);
        }
        Dual trial = dual(temperature, next);
        boolean descends = trial.value() <= dual.value() + 1e-4 * decrease;
        // Near the end the value has no digits left that could show a decrease.
        boolean closer =
            residual(trial, next) < 0.5 * before
                && trial.value() - dual.value() <= 1e-12 * Math.max(1, Math.abs(dual.value()));
        if (Double.isFinite(trial.value()) && (descends && decrease < 0 || closer)) {
          rho = next;
          dual = trial;
          moved = true;
        }
        length /= 2;
      }
      if (!moved) {
        break;
      }
    }
    if (!(residual(dual, rho) <= 1e-7)) {
      throw new ExperimentException(
          "no multipliers meet these constraints, or only in the limit of deterministic policies: "
              + texts());
    }
    warm = rho;
    return dual;
  }

  private String texts() {
    return String.join(
        ", ", problem.bounds().stream().map(bound -> "`" + bound.text() + "`").toList());
  }

  /** How far the bounds are from being met with the right signs, by their spreads. */
  private double residual(Dual dual, double[] rho) {
    double worst = 0;
    for (int k = 0; k < constraints; k++) {
      double gradient = dual.gradient()[k];
      boolean slack = !problem.bounds().get(k).equality() && rho[k] == 0 && gradient > 0;
      worst = Math.max(worst, slack ? 0 : Math.abs(gradient) / spread[k]);
    }
    return worst;
  }

  private double[] newton(Dual dual, double[] rho) {
    List<Integer> free = new ArrayList<>();
    for (int k = 0; k < constraints; k++) {
      if (problem.bounds().get(k).equality() || rho[k] > 0 || dual.gradient()[k] < 0) {
        free.add(k);
      }
    }
    double[] direction = new double[constraints];
    RealMatrix h = new Array2DRowRealMatrix(free.size(), free.size());
    double[] g = new double[free.size()];
    for (int a = 0; a < free.size(); a++) {
      g[a] = -dual.gradient()[free.get(a)] / spread[free.get(a)];
      for (int c = 0; c < free.size(); c++) {
        h.setEntry(
            a,
            c,
            dual.hessian().getEntry(free.get(a), free.get(c))
                / (spread[free.get(a)] * spread[free.get(c)]));
      }
      // Where the policy is all but deterministic the curvature is lost, and a step is still
      // needed.
      h.addToEntry(a, a, 1e-14 + 1e-3 * Math.min(1e-9, Math.abs(g[a])));
    }
    double[] step =
        new SingularValueDecomposition(h).getSolver().solve(new ArrayRealVector(g)).toArray();
    for (int a = 0; a < free.size(); a++) {
      direction[free.get(a)] = step[a] / spread[free.get(a)];
    }
    return direction;
  }

  private Dual dual(double temperature, double[] rho) {
    double value = 0;
    double divergence = 0;
    double[] gradient = new double[constraints];
    RealMatrix hessian =
        new Array2DRowRealMatrix(Math.max(1, constraints), Math.max(1, constraints));
    List<double[]> policies = new ArrayList<>();
    double[] normalisers = new double[prompts];
    for (int x = 0; x < prompts; x++) {
      double[] logReference = problem.logReference().get(x);
      double[] score = new double[logReference.length];
      for (int i = 0; i < score.length; i++) {
        score[i] = problem.reward().get(x)[i] / temperature;
        for (int k = 0; k < constraints; k++) {
          Bound bound = problem.bounds().get(k);
          score[i] -= bound.sign() * rho[k] * bound.values().get(x)[i];
        }
      }
      double shift = normaliser(logReference, score);
      double[] policy = policy(logReference, score, shift);
      double total = Responses.logSumExp(policy);
      double[] weight = new double[policy.length];
      double weights = 0;
      for (int i = 0; i < policy.length; i++) {
        policy[i] -= total;
        double p = Math.exp(policy[i]);
        double term = QuantityEvaluator.term(problem.integrand(), policy[i], logReference[i]);
        divergence += term / prompts;
        value += ((p > 0 ? p * score[i] : 0) - term) / prompts;
        weight[i] = p > 0 ? p * slope(score[i] - shift) : 0;
        weights += weight[i];
      }
      for (int k = 0; k < constraints; k++) {
        Bound bound = problem.bounds().get(k);
        double[] values = bound.values().get(x);
        double mean = 0;
        for (int i = 0; i < policy.length; i++) {
          double p = Math.exp(policy[i]);
          mean += p > 0 ? p * values[i] : 0;
        }
        gradient[k] -= bound.sign() * mean / prompts;
        for (int l = 0; l <= k; l++) {
          double entry =
              bound.sign()
                  * problem.bounds().get(l).sign()
                  * covariance(weight, weights, values, problem.bounds().get(l).values().get(x))
                  / prompts;
          hessian.addToEntry(k, l, entry);
          if (l != k) {
            hessian.addToEntry(l, k, entry);
          }
        }
      }
      policies.add(policy);
      normalisers[x] = shift * temperature;
    }
    double[] multipliers = new double[constraints];
    for (int k = 0; k < constraints; k++) {
      Bound bound = problem.bounds().get(k);
      gradient[k] += bound.sign() * bound.limit();
      value += bound.sign() * rho[k] * bound.limit();
      multipliers[k] = rho[k] * temperature;
    }
    return new Dual(
        value,
        gradient,
        hessian,
        divergence,
        new Solution(policies, temperature, multipliers, normalisers, divergence));
  }

  private static double covariance(double[] weight, double weights, double[] a, double[] c) {
    if (weights == 0) {
      return 0;
    }
    double meanA = 0;
    double meanC = 0;
    for (int i = 0; i < weight.length; i++) {
      meanA += weight[i] > 0 ? weight[i] * a[i] / weights : 0;
      meanC += weight[i] > 0 ? weight[i] * c[i] / weights : 0;
    }
    double sum = 0;
    for (int i = 0; i < weight.length; i++) {
      sum += weight[i] > 0 ? weight[i] * (a[i] - meanA) * (c[i] - meanC) : 0;
    }
    return sum;
  }

  /** {@code d log u / d z} of the inverse, for the Newton step alone. */
  private double slope(double z) {
    double h = 1e-5 * Math.max(1, Math.abs(z));
    double below = problem.inverse().applyAsDouble(z - h);
    double above = problem.inverse().applyAsDouble(z + h);
    double slope = (above - below) / (2 * h);
    return Double.isFinite(slope) && slope > 0 ? slope : 1;
  }

  // The normaliser.

  private double[] policy(double[] logReference, double[] score, double shift) {
    double[] policy = new double[score.length];
    for (int i = 0; i < policy.length; i++) {
      policy[i] =
          logReference[i] == Double.NEGATIVE_INFINITY
              ? Double.NEGATIVE_INFINITY
              : logReference[i] + problem.inverse().applyAsDouble(score[i] - shift);
    }
    return policy;
  }

  private double excess(double[] logReference, double[] score, double shift) {
    double[] policy = policy(logReference, score, shift);
    return Arrays.stream(policy).anyMatch(p -> p == Double.POSITIVE_INFINITY)
        ? Double.POSITIVE_INFINITY
        : Responses.logSumExp(policy);
  }

  /** The shift at which {@code sum ref (f')^-1(score - shift) = 1}; the sum falls in the shift. */
  private double normaliser(double[] logReference, double[] score) {
    double low = Double.POSITIVE_INFINITY;
    double high = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < score.length; i++) {
      if (logReference[i] != Double.NEGATIVE_INFINITY) {
        low = Math.min(low, score[i]);
        high = Math.max(high, score[i]);
      }
    }
    double width = 1;
    while (!(excess(logReference, score, low) >= 0)) {
      low -= width;
      width *= 2;
    }
    width = 1;
    while (!(excess(logReference, score, high) <= 0)) {
      high += width;
      width *= 2;
    }
    double atLow = excess(logReference, score, low);
    double atHigh = excess(logReference, score, high);
    for (int i = 0; i < 400; i++) {
      double middle = 0.5 * (low + high);
      double secant = low + (high - low) * atLow / (atLow - atHigh);
      if (i % 3 != 2 && secant > low && secant < high) {
        middle = secant;
      }
      if (middle == low || middle == high) {
        break;
      }
      double value = excess(logReference, score, middle);
      if (value == 0) {
        return middle;
      }
      if (value > 0) {
        low = middle;
        atLow = value;
      } else {
        high = middle;
        atHigh = value;
      }
    }
    return Double.isInfinite(atLow) || Math.abs(atHigh) < atLow ? high : low;
  }
}
