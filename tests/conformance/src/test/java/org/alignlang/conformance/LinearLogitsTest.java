package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.batch.BatchEvaluation;
import org.alignlang.runtime.batch.ElementType;
import org.alignlang.runtime.batch.Tensor;
import org.alignlang.runtime.batch.TensorFile;
import org.alignlang.runtime.linear.Head;
import org.alignlang.runtime.linear.LinearLogits;
import org.alignlang.runtime.train.WorkerPool;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Losses of hidden states say what the same losses of all logits say. */
class LinearLogitsTest {
  private static final int ROWS = 5;
  private static final int VOCABULARY = 85;
  private static final int WIDTH = 72;

  private static final CheckedObjective POLICY =
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

  /** Its gradient waits for all rows, so that logits are made twice. */
  private static final CheckedObjective COUPLED =
      objective(
          """
          objective Coupled {
            policy pi
            let s = mean[sequence](mean[token](entropy(pi(y.vocab))))
            minimize s^2 - mean[token, sequence](log(pi(y.token)))
          }
          """);

  private static final CheckedObjective PAIRS =
      objective(
          """
          objective Pairs(beta: Real = 0.3) {
            policy    pi
            pairs     chosen > rejected
            minimize mean[pair](-log_sigmoid(beta * (
                sum[token](log(pi(chosen.token))) - sum[token](log(pi(rejected.token)))
                - sum[token](entropy(pi(rejected.vocab))))))
          }
          """);

  private static CheckedObjective objective(String text) {
    var compilation = Compiler.compile("linear.align", text);
    assertThat(compilation.diagnostics()).noneMatch(d -> d.isError());
    return compilation.objectives().getFirst();
  }

  private final Random random = new Random(3);
  private final float[] weights = gaussians(VOCABULARY * WIDTH, 0.3);
  private final float[] reference = gaussians(VOCABULARY * WIDTH, 0.3);
  private final Map<String, int[]> offsets = new TreeMap<>();
  private final Map<String, int[]> taken = new TreeMap<>();
  private final Map<String, float[]> hidden = new TreeMap<>();
  private final Map<String, float[]> columns = new TreeMap<>();

