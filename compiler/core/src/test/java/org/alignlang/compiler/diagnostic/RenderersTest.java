package org.alignlang.compiler.diagnostic;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.junit.jupiter.api.Test;

class RenderersTest {
  private static final DiagnosticRenderer FULL = new FullRenderer(Palette.PLAIN);

  private static Span find(SourceFile source, String marked) {
    int start = source.text().indexOf(marked);
    assertThat(start).as(marked).isNotNegative();
    return source.span(start, start + marked.length());
  }

  private static Diagnostic at(String text, String marked) {
    return Diagnostic.of(
        DiagnosticCode.UNKNOWN_NAME, find(new SourceFile("a.align", text), marked), "no `x`");
  }

  private static String full(Diagnostic diagnostic) {
    return FULL.render(List.of(diagnostic));
  }

  @Test
  void caretsStandUnderTheWholeSpanWithHelpOfSeveralLines() {
    assertThat(full(at("let a = helpfull + 1\n", "helpfull").withHelp("one\ntwo")))
        .isEqualTo(
            """
            error[ALN2001]: no `x`
             --> a.align:1:9
              |
            1 | let a = helpfull + 1
              |         ^^^^^^^^
              = help: one
                      two

            """);
  }

  @Test
  void aSpanOfSeveralLinesIsMarkedOnEach() {
    assertThat(full(at("  f(a,\n    b,\n\n    c) + d\n", "f(a,\n    b,\n\n    c)")))
        .isEqualTo(
            """
            error[ALN2001]: no `x`
             --> a.align:1:3
              |
            1 |   f(a,
              |   ^^^^
            2 |     b,
              |     ^^
            3 |
            4 |     c) + d
              |     ^^

            """);
  }

  @Test
  void theMiddleOfALongSpanIsLeftOut() {
    String text = "a\n".repeat(9) + "end\n";
    assertThat(full(at(text, text.strip())))
        .isEqualTo(
            """
            error[ALN2001]: no `x`
              --> a.align:1:1
               |
             1 | a
               | ^
             2 | a
               | ^
             3 | a
               | ^
            ...
             9 | a
               | ^
            10 | end
               | ^^^

            """);
  }

  @Test
  void tabsWideAndCombiningCharactersKeepTheCaretsInPlace() {
    assertThat(full(at("\ta\tb \u6f22\u5b57 e\u0301 x\n", "x")))
        .isEqualTo(
            """
            error[ALN2001]: no `x`
             --> a.align:1:12
              |
            1 |     a   b \u6f22\u5b57 e\u0301 x
              |                  ^

            """);
    assertThat(full(at("\"\u6f22\ud83d\ude00\" x\n", "\u6f22\ud83d\ude00")))
        .contains("1 | \"\u6f22\ud83d\ude00\" x\n  |  ^^^^\n");
  }

  @Test
  void charactersThatActOnATerminalAreShownAndDoNotAct() {
    Diagnostic diagnostic = at("a \u001b[31m \u202e x\r\n", "x");
    String text =
        FULL.render(
            List.of(Diagnostic.of(diagnostic.code(), diagnostic.span(), "no `\u001b[2J`\nat all")));
    assertThat(text)
        .isEqualTo(
            """
            error[ALN2001]: no `\u241b[2J`\u240aat all
             --> a.align:1:11
              |
            1 | a \u241b[31m <U+202E> x
              |                  ^

            """);
  }

  @Test
  void aLongLineIsCutAroundWhatIsMarked() {
    String text = "b".repeat(300) + " wrong " + "c".repeat(300);
    String shown = full(at(text, "wrong"));
    List<String> lines = shown.lines().toList();
    assertThat(lines.get(3)).startsWith("1 | \u2026bbb").endsWith("ccc\u2026").hasSizeLessThan(130);
    int caret = lines.get(4).indexOf('^');
    assertThat(lines.get(3).substring(caret, caret + 5)).isEqualTo("wrong");
    assertThat(lines.get(4).substring(caret)).isEqualTo("^^^^^");
  }

  @Test
  void aMarkWiderThanTheLineEndsWithIt() {
    List<String> lines = full(at("x".repeat(500), "x".repeat(500))).lines().toList();
    assertThat(lines.get(3)).isEqualTo("1 | " + "x".repeat(120) + "\u2026");
    assertThat(lines.get(4)).isEqualTo("  | " + "^".repeat(120));
  }

