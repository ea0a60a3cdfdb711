package org.alignlang.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.alignlang.compiler.codegen.JvmBackEnd;
import org.alignlang.compiler.diagnostic.FullRenderer;
import org.alignlang.compiler.diagnostic.Palette;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.jetbrains.kotlin.cli.jvm.K2JVMCompiler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The compiler as a library: the examples of its page run, and threads do not disturb it. */
class LibraryTest {
  private static final Path PAGE = Path.of("../../compiler/core/docs/library.md");

  /** An example and what the page says that it prints. */
  private record Example(String code, String output) {}

  private static Example example(String language) throws IOException {
    Matcher matcher =
        Pattern.compile(
                "```" + language + "\\n(.*?)```.*?prints\\s+```text\\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(PAGE));
    assertThat(matcher.find()).as(language).isTrue();
    return new Example(matcher.group(1), matcher.group(2));
  }

  @Test
  void theJavaExampleRuns(@TempDir Path folder) throws Exception {
    Example example = example("java");
    Path source = Files.writeString(folder.resolve("LibraryExample.java"), example.code);
    int code =
        ToolProvider.getSystemJavaCompiler()
            .run(
                null,
                null,
                null,
                "-proc:none",
                "-d",
                folder.toString(),
                "-classpath",
                System.getProperty("java.class.path"),
                source.toString());
    assertThat(code).isZero();
    assertThat(printed(folder, "LibraryExample", true)).isEqualTo(example.output);
  }

  @Test
  void theKotlinExampleRuns(@TempDir Path folder) throws Exception {
    Example example = example("kotlin");
    Path source = Files.writeString(folder.resolve("Example.kt"), example.code);
    ByteArrayOutputStream messages = new ByteArrayOutputStream();
    var code =
        new K2JVMCompiler()
            .exec(
                new PrintStream(messages, true, StandardCharsets.UTF_8),
                "-no-stdlib",
                "-no-reflect",
                "-jvm-target",
                "25",
                "-jdk-home",
                System.getProperty("java.home"),
                "-classpath",
                System.getProperty("java.class.path"),
                "-d",
                folder.toString(),
                source.toString());
    assertThat(code.getCode()).as(messages.toString(StandardCharsets.UTF_8)).isZero();
    assertThat(printed(folder, "ExampleKt", false)).isEqualTo(example.output);
  }

  private static String printed(Path folder, String type, boolean arguments) throws Exception {
    PrintStream before = System.out;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (URLClassLoader loader = new URLClassLoader(new URL[] {folder.toUri().toURL()})) {
      System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
      Class<?> loaded = loader.loadClass(type);
      if (arguments) {
        loaded.getMethod("main", String[].class).invoke(null, (Object) new String[0]);
      } else {
        loaded.getMethod("main").invoke(null);
      }
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8).replace(System.lineSeparator(), "\n");
  }

  /** Everything that comes of a text. */
  private static String compiled(String text) {
    Compilation compilation =
        Compiler.compile(
            new SourceFile("library.align", text), CompilerOptions.defaults().withPedantic(true));
    StringBuilder all = new StringBuilder();
    all.append(new FullRenderer(Palette.PLAIN).render(compilation.diagnostics()));
    compilation.objectives().forEach(o -> all.append(JvmBackEnd.source(o, "p")));
    return all.toString();
  }

  /** Eight threads compile files of the library at once, each in an order of its own. */
  @Test
  void threadsDoNotDisturbEachOther() throws Exception {
    List<String> texts = new ArrayList<>();
    for (String path : StandardLibrary.paths()) {
      if (texts.size() < 6) {
        texts.add(StandardLibrary.source(path).orElseThrow());
      }
    }
    texts.add("import align.losses.dpo\nobjective X { policy pi minimize mean[pair](1 / 0) }");
    texts.add("objective X { policy pi minimize mean[token](log(pi(y))) + unknown(");
    List<Callable<List<String>>> tasks = new ArrayList<>();
    for (int thread = 0; thread < 8; thread++) {
      List<Integer> order = new ArrayList<>();
      for (int i = 0; i < texts.size(); i++) {
        order.add(i);
      }
      Collections.shuffle(order, new Random(thread));
      tasks.add(() -> {
        String[] results = new String[texts.size()];
        order.forEach(i -> results[i] = compiled(texts.get(i)));
        return List.of(results);
      });
    }
    List<List<String>> found = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
      for (Future<List<String>> each : threads.invokeAll(tasks)) {
        found.add(each.get());
      }
    }
    List<String> alone = texts.stream().map(LibraryTest::compiled).toList();
    assertThat(found).hasSize(8).allSatisfy(each -> assertThat(each).isEqualTo(alone));
    assertThat(alone)
        .anyMatch(r -> r.contains("public final class"))
        .anyMatch(r -> r.contains("error[ALN"));
  }
}
