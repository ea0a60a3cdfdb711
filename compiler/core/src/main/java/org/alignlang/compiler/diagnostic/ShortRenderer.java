package org.alignlang.compiler.diagnostic;

import java.util.List;

/** One line for each finding: {@code path:line:column: severity[code] message}. */
public record ShortRenderer(Palette palette) implements DiagnosticRenderer {

  @Override
  public String render(List<Diagnostic> diagnostics) {
    StringBuilder text = new StringBuilder();
    for (Diagnostic diagnostic : diagnostics) {
      text.append(Visible.line(diagnostic.span().place()))
          .append(": ")
          .append(
              palette.severity(
                  diagnostic.severity(),
                  diagnostic.severity().word() + "[" + diagnostic.code().code() + "]"))
          .append(' ')
          .append(Visible.line(diagnostic.message()))
          .append('\n');
    }
    return text.toString();
  }
}
