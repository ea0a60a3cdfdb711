package org.alignlang.runtime.train;

import java.util.Arrays;
import java.util.List;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Signature.Constraint;
import org.alignlang.kernel.Signature.DualForm;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Parameter;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.experiment.ExperimentPlan.RowFunction;

/** Objectives written out by hand, to be trained in tests. */
public final class HandWrittenKernels {
  private HandWrittenKernels() {}

  @FunctionalInterface
  private interface Body {
    void evaluate(Batch batch, double[] parameters, double[] multipliers, Evaluation result);
  }

  private record Kernel(Signature signature, Body body) implements ObjectiveKernel {
    @Override
    public void evaluate(
        Batch batch,
        double[] parameters,
        double[] multipliers,
        Evaluation result,
        Workers workers) {
      body.evaluate(batch, parameters, multipliers, result);
    }
  }

  public static Input logp(String sequence, String actor) {
    String prefix = sequence.equals("y") ? "" : sequence + ".";
    boolean trained = actor.equals("pi");
    String name = prefix + (trained ? "" : actor + ".") + "logp";
    return new Input(name, Role.LOG_PROBABILITY, actor, sequence, Level.TOKEN, 0, trained);
  }

  public static Input column(String name, Level level) {
    return new Input(name, Role.COLUMN, "", "y", level, 0, false);
  }

  private static Signature signature(
      String name,
      List<String> sequences,
      List<Input> inputs,
      List<String> parameters,
      List<Constraint> constraints,
      List<String> metrics,
      boolean grouped,
      boolean enumerated) {
    return new Signature(
        name,
        "test.align",
        sequences,
        inputs,
        parameters.stream().map(p -> new Parameter(p, Double.NaN, false)).toList(),
        constraints,
        metrics,
        List.of(),
        true,
        grouped,
        enumerated,
        java.util.Map.of());
  }

  private static double sum(double[] column, int[] offsets, int row) {
    double sum = 0;
    for (int t = offsets[row]; t < offsets[row + 1]; t++) {
      sum += column[t];
    }
    return sum;
  }

  private static void fill(double[] gradient, int[] offsets, int row, double value) {
    Arrays.fill(gradient, offsets[row], offsets[row + 1], value);
  }

