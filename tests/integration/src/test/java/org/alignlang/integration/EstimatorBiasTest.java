package org.alignlang.integration;

import static org.alignlang.integration.Experiments.plan;
import static org.alignlang.integration.Experiments.trainer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Supplier;
import org.alignlang.runtime.train.Trainer;
import org.alignlang.runtime.train.TrainingState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Sampled estimators against {@code exact}, which sums over all responses: on samples of the policy
 * itself the mean gradient of many batches is the exact one, or the multiple of it that the
 * estimator's documentation says, within the confidence bound of that mean. Responses differ in
 * length, so that what weighs tokens by length shows.
 */
class EstimatorBiasTest {
  private static final int BATCHES = 64;
  private static final int ROWS = 512;
  private static final int GROUP = 8;

  /** So small that the policy stays where it is while its gradient is taken again and again. */
  private static final double RATE = 1e-6;

  /** The bound for the largest of about twenty standard normal numbers, one time in 5000. */
  private static final double LARGEST = 4.5;

  private static final double[] EXACT = exact();

  /** Gradients of one batch each, {@code [batches][parameters]}. */
  private static double[][] gradients(String estimator, String batch, int batches) {
    Trainer trainer =
        trainer(
            plan(
                """
                import align.estimators.trl
                import align.estimators.openrlhf
                import align.estimators.verl
                objective One {
                  policy   pi
                  reward   score: sequence
                  maximize E[score]
                  estimate with %s
                }
                experiment Sampled {
                  task      sequences(letters = 2, length = 3)
                  train     One()
                  optimizer sgd(rate = %s)
                  %s
                  group     %d
                  steps     %d
                }
                """
                    .formatted(estimator, RATE, batch, GROUP, batches)));
    double[] parameters = trainer.policy().parameters();
    for (int i = 0; i < parameters.length; i++) {
      parameters[i] = 0.4 * Math.sin(1 + 2 * i);
    }
    double[][] gradients = new double[batches][];
    double[] before = parameters.clone();
    trainer.run(
        new Trainer.Observer() {
          @Override
          public void recorded(int step, Map<String, Double> values) {}

          @Override
          public boolean stepped(int made, Supplier<TrainingState> state) {
            double[] gradient = new double[before.length];
            for (int i = 0; i < before.length; i++) {
              gradient[i] = (parameters[i] - before[i]) / RATE;
              before[i] = parameters[i];
            }
            gradients[made - 1] = gradient;
            return true;
          }
        });
    return gradients;
  }

  private static double[] exact() {
    return gradients("exact()", "batch 0", 1)[0];
  }

  /** A mean over batches with its standard error. */
  private record Estimate(double[] mean, double[] error) {
    static Estimate of(double[][] gradients) {
      int parameters = gradients[0].length;
      double[] mean = new double[parameters];
      double[] error = new double[parameters];
      for (int i = 0; i < parameters; i++) {
        int at = i;
        double[] all = Arrays.stream(gradients).mapToDouble(g -> g[at]).toArray();
        double center = Arrays.stream(all).average().orElseThrow();
        double squares = Arrays.stream(all).map(x -> (x - center) * (x - center)).sum();
        mean[i] = center;
        error[i] = Math.sqrt(squares / (all.length - 1) / all.length);
      }
      return new Estimate(mean, error);
    }

    /** How many standard errors it is from a multiple of the exact gradient, at most. */
    double distance(double scale) {
      double largest = 0;
      for (int i = 0; i < mean.length; i++) {
        double difference = Math.abs(mean[i] - scale * EXACT[i]);
        // States that are never reached have no gradient.
        largest = Math.max(largest, difference < 1e-9 ? 0 : difference / error[i]);
      }
      return largest;
    }

    /** The multiple of the exact gradient that it is nearest to. */
    double scale() {
      double product = 0;
      double norm = 0;
      for (int i = 0; i < mean.length; i++) {
        product += mean[i] * EXACT[i];
        norm += EXACT[i] * EXACT[i];
      }
      return product / norm;
    }

    double cosine() {
      double own = Math.sqrt(Arrays.stream(mean).map(x -> x * x).sum());
      return scale() * Math.sqrt(Arrays.stream(EXACT).map(x -> x * x).sum()) / own;
    }
  }

  private static Estimate estimate(String estimator) {
    return Estimate.of(gradients(estimator, "batch " + ROWS, BATCHES));
  }

  @ParameterizedTest
  @CsvSource({
    "rloo(), 1",
    // The baseline holds a share of the response's own reward.
    "reinforce(), 0.998046875",
    "dr_grpo(), 0.875"
  })
  void isTheExactGradient(String estimator, double scale) {
    assertThat(estimate(estimator).distance(scale)).isLessThan(LARGEST);
  }

  @ParameterizedTest
  @ValueSource(strings = {"ppo()", "trl_rloo()", "openrlhf_rloo()"})
  void hasTheDirectionOfTheExactGradient(String estimator) {
    Estimate estimate = estimate(estimator);
    assertThat(estimate.distance(estimate.scale())).isLessThan(LARGEST);
    assertThat(estimate.scale()).isGreaterThan(0.1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"grpo()", "gspo()", "dapo()", "cispo()"})
  void climbsWithTheBiasThatItAccepts(String estimator) {
    Estimate estimate = estimate(estimator);
    assertThat(estimate.cosine()).isGreaterThan(0.8);
    assertThat(estimate.scale()).isGreaterThan(0.1);
  }

  @Test
  void theTestSeesTheBiasOfMeansPerResponse() {
    // Means over the tokens of each response weigh short responses more.
    Estimate estimate = estimate("dr_grpo(length = 1)");
    Estimate biased = estimate("grpo()");
    assertThat(biased.distance(biased.scale())).isGreaterThan(2 * LARGEST);
    assertThat(estimate.scale()).isCloseTo(0.875, within(0.05));
  }
}
