package org.alignlang.runtime.linear;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class HeadTest {
  @Test
  void aJavaWithoutTheVectorApiIsToldWhatItNeeds() {
    assertThat(ModuleLayer.boot().findModule("jdk.incubator.vector")).isEmpty();
    assertThatThrownBy(() -> new Head(new float[6], 2, 3, true))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("--add-modules=jdk.incubator.vector");
  }
}
