package org.alignlang.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class AlignVersionTest {
  @Test
  void theBuildFillsInTheVersion() {
    assertThat(AlignVersion.current()).matches("\\d+\\.\\d+\\.\\d+(-SNAPSHOT)?");
  }
}
