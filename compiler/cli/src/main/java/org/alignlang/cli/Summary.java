package org.alignlang.cli;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Severity;

/**
 * How many findings of each severity there are.
 *
 * @param errors how many errors
 * @param warnings how many warnings
 * @param notes how many notes
 */
public record Summary(int errors, int warnings, int notes) {

  /** Counts findings. */
  public static Summary of(List<Diagnostic> diagnostics) {
    return new Summary(
        count(diagnostics, Severity.ERROR),
        count(diagnostics, Severity.WARNING),
        count(diagnostics, Severity.NOTE));
  }

  private static int count(List<Diagnostic> diagnostics, Severity severity) {
    return (int) diagnostics.stream().filter(d -> d.severity() == severity).count();
  }

  /** In words, such as {@code 1 error, 2 warnings}. */
  public String text() {
    List<String> parts = new ArrayList<>();
    add(parts, errors, "error");
    add(parts, warnings, "warning");
    add(parts, notes, "note");
    return parts.isEmpty() ? "no findings" : String.join(", ", parts);
  }

  private static void add(List<String> parts, int count, String word) {
    if (count > 0) {
      parts.add(counted(count, word));
    }
  }

  /** A number of things, such as {@code 2 files}. */
  public static String counted(int count, String word) {
    return count + " " + word + (count == 1 ? "" : "s");
  }
}
