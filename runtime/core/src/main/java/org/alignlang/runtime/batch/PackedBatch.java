package org.alignlang.runtime.batch;

import java.util.Map;
import org.alignlang.kernel.Batch;

/**
 * A file's tensors as a kernel reads them, and what is needed to lay gradients out again.
 *
 * @param batch the data that exists
 * @param multipliers one per constraint of the objective, at the values that the file gives or at
 *     their first ones
 * @param made logits that are made of hidden states, by the name of the logits
 * @param positions of each sequence, where in its {@code [N, T]} each existing position is, as
 *     {@code n * T + t}, ascending
 */
public record PackedBatch(
    Batch batch,
    MultiplierValues multipliers,
    Map<String, HiddenStates.Made> made,
    Map<String, int[]> positions) {

  public PackedBatch {
    made = Map.copyOf(made);
    positions = Map.copyOf(positions);
  }
}
