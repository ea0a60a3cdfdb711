package org.alignlang.compiler.diagnostic;

import java.util.List;

/**
 * The form in which Maven shows what javac finds, {@code [ERROR] path:[line,column] text}, which
 * editors turn into links.
 */
public record MavenRenderer() implements DiagnosticRenderer {

  @Override
  public String render(List<Diagnostic> diagnostics) {
    StringBuilder text = new StringBuilder();
    for (Diagnostic diagnostic : diagnostics) {
      String tag =
          switch (diagnostic.severity()) {
            case ERROR -> "[ERROR] ";
            case WARNING -> "[WARNING] ";
            case NOTE -> "[INFO] ";
          };
      int start = diagnostic.span().start();
      text.append(tag)
          .append(Visible.line(diagnostic.span().source().path()))
          .append(":[")
          .append(diagnostic.span().source().line(start))
          .append(',')
          .append(diagnostic.span().source().column(start))
          .append("] ")
          .append(diagnostic.code().code())
          .append(": ")
          .append(Visible.line(diagnostic.message()))
          .append('\n');
      diagnostic
          .help()
          .ifPresent(help -> text.append(tag).append("  ").append(Visible.line(help)).append('\n'));
    }
    return text.toString();
  }
}
