package org.alignlang.conformance.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.palantir.javapoet.JavaFile;
import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.alignlang.compiler.codegen.tornado.TornadoBackEnd;
import org.alignlang.conformance.StandardObjectives;
import org.alignlang.tornado.DeviceException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * The kernels that are generated for devices, of every objective of the standard library and every
 * construct of the language: they fit TornadoVM's published API, and hold nothing of what TornadoVM
 * 5.2.0 compiles wrongly without saying so. {@code DeviceKernelTest} shows on a device that the
 * rest is compiled right.
 */
class KernelSourcesTest {
  private static final Pattern KERNEL =
      Pattern.compile("  public static void (\\w+)\\(([^)]*)\\) \\{\n(.*?)\n  }\n", Pattern.DOTALL);

  /** What is reserved in OpenCL C and CUDA C, and is no word of Java. */
  private static final Set<String> FOREIGN =
      Set.of(
          "auto",
          "bool",
          "constant",
          "event_t",
          "extern",
          "generic",
          "global",
          "half",
          "image2d_t",
          "inline",
          "kernel",
          "local",
          "pipe",
          "private",
          "read_only",
          "register",
          "restrict",
          "sampler_t",
          "signed",
          "sizeof",
          "struct",
          "template",
          "texture",
          "typedef",
          "uchar",
          "uint",
          "ulong",
          "uniform",
          "union",
          "unsigned",
          "ushort",
          "vec",
          "write_only");

  /** The sources by objective. */
  private static final Map<String, String> SOURCES = new LinkedHashMap<>();

  /** Why others have none. */
  private static final Map<String, String> REFUSALS = new LinkedHashMap<>();

  /**
   * A kernel.
   *
   * @param name the objective and the method
   * @param parameters its parameter list
   * @param body its statements, one a line, without comments
   */
  private record Kernel(String name, String parameters, String body) {
    private boolean has(String regex) {
      return Pattern.compile(regex).matcher(body).find();
    }
  }

  private static final List<Kernel> KERNELS = new ArrayList<>();

  @Test
  void whatHasNoKernelsNamesTheOperatorAndTheLine() {
    assertThat(REFUSALS.keySet().stream().map(name -> name.replaceFirst(".*:", "")).distinct())
        .contains("Uld", "UldAligned", "GoldHybrid", "SortedEntries")
        .hasSizeLessThan(6);
    assertThat(REFUSALS.values())
        .allMatch(why -> why.matches("`sort\\[vocab\\]` at \\S+\\.align:\\d+:\\d+ puts .*"));
    StandardObjectives.Variant uld =
        StandardObjectives.all().stream()
            .filter(variant -> variant.name().endsWith(":Uld"))
            .findFirst()
            .orElseThrow();
    assertThatThrownBy(() -> TornadoBackEnd.source(uld.simplified(), "generated"))
        .isInstanceOf(DeviceException.class)
        .hasMessage(REFUSALS.get(uld.name()));
  }

  @BeforeAll
  static void generate() {
    int number = 0;
    for (StandardObjectives.Variant variant : StandardObjectives.all()) {
      Optional<String> refusal = TornadoBackEnd.refusal(variant.simplified());
      if (refusal.isPresent()) {
        REFUSALS.put(variant.name(), refusal.get());
        continue;
      }
      JavaFile file = TornadoBackEnd.source(variant.simplified(), "generated.k" + number++);
      String text = file.toString();
      SOURCES.put(variant.name(), text);
      Matcher kernel = KERNEL.matcher(text);
      while (kernel.find()) {
        KERNELS.add(
            new Kernel(
                variant.name() + ": " + kernel.group(1),
                kernel.group(2).replaceAll("\\s+", " "),
                kernel.group(3).replaceAll("(?m)^\\s*//.*$", "")));
      }
    }
    assertThat(KERNELS).hasSizeGreaterThan(2 * SOURCES.size());
  }

  @Test
  void fitsThePublishedApi() throws IOException {
    // Of objectives with two variants, the one that has more kernels.
    List<JavaFileObject> files = new ArrayList<>();
    SOURCES.forEach((name, text) -> {
      if (!SOURCES.containsKey(name + " from logits")) {
        files.add(new Source(text));
      }
    });
    DiagnosticCollector<JavaFileObject> findings = new DiagnosticCollector<>();
    // The published jar was compiled with preview features of another Java: only with this flag
    // does
    // javac read it.
    List<String> options =
        List.of(
            "--enable-preview",
            "--release",
            "25",
            "-proc:none",
            "-Xlint:none",
            "-classpath",
            System.getProperty("java.class.path"));
    JavacTask task =
        (JavacTask)
            ToolProvider.getSystemJavaCompiler()
                .getTask(new StringWriter(), null, findings, options, null, files);
    task.analyze();
    assertThat(findings.getDiagnostics())
        .filteredOn(finding -> finding.getKind() == Diagnostic.Kind.ERROR)
        .isEmpty();
  }

  /**
   * An array that threads share, as an argument of a method: its index is taken for a number of
   * bytes, and points outside it.
   */
  @Test
  void passesNoSharedArrayToAMethod() {
    forEach(kernel -> assertThat(kernel.has("[(,] *shared *[,)]")).as(kernel.name()).isFalse());
  }

  /** A loop whose body starts with a choice loses a branch of it if its condition comes last. */
  @Test
  void hasCountedLoopsOnly() {
    Pattern loop =
        Pattern.compile(
            "for \\(int (\\w+) = [^;]+; \\1 [<>] [^;]+; (\\1\\+\\+|\\1 \\+="
                + " (?:lanes|stride\\d*)|\\1 /= 2)\\) \\{");
    forEach(kernel -> {
      assertThat(kernel.has("\\b(do|while)\\b")).as(kernel.name()).isFalse();
      Matcher each = Pattern.compile("\\bfor \\(.*").matcher(kernel.body());
      while (each.find()) {
        assertThat(each.group()).as(kernel.name()).matches(loop);
      }
    });
  }

