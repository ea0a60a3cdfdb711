package org.alignlang.runtime.dual;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.util.List;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.DualForm;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MultiplierTest {
  private static final double INFINITE = Double.POSITIVE_INFINITY;

  @Test
  void projectedStaysNonNegativeAndBelowItsMaximum() {
    Multiplier m = Multiplier.of(constraint("<=", DualForm.PROJECTED, 0.5, 2));
    m.update(-1);
    assertThat(m.value()).isCloseTo(0.4, offset(1e-15));
    m.update(-10);
    assertThat(m.value()).isZero();
    m.update(100);
    assertThat(m.value()).isEqualTo(2);
  }

  @Test
  void anEqualityHasAMultiplierOfEitherSign() {
    Multiplier m = Multiplier.of(constraint("==", DualForm.PROJECTED, 0, 2));
    m.update(-10);
    assertThat(m.value()).isEqualTo(-1);
    m.update(-100);
    assertThat(m.value()).isEqualTo(-2);
  }

  @Test
  void logMovesItsExponent() {
    Multiplier m = Multiplier.of(constraint("<=", DualForm.LOG, 0.5, INFINITE));
    m.update(2);
    assertThat(m.value()).isCloseTo(0.5 * Math.exp(0.1 * 2 * 0.5), offset(1e-15));
    for (int i = 0; i < 100; i++) {
      m.update(1e6);
    }
    assertThat(m.value()).isFinite().isGreaterThan(1e300);
  }

  @Test
  void softplusMovesItsArgument() {
    Multiplier m = Multiplier.of(constraint("<=", DualForm.SOFTPLUS, 0.5, INFINITE));
    assertThat(m.value()).isCloseTo(0.5, offset(1e-15));
    double nu = Math.log(Math.expm1(0.5));
    nu += 0.1 * 2 / (1 + Math.exp(-nu));
    m.update(2);
    assertThat(m.value()).isCloseTo(Math.log1p(Math.exp(nu)), offset(1e-15));
  }

  @Test
  void aBoundReleasesTheMultiplierAtOnce() {
    for (DualForm form : List.of(DualForm.LOG, DualForm.SOFTPLUS)) {
      Multiplier m = Multiplier.of(constraint("<=", form, 0.5, 2));
      for (int i = 0; i < 1000; i++) {
        m.update(1);
      }
      assertThat(m.value()).isCloseTo(2, offset(1e-12)).isLessThanOrEqualTo(2);
      m.update(-1);
      assertThat(m.value()).isLessThan(1.95);
    }
  }

  /** By hand, with kp = 1, ki = 0.5, kd = 2 and initial 0.5. */
  @Test
  void pidFollowsItsRule() {
    Multiplier m =
        Multiplier.of(
            new Constraint("cost", "mu", "<=", DualForm.PID, 0.5, Double.NaN, 1, 0.5, 2, 5));
    assertThat(m.value()).isEqualTo(0.5);
    m.update(1);
    assertThat(m.value()).isEqualTo(1 + 1.0 + 0);
    m.update(2);
    assertThat(m.value()).isEqualTo(5); // 2 + 2 + 2 * 1 = 6, capped
    m.update(-1);
    assertThat(m.value()).isEqualTo(-1 + 1.5 + 0);
    m.update(-9);
    assertThat(m.value()).isZero();
    m.update(-9);
    m.update(0);
    assertThat(m.value()).isEqualTo(0 + 0 + 2 * 9 > 5 ? 5 : 18);
  }

  @ParameterizedTest
  @EnumSource(DualForm.class)
  void aRestoredMultiplierGoesOnToTheSameBits(DualForm form) {
    Constraint constraint = constraint("<=", form, 0.5, INFINITE);
    Multipliers whole = new Multipliers(List.of(constraint, constraint));
    Multipliers start = new Multipliers(List.of(constraint, constraint));
    whole.update(new double[] {0.3, -0.1});
    start.update(new double[] {0.3, -0.1});
    Multipliers resumed = new Multipliers(List.of(constraint, constraint));
    resumed.restore(start.state());
    whole.update(new double[] {0.7, 0.2});
    resumed.update(new double[] {0.7, 0.2});
    assertThat(resumed.values()).containsExactly(whole.values());
    assertThatIllegalArgumentException().isThrownBy(() -> resumed.restore(new double[7]));
  }

  @Test
  void complaintsNameTheMultiplier() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiplier.of(constraint("<=", DualForm.LOG, 0, INFINITE)))
        .withMessage(
            "multiplier `lambda` needs an initial value above 0 in the form `log`, not 0.0");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiplier.of(constraint("==", DualForm.SOFTPLUS, 1, INFINITE)))
        .withMessageContaining("belongs to an equality");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Multiplier.of(constraint("<=", DualForm.PROJECTED, -1, INFINITE)))
        .withMessageContaining("at least 0");
    assertThatThrownBy(() ->
            Multiplier.of(constraint("<=", DualForm.PROJECTED, 0, INFINITE)).update(Double.NaN))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("the violation of constraint `harm` (multiplier `lambda`) is NaN");
  }

  private static Constraint constraint(
      String relation, DualForm form, double initial, double maximum) {
    return new Constraint("harm", "lambda", relation, form, initial, 0.1, 0.1, 0.01, 0.01, maximum);
  }
}
