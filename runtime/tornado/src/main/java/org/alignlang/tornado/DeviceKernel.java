package org.alignlang.tornado;

import java.util.Optional;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.jspecify.annotations.Nullable;

/**
 * An objective on a device. The compiled kernels and the buffers on the device stay from one call
 * to the next, with room for the largest batch so far; calls follow upon each other.
 *
 * <p>The number of workers changes nothing. Results have the same bits at every call.
 */
public final class DeviceKernel implements ObjectiveKernel, AutoCloseable {
  private final DeviceProgram program;
  private @Nullable DeviceLaunch launch;

  /**
   * The kernel of a program. Nothing happens on the device before the first call.
   *
   * @throws DeviceException if there is no device
   */
  public DeviceKernel(DeviceProgram program) {
    String problem = TornadoDevices.problem();
    if (!problem.isEmpty()) {
      throw new DeviceException(problem);
    }
    this.program = program;
  }

  @Override
  public Signature signature() {
    return program.layout().signature();
  }

  /**
   * Evaluates on the device.
   *
   * @throws DeviceException if the device is too small, or did not do what it was told
   */
  @Override
  public synchronized void evaluate(
      Batch batch, double[] parameters, double[] multipliers, Evaluation result, Workers workers) {
    DeviceLayout layout = program.layout();
    signature().checkArguments(parameters, multipliers);
    DeviceSizes sizes = DeviceSizes.of(batch, signature().sequences());
    DeviceLaunch ready = launch;
    if (ready == null || !ready.room().holds(sizes)) {
      DeviceSizes room = ready == null ? sizes.and(sizes) : ready.room().and(sizes);
      close();
      ready = new DeviceLaunch(program, room);
      launch = ready;
    }
    try {
      ready.send(batch, sizes, parameters, multipliers);
      ready.run(sizes);
    } catch (DeviceException e) {
      // What is on the device now is anyone's guess.
      close();
      throw e;
    }
    for (DeviceLayout.Check check : layout.checks()) {
      raise(check, ready, batch);
    }
    ready.fetch(batch, parameters, multipliers, result);
  }

  /** Fails as every back end does where a value that must be positive is not. */
  private void raise(DeviceLayout.Check check, DeviceLaunch done, Batch batch) {
    Optional<Integer> found = done.firstFailure(check);
    if (found.isEmpty()) {
      return;
    }
    int element = found.get();
    throw switch (check.level()) {
      case BATCH -> EvaluationException.at(check.place(), check.what());
      case GROUP, PAIR, SEQUENCE ->
          EvaluationException.at(check.place(), check.what(), check.level(), element);
      case TOKEN, VOCAB ->
          EvaluationException.at(
              check.place(),
              check.what(),
              Level.SEQUENCE,
              DeviceLaunch.rowOf(batch.offsets(check.sequence()), element));
    };
  }

  /** Frees what the device holds; the next call makes it anew. */
  @Override
  public synchronized void close() {
    DeviceLaunch ready = launch;
    launch = null;
    if (ready != null) {
      ready.close();
    }
  }
}
