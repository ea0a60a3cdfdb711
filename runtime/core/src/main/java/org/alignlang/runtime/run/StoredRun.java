package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;

/**
 * A run as it lies on disk.
 *
 * @param path its directory
 * @param manifest what it was started with
 * @param results what it gave; empty if it has not come to its end
 */
public record StoredRun(Path path, RunManifest manifest, Optional<RunResults> results) {

  /** How far a run has come. */
  public enum Status {
    /** A process is at it. */
    RUNNING,
    /** All trainings made all their steps. */
    COMPLETE,
    /** It can be gone on with. */
    STOPPED
  }

  /**
   * A record of a training.
   *
   * @param step how many optimiser steps had been made
   * @param values what was measured, by name
   */
  public record Record(int step, Map<String, Double> values) {}

  /** Whether a folder holds a run. */
  static boolean isRun(Path folder) {
    return Files.isRegularFile(folder.resolve(RunDirectory.MANIFEST));
  }

  /**
   * Reads a run.
   *
   * @throws RunException if its files are not what this version of Align wrote
   */
  public static StoredRun read(Path path) {
    RunManifest manifest = read(path.resolve(RunDirectory.MANIFEST), RunManifest.class);
    if (manifest.format() != RunManifest.FORMAT) {
      throw new RunException(
          "run `%s` is in format %d, and this version of Align reads format %d"
              .formatted(path, manifest.format(), RunManifest.FORMAT));
    }
    Path results = path.resolve(RunDirectory.RESULTS);
    return new StoredRun(
        path,
        manifest,
        Files.exists(results) ? Optional.of(read(results, RunResults.class)) : Optional.empty());
  }

  private static <T> T read(Path file, Class<T> type) {
    try {
      return Json.MAPPER.readValue(Files.readAllBytes(file), type);
    } catch (IOException e) {
      throw new RunException("`%s` cannot be read: %s".formatted(file, Disk.reason(e)), e);
    } catch (JacksonException e) {
      throw new RunException("`%s` is damaged: %s".formatted(file, e.getOriginalMessage()), e);
    }
  }

  /** The directory's name. */
  public String name() {
    return String.valueOf(path.toAbsolutePath().normalize().getFileName());
  }

  public Path report() {
    return path.resolve(RunDirectory.REPORT);
  }

  public Status status() {
    if (RunDirectory.isLocked(path)) {
      return Status.RUNNING;
    }
    return results.isPresent() && results.get().complete() ? Status.COMPLETE : Status.STOPPED;
  }

  /**
   * The records of a training. A last line that is not whole, as a kill may leave it, does not
   * count.
   *
   * @param point the sweep point's number
   * @param seed the training's seed
   */
  public List<Record> metrics(int point, long seed) {
    Path file = path.resolve("metrics").resolve(CheckpointLog.name(point, seed) + ".jsonl");
    List<Record> records = new ArrayList<>();
    if (!Files.exists(file)) {
      return records;
    }
    try {
      String text = Files.readString(file, StandardCharsets.UTF_8);
      for (String line : text.substring(0, text.lastIndexOf('\n') + 1).lines().toList()) {
        Map<String, Double> values =
            new LinkedHashMap<>(
                Json.MAPPER.readValue(line, new TypeReference<Map<String, Double>>() {}));
        Double step = values.remove("step");
        records.add(new Record(step == null ? 0 : step.intValue(), values));
      }
    } catch (IOException e) {
      throw new RunException("`%s` cannot be read: %s".formatted(file, Disk.reason(e)), e);
    } catch (JacksonException e) {
      throw new RunException("`%s` is damaged: %s".formatted(file, e.getOriginalMessage()), e);
    }
    return records;
  }

  /** How many steps all trainings together have recorded, at the least. */
  public long recordedSteps() {
    if (results.isPresent()) {
      return results.get().trainings().stream().mapToLong(RunResults.Training::steps).sum();
    }
    long steps = 0;
    for (int point = 0; point < manifest.points().size(); point++) {
      for (int i = 0; i < manifest.seeds(); i++) {
        List<Record> records = metrics(point, manifest.seed() + i);
        steps += records.isEmpty() ? 0 : records.getLast().step();
      }
    }
    return steps;
  }

  /** How many steps all trainings together are to make. */
  public long plannedSteps() {
    return (long) manifest.points().size() * manifest.seeds() * manifest.steps();
  }
}
