package org.alignlang.compiler.diagnostic;

import java.util.List;

/** Turns findings into text. Stateless and thread-safe. */
@FunctionalInterface
public interface DiagnosticRenderer {

  /** The findings in the order given; ends with a line end, or is empty without findings. */
  String render(List<Diagnostic> diagnostics);
}
