package org.alignlang.runtime.run;

import java.nio.charset.StandardCharsets;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** JSON as run directories hold it; NaN and infinities are texts, as JSON has no such numbers. */
final class Json {
  static final JsonMapper MAPPER = JsonMapper.builder().build();

  private Json() {}

  /** On one line. */
  static String line(Object value) {
    return MAPPER.writeValueAsString(value);
  }

  /** Indented, to be read by people too. */
  static byte[] document(Object value) {
    String text =
        MAPPER.writer().with(SerializationFeature.INDENT_OUTPUT).writeValueAsString(value);
    return (text + "\n").getBytes(StandardCharsets.UTF_8);
  }
}
