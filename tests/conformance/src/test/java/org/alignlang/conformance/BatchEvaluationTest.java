package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.batch.BatchContract;
import org.alignlang.runtime.batch.BatchEvaluation;
import org.alignlang.runtime.batch.ElementType;
import org.alignlang.runtime.batch.Tensor;
import org.alignlang.runtime.batch.TensorFile;
import org.alignlang.runtime.train.WorkerPool;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Objectives on batches from files, against plain loops over the padded tensors that follow the
 * papers' formulas. Masks are ragged and have holes; what lies behind them is NaN.
 */
class BatchEvaluationTest {
  @TempDir private Path folder;

  /** Every back end on a file of doubles and on one of floats. */
  static Stream<Arguments> ways() {
    return BackEnds.all().stream()
        .flatMap(backEnd ->
            Stream.of(
                Arguments.of(backEnd, ElementType.F64, ".npz", 1e-12),
                Arguments.of(backEnd, ElementType.F32, ".safetensors", 1e-6)));
  }

  private static Compilation compile(String path, String text) {
    Compilation compilation =
        Compiler.compile(new SourceFile(path, text), CompilerOptions.defaults());
    assertThat(compilation.hasErrors()).as("%s", compilation.diagnostics()).isFalse();
    return compilation;
  }

  private BatchEvaluation evaluate(
      BackEnd backEnd,
      Compilation compilation,
      String name,
      String ending,
      Map<String, Tensor> tensors) {
    Path path = folder.resolve("batch" + ending);
    TensorFile.write(path, tensors);
    TensorFile file = TensorFile.read(path);
    CheckedObjective objective = compilation.objective(name).orElseThrow();
    Set<String> logits =
        BatchContract.actorsWithLogits(objective.signature(), file.tensors().keySet());
    if (!logits.isEmpty()) {
      Declaration.ObjectiveDeclaration declaration = objective.declaration();
      objective =
          Compiler.check(
                  declaration,
                  compilation.scope(),
                  Map.of(),
                  logits,
                  CompilerOptions.defaults(),
                  new DiagnosticSink())
              .orElseThrow();
    }
    double[] parameters =
        objective.signature().parameters().stream()
            .mapToDouble(Signature.Parameter::defaultValue)
            .toArray();
    try (WorkerPool workers = new WorkerPool(2)) {
      return BatchEvaluation.of(backEnd.kernel(objective), parameters, file, workers);
    }
  }

  /** Random numbers on the padded positions of some rows, NaN where the mask has a hole. */
  private static final class Padded {
    private final Random random;
    private final ElementType type;
    private final int rows;

    Padded(int seed, ElementType type, int rows) {
      this.random = new Random(seed);
      this.type = type;
      this.rows = rows;
    }

    boolean[][] mask(int width) {
      boolean[][] mask = new boolean[rows][width];
      for (boolean[] row : mask) {
        for (int t = 0; t < width; t++) {
          row[t] = random.nextInt(3) > 0;
        }
        row[random.nextInt(width)] = true;
      }
      return mask;
    }

    /** Log-probabilities, each the number that the file's type can hold. */
    double[][] logProbabilities(boolean[][] mask) {
      double[][] values = new double[rows][mask[0].length];
      for (int n = 0; n < rows; n++) {
        for (int t = 0; t < mask[n].length; t++) {
          values[n][t] = mask[n][t] ? round(-random.nextDouble(3)) : Double.NaN;
        }
      }
      return values;
    }

    double[] column() {
      double[] values = new double[rows];
      java.util.Arrays.setAll(values, n -> round(random.nextGaussian()));
      return values;
    }

    double round(double value) {
      return Tensor.of(type, List.of(), value).real(0);
    }

    Tensor tensor(double[] values) {
      return Tensor.of(type, List.of(values.length), values);
    }

