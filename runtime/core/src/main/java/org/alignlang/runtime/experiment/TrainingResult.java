package org.alignlang.runtime.experiment;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What one training gave.
 *
 * @param id which one
 * @param series what it recorded
 * @param policy what the trained policy says
 * @param optimum what the recorded quantities are at the closed-form optimum, by name, as far as
 *     that is known
 * @param steps how many optimiser steps it made
 * @param complete whether it made all its steps; otherwise the time bound or the user stopped it
 * @param seconds how long it took, in all sessions of a resumed run
 */
public record TrainingResult(
    TrainingId id,
    RecordedSeries series,
    PolicySummary policy,
    Map<String, Double> optimum,
    int steps,
    boolean complete,
    double seconds) {
  public TrainingResult {
    optimum = Collections.unmodifiableMap(new LinkedHashMap<>(optimum));
  }
}
