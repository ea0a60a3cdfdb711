package org.alignlang.compiler.symbolic;

import java.util.Map;

/**
 * What a sample estimator of a divergence descends, by where it is placed.
 *
 * <p>For y ~ pi, u = pi / q and x = log u, an estimator k(x) of D_f(pi || q) gives the expected
 * gradient E[w grad log pi] with a weight w. The gradient of the divergence has w = f'(u); a
 * constant in w does not matter, as E[grad log pi] = 0. The estimators are those of Schulman,
 * "Approximating KL divergence" (2020), for any f.
 */
public final class GradientWeight {
  private GradientWeight() {}

  /** A sample estimator of D_f(pi || q) from y ~ pi. */
  public enum Estimator {
    /** f(u) / u, unbiased; log u for reverse KL. */
    K1,
    /** f''(1) / 2 (log u)^2, the second-order expansion. */
    K2,
    /** (f(u) - f'(1) (u - 1)) / u, unbiased and never negative. */
    K3
  }

  /** Where an estimator is placed. */
  public enum Placement {
    /** Differentiated as it stands: w = k'(x). */
    LOSS,
    /** Times the ratio pi / stop(pi), then differentiated: w = k + k'(x). */
    LOSS_TIMES_RATIO,
    /** Not differentiated, as part of the reward: w = k. */
    REWARD
  }

  /** What a weight descends. */
  public sealed interface Descent {

    /** Nothing: the weight is constant, its expected gradient 0. */
    record Zero() implements Descent {}

    /** The divergence itself. */
    record Matches() implements Descent {}

    /**
     * A multiple of another divergence.
     *
     * @param name its name
     * @param scale the positive factor
     */
    record MatchesOther(String name, double scale) implements Descent {}

    /** No divergence that is known. */
    record None() implements Descent {}
  }

  private static final double[] PROBES = {-3.1, -1.7, -0.6, 0.4, 1.3, 2.2, 3.7};
  private static final double AGREEMENT = 1e-9;

  /** The estimator as an expression in u. */
  public static Sum estimator(Sum f, Estimator estimator) {
    Sum u = Sum.variable();
    return switch (estimator) {
      case K1 -> f.dividedBy(u);
      case K2 -> {
        double curvature = DivergenceCalculus.atOne(f.derivative().derivative());
        if (!Double.isFinite(curvature)) {
          throw new SymbolicException("f'' has no value at u = 1, so there is no k2 estimator.");
        }
        yield u.log().power(2).times(curvature / 2);
      }
      case K3 -> DivergenceCalculus.normalise(f).dividedBy(u);
    };
  }

  /** The weight w of the expected gradient, as an expression in u. */
  public static Sum weight(Sum f, Estimator estimator, Placement placement) {
    Sum k = estimator(f, estimator);
    // d/dx = u d/du.
    Sum slope = k.derivative().times(Sum.variable());
    return switch (placement) {
      case LOSS -> slope;
      case LOSS_TIMES_RATIO -> k.plus(slope);
      case REWARD -> k;
    };
  }

  /**
   * Names what a weight descends.
   *
   * @param weight a weight
   * @param f the divergence that was meant
   * @param named other divergences by name, tried in the map's order
   */
  public static Descent classify(Sum weight, Sum f, Map<String, Sum> named) {
    if (weight.isConstant()) {
      return new Descent.Zero();
    }
    if (isMultiple(weight, f, 1)) {
      return new Descent.Matches();
    }
    for (Map.Entry<String, Sum> entry : named.entrySet()) {
      double scale = scale(weight, entry.getValue());
      if (scale > 0 && isMultiple(weight, entry.getValue(), scale)) {
        return new Descent.MatchesOther(entry.getKey(), scale);
      }
    }
    return new Descent.None();
  }

  /** The factor by which the weight's slope exceeds f'' at one point; 1 where f'' is 0 there. */
  private static double scale(Sum weight, Sum f) {
    double slope = weight.derivative().evaluateLog(PROBES[0]);
    double curvature = f.derivative().derivative().evaluateLog(PROBES[0]);
    double scale = slope / curvature;
    return curvature == 0 || !Double.isFinite(scale) ? 1 : Numbers.snap(round(scale));
  }

  private static double round(double scale) {
    double simple = Math.rint(scale * 720) / 720;
    return Math.abs(simple - scale) <= AGREEMENT * Math.abs(scale) ? simple : scale;
  }

  /**
   * Whether weight - scale f' is constant: by algebra, or else by the slopes agreeing at all
   * probes.
   */
  private static boolean isMultiple(Sum weight, Sum f, double scale) {
    Sum link = f.derivative().times(scale);
    if (weight.minus(link).isConstant()) {
      return true;
    }
    if (Kink.hasBranches(weight) || Kink.hasBranches(link)) {
      return false;
    }
    LogSpace.LogForm slope = LogSpace.lower(weight.derivative());
    LogSpace.LogForm expected = LogSpace.lower(link.derivative());
    for (double x : PROBES) {
      double size = Math.max(slope.sizeAt(x), expected.sizeAt(x));
      if (!(Math.abs(slope.at(x) - expected.at(x)) <= AGREEMENT * size)) {
        return false;
      }
    }
    return true;
  }
}
