package org.alignlang.cli;

import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;

/**
 * A spec has errors, so that a command cannot do its work; they are shown on standard error and the
 * command ends with {@link ExitCode#FINDINGS}.
 */
public final class InvalidSpec extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final transient List<Diagnostic> diagnostics;

  public InvalidSpec(List<Diagnostic> diagnostics) {
    super(diagnostics.isEmpty() ? "errors" : diagnostics.getFirst().message());
    this.diagnostics = List.copyOf(diagnostics);
  }

  public List<Diagnostic> diagnostics() {
    return diagnostics;
  }
}
