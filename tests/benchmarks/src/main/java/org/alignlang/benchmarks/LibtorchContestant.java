package org.alignlang.benchmarks;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.GradientCollector;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * The same mathematics in libtorch with automatic differentiation, through DJL. Every step starts
 * from fresh leaves, as after {@code zero_grad(set_to_none=True)}.
 */
final class LibtorchContestant implements Contestant {
  private final Workload workload;
  private final NDManager manager = NDManager.newBaseManager();
  private final Map<String, NDArray> columns = new HashMap<>();
  private final Map<String, float[]> gradients = new HashMap<>();
  private double loss;
  private boolean keep;

  LibtorchContestant(Workload workload) {
    this.workload = workload;
    boolean wide = workload.kind() == Workload.Kind.POLICY;
    workload
        .objective()
        .signature()
        .inputs()
        .forEach(input -> {
          switch (input.role()) {
            case TOKENS ->
                columns.put(
                    input.name(),
                    manager
                        .create(
                            workload.batch().tokens(input.sequence()),
                            new Shape(workload.tokens(), 1))
                        .toType(DataType.INT64, false));
            case LOGITS ->
                columns.put(input.name(), column(input.name(), workload.shape().vocabulary()));
            default ->
                columns.put(
                    input.name(), column(input.name(), wide ? 1 : workload.shape().tokens()));
          }
        });
  }

  /** Whether libtorch is on the class path and can be loaded. */
  static boolean isAvailable() {
    try {
      return Engine.hasEngine("PyTorch") && Engine.getEngine("PyTorch").getVersion() != null;
    } catch (RuntimeException | LinkageError e) {
      return false;
    }
  }

  static String version() {
    return "libtorch " + Engine.getEngine("PyTorch").getVersion();
  }

  static void threads(int count) {
    JniUtils.setNumThreads(count);
  }

  private NDArray column(String name, long width) {
    float[] numbers = workload.floats(name);
    return manager.create(numbers, new Shape(numbers.length / width, width));
  }

  private NDArray in(Map<String, NDArray> leaves, String name) {
    NDArray leaf = leaves.get(name);
    return leaf != null ? leaf : Objects.requireNonNull(columns.get(name), name);
  }

  @Override
  public void step() {
    try (NDManager scope = manager.newSubManager();
        GradientCollector collector = Engine.getInstance().newGradientCollector()) {
      Map<String, NDArray> leaves = new LinkedHashMap<>();
      for (String name : workload.trained()) {
        NDArray leaf = in(Map.of(), name).stopGradient();
        leaf.attach(scope);
        leaf.setRequiresGradient(true);
        leaves.put(name, leaf);
      }
      columns.values().forEach(column -> column.tempAttach(scope));
      NDArray value =
          switch (workload.kind()) {
            case POLICY -> policy(leaves);
            case GRPO -> clipped(leaves, true);
            case PPO -> clipped(leaves, false);
            case DPO -> preferences(leaves);
          };
      collector.backward(value);
      loss = value.getFloat();
      if (keep) {
        leaves.forEach((name, leaf) -> gradients.put(name, leaf.getGradient().toFloatArray()));
      }
    }
  }

  private NDArray policy(Map<String, NDArray> leaves) {
    NDArray logp = in(leaves, "logits").logSoftmax(1);
    NDArray other = in(leaves, "ref.logits").logSoftmax(1);
    NDArray p = logp.exp();
    int[] vocabulary = {1};
    NDArray kl = p.mul(logp.sub(other)).sum(vocabulary, true);
    NDArray entropy = p.mul(logp).sum(vocabulary, true).neg();
    NDArray taken = logp.gather(in(leaves, "tokens"), 1);
    return in(leaves, "feature.a")
        .neg()
        .mul(taken)
        .add(kl.mul(workload.parameter("beta")))
        .sub(entropy.mul(workload.parameter("alpha")))
        .mean();
  }

  private NDArray clipped(Map<String, NDArray> leaves, boolean penalty) {
    double eps = workload.parameter("eps");
    NDArray logp = in(leaves, "logp");
    NDArray a = in(leaves, "feature.a");
    NDArray ratio = logp.sub(in(leaves, "old.logp")).exp();
    NDArray gain = ratio.mul(a).minimum(ratio.clip(1 - eps, 1 + eps).mul(a));
    if (!penalty) {
      return gain.neg().mean();
    }
    NDArray d = in(leaves, "ref.logp").sub(logp);
    NDArray k3 = d.exp().sub(d).sub(1);
    return k3.mul(workload.parameter("beta")).sub(gain).mean();
  }

  private NDArray preferences(Map<String, NDArray> leaves) {
    NDArray margin = logRatio(leaves, "chosen").sub(logRatio(leaves, "rejected"));
    return Activation.softPlus(margin.mul(-workload.parameter("beta"))).mean();
  }

  private NDArray logRatio(Map<String, NDArray> leaves, String side) {
    return in(leaves, side + ".logp").sub(in(leaves, side + ".ref.logp")).sum(new int[] {1});
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
}
