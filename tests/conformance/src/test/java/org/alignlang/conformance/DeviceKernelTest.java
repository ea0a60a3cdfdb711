package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.codegen.tornado.TornadoBackEnd;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.conformance.RandomBatches.Regime;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.alignlang.tornado.DeviceException;
import org.alignlang.tornado.DeviceKernel;
import org.alignlang.tornado.DeviceTraffic;
import org.alignlang.tornado.KeptBatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What TornadoVM 5.2.0 is known to compile wrongly, in the form in which the generator writes it,
 * on a device; and what it does not say. Skipped where no TornadoVM SDK is.
 */
class DeviceKernelTest {
  private static final double[] NUMBERS = {
    -3,
    -1,
    -0.5,
    -0.0,
    0,
    1e-9,
    0.5,
    1,
    2,
    30,
    1e300,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.NaN
  };

  @BeforeAll
  static void requireDevice() {
    DeviceConformanceTest.requireDevice();
  }

  private static CheckedObjective objective(String text) {
    Compilation compilation =
        Compiler.compile(new SourceFile("device.align", text), CompilerOptions.defaults());
    assertThat(compilation.diagnostics()).noneMatch(d -> d.isError());
    return compilation.objectives().getFirst();
  }

  /** Rows with every pair of the numbers as features, and a log-probability each. */
  private static Batch pairs() {
    int rows = NUMBERS.length * NUMBERS.length;
    double[] a = new double[rows];
    double[] b = new double[rows];
    double[] logp = new double[rows];
    int[] offsets = new int[rows + 1];
    for (int i = 0; i < rows; i++) {
      a[i] = NUMBERS[i / NUMBERS.length];
      b[i] = NUMBERS[i % NUMBERS.length];
      logp[i] = -1 - 0.01 * i;
      offsets[i + 1] = i + 1;
    }
    return Batch.builder(rows)
        .sequence("y", offsets)
        .column("feature.a", a)
        .column("feature.b", b)
        .column("logp", logp)
        .build();
  }

