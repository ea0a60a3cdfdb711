package org.alignlang.compiler.diagnostic;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** Collects findings; the same finding is kept once. */
public final class DiagnosticSink {
  private static final int LIMIT = 200;

  private final Set<Diagnostic> diagnostics = new LinkedHashSet<>();
  private int errors;

  public void report(Diagnostic diagnostic) {
    if (diagnostics.size() < LIMIT && diagnostics.add(diagnostic) && diagnostic.isError()) {
      errors++;
    }
  }

  /** Whether nothing more is kept. */
  public boolean isFull() {
    return diagnostics.size() >= LIMIT;
  }

  /** Whether anything reported so far stops compilation. */
  public boolean hasErrors() {
    return errors > 0;
  }

  public int errorCount() {
    return errors;
  }

  /** All findings, ordered by file and position. */
  public List<Diagnostic> sorted() {
    List<Diagnostic> all = new ArrayList<>(diagnostics);
    all.sort(
        Comparator.comparing((Diagnostic d) -> d.span().source().path())
            .thenComparing(d -> d.span().start())
            .thenComparing(d -> d.code()));
    return List.copyOf(all);
  }
}
