package org.alignlang.cli.run;

import tools.jackson.databind.json.JsonMapper;

/** Results as JSON on one line. */
final class JsonText {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  private JsonText() {}

  static String line(Object value) {
    return MAPPER.writeValueAsString(value);
  }
}
