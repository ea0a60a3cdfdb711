package org.alignlang.compiler.symbolic;

/**
 * What follows from the generator f of a divergence D(p || q) = E_q[f(p / q)].
 *
 * @param f the generator
 * @param derivative f', the link of preference losses
 * @param secondDerivative f''
 * @param dual u f(1 / u), the generator of the divergence with its arguments exchanged
 * @param valueAtOne f(1), which must be 0
 * @param slopeAtOne f'(1), which does not change the divergence
 * @param curvatureAtOne f''(1), the factor of its second-order expansion
 * @param range the limits of f'
 * @param convexity whether f is convex
 * @param inverse the inverse of f', by which the regularised optimum is written
 * @param conjugate the convex conjugate of f
 */
public record DerivedDivergence(
    Sum f,
    Sum derivative,
    Sum secondDerivative,
    Sum dual,
    double valueAtOne,
    double slopeAtOne,
    double curvatureAtOne,
    Range range,
    Convexity convexity,
    Inverse inverse,
    Conjugate conjugate) {

  private static final double TOLERANCE = 1e-10;

  /** Whether f(1) = 0, so that the divergence of a distribution from itself is 0. */
  public boolean vanishesAtOne() {
    return Math.abs(valueAtOne) <= TOLERANCE * Math.max(1, LogSpace.lower(f).sizeAt(0));
  }

  /**
   * Whether f' has a finite limit at 0. Then the regularised optimum may give some responses no
   * probability, and there is no closed form of the kind that DPO uses (Wang et al., "Beyond
   * Reverse KL", ICLR 2024).
   */
  public boolean zeroInDomainOfDerivative() {
    return range.atZero().isFinite();
  }

  /** The generator of the same divergence with f'(1) = 0. */
  public Sum normalised() {
    return DivergenceCalculus.normalise(f);
  }
}
