package org.alignlang.conformance.fuzz;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceFolder;
import org.alignlang.compiler.source.SourceResolver;
import org.alignlang.compiler.source.UnreadableSourceException;
import org.alignlang.conformance.RandomBatches;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Texts that are large, deep, or small and expand without end: each ends soon, with a finding that
 * says which limit it met, or compiles.
 */
class LimitsTest {
  private static String repeat(int times, IntFunction<String> part) {
    return IntStream.range(0, times).mapToObj(part).collect(Collectors.joining());
  }

  private static String minimized(String value) {
    return "objective X { policy pi\n  minimize mean[sequence](" + value + ") }\n";
  }

  private static String lets(int count, String first, IntFunction<String> next) {
    return "objective X {\n  policy pi\n  let a0 = "
        + first
        + "\n"
        + repeat(count, i -> "  let a" + (i + 1) + " = " + next.apply(i) + "\n")
        + "  minimize mean[sequence](a"
        + count
        + ")\n}\n";
  }

  private static String metrics(int count) {
    return "objective X {\n  policy pi\n  minimize mean[sequence](log(pi(y)))\n"
        + repeat(
            count, i -> "  metric m%d = mean[sequence](length(y)^2 / %d)\n".formatted(i, i + 2))
        + "}\n";
  }

