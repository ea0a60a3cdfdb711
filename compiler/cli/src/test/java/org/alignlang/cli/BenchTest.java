package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchTest {
  @TempDir private Path folder;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int bench(String... arguments) {
    String[] all = new String[arguments.length + 1];
    all[0] = "bench";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    return Main.run(all, out, err);
  }

  private String said(ByteArrayOutputStream stream) {
    return stream.toString(StandardCharsets.UTF_8);
  }

  @Test
  void timesEveryBackEndAndDrawsHowItGrows() throws IOException {
    Path chart = folder.resolve("chart.svg");
    int exit =
        bench(
            "align.losses.dpo#Dpo",
            "--logits",
            "--rows=4",
            "--tokens=3",
            "--vocab=20",
            "--threads=2",
            "--backend=jvm",
            "--backend=reference",
            "--seconds=0.01",
            "--scaling",
            "--json",
            "--chart=" + chart);
    assertThat(said(err)).isEmpty();
    assertThat(exit).isZero();
    JsonNode report = JsonMapper.builder().build().readTree(said(out));
    assertThat(report.get("elements").asInt()).isEqualTo(2 * 4 * 3 * 20);
    JsonNode results = report.get("results");
    assertThat(results).hasSize(4);
    double loss = results.get(1).get("loss").asDouble();
    for (JsonNode result : results) {
      assertThat(result.get("seconds").asDouble()).isPositive();
      assertThat(result.get("limit_seconds").asDouble()).isPositive();
      assertThat(result.get("loss").asDouble())
          .isCloseTo(loss, org.assertj.core.data.Offset.offset(1e-6));
    }
    assertThat(report.get("growth")).hasSize(9);
    assertThat(Files.readString(chart)).startsWith("<svg").contains("vocabulary");
  }

  @Test
  void saysWhatIsWrong() {
    assertThat(bench("align.losses.dpo#Dpo", "--rows=0")).isEqualTo(2);
    assertThat(bench("align.losses.dpo#Dpo", "--type=f8")).isEqualTo(2);
    assertThat(bench("align.losses.dpo#Dpo", "--chart=x.svg")).isEqualTo(2);
    assertThat(bench("align.losses.dpo#Dpo", "--backend=abacus")).isEqualTo(2);
    assertThat(bench("align.losses.dpo#Dpo", "--device=tornado")).isEqualTo(2);
    assertThat(bench("align.losses.dpo#Dpo", "--device=tornado", "--threads=2")).isEqualTo(2);
    assertThat(bench("align.losses.dpo#Dpo", "--logits", "--rows=100000", "--tokens=100000"))
        .isEqualTo(2);
    assertThat(said(err))
        .contains("`--rows` is at least 1, not 0")
        .contains("`--type` is f32, bf16, f16 or f64, not `f8`")
        .contains("`--chart` draws what `--scaling` measures")
        .contains("there is no back end `abacus`; this build has jvm")
        .contains("there is no device to run on")
        .contains("`--threads` is about the processor")
        .contains("are more than one column can hold")
        .doesNotContain("Exception");
  }
}
