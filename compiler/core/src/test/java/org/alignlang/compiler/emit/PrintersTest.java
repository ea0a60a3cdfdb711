package org.alignlang.compiler.emit;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.plan.Stages;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class PrintersTest {
  private static final SourceFile MARGIN =
      new SourceFile(
          "margin.align",
          """
          /// A margin.
          objective Margin(beta: Real = 0.5) {
            policy pi
            pairs  chosen > rejected
            minimize mean[pair](-beta * log(pi(chosen) / pi(rejected)))
          }
          """);

  private static Compilation compile(SourceFile source) {
    Compilation compilation = Compiler.compile(source, CompilerOptions.defaults());
    assertThat(compilation.hasErrors()).isFalse();
    return compilation;
  }

  @Test
  void tokensTellPlaceKindAndText() {
    assertThat(TokenPrinter.print(MARGIN))
        .startsWith(
            """
            1:1      DOC_COMMENT    /// A margin.
            2:1      OBJECTIVE      objective
            2:11     NAME           Margin
            """)
        .endsWith("6:1      RBRACE         }\n");
  }

  @Test
  void treesShowAllThatWasWritten() {
    assertThat(TreePrinter.print(compile(MARGIN).module()))
        .startsWith(
            """
            ObjectiveDeclaration Margin documentation="A margin."  [2:1-6:2]
              parameters
                Parameter beta  [2:18-2:34]
                  type: TypeExpression Real size=0  [2:24-2:28]
                  defaultValue: NumberLiteral 0.5  [2:31-2:34]
              statements
                Actor role=POLICY pi  [3:3-3:12]
                Pairs chosen="chosen" rejected="rejected"  [4:3-4:27]
                Sense  [5:3-5:62]
                  value: Call  [5:12-5:62]
            """);
  }

  @Test
  void graphsAreNumberedInTheOrderPrinted() {
    CheckedObjective objective = compile(MARGIN).objectives().getFirst();

    assertThat(GraphPrinter.graph(objective))
        .startsWith(
            """
            objective Margin
              parameter beta = 0.5
              input chosen.logp: token, trained
              input rejected.logp: token, trained
              %0 = parameter beta                       : batch               @ 2:11
            """)
        .containsPattern("\n  loss: %\\d+\n$");
    assertThat(GraphPrinter.gradient(objective))
        .containsPattern("\n  loss: %\\d+\n")
        .containsPattern("\n  grad.chosen.logp: %\\d+\n")
        .containsPattern("\n  grad.rejected.logp: %\\d+\n$");
    assertThat(GraphPrinter.typed(objective))
        .contains("  policy pi\n")
        .containsPattern("\n  minimize: %\\d+\n$");
  }

  /** Every value is printed before it is used, and printing twice gives the same text. */
  @TestFactory
  List<DynamicTest> everyLibraryFilePrints() {
    return StandardLibrary.paths().stream()
        .map(path -> DynamicTest.dynamicTest(path, () -> printAll(path)))
        .toList();
  }

  private static void printAll(String path) {
    SourceFile source = new SourceFile("align:" + path, StandardLibrary.source(path).orElseThrow());
    Compilation compilation = Compiler.compile(source, CompilerOptions.defaults());
    assertThat(TokenPrinter.print(source)).isNotEmpty();
    assertThat(TreePrinter.print(AlignSyntax.parse(source, new DiagnosticSink()).module()))
        .hasLineCount(TreePrinter.print(compilation.module()).lines().toList().size());
    for (Declaration declaration : compilation.module().declarations()) {
      if (declaration instanceof Declaration.ObjectiveDeclaration objective) {
        CheckedObjective first = check(objective, compilation);
        CheckedObjective second = check(objective, compilation);
        assertThat(GraphPrinter.gradient(first))
            .isEqualTo(GraphPrinter.gradient(second))
            .doesNotContain("?");
        assertThat(GraphPrinter.graph(first)).isEqualTo(GraphPrinter.graph(second));
        assertThat(GraphPrinter.typed(first)).isEqualTo(GraphPrinter.typed(second));
      }
    }
  }

  private static CheckedObjective check(
      Declaration.ObjectiveDeclaration objective, Compilation compilation) {
    return Compiler.check(
            objective,
            compilation.scope(),
            Map.of(),
            Set.of(),
            CompilerOptions.defaults(),
            new DiagnosticSink())
        .orElseThrow();
  }

  /** Sorts are counted: a vocabulary's per logit, one for each key, and others for themselves. */
  @Test
  void plansCountSorts() {
    String head =
        """
        objective Sorted {
          policy  pi
          teacher t
        """;
    String sorted =
        PlanPrinter.print(
            compile(
                    new SourceFile(
                        "sorted.align",
                        head
                            + "minimize mean[token, sequence](sum[vocab](abs(sort[vocab]("
                            + "pi(y.vocab)) - sort[vocab](t(y.vocab)))))}"))
                .objectives()
                .getFirst());
    String plain =
        PlanPrinter.print(
            compile(
                    new SourceFile(
                        "plain.align",
                        head
                            + "minimize mean[token, sequence](sum[vocab](abs("
                            + "pi(y.vocab) - t(y.vocab))))}"))
                .objectives()
                .getFirst());
    int each = Stages.SORT;

    assertThat(sorted).contains("visits, 2 sorts among them; ").containsPattern("; 2 sorts; ");
    assertThat(flops(sorted))
        .isGreaterThan(flops(plain) + 2 * each)
        .isLessThan(flops(plain) + 3 * each);
    assertThat(uncached(sorted)).isGreaterThan(uncached(plain) + 2 * 200);
    assertThat(plain).doesNotContain("sort");

    String rows =
        PlanPrinter.print(
            compile(
                    new SourceFile(
                        "rows.align",
                        """
                        objective Rows {
                          policy pi
                          pairs  chosen > rejected
                          let h(s) = log(pi(s))
                          minimize mean[pair](-log_sigmoid(sort[batch](h(chosen)) - sort[batch](h(rejected))))
                        }
                        """))
                .objectives()
                .getFirst());
    assertThat(rows)
        .contains("2 sorts; ")
        .endsWith(
            "  2 sorts of all rows or tokens besides: n elements take n log2 n comparisons each"
                + " time\n");
  }

  private static int flops(String plan) {
    return number(plan, "and (\\d+) flops per logit");
  }

  private static int uncached(String plan) {
    return number(plan, "\\((\\d+) where visits");
  }

  private static int number(String plan, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(plan);
    assertThat(matcher.find()).as(plan).isTrue();
    return Integer.parseInt(matcher.group(1));
  }
}
