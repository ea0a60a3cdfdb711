package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.junit.jupiter.api.Test;

/** Forms of an objective, chosen by whoever uses it. */
class FormsTest {
  private static Expression expression(String text) {
    return AlignSyntax.parseExpression(new SourceFile("value", text), new DiagnosticSink())
        .orElseThrow();
  }

  private static List<Diagnostic> findings(
      Declaration.ObjectiveDeclaration objective, Compilation in, Map<String, String> given) {
    Map<String, Expression> values = new LinkedHashMap<>();
    given.forEach((name, text) -> values.put(name, expression(text)));
    DiagnosticSink sink = new DiagnosticSink();
    Compiler.check(objective, in.scope(), values, Set.of(), CompilerOptions.defaults(), sink);
    return sink.sorted().stream().filter(Diagnostic::isError).toList();
  }

  @Test
  void everyFormOfEveryObjectiveOfTheLibraryIsRight() {
    int forms = 0;
    for (String path : StandardLibrary.modules()) {
      Compilation module =
          Compiler.compile(
              new SourceFile("align:" + path, StandardLibrary.source(path).orElseThrow()),
              CompilerOptions.defaults());
      for (Declaration declaration : module.module().declarations()) {
        if (declaration instanceof Declaration.ObjectiveDeclaration objective) {
          List<Map<String, String>> all = new ArrayList<>(List.of(Map.of()));
          for (Declaration.Parameter parameter : objective.parameters()) {
            if (parameter.type().map(Declaration.TypeExpression::name).orElse("").equals("Bool")) {
              List<Map<String, String>> next = new ArrayList<>();
              for (Map<String, String> form : all) {
                for (String value : List.of("true", "false")) {
                  Map<String, String> more = new LinkedHashMap<>(form);
                  more.put(parameter.name(), value);
                  next.add(more);
                }
              }
              all = next;
            }
          }
          for (Map<String, String> form : all) {
            if (!form.isEmpty()) {
              forms++;
              assertThat(findings(objective, module, form))
                  .as("%s %s", objective.name(), form)
                  .isEmpty();
            }
          }
        }
      }
    }
    assertThat(forms).isGreaterThan(30);
  }

  @Test
  void whatAFormDoesNotReadMayBeLeftOutAndNotGiven() {
    Compilation module =
        Compiler.compile(
            new SourceFile(
                "forms.align",
                """
                objective Forms(k: Real = 2, other: Real = 1, tail: Bool = true) {
                  policy pi
                  teacher t
                  let inside = top[vocab](t(y.vocab), k)
                  minimize mean[token, sequence](
                    if tail then sum[vocab](pi(y.vocab) when inside) else -log(pi(y.token) / t(y.token)))
                    * other
                }
                """),
            CompilerOptions.defaults());
    assertThat(module.diagnostics()).isEmpty();
    Declaration.ObjectiveDeclaration objective =
        (Declaration.ObjectiveDeclaration) module.module().declarations().getFirst();
    assertThat(findings(objective, module, Map.of("tail", "false"))).isEmpty();
    assertThat(findings(objective, module, Map.of("tail", "true", "k", "3"))).isEmpty();
    assertThat(findings(objective, module, Map.of("tail", "false", "k", "3")))
        .singleElement()
        .satisfies(finding -> {
          assertThat(finding.code().code()).isEqualTo("ALN4002");
          assertThat(finding.message())
              .isEqualTo("`k` is given a value, which the form with `tail = false` does not read");
          assertThat(finding.span().source().path()).isEqualTo("value");
        });
  }

  private static Compilation required() {
    return Compiler.compile(
        new SourceFile(
            "required.align",
            """
            objective Required(robust: Bool = true, eps: Real, beta: Real = 0.1) {
              policy pi
              reference ref
              pairs chosen > rejected
              let h(s) = log(pi(s) / ref(s))
              let m = beta * (h(chosen) - h(rejected))
              minimize mean[pair](
                  if robust then -(1 - eps) * log_sigmoid(m) + eps * log_sigmoid(-m) else -log_sigmoid(m))
            }
            """),
        CompilerOptions.defaults());
  }

  /** It has no default: leaving it out would be an error. */
  @Test
  void whatEveryFormMustGiveMayBeGivenToEach() {
    Compilation module = required();
    Declaration.ObjectiveDeclaration objective =
        (Declaration.ObjectiveDeclaration) module.module().declarations().getFirst();
    assertThat(findings(objective, module, Map.of("robust", "false", "eps", "0.1"))).isEmpty();
  }

  @Test
  void aWrongFormIsOneFinding() {
    Compilation module = required();
    Declaration.ObjectiveDeclaration objective =
        (Declaration.ObjectiveDeclaration) module.module().declarations().getFirst();
    assertThat(findings(objective, module, Map.of("robust", "False", "eps", "0.1")))
        .singleElement()
        .satisfies(finding -> assertThat(finding.help()).hasValue("write `false`"));
    assertThat(findings(objective, module, Map.of("robust", "0", "eps", "0.1")))
        .singleElement()
        .satisfies(finding -> assertThat(finding.help()).hasValue("write `true` or `false`"));
  }
}
