package org.alignlang.cli.eval;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.LongStream;
import org.alignlang.cli.BackEndChoice;
import org.alignlang.cli.ObjectiveName;
import org.alignlang.cli.Output;
import org.alignlang.cli.SpecFile;
import org.alignlang.cli.Specs;
import org.alignlang.cli.UserError;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.batch.BatchContract;
import org.alignlang.runtime.batch.BatchEvaluation;
import org.alignlang.runtime.batch.BatchException;
import org.alignlang.runtime.batch.Tensor;
import org.alignlang.runtime.batch.TensorFile;
import org.alignlang.runtime.batch.TensorFormat;
import org.alignlang.runtime.train.WorkerPool;

/**
 * One evaluation of an objective on a batch.
 *
 * @param spec the objective
 * @param batch the tensors that it reads
 * @param gradient where to write what it finds, if anywhere
 * @param values values for the objective's parameters
 * @param threads how many threads work; one per processor if not given
 * @param backEnd the name of what runs the kernel; the standard one if empty
 */
public record EvalRun(
    ObjectiveName spec,
    Path batch,
    Optional<Path> gradient,
    Map<String, Expression> values,
    Optional<Integer> threads,
    Optional<String> backEnd) {
  private static final int MOST_THREADS = 4096;

  /**
   * Evaluates and prints.
   *
   * @param json whether to print one JSON object in place of a table
   * @throws UserError if the batch does not fit, or a file cannot be read or written
   */
  public void run(Output output, boolean json) {
    int workersWanted = threads.orElse(Runtime.getRuntime().availableProcessors());
    if (workersWanted < 1 || workersWanted > MOST_THREADS) {
      throw new UserError(
          "`--threads` is a whole number from 1 to %d, not %d"
              .formatted(MOST_THREADS, workersWanted));
    }
    if (threads.isPresent() && backEnd.filter(BackEnds.TORNADO.name()::equals).isPresent()) {
      throw new UserError("`--threads` is about the processor, and a device has its own");
    }
    BackEnd lowering = lowering();
    try {
      gradient.ifPresent(this::requireOutput);
      TensorFile file = TensorFile.read(batch);
      CheckedObjective objective = objective(file.tensors().keySet());
      double[] parameters = parameters(objective.signature());
      ObjectiveKernel kernel = lowering.kernel(objective);
      BatchEvaluation evaluation;
      try (WorkerPool workers = new WorkerPool(workersWanted)) {
        evaluation = BatchEvaluation.of(kernel, parameters, file, workers);
      }
      if (!evaluation.empty().isEmpty()) {
        output.note(
            "warning: %s 0 everywhere, so that nothing in %s counts; the loss is that of no data"
                .formatted(
                    String.join(" and ", evaluation.empty())
                        + (evaluation.empty().size() == 1 ? " is" : " are"),
                    batch));
      }
      if (evaluation.empty().isEmpty() && isZero(evaluation)) {
        output.note(
            "warning: the gradient is 0 everywhere"
                + (haveOneRowEach(objective.signature(), file)
                    ? ": every prompt of %s has one response, and so nothing to be compared with"
                        .formatted(batch)
                    : ""));
      }
      gradient.ifPresent(path -> TensorFile.write(path, evaluation.tensors()));
      if (json) {
        output.out().println(evaluation.json());
      } else {
        print(evaluation, output.out());
      }
    } catch (BatchException e) {
      throw new UserError(String.valueOf(e.getMessage()));
    }
  }

  private static boolean isZero(BatchEvaluation evaluation) {
    return evaluation.gradients().values().stream()
        .allMatch(g -> LongStream.range(0, g.count()).allMatch(i -> g.real(i) == 0));
  }

  /** Whether no two rows are of one prompt, where an objective compares rows of a prompt. */
  private static boolean haveOneRowEach(Signature signature, TensorFile file) {
    Tensor group = file.tensors().get("group");
    return signature.grouped()
        && group != null
        && LongStream.range(0, group.count()).map(group::integer).distinct().count()
            == group.count();
  }

  private BackEnd lowering() {
    return BackEndChoice.of(backEnd);
  }

  /** Complains before the work is done, and never writes over the batch. */
  private void requireOutput(Path path) {
    TensorFormat.ofOutput(path);
    try {
      if (Files.exists(path) && Files.exists(batch) && Files.isSameFile(path, batch)) {
        throw new UserError("--grad would overwrite the batch " + batch);
      }
    } catch (IOException e) {
      throw new UserError("cannot compare " + path + " and " + batch + ": " + e.getMessage());
    }
  }

  /** The objective, reading logits wherever the batch has them in place of log-probabilities. */
  private CheckedObjective objective(Set<String> tensors) {
    SpecFile file = Specs.load(spec.file()).requireClean();
    CheckedObjective objective = file.objective(spec.objective(), values, Set.of());
    Set<String> logits = BatchContract.actorsWithLogits(objective.signature(), tensors);
    return logits.isEmpty() ? objective : file.objective(spec.objective(), values, logits);
  }

  private static double[] parameters(Signature signature) {
    List<Signature.Parameter> parameters = signature.parameters();
    double[] values = new double[parameters.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = parameters.get(i).defaultValue();
      if (Double.isNaN(values[i])) {
        String name = parameters.get(i).name();
        throw new UserError(
            "parameter `%s` of `%s` has no default; give it a value with -s %s=..."
                .formatted(name, signature.objective(), name));
      }
    }
    return values;
  }

  private void print(BatchEvaluation evaluation, PrintWriter out) {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("loss", number(evaluation.loss()));
    evaluation.metrics().forEach((name, value) -> lines.put("metric." + name, number(value)));
    evaluation.multipliers().forEach((name, tensor) -> lines.put(name, number(tensor.real(0))));
    evaluation
        .gradients()
        .forEach((name, tensor) ->
            lines.put(
                name,
                "%s  (norm of %s, %s)"
                    .formatted(number(norm(tensor)), tensor.shape(), tensor.type().word())));
    int width = lines.keySet().stream().mapToInt(String::length).max().orElse(0);
    lines.forEach((name, text) -> out.println(name + " ".repeat(width - name.length() + 2) + text));
    gradient.ifPresent(path -> out.println("written to " + path));
  }

  private static double norm(Tensor tensor) {
    return Math.sqrt(
        LongStream.range(0, tensor.count())
            .mapToDouble(tensor::real)
            .map(value -> value * value)
            .sum());
  }

  /** As many digits as tell it from every other number. */
  private static String number(double value) {
    return (value < 0 ? "" : " ") + value;
  }
}
