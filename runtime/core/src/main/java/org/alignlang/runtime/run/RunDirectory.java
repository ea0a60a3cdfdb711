package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.runtime.experiment.ExperimentResult;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.report.Chart;
import org.alignlang.runtime.report.HtmlReport;
import org.alignlang.runtime.report.SvgChart;

/**
 * A run that is being written, by this process alone:
 *
 * <ul>
 *   <li>{@code run.json}: what it was started with ({@link RunManifest})
 *   <li>{@code spec/}: the spec and what it imports
 *   <li>{@code metrics/}: the records of each training, as JSON lines
 *   <li>{@code checkpoints/}: the last two states of each training
 *   <li>{@code results.json}: what it gave ({@link RunResults})
 *   <li>{@code plots/}: the charts as SVG
 *   <li>{@code report.html}: all of it to be read, in one file
 * </ul>
 */
public final class RunDirectory implements AutoCloseable {
  static final String MANIFEST = "run.json";
  static final String RESULTS = "results.json";
  static final String REPORT = "report.html";
  private static final String LOCK = "run.lock";
  private static final Pattern BEGINNING = Pattern.compile("^\\d{8}-\\d{6}-");

  private final Path path;
  private final RunManifest manifest;
  private final Disk disk;
  private final FileChannel lockFile;
  private final CheckpointLog log;

  private RunDirectory(Path path, RunManifest manifest, Disk disk, FileChannel lockFile) {
    this.path = path;
    this.manifest = manifest;
    this.disk = disk;
    this.lockFile = lockFile;
    log = new CheckpointLog(path, manifest.fingerprint(), disk);
  }

  /** Fills a folder that was just made. The manifest comes last: with it, a run exists. */
  static RunDirectory start(
      Path path, RunManifest manifest, Map<String, String> sources, Disk disk) {
    FileChannel lockFile = lock(path);
    try {
      for (String folder : List.of("spec", "metrics", "checkpoints", "plots")) {
        Files.createDirectory(path.resolve(folder));
      }
      List<String> texts = List.copyOf(sources.values());
      for (int i = 0; i < texts.size(); i++) {
        disk.replace(
            path.resolve(manifest.sources().get(i).copy()),
            texts.get(i).getBytes(StandardCharsets.UTF_8));
      }
      disk.replace(path.resolve(MANIFEST), Json.document(manifest));
      return new RunDirectory(path, manifest, disk, lockFile);
    } catch (IOException e) {
      close(lockFile);
      throw new RunException("`%s` cannot be written: %s".formatted(path, Disk.reason(e)), e);
    } catch (RunException e) {
      close(lockFile);
      throw e;
    }
  }

  /** Takes up a run where it was left. */
  static RunDirectory open(Path path, RunManifest manifest, Disk disk) {
    return new RunDirectory(path, manifest, disk, lock(path));
  }

  private static FileChannel lock(Path path) {
    Path file = path.resolve(LOCK);
    try {
      FileChannel channel =
          FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      if (tryLock(channel)) {
        return channel;
      }
      channel.close();
    } catch (IOException e) {
      throw new RunException("`%s` cannot be written: %s".formatted(file, Disk.reason(e)), e);
    }
    throw new RunException("run `%s` is being written by another process".formatted(path));
  }

  private static boolean tryLock(FileChannel channel) throws IOException {
    try {
      FileLock lock = channel.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException e) {
      return false;
    }
  }

  /** Whether a process is writing a run right now. */
  static boolean isLocked(Path path) {
    try (FileChannel channel = FileChannel.open(path.resolve(LOCK), StandardOpenOption.WRITE)) {
      return !tryLock(channel);
    } catch (IOException e) {
      // No lock file, or none that we may touch: nobody that we can know of.
      return false;
    }
  }

  /**
   * Whether a folder is what a run leaves that was killed before it began: it has what comes before
   * the manifest, and nothing that comes after.
   */
  static boolean isStillborn(Path path) {
    Path manifest = path.resolve(MANIFEST);
    return BEGINNING.matcher(String.valueOf(path.getFileName())).find()
        && Files.isDirectory(path)
        && Files.notExists(manifest)
        && !isLocked(path);
  }

  public Path path() {
    return path;
  }

  public RunManifest manifest() {
    return manifest;
  }

  /** Where trainings keep their records and states. */
  public RunLog log() {
    return log;
  }

  /**
   * Writes results, plots and report. A run that is gone on with writes them anew.
   *
   * @return the report's path
   * @throws RunException if something cannot be written; the states are safe
   */
  public Path finish(ExperimentResult result) {
    disk.replace(path.resolve(RESULTS), Json.document(RunResults.of(result)));
    for (int i = 0; i < result.charts().size(); i++) {
      Chart chart = result.charts().get(i);
      String name = "%02d-%s.svg".formatted(i + 1, RunNames.plain(chart.title(), "plot"));
      disk.replace(
          path.resolve("plots").resolve(name),
          SvgChart.draw(chart).getBytes(StandardCharsets.UTF_8));
    }
    Path report = path.resolve(REPORT);
    disk.replace(
        report,
        HtmlReport.write(ReportContents.of(path, manifest, result, spec()))
            .getBytes(StandardCharsets.UTF_8));
    return report;
  }

  /**
   * Removes a run that has neither records nor states, as one has that could not begin.
   *
   * @return whether it was removed
   */
  public boolean discardIfEmpty() {
    try {
      for (String folder : List.of("metrics", "checkpoints")) {
        try (Stream<Path> files = Files.list(path.resolve(folder))) {
          if (files.findAny().isPresent()) {
            return false;
          }
        }
      }
      try (Stream<Path> files = Files.walk(path)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
      return true;
    } catch (IOException e) {
      throw new RunException("`%s` cannot be removed: %s".formatted(path, Disk.reason(e)), e);
    }
  }

  private String spec() {
    Path copy = path.resolve(manifest.sources().getFirst().copy());
    try {
      return Files.readString(copy);
    } catch (IOException e) {
      throw new RunException("`%s` cannot be read: %s".formatted(copy, Disk.reason(e)), e);
    }
  }

  @Override
  public void close() {
    close(lockFile);
  }

  private static void close(FileChannel channel) {
    try {
      channel.close();
    } catch (IOException e) {
      throw new RunException("the lock of a run cannot be released: " + Disk.reason(e), e);
    }
  }
}