  private float[] gaussians(int count, double scale) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (scale * random.nextGaussian());
    }
    return numbers;
  }

  private void data(CheckedObjective objective) {
    for (String sequence : objective.signature().sequences()) {
      int[] bounds = new int[ROWS + 1];
      for (int i = 1; i <= ROWS; i++) {
        bounds[i] = bounds[i - 1] + 3 + random.nextInt(9);
      }
      offsets.put(sequence, bounds);
      taken.put(sequence, random.ints(bounds[ROWS], 0, VOCABULARY).toArray());
      hidden.put(sequence, gaussians(bounds[ROWS] * WIDTH, 1));
      columns.put(sequence, gaussians(bounds[ROWS], 1));
    }
  }

  private Batch.Builder batch(CheckedObjective objective) {
    Batch.Builder builder = Batch.builder(ROWS).vocabulary(VOCABULARY);
    for (String sequence : objective.signature().sequences()) {
      builder.sequence(sequence, offsets.get(sequence)).tokens(sequence, taken.get(sequence));
    }
    return builder.column("feature.a", columns.values().iterator().next());
  }

  private static String prefix(String sequence) {
    return sequence.equals("y") ? "" : sequence + ".";
  }

  /** Loss, gradient of the head, and of the hidden states by sequence. */
  private record Outcome(double loss, float[] head, Map<String, float[]> hidden) {}

  private Outcome fused(CheckedObjective objective, int chunk, Workers workers) {
    Head head = new Head(weights, VOCABULARY, WIDTH, true);
    Head other = new Head(reference, VOCABULARY, WIDTH, false);
    Map<String, LinearLogits> logits = new TreeMap<>();
    Batch.Builder builder = batch(objective);
    hidden.forEach((sequence, states) -> {
      LinearLogits made = new LinearLogits(states, head, true, chunk, workers);
      logits.put(sequence, made);
      builder.column(prefix(sequence) + "logits", made.column());
      builder.column(
          prefix(sequence) + "ref.logits",
          new LinearLogits(states, other, false, chunk, workers).column());
    });
    Batch batch = builder.build();
    Evaluation result = new Evaluation(objective.signature(), batch);
    BackEnds.VECTOR
        .kernel(objective)
        .evaluate(batch, parameters(objective), new double[0], result, workers);
    logits.values().forEach(LinearLogits::finish);
    Map<String, float[]> gradients = new TreeMap<>();
    logits.forEach((sequence, made) -> gradients.put(sequence, made.hiddenGradient()));
    return new Outcome(result.loss(), head.gradient(), gradients);
  }

  private static double[] parameters(CheckedObjective objective) {
    return objective.signature().parameters().stream().mapToDouble(p -> p.defaultValue()).toArray();
  }

  /** All logits in memory, products in double precision. */
  private Outcome whole(CheckedObjective objective) {
    Batch.Builder builder = batch(objective);
    hidden.forEach((sequence, states) ->
        builder
            .column(prefix(sequence) + "logits", product(states, weights))
            .column(prefix(sequence) + "ref.logits", product(states, reference)));
    Batch batch = builder.build();
    Evaluation result = new Evaluation(objective.signature(), batch);
    BackEnds.REFERENCE
        .kernel(objective)
        .evaluate(batch, parameters(objective), new double[0], result, Workers.serial());
    float[] head = new float[weights.length];
    Map<String, float[]> gradients = new TreeMap<>();
    hidden.forEach((sequence, states) -> {
      double[] g = result.gradient(prefix(sequence) + "logits");
      float[] back = new float[states.length];
      for (int t = 0; t < states.length / WIDTH; t++) {
        for (int h = 0; h < WIDTH; h++) {
          double sum = 0;
          for (int v = 0; v < VOCABULARY; v++) {
            sum += g[t * VOCABULARY + v] * weights[v * WIDTH + h];
            head[v * WIDTH + h] += (float) (g[t * VOCABULARY + v] * states[t * WIDTH + h]);
          }
          back[t * WIDTH + h] = (float) sum;
        }
      }
      gradients.put(sequence, back);
    });
    return new Outcome(result.loss(), head, gradients);
  }

  private static double[] product(float[] states, float[] weights) {
    int tokens = states.length / WIDTH;
    double[] logits = new double[tokens * VOCABULARY];
    for (int t = 0; t < tokens; t++) {
      for (int v = 0; v < VOCABULARY; v++) {
        for (int h = 0; h < WIDTH; h++) {
          logits[t * VOCABULARY + v] += (double) states[t * WIDTH + h] * weights[v * WIDTH + h];
        }
      }
    }
    return logits;
  }

  @Test
  void sayWhatAllLogitsSay() {
    for (CheckedObjective objective : List.of(POLICY, COUPLED, PAIRS)) {
      offsets.clear();
      hidden.clear();
      columns.clear();
      data(objective);
      Outcome wanted = whole(objective);
      Outcome found = fused(objective, 8, Workers.serial());
      assertThat(found.loss()).isCloseTo(wanted.loss(), within(2e-5));
      close(objective.name() + ", head", found.head(), wanted.head());
      wanted
          .hidden()
          .forEach((sequence, gradient) ->
              close(objective.name() + ", " + sequence, found.hidden().get(sequence), gradient));
    }
  }

  /** Equal to 5e-5 of the largest number. */
  private static void close(String what, float[] found, float[] wanted) {
    float largest = 0;
    for (float number : wanted) {
      largest = Math.max(largest, Math.abs(number));
    }
    assertThat(found).as(what).containsExactly(wanted, within(5e-5f * largest));
  }

  @Test
  void doNotDependOnChunksOrThreads() {
    for (CheckedObjective objective : List.of(COUPLED, PAIRS)) {
      offsets.clear();
      hidden.clear();
      columns.clear();
      data(objective);
      Outcome one = fused(objective, 1000, Workers.serial());
      try (WorkerPool pool = new WorkerPool(3)) {
        for (int chunk : List.of(1, 7, 32)) {
          Outcome other = fused(objective, chunk, pool);
          assertThat(other.loss()).isEqualTo(one.loss());
          if (objective == COUPLED) {
            assertThat(other.head()).isEqualTo(one.head());
          } else {
            // Both sequences add to one head, in an order that depends on their chunks.
            close("head", other.head(), one.head());
            assertThat(fused(objective, chunk, Workers.serial()).head()).isEqualTo(other.head());
          }
          one.hidden()
              .forEach((sequence, gradient) ->
                  assertThat(other.hidden().get(sequence)).as(sequence).isEqualTo(gradient));
        }
      }
    }
  }

  /** The contract of batches: `hidden` and `head` in place of `logits`, gradients of both. */
  @Test
  void comeInABatchFromAFile(@TempDir Path folder) throws IOException {
    Random numbers = new Random(5);
    int[] shape = {2, 3, 4};
    int vocabulary = 6;
    double[] states = numbers.doubles(24, -1, 1).toArray();
    double[] head = numbers.doubles(vocabulary * 4L, -1, 1).toArray();
    double[] logits = new double[6 * vocabulary];
    for (int t = 0; t < 6; t++) {
      for (int v = 0; v < vocabulary; v++) {
        for (int h = 0; h < 4; h++) {
          logits[t * vocabulary + v] += states[t * 4 + h] * head[v * 4 + h];
        }
      }
    }
    Map<String, Tensor> common =
        Map.of(
            "tokens",
            Tensor.ofIntegers(ElementType.I64, List.of(2, 3), 0, 5, 1, 2, 3, 4),
            "mask",
            Tensor.ofIntegers(ElementType.U8, List.of(2, 3), 1, 1, 1, 1, 0, 0));
    Map<String, Tensor> given = new TreeMap<>(common);
    given.put("hidden", Tensor.of(List.of(shape[0], shape[1], shape[2]), states));
    given.put("head", Tensor.of(List.of(vocabulary, 4), head));
    Map<String, Tensor> whole = new TreeMap<>(common);
    whole.put("logits", Tensor.of(List.of(2, 3, vocabulary), logits));
    TensorFile.write(folder.resolve("hidden.safetensors"), given);
    TensorFile.write(folder.resolve("logits.safetensors"), whole);
    ObjectiveKernel kernel = BackEnds.VECTOR.kernel(COUPLED);
    BatchEvaluation found =
        BatchEvaluation.of(
            kernel,
            new double[0],
            TensorFile.read(folder.resolve("hidden.safetensors")),
            Workers.serial());
    BatchEvaluation wanted =
        BatchEvaluation.of(
            kernel,
            new double[0],
            TensorFile.read(folder.resolve("logits.safetensors")),
            Workers.serial());
    assertThat(found.loss()).isCloseTo(wanted.loss(), within(1e-6));
    assertThat(found.gradients()).containsOnlyKeys("grad.hidden", "grad.head");
    Tensor g = wanted.gradients().get("grad.logits");
    Tensor back = found.gradients().get("grad.hidden");
    Tensor weights = found.gradients().get("grad.head");
    assertThat(back.shape()).isEqualTo(List.of(2, 3, 4));
    assertThat(weights.shape()).isEqualTo(List.of(vocabulary, 4));
    for (int h = 0; h < 4; h++) {
      for (int t = 0; t < 6; t++) {
        double sum = 0;
        for (int v = 0; v < vocabulary; v++) {
          sum += g.real(t * vocabulary + v) * head[v * 4 + h];
        }
        assertThat(back.real(t * 4 + h)).isCloseTo(sum, within(1e-6));
      }
      double sum = 0;
      for (int t = 0; t < 6; t++) {
        sum += g.real(t * vocabulary) * states[t * 4 + h];
      }
      assertThat(weights.real(h)).isCloseTo(sum, within(1e-6));
    }
  }

  @Test
  void saysWhoCannotGoOverThem() {
    data(COUPLED);
    Head head = new Head(weights, VOCABULARY, WIDTH, true);
    LinearLogits made = new LinearLogits(hidden.get("y"), head, true, 8, Workers.serial());
    Batch batch = batch(COUPLED).column("logits", made.column()).build();
    Evaluation result = new Evaluation(COUPLED.signature(), batch);
    assertThat(batch.data("logits").type()).isEqualTo(Column.Type.F32);
    assertThatThrownBy(() ->
            BackEnds.REFERENCE
                .kernel(COUPLED)
                .evaluate(batch, new double[0], new double[0], result, Workers.serial()))
        .isInstanceOf(EvaluationException.class)
        .hasMessageContaining("which only kernels of the back ends `vector` and `jvm` can do");
  }
}
