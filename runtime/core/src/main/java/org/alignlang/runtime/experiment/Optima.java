package org.alignlang.runtime.experiment;

import org.alignlang.runtime.experiment.ExperimentPlan.Quantity;

/** The policies of the sweep points that are known without training, and what holds under them. */
interface Optima {
  /**
   * The value of a quantity at the optimum of a point.
   *
   * @throws ExperimentException if the point has none that can be computed; the message says why
   */
  double value(Quantity quantity, int point, int seedIndex);

  /**
   * The value of a quantity under the best of n draws.
   *
   * @throws ExperimentException if the responses cannot be enumerated; the message says why
   */
  double bestOf(Quantity.BestOf quantity, int point, int seedIndex);
}
