package org.alignlang.kernel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Columns and gradients of every precision. */
class ColumnsTest {
  private static final Signature SIGNATURE =
      new Signature(
          "Test",
          "test.align",
          List.of("y"),
          List.of(
              new Signature.Input(
                  "logits", Signature.Role.LOGITS, "pi", "y", Level.VOCAB, 0, true)),
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          false,
          false,
          false,
          java.util.Map.of());

  private static Batch batch(Column column) {
    return Batch.builder(1)
        .sequence("y", new int[] {0, 2})
        .vocabulary(2)
        .column("logits", column)
        .build();
  }

  @Test
  void everyTypeReadsAsTheNumbersThatItHolds() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment halves = arena.allocate(8);
      MemorySegment brains = arena.allocate(8);
      MemorySegment singles = arena.allocate(17).asSlice(1);
      float[] numbers = {1.5f, -2, Float.NEGATIVE_INFINITY, 0.0078125f};
      for (int i = 0; i < 4; i++) {
        halves.setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(numbers[i]));
        brains.setAtIndex(
            ValueLayout.JAVA_SHORT, i, (short) (Float.floatToRawIntBits(numbers[i]) >>> 16));
        singles.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, numbers[i]);
      }
      for (Column column :
          List.of(
              new Column.Memory(halves, Column.Type.F16),
              new Column.Memory(brains, Column.Type.BF16),
              new Column.Memory(singles, Column.Type.F32),
              new Column.Floats(numbers))) {
        Batch batch = batch(column);
        assertThat(batch.column("logits", 4))
            .containsExactly(1.5, -2, Double.NEGATIVE_INFINITY, 0.0078125);
        assertThat(batch.floats("logits", 4)).containsExactly(numbers);
        float[] part = new float[2];
        column.copyTo(1, part, 2);
        assertThat(part).containsExactly(numbers[1], numbers[2]);
        assertThat(column.get(3)).isEqualTo(0.0078125);
      }
    }
  }

  @Test
  void arraysAreTakenOverAndCopiesAreMadeOnce() {
    float[] numbers = {1, 2, 3, 4};
    Batch batch = batch(new Column.Floats(numbers));
    assertThat(batch.floats("logits", 4)).isSameAs(numbers);
    assertThat(batch.column("logits")).isSameAs(batch.column("logits"));
    assertThatThrownBy(() -> batch.floats("logits", 5))
        .hasMessage("input `logits` holds 4 numbers where 5 belong");
  }

  @Test
  void memoryHoldsWholeNumbers() {
    assertThatThrownBy(
            () -> new Column.Memory(MemorySegment.ofArray(new byte[5]), Column.Type.BF16))
        .hasMessage("5 bytes are no whole number of bf16");
  }

  @Test
  void aGradientHasThePrecisionOfItsInput() {
    Evaluation single = new Evaluation(SIGNATURE, batch(new Column.Floats(new float[4])));
    single.floatGradient("logits")[2] = 0.1f;
    assertThat(single.gradientColumn("logits")).isInstanceOf(Column.Floats.class);
    assertThat(single.gradient("logits")).containsExactly(0, 0, 0.1f, 0);
    single.gradient("logits")[0] = 0.3;
    assertThat(single.gradientColumn("logits").get(0)).isEqualTo(0.3);

    Evaluation exact = new Evaluation(SIGNATURE, batch(new Column.Doubles(new double[4])));
    exact.gradient("logits")[1] = 0.3;
    assertThat(exact.gradientColumn("logits").get(1)).isEqualTo(0.3);
    assertThatThrownBy(() -> exact.floatGradient("logits"))
        .hasMessage("the gradient is in double precision");
  }
}
