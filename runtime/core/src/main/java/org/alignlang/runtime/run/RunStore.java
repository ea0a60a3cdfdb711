package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.alignlang.runtime.argument.Names;

/** A folder of runs, one directory {@code <time>-<name>} each. */
public final class RunStore {
  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT);
  private static final int MOST_IN_A_SECOND = 10_000;

  private final Path root;
  private final Disk disk;

  /** A folder of runs; it is made when the first run is. */
  public RunStore(Path root) {
    this(root, Disk.real());
  }

  RunStore(Path root, Disk disk) {
    this.root = root;
    this.disk = disk;
  }

  public Path root() {
    return root;
  }

  /**
   * Makes the directory of a new run. Runs that start in the same second get distinct ones.
   *
   * @throws RunException if it cannot be written
   */
  public RunDirectory create(RunRequest request) {
    RunManifest manifest = request.manifest();
    Path path =
        makeDirectory(
            TIME.format(manifest.created()) + "-" + RunNames.plain(manifest.experiment(), "run"));
    return RunDirectory.start(path, manifest, request.sources(), disk);
  }

  private Path makeDirectory(String name) {
    try {
      Files.createDirectories(root);
      for (int i = 1; i <= MOST_IN_A_SECOND; i++) {
        Path path = root.resolve(i == 1 ? name : name + "-" + i);
        try {
          return Files.createDirectory(path);
        } catch (FileAlreadyExistsException e) {
          // Another run began in the same second.
        }
      }
    } catch (IOException e) {
      throw new RunException(
          "no run can be written to folder `%s`: %s".formatted(root, Disk.reason(e)), e);
    }
    throw new RunException("too many runs named `%s` began in the same second".formatted(name));
  }

  /**
   * Takes up a run where it was left.
   *
   * @param request the experiment as it is now
   * @throws RunException if it is not the experiment that the run was started with; the message
   *     says what has changed
   */
  public RunDirectory resume(StoredRun run, RunRequest request) {
    RunManifest before = run.manifest();
    RunManifest now = request.manifest();
    if (!before.fingerprint().equals(now.fingerprint())) {
      List<String> differences = before.differences(now);
      throw new RunException(
          "run `%s` cannot go on, because %s; start a new run, or bring back what it was started with%s"
              .formatted(
                  run.name(),
                  differences.isEmpty()
                      ? "what it was started with has changed"
                      : String.join(", and ", differences),
                  before.sources().isEmpty()
                      ? ""
                      : " (a copy of the spec is `%s`)"
                          .formatted(run.path().resolve(before.sources().getFirst().copy()))));
    }
    return RunDirectory.open(run.path(), before, disk);
  }

  /** All runs that can be read, the oldest first; folders that hold none are left out. */
  public List<StoredRun> list() {
    return list(_ -> {});
  }

  /**
   * All runs, the oldest first; folders that hold none are left out.
   *
   * @param damaged is told of runs that cannot be read, in a sentence each
   */
  public List<StoredRun> list(Consumer<String> damaged) {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(root)) {
      List<StoredRun> runs = new ArrayList<>();
      for (Path folder : folders.filter(StoredRun::isRun).toList()) {
        try {
          runs.add(StoredRun.read(folder));
        } catch (RunException e) {
          damaged.accept(String.valueOf(e.getMessage()));
        }
      }
      stillborn().forEach(folder -> damaged.accept(stillborn(folder)));
      runs.sort(
          Comparator.comparing((StoredRun run) -> run.manifest().created().toInstant())
              .thenComparing(StoredRun::name));
      return runs;
    } catch (IOException e) {
      throw new RunException("`%s` cannot be read: %s".formatted(root, Disk.reason(e)), e);
    }
  }

  /** Folders of runs that were killed before they began, the oldest first. */
  private List<Path> stillborn() {
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(root)) {
      return folders.filter(RunDirectory::isStillborn).sorted().toList();
    } catch (IOException e) {
      throw new RunException("`%s` cannot be read: %s".formatted(root, Disk.reason(e)), e);
    }
  }

  private static String stillborn(Path folder) {
    return ("`%s` was killed before its first step, and holds nothing to go on with;"
            + " start the run anew and delete the folder")
        .formatted(folder);
  }

  /**
   * Finds a run.
   *
   * @param wanted its path, its name, a part of its name that no other has, or {@code latest}
   * @throws RunException if there is none such, or several
   */
  public StoredRun find(String wanted) {
    Path direct = direct(wanted);
    if (StoredRun.isRun(direct)) {
      return StoredRun.read(direct);
    }
    if (wanted.equals("latest")) {
      return latest(run -> true)
          .orElseThrow(() -> new RunException("there are no runs in `%s`".formatted(root)));
    }
    List<StoredRun> all = list();
    Optional<StoredRun> named = all.stream().filter(run -> run.name().equals(wanted)).findFirst();
    if (named.isPresent()) {
      return named.get();
    }
    List<StoredRun> matching = all.stream().filter(run -> run.name().contains(wanted)).toList();
    if (matching.size() == 1) {
      return matching.getFirst();
    }
    if (matching.isEmpty()) {
      Optional<Path> killed =
          RunDirectory.isStillborn(direct)
              ? Optional.of(direct)
              : stillborn().stream().filter(f -> nameOf(f).contains(wanted)).findFirst();
      if (killed.isPresent()) {
        throw new RunException(stillborn(killed.get()));
      }
      List<String> names = all.stream().map(StoredRun::name).toList();
      throw new RunException(
          names.isEmpty()
              ? "there is no run `%s`: `%s` holds no runs".formatted(wanted, root)
              : String.valueOf(Names.unknown("run", wanted, names).getMessage()));
    }
    throw new RunException(
        "`%s` is part of the names of %d runs, the latest being `%s`; write more of the name"
            .formatted(wanted, matching.size(), matching.getLast().name()));
  }

  /** Why there is nothing to go on with, where the last run was killed before it began. */
  public Optional<String> lastWasKilledEarly() {
    List<Path> killed = stillborn();
    List<StoredRun> runs = list();
    boolean last =
        !killed.isEmpty()
            && (runs.isEmpty() || nameOf(killed.getLast()).compareTo(runs.getLast().name()) > 0);
    return last ? Optional.of(stillborn(killed.getLast())) : Optional.empty();
  }

  private static String nameOf(Path folder) {
    return String.valueOf(folder.getFileName());
  }

  private Path direct(String wanted) {
    try {
      return Path.of(wanted);
    } catch (InvalidPathException e) {
      return root.resolve("-");
    }
  }

  /** The run that was started last, of those that fit. */
  public Optional<StoredRun> latest(Predicate<StoredRun> fits) {
    return list().reversed().stream().filter(fits).findFirst();
  }
}
