package org.alignlang.cli.format;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecText;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.format.Formatter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceFolder;
import org.alignlang.compiler.source.UnreadableSourceException;

/** Lays specs out; goes on after one that cannot be. */
public final class FormatRun {
  private static final String STANDARD_INPUT = "-";

  private final Output output;
  private final boolean check;
  private final boolean diff;
  private final List<Diagnostic> refused = new ArrayList<>();
  private int files;
  private int changed;

  /**
   * @param check whether to say only what would change
   * @param diff whether to show what would change
   */
  public FormatRun(Output output, boolean check, boolean diff) {
    this.output = output;
    this.check = check;
    this.diff = diff;
  }

  /** Lays out what the arguments name and returns the exit code. */
  public int run(List<String> arguments) {
    List<String> failed = new ArrayList<>();
    boolean text = arguments.equals(List.of(STANDARD_INPUT));
    for (String argument : arguments) {
      try {
        for (String file : Specs.expand(List.of(argument))) {
          layOut(file, failed);
        }
      } catch (UserError e) {
        failed.add(String.valueOf(e.getMessage()));
      }
    }
    output.out().flush();
    output.show(refused);
    failed.forEach(output::error);
    if (!text) {
      String done = check || diff ? " would change" : " laid out anew";
      output.note(Summary.counted(files, "file") + " read, " + changed + done);
    }
    if (!failed.isEmpty()) {
      return ExitCode.USAGE;
    }
    return !refused.isEmpty() || check && changed > 0 ? ExitCode.FINDINGS : ExitCode.CLEAN;
  }

  private void layOut(String file, List<String> failed) {
    try {
      if (file.equals(STANDARD_INPUT)) {
        standardInput();
      } else {
        file(file);
      }
    } catch (UserError e) {
      failed.add(String.valueOf(e.getMessage()));
    }
  }

  private void standardInput() {
    SourceFile source;
    try {
      source = SourceFolder.read(System.in, "<stdin>");
    } catch (UnreadableSourceException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
    files++;
    switch (Formatter.format(source)) {
      case Formatter.Outcome.Refused refusal -> refused.addAll(refusal.diagnostics());
      case Formatter.Outcome.Formatted formatted -> {
        boolean differs = !formatted.text().equals(source.text());
        changed += differs ? 1 : 0;
        if (diff) {
          show(source, formatted.text());
        } else if (!check) {
          output.out().print(formatted.text());
        }
      }
    }
  }

  private void file(String name) {
    Path path = Specs.path(name);
    SourceFile source;
    try {
      source = SourceFolder.read(path, name);
    } catch (UnreadableSourceException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
    files++;
    switch (Formatter.format(source)) {
      case Formatter.Outcome.Refused refusal -> refused.addAll(refusal.diagnostics());
      case Formatter.Outcome.Formatted formatted -> {
        if (formatted.text().equals(source.text())) {
          return;
        }
        if (diff) {
          show(source, formatted.text());
        } else if (check) {
          output.out().println(name);
        } else {
          SpecText.replace(path, name, formatted.text());
        }
        changed++;
      }
    }
  }

  private void show(SourceFile source, String after) {
    output.out().print(UnifiedDiff.of(source.path(), source.text(), after));
  }
}
