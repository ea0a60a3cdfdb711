package org.alignlang.runtime.run;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;

/** A disk that takes a number of bytes and operations, and then no more. */
final class FailingDisk implements Disk {
  /** How it fails. */
  enum Failure {
    /** No more bytes are taken; files can still be removed. */
    FULL,
    /** Nothing is done any more, as if the process had been killed. */
    KILLED
  }

  private final Disk real = new QuickDisk();
  private final Failure failure;
  private long left;

  /**
   * @param left how much it takes: a byte counts 1, a move or a removal counts 1
   */
  FailingDisk(Failure failure, long left) {
    this.failure = failure;
    this.left = left;
  }

  /** How much it would still take. */
  synchronized long left() {
    return left;
  }

  @Override
  public synchronized void write(Path file, byte[] content) throws IOException {
    real.write(file, take(content));
    check(content.length);
  }

  @Override
  public synchronized void append(Path file, byte[] content) throws IOException {
    real.append(file, take(content));
    check(content.length);
  }

  @Override
  public synchronized void move(Path from, Path to) throws IOException {
    check(1);
    real.move(from, to);
  }

  @Override
  public synchronized void delete(Path file) throws IOException {
    if (failure == Failure.KILLED) {
      check(1);
    }
    real.delete(file);
  }

  private byte[] take(byte[] content) throws IOException {
    if (left <= 0) {
      throw new IOException("No space left on device");
    }
    return Arrays.copyOf(content, (int) Math.min(content.length, left));
  }

  private void check(long wanted) throws IOException {
    boolean enough = left >= wanted;
    left = Math.max(0, left - wanted);
    if (!enough) {
      throw new IOException("No space left on device");
    }
  }
}
