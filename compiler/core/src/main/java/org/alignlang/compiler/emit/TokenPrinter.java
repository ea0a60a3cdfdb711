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
      padded(text, place, 9);
      padded(text, lexeme.kind(), 15);
      text.append(lexeme.text()).append('\n');
    }
    return text.toString();
  }

  private static void padded(StringBuilder text, String word, int width) {
    text.append(word).repeat(' ', Math.max(1, width - word.length()));
  }
}
