package org.alignlang.runtime.experiment;

import java.util.Map;
import java.util.Optional;
import org.alignlang.runtime.train.TrainingState;

/**
 * Where an experiment writes what must outlive it: records, and states to go on from. Methods may
 * be called from several threads at once.
 */
public interface RunLog {

  /**
   * A state of a training that was saved.
   *
   * @param state the state
   * @param seconds how long the training took until then
   */
  record Saved(TrainingState state, double seconds) {}

  /** A record was made. */
  void recorded(TrainingId training, int step, Map<String, Double> values);

  /** Saves a state to go on from. */
  void save(TrainingId training, Saved saved);

  /**
   * The last state that was saved.
   *
   * @param progress is told if a damaged one had to be passed over
   * @throws ExperimentException if what was saved belongs to another experiment
   */
  Optional<Saved> load(TrainingId training, Progress progress);

  /** Keeps nothing. */
  static RunLog none() {
    return new RunLog() {
      @Override
      public void recorded(TrainingId training, int step, Map<String, Double> values) {}

      @Override
      public void save(TrainingId training, Saved saved) {}

      @Override
      public Optional<Saved> load(TrainingId training, Progress progress) {
        return Optional.empty();
      }
    };
  }
}
