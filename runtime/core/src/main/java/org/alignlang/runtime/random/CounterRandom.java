package org.alignlang.runtime.random;

import java.nio.charset.StandardCharsets;
import org.apache.commons.rng.UniformRandomProvider;
import org.apache.commons.rng.simple.RandomSource;

/**
 * A counter-based generator: draw {@code n} of a stream is word {@code n % 4} of the Philox4x64-10
 * block of the stream's 128-bit key at counter {@code n / 4 + 1}. A stream is named by a path of
 * numbers, such as step, row and purpose, and its key is derived from the seed and that path alone;
 * so what a row draws does not depend on how many rows or threads there are, nor on what was drawn
 * before.
 *
 * <p>Child keys are the first two words of the parent's Philox block at counter {@code (p, 0, 0,
 * 2^63) + 1}, a counter that draws never reach: the same construction as {@code fold_in} in JAX.
 *
 * <p>Not safe for use by several threads at once; each takes its own stream.
 *
 * <p>Source: Salmon, Moraes, Dror and Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
 */
public final class CounterRandom implements UniformRandomProvider {
  /** The highest counter word of key derivation; draws have 0 there. */
  private static final long DERIVATION = 1L << 63;

  private final long key0;
  private final long key1;
  private final UniformRandomProvider draws;

  private CounterRandom(long key0, long key1) {
    this.key0 = key0;
    this.key1 = key1;
    draws = philox(key0, key1, 0, 0);
  }

  /** The root stream of a seed. */
  public static CounterRandom of(long seed) {
    return new CounterRandom(seed, 0);
  }

  /**
   * An independent stream, at its first draw. {@code stream(a, b)} is {@code stream(a).stream(b)};
   * the path of no numbers is this stream from its beginning.
   */
  public CounterRandom stream(long... path) {
    long high = key0;
    long low = key1;
    for (long step : path) {
      UniformRandomProvider block = philox(high, low, step, DERIVATION);
      high = block.nextLong();
      low = block.nextLong();
    }
    return new CounterRandom(high, low);
  }

  /** An independent stream for a purpose given by name. */
  public CounterRandom stream(String purpose) {
    byte[] bytes = purpose.getBytes(StandardCharsets.UTF_8);
    long[] path = new long[bytes.length / 8 + 2];
    path[0] = -1L - bytes.length;
    for (int i = 0; i < bytes.length; i++) {
      path[1 + i / 8] |= (bytes[i] & 0xffL) << (8 * (i % 8));
    }
    return stream(path);
  }

  @Override
  public long nextLong() {
    return draws.nextLong();
  }

  private static UniformRandomProvider philox(long key0, long key1, long low, long high) {
    return RandomSource.PHILOX_4X64.create(new long[] {key0, key1, low, 0, 0, high});
  }
}
