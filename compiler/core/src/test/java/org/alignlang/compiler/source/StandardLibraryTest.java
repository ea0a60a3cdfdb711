package org.alignlang.compiler.source;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StandardLibraryTest {
  @Test
  void theIndexIsSortedAndEveryEntryHasItsSource() {
    assertThat(StandardLibrary.paths())
        .isSorted()
        .allSatisfy(path -> assertThat(StandardLibrary.source(path)).isPresent());
  }

  @Test
  void anUnknownPathHasNoSource() {
    assertThat(StandardLibrary.source("no/such/file.align")).isEmpty();
    assertThat(StandardLibrary.source("index.txt")).isEmpty();
  }
}
