package org.alignlang.compiler.codegen.api;

import com.palantir.javapoet.JavaFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The source of one generated class.
 *
 * @param packageName its package, empty for none
 * @param type its simple name
 * @param text the whole file
 */
public record GeneratedSource(String packageName, String type, String text) {
  private static final int WIDTH = 100;
  private static final Pattern LONG_COMMENT = Pattern.compile("(?m)^( *\\* )(.{60,})$");

  static GeneratedSource of(JavaFile file) {
    return new GeneratedSource(
        file.packageName(), file.typeSpec().name(), wrapped(file.toString()));
  }

  /** JavaPoet leaves long lines of Javadoc as they are. */
  private static String wrapped(String text) {
    return LONG_COMMENT
        .matcher(text)
        .replaceAll(line -> Matcher.quoteReplacement(wrapped(line.group(1), line.group(2))));
  }

  private static String wrapped(String margin, String line) {
    StringBuilder result = new StringBuilder(margin);
    String further = margin + (line.startsWith("@") ? "    " : "");
    int column = margin.length();
    boolean first = true;
    for (String word : line.split(" ")) {
      if (!first && column + 1 + word.length() > WIDTH) {
        result.append('\n').append(further).append(word);
        column = further.length() + word.length();
      } else {
        result.append(first ? "" : " ").append(word);
        column += word.length() + (first ? 0 : 1);
      }
      first = false;
    }
    return result.toString();
  }
}
