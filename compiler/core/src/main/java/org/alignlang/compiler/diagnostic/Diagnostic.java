package org.alignlang.compiler.diagnostic;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.Span;

/**
 * One finding about a source text.
 *
 * @param code what kind of finding it is
 * @param severity how much it matters; usually the code's own severity
 * @param span where it is
 * @param message the finding in one sentence
 * @param labels other places that matter, each with a few words
 * @param help how to mend it
 * @param fixes changes that mend it, the likeliest first
 */
public record Diagnostic(
    DiagnosticCode code,
    Severity severity,
    Span span,
    String message,
    List<Label> labels,
    Optional<String> help,
    List<Fix> fixes) {

  public Diagnostic {
    labels = List.copyOf(labels);
    fixes = List.copyOf(fixes);
  }

  /** Another place that matters to a finding. */
  public record Label(Span span, String text) {}

  /** A finding of the code's own severity. */
  public static Diagnostic of(DiagnosticCode code, Span span, String message) {
    return new Diagnostic(
        code, code.severity(), span, message, List.of(), Optional.empty(), List.of());
  }

  public Diagnostic withHelp(String text) {
    return new Diagnostic(code, severity, span, message, labels, Optional.of(text), fixes);
  }

  public Diagnostic withLabel(Span where, String text) {
    List<Label> all = new ArrayList<>(labels);
    all.add(new Label(where, text));
    return new Diagnostic(code, severity, span, message, all, help, fixes);
  }

  /** One more change that mends it. */
  public Diagnostic withFix(Fix fix) {
    List<Fix> all = new ArrayList<>(fixes);
    all.add(fix);
    return new Diagnostic(code, severity, span, message, labels, help, all);
  }

  /**
   * The finding at another place: that of the call, where it was found inside what is called. The
   * old place becomes a label, and changes of it are no longer offered.
   */
  public Diagnostic at(Span call, String text) {
    return new Diagnostic(code, severity, call, message, List.of(), help, List.of())
        .withLabel(span, text);
  }

  public Diagnostic withSeverity(Severity changed) {
    return new Diagnostic(code, changed, span, message, labels, help, fixes);
  }

  public boolean isError() {
    return severity == Severity.ERROR;
  }
}
