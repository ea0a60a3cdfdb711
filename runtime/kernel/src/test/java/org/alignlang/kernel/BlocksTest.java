package org.alignlang.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;

/** Comparisons, choices and products without branches, on every pair of numbers that is special. */
class BlocksTest {
  private static final float[] SPECIAL = {
    0f,
    -0f,
    1f,
    -1f,
    1.0000001f,
    Float.MIN_VALUE,
    -Float.MIN_VALUE,
    Float.MIN_NORMAL,
    Float.MAX_VALUE,
    -Float.MAX_VALUE,
    Float.POSITIVE_INFINITY,
    Float.NEGATIVE_INFINITY,
    Float.NaN,
    // What x86 makes of infinity minus infinity: its sign bit is set.
    Float.intBitsToFloat(0xffc00000),
    Float.intBitsToFloat(0x7f800001),
    Float.intBitsToFloat(0xffffffff)
  };

  /** Without the numbers from this one on a block is an ordinary one. */
  private static final int ORDINARY = 10;

  private static final int N = Blocks.SIZE;

  private final Blocks blocks = new Blocks(3, 1);
  private final float[] x = blocks.values(0);
  private final float[] y = blocks.values(1);
  private final float[] out = blocks.values(2);
  private final int[] mask = blocks.mask(0);

  private interface Comparison {
    boolean holds(float x, float y);
  }

  private interface Choice {
    float of(float x, float y);
  }

  /** Every pair of the special numbers, and random ones. */
  private void fill(int special) {
    Random random = new Random(special);
    for (int i = 0; i < N; i++) {
      boolean pair = i < special * special;
      x[i] = pair ? SPECIAL[i / special] : (float) random.nextGaussian();
      y[i] = pair ? SPECIAL[i % special] : (float) random.nextGaussian();
    }
  }

  private void truth(String what, Comparison comparison) {
    for (int i = 0; i < N; i++) {
      assertThat(mask[i])
          .as("%s %s %s", x[i], what, y[i])
          .isEqualTo(comparison.holds(x[i], y[i]) ? -1 : 0);
    }
  }

  private void numbers(String what, Choice choice) {
    for (int i = 0; i < N; i++) {
      float wanted = choice.of(x[i], y[i]);
      // 0 and -0 are the same number; NaN is NaN.
      boolean same =
          wanted == out[i]
              || Float.isNaN(wanted) && Float.isNaN(out[i])
              || Math.abs(wanted - out[i]) <= 1e-6f * Math.max(Math.abs(wanted), 1);
      assertThat(same).as("%s of %s and %s: %s", what, x[i], y[i], out[i]).isTrue();
    }
  }

  @Test
  void comparesAsJavaDoes() {
    for (int special : new int[] {ORDINARY, SPECIAL.length}) {
      fill(special);
      blocks.less(x, y, mask, N);
      truth("<", (a, b) -> a < b);
      blocks.lessOrEqual(x, y, mask, N);
      truth("<=", (a, b) -> a <= b);
      blocks.equal(x, y, mask, N);
      truth("==", (a, b) -> a == b);
      for (float one : SPECIAL) {
        blocks.less(x, one, mask, N);
        truth("< " + one, (a, b) -> a < one);
        blocks.less(one, y, mask, N);
        truth("> " + one, (a, b) -> one < b);
        blocks.lessOrEqual(x, one, mask, N);
        truth("<= " + one, (a, b) -> a <= one);
        blocks.lessOrEqual(one, y, mask, N);
        truth(">= " + one, (a, b) -> one <= b);
        blocks.equal(x, one, mask, N);
        truth("== " + one, (a, b) -> a == one);
      }
    }
  }

  @Test
  void choosesBitsAndNotValues() {
    fill(SPECIAL.length);
    for (int i = 0; i < N; i++) {
      mask[i] = i % 3 == 0 ? -1 : 0;
    }
    blocks.select(mask, x, y, out, N);
    for (int i = 0; i < N; i++) {
      float wanted = i % 3 == 0 ? x[i] : y[i];
      assertThat(Float.floatToRawIntBits(out[i])).isEqualTo(Float.floatToRawIntBits(wanted));
    }
    for (float one : SPECIAL) {
      blocks.select(mask, one, y, out, N);
      assertThat(Float.floatToRawIntBits(out[3])).isEqualTo(Float.floatToRawIntBits(one));
      assertThat(Float.floatToRawIntBits(out[4])).isEqualTo(Float.floatToRawIntBits(y[4]));
      blocks.select(mask, x, one, out, N);
      assertThat(Float.floatToRawIntBits(out[1])).isEqualTo(Float.floatToRawIntBits(one));
      assertThat(Float.floatToRawIntBits(out[3])).isEqualTo(Float.floatToRawIntBits(x[3]));
      blocks.select(mask, one, -2f, out, N);
      assertThat(Float.floatToRawIntBits(out[0])).isEqualTo(Float.floatToRawIntBits(one));
      assertThat(out[1]).isEqualTo(-2f);
    }
  }

  @Test
  void whatHasNoWeightIsNothing() {
    for (int special : new int[] {ORDINARY, SPECIAL.length}) {
      fill(special);
      blocks.weigh(x, y, out, N);
      numbers("weigh", (a, b) -> a == 0 ? 0 : a * b);
      blocks.weighBoth(x, y, out, N);
      numbers("weighBoth", (a, b) -> a == 0 || b == 0 ? 0 : a * b);
      blocks.fill(1f, out, N);
      blocks.addUnder(out, x, y, N);
      numbers("addUnder", (a, b) -> a == 0 ? 1 : Math.fma(a, b, 1f));
    }
  }

  @Test
  void functionsAreThoseOfDoublePrecision() {
    for (int special : new int[] {ORDINARY, SPECIAL.length}) {
      fill(special);
      blocks.logRatio(x, y, out, N);
      numbers("logRatio", (a, b) -> (float) Functions.logRatio(a, b));
      blocks.logAddExp(x, y, out, N);
      numbers("logAddExp", (a, b) -> (float) Functions.logAddExp(a, b));
      blocks.sigmoid(x, out, N);
      numbers("sigmoid", (a, b) -> (float) Functions.sigmoid(a));
      blocks.softplus(x, out, N);
      numbers("softplus", (a, b) -> (float) Functions.softplus(a));
      blocks.tanh(x, out, N);
      numbers("tanh", (a, b) -> (float) Math.tanh(a));
      blocks.arctan(x, out, N);
      numbers("arctan", (a, b) -> (float) Math.atan(a));
      blocks.log1p(x, out, N);
      numbers("log1p", (a, b) -> (float) Math.log1p(a));
      blocks.abs(x, x, N);
      blocks.max(x, Float.MIN_NORMAL, x, N);
      blocks.log(x, out, N);
      numbers("log", (a, b) -> (float) Math.log(a));
      blocks.negate(x, x, N);
      blocks.log1mExp(x, out, N);
      numbers("log1mExp", (a, b) -> (float) Functions.log1mExp(a));
    }
    fill(SPECIAL.length);
    blocks.min(x, 0f, x, N);
    for (int i = 0; i < N; i++) {
      // What is smaller counts as the smallest.
      x[i] = Math.abs(x[i]) < Float.MIN_NORMAL ? 0 : x[i];
    }
    blocks.log(x, out, N);
    numbers("log", (a, b) -> (float) Math.log(a));
  }
}
