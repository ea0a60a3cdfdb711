package org.alignlang.benchmarks;

import java.util.HashMap;
import java.util.Map;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Workers;

/** A generated kernel. */
final class KernelContestant implements Contestant {
  private final Workload workload;
  private final ObjectiveKernel kernel;
  private final Evaluation result;
  private final double[] parameters;
  private final double[] multipliers = new double[0];
  private final Workers workers;

  KernelContestant(Workload workload, BackEnd backEnd, Workers workers) {
    this.workload = workload;
    this.workers = workers;
    kernel = backEnd.kernel(workload.objective());
    result = new Evaluation(kernel.signature(), workload.batch());
    parameters = workload.parameters();
  }

  @Override
  public void step() {
    kernel.evaluate(workload.batch(), parameters, multipliers, result, workers);
  }

  @Override
  public double loss() {
    return result.loss();
  }

  @Override
  public Map<String, float[]> gradients() {
    Map<String, float[]> gradients = new HashMap<>();
    workload
        .trained()
        .forEach(input -> gradients.put(input, result.gradientColumn(input).toFloats()));
    return gradients;
  }
}
