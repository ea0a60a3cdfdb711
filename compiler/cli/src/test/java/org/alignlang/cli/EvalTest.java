package org.alignlang.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.alignlang.runtime.batch.TensorFile;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EvalTest {
  @TempDir private Path folder;

  private record Result(int exit, String out, String err) {}

  private Result align(String... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int exit = Main.run(arguments, out, err);
    return new Result(exit, text(out), text(err));
  }

  private String text(ByteArrayOutputStream bytes) {
    return bytes.toString(StandardCharsets.UTF_8).replace(folder + "/", "");
  }

  private String path(String name) {
    return folder.resolve(name).toString();
  }

  @BeforeEach
  void write() throws IOException {
    Files.writeString(
        folder.resolve("two.align"),
        """
        objective Likely(weight: Real = 2) {
          policy pi
          minimize -weight * mean[sequence](log(pi(y)))
          metric length = mean[sequence](length(y))
        }

        objective Limited {
          policy pi
          reward r: sequence
          reward harm: sequence
          maximize E[r]
          subject to E[harm] <= 0.25 multiplier lambda(init = 0.5, rate = 1)
          estimate with reinforce()
        }
        """);
    Files.writeString(
        folder.resolve("batch.jsonl"),
        """
        {"logp": [-1, -2]}
        {"logp": [-4]}
        """);
  }

  @Test
  void saysThatNothingOfABatchCounts() throws IOException {
    Files.writeString(
        folder.resolve("masked.json"),
        "{\"logp\": [[-1, -2], [-3, -4]], \"mask\": [[0, 0], [0, 0]]}");
    Result result =
        align("eval", path("two.align") + "#Likely", "--batch", path("masked.json"), "--json");
    assertThat(result.err)
        .isEqualTo(
            "warning: mask is 0 everywhere, so that nothing in masked.json counts;"
                + " the loss is that of no data\n");
    assertThat(result.exit).isEqualTo(ExitCode.CLEAN);

    Files.writeString(
        folder.resolve("masked.json"),
        "{\"logp\": [[-1, -2], [-3, -4]], \"mask\": [[0, 0], [1, 0]]}");
    assertThat(
            align("eval", path("two.align") + "#Likely", "--batch", path("masked.json"), "--json")
                .err)
        .isEmpty();
  }

  @Test
  void printsATable() {
    Result result = align("eval", path("two.align") + "#Likely", "--batch", path("batch.jsonl"));
    assertThat(result.err).isEmpty();
    assertThat(result.out)
        .isEqualTo(
            """
            loss            7.0
            metric.length   1.5
            grad.logp       1.7320508075688772  (norm of [2, 2], f64)
            """);
    assertThat(result.exit).isZero();
  }

  @Test
  void writesGradientsAndPrintsJson() {
    Result result =
        align(
            "eval",
            path("two.align") + "#Likely",
            "--batch",
            path("batch.jsonl"),
            "-s",
            "weight=3",
            "--grad",
            path("grad.json"),
            "--threads",
            "3",
            "--backend",
            "reference",
            "--json");
    assertThat(result.err).isEmpty();
    assertThat(result.out).isEqualTo("{\"loss\":10.5,\"metric.length\":1.5}\n");
    TensorFile file = TensorFile.read(folder.resolve("grad.json"));
    assertThat(file.tensors().keySet()).containsExactly("loss", "metric.length", "grad.logp");
    assertThat(folder.resolve("grad.json"))
        .hasContent(
            """
            {
              "loss" : 10.5,
              "metric.length" : 1.5,
              "grad.logp" : [ [ -1.5, -1.5 ], [ -1.5, 0.0 ] ]
            }
            """);
  }

  @Test
  void aSettingThatIsNoNumberIsTheOnlyFinding() {
    Result result =
        align(
            "eval",
            path("two.align") + "#Likely",
            "--batch",
            path("batch.jsonl"),
            "-s",
            "weight=heavy");
    assertThat(result.exit).isEqualTo(ExitCode.FINDINGS);
    assertThat(result.err).contains("there is no thing called `heavy`").doesNotContain("`weight`");
  }

  @Test
  void movesMultipliers() throws IOException {
    Files.writeString(
        folder.resolve("limited.json"),
        """
        {"logp": [[-1], [-2]], "reward.r": [1, 2], "reward.harm": [0, 1], "multiplier.lambda": 0.25}
        """);
    Result result =
        align("eval", path("two.align") + "#Limited", "--batch", path("limited.json"), "--json");
    assertThat(result.err).isEmpty();
    assertThat(result.out).contains("\"metric.harm\":0.5").contains("\"multiplier.lambda\":0.5}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "two.align --batch batch.jsonl|`two.align` declares several objectives; say which: Likely,"
            + " Limited",
        "two.align#Likly --batch batch.jsonl|`two.align` has no objective `Likly`; did you mean"
            + " `Likely`?",
        "two.align#Likely --batch none.npz|there is no file none.npz",
        "two.align#Likely --batch two.align|two.align must end in .safetensors, .npz, .json or"
            + " .jsonl, which says how it is read",
        "two.align#Likely --batch batch.jsonl --grad g.pt|g.pt must end in .safetensors, .npz or"
            + " .json, which says how it is written",
        "two.align#Likely --batch batch.jsonl --grad none/g.npz|cannot write none/g.npz: its folder"
            + " does not exist",
        "two.align#Likely --batch batch.jsonl --threads 0|`--threads` is a whole number from 1 to"
            + " 4096, not 0",
        "two.align#Likely --batch batch.jsonl --device tornado --threads 2|`--threads` is about the"
            + " processor, and a device has its own",
        "two.align#Limited --batch batch.jsonl|batch.jsonl: there is no tensor `reward.r`, which"
            + " objective `Limited` reads: numbers of shape [N], type f32, bf16, f16 or f64",
      })
  void mistakesAreOneSentence(String arguments, String message) {
    String[] words = arguments.split(" ");
    for (int i = 0; i < words.length; i++) {
      if (words[i].contains(".")) {
        words[i] = path(words[i]);
      }
    }
    String[] all = new String[words.length + 1];
    all[0] = "eval";
    System.arraycopy(words, 0, all, 1, words.length);
    Result result = align(all);
    assertThat(result.err).isEqualTo("error: " + message + "\n");
    assertThat(result.out).isEmpty();
    assertThat(result.exit).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void neverWritesOverTheBatch() throws IOException {
    Files.writeString(folder.resolve("batch.json"), "{\"logp\": [[-1, -2]]}");
    Result result =
        align(
            "eval",
            path("two.align") + "#Likely",
            "--batch",
            path("batch.json"),
            "--grad",
            path("batch.json"));
    assertThat(result.err).isEqualTo("error: --grad would overwrite the batch batch.json\n");
    assertThat(folder.resolve("batch.json")).hasContent("{\"logp\": [[-1, -2]]}");
  }

  @Test
  void aMeanOverNothingNamesTheSpecAndTheRow() throws IOException {
    Files.writeString(
        folder.resolve("mean.align"),
        """
        objective Mean {
          policy pi
          minimize -mean[sequence](mean[token](log(pi(y.token))))
        }
        """);
    Files.writeString(
        folder.resolve("empty.json"), "{\"logp\": [[-1], [-2]], \"mask\": [[1], [0]]}");
    Result result = align("eval", path("mean.align"), "--batch", path("empty.json"));
    assertThat(result.err).startsWith("error: empty.json: mean.align:3:").endsWith(" in row 1\n");
    assertThat(result.exit).isEqualTo(ExitCode.USAGE);
  }

  @Test
  void saysThatPromptsOfOneResponseTeachNothing() throws IOException {
    Files.writeString(
        folder.resolve("group.align"),
        """
        objective Grouped {
          policy pi
          reward r: sequence
          maximize E[r]
          estimate with rloo()
        }
        """);
    String rows = "{\"logp\": [[-1], [-2]], \"reward.r\": [0, 1], \"group\": [%s]}";
    Files.writeString(folder.resolve("alone.json"), rows.formatted("0, 1"));
    Files.writeString(folder.resolve("together.json"), rows.formatted("0, 0"));

    Result alone = align("eval", path("group.align"), "--batch", path("alone.json"), "--json");
    assertThat(alone.err)
        .isEqualTo(
            "warning: the gradient is 0 everywhere: every prompt of alone.json has one response,"
                + " and so nothing to be compared with\n");
    assertThat(alone.exit).isEqualTo(ExitCode.CLEAN);
    assertThat(align("eval", path("group.align"), "--batch", path("together.json"), "--json").err)
        .isEmpty();
  }
}
