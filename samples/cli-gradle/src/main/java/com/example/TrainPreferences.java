package com.example;

import java.util.Locale;

/**
 * Trains a table of probabilities on three preferences. The objective is generated from {@code
 * src/main/align/com/example/preference.align}; the model and the optimiser are this program's own,
 * as yours would be.
 */
public final class TrainPreferences {
  /** Pairs of responses to one prompt: the first is preferred, by a margin. */
  private static final int[] CHOSEN = {0, 0, 1};

  private static final int[] REJECTED = {1, 2, 2};
  private static final double[] MARGIN = {0.1, 0.5, 0.2};
  private static final int RESPONSES = 3;

  private TrainPreferences() {}

  public static void main(String[] arguments) {
    MarginPreference objective =
        MarginPreference.of(MarginPreference.Parameters.defaults().withBeta(0.5));
    double[] logits = new double[RESPONSES];
    for (int step = 0; step <= 200; step++) {
      MarginPreference.Result result = step(objective, logits);
      if (step % 50 == 0) {
        System.out.printf(
            Locale.ROOT,
            "step %3d  loss %.4f  accuracy %.2f%n",
            step,
            result.loss(),
            result.metrics().accuracy());
      }
    }
  }

  /** One step of gradient descent; changes the logits. */
  static MarginPreference.Result step(MarginPreference objective, double[] logits) {
    double[] logp = logSoftmax(logits);
    double[] uniform = logSoftmax(new double[RESPONSES]);
    int[] oneToken = {1, 1, 1};

    MarginPreference.Result result =
        objective.evaluate(
            MarginPreference.inputs(CHOSEN.length)
                .chosenLengths(oneToken)
                .rejectedLengths(oneToken)
                .chosenLogp(pick(logp, CHOSEN))
                .chosenRefLogp(pick(uniform, CHOSEN))
                .rejectedLogp(pick(logp, REJECTED))
                .rejectedRefLogp(pick(uniform, REJECTED))
                .featureMargin(MARGIN)
                .build());

    backward(logits, logp, CHOSEN, result.gradients().chosenLogp().toDoubles());
    backward(logits, logp, REJECTED, result.gradients().rejectedLogp().toDoubles());
    return result;
  }

  private static double[] logSoftmax(double[] logits) {
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit);
    }
    double[] result = new double[logits.length];
    for (int i = 0; i < logits.length; i++) {
      result[i] = logits[i] - Math.log(sum);
    }
    return result;
  }

  private static double[] pick(double[] values, int[] which) {
    double[] result = new double[which.length];
    for (int i = 0; i < which.length; i++) {
      result[i] = values[which[i]];
    }
    return result;
  }

  /** Through the log-softmax: d logp[k] / d logit[j] is (j == k) - p[j]. */
  private static void backward(double[] logits, double[] logp, int[] taken, double[] gradient) {
    for (int row = 0; row < taken.length; row++) {
      for (int j = 0; j < logits.length; j++) {
        double slope = (j == taken[row] ? 1 : 0) - Math.exp(logp[j]);
        logits[j] -= 0.5 * gradient[row] * slope;
      }
    }
  }
}
