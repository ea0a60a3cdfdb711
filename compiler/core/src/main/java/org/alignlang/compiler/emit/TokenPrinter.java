package org.alignlang.compiler.emit;

import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.alignlang.compiler.syntax.Lexeme;

/** Prints the tokens of a text: a line each with its place, its kind and what was written. */
public final class TokenPrinter {
  private TokenPrinter() {}

  public static String print(SourceFile source) {
    StringBuilder text = new StringBuilder();
    for (Lexeme lexeme : AlignSyntax.lexemes(source)) {
      int start = lexeme.start();
      String place = source.line(start) + ":" + source.column(start);
      text.append("%-8s %-14s ".formatted(place, lexeme.kind())).append(lexeme.text()).append('\n');
    }
    return text.toString();
  }
}
