package org.alignlang.compiler.diagnostic;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/**
 * Findings with the lines that they are about, marks under the whole span, labels and help.
 *
 * <pre>
 * error[ALN2001]: nothing is called `helpfull`
 *   --&gt; safe.align:7:16
 *   |
 * 7 |   maximize E[helpfull]
 *   |              ^^^^^^^^
 *   = help: did you mean `helpful`?
 * </pre>
 */
public record FullRenderer(Palette palette) implements DiagnosticRenderer {
  /** Lines wider than this are cut around what is marked. */
  private static final int WIDEST = 120;

  /** Of a longer span, the first and last lines are shown. */
  private static final int MOST_LINES = 6;

  private static final String CUT = "…";

  @Override
  public String render(List<Diagnostic> diagnostics) {
    StringBuilder text = new StringBuilder();
    for (Diagnostic diagnostic : diagnostics) {
      render(diagnostic, text);
      text.append('\n');
    }
    return text.toString();
  }

  private void render(Diagnostic diagnostic, StringBuilder text) {
    Severity severity = diagnostic.severity();
    text.append(palette.severity(severity, severity.word() + "[" + diagnostic.code().code() + "]"))
        .append(palette.bold(": " + Visible.line(diagnostic.message())))
        .append('\n');
    List<Excerpt> excerpts = excerpts(diagnostic);
    int gutter = excerpts.stream().mapToInt(Excerpt::gutter).max().orElse(1);
    String arrow = "--> ";
    for (Excerpt excerpt : excerpts) {
      text.append(" ".repeat(gutter))
          .append(palette.frame(arrow))
          .append(Visible.line(excerpt.place()))
          .append('\n');
      excerpt.render(gutter, severity, text);
      arrow = "::: ";
    }
    diagnostic.help().ifPresent(help -> remark("help", help, gutter, text));
    for (Fix fix : diagnostic.fixes()) {
      remark("fix", fixed(fix), gutter, text);
    }
  }

  /** The line that a fix makes, or what it does; whether it is made on demand only. */
  private static String fixed(Fix fix) {
    return fix.line().filter(l -> l.length() <= WIDEST).map(l -> "`" + l + "`").orElse(fix.title())
        + (fix.safe() ? "" : " (suggested)");
  }

  private void remark(String word, String remark, int gutter, StringBuilder text) {
    String start = " ".repeat(gutter + 1) + palette.frame("=") + " " + palette.bold(word) + ": ";
    for (String line : Visible.lines(remark).split("\n", -1)) {
      text.append(start).append(line).append('\n');
      start = " ".repeat(gutter + 5 + word.length());
    }
  }

  /** One for the file of the finding, and one for each other file that a label points into. */
  private List<Excerpt> excerpts(Diagnostic diagnostic) {
    List<Excerpt> excerpts = new ArrayList<>();
    excerpts.add(new Excerpt(diagnostic.span()));
    excerpts.getFirst().mark(diagnostic.span(), "", true);
    for (Diagnostic.Label label : diagnostic.labels()) {
      SourceFile source = label.span().source();
      Excerpt excerpt =
          excerpts.stream()
              .filter(e -> e.source == source)
              .findFirst()
              .orElseGet(() -> {
                Excerpt added = new Excerpt(label.span());
                excerpts.add(added);
                return added;
              });
      excerpt.mark(label.span(), label.text(), false);
    }
    return excerpts;
  }

  /**
   * A marked stretch of one line.
   *
   * @param start first code unit in the line
   * @param end one past the last
   */
  private record Mark(int start, int end, String label, boolean primary) {}

  /** Lines of one file with their marks. */
  private final class Excerpt {
    private final SourceFile source;
    private final String place;
    private final Map<Integer, List<Mark>> marks = new TreeMap<>();

    Excerpt(Span first) {
      this.source = first.source();
      this.place = first.place();
    }

    String place() {
      return place;
    }

    int gutter() {
      return String.valueOf(marks.keySet().stream().mapToInt(n -> n).max().orElse(1)).length();
    }

    /** Marks a span on each line that it touches; the label stands at its end. */
    void mark(Span span, String label, boolean primary) {
      int length = source.text().length();
      int start = Math.min(span.start(), length);
      int end = Math.min(span.end(), length);
      int first = source.line(start);
      // A span that ends with a line end does not touch the next line.
      int last = end > start ? source.line(end - 1) : first;
      for (int line = first; line <= last; line++) {
        if (last - first >= MOST_LINES && line - first >= MOST_LINES / 2 && last - line >= 2) {
          continue;
        }
        String text = source.lineText(line);
        int lineStart = source.lineStart(line);
        int from = line == first ? start - lineStart : text.length() - text.stripLeading().length();
        int to = line == last ? end - lineStart : text.length();
        from = Math.min(from, text.length());
        to = Math.clamp(to, from, text.length());
        if (line > first && from == to) {
          // An empty line within a span: there is nothing to mark.
          marks.computeIfAbsent(line, _ -> new ArrayList<>());
          continue;
        }
        marks
            .computeIfAbsent(line, _ -> new ArrayList<>())
            .add(new Mark(from, to, line == last ? label : "", primary));
      }
    }

