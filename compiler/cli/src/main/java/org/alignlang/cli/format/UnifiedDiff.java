package org.alignlang.cli.format;

import java.util.ArrayList;
import java.util.List;

/** What changed between two texts, in the form that {@code patch} reads. */
public final class UnifiedDiff {
  private static final int CONTEXT = 3;

  /** Longer stretches of change are shown as all old lines and all new ones. */
  private static final long LARGEST_TABLE = 4_000_000;

  private UnifiedDiff() {}

  private record Edit(char sign, String line) {}

  /** The difference, empty if there is none. */
  public static String of(String path, String before, String after) {
    List<String> old = lines(before);
    List<String> fresh = lines(after);
    List<Edit> edits = edits(old, fresh);
    if (edits.stream().allMatch(e -> e.sign() == ' ')) {
      return "";
    }
    StringBuilder out = new StringBuilder("--- " + path + "\n+++ " + path + "\n");
    int from = 0;
    int oldLine = 1;
    int newLine = 1;
    while (from < edits.size()) {
      if (edits.get(from).sign() == ' ') {
        from++;
        oldLine++;
        newLine++;
        continue;
      }
      int start = Math.max(from - CONTEXT, 0);
      int end = from;
      for (int i = from; i < edits.size() && i - end <= 2 * CONTEXT; i++) {
        if (edits.get(i).sign() != ' ') {
          end = i;
        }
      }
      end = Math.min(edits.size(), end + 1 + CONTEXT);
      int lead = from - start;
      List<Edit> hunk = edits.subList(start, end);
      int removed = (int) hunk.stream().filter(e -> e.sign() != '+').count();
      int added = (int) hunk.stream().filter(e -> e.sign() != '-').count();
      out.append("@@ -")
          .append(range(oldLine - lead, removed))
          .append(" +")
          .append(range(newLine - lead, added))
          .append(" @@\n");
      for (Edit edit : hunk) {
        out.append(edit.sign()).append(edit.line());
        if (!edit.line().endsWith("\n")) {
          out.append("\n\\ No newline at end of file\n");
        }
      }
      oldLine += removed - lead;
      newLine += added - lead;
      from = end;
    }
    return out.toString();
  }

  private static String range(int start, int count) {
    return (count == 0 ? start - 1 : start) + "," + count;
  }

  /** The lines of a text, each with its end. */
  private static List<String> lines(String text) {
    List<String> lines = new ArrayList<>();
    for (int start = 0; start < text.length(); ) {
      int end = text.indexOf('\n', start);
      end = end < 0 ? text.length() : end + 1;
      lines.add(text.substring(start, end));
      start = end;
    }
    return lines;
  }

  /** A longest common subsequence, between the lines that begin and end both texts. */
  private static List<Edit> edits(List<String> old, List<String> fresh) {
    int head = 0;
    while (head < Math.min(old.size(), fresh.size()) && old.get(head).equals(fresh.get(head))) {
      head++;
    }
    int tail = 0;
    while (tail < Math.min(old.size(), fresh.size()) - head
        && old.get(old.size() - 1 - tail).equals(fresh.get(fresh.size() - 1 - tail))) {
      tail++;
    }
    List<String> a = old.subList(head, old.size() - tail);
    List<String> b = fresh.subList(head, fresh.size() - tail);
    List<Edit> edits = new ArrayList<>();
    old.subList(0, head).forEach(line -> edits.add(new Edit(' ', line)));
    if ((long) a.size() * b.size() > LARGEST_TABLE) {
      a.forEach(line -> edits.add(new Edit('-', line)));
      b.forEach(line -> edits.add(new Edit('+', line)));
    } else {
      common(a, b, edits);
    }
    old.subList(old.size() - tail, old.size()).forEach(line -> edits.add(new Edit(' ', line)));
    return edits;
  }

  private static void common(List<String> a, List<String> b, List<Edit> edits) {
    int[][] longest = new int[a.size() + 1][b.size() + 1];
    for (int i = a.size() - 1; i >= 0; i--) {
      for (int j = b.size() - 1; j >= 0; j--) {
        longest[i][j] =
            a.get(i).equals(b.get(j))
                ? longest[i + 1][j + 1] + 1
                : Math.max(longest[i + 1][j], longest[i][j + 1]);
      }
    }
    int i = 0;
    int j = 0;
    while (i < a.size() || j < b.size()) {
      if (i < a.size() && j < b.size() && a.get(i).equals(b.get(j))) {
        edits.add(new Edit(' ', a.get(i)));
        i++;
        j++;
      } else if (j >= b.size() || i < a.size() && longest[i + 1][j] >= longest[i][j + 1]) {
        edits.add(new Edit('-', a.get(i++)));
      } else {
        edits.add(new Edit('+', b.get(j++)));
      }
    }
  }
}
