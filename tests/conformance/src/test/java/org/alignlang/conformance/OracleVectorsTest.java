package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.alignlang.cli.ParameterValues;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.batch.BatchContract;
import org.alignlang.runtime.batch.BatchEvaluation;
import org.alignlang.runtime.batch.ElementType;
import org.alignlang.runtime.batch.Tensor;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every back end against the vectors of {@code tests/oracle}, which a program that shares nothing
 * with the compiler has written.
 */
class OracleVectorsTest {
  private static final Path ROOT = Path.of("..", "..");
  private static final Path ORACLE = ROOT.resolve(Path.of("tests", "oracle"));
  private static final Path VECTORS = ORACLE.resolve("vectors");
  private static final Pattern WORD = Pattern.compile("\\w+'*");

  private static final Map<String, String> SUMS;
  private static final String SCRIPT;

  static {
    try {
      SUMS = OracleVector.sums(VECTORS);
      SCRIPT = OracleVector.sha256(ORACLE.resolve("oracle.py"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static final Map<String, SpecFile> SPECS = new HashMap<>();
  private static final Map<List<Object>, CheckedObjective> OBJECTIVES = new HashMap<>();
  private static final Map<List<Object>, ObjectiveKernel> KERNELS = new HashMap<>();

  static Stream<String> vectors() {
    return SUMS.keySet().stream();
  }

  @AfterAll
  static void forget() {
    SPECS.clear();
    OBJECTIVES.clear();
    KERNELS.clear();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("vectors")
  void aVectorIsWhatEveryBackEndSays(String name) throws IOException {
    OracleVector vector = read(VECTORS.resolve(name));
    CheckedObjective objective = objective(vector);
    double[] parameters =
        objective.signature().parameters().stream()
            .mapToDouble(p -> vector.parameter(p.name()).orElse(p.defaultValue()))
            .toArray();
    for (BackEnd backEnd : BackEnds.all()) {
      ObjectiveKernel kernel =
          KERNELS.computeIfAbsent(
              List.of(backEnd.name(), objective), _ -> backEnd.kernel(objective));
      Map<String, Tensor> actual =
          new LinkedHashMap<>(
              BatchEvaluation.of(kernel, parameters, vector.batch(), Workers.serial()).tensors());
      actual.keySet().removeIf(key -> key.startsWith("metric."));
      String what = name + " on " + backEnd.name();
      assertThat(actual.keySet()).as(what).hasSameElementsAs(vector.expected().keySet());
      vector
          .expected()
          .forEach((key, expected) ->
              assertClose(what, key, actual.get(key), expected, vector, single(backEnd, vector)));
    }
  }

  private static void assertClose(
      String what,
      String key,
      Tensor actual,
      Tensor expected,
      OracleVector vector,
      boolean single) {
    assertThat(actual.shape()).as("%s: shape of %s", what, key).isEqualTo(expected.shape());
    double floor = vector.floor() + rounding(vector, single);
    double relative = single ? Math.max(vector.relative(), 2e-5) : vector.relative();
    for (long i = 0; i < expected.count(); i++) {
      double right = expected.real(i);
      assertThat(Math.abs(actual.real(i) - right))
          .as("%s: %s[%d] is %s, the oracle says %s", what, key, i, actual.real(i), right)
          .isLessThanOrEqualTo(relative * Math.abs(right) + floor);
    }
  }

  /** Whether a back end computes in single precision where the batch is in it. */
  private static boolean single(BackEnd backEnd, OracleVector vector) {
    return backEnd != BackEnds.REFERENCE
        && vector.batch().tensors().values().stream()
            .anyMatch(t -> t.type().real() && t.type() != ElementType.F64);
  }

  /** What a difference of the batch's numbers may lose. */
  private static double rounding(OracleVector vector, boolean single) {
    double largest = single ? 4 : 0;
    for (Tensor tensor : vector.batch().tensors().values()) {
      for (long i = 0; i < tensor.count(); i++) {
        double size = Math.abs(tensor.real(i));
        largest = Double.isFinite(size) ? Math.max(largest, size) : largest;
      }
    }
    return 8 * (single ? Math.ulp((float) largest) : Math.ulp(largest));
  }

  /**
   * The vector's objective with its divergence and its truth values, from logits where the batch
   * has them. Numbers are parameters of the kernel, so that vectors share it.
   */
  private static CheckedObjective objective(OracleVector vector) {
    SpecFile spec =
        SPECS.computeIfAbsent(
            vector.spec(), path -> Specs.load(ROOT.resolve(path).toString()).requireClean());
    List<String> forms = vector.forms();
    Map<String, Expression> values = ParameterValues.parse(forms);
    Optional<String> name = Optional.of(vector.objective());
    CheckedObjective plain =
        OBJECTIVES.computeIfAbsent(
            List.of(vector.spec(), vector.objective(), forms),
            _ -> spec.objective(name, values, Set.of()));
    Set<String> logits =
        BatchContract.actorsWithLogits(plain.signature(), vector.batch().tensors().keySet());
    return logits.isEmpty()
        ? plain
        : OBJECTIVES.computeIfAbsent(
            List.of(vector.spec(), vector.objective(), forms, logits),
            _ -> spec.objective(name, values, logits));
  }

  private static OracleVector read(Path path) throws IOException {
    return OracleVector.read(path, SUMS, SCRIPT);
  }

  @Test
  void everyFileIsListed() throws IOException {
    try (Stream<Path> files = Files.list(VECTORS)) {
      assertThat(
              files.map(f -> String.valueOf(f.getFileName())).filter(f -> !f.equals("SHA256SUMS")))
          .containsExactlyInAnyOrderElementsOf(SUMS.keySet());
    }
  }

  /**
   * Objectives by name; estimators and functions by {@code With_NAME} and the like; divergences as
   * parameters; and functions that what has vectors is made of.
   */
  @Test
  void nothingOfTheLibraryLacksAVector() throws IOException {
    Set<String> covered = new TreeSet<>();
    Set<String> specs = new TreeSet<>();
    for (String name : SUMS.keySet()) {
      OracleVector vector = read(VECTORS.resolve(name));
      specs.add(vector.spec());
      covered.add(vector.objective().replaceFirst("^(With|Ensemble|Shaped|Along|Part)_", ""));
      covered.add(vector.parameters().getOrDefault("D", "").replaceFirst("\\(.*", ""));
    }
    Map<String, String> texts = new HashMap<>();
    for (String path : StandardLibrary.modules()) {
      for (Declaration declaration : StandardObjectives.library(path).module().declarations()) {
        texts.put(declaration.name(), declaration.span().text());
      }
    }
    // What covered declarations call is evaluated with them.
    Deque<String> open = new ArrayDeque<>();
    covered.stream().map(name -> texts.getOrDefault(name, "")).forEach(open::push);
    for (String spec : specs) {
      if (spec.startsWith("tests/")) {
        open.push(Files.readString(ROOT.resolve(spec)));
      }
    }
    while (!open.isEmpty()) {
      WORD.matcher(open.pop())
          .results()
          .map(MatchResult::group)
          .filter(texts::containsKey)
          .filter(covered::add)
          .map(texts::get)
          .forEach(open::push);
    }
    assertThat(new TreeSet<>(texts.keySet())).allMatch(covered::contains);
  }

  @Test
  void aDamagedOrStaleVectorIsNamed(@TempDir Path folder) throws IOException {
    Map<String, String> sums = SUMS;
    String script = SCRIPT;
    String name = "dpo_random.safetensors";
    byte[] bytes = Files.readAllBytes(VECTORS.resolve(name));
    Path copy = folder.resolve(name);

    Files.write(copy, bytes);
    assertThat(OracleVector.read(copy, sums, script).objective()).isEqualTo("Dpo");
    assertThatThrownBy(() -> OracleVector.read(copy, sums, "0".repeat(64)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining(name + " is stale");
    assertThatThrownBy(() -> OracleVector.read(copy, Map.of(), script))
        .hasMessageContaining(name + " is not in SHA256SUMS");

    Files.write(copy, java.util.Arrays.copyOf(bytes, bytes.length - 1));
    assertThatThrownBy(() -> OracleVector.read(copy, sums, script))
        .hasMessageContaining(name + " was cut off or altered");

    bytes[bytes.length - 3] ^= 1;
    Files.write(copy, bytes);
    assertThatThrownBy(() -> OracleVector.read(copy, sums, script))
        .hasMessageContaining(name + " was cut off or altered");
  }
}
