package org.alignlang.runtime.experiment;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which training of an experiment.
 *
 * @param point the number of the sweep point, from 0
 * @param seedIndex the number of the seed, from 0
 * @param seed the seed itself
 * @param labels the swept values at the point, by name
 */
public record TrainingId(int point, int seedIndex, long seed, Map<String, String> labels) {
  public TrainingId {
    labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
  }

  /** For messages and tables, such as {@code beta = 0.5, seed 1}. */
  public String show() {
    String point = showLabels(labels);
    return (point.isEmpty() ? "" : point + ", ") + "seed " + seed;
  }

  /** Labels for messages and tables, such as {@code beta = 0.5, rate = 0.1}. */
  public static String showLabels(Map<String, String> labels) {
    return labels.entrySet().stream()
        .map(label -> label.getKey() + " = " + label.getValue())
        .collect(Collectors.joining(", "));
  }
}
