package org.alignlang.runtime.experiment;

import java.util.List;
import java.util.OptionalDouble;
import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;

/** The closed-form optima of a plan's points. */
final class ClosedForms implements Optima {
  ClosedForms(ExperimentPlan plan, RecordList records, long firstSeed) {}

  void requireFeasible(int point, int seedIndex) {}

  List<String> notes() {
    return List.of();
  }

  OptionalDouble valueIfKnown(Quantity quantity, int point, int seedIndex) {
    return OptionalDouble.empty();
  }

  @Override
  public double value(Quantity quantity, int point, int seedIndex) {
    throw new ExperimentException("closed forms are not computed yet");
  }
}