  /** Ways out of a loop or a method, and what jumps into a block. */
  @Test
  void leavesNoLoopEarly() {
    forEach(kernel ->
        assertThat(kernel.has("\\b(break|continue|return|switch|throw|yield)\\b"))
            .as(kernel.name())
            .isFalse());
  }

  /** {@code >>>} of a negative number is {@code >>} on OpenCL and CUDA, and the reverse on PTX. */
  @Test
  void shiftsNothing() {
    forEach(kernel -> assertThat(kernel.has(">>|<<")).as(kernel.name()).isFalse());
  }

  /** Sums over a warp do nothing on OpenCL, and atomic ones miss their element on CUDA. */
  @Test
  void sumsThroughSharedMemoryOnly() {
    forEach(kernel ->
        assertThat(kernel.has("context\\.(simd|atomic|warp)\\w*")).as(kernel.name()).isFalse());
  }

  /** A private array is not zero to begin with; and a shared one must have a size that is known. */
  @Test
  void hasNoArraysButTheSharedOne() {
    forEach(kernel -> {
      assertThat(kernel.has("\\bnew\\b")).as(kernel.name()).isFalse();
      assertThat(kernel.has("allocate(?!DoubleLocalArray\\(\\d+ \\* lanes\\))"))
          .as(kernel.name())
          .isFalse();
      assertThat(kernel.body().split("allocateDoubleLocalArray", -1))
          .as(kernel.name())
          .hasSizeLessThanOrEqualTo(2);
    });
  }

  /** Of a condition inside another, one negation is lost; and so is one inside {@code &&}. */
  @Test
  void hasOneConditionAtATime() {
    forEach(kernel -> {
      assertThat(kernel.has("&&|\\|\\|")).as(kernel.name()).isFalse();
      assertThat(kernel.has("\\?[^;\n]*\\?")).as(kernel.name()).isFalse();
      assertThat(kernel.has("!(?!=)")).as(kernel.name()).isFalse();
    });
  }

  /** {@code x <= y} is compiled as the negation of {@code x > y}, which a NaN is, too. */
  @Test
  void comparesStrictly() {
    forEach(kernel -> assertThat(kernel.has("<=|>=|!=")).as(kernel.name()).isFalse());
  }

  /** A NaN is no word of OpenCL C, and infinities are in single precision always. */
  @Test
  void hasFiniteNumbersOnly() {
    forEach(kernel ->
        assertThat(kernel.has("\\b(NaN|INFINITY|Infinity)\\b")).as(kernel.name()).isFalse());
  }

  /**
   * Reads of what other threads wrote come after a barrier, and every group reaches every barrier.
   */
  @Test
  void hasBarriersForAllThreads() {
    forEach(kernel -> {
      int depth = 0;
      boolean written = false;
      for (String line : kernel.body().split("\n")) {
        String statement = line.strip();
        if (statement.startsWith("}")) {
          depth--;
        }
        if (statement.contains("Barrier()")) {
          // Inside nothing but the loop over the halves, which all threads go through alike.
          assertThat(depth).as(kernel.name() + ": " + statement).isLessThanOrEqualTo(1);
          written = false;
        } else if (statement.matches("shared\\[[^\\]]*lane] = .*") && depth == 0) {
          written = true;
        } else if (statement.matches(".*= .*shared\\[[^a-z]*].*") && depth == 0) {
          assertThat(written).as(kernel.name() + ": " + statement).isFalse();
        }
        if (statement.endsWith("{")) {
          depth++;
        }
      }
    });
  }

  /** What was launched is shown by the last thread, at the very end. */
  @Test
  void endsWithEvidence() {
    forEach(kernel ->
        assertThat(kernel.body())
            .as(kernel.name())
            .containsPattern(
                "if \\(context\\.globalIdx == context\\.globalGroupSizeX - 1\\) \\{\\s+"
                    + "evidence\\.set\\(\\d+, DeviceLayout\\.evidence\\("
                    + "\\w+, context\\.globalGroupSizeX, lane\\)\\);\\s+}$"));
  }

  /** Names of kernels and of their parameters stand in the device's code. */
  @Test
  void namesNothingThatADeviceReserves() {
    forEach(kernel -> {
      List<String> names = new ArrayList<>(List.of(kernel.name().replaceAll(".*: ", "")));
      for (String parameter : kernel.parameters().split(", ")) {
        names.add(parameter.substring(parameter.lastIndexOf(' ') + 1));
      }
      for (String name : names) {
        assertThat(name).as(kernel.name()).matches("[A-Za-z][A-Za-z0-9]*").isNotIn(FOREIGN);
      }
    });
  }

  private static void forEach(java.util.function.Consumer<Kernel> check) {
    KERNELS.forEach(check);
  }

  private static final class Source extends SimpleJavaFileObject {
    private static final Pattern PACKAGE = Pattern.compile("package ([\\w.]+);");
    private static final Pattern TYPE = Pattern.compile("public final class (\\S+)");
    private final String text;

    Source(String text) {
      super(URI.create("memory:///" + name(text)), Kind.SOURCE);
      this.text = text;
    }

    private static String name(String text) {
      Matcher place = PACKAGE.matcher(text);
      Matcher type = TYPE.matcher(text);
      assertThat(place.find() && type.find()).isTrue();
      return place.group(1).replace('.', '/') + "/" + type.group(1) + ".java";
    }

    @Override
    public boolean isNameCompatible(String simpleName, Kind kind) {
      return kind == Kind.SOURCE;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}
