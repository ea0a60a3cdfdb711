package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.argument.Names;
import org.alignlang.runtime.task.Task;

/** Makes studies by the names that specs use. */
public final class Studies {
  private static final String KIND = "study";

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

  /** Whether the study that is being computed is to stop. */
  private static final ScopedValue<BooleanSupplier> STOP = ScopedValue.newInstance();

  /** A study was stopped before its end. */
  public static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private Stopped() {
      super("stopped", null, false, false);
    }
  }

  /**
   * Called by studies in every round of what takes long.
   *
   * @throws Stopped if the study is to stop, as its time is over
   */
  public static void nextRound() {
    if (STOP.isBound() && STOP.get().getAsBoolean()) {
      throw new Stopped();
    }
  }

  /**
   * Computes a study.
   *
   * @param arguments values of type Double, Boolean, String or List
   * @param dataDirectory the folder that file names are relative to and never lead above
   * @param stop whether to stop; asked in every round
   * @throws IllegalArgumentException for an unknown name or argument, or values that do not fit
   * @throws Stopped if it was stopped
   */
  public static Findings run(
      String name,
      Map<String, Object> arguments,
      Optional<Task> task,
      Path dataDirectory,
      long seed,
      BooleanSupplier stop) {
    return ScopedValue.where(STOP, stop)
        .call(() -> run(name, arguments, task, dataDirectory, seed));
  }

  /** Computes a study to its end. */
  public static Findings run(
      String name,
      Map<String, Object> arguments,
      Optional<Task> task,
      Path dataDirectory,
      long seed) {
    StudyProvider provider = provider(name, task);
    Arguments read = Arguments.of(KIND, name, arguments);
    Findings findings = provider.run(read, task, dataDirectory, seed);
    read.requireAllRead();
    if (!findings.series().keySet().equals(provider.quantities().keySet())) {
      throw new IllegalStateException(
          "study `%s` gave %s and declares %s"
              .formatted(name, findings.series().keySet(), provider.quantities().keySet()));
    }
    return findings;
  }

  /**
   * Judges the arguments of a study without computing it.
   *
   * @throws IllegalArgumentException for an unknown name or argument, or values that do not fit
   */
  public static void judge(
      String name,
      Map<String, Object> arguments,
      Optional<Task> task,
      Path dataDirectory,
      long seed) {
    Arguments read = Arguments.toBeJudged(KIND, name, arguments);
    try {
      provider(name, task).run(read, task, dataDirectory, seed);
      read.requireAllRead();
    } catch (Arguments.Judged e) {
      // They are good.
    }
  }

  private static StudyProvider provider(String name, Optional<Task> task) {
    Map<String, StudyProvider> providers = providers();
    StudyProvider provider = providers.get(name);
    if (provider == null) {
      throw Names.unknown(KIND, name, providers.keySet());
    }
    if (task.isPresent() && !provider.takesTask()) {
      throw new IllegalArgumentException("study `%s` is about no task".formatted(name));
    }
    return provider;
  }
}
