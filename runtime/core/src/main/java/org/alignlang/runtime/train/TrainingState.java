package org.alignlang.runtime.train;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.alignlang.runtime.experiment.RecordedSeries;

/**
 * All that a training needs to go on to the same bits.
 *
 * @param step how many optimiser steps it has made
 * @param arrays the parameters, the optimiser's and the multipliers' state, and the actors'
 *     parameters, by name
 * @param series what it has recorded
 */
public record TrainingState(int step, Map<String, double[]> arrays, RecordedSeries series) {
  public TrainingState {
    arrays = Collections.unmodifiableMap(new LinkedHashMap<>(arrays));
  }
}
