package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.Progress;
import org.alignlang.runtime.experiment.RecordedSeries;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.experiment.TrainingId;

/**
 * Keeps the records of each training as JSON lines in {@code metrics/}, and its last two states in
 * {@code checkpoints/}.
 *
 * <p>A new state is written beside the old ones and forced to the device before it takes its name,
 * and only then is the one before the last removed. So there is a complete state at every moment
 * once the first has been written. Records that were made after the state that a training goes on
 * from are made again, to the same bits.
 */
final class CheckpointLog implements RunLog {
  private static final String ENDING = ".checkpoint";
  private static final Pattern NAME = Pattern.compile("step-(\\d{1,10})\\.checkpoint");
  private static final int KEPT = 2;

  private final Path directory;
  private final String fingerprint;
  private final Disk disk;

  /**
   * Takes a run directory.
   *
   * @param fingerprint what the run was started with; states of another are refused
   */
  CheckpointLog(Path directory, String fingerprint, Disk disk) {
    this.directory = directory;
    this.fingerprint = fingerprint;
    this.disk = disk;
  }

  /** The name of a training's folder and metrics file. */
  static String name(int point, long seed) {
    return "point%d-seed%d".formatted(point, seed);
  }

  private Path folder(TrainingId training) {
    return directory.resolve("checkpoints").resolve(name(training.point(), training.seed()));
  }

  private Path metrics(TrainingId training) {
    return directory.resolve("metrics").resolve(name(training.point(), training.seed()) + ".jsonl");
  }

  @Override
  public void recorded(TrainingId training, int step, Map<String, Double> values) {
    Path file = metrics(training);
    try {
      disk.append(file, line(step, values));
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  private static byte[] line(int step, Map<String, Double> values) {
    Map<String, Object> line = new LinkedHashMap<>();
    line.put("step", step);
    values.forEach((name, value) -> {
      if (!name.equals("step")) {
        line.put(name, value);
      }
    });
    return (Json.line(line) + "\n").getBytes(StandardCharsets.UTF_8);
  }

  @Override
  public void save(TrainingId training, Saved saved) {
    Path folder = folder(training);
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
    Path file = folder.resolve("step-%010d%s".formatted(saved.state().step(), ENDING));
    disk.replace(file, Checkpoint.of(fingerprint, training, saved).encode());
    List<Path> all = checkpoints(folder);
    try {
      for (Path old : all.subList(Math.min(KEPT, all.size()), all.size())) {
        disk.delete(old);
      }
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }

  @Override
  public Optional<Saved> load(TrainingId training, Progress progress) {
    Path folder = folder(training);
    Optional<Saved> found = Optional.empty();
    if (Files.isDirectory(folder)) {
      removePartial(folder);
      List<Path> all = checkpoints(folder);
      for (int i = 0; i < all.size() && found.isEmpty(); i++) {
        found = read(all.get(i), training, i + 1 < all.size(), progress);
      }
    }
    startMetrics(training, found);
    return found;
  }

  private Optional<Saved> read(Path file, TrainingId training, boolean another, Progress progress) {
    try {
      Checkpoint checkpoint = Checkpoint.decode(Files.readAllBytes(file));
      if (!checkpoint.fingerprint().equals(fingerprint)
          || checkpoint.point() != training.point()
          || checkpoint.seed() != training.seed()) {
        throw new RunException("`%s` belongs to another run".formatted(file));
      }
      return Optional.of(checkpoint.saved());
    } catch (Checkpoint.DamagedException e) {
      passOver(file, String.valueOf(e.getMessage()), training, another, progress);
    } catch (IOException e) {
      passOver(file, "it cannot be read: " + Disk.reason(e), training, another, progress);
    }
    return Optional.empty();
  }

  private void passOver(
      Path file, String why, TrainingId training, boolean another, Progress progress) {
    progress.message(
        "checkpoint `%s` is damaged (%s); training (%s) %s"
            .formatted(
                directory.relativize(file),
                why,
                training.show(),
                another ? "goes on from the one before" : "begins again"));
    try {
      // Out of the way, so that it is not counted among the states that are kept.
      disk.move(file, file.resolveSibling(file.getFileName() + ".damaged"));
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  /** Brings a metrics file to where the training goes on; what was recorded later comes again. */
  private void startMetrics(TrainingId training, Optional<Saved> from) {
    Path file = metrics(training);
    if (from.isEmpty() && !Files.exists(file)) {
      return;
    }
    List<byte[]> lines = new ArrayList<>();
    if (from.isPresent()) {
      RecordedSeries series = from.get().state().series();
      for (int i = 0; i < series.count(); i++) {
        Map<String, Double> values = new LinkedHashMap<>();
        for (Map.Entry<String, double[]> entry : series.values().entrySet()) {
          values.put(entry.getKey(), entry.getValue()[i]);
        }
        lines.add(line(series.steps()[i], values));
      }
    }
    byte[] all = new byte[lines.stream().mapToInt(line -> line.length).sum()];
    int at = 0;
    for (byte[] line : lines) {
      System.arraycopy(line, 0, all, at, line.length);
      at += line.length;
    }
    disk.replace(file, all);
  }

  /** The whole states of a training, the newest first. */
  private static List<Path> checkpoints(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> NAME.matcher(file.getFileName().toString()).matches())
          .sorted(Comparator.comparing((Path file) -> file.getFileName().toString()).reversed())
          .toList();
    } catch (IOException e) {
      throw new RunException("`%s` cannot be read: %s".formatted(folder, Disk.reason(e)), e);
    }
  }

  private void removePartial(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        if (file.getFileName().toString().endsWith(Disk.PARTIAL)) {
          disk.delete(file);
        }
      }
    } catch (IOException e) {
      throw unwritable(folder, e);
    }
  }

  private static RunException unwritable(Path file, IOException e) {
    return new RunException("`%s` cannot be written: %s".formatted(file, Disk.reason(e)), e);
  }
}
