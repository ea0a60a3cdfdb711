package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.alignlang.compiler.source.StandardLibrary;
import org.junit.jupiter.api.Test;

class StandardLibraryIndexTest {
  private static final Path STDLIB = Path.of("..", "..", "stdlib");

  @Test
  void theIndexNamesExactlyTheFilesOfTheTree() throws IOException {
    try (Stream<Path> files = Files.walk(STDLIB)) {
      List<String> tree =
          files
              .map(STDLIB::relativize)
              .filter(path -> !path.startsWith("target") && path.toString().endsWith(".align"))
              .map(path -> path.toString().replace('\\', '/'))
              .sorted()
              .toList();

      assertThat(StandardLibrary.paths()).isEqualTo(tree);
    }
  }
}
