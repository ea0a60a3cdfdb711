package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.task.Task;

/** Makes studies by the names that specs use. */
public final class Studies {
  private Studies() {}

  /** The providers by name. */
  public static Map<String, StudyProvider> providers() {
    Map<String, StudyProvider> providers = new TreeMap<>();
    for (StudyProvider provider :
        ServiceLoader.load(StudyProvider.class, StudyProvider.class.getClassLoader())) {
      StudyProvider other = providers.putIfAbsent(provider.name(), provider);
      if (other != null) {
        throw new IllegalStateException(
            "two classes provide study `%s`: %s and %s"
                .formatted(
                    provider.name(), other.getClass().getName(), provider.getClass().getName()));
      }
    }
    return providers;
  }

  /**
   * Computes a study.
   *
   * @param arguments values of type Double, Boolean, String or List
   * @param dataDirectory the folder that file names are relative to and never lead above
   * @throws IllegalArgumentException for an unknown name or argument, or values that do not fit
   */
  public static Findings run(
      String name,
      Map<String, Object> arguments,
      Optional<Task> task,
      Path dataDirectory,
      long seed) {
    Map<String, StudyProvider> providers = providers();
    StudyProvider provider = providers.get(name);
    if (provider == null) {
      throw Names.unknown("study", name, providers.keySet());
    }
    if (task.isPresent() && !provider.takesTask()) {
      throw new IllegalArgumentException("study `%s` is about no task".formatted(name));
    }
    Arguments read = Arguments.of("study", name, arguments);
    Findings findings = provider.run(read, task, dataDirectory, seed);
    read.requireAllRead();
    if (!findings.series().keySet().equals(provider.quantities().keySet())) {
      throw new IllegalStateException(
          "study `%s` gave %s and declares %s"
              .formatted(name, findings.series().keySet(), provider.quantities().keySet()));
    }
    return findings;
  }
}