    Tensor tensor(double[][] values) {
      double[] flat = Stream.of(values).flatMapToDouble(java.util.Arrays::stream).toArray();
      return Tensor.of(type, List.of(values.length, values[0].length), flat);
    }

    static Tensor tensor(boolean[][] mask) {
      Tensor tensor = Tensor.zeros(ElementType.BOOL, List.of(mask.length, mask[0].length));
      for (int n = 0; n < mask.length; n++) {
        for (int t = 0; t < mask[n].length; t++) {
          tensor
              .data()
              .set(
                  java.lang.foreign.ValueLayout.JAVA_BYTE,
                  (long) n * mask[n].length + t,
                  (byte) (mask[n][t] ? 1 : 0));
        }
      }
      return tensor;
    }
  }

  private static double sum(double[] row, boolean[] mask) {
    double sum = 0;
    for (int t = 0; t < row.length; t++) {
      sum += mask[t] ? row[t] : 0;
    }
    return sum;
  }

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static void assertClose(
      BatchEvaluation evaluation,
      String name,
      double[][] expected,
      ElementType type,
      double error) {
    Tensor gradient = evaluation.gradients().get(name);
    assertThat(gradient).as(name).isNotNull();
    assertThat(gradient.type()).isEqualTo(type);
    int width = expected[0].length;
    assertThat(gradient.shape()).containsExactly(expected.length, width);
    for (int n = 0; n < expected.length; n++) {
      for (int t = 0; t < width; t++) {
        assertThat(gradient.real((long) n * width + t))
            .as("%s[%d, %d]", name, n, t)
            .isCloseTo(expected[n][t], within(error));
      }
    }
  }

  /** Rafailov et al. 2023, equation 7 and the gradient below it. */
  @ParameterizedTest
  @MethodSource("ways")
  void dpo(BackEnd backEnd, ElementType type, String ending, double error) {
    Padded data = new Padded(1, type, 7);
    double beta = 0.1;
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    Map<String, double[][]> logp = new HashMap<>();
    Map<String, boolean[][]> masks = new HashMap<>();
    double[] margin = new double[7];
    for (String side : List.of("chosen", "rejected")) {
      boolean[][] mask = data.mask(side.equals("chosen") ? 4 : 6);
      double[][] pi = data.logProbabilities(mask);
      double[][] ref = data.logProbabilities(mask);
      tensors.put(side + ".logp", data.tensor(pi));
      tensors.put(side + ".ref.logp", data.tensor(ref));
      tensors.put(side + ".mask", Padded.tensor(mask));
      logp.put(side, pi);
      masks.put(side, mask);
      for (int n = 0; n < 7; n++) {
        double ratio = sum(pi[n], mask[n]) - sum(ref[n], mask[n]);
        margin[n] += (side.equals("chosen") ? 1 : -1) * beta * ratio;
      }
    }
    double loss = 0;
    double accuracy = 0;
    for (double m : margin) {
      loss -= Math.log(sigmoid(m)) / 7;
      accuracy += m > 0 ? 1.0 / 7 : 0;
    }
    BatchEvaluation evaluation =
        evaluate(
            backEnd,
            compile("dpo.align", StandardLibrary.source("losses/dpo.align").orElseThrow()),
            "Dpo",
            ending,
            tensors);
    assertThat(evaluation.loss()).isCloseTo(loss, within(error));
    assertThat(evaluation.metrics().get("accuracy")).isCloseTo(accuracy, within(error));
    logp.forEach((side, values) -> {
      double[][] gradient = new double[7][values[0].length];
      boolean[][] mask = masks.getOrDefault(side, new boolean[0][]);
      for (int n = 0; n < 7; n++) {
        double slope = -beta * sigmoid(-margin[n]) / 7 * (side.equals("chosen") ? 1 : -1);
        for (int t = 0; t < gradient[n].length; t++) {
          gradient[n][t] = mask[n][t] ? slope : 0;
        }
      }
      assertClose(evaluation, "grad." + side + ".logp", gradient, type, error);
    });
  }

