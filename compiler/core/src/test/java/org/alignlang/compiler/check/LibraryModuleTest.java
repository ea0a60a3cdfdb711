package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class LibraryModuleTest {
  static List<String> paths() {
    return StandardLibrary.paths();
  }

  @ParameterizedTest
  @MethodSource("paths")
  void partsAreWhatTheWholeIs(String path) {
    LibraryModule module = LibraryModule.of(path).orElseThrow();
    Module whole = AlignSyntax.parse(module.source(), new DiagnosticSink()).module();

    assertThat(module.imports()).isEqualTo(whole.imports());
    assertThat(module.names())
        .containsExactlyElementsOf(whole.declarations().stream().map(Declaration::name).toList());
    for (Declaration declaration : whole.declarations()) {
      assertThat(module.declaration(declaration.name())).isEqualTo(declaration);
    }
  }

  @Test
  void namesOfThePreludeAreDeclaredOnce() {
    Set<String> names = new HashSet<>();
    for (String path : paths()) {
      if (path.startsWith("prelude/")) {
        assertThat(names).doesNotContainAnyElementsOf(LibraryModule.of(path).orElseThrow().names());
        names.addAll(LibraryModule.of(path).orElseThrow().names());
      }
    }
    assertThat(names).contains("KL", "rloo");
  }

  @Test
  void aFileThatIsNotThereIsNone() {
    assertThat(LibraryModule.of("losses/none.align")).isEmpty();
  }
}
