package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.codegen.VectorBackEnd;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.train.WorkerPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What generated kernels for data in single precision promise besides their numbers. */
class SinglePrecisionKernelTest {
  /** Bytes per call. */
  private static final long AT_ENDS = 16 * 32;

  private static final CheckedObjective LOGITS =
      objective(
          """
          objective Policy(beta: Real = 0.1, alpha: Real = 0.01) {
            policy    pi
            reference ref
            feature   a: token
            minimize mean[token, sequence](
                -a * log(pi(y.token)) + beta * KL(pi(y.vocab) || ref(y.vocab))
                - alpha * entropy(pi(y.vocab)))
          }
          """);

  private static final CheckedObjective TOKENS =
      objective(
          """
          objective Clipped(eps: Real = 0.2, beta: Real = 0.04) {
            policy   pi
            behavior old
            feature  a: token
            let ratio = pi(y.token) / old(y.token)
            let d = log(old(y.token)) - log(pi(y.token))
            minimize mean[sequence](mean[token](
                -min(ratio * a, clamp(ratio, 1 - eps, 1 + eps) * a) + beta * (exp(d) - d - 1)))
          }
          """);

  private static CheckedObjective objective(String text) {
    return Compiler.compile(new SourceFile("k.align", text), CompilerOptions.defaults())
        .objectives()
        .getFirst();
  }

