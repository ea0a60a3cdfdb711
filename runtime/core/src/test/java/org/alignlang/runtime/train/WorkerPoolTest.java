package org.alignlang.runtime.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WorkerPoolTest {
  @ParameterizedTest
  @CsvSource({"1, 0", "1, 5", "3, 1", "4, 3", "4, 1000", "2, 17"})
  void everyRowRunsOnce(int threads, int count) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      AtomicIntegerArray runs = new AtomicIntegerArray(count + 1);
      pool.run(
          count,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              runs.incrementAndGet(i);
            }
          });
      for (int i = 0; i < count; i++) {
        assertThat(runs.get(i)).isEqualTo(1);
      }
      assertThat(runs.get(count)).isZero();
    }
  }

  @RepeatedTest(20)
  void theFirstFailingRowIsReported() {
    try (WorkerPool pool = new WorkerPool(4)) {
      assertThatThrownBy(() ->
              pool.run(
                  1000,
                  (from, to) -> {
                    for (int i = from; i < to; i++) {
                      if (i >= 300 && i % 7 == 0) {
                        throw new IllegalStateException("row " + i);
                      }
                    }
                  }))
          .hasMessage("row 301");
    }
  }

  @Test
  void callsMayBeNested() {
    try (WorkerPool pool = new WorkerPool(3)) {
      AtomicInteger total = new AtomicInteger();
      pool.run(
          12,
          (from, to) -> {
            for (int i = from; i < to; i++) {
              pool.run(10, (a, b) -> total.addAndGet(b - a));
            }
          });
      assertThat(total).hasValue(120);
    }
  }

  @Test
  void callsFromSeveralThreadsDoNotMix() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(3)) {
      AtomicInteger total = new AtomicInteger();
      Runnable caller =
          () -> {
            for (int call = 0; call < 2000; call++) {
              int[] seen = new int[37];
              pool.run(
                  seen.length,
                  (from, to) -> {
                    for (int i = from; i < to; i++) {
                      seen[i]++;
                    }
                  });
              total.addAndGet(java.util.Arrays.stream(seen).sum());
            }
          };
      Thread other = Thread.ofPlatform().start(caller);
      caller.run();
      other.join();
      assertThat(total).hasValue(2 * 2000 * 37);
    }
  }

  /** Calls come back to helpers that look for work and to helpers that sleep. */
  @Test
  void helpersWakeUpAgain() throws InterruptedException {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int call = 0; call < 5; call++) {
        AtomicInteger total = new AtomicInteger();
        pool.run(100, (from, to) -> total.addAndGet(to - from));
        assertThat(total).hasValue(100);
        Thread.sleep(2);
      }
    }
  }

  @Test
  void aCallAllocatesNothing() {
    try (WorkerPool pool = new WorkerPool(2)) {
      double[] values = new double[64];
      org.alignlang.kernel.Workers.RangeTask task =
          (from, to) -> {
            for (int i = from; i < to; i++) {
              values[i] += i;
            }
          };
      var threads =
          (com.sun.management.ThreadMXBean)
              java.lang.management.ManagementFactory.getThreadMXBean();
      long least = Long.MAX_VALUE;
      for (int attempt = 0; attempt < 10; attempt++) {
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int call = 0; call < 200; call++) {
          pool.run(values.length, task);
        }
        least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
      }
      assertThat(least).isZero();
    }
  }

  @Test
  void aPoolOfNoneIsRefused() {
    assertThatThrownBy(() -> new WorkerPool(0)).hasMessageContaining("at least 1, not 0");
  }
}