  /** What a text is, the text, and the code that it is refused with; none if it compiles. */
  static Stream<Arguments> texts() {
    String log = "log(pi(y))";
    return Stream.of(
        Arguments.of("a comment of 10 MB", "// " + "x".repeat(10 << 20), "ALN1005"),
        Arguments.of("a name of 3 MB", minimized("x".repeat(3 << 20)), "ALN1001"),
        Arguments.of("a text of 3 MB", minimized("\"" + "x".repeat(3 << 20) + "\""), "ALN2007"),
        Arguments.of("3 MB of newlines", "\n".repeat(3 << 20) + minimized(log), ""),
        Arguments.of("1,000,000 terms", minimized(log + " + 1".repeat(1_000_000)), "ALN1005"),
        Arguments.of("100,000 terms", minimized(log + " + 1".repeat(100_000)), "ALN1004"),
        Arguments.of("900 terms", minimized(log + (" + " + log + " * 2").repeat(450)), ""),
        Arguments.of("900 factors", minimized(log + (" * " + log).repeat(450)), ""),
        Arguments.of(
            "100,000 parentheses",
            minimized("(".repeat(100_000) + log + ")".repeat(100_000)),
            "ALN1004"),
        Arguments.of("100,000 open parentheses", minimized("(".repeat(100_000)), "ALN1004"),
        Arguments.of("100,000 closed parentheses", minimized(")".repeat(100_000)), "ALN1001"),
        Arguments.of("100,000 open braces", "{".repeat(100_000), "ALN1004"),
        Arguments.of("100,000 minuses", minimized("-".repeat(100_000) + log), "ALN1004"),
        Arguments.of("100,000 nots", minimized("not ".repeat(100_000) + "true"), "ALN1004"),
        Arguments.of("100,000 powers", minimized(log + "^1".repeat(100_000)), "ALN1004"),
        Arguments.of("100,000 members", minimized("y" + ".token".repeat(100_000)), "ALN1004"),
        Arguments.of("100,000 calls", minimized("f" + "(1)".repeat(100_000)), "ALN1004"),
        Arguments.of(
            "100,000 conditions", minimized("if true then ".repeat(100_000) + log), "ALN1004"),
        Arguments.of(
            "100,000 accepts", minimized(log + " accept biased".repeat(100_000)), "ALN1004"),
        Arguments.of(
            "100,000 arguments", minimized("max(" + "1, ".repeat(100_000) + log + ")"), ""),
        Arguments.of(
            "10,000 minima",
            minimized("min(" + repeat(10_000, i -> i + " * log(pi(y)), ") + "0)"),
            "ALN1004"),
        Arguments.of("100,000 lists", minimized("[".repeat(100_000)), "ALN1004"),
        Arguments.of("10,000 comparisons", minimized("1" + " < 1".repeat(10_000)), "ALN1004"),
        Arguments.of(
            "a number of 100,000 digits", minimized(log + " * " + "9".repeat(100_000)), "ALN"),
        Arguments.of("a number that is infinite", minimized(log + " * 1e999999999"), "ALN"),
        Arguments.of("a number that is 0", minimized(log + " + 1e-999999999"), "ALN"),
        Arguments.of(
            "2,147,483,648 members",
            "objective X { policy pi reward r: sequence[2147483648]\n"
                + "  minimize mean[sequence](log(pi(y)) * mean[member](r)) }",
            "ALN"),
        Arguments.of(
            "1,000,000,000 members",
            "objective X { policy pi reward r: sequence[1000000000]\n"
                + "  minimize mean[sequence](log(pi(y)) * mean[member](r)) }",
            "ALN"),
        Arguments.of(
            "0 members",
            "objective X { policy pi reward r: sequence[0]\n"
                + "  minimize mean[sequence](log(pi(y)) * mean[member](r)) }",
            "ALN"),
        Arguments.of(
            "1,000 members",
            "objective X { policy pi reward r: sequence[1000]\n"
                + "  minimize mean[sequence](log(pi(y)) * mean[member](r)) }",
            ""),
        Arguments.of("products 200 deep", lets(200, log, i -> "a" + i + " * a" + i), ""),
        Arguments.of("sums 200 deep", lets(200, log, i -> "a" + i + " + a" + i), ""),
        Arguments.of(
            "conditions 200 deep",
            lets(200, log, i -> "if a%1$d > 0 then a%1$d else -a%1$d".formatted(i)),
            ""),
        Arguments.of(
            "minima 200 deep", lets(200, log, i -> "min(a%1$d, 2 * a%1$d)".formatted(i)), ""),
        Arguments.of(
            "products 5,000 deep", lets(5_000, log, i -> "tanh(a" + i + ") * a" + i), "ALN1004"),
        Arguments.of("products 700 deep", lets(700, log, i -> "tanh(a" + i + ") * a" + i), ""),
        Arguments.of(
            "quotients 600 deep", lets(600, log, i -> "a%1$d / (1 + a%1$d^2)".formatted(i)), ""),
        Arguments.of(
            "functions that double, 100 deep",
            "fun f0(x: Real) = x\n"
                + repeat(100, i -> "fun f%d(x: Real) = f%d(x) + f%d(x)\n".formatted(i + 1, i, i))
                + minimized("f100(log(pi(y)))"),
            "ALN1004"),
        Arguments.of(
            "functions in a chain, 1,000 deep",
            "fun f0(x: Real) = x\n"
                + repeat(1_000, i -> "fun f%d(x: Real) = f%d(x) + 1\n".formatted(i + 1, i))
                + minimized("f1000(log(pi(y)))"),
            "ALN1004"),
        Arguments.of(
            "a function of itself",
            "fun f(x: Real) = f(x + 1)\n" + minimized("f(log(pi(y)))"),
            "ALN2005"),
        Arguments.of(
            "defaults that double, 60 deep",
            "fun f0(x: Real) = x\n"
                + repeat(
                    60,
                    i ->
                        "fun f%1$d(x: Real, y: Real = f%2$d(1) + f%2$d(2)) = y\n"
                            .formatted(i + 1, i))
                + minimized("f60(log(pi(y)))"),
            "ALN"),
        Arguments.of(
            "lets of functions that double",
            "objective X {\n  policy pi\n  let f0(x) = x\n"
                + repeat(60, i -> "  let f%d(x) = f%d(f%d(x))\n".formatted(i + 1, i, i))
                + "  minimize mean[sequence](f60(log(pi(y))))\n}\n",
            "ALN1004"),
        Arguments.of(
            "columns that double",
            "objective X {\n  policy pi\n  pairs chosen > rejected\n  feature c0 = length(y)\n"
                + repeat(60, i -> "  feature c%d = c%d(y) + c%d(y)\n".formatted(i + 1, i, i))
                + "  minimize mean[pair](log(pi(chosen)) * c60(rejected))\n}\n",
            "ALN1004"),
        Arguments.of(
            "ensembles of ensembles",
            "objective X { policy pi reward r: sequence[900]\n  let a0 = r\n"
                + repeat(200, i -> "  let a%d = a%d * a%d\n".formatted(i + 1, i, i))
                + "  minimize mean[sequence](log(pi(y)) * mean[member](a200)) }",
            "ALN1004"),
        Arguments.of(
            "2,000 declarations", repeat(2_000, i -> "fun f%d(x: Real) = x\n".formatted(i)), ""),
        Arguments.of(
            "2,000 parameters",
            "fun f(" + repeat(2_000, i -> "x" + i + ": Real, ") + "z: Real) = z\n",
            ""),
        Arguments.of("10,000 metrics", metrics(10_000), "ALN1004"),
        Arguments.of("1,900 metrics", metrics(1_900), ""),
        Arguments.of(
            "3,000 unknown names", lets(1_500, "log(pi(y))", i -> "b" + i + " + c" + i), "ALN2001"),
        Arguments.of(
            "a divergence that expands",
            "divergence d { f(u) = " + "(u + 1) * ".repeat(300) + "(u - 1) }\n",
            "ALN"),
        Arguments.of(
            "a divergence of powers",
            "divergence d { f(u) = ((((u + 1)^9 + u)^9 + u)^9 + u)^9 - 1 }\n",
            "ALN"),
        Arguments.of(
            "a divergence of exponentials",
            "divergence d { f(u) = " + "exp(".repeat(150) + "u" + ")".repeat(150) + " }\n",
            "ALN"),
        Arguments.of("100,000 errors", repeat(100_000, i -> "objective ; {\n"), "ALN1002"),
        Arguments.of("100,000 unknown characters", "\u0001".repeat(100_000), "ALN1002"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("texts")
  void endsSoon(String what, String text, String code) {
    SourceFile source = new SourceFile("large.align", text);
    List<Diagnostic> found = Compiler.compile(source, CompilerOptions.defaults()).diagnostics();
    List<String> codes =
        found.stream().filter(Diagnostic::isError).map(d -> d.code().code()).toList();
    if (code.isEmpty()) {
      assertThat(codes).isEmpty();
    } else {
      assertThat(codes).anyMatch(c -> c.startsWith(code));
    }
    if (text.length() < 20_000) {
      // The other commands on the same text.
      new Pipeline().apply(text);
    }
  }

  /** What is just not too large is Java that the JVM takes. */
  @ParameterizedTest
  @MethodSource("largest")
  void theLargestRuns(String what, String text) {
    Compilation compilation =
        Compiler.compile(new SourceFile("large.align", text), CompilerOptions.defaults());
    assertThat(compilation.diagnostics()).noneMatch(Diagnostic::isError);
    CheckedObjective objective = compilation.objectives().getFirst();
    Batch batch = RandomBatches.of(objective.signature(), RandomBatches.Regime.ORDINARY, 1);
    double[] parameters =
        objective.signature().parameters().stream()
            .mapToDouble(Signature.Parameter::defaultValue)
            .toArray();
    List<Double> losses =
        BackEnds.all().stream()
            .map(backEnd -> {
              ObjectiveKernel kernel = backEnd.kernel(objective);
              Evaluation result = new Evaluation(kernel.signature(), batch);
              kernel.evaluate(batch, parameters, new double[0], result, Workers.serial());
              return result.loss();
            })
            .toList();
    assertThat(losses)
        .allSatisfy(loss -> assertThat(loss).isCloseTo(losses.getLast(), withinPercentage(1e-8)));
  }

  static Stream<Arguments> largest() {
    return Stream.of(
        Arguments.of("metrics", metrics(1_900)),
        Arguments.of(
            "parameters",
            "objective X("
                + repeat(900, i -> "p%d: Real = %d, ".formatted(i, i))
                + "last: Real = 1) {\n  policy pi\n  let a0 = last\n"
                + repeat(900, i -> "  let a%d = a%d + p%d\n".formatted(i + 1, i, i))
                + "  minimize mean[sequence](log(pi(y))) * a900\n}\n"),
        Arguments.of(
            "columns",
            "objective X {\n  policy pi\n  let a0 = log(pi(y))\n"
                + repeat(900, i -> "  reward r%d: sequence\n".formatted(i))
                + repeat(900, i -> "  let a%d = a%d + 0.01 * r%d\n".formatted(i + 1, i, i))
                + "  minimize mean[sequence](log(pi(y)) * a900)\n}\n"),
        Arguments.of(
            "members",
            "objective X {\n"
                + "  policy pi\n"
                + "  reward r: sequence[900]\n"
                + "  minimize mean[sequence](log(pi(y)) * std[member](tanh(r * length(y)), ddof ="
                + " 1))\n"
                + "}\n"),
        Arguments.of(
            "token values",
            lets(700, "log(pi(y.token))", i -> "tanh(a" + i + " + " + i + ") * a" + i)
                .replace("mean[sequence]", "mean[token, sequence]")));
  }

  // Imports.

  private static List<String> codes(SourceFile source, SourceResolver resolver) {
    return Compiler.compile(source, CompilerOptions.defaults().withResolver(resolver))
        .diagnostics()
        .stream()
        .filter(Diagnostic::isError)
        .map(d -> d.code().code())
        .toList();
  }

  @Test
  void aChainOfImportsWithoutEnd() {
    SourceFile first = new SourceFile("f0.align", "import \"f1.align\"\n");
    List<String> codes =
        codes(
            first,
            path -> {
              int number = Integer.parseInt(path.replaceAll("\\D", ""));
              return new SourceFile(path, "import \"f" + (number + 1) + ".align\"\n");
            });
    assertThat(codes).containsExactly("ALN2003");
  }

  /** Every file imports every later one: 2^40 ways, and each file is read once. */
  @Test
  void importsThatDouble() {
    int[] read = new int[1];
    SourceResolver resolver =
        path -> {
          read[0]++;
          int number = Integer.parseInt(path.replaceAll("\\D", ""));
          String imports =
              IntStream.rangeClosed(number + 1, 40)
                  .mapToObj(i -> "import \"f" + i + ".align\" as m" + i + "\n")
                  .collect(Collectors.joining());
          return new SourceFile(path, imports + "fun g(x: Real) = x\n");
        };
    assertThat(codes(resolver.resolve("f0.align"), resolver)).isEmpty();
    assertThat(read[0]).isLessThan(1_000);
  }

  @Test
  void importCycles() {
    SourceResolver resolver =
        path ->
            switch (path) {
              case "a.align" -> new SourceFile(path, "import \"b.align\"\n");
              case "b.align" -> new SourceFile(path, "import \"./c/../a.align\"\n");
              default -> throw new UnreadableSourceException("no " + path);
            };
    assertThat(codes(resolver.resolve("a.align"), resolver)).containsExactly("ALN2004");
    assertThat(codes(new SourceFile("x.align", "import \"x.align\"\n"), resolver))
        .containsExactly("ALN2004");
  }

  /** What lies outside the folder of a spec is not read, by whatever way. */
  @Test
  void importsThatLeaveTheFolder(@TempDir Path folder) throws IOException {
    Path inner = Files.createDirectories(folder.resolve("specs"));
    Files.writeString(folder.resolve("secret.align"), "fun secret(x: Real) = x\n");
    Files.createSymbolicLink(inner.resolve("link.align"), folder.resolve("secret.align"));
    Files.createSymbolicLink(inner.resolve("up"), folder);
    Files.createSymbolicLink(inner.resolve("loop.align"), inner.resolve("loop.align"));
    Files.createSymbolicLink(inner.resolve("endless.align"), Path.of("/dev/zero"));
    Files.createDirectory(inner.resolve("folder.align"));
    Files.write(inner.resolve("binary.align"), new byte[] {0, 1, 2, (byte) 0xFF});
    Files.writeString(inner.resolve("long.align"), "x".repeat(5 << 20));
    SourceFolder resolver = new SourceFolder(inner);
    for (String path :
        List.of(
            "../secret.align",
            "a/../../secret.align",
            "./../specs/../secret.align",
            folder.resolve("secret.align").toString(),
            "link.align",
            "up/secret.align",
            "loop.align",
            "endless.align",
            "/dev/stdin",
            "/etc/passwd",
            "file:///etc/passwd",
            "http://localhost/x.align",
            "..\\\\secret.align",
            "folder.align",
            "binary.align",
            "long.align",
            "missing.align",
            "",
            "x".repeat(5_000) + ".align",
            "a\u0000b.align",
            "con.align/../../secret.align")) {
      List<String> codes =
          codes(new SourceFile("spec.align", "import \"" + path + "\"\n"), resolver);
      assertThat(codes).as(path).isNotEmpty().allMatch(c -> c.matches("ALN(1|2)\\d+"));
    }
  }
}
