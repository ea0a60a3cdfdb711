package org.alignlang.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Comparator;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Orders of few and of many entries, against a sort by comparison. */
class EntryOrdersTest {
  private static final double[] SPECIAL = {
    0, -0.0, Double.NaN, Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY, 1, -1, Double.MIN_VALUE
  };

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 48, 49, 3000})
  void isAStableOrderWithNaNLast(int count) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(count);
    EntryOrders orders = new EntryOrders(count);
    for (int round = 0; round < 4; round++) {
      boolean special = round % 2 == 1;
      double[] keys =
          random
              .doubles(count)
              .map(x -> special && x < 0.6 ? SPECIAL[random.nextInt(SPECIAL.length)] : 4 * x - 2)
              .toArray();
      int[] expected =
          IntStream.range(0, count)
              .boxed()
              .sorted(Comparator.comparingDouble(i -> keys[i] + 0.0))
              .mapToInt(Integer::intValue)
              .toArray();
      orders.sort(round, keys);
      double[] numbers = IntStream.range(0, count).asDoubleStream().toArray();
      double[] gathered = orders.row(0);
      orders.gather(round, numbers, gathered);
      double[] back = orders.row(1);
      orders.scatter(round, gathered, back);
      assertThat(IntStream.range(0, count).map(i -> (int) gathered[i]).toArray())
          .isEqualTo(expected);
      assertThat(back).isEqualTo(numbers);
      // An order is kept while another is made.
      if (round > 0) {
        double[] again = orders.row(2);
        orders.gather(0, numbers, again);
        assertThat(IntStream.range(0, count).mapToDouble(i -> again[i]).distinct().count())
            .isEqualTo(count);
      }
    }
  }
}
