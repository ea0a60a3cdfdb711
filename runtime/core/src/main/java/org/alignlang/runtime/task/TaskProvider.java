package org.alignlang.runtime.task;

import java.nio.file.Path;
import org.alignlang.runtime.argument.Arguments;

/**
 * Makes tasks of one kind. Providers are found by {@link java.util.ServiceLoader}, so a jar on the
 * class path can add tasks.
 */
public interface TaskProvider {

  /** The name by which specs ask for the task. */
  String name();

  /** What the task is, in one line. */
  String summary();

  /**
   * Makes a task. Everything random in it must come from the seed.
   *
   * @param arguments the spec's arguments; those that are not read here are refused afterwards
   * @param dataDirectory the folder that file names are relative to and never lead above
   * @param seed where everything random comes from
   * @throws IllegalArgumentException for arguments or data that do not fit
   */
  Task create(Arguments arguments, Path dataDirectory, long seed);
}
