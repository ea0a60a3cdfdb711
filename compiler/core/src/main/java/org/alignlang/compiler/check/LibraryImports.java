package org.alignlang.compiler.check;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;
import org.alignlang.compiler.source.StandardLibrary;

/** Names that the standard library has and a module does not import. */
public final class LibraryImports {
  private static final Pattern IMPORT = Pattern.compile("^import .*$", Pattern.MULTILINE);

  private LibraryImports() {}

  /**
   * A finding about an unknown name, with the import that would make it known, if one module of the
   * library declares it.
   */
  public static Optional<Diagnostic> offer(Diagnostic diagnostic, String name) {
    List<String> modules =
        name.isEmpty() || !name.codePoints().allMatch(Character::isJavaIdentifierPart)
            ? List.of()
            : StandardLibrary.modules().stream()
                .filter(path -> !path.startsWith("prelude/"))
                .filter(path -> declares(path, name))
                .map(path -> "align." + path.replace(".align", "").replace('/', '.'))
                .toList();
    if (modules.size() != 1 || diagnostic.span().source().path().startsWith("align:")) {
      return Optional.empty();
    }
    String line = "import " + modules.getFirst();
    return Optional.of(
        diagnostic
            .withHelp("the standard library has it: `" + line + "`")
            .withFix(Fix.safe("write `" + line + "`", insertion(diagnostic.span(), line))));
  }

  private static boolean declares(String path, String name) {
    return Pattern.compile(
            "^(objective|fun|estimator|divergence) " + Pattern.quote(name) + "\\b",
            Pattern.MULTILINE)
        .matcher(StandardLibrary.source(path).orElse(""))
        .find();
  }

  /** Behind the last import, or at the beginning of the file. */
  private static Edit insertion(Span place, String line) {
    SourceFile source = place.source();
    return IMPORT
        .matcher(source.text())
        .results()
        .reduce((_, last) -> last)
        .map(last -> Edit.behind(source.span(last.start(), last.end()), "\n" + line))
        .orElseGet(() -> Edit.before(source.span(0, 0), line + "\n\n"));
  }
}
