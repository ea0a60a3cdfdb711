package org.alignlang.kernel;

import java.util.LinkedHashMap;
import java.util.Map;

/** The result of one kernel call; allocate once for a batch shape and reuse. */
public final class Evaluation {
  private double loss;
  private final double[] metrics;
  private final double[] violations;
  private final Map<String, double[]> gradients = new LinkedHashMap<>();

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

  /** The gradient of the loss for a trained input, packed like the input's column. */
  public double[] gradient(String input) {
    double[] gradient = gradients.get(input);
    if (gradient == null) {
      throw new IllegalArgumentException("no gradient for input `" + input + "`");
    }
    return gradient;
  }
}
