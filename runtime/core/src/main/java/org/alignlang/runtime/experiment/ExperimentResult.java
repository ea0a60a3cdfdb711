package org.alignlang.runtime.experiment;

import java.util.List;
import org.alignlang.runtime.report.Chart;

/**
 * What an experiment gave.
 *
 * @param experiment its name
 * @param trainings all trainings, by point and seed
 * @param claims a verdict on each claim, in the order of the spec
 * @param charts the plots of the spec and the multipliers' paths
 * @param complete whether all trainings made all their steps
 * @param notes what a reader of the numbers should know, in sentences
 * @param seconds how long it took, by the clock, this session alone
 */
public record ExperimentResult(
    String experiment,
    List<TrainingResult> trainings,
    List<ClaimVerdict> claims,
    List<Chart> charts,
    boolean complete,
    List<String> notes,
    double seconds) {
  public ExperimentResult {
    trainings = List.copyOf(trainings);
    claims = List.copyOf(claims);
    charts = List.copyOf(charts);
    notes = List.copyOf(notes);
  }

  /** Whether all trainings are complete and all claims hold. */
  public boolean passed() {
    return complete && claims.stream().allMatch(ClaimVerdict::passed);
  }
}
