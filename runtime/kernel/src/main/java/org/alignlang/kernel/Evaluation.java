package org.alignlang.kernel;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The result of one kernel call; allocate once for a batch shape and reuse. */
public final class Evaluation {
  private double loss;
  private final double[] metrics;
  private final double[] violations;
  private final Map<String, double[]> gradients = new LinkedHashMap<>();
  private @Nullable Object workspace;

  /** Room for the results of a signature on a batch. */
  public Evaluation(Signature signature, Batch batch) {
    metrics = new double[signature.metrics().size()];
    violations = new double[signature.constraints().size()];
    for (Signature.Input input : signature.inputs()) {
      if (input.trained()) {
        gradients.put(input.name(), new double[batch.column(input.name()).length]);
      }
    }
  }

  /** The minimised scalar. */
  public double loss() {
    return loss;
  }

  public void setLoss(double value) {
    loss = value;
  }

  /** One value per {@link Signature#metrics()}. */
  public double[] metrics() {
    return metrics;
  }

  /** One violation per {@link Signature#constraints()}; positive where the constraint is broken. */
  public double[] violations() {
    return violations;
  }

  /**
   * Room that a kernel keeps from one call to the next, so that a call on a batch of the same shape
   * allocates nothing.
   *
   * @param type the kernel's own class for it
   * @param batch the data of this call
   * @param fits whether the room that is there has the right size
   * @param make makes room for a batch
   */
  public <T> T workspace(
      Class<T> type, Batch batch, BiPredicate<T, Batch> fits, Function<Batch, T> make) {
    if (type.isInstance(workspace)) {
      T room = type.cast(workspace);
      if (fits.test(room, batch)) {
        return room;
      }
    }
    T room = make.apply(batch);
    workspace = room;
    return room;
  }

  /** The gradient of the loss for a trained input, packed like the input's column. */
  public double[] gradient(String input) {
    double[] gradient = gradients.get(input);
    if (gradient == null) {
      throw new IllegalArgumentException("no gradient for input `" + input + "`");
    }
    return gradient;
  }
}
