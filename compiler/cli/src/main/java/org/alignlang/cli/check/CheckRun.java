package org.alignlang.cli.check;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.source.SourceFile;

/** Checks specs and shows what was found. */
public final class CheckRun {
  private final Output output;
  private final Format format;
  private final boolean pedantic;
  private final Set<Path> read = new LinkedHashSet<>();

  /** Waits between two looks at the files; says whether to look again. */
  @FunctionalInterface
  public interface Pause {
    boolean pause();
  }

  /**
   * @param output where findings go
   * @param format how they are shown
   * @param pedantic whether those are shown that are often no mistakes
   */
  public CheckRun(Output output, Format format, boolean pedantic) {
    this.output = output;
    this.format = format;
    this.pedantic = pedantic;
  }

  /** Checks what the arguments name and returns the exit code; goes on after an unreadable file. */
  public int run(List<String> arguments) {
    List<String> unreadable = new ArrayList<>();
    Set<Diagnostic> findings = new LinkedHashSet<>();
    Set<String> checked = new LinkedHashSet<>();
    for (String argument : arguments) {
      try {
        for (String file : Specs.expand(List.of(argument))) {
          if (checked.contains(file)) {
            continue;
          }
          SpecFile spec = Specs.load(file, pedantic);
          checked.add(file);
          remember(spec);
          findings.addAll(spec.diagnostics());
          findings.addAll(spec.experimentDiagnostics());
        }
      } catch (UserError e) {
        unreadable.add(String.valueOf(e.getMessage()));
      }
    }
    List<Diagnostic> all = List.copyOf(findings);
    output.out().print(format.renderer(output.outPalette()).render(all));
    output.out().flush();
    unreadable.forEach(output::error);
    Summary summary = Summary.of(all);
    if (!checked.isEmpty()) {
      long safe = all.stream().filter(d -> d.fixes().stream().anyMatch(Fix::safe)).count();
      output.note(
          Summary.counted(checked.size(), "file")
              + " checked: "
              + summary.text()
              + (safe > 0 ? "; `align fix` mends " + safe : ""));
    }
    if (!unreadable.isEmpty()) {
      return ExitCode.USAGE;
    }
    return summary.errors() > 0 ? ExitCode.FINDINGS : ExitCode.CLEAN;
  }

  private void remember(SpecFile spec) {
    read.add(spec.folder());
    for (SourceFile source : spec.compilation().sources()) {
      if (!source.path().startsWith("align:")) {
        read.add(Path.of(source.path()));
      }
    }
  }

  /**
   * Checks, and checks again whenever a file that was read changes, or one comes or goes beside it.
   * Unreadable files end nothing: they may come back.
   */
  public int watch(List<String> arguments, Pause pause) {
    if (arguments.contains("-")) {
      throw new UserError("`--watch` watches files, and standard input is none");
    }
    int exit = ExitCode.CLEAN;
    Map<Path, FileTime> seen = Map.of();
    boolean first = true;
    do {
      Map<Path, FileTime> now = times(arguments);
      if (first || !now.equals(seen)) {
        first = false;
        read.clear();
        output.note("--- " + LocalTime.now().truncatedTo(ChronoUnit.SECONDS));
        exit = run(arguments);
        // As it was before the check: what changes while it runs is checked once more.
        seen = times(arguments);
        seen.replaceAll((file, time) -> now.getOrDefault(file, time));
      }
    } while (pause.pause());
    return exit;
  }

  private Map<Path, FileTime> times(List<String> arguments) {
    Set<Path> paths = new LinkedHashSet<>(read);
    for (String argument : arguments) {
      try {
        Specs.expand(List.of(argument)).forEach(file -> paths.add(Specs.path(file)));
      } catch (UserError e) {
        // An empty folder, for now; the check says so.
      }
    }
    Map<Path, FileTime> times = new TreeMap<>();
    for (Path path : paths) {
      try {
        times.put(path, Files.getLastModifiedTime(path));
      } catch (IOException e) {
        // A file that is not there has no time, and changes by coming back.
      }
    }
    return times;
  }
}
