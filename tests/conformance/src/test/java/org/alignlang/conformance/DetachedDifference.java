package org.alignlang.conformance;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Substitution;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Central differences of a loss in which what is detached stands still: every stopped value becomes
 * a column that is computed once, from the batch as it is.
 */
public final class DetachedDifference {
  private static final double STEP = 1e-5;

  private DetachedDifference() {}

  /** The slope of the loss along a direction in the space of the trained inputs. */
  public static double along(
      CheckedObjective objective,
      Batch batch,
      Map<String, double[]> direction,
      double[] parameters,
      double[] multipliers) {
    Node loss = objective.program().loss();
    Interpreter interpreter = new Interpreter(batch, parameters, multipliers);
    Map<Node, Node> frozen = new HashMap<>();
    Map<String, double[]> columns = new LinkedHashMap<>();
    for (Node node : ObjectiveProgram.reachable(List.of(loss))) {
      if (node.operation() instanceof Operation.Stop) {
        String name = "frozen." + node.number();
        Level level = node.domain().level();
        columns.put(name, interpreter.value(node));
        frozen.put(
            node,
            objective
                .builder()
                .input(
                    new Signature.Input(
                        name, Signature.Role.COLUMN, "", node.domain().owner(), level, 0, false),
                    0));
      }
    }
    Node held = new Substitution(objective.builder(), frozen).apply(loss);
    double above = value(objective, batch, direction, columns, held, parameters, multipliers, STEP);
    double below =
        value(objective, batch, direction, columns, held, parameters, multipliers, -STEP);
    return (above - below) / (2 * STEP);
  }

  private static double value(
      CheckedObjective objective,
      Batch batch,
      Map<String, double[]> direction,
      Map<String, double[]> columns,
      Node loss,
      double[] parameters,
      double[] multipliers,
      double step) {
    Batch.Builder moved = Batch.builder(batch.rows()).vocabulary(batch.vocabulary());
    if (batch.groups() > 0) {
      moved.groupBy(batch.groupOf());
    }
    Signature signature = objective.signature();
    signature.sequences().forEach(s -> moved.sequence(s, batch.offsets(s)));
    for (Signature.Input input : signature.inputs()) {
      if (input.role() == Signature.Role.TOKENS) {
        moved.tokens(input.sequence(), batch.tokens(input.sequence()));
        continue;
      }
      double[] values = batch.column(input.name()).clone();
      double[] by = direction.get(input.name());
      for (int e = 0; by != null && e < values.length; e++) {
        values[e] += step * by[e];
      }
      moved.column(input.name(), values);
    }
    columns.forEach(moved::column);
    return new Interpreter(moved.build(), parameters, multipliers).value(loss)[0];
  }
}