  private static float[] gaussians(int count, double scale, Random random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (scale * random.nextGaussian());
    }
    return numbers;
  }

  private static Batch.Builder logits(int rows, int tokens, int vocabulary, Random random) {
    int count = rows * tokens;
    int[] offsets = new int[rows + 1];
    for (int i = 1; i <= rows; i++) {
      offsets[i] = i * tokens;
    }
    return Batch.builder(rows)
        .sequence("y", offsets)
        .tokens("y", random.ints(count, 0, vocabulary).toArray())
        .vocabulary(vocabulary)
        .column("feature.a", gaussians(count, 1, random));
  }

  private static Batch tokens(int rows, int tokens, Random random) {
    int[] offsets = new int[rows + 1];
    for (int i = 1; i <= rows; i++) {
      offsets[i] = offsets[i - 1] + 1 + random.nextInt(tokens);
    }
    float[] old = gaussians(offsets[rows], 1, random);
    float[] now = gaussians(offsets[rows], 0.1, random);
    for (int t = 0; t < old.length; t++) {
      old[t] = -Math.abs(old[t]) - 0.5f;
      now[t] += old[t];
    }
    return Batch.builder(rows)
        .sequence("y", offsets)
        .column("feature.a", gaussians(offsets[rows], 1, random))
        .column("logp", now)
        .column("old.logp", old)
        .build();
  }

  /** The back ends that have loops of their own for data in single precision. */
  static List<BackEnd> backEnds() {
    return List.of(BackEnds.VECTOR, BackEnds.JVM);
  }

  private static double[] parameters(CheckedObjective objective) {
    return objective.signature().parameters().stream().mapToDouble(p -> p.defaultValue()).toArray();
  }

  private static Evaluation evaluate(
      ObjectiveKernel kernel, CheckedObjective objective, Batch batch, Workers workers) {
    Evaluation result = new Evaluation(objective.signature(), batch);
    kernel.evaluate(batch, parameters(objective), new double[0], result, workers);
    return result;
  }

  @ParameterizedTest
  @MethodSource("backEnds")
  void hasTheSameBitsForAnyNumberOfThreads(BackEnd backEnd) {
    Random random = new Random(1);
    Batch large =
        logits(9, 3, 2999, random)
            .column("logits", gaussians(27 * 2999, 2, random))
            .column("ref.logits", gaussians(27 * 2999, 2, random))
            .build();
    Batch many = tokens(64, 4000, random);
    for (int threads : List.of(2, 3, 8)) {
      try (WorkerPool pool = new WorkerPool(threads)) {
        same(backEnd, LOGITS, "logits", large, pool);
        same(backEnd, TOKENS, "logp", many, pool);
      }
    }
  }

  private static void same(
      BackEnd backEnd, CheckedObjective objective, String input, Batch batch, Workers pool) {
    ObjectiveKernel kernel = backEnd.kernel(objective);
    Evaluation one = evaluate(kernel, objective, batch, Workers.serial());
    Evaluation several = evaluate(kernel, objective, batch, pool);
    assertThat(several.loss()).isEqualTo(one.loss());
    assertThat(several.floatGradient(input)).isEqualTo(one.floatGradient(input));
  }

  /** Interpreted and compiled code, and all that lies between, add up in the same order. */
  @ParameterizedTest
  @MethodSource("backEnds")
  void hasTheSameBitsBeforeAndAfterItIsCompiled(BackEnd backEnd) {
    Random random = new Random(9);
    Batch batch =
        logits(3, 2, 2999, random)
            .column("logits", gaussians(6 * 2999, 2, random))
            .column("ref.logits", gaussians(6 * 2999, 2, random))
            .build();
    ObjectiveKernel kernel = backEnd.kernel(LOGITS);
    Evaluation first = evaluate(kernel, LOGITS, batch, Workers.serial());
    for (int call = 0; call < 300; call++) {
      Evaluation later = evaluate(kernel, LOGITS, batch, Workers.serial());
      assertThat(later.loss()).isEqualTo(first.loss());
      assertThat(later.floatGradient("logits")).isEqualTo(first.floatGradient("logits"));
    }
  }

  @ParameterizedTest
  @MethodSource("backEnds")
  void memoryOutsideTheHeapReadsAsArraysDo(BackEnd backEnd) {
    Random random = new Random(2);
    float[] policy = gaussians(6 * 53, 2, random);
    float[] reference = gaussians(6 * 53, 2, random);
    ObjectiveKernel kernel = backEnd.kernel(LOGITS);
    Batch arrays =
        logits(2, 3, 53, new Random(3))
            .column("logits", policy)
            .column("ref.logits", reference)
            .build();
    Evaluation expected = evaluate(kernel, LOGITS, arrays, Workers.serial());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment outside = arena.allocate(4L * reference.length);
      outside.copyFrom(MemorySegment.ofArray(reference));
      Batch mixed =
          logits(2, 3, 53, new Random(3))
              .column("logits", policy)
              .column("ref.logits", outside, Column.Type.F32)
              .build();
      Evaluation actual = evaluate(kernel, LOGITS, mixed, Workers.serial());
      assertThat(actual.loss()).isEqualTo(expected.loss());
      assertThat(actual.floatGradient("logits")).isEqualTo(expected.floatGradient("logits"));
    }
  }

  /** The largest logit stands far behind the numbers that the shift is guessed from. */
  @ParameterizedTest
  @MethodSource("backEnds")
  void aWrongGuessOfTheLargestLogitIsMended(BackEnd backEnd) {
    Random random = new Random(4);
    int vocabulary = 5000;
    for (float step : new float[] {90, 300, 1e4f, -90, -300}) {
      float[] policy = gaussians(2 * vocabulary, 1, random);
      float[] reference = gaussians(2 * vocabulary, 1, random);
      for (int v = 1000; v < vocabulary; v++) {
        policy[v] += step;
        reference[vocabulary + v] += step;
      }
      Batch batch =
          logits(1, 2, vocabulary, random)
              .column("logits", policy)
              .column("ref.logits", reference)
              .build();
      Evaluation right =
          evaluate(BackEnds.REFERENCE.kernel(LOGITS), LOGITS, batch, Workers.serial());
      Evaluation found = evaluate(backEnd.kernel(LOGITS), LOGITS, batch, Workers.serial());
      double tolerance = 2e-6 * Math.max(1, Math.abs(right.loss()));
      assertThat(Math.abs(found.loss() - right.loss())).as("%s", step).isLessThan(tolerance);
      double[] gradient = right.gradient("logits");
      for (int i = 0; i < gradient.length; i++) {
        assertThat(Math.abs(found.floatGradient("logits")[i] - gradient[i]))
            .as("%s at %d", step, i)
            .isLessThan(5e-6);
      }
    }
  }

  /** Masked logits, also where all numbers are masked that the shift is guessed from. */
  @ParameterizedTest
  @MethodSource("backEnds")
  void impossibleTokensWeighNothing(BackEnd backEnd) {
    int vocabulary = 3001;
    ObjectiveKernel kernel = backEnd.kernel(LOGITS);
    ObjectiveKernel reference = BackEnds.REFERENCE.kernel(LOGITS);
    for (String masked :
        List.of("some", "most", "first", "last", "all but one", "under the policy")) {
      Random random = new Random(10);
      float[] policy = gaussians(3 * vocabulary, 3, random);
      float[] base = gaussians(3 * vocabulary, 3, random);
      Batch.Builder builder = logits(1, 3, vocabulary, random);
      int[] taken = builder.column("logits", policy).column("ref.logits", base).build().tokens("y");
      for (int e = 0; e < policy.length; e++) {
        int v = e % vocabulary;
        boolean impossible =
            switch (masked) {
              case "some", "under the policy" -> random.nextDouble() < 0.3;
              case "most" -> random.nextDouble() < 0.99;
              case "first" -> v < 2000;
              case "last" -> v >= 40;
              default -> true;
            };
        if (impossible && v != taken[e / vocabulary]) {
          policy[e] = Float.NEGATIVE_INFINITY;
          base[e] = masked.equals("under the policy") ? base[e] : Float.NEGATIVE_INFINITY;
        }
      }
      Batch batch = builder.column("logits", policy).column("ref.logits", base).build();
      Evaluation right = evaluate(reference, LOGITS, batch, Workers.serial());
      Evaluation found = evaluate(kernel, LOGITS, batch, Workers.serial());
      assertThat(right.loss()).as(masked).isFinite();
      assertThat(Math.abs(found.loss() - right.loss())).as(masked).isLessThan(2e-6);
      double[] gradient = right.gradient("logits");
      for (int i = 0; i < gradient.length; i++) {
        assertThat(Math.abs(found.floatGradient("logits")[i] - gradient[i]))
            .as("%s at %d", masked, i)
            .isLessThan(5e-6);
      }
    }
  }

  /** Its log-odds and their slope are finite, though single precision cannot tell it from 1. */
  @ParameterizedTest
  @MethodSource("backEnds")
  void anAllButCertainTokenHasFiniteOdds(BackEnd backEnd) {
    CheckedObjective odds =
        objective(
            """
            objective Odds {
              policy pi
              let p = log(pi(y.token))
              minimize mean[token, sequence](
                  -log_sigmoid(p - log1mexp(p)) - 0.01 * entropy(pi(y.vocab)))
            }
            """);
    int vocabulary = 61;
    for (float lead : new float[] {15, 19, 25, 30}) {
      float[] policy = gaussians(8 * vocabulary, 0.5, new Random(11));
      Batch.Builder builder =
          Batch.builder(1).sequence("y", new int[] {0, 8}).vocabulary(vocabulary);
      int[] taken = new int[8];
      for (int t = 0; t < taken.length; t++) {
        taken[t] = 7 * t;
        policy[t * vocabulary + taken[t]] = lead;
      }
      Batch batch = builder.tokens("y", taken).column("logits", policy).build();
      Evaluation right = evaluate(BackEnds.REFERENCE.kernel(odds), odds, batch, Workers.serial());
      Evaluation found = evaluate(backEnd.kernel(odds), odds, batch, Workers.serial());
      assertThat(Math.abs(found.loss() - right.loss())).as("%s", lead).isLessThan(2e-6);
      double[] gradient = right.gradient("logits");
      for (int i = 0; i < gradient.length; i++) {
        assertThat(Math.abs(found.floatGradient("logits")[i] - gradient[i]))
            .as("%s at %d", lead, i)
            .isLessThan(5e-6);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("backEnds")
  void notANumberComesOut(BackEnd backEnd) {
    float[] policy = gaussians(53, 1, new Random(5));
    // What x86 makes of infinity minus infinity: its sign bit is set.
    policy[40] = Float.intBitsToFloat(0xffc00000);
    Batch batch =
        logits(1, 1, 53, new Random(6))
            .column("logits", policy)
            .column("ref.logits", gaussians(53, 1, new Random(7)))
            .build();
    Evaluation found = evaluate(backEnd.kernel(LOGITS), LOGITS, batch, Workers.serial());
    assertThat(found.loss()).isNaN();
  }

  @ParameterizedTest
  @MethodSource("backEnds")
  void allocatesNothingOnceCompiled(BackEnd backEnd) {
    Random random = new Random(8);
    Batch large =
        logits(4, 2, 2999, random)
            .column("logits", gaussians(8 * 2999, 2, random))
            .column("ref.logits", gaussians(8 * 2999, 2, random))
            .build();
    allocatesNothing(backEnd, LOGITS, large);
    allocatesNothing(backEnd, TOKENS, tokens(16, 2000, random));
  }

  /**
   * Vectors are objects until the JIT compiler has seen the loops; then none is left. What may
   * remain, by the JIT's luck, are a few masks of 32 bytes at the very end of an array, where the
   * JDK checks a masked access lane by lane ({@code AbstractMask.checkIndexByLane}).
   */
  private static void allocatesNothing(BackEnd backEnd, CheckedObjective objective, Batch batch) {
    ObjectiveKernel kernel = backEnd.kernel(objective);
    Evaluation result = new Evaluation(objective.signature(), batch);
    double[] parameters = parameters(objective);
    double[] multipliers = new double[0];
    Workers workers = Workers.serial();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long began = System.nanoTime();
    long least = Long.MAX_VALUE;
    while (least > 20 * AT_ENDS && System.nanoTime() - began < Duration.ofSeconds(60).toNanos()) {
      long before = threads.getCurrentThreadAllocatedBytes();
      for (int call = 0; call < 20; call++) {
        kernel.evaluate(batch, parameters, multipliers, result, workers);
      }
      least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
    }
    assertThat(least).as(objective.name()).isLessThanOrEqualTo(20 * AT_ENDS);
  }

  @Test
  void sourcesPassNoVectorToAnotherMethod() {
    for (CheckedObjective objective : List.of(LOGITS, TOKENS)) {
      String source = VectorBackEnd.source(objective, "").toString();
      assertThat(source)
          .doesNotContain("reduceLanes(VectorOperators.ADD)")
          .doesNotContainPattern("(static|private) (Float|Int)Vector ")
          .doesNotContainPattern("\\((Float|Int)Vector [a-z]");
    }
  }
}
