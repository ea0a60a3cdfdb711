package org.alignlang.runtime.argument;

import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;
import java.util.TreeSet;

/** Looks names up in a list of known ones and words the message for a name that is not there. */
public final class Names {
  private Names() {}

  /**
   * The exception for a name that nothing has: it lists the known names and suggests the nearest.
   *
   * @param kind what was named, such as {@code policy}
   */
  public static IllegalArgumentException unknown(
      String kind, String name, Collection<String> known) {
    return new IllegalArgumentException(
        "there is no %s `%s`%s; known: %s"
            .formatted(kind, name, suggestion(name, known), quoted(known)));
  }

  /** The text {@code ; did you mean `x`?}, or nothing where no known name is close. */
  static String suggestion(String name, Collection<String> known) {
    return nearest(name, known).map(near -> "; did you mean `" + near + "`?").orElse("");
  }

  /** The known name with the smallest edit distance, if that is at most a third of its length. */
  public static Optional<String> nearest(String name, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt((String k) -> distance(name, k)).thenComparing(k -> k))
        .filter(k -> distance(name, k) <= Math.max(1, (k.length() + 1) / 3));
  }

  public static String quoted(Collection<String> names) {
    return "`" + String.join("`, `", new TreeSet<>(names)) + "`";
  }

  /** Levenshtein's edit distance. */
  private static int distance(String a, String b) {
    int[] previous = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      previous[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int[] row = new int[b.length() + 1];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int substitution = previous[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(substitution, 1 + Math.min(previous[j], row[j - 1]));
      }
      previous = row;
    }
    return previous[b.length()];
  }
}
