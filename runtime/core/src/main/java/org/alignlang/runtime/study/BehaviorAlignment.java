package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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
import org.apache.commons.math3.linear.DecompositionSolver;
import org.apache.commons.math3.linear.LUDecomposition;
import org.apache.commons.math3.linear.RealMatrix;

/**
 * Study {@code behavior_alignment}: a primary reward and a designer's heuristic are blended with
 * learned weights, so that the policy that is optimal for the blend does well by the primary
 * reward: a bilevel programme with the exact implicit gradient.
 *
 * <p>Inner: {@code r = w_p r_primary + w_h r_heuristic}, and the soft-optimal policy {@code pi(a |
 * s) = e^((Q - V) / tau)} at the inner discount. Outer: gradient ascent on {@code J_p(pi)}, the
 * return of the primary reward at the outer discount. The fixed point {@code V = tau log sum e^(Q /
 * tau)} gives {@code dV/dw = (I - g P_pi)^-1 E_pi[dr/dw]}, {@code dQ/dw = dr/dw + g P dV/dw}, and
 * {@code dJ_p/dw = 1 / (1 - G) sum_{s,a} d(s) pi(a | s) A_p(s, a) (dQ/dw - dV/dw) / tau}. With
 * {@code learn_discount} the inner discount {@code g} is learned too, with a price: {@code J_p(pi)
 * - discount_price g} ascends, by the same with {@code dr/dg = P V}.
 *
 * <p>Source: Gupta et al., "Behavior Alignment via Reward Function Optimization", 2023 (BARFI),
 * with an exact inner solver in place of a policy gradient method.
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}, a chain of 6; its discount is the outer
 * one), {@code primary} (its reward {@code goal}), {@code heuristic}, numbers by state and action;
 * or {@code push}, a heuristic that is this number for the last action and its negative for the
 * first; {@code inner_discount} (0.9), {@code learn_discount} (false), {@code discount_price} (0),
 * {@code discount_rate} (0.1), {@code temperature} (0.25), {@code rate} (1), {@code steps} (80),
 * {@code start_primary} (1), {@code start_heuristic} (1). States that nothing leads out of, and in
 * which nothing is earned, give no bonus of entropy.
 */
public final class BehaviorAlignment implements StudyProvider {
  private static final double MAXIMUM_DISCOUNT = 0.9999;

  @Override
  public String name() {
    return "behavior_alignment";
  }

  @Override
  public String summary() {
    return "learned weights of a primary reward and a heuristic, by implicit gradients";
  }

  @Override
  public Map<String, String> quantities() {
    Map<String, String> quantities = new LinkedHashMap<>();
    quantities.put("primary_return", "J_p of the inner optimum at each outer step");
    quantities.put("primary_weight", "w_p at each outer step");
    quantities.put("heuristic_weight", "w_h at each outer step");
    quantities.put("inner_discount", "g at each outer step");
    quantities.put(
        "gradient_error", "largest difference from central differences, relative, at the start");
    quantities.put("gradient_size", "largest |dJ_p/dw| at each outer step");
    return quantities;
  }

  @Override
  public Set<String> lists() {
    return Set.of("heuristic", "primary");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    DecisionProcess process =
        ProcessArgument.read(
            arguments,
            "process",
            ProcessArgument.component("chain", Map.of("states", 6.0, "discount", 0.99)),
            CounterRandom.of(seed).stream("behavior_alignment"));
    double[][] primary = ProcessArgument.reward(arguments, "primary", "goal", process);
    double push = arguments.real("push", 0, -1e6, 1e6);
    double[][] heuristic =
        ProcessArgument.numbers(arguments, "heuristic", process)
            .orElseGet(() -> pushed(process, push));
    double discount = arguments.real("inner_discount", 0.9, 0, MAXIMUM_DISCOUNT);
    boolean learnsDiscount = arguments.flag("learn_discount", false);
    double price = arguments.real("discount_price", 0, 0, 1e6);
    double discountRate = arguments.real("discount_rate", 0.1, 0, 1e6);
    double temperature = arguments.above("temperature", 0.25, 0);
    double rate = arguments.real("rate", 1, 0, 1e6);
    int steps = arguments.integer("steps", 80, 0, 100_000);
    double[] weights = {
      arguments.real("start_primary", 1, -1e6, 1e6),
      arguments.real("start_heuristic", 1, -1e6, 1e6),
      discount
    };
    arguments.requireAllRead();
    double[][][] parts = {primary, heuristic};
    Blend blend = new Blend(process, primary, parts, temperature);
    double[] returns = new double[steps + 1];
    double[] ofPrimary = new double[steps + 1];
    double[] ofHeuristic = new double[steps + 1];
    double[] sizes = new double[steps + 1];
    double[] discounts = new double[steps + 1];
    double error = blend.gradientError(weights);
    for (int step = 0; step <= steps; step++) {
      Studies.nextRound();
      returns[step] = blend.outer(weights);
      ofPrimary[step] = weights[0];
      ofHeuristic[step] = weights[1];
      double[] gradient = blend.gradient(weights);
      sizes[step] = Math.max(Math.abs(gradient[0]), Math.abs(gradient[1]));
      weights[0] += rate * gradient[0];
      weights[1] += rate * gradient[1];
      discounts[step] = weights[2];
      if (learnsDiscount) {
        weights[2] =
            Math.clamp(weights[2] + discountRate * (gradient[2] - price), 0, MAXIMUM_DISCOUNT);
      }
    }
    Map<String, double[]> found = new LinkedHashMap<>();
    found.put("primary_return", returns);
    found.put("primary_weight", ofPrimary);
    found.put("heuristic_weight", ofHeuristic);
    found.put("inner_discount", discounts);
    found.put("gradient_error", new double[] {error});
    found.put("gradient_size", sizes);
    return new Findings(found);
  }

