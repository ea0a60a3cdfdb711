package org.alignlang.cli.check;

import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticRenderer;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * One JSON object for each finding, on a line each. Lines and columns count from 1, columns in code
 * points; offsets count from 0 in UTF-16 code units; ends are exclusive. {@code version} changes
 * when a field changes its meaning or goes away, and not when one is added.
 */
public record JsonRenderer() implements DiagnosticRenderer {
  static final int VERSION = 1;
  private static final JsonMapper MAPPER = new JsonMapper();

  @Override
  public String render(List<Diagnostic> diagnostics) {
    StringBuilder text = new StringBuilder();
    for (Diagnostic diagnostic : diagnostics) {
      text.append(MAPPER.writeValueAsString(object(diagnostic))).append('\n');
    }
    return text.toString();
  }

  private static ObjectNode object(Diagnostic diagnostic) {
    ObjectNode object = MAPPER.createObjectNode();
    object.put("version", VERSION);
    object.put("kind", "diagnostic");
    object.put("code", diagnostic.code().code());
    object.put("name", diagnostic.code().slug());
    object.put("severity", diagnostic.severity().word());
    object.put("message", diagnostic.message());
    diagnostic.help().ifPresent(help -> object.put("help", help));
    place(object, diagnostic.span());
    ArrayNode labels = object.putArray("labels");
    for (Diagnostic.Label label : diagnostic.labels()) {
      ObjectNode node = labels.addObject();
      node.put("text", label.text());
      place(node, label.span());
    }
    if (!diagnostic.fixes().isEmpty()) {
      ArrayNode fixes = object.putArray("fixes");
      for (Fix fix : diagnostic.fixes()) {
        ObjectNode node = fixes.addObject();
        node.put("title", fix.title());
        node.put("safe", fix.safe());
        ArrayNode edits = node.putArray("edits");
        for (Edit edit : fix.edits()) {
          ObjectNode change = edits.addObject();
          change.put("replacement", edit.replacement());
          place(change, edit.span());
        }
      }
    }
    return object;
  }

  private static void place(ObjectNode object, Span span) {
    object.put("file", span.source().path());
    position(object.putObject("start"), span.source(), span.start());
    position(object.putObject("end"), span.source(), span.end());
  }

  private static void position(ObjectNode object, SourceFile source, int offset) {
    object.put("line", source.line(offset));
    object.put("column", source.column(offset));
    object.put("offset", offset);
  }
}
