package org.alignlang.runtime.policy;

import java.util.Optional;
import org.alignlang.runtime.task.Task;

/** What a linear or neural policy sees of a task. */
public sealed interface Features {

  /** How many numbers describe a state, or a choice in a state. */
  int dimension();

  /** The most numbers of action features that are kept for one-token tasks: 64 MiB. */
  int MAXIMUM_KEPT = 1 << 23;

  /** One vector per state. */
  record OfState(Task task, int dimension) implements Features {
    double[] at(int prompt, int[] tokens, int length) {
      return task.features(prompt, tokens, length);
    }
  }

  /**
   * One vector per choice of token. Where policies see no tokens before, the vectors are kept, as
   * there is one state per prompt.
   */
  final class OfAction implements Features {
    private final Task task;
    private final int dimension;
    private final double[][][] kept;

    private OfAction(Task task, int dimension) {
      this.task = task;
      this.dimension = dimension;
      long size = (long) task.contexts() * task.vocabulary() * dimension;
      kept =
          task.memory() <= 1 && size <= MAXIMUM_KEPT
              ? new double[task.contexts()][][]
              : new double[0][][];
      for (int prompt = 0; prompt < kept.length; prompt++) {
        kept[prompt] = compute(prompt, new int[1], 0);
      }
    }

    @Override
    public int dimension() {
      return dimension;
    }

    /** One row per token: {@code [vocabulary][dimension]}. */
    double[][] at(int prompt, int[] tokens, int length) {
      return kept.length == 0 ? compute(prompt, tokens, length) : kept[prompt];
    }

    private double[][] compute(int prompt, int[] tokens, int length) {
      double[][] rows = new double[task.vocabulary()][];
      for (int v = 0; v < rows.length; v++) {
        rows[v] = task.actionFeatures(prompt, tokens, length, v);
      }
      return rows;
    }
  }

  /** The task's action features, if it has any. */
  static Optional<Features> ofAction(Task task) {
    int dimension = task.actionFeatures(0, new int[task.maximumLength()], 0, 0).length;
    return dimension == 0 ? Optional.empty() : Optional.of(new OfAction(task, dimension));
  }

  /** The task's state features, if it has any. */
  static Optional<Features> ofState(Task task) {
    int dimension = task.features(0, new int[task.maximumLength()], 0).length;
    return dimension == 0 ? Optional.empty() : Optional.of(new OfState(task, dimension));
  }
}
