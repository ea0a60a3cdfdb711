package org.alignlang.compiler.diagnostic;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.Span;

/** Finds what was probably meant. */
public final class Suggestions {
  /** Nobody mistypes a name as long as this, and comparing takes the product of the lengths. */
  private static final int LONGEST = 64;

  private Suggestions() {}

  /** The known name nearest to a mistyped one, if any is near. */
  public static Optional<String> nearest(String name, Collection<String> known) {
    return near(name, known).stream().findFirst().map(Candidate::name);
  }

  /**
   * A finding about an unknown name, with what was probably meant, and the change that says so. The
   * change is safe where one slip of the keyboard leads to one known name.
   *
   * @param name the unknown name, in the finding's span
   */
  public static Diagnostic meant(Diagnostic diagnostic, String name, Collection<String> known) {
    List<Candidate> near = near(name, known);
    if (near.isEmpty()) {
      return diagnostic;
    }
    String meant = near.getFirst().name();
    Diagnostic helped = diagnostic.withHelp("did you mean `" + meant + "`?");
    Span span = diagnostic.span();
    String text = span.text();
    int at =
        text.startsWith(name)
            ? 0
            : text.endsWith(name) ? text.length() - name.length() : text.indexOf(name);
    if (at < 0 || name.isEmpty()) {
      return helped;
    }
    int start = span.start() + at;
    boolean clear =
        near.getFirst().distance() <= 1
            && name.length() > 2
            && (near.size() == 1 || near.get(1).distance() > near.getFirst().distance());
    return helped.withFix(
        new Fix(
            "write `" + meant + "`",
            clear,
            List.of(Edit.replace(span.source().span(start, start + name.length()), meant))));
  }

  /** The known names that are near, nearest first. */
  private static List<Candidate> near(String name, Collection<String> known) {
    // A name of one letter is one slip away from every other.
    int limit = name.length() == 1 ? 0 : Math.max(1, name.length() / 3);
    return known.stream()
        .distinct()
        .filter(k -> !k.equals(name))
        .map(k ->
            new Candidate(
                k,
                distance(
                    name.toLowerCase(java.util.Locale.ROOT), k.toLowerCase(java.util.Locale.ROOT))))
        .filter(c -> c.distance <= limit)
        .sorted(Comparator.comparingInt(Candidate::distance).thenComparing(Candidate::name))
        .toList();
  }

  private record Candidate(String name, int distance) {}

  /** Edit distance with transpositions of neighbours. */
  private static int distance(String a, String b) {
    int[][] d = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        int change = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
        d[i][j] = Math.min(Math.min(d[i - 1][j] + 1, d[i][j - 1] + 1), d[i - 1][j - 1] + change);
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          d[i][j] = Math.min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    return d[a.length()][b.length()];
  }
}
