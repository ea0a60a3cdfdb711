package org.alignlang.runtime.random;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.apache.commons.rng.simple.RandomSource;
import org.junit.jupiter.api.Test;

class CounterRandomTest {

  /**
   * The vectors of Random123's kat_vectors, philox4x64 with 10 rounds; draws begin at counter+1.
   */
  @Test
  void theGeneratorGivesThePublishedVectors() {
    assertThat(block(0, 0, -1, -1, -1, -1))
        .containsExactly(
            0x16554d9eca36314cL, 0xdb20fe9d672d0fdcL, 0xd7e772cee186176bL, 0x7e68b68aec7ba23bL);
    assertThat(block(-1, -1, -2, -1, -1, -1))
        .containsExactly(
            0x87b092c3013fe90bL, 0x438c3c67be8d0224L, 0x9cc7d7c69cd777b6L, 0xa09caebf594f0ba0L);
    assertThat(
            block(
                0x452821e638d01377L,
                0xbe5466cf34e90c6cL,
                0x243f6a8885a308d2L,
                0x13198a2e03707344L,
                0xa4093822299f31d0L,
                0x082efa98ec4e6c89L))
        .containsExactly(
            0xa528f45403e61d95L, 0x38c72dbd566e9788L, 0xa5a1610e72fd18b5L, 0x57bd43b5e52b7fe6L);
  }

  @Test
  void theRootStreamIsPhiloxOfTheSeed() {
    CounterRandom random = CounterRandom.of(42);
    long[] direct = block(42, 0, 0, 0, 0, 0);
    assertThat(LongStream.generate(random::nextLong).limit(4))
        .containsExactly(direct[0], direct[1], direct[2], direct[3]);
  }

  @Test
  void aStreamDependsOnSeedAndPathAlone() {
    CounterRandom root = CounterRandom.of(7);
    long first = root.stream(3, 5).nextLong();
    root.nextLong();
    root.stream(4).nextLong();
    assertThat(root.stream(3, 5).nextLong()).isEqualTo(first);
    assertThat(root.stream(3).stream(5).nextLong()).isEqualTo(first);
    assertThat(CounterRandom.of(8).stream(3, 5).nextLong()).isNotEqualTo(first);
    assertThat(root.stream(5, 3).nextLong()).isNotEqualTo(first);
    assertThat(root.stream("row").nextLong()).isNotEqualTo(root.stream("rows").nextLong());
  }

  @Test
  void neighbouringStreamsAreUncorrelatedAndUniform() {
    CounterRandom root = CounterRandom.of(1);
    int count = 20_000;
    double mean = 0;
    double lagged = 0;
    double before = 0.5;
    for (int i = 0; i < count; i++) {
      double draw = root.stream(9, i).nextDouble();
      mean += draw / count;
      lagged += (draw - 0.5) * (before - 0.5) / count;
      before = draw;
    }
    // Five standard errors.
    assertThat(mean)
        .isBetween(0.5 - 5 * 0.2887 / Math.sqrt(count), 0.5 + 5 * 0.2887 / Math.sqrt(count));
    assertThat(Math.abs(lagged)).isLessThan(5.0 / 12 / Math.sqrt(count));
  }

  private static long[] block(long... keyAndCounter) {
    var philox = RandomSource.PHILOX_4X64.create(keyAndCounter);
    return LongStream.generate(philox::nextLong).limit(4).toArray();
  }
}
