package org.alignlang.runtime.batch;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Workers;
import org.jspecify.annotations.Nullable;

/**
 * What an objective says about a batch that another program handed in.
 *
 * @param loss the minimised number
 * @param metrics the reported numbers by name
 * @param multipliers {@code multiplier.NAME}, moved once by the violations of this batch, and
 *     {@code state.NAME}, as they are after the step: what the next batch is handed
 * @param gradients {@code grad.} and the name of each trained input, in the input's shape and type
 *     (f64 for JSON), 0 behind the mask
 * @param empty the masks that let no position of any row through, by name: nothing of the batch
 *     counted, which is rarely meant
 */
public record BatchEvaluation(
    double loss,
    Map<String, Double> metrics,
    Map<String, Tensor> multipliers,
    Map<String, Tensor> gradients,
    List<String> empty) {

  /**
   * Evaluates a kernel on a file.
   *
   * @param parameters one value per {@link Signature#parameters()}
   * @throws BatchException if the file is not a batch for the objective, or has no loss under it;
   *     the message names the tensor and index, or the spec's line
   */
  public static BatchEvaluation of(
      ObjectiveKernel kernel, double[] parameters, TensorFile file, Workers workers) {
    Signature signature = kernel.signature();
    PackedBatch packed = new BatchContract(signature).pack(file, workers);
    Batch batch = packed.batch();
    Evaluation result = new Evaluation(signature, batch);
    try {
      kernel.evaluate(batch, parameters, packed.multipliers().values(), result, workers);
      packed.made().values().forEach(made -> made.logits().finish());
      if (Double.isNaN(result.loss())) {
        throw new BatchException(
            "the loss of objective `%s` on %s is NaN"
                .formatted(signature.objective(), file.path()));
      }
      packed.multipliers().update(result.violations());
    } catch (EvaluationException | ArithmeticException e) {
      throw new BatchException("%s: %s".formatted(file.path(), e.getMessage()), e);
    }
    Map<String, Double> metrics = new LinkedHashMap<>();
    for (int i = 0; i < signature.metrics().size(); i++) {
      metrics.put(signature.metrics().get(i), result.metrics()[i]);
    }
    Map<String, Tensor> gradients = new LinkedHashMap<>();
    for (Input input : signature.inputs()) {
      HiddenStates.Made made = packed.made().get(input.name());
      if (input.trained() && made != null) {
        float[] states = Objects.requireNonNull(made.logits().hiddenGradient());
        float[] head = Objects.requireNonNull(made.head().gradient());
        int[] places = packed.positions().get(input.sequence());
        gradients.put(
            "grad." + made.names().hidden(),
            laidOut(made.names().hidden(), new Column.Floats(states), places, file, workers));
        gradients.put(
            "grad." + made.names().head(),
            laidOut(made.names().head(), new Column.Floats(head), new int[] {0}, file, workers));
      } else if (input.trained()) {
        Column gradient = result.gradientColumn(input.name());
        boolean perToken = input.level() == Level.TOKEN || input.level() == Level.VOCAB;
        int[] places =
            perToken
                ? packed.positions().get(input.sequence())
                : IntStream.range(0, gradient.length()).toArray();
        gradients.put(
            "grad." + input.name(), laidOut(input.name(), gradient, places, file, workers));
      }
    }
    Map<String, Tensor> kept = new LinkedHashMap<>(packed.multipliers().tensors());
    for (Signature.State state : signature.states()) {
      Double next = metrics.get(state.name());
      if (next != null) {
        kept.put(state.input(), Tensor.of(List.of(), next));
      }
    }
    return new BatchEvaluation(
        result.loss(), metrics, kept, gradients, emptyMasks(signature, packed, file));
  }

  private static List<String> emptyMasks(Signature signature, PackedBatch packed, TensorFile file) {
    List<String> empty = new ArrayList<>();
    packed
        .positions()
        .forEach((sequence, places) -> {
          String mask = signature.sequences().size() > 1 ? sequence + ".mask" : "mask";
          if (places.length == 0 && file.tensors().containsKey(mask)) {
            empty.add(mask);
          }
        });
    return empty;
  }

  /** All of it under contract names: {@code loss}, {@code metric.NAME}, the rest as they are. */
  public Map<String, Tensor> tensors() {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
    tensors.put("loss", Tensor.of(List.of(), loss));
    metrics.forEach((name, value) -> tensors.put("metric." + name, Tensor.of(List.of(), value)));
    tensors.putAll(multipliers);
    tensors.putAll(gradients);
    return tensors;
  }

  /**
   * {@code loss}, {@code metric.NAME} and {@code multiplier.NAME} as one JSON object on one line;
   * infinity and NaN are the strings {@code "Infinity"}, {@code "-Infinity"} and {@code "NaN"}.
   */
  public String json() {
    Map<String, Object> numbers = new LinkedHashMap<>();
    numbers.put("loss", loss);
    metrics.forEach((name, value) -> numbers.put("metric." + name, value));
    multipliers.forEach((name, tensor) -> {
      List<Double> values = LongStream.range(0, tensor.count()).mapToObj(tensor::real).toList();
      numbers.put(name, tensor.shape().isEmpty() ? values.getFirst() : values);
    });
    return JsonTensors.MAPPER.writeValueAsString(numbers);
  }

  /**
   * A gradient in the shape and type of the tensor that it is for.
   *
   * @param places where each entry of the packed gradient belongs
   */
  private static Tensor laidOut(
      String name, Column gradient, int @Nullable [] places, TensorFile file, Workers workers) {
    Tensor given = file.tensors().get(name);
    if (given == null || places == null) {
      throw new IllegalStateException("the trained input `" + name + "` was not packed");
    }
    ElementType type = file.format().typed() ? given.type() : ElementType.F64;
    Tensor tensor = Tensor.zeros(type, given.shape());
    int width = places.length == 0 ? 0 : gradient.length() / places.length;
    workers.run(
        places.length,
        (from, to) -> {
          for (int p = from; p < to; p++) {
            for (int e = 0; e < width; e++) {
              long index = (long) places[p] * width + e;
              double value = gradient.get(p * width + e);
              type.write(tensor.data(), index, value);
              if (!Double.isFinite(tensor.real(index))) {
                throw new BatchException(
                    "%s: the gradient for tensor `%s` is %s at index %s%s"
                        .formatted(
                            file.path(),
                            name,
                            value,
                            tensor.place(index),
                            Double.isFinite(value) ? ", more than " + type.word() + " holds" : ""));
              }
            }
          }
        });
    return tensor;
  }
}
