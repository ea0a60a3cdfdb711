package org.alignlang.conformance.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.palantir.javapoet.JavaFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.JvmBackEnd;
import org.alignlang.compiler.codegen.api.JavaSources;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.explain.Explanation;
import org.alignlang.compiler.explain.ObjectiveExplainer;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.conformance.RandomBatches;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Specs from somebody who wants more than an objective: what they write becomes names, comments and
 * texts of Java, and never code; files are written below the folder that was asked for, and nowhere
 * else.
 */
class HostileSpecsTest {
  /** What would set this, had it become code, is in every attack. */
  private static final String PROPERTY = "align.hostile";

  private static final String CODE = "System.setProperty(\"" + PROPERTY + "\", \"1\");";

  static Stream<String> comments() {
    return Stream.of(
        "*/ static { " + CODE + " } /*",
        "*\\u002f static { " + CODE + " } /*",
        "\\u002a/ static { " + CODE + " } /*",
        "\\u002a\\u002f static { " + CODE + " } \\u002f\\u002a",
        "\\\\u002a/ static { " + CODE + " } /*",
        "\\uuuu002a/ static { " + CODE + " } /*",
        "\\u000a static { " + CODE + " }",
        "\\u000d static { " + CODE + " }",
        "{@code } */ " + CODE + "{@literal",
        "@deprecated @param <T> @see Runtime#exec {@link java.io.File}",
        "{@snippet file=\"/etc/passwd\"} <script>alert(1)</script> &#42;&#47; &lt;",
        "$S $L $T $N $W $Z $$ $> $< ${x} %s %n %d %",
        "\u2028 static { " + CODE + " } \u2029 \u0085 \u000b \u000c",
        "\uD83D\uDE00 \uD800 \uFFFF \u202E }{ static \u0000",
        "``` \n/// ```java\n/// " + CODE + "\n/// ```",
        "\\");
  }

  @ParameterizedTest
  @MethodSource("comments")
  void commentsStayComments(String text) {
    runs(
        """
        /// %1$s
        ///%1$s
        objective Commented(beta: Real = 0.1) {
          // %1$s
          policy pi   // %1$s
          reward r: sequence
          /// %1$s
          let x = beta * r // %1$s
          minimize mean[sequence](x * log(pi(y)))   // %1$s
          metric m = mean[sequence](x)
        }
        """
            .formatted(text.replace("%", "%%").replace("%%", "%")),
        "hostile.align");
  }

  static Stream<String> names() {
    return Stream.of(
        "class",
        "null",
        "int",
        "double",
        "this",
        "super",
        "goto",
        "const",
        "enum",
        "record",
        "sealed",
        "yield",
        "var",
        "assert",
        "native",
        "static",
        "void",
        "return",
        "new",
        "package",
        "fun",
        "val",
        "object",
        "typealias",
        "in_",
        "is",
        "when",
        "System",
        "Runtime",
        "Math",
        "Object",
        "String",
        "Double",
        "Override",
        "Batch",
        "Evaluation",
        "Workers",
        "Signature",
        "Workspace",
        "Call",
        "Functions",
        "Reductions",
        "List",
        "batch",
        "rows",
        "row",
        "t",
        "w",
        "from",
        "to",
        "run",
        "bind",
        "fits",
        "before",
        "after0",
        "rows0",
        "tokens0",
        "signature",
        "evaluate",
        "SIGNATURE",
        "parameters",
        "multipliers",
        "result",
        "workers",
        "loss",
        "logp",
        "offsets",
        "count",
        "hashCode",
        "getClass",
        "notify",
        "wait",
        "finalize",
        "clone",
        "toString",
        "main",
        "_",
        "__",
        "_1",
        "x'",
        "x''''",
        "λ",
        "Ω",
        "été",
        "ﬁ",
        "变量",
        "ا",
        "K",
        "ª",
        "ǅ",
        "İ",
        "ı",
        "𝒜",
        "a\u0301",
        "x\u200c",
        "\u0130x",
        "Con",
        "aux",
        "nul",
        "com1",
        "LPT1");
  }

  @Test
  void namesStayNames() {
    for (String name : names().toList()) {
      String text =
          """
          objective %1$s(%1$s2: Real = 0.1) {
            policy pi
            reward %1$s3: sequence
            let %1$s = %1$s2 * %1$s3
            minimize mean[sequence](%1$s * log(pi(y)))
            metric %1$s4 = mean[sequence](%1$s)
          }
          """
              .formatted(name);
      Compilation compilation = compile(text, "hostile.align");
      if (compilation.hasErrors()) {
        // Not a name of the language: that is said, once and for all.
        assertThat(compilation.diagnostics())
            .as(name)
            .allMatch(d -> d.code().code().matches("ALN(1|2)\\d+"));
      } else {
        runs(text, "hostile.align");
      }
    }
  }

  static Stream<String> paths() {
    return Stream.of(
        "a\nstatic { " + CODE + " }//.align",
        "a\r" + CODE + ".align",
        "*/ " + CODE + ".align",
        "\\u000a" + CODE + ".align",
        "\"; " + CODE + " //.align",
        "\u2028" + CODE + "$S$L%s.align");
  }

  @ParameterizedTest
  @MethodSource("paths")
  void namesOfFilesStayTexts(String path) {
    runs(
        """
        objective Filed {
          policy pi
          reward r: sequence
          minimize mean[sequence](r * log(pi(y)) / max(count[batch](r), 1))
        }
        """,
        path);
  }

