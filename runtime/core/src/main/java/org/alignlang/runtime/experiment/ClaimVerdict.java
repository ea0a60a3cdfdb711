package org.alignlang.runtime.experiment;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether a claim holds.
 *
 * @param text the condition as written
 * @param message what the claim means
 * @param place file and line
 * @param passed whether all parts hold
 * @param parts one per comparison and sweep point
 */
public record ClaimVerdict(
    String text, String message, String place, boolean passed, List<Part> parts) {
  public ClaimVerdict {
    parts = List.copyOf(parts);
  }

  /**
   * One comparison at one sweep point.
   *
   * @param labels the swept values of the point, by name; empty where the claim names its points
   *     itself or nothing is swept
   * @param passed whether it holds
   * @param left the measured left side, over seeds
   * @param right the measured right side, over seeds
   * @param difference left minus right, paired by seed
   * @param tolerance the tolerance of a {@code within}, as a distance; NaN for a comparison
   * @param sentence all of it in words
   */
  public record Part(
      Map<String, String> labels,
      boolean passed,
      Interval left,
      Interval right,
      Interval difference,
      double tolerance,
      String sentence) {
    public Part {
      labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }
  }

  /** The verdict in words: one sentence per part. */
  public String sentence() {
    return String.join(" ", parts.stream().map(Part::sentence).toList());
  }
}
