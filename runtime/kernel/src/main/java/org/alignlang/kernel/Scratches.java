package org.alignlang.kernel;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * Room that threads borrow while they work on a range of rows, and give back: as many pieces as
 * threads that ever worked at once, so that a steady state allocates nothing.
 */
public final class Scratches<T> {
  private final Supplier<T> maker;
  private final List<T> idle = new ArrayList<>();

  public Scratches(Supplier<T> maker) {
    this.maker = maker;
  }

  /** A piece that nobody uses. */
  public synchronized T take() {
    return idle.isEmpty() ? maker.get() : idle.removeLast();
  }

  /** Gives a piece back. */
  public synchronized void give(T scratch) {
    idle.add(scratch);
  }
}
