package org.alignlang.compiler.diagnostic;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.experiment.ExperimentCompiler;
import org.alignlang.compiler.fix.FixApplier;
import org.alignlang.compiler.format.Formatter;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.UnreadableSourceException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class DiagnosticPagesTest {
  /** What no text can show. */
  private static final Set<DiagnosticCode> UNSHOWN =
      Set.of(DiagnosticCode.UNREADABLE, DiagnosticCode.INTERNAL);

  /** The codes whose wrong example offers a change. */
  private static final Set<DiagnosticCode> MENDED =
      Set.of(
          DiagnosticCode.SYNTAX,
          DiagnosticCode.UNKNOWN_CHARACTER,
          DiagnosticCode.UNKNOWN_NAME,
          DiagnosticCode.UNKNOWN_IMPORT,
          DiagnosticCode.UNUSED_LET,
          DiagnosticCode.UNREDUCED,
          DiagnosticCode.MISSING_DDOF,
          DiagnosticCode.UNUSED_PARAMETER,
          DiagnosticCode.UNUSED_DATA,
          DiagnosticCode.BIASED_DIVERGENCE,
          DiagnosticCode.MISSING_ESTIMATE,
          DiagnosticCode.UNGUARDED_DIVISION,
          DiagnosticCode.REWARD_GRADIENT,
          DiagnosticCode.UNUSED_ACCEPT,
          DiagnosticCode.CLIP_BELOW_ONE,
          DiagnosticCode.ACTIVE_WEIGHT,
          DiagnosticCode.CLAMPED_PENALTY,
          DiagnosticCode.LOG_OF_ZERO,
          DiagnosticCode.MASKED_PRODUCT,
          DiagnosticCode.ONE_SIDED_TIE,
          DiagnosticCode.UNKNOWN_SETTING);

  private static final Pattern BLOCK =
      Pattern.compile("^```align ?(\\S*)\\n(.*?)^```$", Pattern.MULTILINE | Pattern.DOTALL);

  private static String section(String page, String title) {
    int start = page.indexOf("\n## " + title + "\n");
    if (start < 0) {
      return "";
    }
    int end = page.indexOf("\n## ", start + 1);
    return page.substring(start, end < 0 ? page.length() : end);
  }

  private static Map<String, String> files(String section) {
    Map<String, String> files = new LinkedHashMap<>();
    Matcher block = BLOCK.matcher(section);
    while (block.find()) {
      files.put(block.group(1).isEmpty() ? "main.align" : block.group(1), block.group(2));
    }
    return files;
  }

  /** Everything that is found in a spec, its experiments included. */
  private static List<Diagnostic> findings(Map<String, String> files, boolean pedantic) {
    return findings(files, new SourceFile("main.align", files.get("main.align")), pedantic);
  }

  private static List<Diagnostic> findings(
      Map<String, String> files, SourceFile main, boolean pedantic) {
    CompilerOptions options =
        CompilerOptions.defaults()
            .withResolver(path -> {
              String text = files.get(path);
              if (text == null) {
                throw new UnreadableSourceException("there is no file `" + path + "`");
              }
              return new SourceFile(path, text);
            })
            .withPedantic(pedantic);
    Compilation compiled = Compiler.compile(main, options);
    DiagnosticSink sink = new DiagnosticSink();
    compiled.diagnostics().forEach(sink::report);
    if (!sink.hasErrors()) {
      for (Declaration.ExperimentDeclaration experiment : compiled.experiments()) {
        ExperimentCompiler.compile(
            experiment,
            compiled.scope(),
            Path.of(""),
            options,
            objective -> new InterpretedKernel(objective.program()),
            ExperimentCompiler.Overrides.NONE,
            sink);
      }
    }
    return sink.sorted();
  }

  @ParameterizedTest
  @EnumSource(DiagnosticCode.class)
  void examplesShowWhatThePageSays(DiagnosticCode code) {
    String page = DiagnosticPages.page(code);
    assertThat(page)
        .startsWith("# " + code.code() + " " + code.slug() + ": " + code.title() + "\n");
    assertThat(section(page, "Why")).isNotBlank();
    assertThat(section(page, "Fix")).isNotBlank();
    assertThat(page.lines().mapToInt(String::length).max().orElseThrow())
        .as("longest line")
        .isLessThan(code == DiagnosticCode.TOO_DEEP ? 500 : 200);
    String wrong = section(page, "Wrong");
    assertThat(wrong).isNotBlank();
    if (UNSHOWN.contains(code)) {
      assertThat(wrong).contains("No text shows this").doesNotContain("```");
      return;
    }
    assertThat(wrong).doesNotContain("No text shows this");
    assertThat(findings(files(wrong), code.isPedantic()))
        .as("findings in the wrong example")
        .isNotEmpty()
        .allSatisfy(d -> assertThat(d.code()).as(d.message()).isEqualTo(code));
    Map<String, String> right = files(section(page, "Right"));
    assertThat(right).isNotEmpty();
    assertThat(findings(right, code.isPedantic())).as("findings in the right example").isEmpty();
    right.forEach((name, text) ->
        assertThat(Formatter.format(new SourceFile(name, text)))
            .as("%s of the right example, laid out", name)
            .isEqualTo(new Formatter.Outcome.Formatted(text)));
  }

  /** Of the wrong examples that offer a change, what is found after it. */
  @ParameterizedTest
  @EnumSource(DiagnosticCode.class)
  void changesMendTheWrongExamples(DiagnosticCode code) {
    Map<String, String> wrong =
        new LinkedHashMap<>(files(section(DiagnosticPages.page(code), "Wrong")));
    if (wrong.isEmpty()) {
      return;
    }
    List<Diagnostic> before = findings(wrong, code.isPedantic());
    boolean offered = before.stream().anyMatch(d -> d.code() == code && !d.fixes().isEmpty());
    assertThat(offered).as("a change is offered").isEqualTo(MENDED.contains(code));
    FixApplier.Outcome outcome =
        new FixApplier(
                source -> {
                  wrong.put("main.align", source.text());
                  return findings(wrong, source, code.isPedantic());
                },
                true)
            .apply(new SourceFile("main.align", wrong.get("main.align")));
    if (offered) {
      assertThat(outcome.applied()).isNotEmpty();
      assertThat(outcome.left()).filteredOn(d -> d.code() == code).hasSizeLessThan(before.size());
      assertThat(outcome.left()).hasSizeLessThanOrEqualTo(before.size());
    } else {
      assertThat(outcome.applied()).isEmpty();
    }
  }

  @Test
  void everyPageHasItsCode() throws IOException, URISyntaxException {
    URL folder = DiagnosticPages.class.getResource("pages/ALN1001.md");
    URI uri = java.util.Objects.requireNonNull(folder).toURI().resolve(".");
    try (Stream<Path> pages = Files.list(Path.of(uri))) {
      assertThat(pages.map(p -> p.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(
              Arrays.stream(DiagnosticCode.values()).map(c -> c.code() + ".md").toList());
    }
  }
}
