package org.alignlang.kernel;

/** Who runs the rows of a kernel. How rows are spread never changes the result. */
public interface Workers {

  /** A range of rows to work on, from inclusive to exclusive. */
  @FunctionalInterface
  interface RangeTask {
    void run(int from, int to);
  }

  /** Runs the task over all of {@code 0 .. count}, in disjoint ranges, and returns when done. */
  void run(int count, RangeTask task);

  /** The calling thread alone. */
  static Workers serial() {
    return (count, task) -> task.run(0, count);
  }
}