  /**
   * The quickstart: leave-one-out advantages (Ahmadian et al. 2024, equation 7) of the return
   * `helpful - beta log(pi / ref) - lambda harm`; a group of one has none.
   */
  @ParameterizedTest
  @MethodSource("ways")
  void quickstart(BackEnd backEnd, ElementType type, String ending, double error)
      throws IOException {
    int rows = 8;
    int[] group = {3, 5, 3, 9, 5, 3, 5, 5};
    double beta = 0.05;
    Padded data = new Padded(2, type, rows);
    double lambda = data.round(0.4);
    boolean[][] mask = data.mask(5);
    double[][] pi = data.logProbabilities(mask);
    double[][] ref = data.logProbabilities(mask);
    double[] helpful = data.column();
    double[] harm = data.column();
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("logp", data.tensor(pi));
    tensors.put("ref.logp", data.tensor(ref));
    tensors.put("mask", Padded.tensor(mask));
    tensors.put("reward.helpful", data.tensor(helpful));
    tensors.put("reward.harm", data.tensor(harm));
    long[] ids = java.util.Arrays.stream(group).asLongStream().toArray();
    tensors.put("group", Tensor.ofIntegers(ElementType.I32, List.of(rows), ids));
    tensors.put("multiplier.lambda", Tensor.of(type, List.of(), lambda));

    double[] returns = new double[rows];
    double kl = 0;
    for (int n = 0; n < rows; n++) {
      double ratio = sum(pi[n], mask[n]) - sum(ref[n], mask[n]);
      returns[n] = helpful[n] - beta * ratio - lambda * harm[n];
      kl += ratio / rows;
    }
    double[][] gradient = new double[rows][5];
    double surrogate = 0;
    for (int n = 0; n < rows; n++) {
      double others = 0;
      int count = 0;
      for (int m = 0; m < rows; m++) {
        if (m != n && group[m] == group[n]) {
          others += returns[m];
          count++;
        }
      }
      double advantage = count == 0 ? 0 : returns[n] - others / count;
      surrogate += advantage * sum(pi[n], mask[n]) / rows;
      for (int t = 0; t < 5; t++) {
        gradient[n][t] = mask[n][t] ? -advantage / rows : 0;
      }
    }
    double meanHarm = java.util.Arrays.stream(harm).average().orElseThrow();

    BatchEvaluation evaluation =
        evaluate(
            backEnd,
            compile(
                "safe-helpful.align",
                Files.readString(Path.of("../../samples/quickstart/safe-helpful.align"))),
            "SafeHelpful",
            ending,
            tensors);
    assertThat(evaluation.loss()).isCloseTo(-surrogate, within(error));
    assertClose(evaluation, "grad.logp", gradient, type, error);
    assertThat(evaluation.metrics().get("harm")).isCloseTo(meanHarm, within(error));
    assertThat(evaluation.metrics().get("kl")).isCloseTo(kl, within(error));
    assertThat(evaluation.multipliers().get("multiplier.lambda").real(0))
        .isCloseTo(Math.max(0, lambda + 0.05 * (meanHarm - 0.1)), within(error));
  }

  /** REINFORCE with a reward per token (Williams 1992). */
  @ParameterizedTest
  @MethodSource("ways")
  void tokenRewards(BackEnd backEnd, ElementType type, String ending, double error) {
    Padded data = new Padded(3, type, 5);
    boolean[][] mask = data.mask(6);
    double[][] pi = data.logProbabilities(mask);
    double[][] step = data.logProbabilities(mask);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("logp", data.tensor(pi));
    tensors.put("reward.step", data.tensor(step));
    tensors.put("mask", Padded.tensor(mask));
    double loss = 0;
    double[][] gradient = new double[5][6];
    for (int n = 0; n < 5; n++) {
      for (int t = 0; t < 6; t++) {
        loss -= mask[n][t] ? step[n][t] * pi[n][t] / 5 : 0;
        gradient[n][t] = mask[n][t] ? -step[n][t] / 5 : 0;
      }
    }
    Compilation spec =
        compile(
            "step.align",
            """
            objective Step {
              policy pi
              reward step: token
              minimize -mean[sequence](sum[token](step * log(pi(y.token))))
            }
            """);
    BatchEvaluation evaluation = evaluate(backEnd, spec, "Step", ending, tensors);
    assertThat(evaluation.loss()).isCloseTo(loss, within(error));
    assertClose(evaluation, "grad.logp", gradient, type, error);
  }

