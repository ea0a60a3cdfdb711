package org.alignlang.kernel;

/**
 * One objective, compiled for one back end: loss, metrics, constraint values and the gradient with
 * respect to every trained input, in one call. Kernels hold no state and may be shared between
 * threads; the result has the same bits for any number of workers.
 */
public interface ObjectiveKernel {

  /** What the kernel reads and writes. */
  Signature signature();

  /**
   * Evaluates the objective and its gradient.
   *
   * @param batch the data; it must hold every input of the signature
   * @param parameters one value per {@link Signature#parameters()}, in that order
   * @param multipliers one value per {@link Signature#constraints()}, in that order
   * @param result receives loss, metrics, constraint values and gradients
   * @param workers who runs the rows
   * @throws EvaluationException if the data has no value under the objective, such as a mean over
   *     nothing; the message names the spec's line and the row
   */
  void evaluate(
      Batch batch, double[] parameters, double[] multipliers, Evaluation result, Workers workers);
}
