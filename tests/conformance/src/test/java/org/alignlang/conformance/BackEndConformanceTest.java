package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnd;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.conformance.RandomBatches.Regime;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.ObjectiveKernel;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every back end against the reference interpreter, on every objective of the standard library and
 * every kind of batch: loss, metrics, violations and each gradient.
 *
 * <p>A number may be off by a share of itself, of 1 for the loss and metrics, or of the largest
 * number of its gradient, but at least 1e-3, in single precision 5e-3: 1e-9 in double precision,
 * 2e-5 in single. Logits of 1e4 also lose what rounding does to differences of them: 60 times as
 * much in single precision. Where the reference has no finite number for logits of 1e4 or for
 * actors that take different tokens for impossible, or none that single precision holds, nothing is
 * compared.
 */
class BackEndConformanceTest {
  private static final double EXACT = 1e-9;
  private static final double SINGLE = 2e-5;

  static Stream<StandardObjectives.Variant> objectives() {
    return StandardObjectives.all().stream();
  }

  /** A batch and what it is. */
  record Case(String name, Batch batch, Column.Type type) {
    @Override
    public String toString() {
      return name + " in " + type.word();
    }
  }

  static List<Case> cases(Signature signature) {
    List<Case> cases = new ArrayList<>();
    for (Regime regime : Regime.values()) {
      boolean large =
          regime == Regime.ORDINARY
              || regime == Regime.IMPOSSIBLE_TOKENS
              || regime == Regime.DIFFERENT_SUPPORTS;
      Batch batch = RandomBatches.of(signature, regime, 7, 7, large ? 53 : 5);
      for (Column.Type type : List.of(Column.Type.F64, Column.Type.F32)) {
        cases.add(new Case(regime.name(), RandomBatches.as(type, signature, batch), type));
      }
    }
    Batch random = RandomBatches.of(signature, Regime.ORDINARY, 11, 5, 19);
    cases.add(
        new Case(
            "random", RandomBatches.as(Column.Type.BF16, signature, random), Column.Type.BF16));
    cases.add(
        new Case("random", RandomBatches.as(Column.Type.F16, signature, random), Column.Type.F16));
    Batch two = RandomBatches.of(signature, Regime.ORDINARY, 12, 3, 2);
    cases.add(
        new Case(
            "a vocabulary of 2",
            RandomBatches.as(Column.Type.F32, signature, two),
            Column.Type.F32));
    return cases;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("objectives")
  void saysWhatTheReferenceSays(StandardObjectives.Variant variant) {
    CheckedObjective objective = variant.simplified();
    Signature signature = objective.signature();
    ObjectiveKernel reference = BackEnds.REFERENCE.kernel(objective);
    double[] parameters =
        signature.parameters().stream().mapToDouble(p -> p.defaultValue()).toArray();
    double[] multipliers = new double[signature.constraints().size()];
    java.util.Arrays.fill(multipliers, 0.7);
    Map<BackEnd, ObjectiveKernel> kernels = new LinkedHashMap<>();
    for (BackEnd backEnd : BackEnds.all()) {
      if (backEnd != BackEnds.REFERENCE) {
        kernels.put(backEnd, backEnd.kernel(objective));
      }
    }
    assertThat(kernels).containsKeys(BackEnds.JVM, BackEnds.VECTOR);
    for (Case each : cases(signature)) {
      Evaluation expected = new Evaluation(signature, each.batch());
      String failure = run(reference, each, parameters, multipliers, expected);
      kernels.forEach((backEnd, kernel) -> {
        if (backEnd == BackEnds.VECTOR && each.type() == Column.Type.F64) {
          // The loops of the other back end.
          return;
        }
        String what = variant.name() + " on " + backEnd.name() + ", " + each;
        Evaluation actual = new Evaluation(signature, each.batch());
        assertThat(run(kernel, each, parameters, multipliers, actual)).as(what).isEqualTo(failure);
        if (failure.isEmpty()) {
          double share = each.type() == Column.Type.F64 ? EXACT : SINGLE;
          compare(what, signature, each, share, expected, actual);
        }
      });
    }
  }

  static String run(
      ObjectiveKernel kernel,
      Case each,
      double[] parameters,
      double[] multipliers,
      Evaluation result) {
    try {
      kernel.evaluate(each.batch(), parameters, multipliers, result, Workers.serial());
      return "";
    } catch (EvaluationException e) {
      return String.valueOf(e.getMessage());
    }
  }

  static void compare(
      String what,
      Signature signature,
      Case each,
      double share,
      Evaluation expected,
      Evaluation actual) {
    boolean far = each.name().equals(Regime.FAR_LOGITS.name());
    double tolerance = share * (far ? 60 : 1);
    double limit = share == EXACT ? Double.MAX_VALUE : 1e37;
    boolean infinite = far || each.name().equals(Regime.DIFFERENT_SUPPORTS.name());
    if (Double.isFinite(expected.loss()) || !infinite) {
      close(what + ": loss", actual.loss(), expected.loss(), tolerance, 1);
    }
    for (int i = 0; i < expected.metrics().length; i++) {
      if (Double.isFinite(expected.metrics()[i]) || !infinite) {
        close(what + ": metric " + i, actual.metrics()[i], expected.metrics()[i], tolerance, 1);
      }
    }
    for (int i = 0; i < expected.violations().length; i++) {
      if (Double.isFinite(expected.violations()[i]) || !infinite) {
        close(
            what + ": violation " + i,
            actual.violations()[i],
            expected.violations()[i],
            tolerance,
            1);
      }
    }
    for (Signature.Input input : signature.inputs()) {
      if (input.trained()) {
        double[] right = expected.gradient(input.name());
        double[] found = actual.gradient(input.name());
        // A probability of 1 is one up to 6e-8 in single precision.
        double largest = share == EXACT ? 1e-3 : 5e-3;
        for (double g : right) {
          largest = Math.max(largest, Double.isFinite(g) ? Math.abs(g) : 0);
        }
        boolean held = largest < limit && !(infinite && hasInfinity(right));
        for (int i = 0; i < right.length && held; i++) {
          close(
              what + ": gradient of " + input.name() + " at " + i,
              found[i],
              right[i],
              tolerance,
              far ? Math.max(1, largest) : largest);
        }
      }
    }
  }

  private static boolean hasInfinity(double[] numbers) {
    return java.util.Arrays.stream(numbers).anyMatch(x -> !Double.isFinite(x));
  }

  private static void close(
      String what, double actual, double expected, double tolerance, double scale) {
    if (Double.isNaN(expected) || Double.isInfinite(expected)) {
      assertThat(actual).as(what).isEqualTo(Double.valueOf(expected));
      return;
    }
    assertThat(Math.abs(actual - expected))
        .as("%s is %s, the reference says %s", what, actual, expected)
        .isLessThanOrEqualTo(tolerance * Math.max(scale, Math.abs(expected)));
  }
}
