package org.alignlang.compiler.codegen.api;

import com.palantir.javapoet.JavaFile;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The source of one generated class.
 *
 * @param packageName its package, empty for none
 * @param type its simple name
 * @param text the whole file
 */
public record GeneratedSource(String packageName, String type, String text) {
  private static final int WIDTH = 100;
  private static final List<String> OPERATORS = List.of(" + ", " - ", " ? ", " : ", " && ");
  private static final Pattern LONG_COMMENT = Pattern.compile("(?m)^( *\\* )(.{60,})$");
  private static final Pattern SHORT_JAVADOC =
      Pattern.compile("(?m)^( *)/\\*\\*\n\\1 \\* ([^@\n].{0,86})\n\\1 \\*/$");
  private static final Pattern EMPTY_BODY = Pattern.compile("(?m)\\) \\{\n *\\}$");
  private static final Pattern BETWEEN_FIELDS =
      Pattern.compile("(?m)^( +private [^({\n]*;\n)\n(?= +private [^({\n]*;$)");

  static GeneratedSource of(JavaFile file) {
    return new GeneratedSource(
        file.packageName(), file.typeSpec().name(), laidOut(file.toString()));
  }

  /** Laid out as people do, where JavaPoet does not: short comments, long lines, fields. */
  private static String laidOut(String text) {
    String all =
        LONG_COMMENT
            .matcher(text)
            .replaceAll(line -> Matcher.quoteReplacement(wrapped(line.group(1), line.group(2))));
    all =
        SHORT_JAVADOC
            .matcher(all)
            .replaceAll(comment -> {
              String line = comment.group(1) + "/** " + comment.group(2) + " */";
              return Matcher.quoteReplacement(line.length() > WIDTH ? comment.group() : line);
            });
    all = EMPTY_BODY.matcher(all).replaceAll(") {}");
    all = BETWEEN_FIELDS.matcher(all).replaceAll("$1");
    return all.lines().map(GeneratedSource::broken).collect(Collectors.joining("\n", "", "\n"));
  }

  /** A line of code, or several if it is too long for one; what continues it lies deeper. */
  private static String broken(String line) {
    String start = line.strip();
    String margin = " ".repeat(line.indexOf(start) + 4);
    StringBuilder all = new StringBuilder();
    String rest = line;
    boolean code = !start.startsWith("*") && !start.startsWith("/");
    while (code && rest.length() > WIDTH) {
      int end = breakIn(rest);
      if (end < 0) {
        break;
      }
      all.append(rest.substring(0, end).stripTrailing()).append('\n');
      rest = margin + rest.substring(end).strip();
    }
    return all + rest;
  }

  /**
   * Where a line is best broken: behind the last comma that fits, else before the last operator,
   * else behind the first parenthesis; never inside a literal. Negative if there is no such place.
   */
  private static int breakIn(String line) {
    int comma = -1;
    int operator = -1;
    int parenthesis = -1;
    int margin = line.length() - line.stripLeading().length();
    char quote = 0;
    for (int i = margin; i < Math.min(line.length(), WIDTH); i++) {
      int at = i;
      char c = line.charAt(i);
      if (quote != 0) {
        if (c == '\\') {
          i++;
        } else if (c == quote) {
          quote = 0;
        }
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == ',') {
        comma = i + 1;
      } else if (c == '(' && parenthesis < 0) {
        parenthesis = i + 1;
      } else if (c == ' ' && OPERATORS.stream().anyMatch(o -> line.startsWith(o, at))) {
        operator = i;
      }
    }
    return comma > 0 ? comma : operator > 0 ? operator : parenthesis;
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
