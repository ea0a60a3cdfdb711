package org.alignlang.compiler.reference;

import java.util.List;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;

/** The reference back end: an objective evaluated by the {@link Interpreter}, in one thread. */
public final class InterpretedKernel implements ObjectiveKernel {
  private final ObjectiveProgram program;

  public InterpretedKernel(ObjectiveProgram program) {
    this.program = program;
  }

  @Override
  public Signature signature() {
    return program.signature();
  }

  @Override
  public void evaluate(
      Batch batch, double[] parameters, double[] multipliers, Evaluation result, Workers workers) {
    signature().checkArguments(parameters, multipliers);
    List<double[]> values =
        new Interpreter(batch, parameters, multipliers).values(program.outputs());
    int next = 0;
    result.setLoss(values.get(next++)[0]);
    for (int i = 0; i < program.metrics().size(); i++) {
      result.metrics()[i] = values.get(next++)[0];
    }
    for (int i = 0; i < program.violations().size(); i++) {
      result.violations()[i] = values.get(next++)[0];
    }
    for (Signature.Input input : program.gradients().keySet()) {
      double[] gradient = values.get(next++);
      System.arraycopy(gradient, 0, result.gradient(input.name()), 0, gradient.length);
    }
  }
}
