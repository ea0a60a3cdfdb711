package org.alignlang.compiler.format;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.alignlang.compiler.syntax.Lexeme;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FormatterTest {

  private static String format(String text) {
    return switch (Formatter.format(new SourceFile("a.align", text))) {
      case Formatter.Outcome.Formatted formatted -> formatted.text();
      case Formatter.Outcome.Refused refused ->
          throw new AssertionError(
              refused.diagnostics().stream().map(Diagnostic::message).toList() + "\n" + text);
    };
  }

  private static Module parse(String text) {
    return AlignSyntax.parse(new SourceFile("a.align", text), new DiagnosticSink()).module();
  }

  private static List<String> comments(String text) {
    return AlignSyntax.lexemes(new SourceFile("a.align", text)).stream()
        .filter(Lexeme::comment)
        .map(c -> c.text().stripTrailing())
        .toList();
  }

  /** What must hold of every text that parses. */
  private static String checked(String text) {
    String once = format(text);
    assertThat(format(once)).as("laid out again:\n%s", text).isEqualTo(once);
    assertThat(SameMeaning.same(parse(text), parse(once))).as("tree of:\n%s", text).isTrue();
    assertThat(comments(once)).isEqualTo(comments(text));
    assertThat(once.lines().filter(l -> !l.equals(l.stripTrailing()))).isEmpty();
    assertThat(once).doesNotContain("\n\n\n");
    return once;
  }

  @Test
  void theProjectsOwnSpecsAreLaidOut() throws IOException {
    for (String text : ownSpecs()) {
      assertThat(format(text)).isEqualTo(text);
    }
  }

  static Stream<String> specs() throws IOException {
    List<String> all = new ArrayList<>(ownSpecs());
    all.addAll(NASTY);
    return all.stream();
  }

  /** The standard library and the samples. */
  private static List<String> ownSpecs() throws IOException {
    List<String> all = new ArrayList<>();
    StandardLibrary.paths().forEach(p -> all.add(StandardLibrary.source(p).orElseThrow()));
    Path samples = Path.of("../../samples");
    try (Stream<Path> files = Files.walk(samples)) {
      for (Path file :
          files
              .filter(f -> f.toString().endsWith(".align") && !f.toString().contains("target"))
              .sorted()
              .toList()) {
        all.add(Files.readString(file));
      }
    }
    return all;
  }

  private static final List<String> NASTY =
      List.of(
          "",
          "// only a comment",
          "\uFEFF// after a mark\r\nfun f(x) = x\r\n",
          "fun f(x)=((x))+(((1)))",
          "fun f(x) {\n  let a = x\n  // before the value\n  (a + 1)\n}",
          "fun f(x)=-x^-2^- -3 // power\n// end",
          "fun f(x) = x - -1 - (x - 1) - 5% * 3 / (4 / 5)",
          "fun f(a,b,)",
          "objective A{}objective B{// inside\n}",
          "/// doc\nobjective A { minimize 1 /// not a doc\n} fun g() = 1",
          "fun f() = 1 /// no\n} objective",
          "fun f() = if a then if b then 1 else 2 else if c then 3 else 4",
          "fun f(x) = x // one\n + // two\n // three\n 1 // four\n",
          "objective A {\n"
              + "  policy // p\n"
              + " pi\n\n\n\n"
              + "  reference ref // r\n"
              + "  subject to\n"
              + "  (E[a]) <= 1\n"
              + "   // between\n"
              + " (E[b]) >= 2 multiplier m\n"
              + "}",
          "experiment X {\n"
              + " steps 10 seeds 2\n"
              + " steps\n"
              + "(3)\n"
              + " record a = E[x], b = E[y], c = E[z], d ="
              + " E[wwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwwww]\n"
              + " plot a against b by c \"t\"\n"
              + " expect a within 1% of b where c == 1 \"why\"\n"
              + "}",
          "import align.losses.as as as\nimport \"x.align\"\n\n\n\n\nfun f() = 1\nfun g() = 2",
          "fun f(x) = x accept biased \"because\" + [1, 2, [3]][0](a = 1)(b)",
          "estimator e ( ) for r : sequence { enumerate y expectation 1 surrogate not a and not (b"
              + " or c) }",
          "divergence d { // c\n f(u) = u\n// d\n}",
          "divergence aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa(aaaaaaaaaaaaaaaaa: Real = 1,"
              + " bbbbbbbbbbbbbbbbbbb: Real = 2) { f(u) = u * log(u) + u * log(u) + 1 }",
          "objective π(β: Real = 0.1, k: Int[3] at token = 2) { reward r: sequence[5] at token"
              + " labelled y : Bool target p(y) ~ ref(y)·exp(r) minimize KL(p ‖ pi) ≤ 3 }",
          "fun f(x) = " + "x + ".repeat(300) + "x",
          "fun f(x) = " + "(".repeat(60) + "x" + ")".repeat(60),
          "fun f(x) = " + "g(".repeat(90) + "x" + ")".repeat(90));

  @ParameterizedTest
  @MethodSource("specs")
  void layingOutChangesOnlySpace(String text) {
    DiagnosticSink sink = new DiagnosticSink();
    if (AlignSyntax.parse(new SourceFile("a.align", text), sink).clean()) {
      checked(text);
    } else {
      assertThat(Formatter.format(new SourceFile("a.align", text)))
          .isInstanceOfSatisfying(
              Formatter.Outcome.Refused.class,
              refused ->
                  assertThat(refused.diagnostics())
                      .extracting(Diagnostic::message)
                      .isEqualTo(sink.sorted().stream().map(Diagnostic::message).toList()));
    }
  }

  /** Random space and comments between the words of every spec, where the result still parses. */
  @ParameterizedTest
  @MethodSource("specs")
  void spaceAndCommentsAnywhere(String text) {
    Random random = new Random(20);
    List<Lexeme> lexemes = AlignSyntax.lexemes(new SourceFile("a.align", text));
    if (lexemes.size() > 700) {
      lexemes = lexemes.subList(0, 700);
    }
    int tried = 0;
    for (int round = 0; round < 6; round++) {
      String perturbed = perturbed(lexemes, random, round % 2 == 0 ? 0.5 : 0.05);
      DiagnosticSink sink = new DiagnosticSink();
      if (AlignSyntax.parse(new SourceFile("a.align", perturbed), sink).clean()) {
        checked(perturbed);
        tried++;
      }
    }
    boolean parses =
        AlignSyntax.parse(new SourceFile("a.align", text), new DiagnosticSink()).clean();
    assertThat(tried > 0 || !parses || lexemes.size() == 700).isTrue();
  }

  private static String perturbed(List<Lexeme> lexemes, Random random, double rate) {
    String[] gaps = {
      "\n", "\n\n\n", " \t ", " // c\n", "\n  // own\n", "\n/// doc\n", "\n\n // x\n\n"
    };
    StringBuilder out = new StringBuilder();
    int at = 0;
    for (int i = 0; i < lexemes.size(); i++) {
      Lexeme lexeme = lexemes.get(i);
      String gap = lexeme.start() > at ? " " : "";
      boolean line = i > 0 && lexemes.get(i - 1).comment();
      if (line) {
        gap = "\n";
      } else if (i > 0
          && random.nextDouble() < rate
          && !lexeme.text().startsWith("(")
          && !lexeme.text().startsWith("[")) {
        gap = gaps[random.nextInt(gaps.length)];
      }
      out.append(gap).append(lexeme.text());
      at = lexeme.end();
    }
    return out.toString();
  }

  @Test
  void columnsOfAnObjective() {
    assertThat(
            checked(
                """
                objective  SafeHelpful ( beta:Real=0.05,budget : Real= 0.10 ) {
                policy pi
                reference ref
                reward helpful : sequence
                reward harm:sequence   // judged


                maximize E[helpful]-beta*KL( pi||ref )
                subject to E[harm]<=budget multiplier lambda( init=0,rate = 0.05 )
                   KL(pi||ref) <= 0.5 multiplier mu(form=log)
                estimate with rloo()
                }
                """))
        .isEqualTo(
            """
            objective SafeHelpful(beta: Real = 0.05, budget: Real = 0.10) {
              policy    pi
              reference ref
              reward    helpful: sequence
              reward    harm:    sequence  // judged

              maximize   E[helpful] - beta * KL(pi || ref)
              subject to E[harm]       <= budget  multiplier lambda(init = 0, rate = 0.05)
                         KL(pi || ref) <= 0.5     multiplier mu(form = log)
              estimate   with rloo()
            }
            """);
  }

  @Test
  void longLinesBreakAtTheLoosestOperator() {
    assertThat(
            checked(
                """
                objective A { policy pi pairs chosen > rejected
                  minimize mean[pair](-log_sigmoid(beta * (log(pi(chosen) / ref(chosen)) - log(pi(rejected) / ref(rejected))))) + 0.5 * mean[pair](margin)
                  metric accuracy = mean[pair](if log(pi(chosen) / ref(chosen)) > log(pi(rejected) / ref(rejected)) then 1 else 0)
                }
                """))
        .isEqualTo(
            """
            objective A {
              policy pi
              pairs  chosen > rejected
              minimize mean[pair](
                -log_sigmoid(beta * (log(pi(chosen) / ref(chosen)) - log(pi(rejected) / ref(rejected))))
              )
                + 0.5 * mean[pair](margin)
              metric accuracy = mean[pair](
                if log(pi(chosen) / ref(chosen)) > log(pi(rejected) / ref(rejected)) then 1 else 0
              )
            }
            """);
  }

  @Test
  void numbersOfALongListShareLines() {
    assertThat(
            checked(
                """
                experiment A { task bandit(helpful = [0.125, 0.25, 0.375, -0.5, 0.625, 0.75, 0.875, 1, 0.125, 0.25, 0.375, -0.5, 0.625, 0.75, 0.875, 1])
                  train B() steps 1 }
                """))
        .isEqualTo(
            """
            experiment A {
              task  bandit(
                helpful = [
                  0.125, 0.25, 0.375, -0.5, 0.625, 0.75, 0.875, 1, 0.125, 0.25, 0.375, -0.5, 0.625, 0.75, 0.875,
                  1
                ]
              )
              train B()
              steps 1
            }
            """);
  }

  @Test
  void commentsStayWhereTheyWere() {
    assertThat(
            checked(
                """
                // head

                /// doc
                fun f(x) = x // behind
                // own


                // own too
                fun g(x) { // open
                  let a = x   // first
                  // value
                  a + // plus
                    1
                  // last
                }
                """))
        .isEqualTo(
            """
            // head

            /// doc
            fun f(x) = x  // behind

            // own

            // own too
            fun g(x) {  // open
              let a = x  // first
              // value
              a
                +  // plus
                 1
              // last
            }
            """);
  }

  @Test
  void lineEndsStayAsTheyWere() {
    assertThat(format("fun f(x)=x\r\nfun g(x)=x\r\n"))
        .isEqualTo("fun f(x) = x\r\nfun g(x) = x\r\n");
  }
}