  private static final String DISTILL =
      """
      objective Distill(alpha: Real = 0.3) {
        policy  pi
        teacher t
        minimize mean[token, sequence](-log(pi(y.token)))
          + alpha * mean[token, sequence](sum[vocab](pi(y.vocab) * log(pi(y.vocab) / t(y.vocab))))
      }
      """;

  /**
   * Cross-entropy plus the reverse divergence from a teacher over the whole vocabulary (Gu et al.
   * 2024, MiniLLM, equation 1, per state): with `p = softmax(z)` the gradient at a state is `p -
   * onehot(taken) + alpha p (log(p / q) - KL)`. Some tokens have the logit -infinity in both.
   */
  @ParameterizedTest
  @MethodSource("ways")
  void wholeVocabulary(BackEnd backEnd, ElementType type, String ending, double error) {
    int rows = 4;
    int width = 3;
    int vocabulary = 5;
    double alpha = 0.3;
    Padded data = new Padded(4, type, rows);
    boolean[][] mask = data.mask(width);
    int positions = 0;
    for (boolean[] row : mask) {
      for (boolean exists : row) {
        positions += exists ? 1 : 0;
      }
    }
    double[] policy = new double[rows * width * vocabulary];
    double[] teacher = new double[rows * width * vocabulary];
    long[] tokens = new long[rows * width];
    double[] gradient = new double[rows * width * vocabulary];
    double loss = 0;
    Random random = new Random(9);
    for (int place = 0; place < rows * width; place++) {
      boolean exists = mask[place / width][place % width];
      tokens[place] = exists ? random.nextInt(1, vocabulary) : -1;
      double[] p = new double[vocabulary];
      double[] q = new double[vocabulary];
      double pSum = 0;
      double qSum = 0;
      for (int v = 0; v < vocabulary; v++) {
        boolean excluded = v == 0 && place % 2 == 0;
        double z = excluded ? Double.NEGATIVE_INFINITY : data.round(2 * random.nextGaussian());
        double w = excluded ? Double.NEGATIVE_INFINITY : data.round(2 * random.nextGaussian());
        policy[place * vocabulary + v] = exists ? z : Double.NaN;
        teacher[place * vocabulary + v] = exists ? w : Double.NaN;
        p[v] = Math.exp(z);
        q[v] = Math.exp(w);
        pSum += p[v];
        qSum += q[v];
      }
      double kl = 0;
      for (int v = 0; v < vocabulary; v++) {
        p[v] /= pSum;
        q[v] /= qSum;
        kl += p[v] == 0 ? 0 : p[v] * Math.log(p[v] / q[v]);
      }
      if (!exists) {
        continue;
      }
      loss += (alpha * kl - Math.log(p[(int) tokens[place]])) / positions;
      for (int v = 0; v < vocabulary; v++) {
        double divergence = p[v] == 0 ? 0 : p[v] * (Math.log(p[v] / q[v]) - kl);
        double entropy = p[v] - (v == tokens[place] ? 1 : 0);
        gradient[place * vocabulary + v] = (entropy + alpha * divergence) / positions;
      }
    }
    List<Integer> shape = List.of(rows, width, vocabulary);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("logits", Tensor.of(type, shape, policy));
    tensors.put("t.logits", Tensor.of(type, shape, teacher));
    tensors.put("tokens", Tensor.ofIntegers(ElementType.I64, List.of(rows, width), tokens));
    tensors.put("mask", Padded.tensor(mask));
    BatchEvaluation evaluation =
        evaluate(backEnd, compile("distill.align", DISTILL), "Distill", ending, tensors);
    assertThat(evaluation.loss()).isCloseTo(loss, within(error));
    Tensor found = evaluation.gradients().get("grad.logits");
    assertThat(found.shape()).isEqualTo(shape);
    for (int i = 0; i < gradient.length; i++) {
      assertThat(found.real(i)).as("entry %d", i).isCloseTo(gradient[i], within(error));
    }
  }

