package org.alignlang.cli.fix;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.SpecText;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.cli.format.UnifiedDiff;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.fix.FixApplier;
import org.alignlang.compiler.source.SourceFile;

/** Mends specs; goes on after one that cannot be read or written. */
public final class FixRun {
  private static final String STANDARD_INPUT = "-";

  private final Output output;
  private final Options options;
  private int files;
  private int mended;
  private int changes;
  private int suggestions;
  private final Set<Diagnostic> left = new LinkedHashSet<>();

  /**
   * How to mend.
   *
   * @param suggested whether changes are made that are not safe
   * @param pedantic whether findings are mended that are often no mistakes
   * @param diff whether to show what would change, and change nothing
   * @param dryRun whether to say what would change, and change nothing
   */
  public record Options(boolean suggested, boolean pedantic, boolean diff, boolean dryRun) {}

  public FixRun(Output output, Options options) {
    this.output = output;
    this.options = options;
  }

  /** Mends what the arguments name and returns the exit code. */
  public int run(List<String> arguments) {
    List<String> failed = new ArrayList<>();
    Set<String> done = new LinkedHashSet<>();
    for (String argument : arguments) {
      try {
        for (String file : Specs.expand(List.of(argument))) {
          if (done.add(file)) {
            mend(file, failed);
          }
        }
      } catch (UserError e) {
        failed.add(String.valueOf(e.getMessage()));
      }
    }
    output.out().flush();
    List<Diagnostic> all = List.copyOf(left);
    output.show(all);
    failed.forEach(output::error);
    Summary summary = Summary.of(all);
    if (files > 0) {
      String made =
          changes == 0
              ? "nothing to change"
              : "%s %s in %s"
                  .formatted(
                      Summary.counted(changes, "change"),
                      options.diff() || options.dryRun() ? "possible" : "made",
                      Summary.counted(mended, "file"));
      output.note(Summary.counted(files, "file") + " read, " + made + "; left: " + summary.text());
    }
    if (suggestions > 0) {
      output.note(
          Summary.counted(suggestions, "more suggestion")
              + ": `--suggested` makes these too, which can change what is computed");
    }
    if (!failed.isEmpty()) {
      return ExitCode.USAGE;
    }
    return summary.errors() > 0 ? ExitCode.FINDINGS : ExitCode.CLEAN;
  }

  private void mend(String file, List<String> failed) {
    try {
      mend(file);
    } catch (UserError e) {
      failed.add(String.valueOf(e.getMessage()));
    }
  }

  private void mend(String file) {
    SpecFile spec = Specs.load(file, options.pedantic());
    SourceFile source = spec.source();
    if (source.path().startsWith("align:")) {
      throw new UserError("`" + file + "` is part of the standard library and is not changed");
    }
    files++;
    FixApplier.Outcome outcome =
        new FixApplier(text -> findings(spec.with(text)), options.suggested()).apply(source);
    changes += outcome.applied().size();
    mended += outcome.applied().isEmpty() ? 0 : 1;
    left.addAll(outcome.left());
    suggestions +=
        (int)
            outcome.left().stream()
                .filter(d -> d.fixes().stream().anyMatch(f -> !f.safe()))
                .filter(_ -> !options.suggested())
                .count();
    boolean text = file.equals(STANDARD_INPUT);
    if (options.diff()) {
      output.out().print(UnifiedDiff.of(source.path(), source.text(), outcome.text()));
      return;
    }
    if (!text || options.dryRun()) {
      for (FixApplier.Applied applied : outcome.applied()) {
        Diagnostic finding = applied.diagnostic();
        output
            .out()
            .println(
                "%s: %s %s"
                    .formatted(
                        finding.span().place(), finding.code().code(), applied.fix().title()));
      }
    }
    if (options.dryRun()) {
      return;
    }
    if (text) {
      output.out().print(outcome.text());
    } else if (!outcome.text().equals(source.text())) {
      SpecText.replace(Specs.path(file), file, outcome.text());
    }
  }

  private static List<Diagnostic> findings(SpecFile spec) {
    Set<Diagnostic> all = new LinkedHashSet<>(spec.diagnostics());
    all.addAll(spec.experimentDiagnostics());
    return List.copyOf(all);
  }
}
