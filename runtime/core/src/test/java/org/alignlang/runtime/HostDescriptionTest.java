package org.alignlang.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.ObjectMapper;

class HostDescriptionTest {
  @Test
  void survivesJson() {
    ObjectMapper mapper = new ObjectMapper();
    HostDescription host = HostDescription.current();

    assertThat(mapper.readValue(mapper.writeValueAsString(host), HostDescription.class))
        .isEqualTo(host);
  }

  @Test
  void testsRunOnTheSelectedJdk() {
    assertThat(HostDescription.current().javaVersion()).startsWith("25");
  }
}
