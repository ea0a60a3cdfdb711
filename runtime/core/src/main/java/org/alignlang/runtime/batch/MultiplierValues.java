package org.alignlang.runtime.batch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.DualForm;
import org.alignlang.runtime.dual.Multiplier;

/** The multipliers of an objective, carried from one batch to the next by whoever calls. */
public final class MultiplierValues {
  /** By how much a value that was stored in fewer bits may exceed its maximum: f16's rounding. */
  private static final double ROUNDING = 1e-3;

  private final List<Constraint> constraints;
  private final List<Multiplier> multipliers = new ArrayList<>();

  /**
   * Multipliers at the given values.
   *
   * @param given by constraint: the value, or the value, integral and last violation of a PID form;
   *     empty for the first value
   * @throws IllegalArgumentException if a multiplier cannot have its value; the message names it
   */
  MultiplierValues(List<Constraint> constraints, List<Optional<double[]>> given) {
    this.constraints = constraints;
    for (int j = 0; j < constraints.size(); j++) {
      Constraint constraint = constraints.get(j);
      multipliers.add(at(constraint, given.get(j)));
    }
  }

  /** One value per constraint, for the kernel. */
  public double[] values() {
    return multipliers.stream().mapToDouble(Multiplier::value).toArray();
  }

  /**
   * Moves every multiplier once.
   *
   * @param violations one number per constraint, positive where it is broken
   * @throws ArithmeticException if a violation is not finite
   */
  void update(double[] violations) {
    for (int j = 0; j < violations.length; j++) {
      multipliers.get(j).update(violations[j]);
    }
  }

  /** The tensors to hand in with the next batch. */
  Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    for (int j = 0; j < constraints.size(); j++) {
      Multiplier multiplier = multipliers.get(j);
      double[] state = multiplier.state();
      tensors.put(
          BatchContract.multiplier(constraints.get(j)),
          constraints.get(j).form() == DualForm.PID
              ? Tensor.of(List.of(BatchContract.PID_STATE), multiplier.value(), state[0], state[1])
              : Tensor.of(List.of(), multiplier.value()));
    }
    return tensors;
  }

  private static Multiplier at(Constraint constraint, Optional<double[]> given) {
    if (given.isEmpty()) {
      return Multiplier.of(constraint);
    }
    double value = given.get()[0];
    double limit = constraint.maximum();
    if (Math.abs(value) > limit && Math.abs(value) <= limit * (1 + ROUNDING)) {
      value = Math.copySign(limit, value);
    }
    Multiplier multiplier = Multiplier.of(startingAt(constraint, value));
    if (constraint.form() == DualForm.PID) {
      multiplier.restore(new double[] {given.get()[1], given.get()[2], value});
    }
    return multiplier;
  }

  private static Constraint startingAt(Constraint c, double value) {
    return new Constraint(
        c.name(),
        c.multiplier(),
        c.relation(),
        c.form(),
        value,
        c.rate(),
        c.kp(),
        c.ki(),
        c.kd(),
        c.maximum());
  }
}
