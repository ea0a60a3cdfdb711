package org.alignlang.cli.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class SarifRendererTest {
  private static final SourceFile SPEC = new SourceFile("my specs/\u00e9 a.align", "ab\ncd\n");
  private static final SourceFile ABSOLUTE = new SourceFile("/tmp/x y.align", "");

  private static JsonNode run(List<Diagnostic> diagnostics) {
    JsonNode log = new JsonMapper().readTree(new SarifRenderer().render(diagnostics));
    assertThat(log.get("version").asString()).isEqualTo("2.1.0");
    assertThat(log.get("runs")).hasSize(1);
    return log.get("runs").get(0);
  }

  @Test
  void aLogWithoutFindingsHasAnEmptyListOfResults() {
    assertThat(run(List.of()).get("results").isArray()).isTrue();
    assertThat(run(List.of()).get("results")).isEmpty();
  }

  @Test
  void resultsNameTheirRuleAndPlace() {
    JsonNode run =
        run(
            List.of(
                Diagnostic.of(DiagnosticCode.UNUSED_DATA, SPEC.span(1, 5), "unused")
                    .withHelp("cut"),
                Diagnostic.of(DiagnosticCode.SYNTAX, ABSOLUTE.span(0, 0), "empty")
                    .withLabel(SPEC.span(0, 1), "here"),
                Diagnostic.of(DiagnosticCode.ACCEPTED_BIAS, SPEC.span(0, 1), "accepted")));

    JsonNode rules = run.at("/tool/driver/rules");
    assertThat(rules).hasSize(3);
    for (JsonNode result : run.get("results")) {
      assertThat(rules.get(result.get("ruleIndex").asInt()).get("id"))
          .isEqualTo(result.get("ruleId"));
    }
    JsonNode first = run.at("/results/0");
    assertThat(first.get("level").asString()).isEqualTo("error");
    assertThat(first.at("/message/text").asString()).isEqualTo("unused\nhelp: cut");
    JsonNode place = first.at("/locations/0/physicalLocation");
    assertThat(place.at("/artifactLocation/uri").asString())
        .isEqualTo("my%20specs/%C3%A9%20a.align");
    assertThat(place.get("region").toString())
        .isEqualTo("{\"startLine\":1,\"startColumn\":2,\"endLine\":2,\"endColumn\":3}");
    JsonNode second = run.at("/results/1");
    assertThat(second.at("/locations/0/physicalLocation/artifactLocation/uri").asString())
        .isEqualTo("file:///tmp/x%20y.align");
    assertThat(second.at("/relatedLocations/0/message/text").asString()).isEqualTo("here");
    assertThat(run.at("/results/2/level").asString()).isEqualTo("note");
  }
}
