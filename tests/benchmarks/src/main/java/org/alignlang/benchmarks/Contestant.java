package org.alignlang.benchmarks;

import java.util.Map;

/** Something that computes a workload's loss and gradients. */
interface Contestant extends AutoCloseable {
  /** Computes loss and gradients once. */
  void step();

  /** The loss of the last step. */
  double loss();

  /** The gradients of the last step, by the name of the input. */
  Map<String, float[]> gradients();

  @Override
  default void close() {}
}
