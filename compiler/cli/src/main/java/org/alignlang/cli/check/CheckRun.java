package org.alignlang.cli.check;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.cli.ExitCode;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.Summary;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.diagnostic.Diagnostic;

/** Checks specs and shows what was found. */
public final class CheckRun {
  private final Output output;
  private final Format format;

  public CheckRun(Output output, Format format) {
    this.output = output;
    this.format = format;
  }

  /** Checks what the arguments name and returns the exit code; goes on after an unreadable file. */
  public int run(List<String> arguments) {
    List<String> unreadable = new ArrayList<>();
    Set<Diagnostic> findings = new LinkedHashSet<>();
    int checked = 0;
    for (String argument : arguments) {
      try {
        for (String file : Specs.expand(List.of(argument))) {
          SpecFile spec = Specs.load(file);
          checked++;
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
    output.note(Summary.counted(checked, "file") + " checked: " + summary.text());
    if (!unreadable.isEmpty()) {
      return ExitCode.USAGE;
    }
    return summary.errors() > 0 ? ExitCode.FINDINGS : ExitCode.CLEAN;
  }
}
