package org.alignlang.conformance.generated;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.api.GeneratedSource;
import org.alignlang.compiler.codegen.api.KernelKind;
import org.alignlang.compiler.codegen.api.ObjectiveApi;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.conformance.StandardObjectives;
import org.alignlang.kernel.ObjectiveKernel;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The typed classes of objectives, as programs use them: compiled by javac, and called. */
class TypedClassesTest {
  private static final String PAIRS =
      """
      /// Preferences, with a margin.
      objective Margin(beta: Real = 0.5, power: Int = 1%s) {
        policy    pi
        reference ref
        pairs     chosen > rejected
        feature   margin: pair
        let gain(s) = beta * log(pi(s) / ref(s))
        minimize mean[pair](-log_sigmoid(gain(chosen) - gain(rejected) - power * margin))%s
        metric accuracy = mean[pair](if gain(chosen) > gain(rejected) then 1 else 0)
      }
      """;

  private static final String CALLER =
      """
      package caller;
      import example.Margin;
      import java.nio.ByteBuffer;
      import java.nio.ByteOrder;
      import java.nio.FloatBuffer;
      import org.alignlang.kernel.Column;
      public final class Caller {
        static Margin.Inputs.Builder inputs() {
          return Margin.inputs(2)
              .chosenLengths(new int[] {2, 1})
              .rejectedLengths(new int[] {1, 1})
              .chosenLogp(new double[] {-1, -0.5, -2})
              .chosenRefLogp(new double[] {-1, -1, -2})
              .rejectedLogp(new double[] {-1, -3})
              .rejectedRefLogp(new double[] {-1, -2})
              .featureMargin(new double[] {0.25, 0});
        }
        public static String call() {
          Margin.Parameters given = new Margin.Parameters(0.25, 1);
          Margin.Parameters changed = Margin.Parameters.defaults().withBeta(0.25);
          Margin.Result result = Margin.of(given).evaluate(inputs().build());
          Margin.Result same = Margin.withDefaults().withParameters(changed).evaluate(inputs().build());
          return result.loss() + " " + (result.loss() == same.loss()) + " "
              + result.metrics().accuracy() + " " + result.gradients().chosenLogp().length();
        }
        public static String floats() {
          double exact = Margin.withDefaults().evaluate(inputs().build()).loss();
          FloatBuffer direct =
              ByteBuffer.allocateDirect(12).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
          direct.put(new float[] {-1, -0.5f, -2}).flip();
          Margin.Inputs buffers = inputs().chosenLogp(Column.of(direct)).build();
          Margin.Inputs arrays = inputs().chosenLogp(new float[] {-1, -0.5f, -2}).build();
          Margin.Result result = Margin.withDefaults().evaluate(buffers);
          return (result.loss() == exact) + " "
              + (Margin.withDefaults().evaluate(arrays).loss() == exact) + " "
              + result.gradients().chosenLogp().toFloats().length + " "
              + result.gradients().rejectedLogp().toDoubles().length;
        }
        public static String wrong(int what) {
          try {
            switch (what) {
              case 0 -> inputs().chosenLogp(new double[] {-1, -2}).build();
              case 1 -> inputs().featureMargin(new double[] {0.5, Double.NaN}).build();
              case 2 -> inputs().rejectedLogp(new double[] {-1, 0.5}).build();
              case 3 -> Margin.inputs(1).chosenLengths(new int[] {1}).build();
              case 4 -> Margin.inputs(1).chosenLengths(new int[] {1, 2});
              case 5 -> Margin.Parameters.defaults().withBeta(Double.NaN);
              case 6 -> Margin.withDefaults().evaluate(inputs().build(), Margin.room(inputs().chosenLogp(new float[3]).build()));
              default -> Column.of(ByteBuffer.allocate(8).asFloatBuffer());
            }
            return "nothing";
          } catch (RuntimeException e) {
            return e.getMessage();
          }
        }
      }
      """;

  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String type, String text) {
      super(URI.create("memory:///" + type.replace('.', '/') + ".java"), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  /** Compiles with all warnings as errors, against what a user's project has and no more. */
  private static void javac(List<Source> sources, Path folder, Path... classPath)
      throws IOException {
    javac(List.of("-Xlint:all"), sources, folder, classPath);
  }

  private static void javac(List<String> more, List<Source> sources, Path folder, Path... classPath)
      throws IOException {
    List<String> places = new ArrayList<>();
    for (Class<?> type : List.of(ObjectiveKernel.class, NullMarked.class)) {
      places.add(
          Path.of(URI.create(type.getProtectionDomain().getCodeSource().getLocation().toString()))
              .toString());
    }
    for (Path place : classPath) {
      places.add(place.toString());
    }
    DiagnosticCollector<JavaFileObject> findings = new DiagnosticCollector<>();
    var compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(findings, Locale.ROOT, StandardCharsets.UTF_8)) {
      List<String> options = new ArrayList<>(more);
      options.addAll(
          List.of(
              "-proc:none",
              "-Werror",
              "-d",
              Files.createDirectories(folder).toString(),
              "-classpath",
              String.join(java.io.File.pathSeparator, places)));
      boolean done = compiler.getTask(null, files, findings, options, null, sources).call();
      assertThat(done).as(findings.getDiagnostics().toString()).isTrue();
    }
  }

  private static List<Source> sources(CheckedObjective objective, String packageName) {
    return sources(objective, packageName, KernelKind.JVM);
  }

  private static List<Source> sources(
      CheckedObjective objective, String packageName, KernelKind kernels) {
    List<Source> sources = new ArrayList<>();
    for (GeneratedSource source : ObjectiveApi.emit(objective, packageName, kernels)) {
      assertThat(source.text().lines().filter(l -> l.strip().startsWith("*")))
          .allMatch(line -> line.length() <= 100 || !line.strip().substring(2).contains(" "));
      sources.add(new Source(packageName + "." + source.type(), source.text()));
    }
    return sources;
  }

  private static CheckedObjective objective(String spec, String name) {
    Compilation compilation = Compiler.compile("example/spec.align", spec);
    assertThat(compilation.diagnostics()).isEmpty();
    return compilation.objective(name).orElseThrow();
  }

  private static String call(Path caller, Path generated, String method, Object... arguments)
      throws ReflectiveOperationException, MalformedURLException, IOException {
    URL[] places = {caller.toUri().toURL(), generated.toUri().toURL()};
    try (URLClassLoader loader =
        new URLClassLoader(places, TypedClassesTest.class.getClassLoader())) {
      Class<?> type = loader.loadClass("caller.Caller");
      return arguments.length == 0
          ? (String) type.getMethod(method).invoke(null)
          : (String) type.getMethod(method, int.class).invoke(null, arguments);
    } catch (InvocationTargetException e) {
      throw new AssertionError(e.getCause());
    }
  }

  @Test
  void everyObjectiveOfTheLibraryHasOneThatCompilesWithoutAWarning(@TempDir Path folder)
      throws IOException {
    List<Source> all = new ArrayList<>();
    int number = 0;
    for (StandardObjectives.Variant variant : StandardObjectives.all()) {
      // Those made for estimators and divergences do not differ in what a caller sees.
      if (number < 60) {
        all.addAll(sources(variant.simplified(), "generated.number" + number++));
      }
    }
    javac(all, folder);
    assertThat(folder.resolve("generated/number0")).isDirectory();
  }

  @Test
  void aCallerHandsInArraysOrBuffersAndGetsLossMetricsAndGradients(@TempDir Path folder)
      throws IOException, ReflectiveOperationException {
    Path generated = folder.resolve("generated");
    Path caller = folder.resolve("caller");
    javac(sources(objective(PAIRS.formatted("", ""), "Margin"), "example"), generated);
    javac(List.of(new Source("caller.Caller", CALLER)), caller, generated);

    double loss = (Math.log1p(Math.exp(-(0.25 * 0.5 - 0.25))) + Math.log1p(Math.exp(-0.25))) / 2;
    String[] words = call(caller, generated, "call").split(" ");
    assertThat(Double.parseDouble(words[0]))
        .isCloseTo(loss, org.assertj.core.api.Assertions.within(1e-12));
    assertThat(words).endsWith("true", "1.0", "3");
    assertThat(call(caller, generated, "floats")).isEqualTo("true true 3 2");
  }

  /** This test runs with the module; that it is not needed, the tests of the plugin hold. */
  @Test
  void dataInSinglePrecisionGoesThroughVectorUnitsIfTheBuildAsksForThat(@TempDir Path folder)
      throws IOException, ReflectiveOperationException {
    String spec =
        """
        objective Distillation(weight: Real = 2) {
          policy  pi
          teacher t
          minimize weight * mean[token, sequence](KL(t(y.vocab) || pi(y.vocab)))
        }
        """;
    String calling =
        """
        package caller;
        import example.Distillation;
        import java.lang.foreign.Arena;
        import java.lang.foreign.MemorySegment;
        import java.lang.foreign.ValueLayout;
        import org.alignlang.kernel.Column;
        public final class Caller {
          public static String call() {
            try (Arena arena = Arena.ofConfined()) {
              int vocabulary = 40;
              float[] logits = new float[3 * vocabulary];
              double[] wide = new double[logits.length];
              for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) Math.sin(i);
                wide[i] = logits[i];
              }
              MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, logits);
              Distillation.Result exact = evaluate(Column.of(wide), vocabulary);
              Distillation.Result heap = evaluate(Column.of(logits), vocabulary);
              Distillation.Result outside =
                  evaluate(Column.of(memory, Column.Type.F32), vocabulary);
              return heap.gradients().logits().type()
                  + " " + exact.gradients().logits().type()
                  + " " + (Math.abs(heap.loss() - exact.loss()) < 1e-5)
                  + " " + (heap.loss() == outside.loss());
            }
          }
          private static Distillation.Result evaluate(Column logits, int vocabulary) {
            return Distillation.withDefaults()
                .evaluate(
                    Distillation.inputs(1)
                        .lengths(new int[] {3})
                        .vocabulary(vocabulary)
                        .logits(logits)
                        .tLogits(new float[3 * vocabulary])
                        .build());
          }
        }
        """;
    Path generated = folder.resolve("generated");
    Path caller = folder.resolve("caller");
    CheckedObjective objective = objective(spec, "Distillation");
    List<String> vectors =
        List.of("--add-modules", "jdk.incubator.vector", "-Xlint:all,-incubating");
    javac(vectors, sources(objective, "example", KernelKind.VECTOR), generated);
    assertThat(generated.resolve("example/DistillationVectorKernel.class")).exists();
    javac(List.of(new Source("caller.Caller", calling)), caller, generated);
    assertThat(call(caller, generated, "call")).isEqualTo("F32 F64 true true");

    Path blocks = folder.resolve("blocks");
    javac(sources(objective, "example", KernelKind.BLOCKS), blocks);
    assertThat(blocks.resolve("example/DistillationSingleKernel.class")).exists();
    assertThat(call(caller, blocks, "call")).isEqualTo("F32 F64 true true");
  }

  @Test
  void messagesNameTheLineOfTheSpecTheArgumentAndBothShapes(@TempDir Path folder)
      throws IOException, ReflectiveOperationException {
    Path generated = folder.resolve("generated");
    Path caller = folder.resolve("caller");
    javac(sources(objective(PAIRS.formatted("", ""), "Margin"), "example"), generated);
    javac(List.of(new Source("caller.Caller", CALLER)), caller, generated);
    Map<Integer, String> expected =
        Map.of(
            0,
            "example/spec.align:3:3: `chosenLogp` of `Margin` must have the shape [3], one number"
                + " per token of `chosen` (3 in 2 rows); it has [2]",
            1,
            "example/spec.align:6:3: `featureMargin` of `Margin` has NaN at 1, which is not a"
                + " number to calculate with",
            2,
            "example/spec.align:3:3: `rejectedLogp` of `Margin` has 0.5 at 1, and no logarithm of a"
                + " probability is above 0",
            3,
            "example/spec.align:5:3: `rejectedLengths` of `Margin` is missing: one length per row,"
                + " [1]",
            4,
            "example/spec.align:5:3: `chosenLengths` of `Margin` must have the shape [1], one"
                + " length per row; it has [2]",
            5,
            "example/spec.align:2:18: the parameter `beta` of `Margin` must be a finite number, and"
                + " not NaN",
            6,
            "the room was made for inputs of other lengths or another precision",
            7,
            "the buffer is big-endian, and columns are little-endian: call"
                + " `order(ByteOrder.LITTLE_ENDIAN)` on the byte buffer before `asFloatBuffer()`");
    for (Map.Entry<Integer, String> one : expected.entrySet()) {
      assertThat(call(caller, generated, "wrong", one.getKey())).isEqualTo(one.getValue());
    }
  }

  @Test
  void callersThatWereCompiledBeforeGoOnToWorkWhenASpecGetsMore(@TempDir Path folder)
      throws IOException, ReflectiveOperationException {
    Path before = folder.resolve("before");
    Path after = folder.resolve("after");
    Path caller = folder.resolve("caller");
    javac(sources(objective(PAIRS.formatted("", ""), "Margin"), "example"), before);
    javac(List.of(new Source("caller.Caller", CALLER)), caller, before);
    String grown =
        PAIRS
            .formatted(
                ", extra: Real = 0, more: Int = 2", "\n  metric more = mean[pair](more * margin)")
            .replace("power * margin)", "power * margin) + extra * more * margin");
    javac(sources(objective(grown, "Margin"), "example"), after);
    assertThat(call(caller, after, "call")).isEqualTo(call(caller, before, "call"));
    assertThat(call(caller, after, "floats")).isEqualTo(call(caller, before, "floats"));
  }

  /** The graph orders sums in its own way; the record has them as written. */
  @Test
  void termsAreInTheOrderWritten(@TempDir Path folder)
      throws IOException, ReflectiveOperationException {
    String spec =
        """
        objective Ordered(decay: Real = 2) {
          policy pi
          minimize -mean[sequence](log(pi(y))) + decay * mean[sequence](log(pi(y))^2)
        }
        """;
    String calling =
        """
        package caller;
        import example.Ordered;
        public final class Caller {
          public static String call() {
            Ordered.Terms terms =
                Ordered.withDefaults()
                    .evaluate(
                        Ordered.inputs(1).lengths(new int[] {1}).logp(new double[] {-3}).build())
                    .terms();
            return terms.toString();
          }
        }
        """;
    Path generated = folder.resolve("generated");
    Path caller = folder.resolve("caller");
    List<Source> sources = sources(objective(spec, "Ordered"), "example");
    assertThat(sources.getFirst().getCharContent(true).toString())
        .contains("@param term1 of {@code mean[sequence](log(pi(y)))}")
        .contains("@param term2 of {@code decay * mean[sequence](log(pi(y))^2)}");
    javac(sources, generated);
    javac(List.of(new Source("caller.Caller", calling)), caller, generated);
    assertThat(call(caller, generated, "call")).isEqualTo("Terms[term1=3.0, term2=18.0]");
  }

  @Test
  void termsAreThoseWrittenAndAddUp(@TempDir Path folder)
      throws IOException, ReflectiveOperationException {
    String spec =
        """
        objective Both(weight: Real = 3) {
          policy pi
          reward score: sequence
          let fit = -mean[sequence](log(pi(y)))
          minimize fit - weight * mean[sequence](score * log(pi(y))) - mean[token, sequence](log(pi(y.token)))
        }
        """;
    String calling =
        """
        package caller;
        import example.Both;
        public final class Caller {
          public static String call() {
            Both.Inputs inputs =
                Both.inputs(1).lengths(new int[] {2}).logp(new double[] {-1, -2}).rewardScore(new double[] {0.5}).build();
            Both.Result result = Both.withDefaults().evaluate(inputs);
            Both.Terms terms = result.terms();
            return result.loss() + " " + terms.fit() + " " + terms.term2() + " " + terms.term3();
          }
        }
        """;
    Path generated = folder.resolve("generated");
    Path caller = folder.resolve("caller");
    List<Source> sources = sources(objective(spec, "Both"), "example");
    assertThat(sources.getFirst().getCharContent(true).toString())
        .contains("@param fit of {@code fit}")
        .contains("@param term2 of {@code weight * mean[sequence](score * log(pi(y)))}");
    javac(sources, generated);
    javac(List.of(new Source("caller.Caller", calling)), caller, generated);
    assertThat(call(caller, generated, "call")).isEqualTo("9.0 3.0 4.5 1.5");
  }
}
