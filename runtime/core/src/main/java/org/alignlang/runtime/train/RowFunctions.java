package org.alignlang.runtime.train;

import java.util.List;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ActorPolicies;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan.RowFunction;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;

/** Evaluates a row function on responses of a task. */
public final class RowFunctions {
  private final RowFunction function;
  private final BatchAssembler assembler;
  private final String sequence;
  private final String owner;

  /**
   * Checks that the task can give what the function reads.
   *
   * @param owner who asks, for messages
   * @throws ExperimentException if it cannot
   */
  public RowFunctions(Task task, RowFunction function, String owner) {
    this.function = function;
    this.owner = owner;
    List<String> sequences =
        function.inputs().stream().map(BatchAssembler::sequence).distinct().toList();
    if (sequences.size() > 1) {
      throw new ExperimentException(
          "%s combines the sequences %s; an expectation is over single responses"
              .formatted(owner, String.join(", ", sequences)));
    }
    sequence = sequences.isEmpty() ? "y" : sequences.getFirst();
    assembler = new BatchAssembler(task, function.inputs(), List.of(sequence), true, owner);
  }

  /** Whether an input sees no more of a response than the step that its token is. */
  public static boolean ofStep(Task task, Input input) {
    return switch (input.role()) {
      case LOG_PROBABILITY, TOKENS -> true;
      case COLUMN -> input.level() == Level.TOKEN && task.markov(BatchAssembler.score(input));
      case LOGITS, LEARNED -> false;
    };
  }

  /** Whether the function's value may change while policies are trained. */
  public boolean changes() {
    return !assembler.actorInputs().isEmpty() || assembler.readsChanging();
  }

  /** One value per response. */
  public double[] apply(List<Response> responses, ActorPolicies actors, Workers workers) {
    int[] groups = responses.stream().mapToInt(Response::prompt).toArray();
    Rows rows = new Rows(List.of(sequence), List.of(responses), groups, new double[0]);
    Batch batch = assembler.lay(rows, workers);
    for (Input input : assembler.actorInputs()) {
      assembler.fill(input, batch, rows, actors.policy(BatchAssembler.actor(input)), workers);
    }
    double[] values = function.apply(batch);
    if (values.length != responses.size()) {
      throw new IllegalStateException(
          "%s gave %d values for %d responses".formatted(owner, values.length, responses.size()));
    }
    return values;
  }
}