  /** Texts of the spec are quoted in messages of the kernel. */
  @Test
  void expressionsInMessagesStayTexts() {
    runs(
        "objective Quoted { policy pi minimize mean[sequence](log(pi(y)) // \\u0022 + x \\\n"
            + " * 1) + mean[sequence](mean[token]( // \" + System.exit(1) + \"\n"
            + " log(pi(y.token)))) }",
        "hostile.align");
  }

  private static Compilation compile(String text, String path) {
    return Compiler.compile(new SourceFile(path, text), CompilerOptions.defaults());
  }

  /** Compiles to Java, loads and runs it, and finds that no more happened than that. */
  private static void runs(String text, String path) {
    Compilation compilation = compile(text, path);
    assertThat(compilation.diagnostics()).as(text).noneMatch(Diagnostic::isError);
    CheckedObjective objective = compilation.objectives().getFirst();
    Batch batch = RandomBatches.of(objective.signature(), RandomBatches.Regime.ORDINARY, 1);
    // One class, and inside it the workspace.
    evaluates(text, path, JvmBackEnd.load(JvmBackEnd.source(objective, "")), batch, 1);
    // And room for the loops in single precision.
    Batch single = RandomBatches.as(Column.Type.F32, objective.signature(), batch);
    evaluates(text, path, JvmBackEnd.load(JvmBackEnd.singleSource(objective, "")), single, 2);
    for (Explanation.Format format : Explanation.Format.values()) {
      ObjectiveExplainer.explain(objective, compilation.scope()).render(format);
    }
  }

  private static void evaluates(
      String text, String path, ObjectiveKernel kernel, Batch batch, int classes) {
    Signature signature = kernel.signature();
    Evaluation result = new Evaluation(signature, batch);
    double[] parameters = signature.parameters().isEmpty() ? new double[0] : new double[] {0.1};
    kernel.evaluate(batch, parameters, new double[0], result, Workers.serial());
    assertThat(result.loss()).as(text).isFinite();
    assertThat(System.getProperty(PROPERTY)).as(text).isNull();
    assertThat(kernel.getClass().getDeclaredClasses()).as(text).hasSize(classes);
    assertThat(signature.source()).isEqualTo(path);
  }

  /** Whatever an objective is called, its file lies in the folder of its package. */
  @Test
  void filesStayInTheirFolder(@TempDir Path folder) throws IOException {
    Path out = Files.createDirectories(folder.resolve("out"));
    for (String name : names().toList()) {
      Compilation compilation =
          compile(
              "objective " + name + " { policy pi minimize mean[sequence](log(pi(y))) }",
              "hostile.align");
      if (compilation.hasErrors()) {
        continue;
      }
      List<JavaSources.Written> written =
          JavaSources.write(compilation.objectives(), "org.example", out);
      assertThat(written).hasSize(2);
      for (JavaSources.Written one : written) {
        Path file = one.file();
        assertThat(file.getParent()).isEqualTo(out.resolve("org/example"));
        assertThat(file.getFileName().toString())
            .matches("[\\p{javaJavaIdentifierPart}]+\\.java")
            .doesNotMatch("(?i)(con|prn|aux|nul|com\\d|lpt\\d)\\.java");
      }
    }
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(Files::isRegularFile))
          .allMatch(f -> f.startsWith(out.resolve("org/example")));
    }
  }

  @Test
  void packagesAreNames(@TempDir Path folder) throws IOException {
    CheckedObjective objective =
        compile("objective A { policy pi minimize mean[sequence](log(pi(y))) }", "a.align")
            .objectives()
            .getFirst();
    for (String name :
        List.of(
            "..",
            ".",
            "a..b",
            ".a",
            "a.",
            "../x",
            "a/b",
            "a\\b",
            "/etc",
            "C:",
            "a b",
            "a;b",
            "a\n",
            "class",
            "a.class",
            "a.int",
            "1a",
            "a-b",
            "*",
            "a.*",
            "a\u0000b",
            "a;import java.io.*")) {
      assertThatThrownBy(() -> JavaSources.write(List.of(objective), name, folder))
          .as(name)
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("is not the name of a package");
    }
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
    JavaFile source = JvmBackEnd.source(objective, "java.lang");
    assertThat(source.packageName()).isEqualTo("java.lang");
  }

  @Test
  void linksAreNotFollowed(@TempDir Path folder) throws IOException {
    Path out = Files.createDirectories(folder.resolve("out"));
    Path elsewhere = Files.createDirectories(folder.resolve("elsewhere"));
    Path victim = Files.writeString(folder.resolve("victim.txt"), "mine");
    List<CheckedObjective> objectives =
        compile("objective A { policy pi minimize mean[sequence](log(pi(y))) }", "a.align")
            .objectives();
    Files.createSymbolicLink(out.resolve("p"), elsewhere);
    assertThatThrownBy(() -> JavaSources.write(objectives, "p", out))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("leads out");
    Files.createDirectories(out.resolve("q"));
    Files.createSymbolicLink(out.resolve("q/A.java"), victim);
    JavaSources.write(objectives, "q", out);
    assertThat(victim).hasContent("mine");
    try (Stream<Path> files = Files.list(elsewhere)) {
      assertThat(files).isEmpty();
    }
  }
}
