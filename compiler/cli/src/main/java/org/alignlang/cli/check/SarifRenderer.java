package org.alignlang.cli.check;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticRenderer;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.diagnostic.Severity;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.AlignVersion;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/** The findings as one log in the Static Analysis Results Interchange Format, version 2.1.0. */
public record SarifRenderer() implements DiagnosticRenderer {
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(SerializationFeature.INDENT_OUTPUT).build();

  @Override
  public String render(List<Diagnostic> diagnostics) {
    ObjectNode log = MAPPER.createObjectNode();
    log.put("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    log.put("version", "2.1.0");
    ObjectNode run = log.putArray("runs").addObject();
    ObjectNode driver = run.putObject("tool").putObject("driver");
    driver.put("name", "Align");
    driver.put("version", AlignVersion.current());
    List<DiagnosticCode> codes =
        diagnostics.stream().map(Diagnostic::code).distinct().sorted().toList();
    ArrayNode rules = driver.putArray("rules");
    codes.forEach(code -> rule(rules.addObject(), code));
    run.put("columnKind", "unicodeCodePoints");
    ArrayNode results = run.putArray("results");
    for (Diagnostic diagnostic : diagnostics) {
      result(results.addObject(), diagnostic, codes.indexOf(diagnostic.code()));
    }
    return MAPPER.writeValueAsString(log).replace("\r\n", "\n") + "\n";
  }

  private static void rule(ObjectNode rule, DiagnosticCode code) {
    rule.put("id", code.code());
    rule.put("name", code.slug());
    rule.putObject("shortDescription").put("text", code.title());
    rule.putObject("defaultConfiguration").put("level", level(code.severity()));
  }

  private static void result(ObjectNode result, Diagnostic diagnostic, int rule) {
    result.put("ruleId", diagnostic.code().code());
    result.put("ruleIndex", rule);
    result.put("level", level(diagnostic.severity()));
    String help = diagnostic.help().map(h -> "\nhelp: " + h).orElse("");
    result.putObject("message").put("text", diagnostic.message() + help);
    location(result.putArray("locations").addObject(), diagnostic.span());
    if (!diagnostic.labels().isEmpty()) {
      ArrayNode related = result.putArray("relatedLocations");
      for (Diagnostic.Label label : diagnostic.labels()) {
        ObjectNode location = related.addObject();
        location.put("id", related.size() - 1);
        location(location, label.span());
        location.putObject("message").put("text", label.text());
      }
    }
    if (!diagnostic.fixes().isEmpty()) {
      ArrayNode fixes = result.putArray("fixes");
      diagnostic.fixes().forEach(fix -> fix(fixes.addObject(), fix));
    }
  }

  private static void location(ObjectNode location, Span span) {
    ObjectNode physical = location.putObject("physicalLocation");
    physical.putObject("artifactLocation").put("uri", uri(span.source().path()));
    region(physical.putObject("region"), span);
  }

  private static void fix(ObjectNode object, Fix fix) {
    object.putObject("description").put("text", fix.title());
    ObjectNode change = object.putArray("artifactChanges").addObject();
    change.putObject("artifactLocation").put("uri", uri(fix.source().path()));
    ArrayNode replacements = change.putArray("replacements");
    for (Edit edit : fix.edits()) {
      ObjectNode replacement = replacements.addObject();
      region(replacement.putObject("deletedRegion"), edit.span());
      replacement.putObject("insertedContent").put("text", edit.replacement());
    }
  }

  private static void region(ObjectNode region, Span span) {
    SourceFile source = span.source();
    region.put("startLine", source.line(span.start()));
    region.put("startColumn", source.column(span.start()));
    region.put("endLine", source.line(span.end()));
    region.put("endColumn", source.column(span.end()));
  }

  /** A relative reference, or a file's address for an absolute path. */
  private static String uri(String path) {
    if (path.startsWith("align:")) {
      return path;
    }
    try {
      if (path.startsWith("/")) {
        return new URI("file", "", path, null).toASCIIString();
      }
      // A colon in the first segment would make it a scheme.
      String relative = path.contains(":") ? "./" + path : path;
      return new URI(null, null, relative, null).toASCIIString();
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String level(Severity severity) {
    return switch (severity) {
      case ERROR -> "error";
      case WARNING -> "warning";
      case NOTE -> "note";
    };
  }
}
