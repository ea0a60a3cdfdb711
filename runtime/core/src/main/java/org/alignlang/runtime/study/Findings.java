package org.alignlang.runtime.study;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a study found.
 *
 * @param series each quantity by its name: one number per index, or a single number, which is the
 *     same at every index
 */
public record Findings(Map<String, double[]> series) {
  public Findings {
    series = Collections.unmodifiableMap(new LinkedHashMap<>(series));
    int length = length(series);
    series.forEach((name, values) -> {
      if (values.length != length && values.length != 1) {
        throw new IllegalArgumentException(
            "`%s` has %d numbers, and others have %d".formatted(name, values.length, length));
      }
    });
  }

  /** How many indices there are. */
  public int length() {
    return length(series);
  }

  private static int length(Map<String, double[]> series) {
    return series.values().stream().mapToInt(values -> values.length).max().orElse(1);
  }
}
