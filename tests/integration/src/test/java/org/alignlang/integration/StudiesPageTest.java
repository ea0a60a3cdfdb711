package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.alignlang.runtime.study.Studies;
import org.alignlang.runtime.study.StudyProvider;
import org.junit.jupiter.api.Test;

/**
 * The page of all studies is what their classes say of themselves; {@code -Dstudies=write} writes
 * it anew.
 */
class StudiesPageTest {
  private static final Path RUNTIME = Path.of("..", "..", "runtime", "core");
  private static final Path PAGE = RUNTIME.resolve("docs/studies.md");
  private static final Pattern JAVADOC =
      Pattern.compile(
          "/\\*\\*\\n(.*?)\\n? ?\\*/\\n(?:@\\w+.*\\n)*(?:public )?final class", Pattern.DOTALL);

  private static final Pattern CODE = Pattern.compile("\\{@code\\s([^{}]*(?:\\{[^{}]*}[^{}]*)*)}");

  @Test
  void thePageIsWhatTheStudiesSay() throws IOException {
    String page = page();
    if ("write".equals(System.getProperty("studies"))) {
      Files.writeString(PAGE, page);
    }
    assertThat(Files.readString(PAGE))
        .as("%s; -Dstudies=write writes it anew", PAGE)
        .isEqualTo(page);
  }

  private static String page() throws IOException {
    StringBuilder page =
        new StringBuilder(
            """
            # Studies

            What an experiment can compute in place of a training: `study NAME(...)`, see
            [the language](../../../compiler/core/docs/language.md#studies). Each is a class of `org.alignlang.runtime.study`; this page is
            made of their documentation.

            | study | |
            |---|---|
            """);
    for (StudyProvider study : Studies.providers().values()) {
      page.append("| [`%1$s`](#%1$s) | %2$s |\n".formatted(study.name(), study.summary()));
    }
    page.append("\n## Processes\n\n").append(documentation("ProcessArgument"));
    for (StudyProvider study : Studies.providers().values()) {
      page.append("\n## ").append(study.name()).append("\n\n");
      String text = documentation(study.getClass().getSimpleName());
      assertThat(text).as(study.name()).contains("Arguments");
      page.append(text);
      page.append("\n| gives | |\n|---|---|\n");
      new TreeMap<>(study.quantities())
          .forEach((name, what) ->
              page.append("| `%s` | %s |\n".formatted(name, what.replace("|", "\\|"))));
    }
    return page.toString();
  }

  private static String documentation(String name) throws IOException {
    String source =
        Files.readString(
            RUNTIME.resolve("src/main/java/org/alignlang/runtime/study/" + name + ".java"));
    Matcher comment = JAVADOC.matcher(source);
    assertThat(comment.find()).as(name).isTrue();
    String text =
        CODE.matcher(comment.group(1).replaceAll("(?m)^ \\* ?", ""))
            .replaceAll(
                code -> Matcher.quoteReplacement("`" + code.group(1).replaceAll("\\s+", " ") + "`"))
            .replaceAll("\\{@link #?([\\w.#]+)[^}]*}", "`$1`")
            .replaceAll("(?s)<pre>`?(.*?)`?</pre>", "```\n$1\n```")
            .replaceAll("</?(ul|p|pre|ol)>\\s*", "\n")
            .replaceAll("\\s*<li>", "\n- ")
            .replaceAll("</li>", "")
            .replaceAll("\n {4,}", "\n  ")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
            .replaceAll("\n{3,}", "\n\n")
            .strip();
    return text + "\n";
  }
}