  @Test
  void theEndOfTheFileIsAPlaceToo() {
    SourceFile empty = new SourceFile("empty.align", "");
    assertThat(full(Diagnostic.of(DiagnosticCode.SYNTAX, empty.span(0, 0), "nothing here")))
        .isEqualTo(
            """
            error[ALN1001]: nothing here
             --> empty.align:1:1
              |
            1 |
              | ^

            """);
    SourceFile open = new SourceFile("open.align", "f(");
    assertThat(full(Diagnostic.of(DiagnosticCode.SYNTAX, open.span(2, 2), "`)` is missing")))
        .contains(" --> open.align:1:3\n", "1 | f(\n  |   ^\n");
    SourceFile ended = new SourceFile("ended.align", "f(\n");
    assertThat(full(Diagnostic.of(DiagnosticCode.SYNTAX, ended.span(3, 3), "`)` is missing")))
        .contains(" --> ended.align:2:1\n", "2 |\n  | ^\n");
  }

  @Test
  void aSpanOfALineEndIsMarkedBehindTheLine() {
    SourceFile source = new SourceFile("a.align", "ab\r\ncd\n");
    assertThat(full(Diagnostic.of(DiagnosticCode.SYNTAX, source.span(2, 4), "a line end")))
        .contains("1 | ab\n  |   ^\n")
        .doesNotContain("cd");
  }

  @Test
  void labelsAreShownInTheirOwnLinesAndFiles() {
    SourceFile source = new SourceFile("a.align", "let x = 1\nlet y = 2\n\n\nlet x = 3\n");
    SourceFile other = new SourceFile("lib/b.align", "fun x() = 4\n");
    Diagnostic diagnostic =
        Diagnostic.of(DiagnosticCode.DUPLICATE_NAME, source.span(26, 27), "`x` is declared twice")
            .withLabel(source.span(4, 5), "first here")
            .withLabel(find(other, "x"), "and here");
    assertThat(full(diagnostic))
        .isEqualTo(
            """
            error[ALN2002]: `x` is declared twice
             --> a.align:5:5
              |
            1 | let x = 1
              |     - first here
            ...
            5 | let x = 3
              |     ^
             ::: lib/b.align:1:5
              |
            1 | fun x() = 4
              |     - and here

            """);
  }

  @Test
  void colourAddsNothingButColour() {
    Diagnostic diagnostic = at("let a = x\n", "x").withSeverity(Severity.WARNING).withHelp("h");
    String coloured = new FullRenderer(Palette.ANSI).render(List.of(diagnostic));
    assertThat(coloured).contains("\u001b[1;33mwarning[ALN2001]\u001b[0m");
    assertThat(coloured.replaceAll("\u001b\\[[0-9;]*m", "")).isEqualTo(full(diagnostic));
  }

  @Test
  void shortFormIsALineForEach() {
    Diagnostic first = at("a\n  x\n", "x").withHelp("left out");
    Diagnostic second = Diagnostic.of(DiagnosticCode.INERT_RATIO, first.span(), "two\nlines");
    assertThat(new ShortRenderer(Palette.PLAIN).render(List.of(first, second)))
        .isEqualTo(
            """
            a.align:2:3: error[ALN2001] no `x`
            a.align:2:3: warning[ALN4016] two\u240alines
            """);
  }

  @Test
  void githubFormEscapesWhatWouldEndACommand() {
    SourceFile source = new SourceFile("a,b:c.align", "x 100%\nz\n");
    Diagnostic inLine =
        Diagnostic.of(DiagnosticCode.UNKNOWN_NAME, source.span(0, 1), "100% no\nx").withHelp("do");
    Diagnostic overLines = Diagnostic.of(DiagnosticCode.ACCEPTED_BIAS, source.span(2, 8), "a note");
    assertThat(new GithubRenderer().render(List.of(inLine, overLines)))
        .isEqualTo(
            """
            ::error file=a%2Cb%3Ac.align,line=1,endLine=1,col=1,endColumn=2,title=ALN2001::100%25 no%0Ax%0Ahelp: do
            ::notice file=a%2Cb%3Ac.align,line=1,endLine=2,title=ALN4013::a note
            """);
  }

  @Test
  void nothingIsShownForNoFindings() {
    assertThat(FULL.render(List.of())).isEmpty();
    assertThat(new GithubRenderer().render(List.of())).isEmpty();
  }
}
