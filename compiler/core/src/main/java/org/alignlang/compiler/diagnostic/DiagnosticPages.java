package org.alignlang.compiler.diagnostic;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** The page of each code: the rule, the mathematics behind it, a wrong and a right example. */
public final class DiagnosticPages {
  private DiagnosticPages() {}

  /** The page of a code, in Markdown. */
  public static String page(DiagnosticCode code) {
    String name = "pages/" + code.code() + ".md";
    try (InputStream in = DiagnosticPages.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException("there is no page " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
