package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.source.StandardLibrary;
import org.junit.jupiter.api.Test;

/** The card of the standard library is what its files say. */
class ReferenceCardTest {
  private static final Path STDLIB = Path.of("..", "..", "stdlib");

  @Test
  void theCardIsWhatTheLibrarySays() throws IOException {
    Path card = STDLIB.resolve("README.md");
    String markdown = ReferenceCard.markdown();
    if ("write".equals(System.getProperty("card"))) {
      Files.writeString(card, markdown);
    }
    assertThat(Files.readString(card))
        .as("stdlib/README.md; -Dcard=write writes it anew")
        .isEqualTo(markdown);
  }

  @Test
  void everythingThatIsOptimisedSaysItsNamesElsewhere() {
    for (String path : StandardLibrary.modules()) {
      for (Declaration declaration : StandardObjectives.library(path).module().declarations()) {
        if (declaration instanceof Declaration.ObjectiveDeclaration
            || declaration instanceof Declaration.EstimatorDeclaration) {
          assertThat(ReferenceCard.paragraphs(declaration))
              .as(declaration.name())
              .anyMatch(p -> p.startsWith("Names: "));
        }
      }
    }
  }

  /** What the page about coverage names in its last column but one is there. */
  @Test
  void theCoverageNamesWhatIsThere() throws IOException {
    Set<String> known = new TreeSet<>();
    for (String path : StandardLibrary.modules()) {
      StandardObjectives.library(path).module().declarations().forEach(d -> known.add(d.name()));
    }
    Set<String> named = new TreeSet<>();
    Pattern code = Pattern.compile("`(\\w+)`");
    for (String line : Files.readAllLines(STDLIB.resolve("coverage.md"))) {
      String[] cells = line.split("\\|");
      if (line.startsWith("|") && cells.length > 2 && !cells[2].contains("---")) {
        code.matcher(cells[2]).results().map(r -> r.group(1)).forEach(named::add);
      }
    }
    assertThat(named).hasSizeGreaterThan(100);
    assertThat(named).allMatch(known::contains);
  }
}
