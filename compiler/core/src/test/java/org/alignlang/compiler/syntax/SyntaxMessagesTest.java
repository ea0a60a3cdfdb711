package org.alignlang.compiler.syntax;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is said about texts that are not Align. The table is {@code messages.txt}: a text, and below
 * the dashes what is found in it; {@code -Dalign.golden.update=true} writes it anew and still fails
 * where it changed.
 */
class SyntaxMessagesTest {
  private static final Path TABLE =
      Path.of("src/test/resources/org/alignlang/compiler/syntax/messages.txt");

  private static AlignSyntax.Parsed parse(String text, DiagnosticSink sink) {
    return AlignSyntax.parse(new SourceFile("a.align", text), sink);
  }

  private static List<Diagnostic> findings(String text) {
    DiagnosticSink sink = new DiagnosticSink();
    parse(text, sink);
    return sink.sorted();
  }

  private static String shown(Diagnostic d) {
    return d.span().source().line(d.span().start())
        + ":"
        + d.span().source().column(d.span().start())
        + " "
        + d.code().slug()
        + ": "
        + d.message()
        + d.help().map(h -> "\n  help: " + h).orElse("")
        + d.labels().stream()
            .map(l -> "\n  " + l.span().source().line(l.span().start()) + ": " + l.text())
            .collect(Collectors.joining());
  }

  @Test
  void messagesAreThoseOfTheTable() throws IOException {
    String table = Files.readString(TABLE);
    List<String> entries = new ArrayList<>();
    for (String entry : table.split("(?m)^====\n")) {
      String text = entry.substring(0, entry.indexOf("\n----\n"));
      List<Diagnostic> found = findings(text + "\n");
      assertThat(found).as(text).isNotEmpty();
      entries.add(
          text
              + "\n----\n"
              + found.stream().map(d -> shown(d) + "\n").collect(Collectors.joining()));
    }
    String actual = String.join("====\n", entries);
    if (Boolean.getBoolean("align.golden.update")) {
      Files.writeString(TABLE, actual);
    }
    assertThat(actual).isEqualTo(table);
  }

  @Test
  void whatIsRightAroundAnErrorIsRead() {
    DiagnosticSink sink = new DiagnosticSink();
    AlignSyntax.Parsed parsed =
        parse(
            "fun a() = 1\nfun b() = +\nfun c() = 3\nobjective D {\n oops\n}\nfun e() = 5\n", sink);

    assertThat(parsed.clean()).isFalse();
    assertThat(parsed.module().declarations())
        .extracting(Declaration::name)
        .containsExactly("a", "c", "e");
    assertThat(sink.sorted()).hasSize(2);
  }

  @Test
  void manyErrorsAreNotAllShown() {
    String text = "fun f() = +\n".repeat(500);
    assertThat(findings(text)).hasSizeBetween(1, 25);
  }

  @ParameterizedTest
  @ValueSource(ints = {20_000})
  void depthIsBounded(int depth) {
    for (String text :
        List.of(
            "fun f(x) = " + "(".repeat(depth) + "x" + ")".repeat(depth),
            "fun f(x) = " + "(".repeat(depth),
            "fun f(x) = " + "-".repeat(depth) + "x",
            "fun f(x) = " + "not ".repeat(depth) + "x",
            "fun f(x) = " + "if x then ".repeat(depth) + "x",
            "fun f(x) = " + "x ^ ".repeat(depth) + "x",
            "fun f(x) = " + "x + ".repeat(depth) + "x",
            "fun f(x) = x" + "(x)".repeat(depth),
            "fun f(x) = x" + ".x".repeat(depth),
            "fun f(x) = " + "[".repeat(depth),
            "objective A " + "{".repeat(depth))) {
      assertThat(findings(text))
          .as(text.substring(0, 30))
          .isNotEmpty()
          .allMatch(d -> d.code() == DiagnosticCode.TOO_DEEP || d.code() == DiagnosticCode.SYNTAX);
    }
  }

  @Test
  void whatIsWithinTheBoundsCompiles() {
    String nested = "fun f(x) = " + "(".repeat(190) + "x" + ")".repeat(190) + "\n";
    String chained = "fun g(x) = " + "x + ".repeat(900) + "x\n";
    assertThat(
            Compiler.compile(
                    new SourceFile("a.align", nested + chained), CompilerOptions.defaults())
                .diagnostics())
        .isEmpty();
  }

  @Test
  void largeFilesAreReadWhole() {
    String text =
        IntStream.range(0, 20_000)
            .mapToObj(i -> "fun f" + i + "(x) = x * " + i + " + 1\n")
            .collect(Collectors.joining());
    DiagnosticSink sink = new DiagnosticSink();
    assertThat(parse(text, sink).module().declarations()).hasSize(20_000);
    assertThat(sink.sorted()).isEmpty();
  }

  @Test
  void whatIsTooLargeIsRefusedInOneSentence() {
    assertThat(findings(" ".repeat(AlignSyntax.LONGEST + 1)))
        .extracting(Diagnostic::message)
        .containsExactly("this file is longer than 4 MiB");
    assertThat(findings("x ".repeat(400_001)))
        .extracting(Diagnostic::message)
        .containsExactly("this file has more than 400000 words and symbols");
  }

  static Stream<String> spellings() {
    String text =
        """
        /// Doc.
        objective A(β: Real = 0.1) {
          policy π
          minimize mean[sequence](-β * log(π(y)))  // ≤
        }
        """;
    return Stream.of(
        text,
        "\uFEFF" + text,
        text.replace("\n", "\r\n"),
        text.replace("  ", "\t"),
        text.replace(" ", "\u00A0").replace("///\u00A0", "/// "),
        text.replace("-", "−").replace("*", "·"),
        text.stripTrailing());
  }

  /** Line ends, a byte-order mark, tabs and mathematical signs are all the same text. */
  @ParameterizedTest
  @MethodSource("spellings")
  void theSameTextInOtherSpellings(String text) {
    var compiled = Compiler.compile(new SourceFile("a.align", text), CompilerOptions.defaults());
    assertThat(compiled.diagnostics()).isEmpty();
    assertThat(compiled.objectives().getFirst().signature().parameters().getFirst().name())
        .isEqualTo("β");
    assertThat(compiled.objectives().getFirst().declaration().documentation()).isEqualTo("Doc.");
  }

  @Test
  void lettersThatLookAlikeAreTheSameName() {
    // Composed in the declaration and decomposed in the use.
    String text = "fun caf\u00e9(x) = x\nfun g(x) = cafe\u0301(x)\n";
    assertThat(
            Compiler.compile(new SourceFile("a.align", text), CompilerOptions.defaults())
                .diagnostics())
        .isEmpty();
  }
}
