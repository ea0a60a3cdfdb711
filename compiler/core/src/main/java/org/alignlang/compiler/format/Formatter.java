package org.alignlang.compiler.format;

import java.util.List;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.syntax.AlignSyntax;

/**
 * Lays a file out in the one style: nothing but space changes, every comment stays, and laying the
 * result out again changes nothing. Lines hold at most 100 characters where they can be broken.
 */
public final class Formatter {
  private Formatter() {}

  /** What came of a file. */
  public sealed interface Outcome {
    /** The text in the one style, which may be the text as it was. */
    record Formatted(String text) implements Outcome {}

    /** Why the file was left alone. */
    record Refused(List<Diagnostic> diagnostics) implements Outcome {
      public Refused {
        diagnostics = List.copyOf(diagnostics);
      }
    }
  }

  /**
   * Lays a file out. A file with syntax errors is left alone. The result is parsed and compared
   * with the source before it is given out.
   */
  public static Outcome format(SourceFile source) {
    DiagnosticSink sink = new DiagnosticSink();
    AlignSyntax.Parsed parsed = AlignSyntax.parse(source, sink);
    if (!parsed.clean()) {
      return new Outcome.Refused(sink.sorted());
    }
    String text = ModuleLayout.text(parsed.module());
    if (!sameMeaning(parsed.module(), new SourceFile(source.path(), text))) {
      return new Outcome.Refused(
          List.of(
              Diagnostic.of(
                      DiagnosticCode.INTERNAL,
                      source.span(0, 0),
                      "this file cannot be laid out without changing what it says")
                  .withHelp("please report it with the file; nothing was changed")));
    }
    boolean carriageReturns = source.text().contains("\r\n");
    return new Outcome.Formatted(carriageReturns ? text.replace("\n", "\r\n") : text);
  }

  private static boolean sameMeaning(Module module, SourceFile formatted) {
    AlignSyntax.Parsed again = AlignSyntax.parse(formatted, new DiagnosticSink());
    return again.clean() && SameMeaning.same(module, again.module());
  }
}
