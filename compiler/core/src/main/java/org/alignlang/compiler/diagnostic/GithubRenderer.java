package org.alignlang.compiler.diagnostic;

import java.util.List;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/** Workflow commands that GitHub Actions turns into annotations of the changed lines. */
public record GithubRenderer() implements DiagnosticRenderer {

  @Override
  public String render(List<Diagnostic> diagnostics) {
    StringBuilder text = new StringBuilder();
    for (Diagnostic diagnostic : diagnostics) {
      Span span = diagnostic.span();
      SourceFile source = span.source();
      int line = source.line(span.start());
      int endLine = source.line(Math.max(span.start(), span.end()));
      text.append("::").append(command(diagnostic.severity()));
      text.append(" file=").append(property(source.path()));
      text.append(",line=").append(line).append(",endLine=").append(endLine);
      // GitHub shows no annotation that has columns and several lines.
      if (line == endLine) {
        text.append(",col=").append(source.column(span.start()));
        text.append(",endColumn=").append(source.column(span.end()));
      }
      text.append(",title=").append(property(diagnostic.code().code())).append("::");
      text.append(data(diagnostic.message()));
      diagnostic.help().ifPresent(help -> text.append(data("\nhelp: " + help)));
      text.append('\n');
    }
    return text.toString();
  }

  private static String command(Severity severity) {
    return switch (severity) {
      case ERROR -> "error";
      case WARNING -> "warning";
      case NOTE -> "notice";
    };
  }

  private static String data(String text) {
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A");
  }

  private static String property(String text) {
    return data(text).replace(":", "%3A").replace(",", "%2C");
  }
}
