package org.alignlang.compiler.diagnostic;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.SourceFile;

/**
 * A change that mends a finding, to be made by a program.
 *
 * @param title what it does, in a few words
 * @param safe whether it keeps what is meant beyond doubt, so that it may be made unasked; else it
 *     is one of several ways out, or changes what is computed
 * @param edits its edits, in one file, without overlaps
 */
public record Fix(String title, boolean safe, List<Edit> edits) {

  public Fix {
    edits = edits.stream().sorted(Comparator.comparingInt(e -> e.span().start())).toList();
    if (edits.isEmpty()) {
      throw new IllegalArgumentException("a fix that changes nothing: " + title);
    }
    for (int i = 1; i < edits.size(); i++) {
      if (edits.get(i - 1).overlaps(edits.get(i))
          || edits.get(i - 1).span().source() != edits.get(i).span().source()) {
        throw new IllegalArgumentException("edits that overlap or lie apart: " + title);
      }
    }
  }

  /** A fix that may be made unasked. */
  public static Fix safe(String title, Edit... edits) {
    return new Fix(title, true, List.of(edits));
  }

  /** A fix that is made on demand only. */
  public static Fix suggested(String title, Edit... edits) {
    return new Fix(title, false, List.of(edits));
  }

  /** The file that it changes. */
  public SourceFile source() {
    return edits.getFirst().span().source();
  }

  /** Whether both change the same place. */
  public boolean overlaps(Fix other) {
    return edits.stream().anyMatch(e -> other.edits.stream().anyMatch(e::overlaps));
  }

  /** The text of a file after fixes of it that do not overlap. */
  public static String apply(SourceFile source, List<Fix> fixes) {
    List<Edit> all = new ArrayList<>();
    fixes.forEach(f -> all.addAll(f.edits));
    all.sort(Comparator.comparingInt(e -> e.span().start()));
    StringBuilder out = new StringBuilder();
    int done = 0;
    for (Edit edit : all) {
      out.append(source.text(), done, edit.span().start()).append(edit.replacement());
      done = edit.span().end();
    }
    return out.append(source.text(), done, source.text().length()).toString();
  }

  /** The line that it leaves behind, if it changes one line and leaves one. */
  public Optional<String> line() {
    SourceFile source = source();
    int first = source.line(edits.getFirst().span().start());
    int last = source.line(edits.getLast().span().end());
    if (first != last || edits.stream().anyMatch(e -> e.replacement().contains("\n"))) {
      return Optional.empty();
    }
    int start = source.lineStart(first);
    SourceFile line = new SourceFile(source.path(), source.lineText(first));
    List<Edit> moved =
        edits.stream()
            .map(e ->
                new Edit(
                    line.span(e.span().start() - start, e.span().end() - start), e.replacement()))
            .toList();
    String text = apply(line, List.of(new Fix(title, safe, moved))).strip();
    return text.isEmpty() ? Optional.empty() : Optional.of(text);
  }
}
