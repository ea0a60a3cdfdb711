package org.alignlang.runtime.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.DualForm;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class BatchContractTest {
  private static final double INF = Double.POSITIVE_INFINITY;
  private static final double NAN = Double.NaN;
  private static final List<Integer> ROWS_BY_TIME = List.of(2, 3);

  @TempDir private Path folder;

  private static Input token(String name, Role role, String actor, boolean trained) {
    return new Input(name, role, actor, "y", Level.TOKEN, 0, trained);
  }

  private static Input column(String name, String sequence, Level level, int members) {
    return new Input(name, Role.COLUMN, "", sequence, level, members, false);
  }

  private static Constraint constraint(String multiplier, DualForm form) {
    return new Constraint("c", multiplier, "<=", form, 0.5, 0.1, 1, 2, 3, 10);
  }

  /** Reads the policy, a reference, and columns of every level; rows are grouped. */
  private static Signature sequences() {
    return new Signature(
        "Everything",
        "everything.align",
        List.of("y"),
        List.of(
            token("logp", Role.LOG_PROBABILITY, "pi", true),
            token("ref.logp", Role.LOG_PROBABILITY, "ref", false),
            column("reward.harm", "y", Level.SEQUENCE, 0),
            column("reward.step", "y", Level.TOKEN, 0),
            column("reward.panel", "y", Level.SEQUENCE, 2),
            column("label", "y", Level.SEQUENCE, 0)),
        List.of(),
        List.of(constraint("lambda", DualForm.PROJECTED), constraint("mu", DualForm.PID)),
        List.of(),
        List.of(),
        true,
        true,
        false,
        java.util.Map.of());
  }

  /**
   * A batch for {@link #sequences}: 2 rows, 3 positions, of which [0, 1] and [1, 2] are not there.
   */
  private static Map<String, Tensor> good() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("logp", Tensor.of(ROWS_BY_TIME, -1, NAN, -3, -4, -5, INF));
    tensors.put("ref.logp", Tensor.of(ElementType.F32, ROWS_BY_TIME, -6, 9, -7, -8, -9, NAN));
    tensors.put("reward.harm", Tensor.of(List.of(2), 0.5, -0.5));
    tensors.put("reward.step", Tensor.of(ROWS_BY_TIME, 1, NAN, 2, 3, 4, -INF));
    tensors.put("reward.panel", Tensor.of(List.of(2, 2), 1, 2, 3, 4));
    tensors.put("label", Tensor.ofIntegers(ElementType.BOOL, List.of(2), 1, 0));
    tensors.put("mask", Tensor.ofIntegers(ElementType.U8, ROWS_BY_TIME, 1, 0, 1, 1, 1, 0));
    tensors.put("group", Tensor.ofIntegers(ElementType.I64, List.of(2), 1L << 40, -7));
    tensors.put("multiplier.lambda", Tensor.of(ElementType.F32, List.of(), 0.25));
    return tensors;
  }

  private TensorFile file(Map<String, Tensor> tensors) {
    return new TensorFile(Path.of("b.npz"), TensorFormat.NPZ, tensors, Map.of());
  }

  @Test
  void packsWhatExistsAndNothingElse() {
    PackedBatch packed = new BatchContract(sequences()).pack(file(good()), Workers.serial());
    Batch batch = packed.batch();
    assertThat(batch.rows()).isEqualTo(2);
    assertThat(batch.offsets("y")).containsExactly(0, 2, 4);
    assertThat(batch.column("logp")).containsExactly(-1, -3, -4, -5);
    assertThat(batch.column("ref.logp")).containsExactly(-6, -7, -8, -9);
    assertThat(batch.column("reward.harm")).containsExactly(0.5, -0.5);
    assertThat(batch.column("reward.step")).containsExactly(1, 2, 3, 4);
    assertThat(batch.column("reward.panel")).containsExactly(1, 2, 3, 4);
    assertThat(batch.column("label")).containsExactly(1, 0);
    assertThat(batch.groupOf()).containsExactly(0, 1);
    assertThat(packed.multipliers().values()).containsExactly(0.25, 0.5);
    assertThat(packed.positions().get("y")).containsExactly(0, 2, 3, 4);
  }

  @Test
  void withoutAMaskEveryPositionExists() {
    Map<String, Tensor> tensors = good();
    tensors.remove("mask");
    tensors.put("logp", Tensor.of(ROWS_BY_TIME, -1, -2, -3, -4, -5, -6));
    tensors.put("ref.logp", Tensor.of(ROWS_BY_TIME, -1, -2, -3, -4, -5, -6));
    tensors.put("reward.step", Tensor.of(ROWS_BY_TIME, 1, 2, 3, 4, 5, 6));
    Batch batch = new BatchContract(sequences()).pack(file(tensors), Workers.serial()).batch();
    assertThat(batch.offsets("y")).containsExactly(0, 3, 6);
    assertThat(batch.column("reward.step")).containsExactly(1, 2, 3, 4, 5, 6);
  }

  private static Arguments wrong(String message, Consumer<Map<String, Tensor>> change) {
    return Arguments.of(message, change);
  }

  private static Consumer<Map<String, Tensor>> put(String name, Tensor tensor) {
    return tensors -> tensors.put(name, tensor);
  }

  private static Consumer<Map<String, Tensor>> rename(String from, String to) {
    return tensors -> {
      Tensor tensor = tensors.remove(from);
      if (tensor != null) {
        tensors.put(to, tensor);
      }
    };
  }

  static Stream<Arguments> violations() {
    return Stream.of(
        wrong(
            "there is no tensor `ref.logp`, which objective `Everything` reads: log-probabilities"
                + " of shape [N, T], type f32, bf16, f16 or f64",
            t -> t.remove("ref.logp")),
        wrong(
            "there is no tensor `group`, which objective `Everything` reads: group ids of shape"
                + " [N], type i32 or i64",
            t -> t.remove("group")),
        wrong(
            "there is no tensor `reward.panel`, which objective `Everything` reads: numbers of"
                + " shape [N, 2], type f32, bf16, f16 or f64",
            t -> t.remove("reward.panel")),
        wrong(
            "objective `Everything` does not read tensor `reward.ham`; did you mean `reward.harm`?",
            rename("reward.harm", "reward.ham")),
        wrong(
            "objective `Everything` does not read tensor `extra`; it reads `logp`, `ref.logp`,"
                + " `reward.harm`, `reward.step`, `reward.panel`, `label`, `mask`, `group`,"
                + " `multiplier.lambda`, `multiplier.mu`",
            put("extra", Tensor.of(List.of(), 1))),
        wrong(
            "objective `Everything` does not read tensor `ref.logits`, for it takes `ref.logp` in"
                + " its place; give one of the two",
            put("ref.logits", Tensor.of(List.of(), 1))),
        wrong(
            "objective `Everything` does not read tensor `lo?gp`; did you mean `logp`?",
            rename("logp", "lo\ngp")),
        wrong(
            "tensor `ref.logp` has shape [2, 2], expected [N, T] with T = 3 as in `logp`",
            put("ref.logp", Tensor.of(List.of(2, 2), -1, -1, -1, -1))),
        wrong(
            "tensor `reward.harm` has shape [3], expected [N] with N = 2 as in `logp`",
            put("reward.harm", Tensor.of(List.of(3), 1, 1, 1))),
        wrong(
            "tensor `reward.harm` has shape [2, 1], expected [N]",
            put("reward.harm", Tensor.of(List.of(2, 1), 1, 1))),
        wrong(
            "tensor `reward.panel` has shape [2, 3], expected [N, 2]",
            put("reward.panel", Tensor.of(List.of(2, 3), 1, 1, 1, 1, 1, 1))),
        wrong(
            "tensor `multiplier.mu` has shape [], expected [3]",
            put("multiplier.mu", Tensor.of(List.of(), 1))),
        wrong(
            "tensor `mask` has shape [2], expected [N, T]",
            put("mask", Tensor.ofIntegers(ElementType.U8, List.of(2), 1, 1))),
        wrong(
            "tensor `logp` has type i64; log-probabilities are f32, bf16, f16 or f64",
            put("logp", Tensor.zeros(ElementType.I64, ROWS_BY_TIME))),
        wrong(
            "tensor `mask` has type f32; a mask is u8, bool, i32 or i64",
            put("mask", Tensor.zeros(ElementType.F32, ROWS_BY_TIME))),
        wrong(
            "tensor `label` has type i64; labels are bool or u8",
            put("label", Tensor.zeros(ElementType.I64, List.of(2)))),
        wrong(
            "tensor `reward.harm` has type bool; numbers are f32, bf16, f16 or f64",
            put("reward.harm", Tensor.zeros(ElementType.BOOL, List.of(2)))),
        wrong(
            "tensor `logp` has NaN at index [0, 2]",
            put("logp", Tensor.of(ROWS_BY_TIME, -1, 0, NAN, -4, -5, 0))),
        wrong(
            "tensor `logp` has Infinity at index [1, 0]",
            put("logp", Tensor.of(ROWS_BY_TIME, -1, 0, -1, INF, -5, 0))),
        wrong(
            "tensor `ref.logp` has 0.25 at index [1, 1], and a log-probability is at most 0",
            put("ref.logp", Tensor.of(ElementType.F32, ROWS_BY_TIME, -1, 0, -1, -1, 0.25, 0))),
        wrong(
            "tensor `reward.step` has NaN at index [1, 1]",
            put("reward.step", Tensor.of(ROWS_BY_TIME, 1, 0, 1, 1, NAN, 0))),
        wrong(
            "tensor `reward.harm` has -Infinity at index [1]",
            put("reward.harm", Tensor.of(List.of(2), 1, -INF))),
        wrong(
            "tensor `reward.panel` has NaN at index [1, 0]",
            put("reward.panel", Tensor.of(List.of(2, 2), 1, 1, NAN, 1))),
        wrong(
            "tensor `mask` has 2 at index [0, 1]; it holds 0 and 1",
            put("mask", Tensor.ofIntegers(ElementType.I32, ROWS_BY_TIME, 1, 2, 1, 1, 1, 0))),
        wrong(
            "tensor `label` has 3 at index [1]; it holds 0 and 1",
            put("label", Tensor.ofIntegers(ElementType.U8, List.of(2), 1, 3))),
        wrong(
            "tensor `multiplier.lambda` has NaN at index []",
            put("multiplier.lambda", Tensor.of(List.of(), NAN))),
        wrong(
            "multiplier `lambda` needs an initial value of at least 0, not" + " -1.0",
            put("multiplier.lambda", Tensor.of(List.of(1), -1))));
  }

  @ParameterizedTest
  @MethodSource("violations")
  void saysWhatBreaksTheContract(String message, Consumer<Map<String, Tensor>> change) {
    Map<String, Tensor> tensors = good();
    change.accept(tensors);
    Throwable thrown =
        catchThrowable(() -> new BatchContract(sequences()).pack(file(tensors), Workers.serial()));
    assertThat(thrown).isInstanceOf(BatchException.class);
    assertThat(thrown).hasMessage("b.npz: " + message);
  }

  private static Signature logits() {
    return new Signature(
        "Logits",
        "logits.align",
        List.of("y"),
        List.of(
            new Input("logits", Role.LOGITS, "pi", "y", Level.VOCAB, 0, true),
            token("tokens", Role.TOKENS, "", false)),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        true,
        false,
        false,
        java.util.Map.of());
  }

  @Test
  void packsLogitsAndTokens() {
    Tensor logits = Tensor.of(ElementType.F16, List.of(1, 3, 2), 1, -INF, NAN, NAN, 3, 4);
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("logits", logits);
    tensors.put("tokens", Tensor.ofIntegers(ElementType.I64, List.of(1, 3), 1, -100, 0));
    tensors.put("mask", Tensor.ofIntegers(ElementType.BOOL, List.of(1, 3), 1, 0, 1));
    Batch batch = new BatchContract(logits()).pack(file(tensors), Workers.serial()).batch();
    assertThat(batch.vocabulary()).isEqualTo(2);
    assertThat(batch.column("logits")).containsExactly(1, -INF, 3, 4);
    assertThat(batch.takenTokens("y")).containsExactly(1, 0);

    tensors.remove("mask");
    assertThat(packing(logits(), tensors)).isEqualTo("tensor `logits` has NaN at index [0, 1, 0]");
    tensors.put("logits", Tensor.of(List.of(1, 3, 2), 1, 2, -INF, -INF, 3, 4));
    assertThat(packing(logits(), tensors))
        .isEqualTo(
            "tensor `logits` has only -Infinity at index [0, 1]: no token has a probability there");
    tensors.put("logits", Tensor.of(List.of(1, 3, 2), 1, 2, 3, 4, 5, 6));
    assertThat(packing(logits(), tensors))
        .isEqualTo("tensor `tokens` has token -100 at index [0, 1], outside the vocabulary of 2");
    tensors.put("logp", Tensor.of(List.of(1, 3), -1, -1, -1));
    assertThat(packing(logits(), tensors))
        .isEqualTo(
            "objective `Logits` does not read tensor `logp`, for it takes `logits` in its place;"
                + " give one of the two");
    tensors.remove("logits");
    assertThat(packing(logits(), tensors))
        .isEqualTo(
            "objective `Logits` does not read tensor `logp`, for it needs the whole vocabulary:"
                + " give `logits` in its place");
  }

  private String packing(Signature signature, Map<String, Tensor> tensors) {
    Throwable thrown =
        catchThrowable(() -> new BatchContract(signature).pack(file(tensors), Workers.serial()));
    assertThat(thrown).isInstanceOf(BatchException.class);
    return String.valueOf(thrown.getMessage()).replace("b.npz: ", "");
  }

  private static Signature pairs() {
    return new Signature(
        "Pairs",
        "pairs.align",
        List.of("chosen", "rejected"),
        List.of(
            new Input("chosen.logp", Role.LOG_PROBABILITY, "pi", "chosen", Level.TOKEN, 0, true),
            new Input(
                "rejected.logp", Role.LOG_PROBABILITY, "pi", "rejected", Level.TOKEN, 0, true),
            column("feature.margin", "", Level.PAIR, 0)),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        true,
        false,
        false,
        java.util.Map.of());
  }

  @Test
  void eachSequenceOfAPairHasItsOwnPositions() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("chosen.logp", Tensor.of(List.of(2, 2), -1, -2, -3, -4));
    tensors.put("rejected.logp", Tensor.of(List.of(2, 3), -5, -6, -7, -8, -9, -10));
    tensors.put("chosen.mask", Tensor.ofIntegers(ElementType.U8, List.of(2, 2), 0, 1, 0, 0));
    tensors.put("feature.margin", Tensor.of(List.of(2), 1, 2));
    PackedBatch packed = new BatchContract(pairs()).pack(file(tensors), Workers.serial());
    assertThat(packed.batch().offsets("chosen")).containsExactly(0, 1, 1);
    assertThat(packed.batch().column("chosen.logp")).containsExactly(-2);
    assertThat(packed.batch().offsets("rejected")).containsExactly(0, 3, 6);
    tensors.put("mask", Tensor.ofIntegers(ElementType.U8, List.of(2, 2), 0, 1, 0, 0));
    assertThat(packing(pairs(), tensors))
        .startsWith("objective `Pairs` does not read tensor `mask`; ");
  }

  @Test
  void actorsWhoseLogitsAreGivenInPlaceOfLogProbabilities() {
    assertThat(BatchContract.actorsWithLogits(sequences(), Set.of("logits", "ref.logp")))
        .containsExactly("pi");
    assertThat(BatchContract.actorsWithLogits(sequences(), Set.of("logp", "ref.logits", "x")))
        .containsExactly("ref");
    assertThat(BatchContract.actorsWithLogits(pairs(), Set.of("rejected.logits")))
        .containsExactly("pi");
    assertThat(BatchContract.actorsWithLogits(sequences(), Set.of("logp", "ref.logp"))).isEmpty();
  }

  private TensorFile lines(String text) throws IOException {
    Path file = folder.resolve("b.jsonl");
    Files.writeString(file, text);
    return TensorFile.read(file);
  }

  @Test
  void jsonLinesAreAsLongAsTheyAre() throws IOException {
    TensorFile file =
        lines(
            """
            {"logits": [[0, 1]], "tokens": [1]}
            {"logits": [], "tokens": []}
            {"logits": [[2, 3.5], ["-Infinity", 4]], "tokens": [0, 1]}
            """);
    PackedBatch packed = new BatchContract(logits()).pack(file, Workers.serial());
    assertThat(packed.batch().offsets("y")).containsExactly(0, 1, 1, 3);
    assertThat(packed.batch().column("logits")).containsExactly(0, 1, 2, 3.5, -INF, 4);
    assertThat(packed.batch().tokens("y")).containsExactly(1, 0, 1);
  }

  @Test
  void jsonLinesMustAgreeOnTheirLengths() throws IOException {
    TensorFile file =
        lines(
            "{\"logits\": [[0, 1]], \"tokens\": [1]}\n{\"logits\": [[0, 1]], \"tokens\": [1, 1]}");
    Throwable thrown =
        catchThrowable(() -> new BatchContract(logits()).pack(file, Workers.serial()));
    assertThat(thrown)
        .hasMessageEndingWith(
            "tensor `tokens` has shape [2, 2], expected [N, T] with T = 1 as in `logits`");
    TensorFile crossed =
        lines(
            "{\"logits\": [[0, 1]], \"tokens\": [1, 1]}\n"
                + "{\"logits\": [[0, 1], [0, 1]], \"tokens\": [1]}");
    assertThat(catchThrowable(() -> new BatchContract(logits()).pack(crossed, Workers.serial())))
        .hasMessageEndingWith("tensor `tokens` has 2 positions in row 0, and `logits` has 1");
  }

  /** Sums its logits times a slope and breaks both limits; the gradient only counts. */
  private record SumKernel(Signature signature, double slope) implements ObjectiveKernel {
    @Override
    public void evaluate(
        Batch batch, double[] parameters, double[] multipliers, Evaluation result, Workers w) {
      for (Input input : signature.inputs()) {
        if (input.trained()) {
          result.setLoss(result.loss() + slope * Arrays.stream(batch.column(input.name())).sum());
          double[] gradient = result.gradient(input.name());
          for (int i = 0; i < gradient.length; i++) {
            gradient[i] = slope * (i + 1);
          }
        }
      }
      Arrays.fill(result.violations(), 0.5);
    }
  }

  @Test
  void laysGradientsOutInTheShapeAndTypeOfTheirInputs() {
    Map<String, Tensor> tensors = good();
    tensors.put("logp", Tensor.of(ElementType.BF16, ROWS_BY_TIME, -1, NAN, -3, -4, -5, INF));
    BatchEvaluation evaluation =
        BatchEvaluation.of(
            new SumKernel(sequences(), 1.001), new double[0], file(tensors), Workers.serial());
    Map<String, Tensor> out = evaluation.tensors();
    assertThat(out.keySet())
        .containsExactly("loss", "multiplier.lambda", "multiplier.mu", "grad.logp");
    Tensor gradient = out.getOrDefault("grad.logp", Tensor.of(List.of(), 0));
    assertThat(gradient.type()).isEqualTo(ElementType.BF16);
    assertThat(gradient.shape()).isEqualTo(ROWS_BY_TIME);
    Tensor expected = Tensor.of(ElementType.BF16, ROWS_BY_TIME, 1.001, 0, 2.002, 3.003, 4.004, 0);
    assertThat(gradient.data().mismatch(expected.data())).isEqualTo(-1);
    assertThat(evaluation.loss()).isEqualTo(1.001 * -13);
  }

  /** The third update of a multiplier that is handed from call to call is that of one in memory. */
  @Test
  void multipliersGoOnWhereTheLastBatchLeftThem() {
    org.alignlang.runtime.dual.Multipliers inMemory =
        new org.alignlang.runtime.dual.Multipliers(sequences().constraints());
    Map<String, Tensor> tensors = good();
    tensors.remove("multiplier.lambda");
    for (int step = 0; step < 3; step++) {
      BatchEvaluation evaluation =
          BatchEvaluation.of(
              new SumKernel(sequences(), 1), new double[0], file(tensors), Workers.serial());
      tensors.putAll(evaluation.multipliers());
      inMemory.update(new double[] {0.5, 0.5});
    }
    assertThat(tensors.get("multiplier.lambda").real(0)).isEqualTo(inMemory.values()[0]);
    assertThat(tensors.get("multiplier.mu").real(0)).isEqualTo(inMemory.values()[1]);
  }

  @Test
  void aGradientThatItsTypeCannotHoldIsNoGradient() {
    Map<String, Tensor> tensors = good();
    tensors.put("logp", Tensor.of(ElementType.F16, ROWS_BY_TIME, -1, NAN, -3, -4, -5, INF));
    assertThat(
            catchThrowable(() ->
                BatchEvaluation.of(
                    new SumKernel(sequences(), 30000),
                    new double[0],
                    file(tensors),
                    Workers.serial())))
        .hasMessage(
            "b.npz: the gradient for tensor `logp` is 90000.0 at index [1, 0], more than f16"
                + " holds");
    assertThat(
            catchThrowable(() ->
                BatchEvaluation.of(
                    new SumKernel(sequences(), NAN),
                    new double[0],
                    file(tensors),
                    Workers.serial())))
        .hasMessage("the loss of objective `Everything` on b.npz is NaN");
  }
}
