package org.alignlang.compiler.codegen;

import com.palantir.javapoet.CodeBlock;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import javax.lang.model.SourceVersion;

/**
 * Guards between a spec's text and Java source: what is valid in one can mean something else in the
 * other.
 */
public final class JavaText {
  /** Words that Java or Kotlin would not take as a name, or that read badly as one. */
  private static final Set<String> KOTLIN =
      Set.of(
          "as",
          "fun",
          "in",
          "is",
          "object",
          "typealias",
          "typeof",
          "val",
          "var",
          "when",
          "out",
          "by",
          "it",
          "field");

  /** What Windows takes for a device, whatever the name of the file ends with. */
  private static final Pattern DEVICE =
      Pattern.compile("con|prn|aux|nul|(com|lpt)\\d", Pattern.CASE_INSENSITIVE);

  private JavaText() {}

  /** A number as Java source. */
  public static CodeBlock number(double value) {
    if (Double.isNaN(value)) {
      return CodeBlock.of("$T.NaN", Double.class);
    }
    if (Double.isInfinite(value)) {
      return CodeBlock.of("$T.$L_INFINITY", Double.class, value > 0 ? "POSITIVE" : "NEGATIVE");
    }
    if (value == Math.rint(value) && Math.abs(value) < 1e9 && !(1 / value < 0 && value == 0)) {
      return CodeBlock.of("$L.0", (long) value);
    }
    return CodeBlock.of("$L", Double.toString(value));
  }

  /**
   * A text as a Java string. JavaPoet's own {@code $S} breaks the source's line at what Unicode,
   * but not Java, calls the end of one.
   */
  public static CodeBlock text(String value) {
    StringBuilder text = new StringBuilder("\"");
    for (char c : value.toCharArray()) {
      switch (c) {
        case '"', '\\' -> text.append('\\').append(c);
        case '\n' -> text.append("\\n");
        case '\r' -> text.append("\\r");
        case '\t' -> text.append("\\t");
        default -> {
          if (Character.isISOControl(c) || c == '\u2028' || c == '\u2029') {
            text.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
          } else {
            text.append(c);
          }
        }
      }
    }
    return CodeBlock.of("$L", text.append('"'));
  }

  /** A name of the spec as a Java identifier that starts with a small letter. */
  public static String variable(String name) {
    String camel = camel(name);
    return camel.substring(0, 1).toLowerCase(Locale.ROOT) + camel.substring(1);
  }

  /** A name of the spec as the name of a Java class. */
  public static String type(String name) {
    String camel = camel(name);
    return camel.substring(0, 1).toUpperCase(Locale.ROOT) + camel.substring(1);
  }

  private static String camel(String name) {
    StringBuilder text = new StringBuilder();
    boolean up = false;
    for (int i = 0; i < name.length(); ) {
      int c = name.codePointAt(i);
      i += Character.charCount(c);
      if (c == '\'') {
        text.append("Prime");
      } else if (!Character.isUnicodeIdentifierPart(c)
          || c == '_'
          || Character.isIdentifierIgnorable(c)) {
        up = !text.isEmpty();
      } else {
        text.appendCodePoint(up ? Character.toUpperCase(c) : c);
        up = false;
      }
    }
    if (text.isEmpty() || !Character.isJavaIdentifierStart(text.codePointAt(0))) {
      text.insert(0, "v");
    }
    return text.toString();
  }

  /** Whether a word may be used as a name in Java and in Kotlin. */
  public static boolean usable(String name) {
    return SourceVersion.isIdentifier(name)
        && !SourceVersion.isKeyword(name, SourceVersion.latest())
        && !KOTLIN.contains(name)
        && !DEVICE.matcher(name).matches();
  }

  /** A name that is usable and not taken yet; it is taken from now on. */
  public static String unique(String wanted, Set<String> taken) {
    if (usable(wanted) && taken.add(wanted)) {
      return wanted;
    }
    // Numbers are mostly taken one after the other, by thousands in a large kernel: the first free
    // one is found by doubling and halving.
    int free = 2;
    while (!isFree(wanted + free, taken)) {
      free *= 2;
    }
    int least = free / 2;
    while (least + 1 < free) {
      int middle = (least + free) / 2;
      if (isFree(wanted + middle, taken)) {
        free = middle;
      } else {
        least = middle;
      }
    }
    String name = wanted + free;
    taken.add(name);
    return name;
  }

  private static boolean isFree(String name, Set<String> taken) {
    return usable(name) && !taken.contains(name);
  }

  /** Names that are taken in a scope inside another. */
  public static Set<String> inner(Set<String> outer) {
    return new HashSet<>(outer);
  }

  /**
   * Text for a one-line comment: no line ends, and no backslash, since javac reads unicode escapes
   * before anything else.
   */
  public static String comment(String text) {
    return text.replaceAll("[\\r\\n\\u0085\\u2028\\u2029\\t]+", " ")
        .replace("\\", "/")
        .replaceAll("\\p{Cntrl}", " ")
        .strip();
  }

  /**
   * Markdown text for Javadoc: nothing in it is a tag, an entity or the end of the comment. The
   * lines of a paragraph become one, except those of a list.
   */
  public static String javadoc(String text) {
    StringBuilder safe = new StringBuilder();
    boolean between = false;
    for (String written : text.strip().split("\\R", -1)) {
      String line = plain(written).strip();
      if (line.isEmpty()) {
        between = true;
        continue;
      }
      if (between) {
        safe.append("\n\n<p>");
      } else if (!safe.isEmpty()) {
        safe.append(line.matches("([-*]|\\d+\\.) .*") ? '\n' : ' ');
      }
      safe.append(line);
      between = false;
    }
    return safe.toString();
  }

  private static String plain(String line) {
    return line.replaceAll("\\p{Cntrl}", " ")
        .replace("&", "&amp;")
        .replace("\\", "&#92;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("*/", "*&#47;")
        .replace("@", "&#64;");
  }

  /**
   * Checks the name of a package that a user asks for.
   *
   * @throws IllegalArgumentException if it is not one; the message says why
   */
  public static void checkPackage(String name) {
    if (name.isEmpty()) {
      return;
    }
    for (String part : List.of(name.split("\\.", -1))) {
      if (!SourceVersion.isIdentifier(part)
          || part.chars().anyMatch(Character::isIdentifierIgnorable)
          || SourceVersion.isKeyword(part, SourceVersion.latest())) {
        throw new IllegalArgumentException(
            "`" + name + "` is not the name of a package: `" + part + "` is not a Java identifier");
      }
    }
  }
}
