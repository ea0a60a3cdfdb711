package org.alignlang.compiler.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Module;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.syntax.AlignSyntax;

/**
 * A file of the standard library, whose declarations are parsed when they are first used: a spec
 * uses few of them, and would otherwise wait for all. Thread-safe, and shared by all compilations
 * of a process.
 *
 * <p>The library is laid out by {@code align fmt}, so that a declaration begins where a line begins
 * with its keyword, and ends where the documentation of the next one begins.
 */
final class LibraryModule {
  private static final Map<String, LibraryModule> READ = new ConcurrentHashMap<>();
  private static final Set<String> KEYWORDS =
      Set.of("divergence", "fun", "estimator", "objective", "experiment");

  private final SourceFile source;
  private final int[] starts;
  private final Map<String, Integer> places = new LinkedHashMap<>();
  private final Map<String, Declaration> parsed = new ConcurrentHashMap<>();

  private LibraryModule(SourceFile source) {
    this.source = source;
    List<Integer> found = new ArrayList<>();
    int documented = 0;
    for (int line = 1; line <= source.lineCount(); line++) {
      String text = source.lineText(line);
      int space = text.indexOf(' ');
      if (text.startsWith("///")) {
        continue;
      }
      if (space > 0 && KEYWORDS.contains(text.substring(0, space))) {
        places.put(name(text, space + 1), found.size());
        found.add(source.lineStart(documented + 1));
      }
      documented = line;
    }
    found.add(source.text().length());
    starts = found.stream().mapToInt(Integer::intValue).toArray();
  }

  private static String name(String line, int start) {
    int end = start;
    while (end < line.length()
        && (Character.isUnicodeIdentifierPart(line.charAt(end)) || line.charAt(end) == '\'')) {
      end++;
    }
    return line.substring(start, end);
  }

  /** The file of this path, such as {@code losses/dpo.align}, if there is one. */
  static Optional<LibraryModule> of(String path) {
    LibraryModule known = READ.get(path);
    if (known != null) {
      return Optional.of(known);
    }
    return StandardLibrary.source(path)
        .map(text ->
            READ.computeIfAbsent(
                path, _ -> new LibraryModule(new SourceFile("align:" + path, text))));
  }

  SourceFile source() {
    return source;
  }

  /** What the file imports. */
  List<Module.Import> imports() {
    return parse(0, starts[0]).imports();
  }

  /** The names of its declarations, in order. */
  Set<String> names() {
    return places.keySet();
  }

  /** The declaration of one of its names. */
  Declaration declaration(String name) {
    return parsed.computeIfAbsent(
        name,
        _ -> {
          Integer place = places.get(name);
          if (place == null) {
            throw new IllegalArgumentException("no `" + name + "` in " + source.path());
          }
          return parse(starts[place], starts[place + 1]).declarations().getFirst();
        });
  }

  private Module parse(int start, int end) {
    DiagnosticSink sink = new DiagnosticSink();
    AlignSyntax.Parsed part = AlignSyntax.parse(source, start, end, sink);
    if (!part.clean()) {
      throw new IllegalStateException(
          "the standard library has an error: " + sink.sorted().getFirst());
    }
    return part.module();
  }
}
