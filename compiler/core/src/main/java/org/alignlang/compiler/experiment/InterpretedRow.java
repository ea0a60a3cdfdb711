package org.alignlang.compiler.experiment;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntFunction;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.check.RowExpressions;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Signature;
import org.alignlang.runtime.experiment.ExperimentPlan;

/** A number per row, computed by the interpreter. */
final class InterpretedRow implements ExperimentPlan.RowFunction {
  private final RowExpressions.Row row;
  private final double[] parameters;
  private final int constraints;

  InterpretedRow(Node node, CheckedObjective objective, Map<String, Double> parameters) {
    this(
        RowExpressions.Row.of(node),
        objective.signature().parameters().stream()
            .mapToDouble(p -> parameters.getOrDefault(p.name(), p.defaultValue()))
            .toArray(),
        objective.signature().constraints().size());
  }

  InterpretedRow(RowExpressions.Row row, double[] parameters, int constraints) {
    this.row = row;
    this.parameters = parameters.clone();
    this.constraints = constraints;
  }

  @Override
  public List<Signature.Input> inputs() {
    return row.inputs();
  }

  @Override
  public double[] apply(Batch batch) {
    return new Interpreter(batch, parameters, new double[constraints]).value(row.node());
  }

  @Override
  public Optional<IntFunction<ExperimentPlan.RowFunction>> terms() {
    return TokenTerms.of(row.node()).map(terms -> position -> new AtPosition(terms, position));
  }

  /** The terms of tokens at one position. */
  private final class AtPosition implements ExperimentPlan.RowFunction {
    private final TokenTerms terms;
    private final int position;

    private AtPosition(TokenTerms terms, int position) {
      this.terms = terms;
      this.position = position;
    }

    @Override
    public List<Signature.Input> inputs() {
      return row.inputs();
    }

    @Override
    public double[] apply(Batch batch) {
      return terms.at(position, batch, parameters, new double[constraints]);
    }
  }
}
