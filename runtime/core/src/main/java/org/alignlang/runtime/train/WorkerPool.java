package org.alignlang.runtime.train;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.alignlang.kernel.Workers;

/**
 * A fixed number of threads that share the rows of a call; the calling thread is one of them. Rows
 * go out in ranges of nearly equal size, to whoever is free.
 *
 * <p>If rows fail, the exception of the first failing range is thrown, whoever ran it, after all
 * threads have let go of the task. Calls may be nested and may come from several threads.
 */
public final class WorkerPool implements Workers, AutoCloseable {
  private static final int RANGES_PER_THREAD = 4;

  private final int threads;
  private final ExecutorService helpers;

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
    helpers =
        Executors.newFixedThreadPool(
            Math.max(1, threads - 1),
            Thread.ofPlatform().name("align-worker-", 1).daemon(true).factory());
  }

  @Override
  public void run(int count, RangeTask task) {
    int ranges = Math.min(count, threads * RANGES_PER_THREAD);
    if (threads == 1 || ranges <= 1) {
      if (count > 0) {
        task.run(0, count);
      }
      return;
    }
    Job job = new Job(count, ranges, task);
    for (int helper = 1; helper < Math.min(threads, ranges); helper++) {
      helpers.execute(job::work);
    }
    job.work();
    job.await();
  }

  /** Ends the threads; calls that are under way finish. */
  @Override
  public void close() {
    helpers.shutdown();
  }

  /** One call's ranges, claimed in ascending order. */
  private static final class Job {
    private final int count;
    private final int ranges;
    private final RangeTask task;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch open;
    private final AtomicReference<Failure> failure = new AtomicReference<>(Failure.NONE);

    Job(int count, int ranges, RangeTask task) {
      this.count = count;
      this.ranges = ranges;
      this.task = task;
      open = new CountDownLatch(ranges);
    }

    void work() {
      for (int range = next.getAndIncrement(); range < ranges; range = next.getAndIncrement()) {
        try {
          if (failure.get().range > range) {
            task.run(bound(range), bound(range + 1));
          }
        } catch (RuntimeException | Error e) {
          Failure mine = new Failure(range, e);
          failure.accumulateAndGet(mine, (a, b) -> a.range <= b.range ? a : b);
        } finally {
          open.countDown();
        }
      }
    }

    void await() {
      boolean interrupted = false;
      while (true) {
        try {
          open.await();
          break;
        } catch (InterruptedException e) {
          // The arrays of this call must not be used after it returns, so it sees the rows through.
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
      switch (failure.get().cause) {
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable _ -> {}
      }
    }

    private int bound(int range) {
      return (int) ((long) count * range / ranges);
    }
  }

  private record Failure(int range, Throwable cause) {
    static final Failure NONE = new Failure(Integer.MAX_VALUE, new Exception());
  }
}
