package org.alignlang.runtime.train;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.alignlang.kernel.Workers;
import org.jspecify.annotations.Nullable;

/**
 * A fixed number of threads that share the rows of a call; the calling thread is one of them. Rows
 * go out in ranges of nearly equal size, to whoever is free.
 *
 * <p>A call takes microseconds where a kernel takes a millisecond: helpers that have nothing to do
 * look for work a while before they sleep, and a call allocates nothing. A call inside a call, or
 * while another thread's is under way, runs on its own thread.
 *
 * <p>If rows fail, the exception of the first failing range is thrown, whoever ran it, after all
 * threads have let go of the task.
 */
public final class WorkerPool implements Workers, AutoCloseable {
  private static final int RANGES_PER_THREAD = 4;

  /** How long a helper looks for work before it sleeps, in nanoseconds. */
  private static final long PATIENCE = 100_000;

  private final int threads;
  private final Helper[] helpers;
  private final AtomicBoolean busy = new AtomicBoolean();
  private volatile boolean closed;

  /**
   * The number of ranges of the call under way, and of the next one that is to be claimed, in the
   * upper and lower half: who claims a range below the number knows that the call is not over, and
   * so that the fields below are that call's.
   */
  private final AtomicLong claims = new AtomicLong();

  private final AtomicInteger open = new AtomicInteger();
  private int count;
  private int ranges;
  private @Nullable RangeTask task;
  private volatile int failedRange = Integer.MAX_VALUE;
  private @Nullable Throwable failure;

  /**
   * Starts the threads.
   *
   * @param threads how many run at once, the caller included; at least 1
   */
  public WorkerPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, not " + threads);
    }
    this.threads = threads;
    helpers = new Helper[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      helpers[i] = new Helper();
      helpers[i].thread =
          Thread.ofPlatform().name("align-worker-" + (i + 1)).daemon(true).unstarted(helpers[i]);
      helpers[i].thread.start();
    }
  }

  @Override
  public void run(int rows, RangeTask rowTask) {
    int wanted = Math.min(rows, threads * RANGES_PER_THREAD);
    if (threads == 1 || wanted <= 1 || closed || !busy.compareAndSet(false, true)) {
      if (rows > 0) {
        rowTask.run(0, rows);
      }
      return;
    }
    try {
      count = rows;
      ranges = wanted;
      task = rowTask;
      failedRange = Integer.MAX_VALUE;
      failure = null;
      open.set(wanted);
      claims.set((long) wanted << 32);
      for (int i = 0; i < Math.min(helpers.length, wanted - 1); i++) {
        helpers[i].wake();
      }
      work();
      await();
      task = null;
      switch (failure) {
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case null, default -> {}
      }
    } finally {
      busy.set(false);
    }
  }

  /** Works on ranges while there are any. */
  private void work() {
    while (true) {
      long claim = claims.getAndIncrement();
      int range = (int) claim;
      if (range >= (int) (claim >>> 32)) {
        return;
      }
      try {
        RangeTask current = task;
        // Ranges behind one that failed need not be run: their failures would not be reported.
        if (current != null && failedRange > range) {
          current.run(bound(range), bound(range + 1));
        }
      } catch (RuntimeException | Error e) {
        fail(range, e);
      } finally {
        open.decrementAndGet();
      }
    }
  }

  private synchronized void fail(int range, Throwable cause) {
    if (range < failedRange) {
      failedRange = range;
      failure = cause;
    }
  }

  private int bound(int range) {
    return (int) ((long) count * range / ranges);
  }

  /** Waits until no range is being worked on: the arrays of a call are its caller's again then. */
  private void await() {
    long began = System.nanoTime();
    while (open.get() > 0) {
      if (System.nanoTime() - began < PATIENCE) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
  }

  private boolean hasWork() {
    long claim = claims.get();
    return (int) claim < (int) (claim >>> 32);
  }

  /** Ends the threads; calls that are under way finish. */
  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      helper.wake();
    }
  }

  private final class Helper implements Runnable {
    private volatile boolean sleeping;
    private @Nullable Thread thread;

    @Override
    public void run() {
      long idleSince = System.nanoTime();
      while (!closed || hasWork()) {
        if (hasWork()) {
          work();
          idleSince = System.nanoTime();
        } else if (System.nanoTime() - idleSince < PATIENCE) {
          Thread.onSpinWait();
        } else {
          sleeping = true;
          // Looked at again after saying so: whoever brings work sees one or the other.
          if (!hasWork() && !closed) {
            LockSupport.park(this);
          }
          sleeping = false;
          idleSince = System.nanoTime();
        }
      }
    }

    void wake() {
      if (sleeping) {
        LockSupport.unpark(thread);
      }
    }
  }
}
