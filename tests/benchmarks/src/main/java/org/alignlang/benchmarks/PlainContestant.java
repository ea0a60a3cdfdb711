package org.alignlang.benchmarks;

import java.util.Map;
import org.alignlang.kernel.Workers;

/** The policy workload as one would write it in Java, with the gradient derived by hand. */
final class PlainContestant implements Contestant {
  private final float[] z;
  private final float[] w;
  private final float[] a;
  private final int[] taken;
  private final int tokens;
  private final int vocabulary;
  private final double beta;
  private final double alpha;
  private final Workers workers;
  private final float[] gradient;
  private final double[] losses;

  PlainContestant(Workload workload, Workers workers) {
    if (workload.kind() != Workload.Kind.POLICY) {
      throw new IllegalArgumentException("not written for " + workload.kind());
    }
    z = workload.floats("logits");
    w = workload.floats("ref.logits");
    a = workload.floats("feature.a");
    taken = workload.batch().tokens("y");
    tokens = workload.tokens();
    vocabulary = workload.shape().vocabulary();
    beta = workload.parameter("beta");
    alpha = workload.parameter("alpha");
    this.workers = workers;
    gradient = new float[z.length];
    losses = new double[tokens];
  }

  @Override
  public void step() {
    workers.run(
        tokens,
        (from, to) -> {
          for (int t = from; t < to; t++) {
            losses[t] = token(t);
          }
        });
  }

  private double token(int t) {
    int first = t * vocabulary;
    double normaliser = logSum(z, first);
    double other = logSum(w, first);
    double kl = 0;
    double entropy = 0;
    for (int v = first; v < first + vocabulary; v++) {
      double p = Math.exp(z[v] - normaliser);
      kl += p * (z[v] - normaliser - (w[v] - other));
      entropy -= p * (z[v] - normaliser);
    }
    for (int v = first; v < first + vocabulary; v++) {
      double logp = z[v] - normaliser;
      double slope = a[t] + beta * (logp - (w[v] - other) - kl) + alpha * (logp + entropy);
      gradient[v] = (float) (Math.exp(logp) * slope / tokens);
    }
    int y = first + taken[t];
    gradient[y] -= a[t] / tokens;
    return -a[t] * (z[y] - normaliser) + beta * kl - alpha * entropy;
  }

  private double logSum(float[] x, int first) {
    float largest = Float.NEGATIVE_INFINITY;
    for (int v = first; v < first + vocabulary; v++) {
      largest = Math.max(largest, x[v]);
    }
    double sum = 0;
    for (int v = first; v < first + vocabulary; v++) {
      sum += Math.exp(x[v] - largest);
    }
    return largest + Math.log(sum);
  }

  @Override
  public double loss() {
    double sum = 0;
    for (double loss : losses) {
      sum += loss;
    }
    return sum / tokens;
  }

  @Override
  public Map<String, float[]> gradients() {
    return Map.of("logits", gradient);
  }
}