  /** Maximises {@code E[reward] - beta KL(pi || ref)}, exactly; metric {@code kl}. */
  public static ObjectiveKernel exactRegularised(String reward) {
    Signature signature =
        signature(
            "ExactRegularised",
            List.of("y"),
            List.of(logp("y", "pi"), logp("y", "ref"), column("reward." + reward, Level.SEQUENCE)),
            List.of("beta"),
            List.of(),
            List.of("kl"),
            true,
            true);
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          double beta = parameters[0];
          int[] offsets = batch.offsets("y");
          double loss = 0;
          double kl = 0;
          for (int row = 0; row < batch.rows(); row++) {
            double own = sum(batch.column("logp"), offsets, row);
            double ratio = own - sum(batch.column("ref.logp"), offsets, row);
            double weight = Math.exp(own) / batch.groups();
            double gain = batch.column("reward." + reward)[row] - beta * ratio;
            loss -= weight * gain;
            kl += weight * ratio;
            fill(result.gradient("logp"), offsets, row, -weight * (gain - beta));
          }
          result.setLoss(loss);
          result.metrics()[0] = kl;
        });
  }

  /** Maximises {@code E[helpful]} under {@code E[harm] <= budget}, exactly. */
  public static ObjectiveKernel exactConstrained() {
    Signature signature =
        signature(
            "ExactConstrained",
            List.of("y"),
            List.of(
                logp("y", "pi"),
                logp("y", "ref"),
                column("reward.helpful", Level.SEQUENCE),
                column("reward.harm", Level.SEQUENCE)),
            List.of("beta", "budget"),
            List.of(
                new Constraint(
                    "harm",
                    "lambda",
                    "<=",
                    DualForm.PROJECTED,
                    0,
                    0.5,
                    0,
                    0,
                    0,
                    Double.POSITIVE_INFINITY)),
            List.of("harm"),
            true,
            true);
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          int[] offsets = batch.offsets("y");
          double loss = 0;
          double harm = 0;
          for (int row = 0; row < batch.rows(); row++) {
            double own = sum(batch.column("logp"), offsets, row);
            double ratio = own - sum(batch.column("ref.logp"), offsets, row);
            double weight = Math.exp(own) / batch.groups();
            double gain =
                batch.column("reward.helpful")[row]
                    - multipliers[0] * batch.column("reward.harm")[row]
                    - parameters[0] * ratio;
            loss -= weight * gain;
            harm += weight * batch.column("reward.harm")[row];
            fill(result.gradient("logp"), offsets, row, -weight * (gain - parameters[0]));
          }
          result.setLoss(loss - multipliers[0] * parameters[1]);
          result.metrics()[0] = harm;
          result.violations()[0] = harm - parameters[1];
        });
  }

  /** REINFORCE with the mean of the group's other rewards as baseline (leave one out). */
  public static ObjectiveKernel reinforce(String reward) {
    Signature signature =
        signature(
            "Reinforce",
            List.of("y"),
            List.of(logp("y", "pi"), column("reward." + reward, Level.SEQUENCE)),
            List.of(),
            List.of(),
            List.of("reward"),
            true,
            false);
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          int[] offsets = batch.offsets("y");
          double[] rewards = batch.column("reward." + reward);
          double[] totals = new double[batch.groups()];
          int[] sizes = new int[batch.groups()];
          for (int row = 0; row < batch.rows(); row++) {
            totals[batch.groupOf()[row]] += rewards[row];
            sizes[batch.groupOf()[row]]++;
          }
          double loss = 0;
          for (int row = 0; row < batch.rows(); row++) {
            int group = batch.groupOf()[row];
            double baseline = (totals[group] - rewards[row]) / (sizes[group] - 1);
            double advantage = (rewards[row] - baseline) / batch.rows();
            loss -= advantage * sum(batch.column("logp"), offsets, row);
            fill(result.gradient("logp"), offsets, row, -advantage);
          }
          result.setLoss(loss);
          result.metrics()[0] = Arrays.stream(rewards).average().orElse(Double.NaN);
        });
  }

  /** The importance-weighted policy gradient, per sequence; metric {@code ratio} is its mean. */
  public static ObjectiveKernel importanceWeighted(String reward) {
    Signature signature =
        signature(
            "ImportanceWeighted",
            List.of("y"),
            List.of(logp("y", "pi"), logp("y", "old"), column("reward." + reward, Level.SEQUENCE)),
            List.of(),
            List.of(),
            List.of("ratio", "deviation"),
            false,
            false);
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          int[] offsets = batch.offsets("y");
          double loss = 0;
          double mean = 0;
          double deviation = 0;
          for (int row = 0; row < batch.rows(); row++) {
            double ratio =
                Math.exp(
                    sum(batch.column("logp"), offsets, row)
                        - sum(batch.column("old.logp"), offsets, row));
            double weight = batch.column("reward." + reward)[row] / batch.rows();
            loss -= weight * ratio;
            mean += ratio / batch.rows();
            deviation = Math.max(deviation, Math.abs(ratio - 1));
            fill(result.gradient("logp"), offsets, row, -weight * ratio);
          }
          result.setLoss(loss);
          result.metrics()[0] = mean;
          result.metrics()[1] = deviation;
        });
  }

  /** Direct preference optimisation. */
  public static ObjectiveKernel dpo() {
    Signature signature =
        signature(
            "Dpo",
            List.of("chosen", "rejected"),
            List.of(
                logp("chosen", "pi"),
                logp("chosen", "ref"),
                logp("rejected", "pi"),
                logp("rejected", "ref")),
            List.of("beta"),
            List.of(),
            List.of("margin"),
            false,
            false);
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          int[] chosen = batch.offsets("chosen");
          int[] rejected = batch.offsets("rejected");
          double loss = 0;
          double margins = 0;
          for (int row = 0; row < batch.rows(); row++) {
            double margin =
                sum(batch.column("chosen.logp"), chosen, row)
                    - sum(batch.column("chosen.ref.logp"), chosen, row)
                    - sum(batch.column("rejected.logp"), rejected, row)
                    + sum(batch.column("rejected.ref.logp"), rejected, row);
            double u = parameters[0] * margin;
            loss += (Math.max(-u, 0) + Math.log1p(Math.exp(-Math.abs(u)))) / batch.rows();
            margins += margin / batch.rows();
            double slope = -parameters[0] / (1 + Math.exp(u)) / batch.rows();
            fill(result.gradient("chosen.logp"), chosen, row, slope);
            fill(result.gradient("rejected.logp"), rejected, row, -slope);
          }
          result.setLoss(loss);
          result.metrics()[0] = margins;
        });
  }

  /**
   * The cross-entropy of labelled responses: desirable ones are made likelier, others less likely.
   *
   * @param fromLogits whether the kernel does the softmax itself
   */
  public static ObjectiveKernel labelled(boolean fromLogits) {
    Input policy =
        fromLogits
            ? new Input("logits", Role.LOGITS, "pi", "y", Level.VOCAB, 0, true)
            : logp("y", "pi");
    Signature signature =
        signature(
            "Labelled",
            List.of("y"),
            List.of(policy, column("label", Level.SEQUENCE)),
            List.of(),
            List.of(),
            List.of(),
            false,
            false);
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          int[] offsets = batch.offsets("y");
          double loss = 0;
          for (int row = 0; row < batch.rows(); row++) {
            double weight = (batch.column("label")[row] - 0.5) / batch.rows();
            for (int t = offsets[row]; t < offsets[row + 1]; t++) {
              if (!fromLogits) {
                loss -= weight * batch.column("logp")[t];
                result.gradient("logp")[t] = -weight;
                continue;
              }
              int vocabulary = batch.vocabulary();
              double total = 0;
              for (int v = 0; v < vocabulary; v++) {
                total += Math.exp(batch.column("logits")[t * vocabulary + v]);
              }
              int token = batch.tokens("y")[t];
              loss -= weight * (batch.column("logits")[t * vocabulary + token] - Math.log(total));
              for (int v = 0; v < vocabulary; v++) {
                double probability = Math.exp(batch.column("logits")[t * vocabulary + v]) / total;
                result.gradient("logits")[t * vocabulary + v] =
                    weight * (probability - (v == token ? 1 : 0));
              }
            }
          }
          result.setLoss(loss);
        });
  }

  /** A loss that becomes NaN as soon as the first reward of the batch exceeds a parameter. */
  public static ObjectiveKernel breaking(String reward) {
    Signature signature =
        signature(
            "Breaking",
            List.of("y"),
            List.of(logp("y", "pi"), column("reward." + reward, Level.SEQUENCE)),
            List.of("steps"),
            List.of(),
            List.of("calls"),
            false,
            false);
    int[] calls = new int[1];
    return new Kernel(
        signature,
        (batch, parameters, multipliers, result) -> {
          boolean broken = calls[0]++ >= parameters[0];
          result.setLoss(broken ? Double.NaN : 0);
          result.metrics()[0] = broken ? Double.NaN : calls[0];
        });
  }

  /** A score of the task, one number per response. */
  public static RowFunction score(String name) {
    return new RowFunction() {
      @Override
      public List<Input> inputs() {
        return List.of(column("reward." + name, Level.SEQUENCE));
      }

      @Override
      public double[] apply(Batch batch) {
        return batch.column("reward." + name).clone();
      }
    };
  }
}
