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
 * to the next, with room for the largest batch so far; calls follow upon each other. The batch of a
 * call travels to the device, and its gradient back; {@link #keep} is for a batch that stays there.
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
    DeviceLaunch ready = run(batch, sizes, parameters, multipliers);
    for (DeviceLayout.Check check : layout.checks()) {
      raise(check, ready, batch);
    }
    ready.fetch(result);
    ready.fetchGradients(batch, result);
  }

  private DeviceLaunch run(
      Batch batch, DeviceSizes sizes, double[] parameters, double[] multipliers) {
    DeviceLaunch ready = launch;
    if (ready == null || !ready.suits(sizes, batch.vocabulary())) {
      DeviceSizes room = ready == null ? sizes.and(sizes) : ready.room().and(sizes);
      close();
      ready = new DeviceLaunch(program, room, batch.vocabulary(), false);
      launch = ready;
    }
    try {
      ready.send(batch, sizes);
      ready.send(parameters, multipliers);
      ready.run(sizes);
      return ready;
    } catch (DeviceException e) {
      // What is on the device now is anyone's guess.
      close();
      throw e;
    }
  }

  /**
   * Keeps a batch on the device, for calls that follow: parameters and multipliers travel there and
   * loss, metrics and violations back, the gradients of tokens and logits only when they are asked
   * for. The batch is copied now; it travels with the first call, which fails if the device has no
   * room for it.
   */
  public KeptBatch keep(Batch batch) {
    return new KeptBatch(program, batch);
  }

  /** Fails as every back end does where a value that must be positive is not. */
  static void raise(DeviceLayout.Check check, DeviceLaunch done, Batch batch) {
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
