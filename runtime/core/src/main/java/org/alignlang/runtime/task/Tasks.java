package org.alignlang.runtime.task;

import java.nio.file.Path;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;

/** Makes tasks by the names that specs use. */
public final class Tasks {
  private Tasks() {}

  /** The providers by name. */
  public static Map<String, TaskProvider> providers() {
    Map<String, TaskProvider> providers = new TreeMap<>();
    for (TaskProvider provider :
        ServiceLoader.load(TaskProvider.class, TaskProvider.class.getClassLoader())) {
      TaskProvider other = providers.putIfAbsent(provider.name(), provider);
      if (other != null) {
        throw new IllegalStateException(
            "two classes provide task `%s`: %s and %s"
                .formatted(
                    provider.name(), other.getClass().getName(), provider.getClass().getName()));
      }
    }
    return providers;
  }

  /**
   * Makes a task.
   *
   * @param arguments values of type Double, Boolean, String or List
   * @param dataDirectory the folder that file names are relative to and never lead above
   * @throws IllegalArgumentException for an unknown name or argument, or values that do not fit
   */
  public static Task create(
      String name, Map<String, Object> arguments, Path dataDirectory, long seed) {
    Map<String, TaskProvider> providers = providers();
    TaskProvider provider = providers.get(name);
    if (provider == null) {
      throw Names.unknown("task", name, providers.keySet());
    }
    Arguments read = Arguments.of("task", name, arguments);
    Task task = provider.create(read, dataDirectory, seed);
    read.requireAllRead();
    return task;
  }

  /** The exception for a score that a task does not have. */
  static IllegalArgumentException noSuchScore(Task task, String score) {
    return Names.unknown("score of task `" + task.name() + "` called", score, task.scores());
  }
}
