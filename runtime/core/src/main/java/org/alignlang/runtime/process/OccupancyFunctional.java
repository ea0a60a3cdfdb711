package org.alignlang.runtime.process;

import java.util.function.DoubleUnaryOperator;

/**
 * A function {@code F(mu)} of an occupancy measure, with its derivative. The gradient of {@code F}
 * with respect to a policy is the policy gradient for the pseudo-reward {@code dF/dmu(s, a)}, held
 * constant: {@code grad F = sum_{s,a} dF/dmu(s, a) grad mu(s, a)}.
 *
 * <p>Divergences are {@code D(mu || base) = sum_{s,a} base f(mu / base)} over the pairs that the
 * base visits. Where it never goes, the ratio has no value: the value is infinite there if {@code
 * mu} is positive and {@code f} grows faster than linearly, and the derivative is the one at the
 * largest finite ratio of the other pairs; a base of full support avoids both.
 */
public interface OccupancyFunctional {

  /** {@code F(mu)} for {@code mu}, {@code [S][A]}. */
  double value(double[][] occupancy);

  /** The pseudo-reward {@code dF/dmu}, {@code [S][A]}. */
  double[][] derivative(double[][] occupancy);

  /** {@code <r, mu>}: the return, normalised by {@code 1 - g}. */
  static OccupancyFunctional expected(double[][] reward) {
    return of(mu -> Tables.dot(reward, mu), mu -> Tables.copy(reward));
  }

  /**
   * The chi-squared divergence {@code sum (mu - base)^2 / base}; derivative {@code 2 mu / base}.
   */
  static OccupancyFunctional chiSquared(double[][] base) {
    return divergence(base, u -> (u - 1) * (u - 1), u -> 2 * (u - 1));
  }

  /** {@code KL(mu || base)}; derivative {@code log(mu / base) + 1}. */
  static OccupancyFunctional kl(double[][] base) {
    return divergence(
        base, u -> u > 0 ? u * Math.log(u) : 0, u -> Math.log(Math.max(u, Double.MIN_NORMAL)) + 1);
  }

  /** The total variation {@code sum |mu - base| / 2}; a subgradient. */
  static OccupancyFunctional totalVariation(double[][] base) {
    return of(
        mu -> {
          double sum = 0;
          for (int s = 0; s < mu.length; s++) {
            for (int a = 0; a < mu[s].length; a++) {
              sum += Math.abs(mu[s][a] - base[s][a]) / 2;
            }
          }
          return sum;
        },
        mu -> {
          double[][] derivative = Tables.copy(mu);
          for (int s = 0; s < mu.length; s++) {
            for (int a = 0; a < mu[s].length; a++) {
              derivative[s][a] = Math.signum(mu[s][a] - base[s][a]) / 2;
            }
          }
          return derivative;
        });
  }

  /**
   * The divergence of a convex {@code f} with {@code f(1) = 0}.
   *
   * @param f the generator
   * @param slope its derivative
   */
  static OccupancyFunctional divergence(
      double[][] base, DoubleUnaryOperator f, DoubleUnaryOperator slope) {
    return of(
        mu -> {
          double sum = 0;
          for (int s = 0; s < mu.length; s++) {
            for (int a = 0; a < mu[s].length; a++) {
              if (base[s][a] > 0) {
                sum += base[s][a] * f.applyAsDouble(mu[s][a] / base[s][a]);
              } else if (mu[s][a] > 0) {
                sum += mu[s][a] * asymptote(f);
              }
            }
          }
          return sum;
        },
        mu -> {
          double largest = 0;
          for (int s = 0; s < mu.length; s++) {
            for (int a = 0; a < mu[s].length; a++) {
              if (base[s][a] > 0) {
                largest = Math.max(largest, mu[s][a] / base[s][a]);
              }
            }
          }
          double[][] derivative = Tables.copy(mu);
          for (int s = 0; s < mu.length; s++) {
            for (int a = 0; a < mu[s].length; a++) {
              double u = base[s][a] > 0 ? mu[s][a] / base[s][a] : largest;
              derivative[s][a] = slope.applyAsDouble(u);
            }
          }
          return derivative;
        });
  }

  /** {@code this + factor * other}. */
  default OccupancyFunctional plus(double factor, OccupancyFunctional other) {
    return of(
        mu -> value(mu) + factor * other.value(mu),
        mu -> {
          double[][] sum = derivative(mu);
          double[][] more = other.derivative(mu);
          for (int s = 0; s < sum.length; s++) {
            for (int a = 0; a < sum[s].length; a++) {
              sum[s][a] += factor * more[s][a];
            }
          }
          return sum;
        });
  }

  /**
   * {@code g(F(mu))}: the derivative is {@code g'(F) dF/dmu}.
   *
   * @param g the outer function
   * @param slope its derivative
   */
  default OccupancyFunctional through(DoubleUnaryOperator g, DoubleUnaryOperator slope) {
    return of(
        mu -> g.applyAsDouble(value(mu)),
        mu -> {
          double factor = slope.applyAsDouble(value(mu));
          double[][] derivative = derivative(mu);
          for (double[] row : derivative) {
            for (int a = 0; a < row.length; a++) {
              row[a] *= factor;
            }
          }
          return derivative;
        });
  }

  /** {@code sqrt(F)}, whose derivative is taken as 0 where {@code F} is 0. */
  default OccupancyFunctional root() {
    return through(Math::sqrt, x -> x > 0 ? 0.5 / Math.sqrt(x) : 0);
  }

  /** A functional from its two parts. */
  static OccupancyFunctional of(Value value, Derivative derivative) {
    return new OccupancyFunctional() {
      @Override
      public double value(double[][] occupancy) {
        return value.of(occupancy);
      }

      @Override
      public double[][] derivative(double[][] occupancy) {
        return derivative.of(occupancy);
      }
    };
  }

  /** {@code F(mu)}. */
  @FunctionalInterface
  interface Value {
    /** The value at an occupancy measure. */
    double of(double[][] occupancy);
  }

  /** {@code dF/dmu}. */
  @FunctionalInterface
  interface Derivative {
    /** The derivative at an occupancy measure, {@code [S][A]}, new at every call. */
    double[][] of(double[][] occupancy);
  }

  /** {@code lim f(u) / u}, what a unit of mass costs where the base has none. */
  private static double asymptote(DoubleUnaryOperator f) {
    double slope = f.applyAsDouble(1e12) / 1e12;
    // u log u and faster: the limit is infinite; (sqrt u - 1)^2 and |u - 1| / 2 have a finite one.
    return slope > 10 ? Double.POSITIVE_INFINITY : slope;
  }
}
