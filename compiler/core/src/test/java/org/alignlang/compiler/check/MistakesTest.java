package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The mistakes of {@code docs/rules.md}, each in several forms and beside specs that are right: a
 * file for each rule, and before each declaration a comment with the codes that it gets, or {@code
 * clean}. Pedantic findings count.
 */
class MistakesTest {
  private static Path folder() throws URISyntaxException {
    URI first =
        Objects.requireNonNull(MistakesTest.class.getResource("mistakes/rule-01.align")).toURI();
    return Objects.requireNonNull(Path.of(first).getParent());
  }

  static Stream<Path> rules() throws IOException, URISyntaxException {
    try (Stream<Path> files = Files.list(folder())) {
      return files.sorted().toList().stream();
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rules")
  void eachIsFoundAndNothingElse(Path file) throws IOException {
    SourceFile source = new SourceFile(String.valueOf(file.getFileName()), Files.readString(file));
    Compilation compiled = Compiler.compile(source, CompilerOptions.defaults().withPedantic(true));
    Map<String, String> expected = new TreeMap<>();
    Map<String, String> found = new TreeMap<>();
    for (Declaration declaration : compiled.module().declarations()) {
      String comment = source.lineText(source.line(declaration.span().start()) - 1);
      assertThat(comment).startsWith("// ");
      expected.put(
          declaration.name(),
          String.join(" ", new TreeSet<>(Arrays.asList(comment.substring(3).split(" ")))));
      TreeSet<String> codes = new TreeSet<>();
      for (Diagnostic diagnostic : compiled.diagnostics()) {
        if (declaration.span().contains(diagnostic.span())) {
          codes.add(diagnostic.code().code());
        }
      }
      found.put(declaration.name(), codes.isEmpty() ? "clean" : String.join(" ", codes));
    }
    assertThat(found).isEqualTo(expected);
    assertThat(compiled.diagnostics())
        .allSatisfy(d ->
            assertThat(compiled.module().declarations())
                .anyMatch(declaration -> declaration.span().contains(d.span())));
  }

  /** The rules that the language has something to say about; of the others rules.md says why. */
  @Test
  void everyRuleThatCanBeBrokenIsHere() throws IOException, URISyntaxException {
    List<Integer> here =
        rules()
            .map(f -> Integer.valueOf(String.valueOf(f.getFileName()).replaceAll("\\D", "")))
            .toList();
    assertThat(here)
        .containsExactly(
            1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 26, 27,
            28, 29, 30, 34);
  }
}
