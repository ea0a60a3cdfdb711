package org.alignlang.tornado;

import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;

/**
 * A batch on a device, evaluated as often as one likes: with other parameters or multipliers, or
 * for gradients that stay on the device until they are wanted. Later changes to the batch's arrays
 * go unseen.
 */
public final class KeptBatch implements AutoCloseable {
  private final DeviceProgram program;
  private final Batch batch;
  private final DeviceSizes sizes;
  private final DeviceLaunch launch;
  private boolean evaluated;
  private boolean closed;

  KeptBatch(DeviceProgram program, Batch batch) {
    this.program = program;
    this.batch = batch;
    sizes = DeviceSizes.of(batch, program.layout().signature().sequences());
    launch = new DeviceLaunch(program, sizes.and(sizes), batch.vocabulary(), true);
    try {
      launch.send(batch, sizes);
    } catch (RuntimeException e) {
      launch.close();
      throw e;
    }
  }

  /**
   * Evaluates. The result has loss, metrics and violations; its gradients are left as they are.
   *
   * @throws DeviceException if the device did not do what it was told
   * @throws IllegalStateException if the batch is closed
   */
  public synchronized void evaluate(double[] parameters, double[] multipliers, Evaluation result) {
    requireOpen();
    program.layout().signature().checkArguments(parameters, multipliers);
    evaluated = false;
    try {
      launch.send(parameters, multipliers);
      launch.run(sizes);
    } catch (DeviceException e) {
      // What is on the device now is anyone's guess.
      close();
      throw e;
    }
    for (DeviceLayout.Check check : program.layout().checks()) {
      DeviceKernel.raise(check, launch, batch);
    }
    launch.fetch(result);
    evaluated = true;
  }

  /**
   * Brings the gradients of the last evaluation.
   *
   * @throws IllegalStateException if there was none, or the batch is closed
   */
  public synchronized void gradients(Evaluation result) {
    requireOpen();
    if (!evaluated) {
      throw new IllegalStateException("nothing was evaluated");
    }
    launch.bring();
    launch.fetchGradients(batch, result);
  }

  private void requireOpen() {
    if (closed) {
      throw new IllegalStateException("the batch is not on the device any more");
    }
  }

  /** Frees what the device holds. */
  @Override
  public synchronized void close() {
    if (!closed) {
      closed = true;
      launch.close();
    }
  }
}
