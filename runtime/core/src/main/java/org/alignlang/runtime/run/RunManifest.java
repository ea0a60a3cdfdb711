package org.alignlang.runtime.run;

import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.HostDescription;

/**
 * What a run was started with: all that is needed to understand it, repeat it and go on with it.
 * Kept as {@code run.json}.
 *
 * @param format the version of the run directory's layout
 * @param created when it was started
 * @param experiment the experiment's name
 * @param spec the spec's path as it was given
 * @param specFile the spec's absolute path then; empty where it is part of the standard library
 * @param objective the objective as written
 * @param overrides parameters set from outside, by name, as written
 * @param backEnd what the kernels were lowered to
 * @param seed the first seed
 * @param seeds how many seeds
 * @param steps optimiser steps of each training
 * @param threads how many threads the run was started with; they do not change its numbers
 * @param recordEvery steps between two records
 * @param maximumSeconds the time bound of each session
 * @param points the sweep
 * @param sources the spec and what it imports, the spec first
 * @param data the data files that the tasks read
 * @param environment what it was started on
 * @param fingerprint a hash of all that the numbers depend on
 */
public record RunManifest(
    int format,
    OffsetDateTime created,
    String experiment,
    String spec,
    String specFile,
    String objective,
    Map<String, String> overrides,
    String backEnd,
    long seed,
    int seeds,
    int steps,
    int threads,
    int recordEvery,
    double maximumSeconds,
    List<Point> points,
    List<Source> sources,
    List<Source> data,
    HostDescription environment,
    String fingerprint) {
  /** The layout that this version writes. */
  public static final int FORMAT = 1;

  public RunManifest {
    points = List.copyOf(points);
    sources = List.copyOf(sources);
    data = List.copyOf(data);
  }

  /**
   * A sweep point's settings as text, such as {@code adam(rate = 0.05)}.
   *
   * @param labels the swept values
   * @param parameters the objective's parameters
   * @param actors what each frozen actor is, where the spec says so
   */
  public record Point(
      Map<String, String> labels,
      String objective,
      Map<String, Double> parameters,
      String task,
      String policy,
      String optimizer,
      int batch,
      int group,
      int epochs,
      Map<String, String> actors) {}

  /**
   * A file that was read.
   *
   * @param path as the spec or the import names it
   * @param copy where its text is in the run directory; empty if it is not kept
   * @param sha256 the hash of its content, in hexadecimal
   */
  public record Source(String path, String copy, String sha256) {}

  /**
   * What differs from another manifest in what the numbers depend on, one sentence each; empty if
   * the runs are the same.
   */
  List<String> differences(RunManifest other) {
    List<String> all = new ArrayList<>();
    differ(all, "the experiment", experiment, other.experiment);
    differ(all, "the parameters set from outside", overrides, other.overrides);
    differ(all, "the back end", backEnd, other.backEnd);
    differ(all, "the first seed", seed, other.seed);
    differ(all, "the number of seeds", seeds, other.seeds);
    differ(all, "the number of steps", steps, other.steps);
    files(all, sources, other.sources);
    files(all, data, other.data);
    return all;
  }

  private static void differ(List<String> all, String what, Object before, Object now) {
    if (!before.equals(now)) {
      all.add("%s was %s and is now %s".formatted(what, before, now));
    }
  }

  private static void files(List<String> all, List<Source> before, List<Source> now) {
    for (Source source : before) {
      now.stream()
          .filter(other -> other.path().equals(source.path()))
          .findFirst()
          .ifPresentOrElse(
              other -> {
                if (!other.sha256().equals(source.sha256())) {
                  all.add("`%s` has changed".formatted(source.path()));
                }
              },
              () -> all.add("`%s` is no longer read".formatted(source.path())));
    }
    for (Source source : now) {
      if (before.stream().noneMatch(other -> other.path().equals(source.path()))) {
        all.add("`%s` is read now".formatted(source.path()));
      }
    }
  }
}