    void render(int gutter, Severity severity, StringBuilder text) {
      String empty = " ".repeat(gutter) + " " + palette.frame("|");
      text.append(empty).append('\n');
      int previous = -1;
      for (Map.Entry<Integer, List<Mark>> entry : marks.entrySet()) {
        int line = entry.getKey();
        if (previous > 0 && line == previous + 2) {
          source(line - 1, gutter, new Columns(source.lineText(line - 1), List.of()), text);
        } else if (previous > 0 && line > previous + 1) {
          text.append(palette.frame("...")).append('\n');
        }
        Columns columns = new Columns(source.lineText(line), entry.getValue());
        source(line, gutter, columns, text);
        for (Mark mark : entry.getValue()) {
          text.append(empty).append(' ').append(underline(columns, mark, severity)).append('\n');
        }
        previous = line;
      }
    }

    private void source(int line, int gutter, Columns columns, StringBuilder text) {
      String number = String.valueOf(line);
      text.append(" ".repeat(gutter - number.length()))
          .append(palette.frame(number + " |"))
          .append(columns.shown().isEmpty() ? "" : " ")
          .append(columns.shown())
          .append('\n');
    }

    private String underline(Columns columns, Mark mark, Severity severity) {
      int from = columns.column(mark.start());
      int to = Math.max(from + 1, columns.column(mark.end()));
      String line = (mark.primary() ? "^" : "-").repeat(to - from);
      String label = mark.label().isEmpty() ? "" : " " + Visible.line(mark.label());
      String marked = line + label;
      return " ".repeat(from)
          + (mark.primary() ? palette.severity(severity, marked) : palette.frame(marked));
    }
  }

  /** A line as it is shown, and where its characters stand in it. */
  private static final class Columns {
    private final int[] columns;
    private final String shown;
    private final int offset;

    Columns(String whole, List<Mark> marks) {
      // Of a line without end only what is near the marks is looked at.
      int marksStart = marks.stream().mapToInt(Mark::start).min().orElse(0);
      int marksEnd = marks.stream().mapToInt(Mark::end).max().orElse(0);
      offset = Math.max(0, marksStart - 4 * WIDEST);
      String line = whole.substring(offset, Math.min(whole.length(), marksStart + 8 * WIDEST));
      int[] full = new int[line.length() + 1];
      int width = 0;
      for (int i = 0; i < line.length(); ) {
        int codePoint = line.codePointAt(i);
        int units = Character.charCount(codePoint);
        for (int unit = 0; unit < units; unit++) {
          full[i + unit] = width;
        }
        width += Visible.width(Visible.glyph(codePoint, width));
        i += units;
      }
      full[line.length()] = width;
      int first = 0;
      if (width > WIDEST) {
        int marked = full[marksStart - offset];
        int markedEnd = full[Math.min(marksEnd - offset, line.length())];
        // What is marked in the middle if it fits, else its beginning near the left.
        int spare = Math.max(WIDEST / 4, (WIDEST - (markedEnd - marked)) / 2);
        first = Math.clamp(marked - spare, 0, width - WIDEST);
      }
      int last = Math.min(width, first + WIDEST);
      StringBuilder text = new StringBuilder();
      int shift = first > 0 ? CUT.length() - first : 0;
      for (int i = 0; i < line.length(); i += Character.charCount(line.codePointAt(i))) {
        String glyph = Visible.glyph(line.codePointAt(i), full[i]);
        int end = full[i] + Visible.width(glyph);
        if (full[i] >= first && end <= last) {
          text.append(glyph);
        } else if (end > first && full[i] < first) {
          // Half of a wide character is cut off.
          text.append(" ".repeat(end - first));
        }
      }
      this.columns = full;
      for (int i = 0; i < full.length; i++) {
        full[i] = Math.clamp(full[i], first, last) + shift;
      }
      this.shown =
          (first > 0 ? CUT : "") + text.toString().stripTrailing() + (last < width ? CUT : "");
    }

    String shown() {
      return shown;
    }

    /** Where a code unit of the line stands, from 0. */
    int column(int unit) {
      return columns[Math.clamp(unit - offset, 0, columns.length - 1)];
    }
  }
}
