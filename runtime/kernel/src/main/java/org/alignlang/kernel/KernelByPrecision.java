package org.alignlang.kernel;

import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Two kernels of one objective: one for data in single precision or less, and one in double
 * precision. Each is made when data of its precision first comes.
 */
public final class KernelByPrecision implements ObjectiveKernel {
  private static final String MODULE = "jdk.incubator.vector";

  /** Below so many elements, waking another thread takes longer than the work. */
  private static final long SMALL = 1 << 16;

  private final Signature signature;
  private final String[] sequences;

  /** The inputs whose precision decides. */
  private final String[] fine;

  private final Supplier<ObjectiveKernel> makeSingle;
  private final Supplier<ObjectiveKernel> makeExact;
  private volatile @Nullable ObjectiveKernel single;
  private volatile @Nullable ObjectiveKernel exact;

  /**
   * @param signature what both read and write
   * @param makeSingle makes the kernel for single precision
   * @param makeExact makes the kernel for double precision
   */
  public KernelByPrecision(
      Signature signature,
      Supplier<ObjectiveKernel> makeSingle,
      Supplier<ObjectiveKernel> makeExact) {
    this.signature = signature;
    sequences = signature.sequences().toArray(new String[0]);
    fine =
        signature.inputs().stream()
            .filter(input -> input.role() != Signature.Role.TOKENS)
            .filter(input ->
                input.trained() || input.level() == Level.TOKEN || input.level() == Level.VOCAB)
            .map(Signature.Input::name)
            .toArray(String[]::new);
    this.makeSingle = makeSingle;
    this.makeExact = makeExact;
  }

  /** Whether this Java was started with the module by which Java reaches vector units. */
  public static boolean hasVectors() {
    return ModuleLayer.boot().findModule(MODULE).isPresent();
  }

  /**
   * Both kernels if this Java was started with {@code --add-modules jdk.incubator.vector}, and the
   * exact one alone otherwise: without that module the other cannot be loaded.
   */
  public static ObjectiveKernel whereAvailable(
      Signature signature,
      Supplier<ObjectiveKernel> makeSingle,
      Supplier<ObjectiveKernel> makeExact) {
    return hasVectors() ? new KernelByPrecision(signature, makeSingle, makeExact) : makeExact.get();
  }

  @Override
  public Signature signature() {
    return signature;
  }

  @Override
  public void evaluate(
      Batch batch, double[] parameters, double[] multipliers, Evaluation result, Workers workers) {
    ObjectiveKernel kernel = isSingle(batch) ? single() : exact();
    Workers who = elements(batch) < SMALL || isMade(batch) ? Workers.serial() : workers;
    kernel.evaluate(batch, parameters, multipliers, result, who);
  }

  /** Whether rows are made while the kernel comes to them, in order. */
  private boolean isMade(Batch batch) {
    for (String input : fine) {
      if (batch.data(input) instanceof Column.OnDemand) {
        return true;
      }
    }
    return false;
  }

  /** How many logits, or tokens where there are no logits, a batch has. */
  private long elements(Batch batch) {
    long elements = 0;
    for (String sequence : sequences) {
      elements += batch.offsets(sequence)[batch.rows()];
    }
    return elements * Math.max(1, batch.vocabulary());
  }

  /**
   * Whether no column of tokens or logits, and none that has a gradient, is in double precision.
   */
  private boolean isSingle(Batch batch) {
    for (String input : fine) {
      if (batch.data(input).type() == Column.Type.F64) {
        return false;
      }
    }
    return true;
  }

  private ObjectiveKernel single() {
    ObjectiveKernel kernel = single;
    if (kernel == null) {
      synchronized (this) {
        kernel = single;
        if (kernel == null) {
          kernel = makeSingle.get();
          single = kernel;
        }
      }
    }
    return kernel;
  }

  private ObjectiveKernel exact() {
    ObjectiveKernel kernel = exact;
    if (kernel == null) {
      synchronized (this) {
        kernel = exact;
        if (kernel == null) {
          kernel = makeExact.get();
          exact = kernel;
        }
      }
    }
    return kernel;
  }
}
