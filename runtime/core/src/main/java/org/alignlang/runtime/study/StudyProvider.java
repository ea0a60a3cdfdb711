package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.task.Task;

/**
 * A method that an experiment computes with in place of a training, such as an exact solver. Found
 * by {@link java.util.ServiceLoader}, so a jar on the class path can add studies.
 */
public interface StudyProvider {

  /** The name by which specs ask for the study. */
  String name();

  /** What is computed, in one line. */
  String summary();

  /** What the study gives: the name of each quantity, with what it is and its unit in one line. */
  Map<String, String> quantities();

  /** Whether the study is about a task; otherwise an experiment with it has none. */
  default boolean takesTask() {
    return false;
  }

  /** The arguments whose value is a list. A list that is given for another one sweeps it. */
  default Set<String> lists() {
    return Set.of();
  }

  /**
   * Computes. Everything random must come from the seed. When all arguments are read, and before
   * anything takes long, {@link Arguments#requireAllRead} is called: {@code align check} judges the
   * arguments so, and goes no further. What takes long calls {@link Studies#nextRound} in every
   * round, so that the experiment's time can end it.
   *
   * @param arguments the spec's arguments; those that are not read here are refused afterwards
   * @param task what the experiment's {@code task} names, if it has one
   * @param dataDirectory the folder that file names are relative to and never lead above
   * @param seed where everything random comes from
   * @throws IllegalArgumentException for arguments or a task that do not fit
   */
  Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed);
}
