package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.reference.InterpretedKernel;
import org.alignlang.conformance.RandomBatches.Regime;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Objectives and estimators of the standard library against the formulas of their papers, written
 * out as plain loops: the loss and its gradient for every token.
 */
class LossOracleTest {
  private static final List<StandardObjectives.Variant> ALL = StandardObjectives.all();

  private static double s(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double logS(double x) {
    return -Math.log1p(Math.exp(-x));
  }

  /**
   * A pair: summed log-probabilities of chosen and rejected under policy and reference, and
   * lengths.
   *
   * @param perToken pairs per chosen token of the batch
   */
  record Pair(
      double c, double j, double refC, double refJ, int lengthC, int lengthJ, double perToken) {
    double hC() {
      return c - refC;
    }

    double hJ() {
      return j - refJ;
    }

    double meanC() {
      return c / lengthC;
    }

    double meanJ() {
      return j / lengthJ;
    }
  }

  /** The loss of a pair, with its derivatives in the two summed log-probabilities. */
  record Loss(double value, double byC, double byJ) {
    /** A function of {@code scale (a - b)}, with a and b linear in the sums. */
    static Loss ofMargin(double value, double slope, double byC, double byJ) {
      return new Loss(value, slope * byC, slope * byJ);
    }
  }

  interface PairOracle {
    Loss of(Pair p);
  }

  // All parameters are the defaults of the library.
  private static final Map<String, PairOracle> PAIRS =
      Map.ofEntries(
          Map.entry(
              "Dpo",
              p -> {
                double m = 0.1 * (p.hC() - p.hJ());
                return Loss.ofMargin(-logS(m), -s(-m), 0.1, -0.1);
              }),
          Map.entry(
              "ConservativeDpo",
              p -> {
                double m = 0.1 * (p.hC() - p.hJ());
                return Loss.ofMargin(
                    -0.9 * logS(m) - 0.1 * logS(-m), -0.9 * s(-m) + 0.1 * s(m), 0.1, -0.1);
              }),
          Map.entry(
              "RobustDpo",
              p -> {
                double m = 0.1 * (p.hC() - p.hJ());
                return Loss.ofMargin(
                    (-0.9 * logS(m) + 0.1 * logS(-m)) / 0.8,
                    (-0.9 * s(-m) - 0.1 * s(m)) / 0.8,
                    0.1,
                    -0.1);
              }),
          Map.entry(
              "LengthNormalizedDpo",
              p -> {
                double m = 5 * (p.hC() / p.lengthC() - p.hJ() / p.lengthJ());
                return Loss.ofMargin(-logS(m), -s(-m), 5.0 / p.lengthC(), -5.0 / p.lengthJ());
              }),
          Map.entry(
              "HingeDpo",
              p -> {
                double m = 0.1 * (p.hC() - p.hJ());
                return Loss.ofMargin(Math.max(0, 1 - m), m < 1 ? -1 : 0, 0.1, -0.1);
              }),
          Map.entry(
              "Ipo",
              p -> {
                double d = p.hC() - p.hJ() - 5;
                return Loss.ofMargin(d * d, 2 * d, 1, -1);
              }),
          Map.entry(
              "IpoMean",
              p -> {
                double d = p.hC() / p.lengthC() - p.hJ() / p.lengthJ() - 5;
                return Loss.ofMargin(d * d, 2 * d, 1.0 / p.lengthC(), -1.0 / p.lengthJ());
              }),
          Map.entry(
              "SimPo",
              p -> {
                double m = 2 * (p.meanC() - p.meanJ()) - 1;
                return Loss.ofMargin(-logS(m), -s(-m), 2.0 / p.lengthC(), -2.0 / p.lengthJ());
              }),
          Map.entry(
              "Cpo",
              p -> {
                double m = 0.1 * (p.c() - p.j());
                return new Loss(
                    -logS(m) - p.c() * p.perToken(), -0.1 * s(-m) - p.perToken(), 0.1 * s(-m));
              }),
          Map.entry(
              "Orpo",
              p -> {
                double pC = Math.exp(p.meanC());
                double pJ = Math.exp(p.meanJ());
                double m = Math.log(pC / (1 - pC)) - Math.log(pJ / (1 - pJ));
                double slope = -0.1 * s(-m);
                return new Loss(
                    -p.meanC() - 0.1 * logS(m),
                    (-1 + slope / (1 - pC)) / p.lengthC(),
                    -slope / (1 - pJ) / p.lengthJ());
              }),
          Map.entry(
              "Slic",
              p -> {
                double gap = p.c() - p.j();
                double slope = gap < 1 ? -1 : 0;
                return new Loss(Math.max(0, 1 - gap) - 0.01 * p.c(), slope - 0.01, -slope);
              }),
          Map.entry(
              "ExoPair",
              p -> {
                double m = 0.1 * (p.hC() - p.hJ());
                double q = s(m);
                double value = q * Math.log(q / 0.999) + (1 - q) * Math.log((1 - q) / 0.001);
                double slope = q * (1 - q) * (Math.log(q / 0.999) - Math.log((1 - q) / 0.001));
                return Loss.ofMargin(value, slope, 0.1, -0.1);
              }),
          Map.entry(
              "NcaPair",
              p -> {
                double a = 0.1 * p.hC();
                double b = 0.1 * p.hJ();
                return new Loss(
                    -logS(a) - 0.5 * logS(-a) - 0.5 * logS(-b),
                    0.1 * (-s(-a) + 0.5 * s(a)),
                    0.1 * 0.5 * s(b));
              }),
          Map.entry(
              "SppoHard",
              p -> {
                double a = p.hC() - 5;
                double b = p.hJ() + 5;
                return new Loss(a * a + b * b, 2 * a, 2 * b);
              }),
          Map.entry(
              "ApoZero",
              p -> {
                double a = 0.1 * p.hC();
                double b = 0.1 * p.hJ();
                return new Loss(1 - s(a) + s(b), -0.1 * s(a) * s(-a), 0.1 * s(b) * s(-b));
              }),
          Map.entry(
              "ApoDown",
              p -> {
                double a = 0.1 * p.hC();
                double d = 0.1 * (p.hC() - p.hJ());
                double slope = s(d) * s(-d);
                return new Loss(s(a) + 1 - s(d), 0.1 * (s(a) * s(-a) - slope), 0.1 * slope);
              }));

  private static CheckedObjective objective(String name) {
    return ALL.stream()
        .filter(v -> v.name().endsWith(":" + name))
        .map(StandardObjectives.Variant::simplified)
        .findFirst()
        .orElseThrow();
  }

  private static final double[] MULTIPLIERS = {0.3, 1.3};

  private static Evaluation evaluate(CheckedObjective objective, Batch batch) {
    Evaluation evaluation = new Evaluation(objective.signature(), batch);
    new InterpretedKernel(objective.program())
        .evaluate(
            batch,
            objective.signature().parameters().stream()
                .mapToDouble(Signature.Parameter::defaultValue)
                .toArray(),
            Arrays.copyOf(MULTIPLIERS, objective.signature().constraints().size()),
            evaluation,
            Workers.serial());
    return evaluation;
  }

  private static double[] sums(Batch batch, String sequence, String column) {
    double[] values = batch.column(column);
    int[] offsets = batch.offsets(sequence);
    double[] sums = new double[batch.rows()];
    for (int i = 0; i < batch.rows(); i++) {
      for (int t = offsets[i]; t < offsets[i + 1]; t++) {
        sums[i] += values[t];
      }
    }
    return sums;
  }

  private static int length(Batch batch, String sequence, int row) {
    return batch.offsets(sequence)[row + 1] - batch.offsets(sequence)[row];
  }

  private static void assertGradient(
      String what, Batch batch, String sequence, double[] actual, double[] perRow) {
    int[] offsets = batch.offsets(sequence);
    for (int i = 0; i < batch.rows(); i++) {
      for (int t = offsets[i]; t < offsets[i + 1]; t++) {
        assertClose(what + " gradient at row " + i, actual[t], perRow[i]);
      }
    }
  }

  private static void assertClose(String what, double actual, double expected) {
    assertThat(Math.abs(actual - expected))
        .as("%s: %s for %s", what, actual, expected)
        .isLessThanOrEqualTo(1e-11 * (1 + Math.abs(expected)));
  }

  static List<String> pairLosses() {
    return PAIRS.keySet().stream().sorted().toList();
  }

  @ParameterizedTest
  @MethodSource("pairLosses")
  void aPreferenceLossIsItsFormula(String name) {
    CheckedObjective objective = objective(name);
    for (Regime regime : List.of(Regime.ORDINARY, Regime.ONE_TOKEN, Regime.ONE_ROW)) {
      for (long seed = 1; seed <= 5; seed++) {
        Batch batch = RandomBatches.of(objective.signature(), regime, seed);
        Evaluation actual = evaluate(objective, batch);
        double[] c = sums(batch, "chosen", "chosen.logp");
        double[] j = sums(batch, "rejected", "rejected.logp");
        boolean referenced = batch.has("chosen.ref.logp");
        double[] refC =
            referenced ? sums(batch, "chosen", "chosen.ref.logp") : new double[c.length];
        double[] refJ =
            referenced ? sums(batch, "rejected", "rejected.ref.logp") : new double[j.length];
        int rows = batch.rows();
        double loss = 0;
        double[] byC = new double[rows];
        double[] byJ = new double[rows];
        for (int i = 0; i < rows; i++) {
          Loss one =
              PAIRS
                  .get(name)
                  .of(
                      new Pair(
                          c[i],
                          j[i],
                          refC[i],
                          refJ[i],
                          length(batch, "chosen", i),
                          length(batch, "rejected", i),
                          rows / (double) batch.offsets("chosen")[rows]));
          loss += one.value() / rows;
          byC[i] = one.byC() / rows;
          byJ[i] = one.byJ() / rows;
        }
        assertClose(name, actual.loss(), loss);
        assertGradient(name, batch, "chosen", actual.gradient("chosen.logp"), byC);
        assertGradient(name, batch, "rejected", actual.gradient("rejected.logp"), byJ);
      }
    }
  }

  // Unpaired losses.

  @Test
  void ktoIsItsFormula() {
    for (String name : List.of("Kto", "KtoMismatched", "Bco")) {
      CheckedObjective objective = objective(name);
      for (long seed = 1; seed <= 5; seed++) {
        Batch batch = RandomBatches.of(objective.signature(), Regime.ORDINARY, seed);
        Evaluation actual = evaluate(objective, batch);
        double[] policy = sums(batch, "y", "logp");
        double[] reference = sums(batch, "y", "ref.logp");
        double[] label = batch.column("label");
        int rows = batch.rows();
        double z = 0;
        for (int i = 0; i < rows; i++) {
          z +=
              (name.equals("Kto")
                      ? policy[i] - reference[i]
                      : name.equals("Bco") ? 0 : batch.column("feature.mismatched")[i])
                  / rows;
        }
        z = Math.max(z, 0);
        double loss = 0;
        double[] slope = new double[rows];
        for (int i = 0; i < rows; i++) {
          double h = policy[i] - reference[i];
          if (name.equals("Bco")) {
            double m = 0.1 * h - batch.column("feature.delta")[i];
            loss += (label[i] == 1 ? -logS(m) : -logS(-m)) / rows;
            slope[i] = 0.1 * (label[i] == 1 ? -s(-m) : s(m)) / rows;
          } else {
            double v = 0.1 * (h - z);
            loss += (label[i] == 1 ? 1 - s(v) : 1 - s(-v)) / rows;
            slope[i] = 0.1 * (label[i] == 1 ? -1 : 1) * s(v) * s(-v) / rows;
          }
        }
        assertClose(name, actual.loss(), loss);
        assertGradient(name, batch, "y", actual.gradient("logp"), slope);
      }
    }
  }

  // Expectations: the return of each row, then the estimator.

  /** Leave-one-out advantages, loss and gradient, from the returns. */
  private static void assertLeaveOneOut(String name, double[] returns, Batch batch, Evaluation e) {
    double[] policy = sums(batch, "y", "logp");
    int rows = batch.rows();
    double loss = 0;
    double[] slope = new double[rows];
    for (int i = 0; i < rows; i++) {
      double others = 0;
      int count = 0;
      for (int k = 0; k < rows; k++) {
        if (k != i && batch.groupOf()[k] == batch.groupOf()[i]) {
          others += returns[k];
          count++;
        }
      }
      double advantage = count == 0 ? 0 : returns[i] - others / count;
      loss -= policy[i] * advantage / rows;
      slope[i] = -advantage / rows;
    }
    assertClose(name, e.loss(), loss);
    assertGradient(name, batch, "y", e.gradient("logp"), slope);
  }

  @Test
  void regularisedAndConstrainedReturnsAreTheirFormulas() {
    for (String name : List.of("Rlhf", "FitTarget", "SafeRlhf", "ConstrainedRlhf", "KlBudget")) {
      CheckedObjective objective = objective(name);
      for (long seed = 1; seed <= 5; seed++) {
        Batch batch = RandomBatches.of(objective.signature(), Regime.ORDINARY, seed);
        double[] policy = sums(batch, "y", "logp");
        double[] reference = sums(batch, "y", "ref.logp");
        double[] returns = new double[batch.rows()];
        for (int i = 0; i < returns.length; i++) {
          double x = policy[i] - reference[i];
          returns[i] =
              switch (name) {
                case "Rlhf" -> batch.column("reward.score")[i] - 0.05 * x;
                case "KlBudget" -> batch.column("reward.score")[i] - 0.3 * x;
                case "SafeRlhf" ->
                    (batch.column("reward.helpful")[i]
                            - 0.02 * x
                            - 0.3 * batch.column("reward.cost")[i])
                        / 1.3;
                case "ConstrainedRlhf" ->
                    -x
                        + 0.3 * batch.column("reward.helpful")[i]
                        - 1.3 * batch.column("reward.harm")[i];
                default -> {
                  // -f'(pi / p) = -log s(log pi - log p) up to a constant, log p = log P - log Z, Z
                  // the
                  // mean of P / pi over the prompt's samples.
                  double z = 0;
                  int count = 0;
                  for (int k = 0; k < returns.length; k++) {
                    if (batch.groupOf()[k] == batch.groupOf()[i]) {
                      z += Math.exp(reference[k] + batch.column("reward.score")[k] - policy[k]);
                      count++;
                    }
                  }
                  double logP =
                      reference[i] + batch.column("reward.score")[i] - Math.log(z / count);
                  yield -logS(policy[i] - logP);
                }
              };
        }
        assertLeaveOneOut(name, returns, batch, evaluate(objective, batch));
      }
    }
  }

  private static double mean(Batch batch, double[] values, int row, boolean group) {
    double sum = 0;
    int count = 0;
    for (int k = 0; k < values.length; k++) {
      if (!group || batch.groupOf()[k] == batch.groupOf()[row]) {
        sum += values[k];
        count++;
      }
    }
    return sum / count;
  }

  private static double deviation(Batch batch, double[] values, int row) {
    double mean = mean(batch, values, row, true);
    double sum = 0;
    int count = 0;
    for (int k = 0; k < values.length; k++) {
      if (batch.groupOf()[k] == batch.groupOf()[row]) {
        sum += (values[k] - mean) * (values[k] - mean);
        count++;
      }
    }
    return Math.sqrt(sum / Math.max(count - 1, 1));
  }

  static List<String> estimators() {
    return List.of("reinforce", "rloo", "ppo", "grpo", "dr_grpo", "dapo", "gspo", "cispo");
  }

  @ParameterizedTest
  @MethodSource("estimators")
  void anEstimatorIsItsFormula(String name) {
    CheckedObjective objective = objective("With_" + name);
    for (long seed = 1; seed <= 6; seed++) {
      Regime regime = seed % 2 == 0 ? Regime.ORDINARY : Regime.SINGLE_GROUPS;
      Batch batch = RandomBatches.of(objective.signature(), regime, seed);
      Evaluation actual = evaluate(objective, batch);
      double[] policy = sums(batch, "y", "logp");
      double[] reference = sums(batch, "y", "ref.logp");
      int rows = batch.rows();
      int[] offsets = batch.offsets("y");
      double[] returns = new double[rows];
      for (int i = 0; i < rows; i++) {
        returns[i] = batch.column("reward.r")[i] - 0.1 * (policy[i] - reference[i]);
      }
      if (name.equals("rloo")) {
        assertLeaveOneOut(name, returns, batch, actual);
        continue;
      }
      double[] lp = batch.column("logp");
      double[] lo = batch.has("old.logp") ? batch.column("old.logp") : lp;
      double loss = 0;
      double[] gradient = new double[lp.length];
      for (int i = 0; i < rows; i++) {
        double centred = returns[i] - mean(batch, returns, i, !name.equals("reinforce"));
        boolean standardised = List.of("grpo", "dapo", "gspo", "cispo").contains(name);
        double a = standardised ? centred / (deviation(batch, returns, i) + 1e-4) : centred;
        int length = offsets[i + 1] - offsets[i];
        double meanLogRatio = 0;
        for (int t = offsets[i]; t < offsets[i + 1]; t++) {
          meanLogRatio += (lp[t] - lo[t]) / length;
        }
        if (name.equals("gspo")) {
          double ratio = Math.exp(meanLogRatio);
          double clipped = Math.clamp(ratio, 1 - 3e-4, 1 + 4e-4);
          loss -= Math.min(ratio * a, clipped * a) / rows;
        }
        for (int t = offsets[i]; t < offsets[i + 1]; t++) {
          double ratio = Math.exp(lp[t] - lo[t]);
          double weight =
              switch (name) {
                case "ppo", "dapo", "cispo" -> 1.0 / offsets[rows];
                case "grpo" -> 1.0 / (rows * length);
                default -> 1.0 / rows;
              };
          switch (name) {
            case "reinforce" -> {
              loss -= weight * a * lp[t];
              gradient[t] = -weight * a;
            }
            case "cispo" -> {
              double capped = Math.clamp(ratio, 0, 5);
              loss -= weight * capped * a * lp[t];
              gradient[t] = -weight * capped * a;
            }
            case "gspo" -> {
              double whole = Math.exp(meanLogRatio);
              double clipped = Math.clamp(whole, 1 - 3e-4, 1 + 4e-4);
              gradient[t] = whole * a <= clipped * a ? -a * whole / (rows * length) : 0;
            }
            default -> {
              double high = name.equals("dapo") ? 1.28 : 1.2;
              double clipped = Math.clamp(ratio, 0.8, high);
              loss -= weight * Math.min(ratio * a, clipped * a);
              gradient[t] = ratio * a <= clipped * a ? -weight * a * ratio : 0;
            }
          }
        }
      }
      assertClose(name, actual.loss(), loss);
      for (int t = 0; t < gradient.length; t++) {
        assertClose(name + " gradient at token " + t, actual.gradient("logp")[t], gradient[t]);
      }
    }
  }

  @Test
  void theExactEstimatorIsTheSumOverAllResponses() {
    CheckedObjective objective = objective("With_exact");
    for (long seed = 1; seed <= 5; seed++) {
      Batch batch = RandomBatches.of(objective.signature(), Regime.ORDINARY, seed);
      Evaluation actual = evaluate(objective, batch);
      double[] lp = batch.column("logp");
      double[] lr = batch.column("ref.logp");
      double loss = 0;
      for (int i = 0; i < batch.rows(); i++) {
        // One token each: the return is detached, so its slope is pi R over the number of prompts.
        double part =
            Math.exp(lp[i])
                * (batch.column("reward.r")[i] - 0.1 * (lp[i] - lr[i]))
                / batch.groups();
        loss -= part;
        assertClose("exact gradient", actual.gradient("logp")[i], -part);
      }
      assertClose("exact", actual.loss(), loss);
    }
  }

  /** What is not here has vectors of a program of its own: {@link OracleVectorsTest}. */
  @Test
  void everyFormulaHereIsOfTheLibrary() {
    TreeSet<String> known = new TreeSet<>(PAIRS.keySet());
    known.addAll(List.of("Kto", "KtoMismatched", "Bco"));
    known.addAll(List.of("Rlhf", "FitTarget", "SafeRlhf", "ConstrainedRlhf", "KlBudget"));
    estimators().forEach(e -> known.add("With_" + e));
    known.add("With_exact");
    List<String> all = new ArrayList<>();
    for (StandardObjectives.Variant variant : ALL) {
      String name = variant.name().substring(variant.name().lastIndexOf(':') + 1);
      boolean generated = variant.name().startsWith("generated:") && !name.startsWith("With_");
      boolean construct = variant.name().startsWith("constructs:");
      if (!generated && !construct && !name.endsWith(" from logits")) {
        all.add(name);
      }
    }
    assertThat(all).containsAll(known);
  }
}