  /** With logits in place of log-probabilities, the same loss, and its gradient by the softmax. */
  @ParameterizedTest
  @MethodSource("ways")
  void logitsInPlaceOfLogProbabilities(
      BackEnd backEnd, ElementType type, String ending, double error) {
    Padded data = new Padded(5, type, 3);
    int vocabulary = 4;
    Compilation spec =
        compile("dpo.align", StandardLibrary.source("losses/dpo.align").orElseThrow());
    Map<String, Tensor> logits = new LinkedHashMap<>();
    Map<String, Tensor> logp = new LinkedHashMap<>();
    Map<String, double[]> softmax = new HashMap<>();
    Random random = new Random(6);
    for (String side : List.of("chosen", "rejected")) {
      boolean[][] mask = data.mask(4);
      Tensor maskTensor = Padded.tensor(mask);
      Tensor reference = data.tensor(data.logProbabilities(mask));
      double[] z = new double[3 * 4 * vocabulary];
      double[] p = new double[z.length];
      double[][] taken = new double[3][4];
      long[] tokens = new long[3 * 4];
      for (int place = 0; place < 12; place++) {
        tokens[place] = random.nextInt(vocabulary);
        double total = 0;
        for (int v = 0; v < vocabulary; v++) {
          z[place * vocabulary + v] = data.round(random.nextGaussian());
          total += Math.exp(z[place * vocabulary + v]);
        }
        for (int v = 0; v < vocabulary; v++) {
          p[place * vocabulary + v] = Math.exp(z[place * vocabulary + v]) / total;
        }
        taken[place / 4][place % 4] = Math.log(p[place * vocabulary + (int) tokens[place]]);
      }
      softmax.put(side, p);
      logits.put(side + ".logits", Tensor.of(type, List.of(3, 4, vocabulary), z));
      logits.put(side + ".tokens", Tensor.ofIntegers(ElementType.I32, List.of(3, 4), tokens));
      double[] flat = Stream.of(taken).flatMapToDouble(java.util.Arrays::stream).toArray();
      logp.put(side + ".logp", Tensor.of(ElementType.F64, List.of(3, 4), flat));
      for (Map<String, Tensor> tensors : List.of(logits, logp)) {
        tensors.put(side + ".ref.logp", reference);
        tensors.put(side + ".mask", maskTensor);
      }
    }
    BatchEvaluation byLogits = evaluate(backEnd, spec, "Dpo", ending, logits);
    BatchEvaluation byLogp = evaluate(backEnd, spec, "Dpo", ending, logp);
    assertThat(byLogits.loss()).isCloseTo(byLogp.loss(), within(error));
    softmax.forEach((side, p) -> {
      Tensor outer = byLogp.gradients().get("grad." + side + ".logp");
      Tensor inner = byLogits.gradients().get("grad." + side + ".logits");
      Tensor tokens = logits.get(side + ".tokens");
      for (int i = 0; i < p.length; i++) {
        boolean taken = tokens.integer(i / vocabulary) == i % vocabulary;
        double expected = outer.real(i / vocabulary) * ((taken ? 1 : 0) - p[i]);
        assertThat(inner.real(i)).as("%s %d", side, i).isCloseTo(expected, within(error));
      }
    });
  }
}
