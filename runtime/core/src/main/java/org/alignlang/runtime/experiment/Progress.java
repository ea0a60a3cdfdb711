package org.alignlang.runtime.experiment;

/**
 * Follows an experiment, for progress bars and logs. Calls come one at a time, but from different
 * threads, and those of trainings that run side by side are interleaved.
 */
public interface Progress {

  /**
   * The experiment begins.
   *
   * @param trainings how many trainings there are
   * @param steps how many optimiser steps each makes
   */
  default void started(int trainings, int steps) {}

  /**
   * A training begins, or goes on.
   *
   * @param step how many steps it has made before
   */
  default void started(TrainingId training, int step) {}

  /**
   * A training has made a step. This is called for every step, so it must be quick.
   *
   * @param step how many it has made by now
   */
  default void step(TrainingId training, int step) {}

  /** A training has ended. */
  default void finished(TrainingResult training) {}

  /** Something that a person should read, in one sentence. */
  default void message(String text) {}

  /** Follows nothing. */
  static Progress silent() {
    return new Progress() {};
  }
}
