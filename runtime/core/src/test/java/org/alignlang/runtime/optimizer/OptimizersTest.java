package org.alignlang.runtime.optimizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.data.Offset.offset;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.experiment.ExperimentPlan.Component;
import org.alignlang.runtime.policy.Policies;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Tasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OptimizersTest {

  @Test
  void sgdFollowsItsFormula() {
    Optimizer sgd =
        Optimizers.create("sgd", Map.of("rate", 0.1, "momentum", 0.5, "weight_decay", 0.2));
    double[] p = {1};
    sgd.step(p, new double[] {2}, 0);
    assertThat(p[0]).isCloseTo(1 - 0.1 * (2 + 0.2), offset(1e-15));
    double before = p[0];
    sgd.step(p, new double[] {4}, 1);
    assertThat(p[0]).isCloseTo(before - 0.1 * (0.5 * 2 + 4 + 0.2 * before), offset(1e-15));
  }

  /** The first step of Adam is the rate in the gradient's direction; the second as by hand. */
  @Test
  void adamFollowsItsFormula() {
    Optimizer adam = Optimizers.create("adam", Map.of("rate", 0.1, "epsilon", 1e-12));
    double[] p = {0, 0};
    adam.step(p, new double[] {3, -0.001}, 0);
    assertThat(p[0]).isCloseTo(-0.1, offset(1e-10));
    assertThat(p[1]).isCloseTo(0.1, offset(1e-9));
    adam.step(p, new double[] {1, 0}, 1);
    double first = (0.9 * 0.3 + 0.1) / (1 - 0.81);
    double second = (0.999 * 0.009 + 0.001) / (1 - 0.999 * 0.999);
    assertThat(p[0]).isCloseTo(-0.1 - 0.1 * first / Math.sqrt(second), offset(1e-10));
  }

  @Test
  void adamClipsTheNorm() {
    Map<String, Object> base = Map.of("rate", 0.1, "epsilon", 1.0, "clip_norm", 1.0);
    double[] clipped = {0, 0};
    Optimizers.create("adam", base).step(clipped, new double[] {30, 40}, 0);
    double[] unit = {0, 0};
    Optimizers.create("adam", Map.of("rate", 0.1, "epsilon", 1.0))
        .step(unit, new double[] {0.6, 0.8}, 0);
    assertThat(clipped).containsExactly(unit, offset(1e-15));
  }

  @ParameterizedTest
  @ValueSource(strings = {"sgd", "adam"})
  void aRestoredOptimizerGoesOnToTheSameBits(String name) {
    Map<String, Object> arguments = name.equals("sgd") ? Map.of("momentum", 0.9) : Map.of();
    Optimizer whole = Optimizers.create(name, arguments);
    Optimizer start = Optimizers.create(name, arguments);
    double[] p = {1, 2, 3};
    double[] q = {1, 2, 3};
    assertThat(start.state()).isEmpty();
    for (int step = 0; step < 5; step++) {
      whole.step(p, new double[] {p[1], p[2] * p[0], 1}, step);
      start.step(q, new double[] {q[1], q[2] * q[0], 1}, step);
    }
    Optimizer resumed = Optimizers.create(name, arguments);
    resumed.restore(start.state());
    for (int step = 5; step < 10; step++) {
      whole.step(p, new double[] {p[1], p[2] * p[0], 1}, step);
      resumed.step(q, new double[] {q[1], q[2] * q[0], 1}, step);
    }
    assertThat(q).containsExactly(p);
  }

  @Test
  void schedulesHaveTheirValues() {
    Schedule linear = new Schedule.Linear(1, 0, 10);
    assertThat(List.of(linear.at(0), linear.at(5), linear.at(10), linear.at(99)))
        .containsExactly(1.0, 0.5, 0.0, 0.0);
    Schedule cosine = new Schedule.Cosine(1, 0.5, 10);
    assertThat(cosine.at(0)).isEqualTo(1);
    assertThat(cosine.at(5)).isCloseTo(0.75, offset(1e-15));
    assertThat(cosine.at(10)).isEqualTo(0.5);
    Schedule warmup = new Schedule.Warmup(4, linear);
    assertThat(List.of(warmup.at(0), warmup.at(3), warmup.at(4), warmup.at(9)))
        .containsExactly(0.25, 1.0, 1.0, 0.5);
  }

  @Test
  void aScheduleComesAsAComponent() {
    Component cosine = new Component("cosine", Map.of("from", 1.0, "to", 0.0, "steps", 2.0), "");
    Component rate = new Component("warmup", Map.of("steps", 2.0, "to", cosine), "");
    Optimizer sgd = Optimizers.create("sgd", Map.of("rate", rate));
    double[] p = {0};
    for (int step = 0; step < 5; step++) {
      sgd.step(p, new double[] {-1}, step);
    }
    assertThat(p[0]).isCloseTo(0.5 + 1 + 1 + 0.5 + 0, offset(1e-15));
  }

  @Test
  void complaintsNameTheOptimizerAndTheArgument() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Optimizers.create("adma", Map.of()))
        .withMessage("there is no optimizer `adma`; known: `adam`, `natural`, `sgd`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Optimizers.create("adam", Map.of("rate", -1.0)))
        .withMessage(
            "argument `rate` of optimizer `adam` must be a number of at least 0 or a schedule, not"
                + " -1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Optimizers.create("adam", Map.of("beta1", 1.0)))
        .withMessageContaining("argument `beta1` of optimizer `adam`");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Optimizers.create("adam", Map.of("momentum", 1.0)))
        .withMessageContaining("optimizer `adam` has no argument `momentum`");
    assertThatIllegalArgumentException()
        .isThrownBy(() ->
            Optimizers.create(
                "sgd", Map.of("rate", new Component("linear", Map.of("from", 1.0), ""))))
        .withMessage("schedule `linear` needs the argument `to`: a number of at least 0");
    assertThatThrownBy(() ->
            Optimizers.create("sgd", Map.of()).step(new double[2], new double[] {0, Double.NaN}, 7))
        .isInstanceOf(ArithmeticException.class)
        .hasMessage("at step 7 the gradient of parameter 1 is NaN");
  }

  /** The closed form of blocks and the general solution agree, and both solve the equations. */
  @Test
  void naturalGradientSolvesTheFisherEquations() {
    Task task = Tasks.create("bandit", Map.of("prompts", 3.0, "arms", 5.0), Path.of("."), 2);
    Policy table = Policies.create("softmax_table", Map.of(), task, 0);
    Policy linear = Policies.create("linear", Map.of(), task, 0);
    double[] gradient = new double[15];
    double[] linearGradient = new double[15];
    for (int prompt = 0; prompt < 3; prompt++) {
      for (int arm = 0; arm < 5; arm++) {
        gradient[prompt * 5 + arm] = Math.sin(7 * prompt + arm * arm);
        linearGradient[arm * 3 + prompt] = gradient[prompt * 5 + arm];
      }
    }
    Map<String, Object> arguments = Map.of("rate", 1.0, "damping", 0.01);
    Optimizers.create("natural", arguments, table, task).step(table.parameters(), gradient, 0);
    // With one-hot prompt features the linear policy is the same table, transposed.
    Optimizers.create("natural", arguments, linear, task)
        .step(linear.parameters(), linearGradient, 0);
    for (int prompt = 0; prompt < 3; prompt++) {
      double[] p = Responses.nextToken(task.base(), prompt, new int[1], 0);
      double inner = 0;
      for (int arm = 0; arm < 5; arm++) {
        p[arm] = Math.exp(p[arm]);
        inner += p[arm] * -table.parameters()[prompt * 5 + arm];
      }
      for (int arm = 0; arm < 5; arm++) {
        double direction = -table.parameters()[prompt * 5 + arm];
        assertThat(p[arm] * (direction - inner) / 3 + 0.01 * direction)
            .isCloseTo(gradient[prompt * 5 + arm], offset(1e-12));
        assertThat(linear.parameters()[arm * 3 + prompt]).isCloseTo(-direction, offset(1e-10));
      }
    }
  }

  @Test
  void naturalGradientRefusesWhatItCannotEnumerate() {
    Task task = Tasks.create("bandit", Map.of("arms", 5000.0), Path.of("."), 2);
    Policy linear = Policies.create("linear", Map.of(), task, 0);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Optimizers.create("natural", Map.of(), linear, task))
        .withMessageContaining("task `bandit` has more than 4096");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Optimizers.create("natural", Map.of()))
        .withMessageContaining("needs a policy");
  }
}