  private static void compareOnPairs(String expression) {
    CheckedObjective objective =
        objective(
            """
            objective Pairs {
              policy  pi
              feature a: sequence
              feature b: sequence
              minimize sum[batch](stop(%s) * log(pi(y)))
            }
            """
                .formatted(expression));
    Signature signature = objective.signature();
    Batch batch = pairs();
    Evaluation expected = new Evaluation(signature, batch);
    Evaluation actual = new Evaluation(signature, batch);
    evaluate(BackEnds.REFERENCE.kernel(objective), batch, expected);
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective)) {
      evaluate(kernel, batch, actual);
    }
    double[] right = expected.gradient("logp");
    double[] found = actual.gradient("logp");
    for (int i = 0; i < right.length; i++) {
      String what =
          "%s with a = %s, b = %s"
              .formatted(expression, NUMBERS[i / NUMBERS.length], NUMBERS[i % NUMBERS.length]);
      if (Double.isFinite(right[i])) {
        assertThat(found[i]).as(what).isCloseTo(right[i], within(1e-13 * Math.abs(right[i])));
      } else {
        assertThat(found[i]).as(what).isEqualTo(Double.valueOf(right[i]));
      }
    }
  }

  private static void evaluate(ObjectiveKernel kernel, Batch batch, Evaluation result) {
    double[] parameters =
        kernel.signature().parameters().stream().mapToDouble(p -> p.defaultValue()).toArray();
    kernel.evaluate(batch, parameters, new double[0], result, Workers.serial());
  }

  /** A condition within a condition, whose negation gets lost. */
  @Test
  void conditionsOfConditions() {
    compareOnPairs("if a < b or (a == b and not a < 1) then 2 else 3");
    compareOnPairs("if a <= b then (if b < 1 then 5 else 7) else (if a < 1 then 7 else 5)");
    compareOnPairs("if not (a < 0 or b < 0) and (a < 1 or not b <= 0.5) then a else b");
  }

  /** Comparisons and extremes of what is not a number. */
  @Test
  void comparesAndClampsWhatIsNotANumber() {
    compareOnPairs("if a <= b then 1 else 2");
    compareOnPairs("min(max(a, b), 1) + clamp(a, -1, 1)");
    compareOnPairs("sign(a) + abs(b) + floor(a)");
  }

  /** A product that is added to itself, and powers of literals. */
  @Test
  void productsAddedToThemselves() {
    compareOnPairs("a * b + a * b");
    compareOnPairs("(a + b)^2 + (a * b)^2");
    compareOnPairs("(1 + abs(a))^1.5 + 2^min(b, 3)");
  }

  /** Functions that TornadoVM lacks, or has for single precision only. */
  @Test
  void functionsInDoublePrecision() {
    compareOnPairs("sigmoid(a) + log_sigmoid(b) + softplus(a - b)");
    compareOnPairs("tanh(a) + exp(min(b, 2)) + sqrt(abs(a))");
  }

  /** Rows that change places, with equal keys; and more of them than a group has threads. */
  @Test
  void putsManyRowsInOrder() {
    CheckedObjective objective =
        objective(
            """
            objective Ordered {
              policy pi
              reward r: sequence
              minimize mean[sequence](stop(sort[batch](r)) * log(pi(y)) + log(pi(y))^2)
            }
            """);
    Signature signature = objective.signature();
    int rows = 600;
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(3);
    double[] keys = random.ints(rows, 0, 50).mapToDouble(k -> 0.1 * k).toArray();
    double[] logp = random.doubles(rows).map(u -> -u).toArray();
    int[] offsets = java.util.stream.IntStream.rangeClosed(0, rows).toArray();
    Batch batch =
        Batch.builder(rows)
            .sequence("y", offsets)
            .column("reward.r", keys)
            .column("logp", logp)
            .build();
    Evaluation expected = new Evaluation(signature, batch);
    Evaluation actual = new Evaluation(signature, batch);
    evaluate(BackEnds.REFERENCE.kernel(objective), batch, expected);
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective)) {
      evaluate(kernel, batch, actual);
    }
    assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-12));
    assertThat(actual.gradient("logp")).containsExactly(expected.gradient("logp"), within(1e-15));
  }

  private static final String DISTILLATION =
      """
      objective Distillation {
        policy pi  teacher other
        minimize mean[token, sequence](KL(pi(y.vocab) || other(y.vocab)))
      }
      """;

  /** Room grows with the batches, and what was there before does not show. */
  @Test
  void takesBatchesOfAnySizeInAnyOrder() {
    CheckedObjective objective = objective(DISTILLATION);
    Signature signature = objective.signature();
    ObjectiveKernel reference = BackEnds.REFERENCE.kernel(objective);
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective)) {
      int[][] sizes = {{2, 5}, {9, 700}, {1, 3}, {9, 700}, {20, 11}};
      for (int[] size : sizes) {
        Batch batch = RandomBatches.of(signature, Regime.ORDINARY, size[0], size[0], size[1]);
        Evaluation expected = new Evaluation(signature, batch);
        Evaluation actual = new Evaluation(signature, batch);
        evaluate(reference, batch, expected);
        evaluate(kernel, batch, actual);
        assertThat(actual.loss()).isCloseTo(expected.loss(), within(1e-6));
        assertThat(actual.gradient("logits"))
            .containsExactly(expected.gradient("logits"), within(1e-6));
      }
    }
  }

  /** A kernel that did not run, or not with all its threads, is an error and not a result. */
  @Test
  void tellsWhenAKernelDidNotRun() {
    CheckedObjective objective = objective(DISTILLATION);
    String source = TornadoBackEnd.source(objective, "align.fallback").toString();
    // As if the last kernel had run as a single thread, which is what TornadoVM falls back to.
    String alone =
        source.replaceFirst(
            "(?s)(.*)evidence\\((\\w+), context\\.globalGroupSizeX, lane\\)",
            "$1evidence($2, 1, 0)");
    assertThat(alone).isNotEqualTo(source);
    Batch batch = RandomBatches.of(objective.signature(), Regime.ORDINARY, 5, 3, 7);
    Evaluation result = new Evaluation(objective.signature(), batch);
    try (DeviceKernel kernel =
        new DeviceKernel(TornadoBackEnd.load("align.fallback.DistillationOnDevice", alone))) {
      assertThatThrownBy(() -> evaluate(kernel, batch, result))
          .isInstanceOf(DeviceException.class)
          .hasMessageContaining("did not run on the device");
    }
  }

  private static final String POLICY =
      """
      objective Policy(beta: Real = 0.1, alpha: Real = 0.01) {
        policy    pi
        reference ref
        feature   a: token
        minimize mean[token, sequence](
            -a * log(pi(y.token)) + beta * KL(pi(y.vocab) || ref(y.vocab))
            + beta * KL(ref(y.vocab) || pi(y.vocab)) - alpha * entropy(pi(y.vocab)))
        metric most = mean[token, sequence](max[vocab](log(pi(y.vocab))))
      }
      """;

  /** Logits of two rows with two tokens each. */
  private static Batch wide(int vocabulary) {
    RandomGenerator random = RandomGeneratorFactory.of("Xoshiro256PlusPlus").create(vocabulary);
    float[] logits = new float[4 * vocabulary];
    float[] reference = new float[4 * vocabulary];
    for (int i = 0; i < logits.length; i++) {
      reference[i] = (float) (3 * random.nextGaussian());
      logits[i] = (float) (reference[i] + random.nextGaussian());
    }
    // Some tokens that neither can say, and the largest logit at the end.
    logits[1] = Float.NEGATIVE_INFINITY;
    reference[1] = Float.NEGATIVE_INFINITY;
    logits[vocabulary - 1] = 17;
    return Batch.builder(2)
        .vocabulary(vocabulary)
        .sequence("y", new int[] {0, 2, 4})
        .tokens("y", new int[] {0, vocabulary - 1, vocabulary / 2, 1})
        .column("feature.a", new double[] {1, -1, 0.5, 2})
        .column("logits", logits)
        .column("ref.logits", reference)
        .build();
  }

  /** Groups of 32 to 256 threads, logits that fill their turns and that do not. */
  @Test
  void putsTheSharesOfWideGroupsTogether() {
    CheckedObjective objective = objective(POLICY);
    Signature signature = objective.signature();
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective)) {
      for (int vocabulary : new int[] {3, 129, 512, 1024, 2500, 8192, 8197, 40_001}) {
        Batch batch = wide(vocabulary);
        Evaluation expected = new Evaluation(signature, batch);
        Evaluation actual = new Evaluation(signature, batch);
        evaluate(BackEnds.REFERENCE.kernel(objective), batch, expected);
        evaluate(kernel, batch, actual);
        String what = "V = " + vocabulary;
        assertThat(actual.loss()).as(what).isCloseTo(expected.loss(), within(1e-6));
        assertThat(actual.metrics()[0]).as(what).isCloseTo(expected.metrics()[0], within(1e-6));
        double[] right = expected.gradient("logits");
        double[] found = actual.gradient("logits");
        for (int i = 0; i < right.length; i++) {
          assertThat(found[i]).as(what + ", " + i).isCloseTo(right[i], within(1e-6));
        }
      }
    }
  }

  /** Each of the threads has at most one logit: what one of them finds must not get lost. */
  @Test
  void aLogitThatIsNotANumberMakesTheLossNone() {
    CheckedObjective objective = objective(POLICY);
    Batch batch = wide(8);
    ((Column.Floats) batch.data("logits")).values()[3] = Float.NaN;
    Evaluation actual = new Evaluation(objective.signature(), batch);
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective)) {
      evaluate(kernel, batch, actual);
    }
    assertThat(actual.loss()).isNaN();
  }

  @Test
  void keepsABatch() {
    CheckedObjective objective = objective(POLICY);
    Signature signature = objective.signature();
    Batch batch = wide(9000);
    try (DeviceKernel kernel = (DeviceKernel) BackEnds.TORNADO.kernel(objective);
        KeptBatch kept = kernel.keep(batch)) {
      Evaluation actual = new Evaluation(signature, batch);
      assertThatThrownBy(() -> kept.gradients(actual)).isInstanceOf(IllegalStateException.class);
      for (double beta : new double[] {0.1, 2, 0, 0.1}) {
        double[] parameters = {beta, 0.01};
        Evaluation expected = new Evaluation(signature, batch);
        kernel.evaluate(batch, parameters, new double[0], expected, Workers.serial());
        kept.evaluate(parameters, new double[0], actual);
        assertThat(actual.loss()).isEqualTo(expected.loss());
        assertThat(actual.metrics()).isEqualTo(expected.metrics());
        kept.gradients(actual);
        assertThat(actual.gradient("logits")).isEqualTo(expected.gradient("logits"));
      }
    }
  }

  @Test
  void measuresTheMemoryOfTheDevice() {
    try (DeviceTraffic traffic = new DeviceTraffic(1 << 20)) {
      traffic.run();
      traffic.run();
    }
  }
}
