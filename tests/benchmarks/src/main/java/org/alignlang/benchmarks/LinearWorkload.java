package org.alignlang.benchmarks;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.linear.Head;
import org.alignlang.runtime.linear.LinearLogits;

/**
 * The last layer and the loss together: hidden states and head in, their gradients out; a policy
 * gradient with an entropy bonus.
 */
final class LinearWorkload {
  private static final double ALPHA = 0.01;

  private final int tokens;
  private final int width;
  private final int vocabulary;
  private final float[] hidden;
  private final float[] weights;
  private final float[] a;
  private final int[] taken;

  LinearWorkload(int tokens, int width, int vocabulary) {
    this.tokens = tokens;
    this.width = width;
    this.vocabulary = vocabulary;
    Random random = new Random(1);
    hidden = gaussians(tokens * width, 1, random);
    weights = gaussians(vocabulary * width, 2.5 / Math.sqrt(width), random);
    a = gaussians(tokens, 1, random);
    taken = random.ints(tokens, 0, vocabulary).toArray();
  }

  private static float[] gaussians(int count, double scale, Random random) {
    float[] numbers = new float[count];
    for (int i = 0; i < count; i++) {
      numbers[i] = (float) (scale * random.nextGaussian());
    }
    return numbers;
  }

  String size() {
    return "[%d, %d] x [%d, %d]".formatted(tokens, width, vocabulary, width);
  }

  long elements() {
    return (long) tokens * vocabulary;
  }

  /** Logits of 128 tokens at a time, in the generated kernel. */
  Contestant inChunks(Workers workers) {
    CheckedObjective objective =
        Compiler.compile(
                "linear.align",
                """
                objective Linear(alpha: Real = 0.01) {
                  policy  pi
                  feature a: token
                  minimize mean[token, sequence](
                      -a * log(pi(y.token)) - alpha * entropy(pi(y.vocab)))
                }
                """)
            .objectives()
            .getFirst();
    Head head = new Head(weights, vocabulary, width, true);
    LinearLogits logits = new LinearLogits(hidden, head, true, 128, workers);
    int[] offsets = new int[tokens + 1];
    Arrays.setAll(offsets, row -> row);
    Batch batch =
        Batch.builder(tokens)
            .sequence("y", offsets)
            .tokens("y", taken)
            .vocabulary(vocabulary)
            .column("feature.a", a)
            .column("logits", logits.column())
            .build();
    ObjectiveKernel kernel = BackEnds.VECTOR.kernel(objective);
    Evaluation result = new Evaluation(kernel.signature(), batch);
    return new Contestant() {
      @Override
      public void step() {
        head.clear();
        logits.clear();
        kernel.evaluate(batch, new double[] {ALPHA}, new double[0], result, workers);
        logits.finish();
      }

      @Override
      public double loss() {
        return result.loss();
      }

      @Override
      public Map<String, float[]> gradients() {
        return Map.of(
            "hidden", Objects.requireNonNull(logits.hiddenGradient()),
            "head", Objects.requireNonNull(head.gradient()));
      }
    };
  }

  /** All logits in libtorch, with automatic differentiation. */
  Contestant libtorch() {
    NDManager manager = NDManager.newBaseManager();
    NDArray states = manager.create(hidden, new Shape(tokens, width));
    NDArray head = manager.create(weights, new Shape(vocabulary, width));
    NDArray gains = manager.create(a, new Shape(tokens, 1));
    NDArray places = manager.create(taken, new Shape(tokens, 1)).toType(DataType.INT64, false);
    return new Contestant() {
      private double loss;
      private Map<String, float[]> gradients = Map.of();
      private boolean keep;

      @Override
      public void step() {
        try (NDManager scope = manager.newSubManager();
            GradientCollector collector = Engine.getInstance().newGradientCollector()) {
          NDArray x = leaf(states, scope);
          NDArray w = leaf(head, scope);
          for (NDArray array : new NDArray[] {gains, places}) {
            array.tempAttach(scope);
          }
          NDArray logp = x.matMul(w.transpose()).logSoftmax(1);
          NDArray plain = logp.exp().mul(logp).sum(new int[] {1}, true);
          NDArray value = gains.neg().mul(logp.gather(places, 1)).add(plain.mul(ALPHA)).mean();
          collector.backward(value);
          loss = value.getFloat();
          if (keep) {
            gradients =
                Map.of(
                    "hidden", x.getGradient().toFloatArray(),
                    "head", w.getGradient().toFloatArray());
          }
        }
      }

      private NDArray leaf(NDArray array, NDManager scope) {
        NDArray leaf = array.stopGradient();
        leaf.attach(scope);
        leaf.setRequiresGradient(true);
        return leaf;
      }

      @Override
      public double loss() {
        return loss;
      }

      @Override
      public Map<String, float[]> gradients() {
        keep = true;
        step();
        keep = false;
        return gradients;
      }

      @Override
      public void close() {
        manager.close();
      }
    };
  }
}
