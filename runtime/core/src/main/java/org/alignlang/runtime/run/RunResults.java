package org.alignlang.runtime.run;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.experiment.ClaimVerdict;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.PolicySummary;
import org.alignlang.runtime.experiment.TrainingResult;
import org.alignlang.runtime.report.ResultTable;

/**
 * What a run gave, as {@code results.json} keeps it.
 *
 * @param format the version of this layout
 * @param complete whether all trainings made all their steps
 * @param passed whether it is complete and all claims hold
 * @param seconds how long the last session took, by the clock
 * @param notes what a reader of the numbers should know
 * @param quantities what was recorded, over seeds
 * @param claims the verdicts
 * @param trainings the trainings one by one
 */
public record RunResults(
    int format,
    String experiment,
    boolean complete,
    boolean passed,
    double seconds,
    List<String> notes,
    List<ResultTable.Row> quantities,
    List<ClaimVerdict> claims,
    List<Training> trainings) {

  /**
   * One training.
   *
   * @param seconds how long it took in all sessions
   * @param values the last record
   * @param optimum the values at the closed-form optimum, as far as they are known
   * @param policy what the policy says, before and after
   */
  public record Training(
      int point,
      Map<String, String> labels,
      long seed,
      int steps,
      boolean complete,
      double seconds,
      Map<String, Double> values,
      Map<String, Double> optimum,
      List<PolicySummary.Prompt> policy) {}

  /** The results of an experiment. */
  public static RunResults of(ExperimentResult result) {
    return new RunResults(
        RunManifest.FORMAT,
        result.experiment(),
        result.complete(),
        result.passed(),
        result.seconds(),
        result.notes(),
        ResultTable.of(result).rows(),
        result.claims(),
        result.trainings().stream().map(RunResults::training).toList());
  }

  private static Training training(TrainingResult training) {
    Map<String, Double> last = new LinkedHashMap<>();
    training
        .series()
        .values()
        .keySet()
        .forEach(name -> last.put(name, training.series().last(name)));
    return new Training(
        training.id().point(),
        training.id().labels(),
        training.id().seed(),
        training.steps(),
        training.complete(),
        training.seconds(),
        last,
        training.optimum(),
        training.policy().prompts());
  }
}
