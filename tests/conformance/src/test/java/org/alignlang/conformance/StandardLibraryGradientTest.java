package org.alignlang.conformance;

import static org.alignlang.conformance.StandardObjectives.multipliers;
import static org.alignlang.conformance.StandardObjectives.parameters;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.diagnostic.Severity;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.conformance.RandomBatches.Regime;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Signature;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The gradient graph of every objective of the standard library against the interpreter's dual
 * numbers, finite differences, and the graph without simplification.
 */
class StandardLibraryGradientTest {
  private static final List<StandardObjectives.Variant> ALL = StandardObjectives.all();

  @Test
  void everyFileOfTheLibraryIsClean() {
    for (String path : StandardLibrary.paths()) {
      Compilation compilation = StandardObjectives.library(path);
      // What was accepted with a reason is a note.
      assertThat(compilation.diagnostics())
          .as(path)
          .allSatisfy(d -> assertThat(d.severity()).isEqualTo(Severity.NOTE));
      compilation
          .module()
          .declarations()
          .forEach(d -> assertThat(d.documentation()).as(path + " " + d.name()).isNotBlank());
    }
    assertThat(ALL).hasSizeGreaterThan(60);
  }

  private static Interpreter interpreter(CheckedObjective objective, Batch batch) {
    return new Interpreter(batch, parameters(objective), multipliers(objective));
  }

  @ParameterizedTest
  @EnumSource(
      mode = EnumSource.Mode.EXCLUDE,
      names = {"EMPTY_ROWS", "DIFFERENT_SUPPORTS"})
  void theGradientIsThatOfTheDualNumbers(Regime regime) {
    SoftAssertions softly = new SoftAssertions();
    for (StandardObjectives.Variant variant : ALL) {
      // Where a token is all but certain the difference of two probabilities is 1 - 1; and where
      // one
      // distribution is the larger at every place, their distance is that of their sums.
      boolean sums = variant.name().matches(".*:(UldAligned|GoldHybrid)");
      double floor = regime == Regime.FAR_LOGITS || sums ? 1e-15 : 1e-30;
      for (long seed = 1; seed <= 2; seed++) {
        CheckedObjective objective = variant.simplified();
        Batch batch = RandomBatches.of(objective.signature(), regime, seed);
        Interpreter interpreter = interpreter(objective, batch);
        double loss = interpreter.value(objective.program().loss())[0];
        Map<String, double[]> direction = new HashMap<>();
        double along = 0;
        double size = 0;
        for (Map.Entry<Signature.Input, Node> entry : objective.program().gradients().entrySet()) {
          double[] gradient = interpreter.value(entry.getValue());
          double[] step = RandomBatches.direction(gradient.length, seed);
          for (int e = 0; e < gradient.length; e++) {
            along += gradient[e] * step[e];
            size += Math.abs(gradient[e] * step[e]);
          }
          direction.put(entry.getKey().name(), step);
        }
        String what = "%s, %s, seed %d: loss %s".formatted(variant, regime, seed, loss);
        double tangent = interpreter.tangent(objective.program().loss(), direction)[0];
        if (Double.isFinite(loss)) {
          softly
              .assertThat(Math.abs(along - tangent))
              .as("%s: gradient %s, dual numbers %s", what, along, tangent)
              .isLessThanOrEqualTo(1e-10 * size + floor);
        } else {
          // Log-ratios reach thousands there, and what is exponential in one leaves the doubles.
          softly.assertThat(regime).as(what).isEqualTo(Regime.FAR_LOGITS);
          softly.assertThat(overflows(objective, interpreter)).as(what).isTrue();
        }
      }
    }
    softly.assertAll();
  }

  /** Whether an exponential of a number is too large for a double. */
  private static boolean overflows(CheckedObjective objective, Interpreter interpreter) {
    List<Node> exponents =
        ObjectiveProgram.reachable(List.of(objective.program().loss())).stream()
            .filter(node ->
                switch (node.operation()) {
                  case Operation.Apply apply ->
                      apply.function() == Unary.EXP || apply.function() == Unary.EXPM1;
                  case Operation.Combine combine -> combine.function() == Binary.EXP_TIMES;
                  default -> false;
                })
            .map(node -> node.operand(0))
            .toList();
    return interpreter.values(exponents).stream()
        .flatMapToDouble(Arrays::stream)
        .anyMatch(x -> Double.isFinite(x) && Double.isInfinite(Math.exp(x)));
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void theGradientIsThatOfFiniteDifferences(long seed) {
    SoftAssertions softly = new SoftAssertions();
    for (StandardObjectives.Variant variant : ALL) {
      CheckedObjective objective = variant.simplified();
      Batch batch = RandomBatches.of(objective.signature(), Regime.ORDINARY, seed);
      Interpreter interpreter = interpreter(objective, batch);
      // Only what is not stopped may move: values that are detached are read from the first batch.
      Map<String, double[]> direction = new LinkedHashMap<>();
      double along = 0;
      for (Map.Entry<Signature.Input, Node> entry : objective.program().gradients().entrySet()) {
        double[] gradient = interpreter.value(entry.getValue());
        double[] step = RandomBatches.direction(gradient.length, seed);
        for (int e = 0; e < gradient.length; e++) {
          along += gradient[e] * step[e];
        }
        direction.put(entry.getKey().name(), step);
      }
      double difference =
          DetachedDifference.along(
              objective, batch, direction, parameters(objective), multipliers(objective));
      softly
          .assertThat(Math.abs(along - difference))
          .as("%s: gradient %s, difference %s", variant, along, difference)
          .isLessThanOrEqualTo(1e-6 * (1 + Math.abs(along)));
    }
    softly.assertAll();
  }

  @ParameterizedTest
  @EnumSource(
      value = Regime.class,
      names = {"ORDINARY", "ONE_TOKEN", "SINGLE_GROUPS", "EQUAL_REWARDS", "ONE_ROW"})
  void simplificationChangesNoValue(Regime regime) {
    SoftAssertions softly = new SoftAssertions();
    for (StandardObjectives.Variant variant : ALL) {
      Batch batch = RandomBatches.of(variant.simplified().signature(), regime, 5);
      List<double[]> simplified =
          interpreter(variant.simplified(), batch).values(variant.simplified().program().outputs());
      List<double[]> plain =
          interpreter(variant.plain(), batch).values(variant.plain().program().outputs());
      softly.assertThat(simplified).as(variant.name()).hasSameSizeAs(plain);
      for (int i = 0; i < plain.size(); i++) {
        for (int e = 0; e < plain.get(i).length; e++) {
          double expected = plain.get(i)[e];
          softly
              .assertThat(Math.abs(simplified.get(i)[e] - expected))
              .as(
                  "%s, %s, output %d: %s for %s",
                  variant, regime, i, simplified.get(i)[e], expected)
              .isLessThanOrEqualTo(1e-9 * (1 + Math.abs(expected)));
        }
      }
    }
    softly.assertAll();
  }
}
