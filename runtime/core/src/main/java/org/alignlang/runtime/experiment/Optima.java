package org.alignlang.runtime.experiment;

import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;

/** The closed-form optima of the sweep points. */
interface Optima {
  /**
   * The value of a quantity at the optimum of a point.
   *
   * @throws ExperimentException if the point has none that can be computed; the message says why
   */
  double value(Quantity quantity, int point, int seedIndex);
}
