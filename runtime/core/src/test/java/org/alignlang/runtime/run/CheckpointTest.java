package org.alignlang.runtime.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.alignlang.runtime.experiment.Method;
import org.alignlang.runtime.experiment.RecordedSeries;
import org.alignlang.runtime.experiment.RunLog;
import org.alignlang.runtime.train.TrainingState;
import org.junit.jupiter.api.Test;

class CheckpointTest {
  private static final double ODD_NAN = Double.longBitsToDouble(0x7ff8_0000_dead_beefL);

  private static Checkpoint checkpoint() {
    Map<String, double[]> arrays = new LinkedHashMap<>();
    arrays.put("parameters", new double[] {1, -0.0, Double.MIN_VALUE, ODD_NAN});
    arrays.put("optimizer", new double[0]);
    RecordedSeries series =
        new RecordedSeries(
            new int[] {0, 10},
            Map.of("loss β", new double[] {Double.NEGATIVE_INFINITY, 2}),
            Map.of("loss β", Method.sampled(7)));
    return new Checkpoint(
        "fingerprint", 3, 9, new RunLog.Saved(new TrainingState(17, arrays, series), 1.5));
  }

  @Test
  void keepsEveryBit() throws Checkpoint.DamagedException {
    Checkpoint read = Checkpoint.decode(checkpoint().encode());
    assertThat(read.fingerprint()).isEqualTo("fingerprint");
    assertThat(read.point()).isEqualTo(3);
    assertThat(read.seed()).isEqualTo(9);
    assertThat(read.saved().seconds()).isEqualTo(1.5);
    TrainingState state = read.saved().state();
    assertThat(state.step()).isEqualTo(17);
    assertThat(
            Arrays.stream(state.arrays().get("parameters")).mapToLong(Double::doubleToRawLongBits))
        .containsExactly(
            Double.doubleToRawLongBits(1),
            Double.doubleToRawLongBits(-0.0),
            1L,
            0x7ff8_0000_dead_beefL);
    assertThat(state.arrays().keySet()).containsExactly("parameters", "optimizer");
    assertThat(state.series().steps()).containsExactly(0, 10);
    assertThat(state.series().of("loss β")).containsExactly(Double.NEGATIVE_INFINITY, 2);
    assertThat(state.series().methods()).containsEntry("loss β", Method.sampled(7));
  }

  @Test
  void noticesEveryCut() {
    byte[] whole = checkpoint().encode();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> Checkpoint.decode(cut))
          .isInstanceOf(Checkpoint.DamagedException.class);
    }
  }

  @Test
  void noticesEveryChangedByte() {
    byte[] whole = checkpoint().encode();
    for (int i = 0; i < whole.length; i++) {
      byte[] changed = whole.clone();
      changed[i] ^= 1;
      assertThatThrownBy(() -> Checkpoint.decode(changed))
          .isInstanceOf(Checkpoint.DamagedException.class);
    }
  }

  @Test
  void refusesALaterFormat() {
    byte[] bytes = checkpoint().encode();
    bytes[11] = 2;
    byte[] body = Arrays.copyOf(bytes, bytes.length - 32);
    System.arraycopy(Fingerprint.sha256(body), 0, bytes, body.length, 32);
    assertThatThrownBy(() -> Checkpoint.decode(bytes))
        .isInstanceOf(RunException.class)
        .hasMessageContaining("format 2")
        .hasMessageContaining("format 1");
  }
}