  private static double[][] pushed(DecisionProcess process, double push) {
    double[][] heuristic = new double[process.states()][process.actions()];
    for (int s = 0; s < heuristic.length; s++) {
      if (!process.absorbing(s)) {
        heuristic[s][0] -= push;
        heuristic[s][process.actions() - 1] += push;
      }
    }
    return heuristic;
  }

  /**
   * The inner problem and its derivative.
   *
   * <p>Weights are those of the parts and, last, the inner discount.
   *
   * @param outside the process at the outer discount
   * @param primary the reward that counts, {@code [S][A]}
   * @param parts the rewards that are blended, {@code [parts][S][A]}
   */
  record Blend(
      DecisionProcess outside, double[][] primary, double[][][] parts, double temperature) {

    /** The return of the primary reward under the inner optimum. */
    double outer(double[] weights) {
      return Evaluation.expectedReturn(outside, inner(weights).policy(), primary);
    }

    private DecisionProcess inside(double[] weights) {
      return outside.withDiscount(weights[2]);
    }

    /** {@code dJ_p/dw}, by the implicit function theorem. */
    double[] gradient(double[] weights) {
      DecisionProcess inside = inside(weights);
      Planning.Stationary optimum = inner(weights);
      double[][] policy = optimum.policy();
      double[][] occupancy = Occupancy.pairs(outside, policy);
      double[][] advantages = Evaluation.advantages(outside, policy, primary);
      double[] gradient = new double[weights.length];
      DecompositionSolver solver = resolvent(inside, policy);
      for (int k = 0; k < weights.length; k++) {
        double[][] part = k < parts.length ? parts[k] : following(optimum.values());
        double[] expected = new double[policy.length];
        for (int s = 0; s < expected.length; s++) {
          expected[s] = ended(s) ? 0 : Tables.dot(policy[s], part[s]);
        }
        double[] dv = solver.solve(new ArrayRealVector(expected, false)).toArray();
        double[][] dq = Evaluation.actionValues(inside, part, dv);
        for (int s = 0; s < policy.length; s++) {
          for (int a = 0; a < policy[s].length && !ended(s); a++) {
            gradient[k] +=
                occupancy[s][a]
                    * advantages[s][a]
                    * (dq[s][a] - dv[s])
                    / (temperature * (1 - outside.discount()));
          }
        }
      }
      return gradient;
    }

    /** {@code E V(s')} for each state and action: what {@code r + g E V(s')} grows by with g. */
    private double[][] following(double[] values) {
      double[][] following = new double[outside.states()][outside.actions()];
      for (int s = 0; s < following.length; s++) {
        for (int a = 0; a < following[s].length; a++) {
          following[s][a] = outside.expectation(s, a, values);
        }
      }
      return following;
    }

    /**
     * How far the gradient is from differences, relative to its largest entry: central ones, and of
     * a discount of 0, below which there is none, one-sided ones of the same order.
     */
    double gradientError(double[] weights) {
      double[] gradient = gradient(weights);
      double h = 1e-5;
      double error = 0;
      double size = 1e-300;
      for (int k = 0; k < weights.length; k++) {
        boolean central = k < parts.length || weights[k] >= h;
        double difference =
            central
                ? (outer(weights, k, h) - outer(weights, k, -h)) / (2 * h)
                : (4 * outer(weights, k, h) - outer(weights, k, 2 * h) - 3 * outer(weights))
                    / (2 * h);
        error = Math.max(error, Math.abs(difference - gradient[k]));
        size = Math.max(size, Math.abs(difference));
      }
      return error / size;
    }

    /** Whether nothing leads out of a state and nothing is earned there. */
    private boolean ended(int s) {
      return outside.absorbing(s)
          && Arrays.stream(parts).allMatch(part -> Arrays.stream(part[s]).allMatch(r -> r == 0));
    }

    private double outer(double[] weights, int moved, double by) {
      double[] other = weights.clone();
      other[moved] += by;
      return outer(other);
    }

    /** The soft-optimal policy of the blend; where an episode has ended the value is 0. */
    private Planning.Stationary inner(double[] weights) {
      DecisionProcess inside = inside(weights);
      double[][] reward = new double[inside.states()][inside.actions()];
      for (int s = 0; s < reward.length; s++) {
        // A bonus of entropy for ever is taken away from where an episode has ended.
        double ended = temperature * Math.log(inside.actions());
        for (int a = 0; a < reward[s].length; a++) {
          reward[s][a] =
              ended(s) ? -ended : weights[0] * parts[0][s][a] + weights[1] * parts[1][s][a];
        }
      }
      return Planning.soft(inside, reward, temperature, Optional.empty());
    }

    private DecompositionSolver resolvent(DecisionProcess inside, double[][] policy) {
      RealMatrix matrix = new Array2DRowRealMatrix(policy.length, policy.length);
      for (int s = 0; s < policy.length; s++) {
        matrix.addToEntry(s, s, 1);
        for (int a = 0; a < policy[s].length; a++) {
          for (int i = 0; i < inside.successors(s, a); i++) {
            matrix.addToEntry(
                s,
                inside.successor(s, a, i),
                -inside.discount() * policy[s][a] * inside.probability(s, a, i));
          }
        }
      }
      return new LUDecomposition(matrix).getSolver();
    }
  }
}
