package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.alignlang.kernel.EvaluationException;
import org.junit.jupiter.api.Test;

class TrainPreferencesTest {
  @Test
  void trainingFollowsThePreferences() {
    MarginPreference objective = MarginPreference.withDefaults();
    double[] logits = new double[3];
    double before = TrainPreferences.step(objective, logits).loss();
    MarginPreference.Result after = TrainPreferences.step(objective, logits);
    assertTrue(after.loss() < before);
    assertEquals(1, after.metrics().accuracy());
    assertTrue(logits[0] > logits[1] && logits[1] > logits[2]);
  }

  @Test
  void aWrongShapeIsNamedWithItsLine() {
    MarginPreference.Inputs.Builder inputs =
        MarginPreference.inputs(2)
            .chosenLengths(new int[] {2, 1})
            .rejectedLengths(new int[] {1, 1})
            .chosenLogp(new double[] {-1, -1});
    EvaluationException problem = assertThrows(EvaluationException.class, inputs::build);
    assertEquals(
        "com/example/preference.align:4:3: `chosenLogp` of `MarginPreference` must have the shape"
            + " [3], one number per token of `chosen` (3 in 2 rows); it has [2]",
        problem.getMessage());
  }
}
