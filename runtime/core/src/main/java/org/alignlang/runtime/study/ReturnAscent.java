package org.alignlang.runtime.study;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Evaluation;
import org.alignlang.runtime.process.OccupancyFunctional;
import org.alignlang.runtime.process.OccupancyGradient;
import org.alignlang.runtime.process.Tables;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;

/**
 * Study {@code return_ascent}: exact policy gradient ascent on a function {@code f(E[G])} of the
 * expected return of a softmax policy, which no reward need be able to state.
 *
 * <p>With the return {@code E[G] = <r, mu> / (1 - g)} the pseudo-reward is {@code f'(E[G]) r / (1 -
 * g)}, see {@link OccupancyFunctional} and {@link OccupancyGradient}. The logits start at standard
 * normal numbers from the seed.
 *
 * <p>Arguments: {@code process} ({@link ProcessArgument}, a chain of 6), {@code reward} (a name, or
 * numbers by state and action; {@code goal}), {@code outer}: {@code identity} ({@code f(x) = x},
 * the usual objective) or {@code distance} ({@code f(x) = -(x - target)^2}), {@code target} (0),
 * {@code rate} (1), {@code steps} (200), {@code start} (1), the standard deviation of the logits.
 */
public final class ReturnAscent implements StudyProvider {
  @Override
  public String name() {
    return "return_ascent";
  }

  @Override
  public String summary() {
    return "exact policy gradient ascent on a function of the expected return";
  }

  @Override
  public Map<String, String> quantities() {
    return Map.of(
        "objective", "f(E[G]) at each step", "expected_return", "E[G] at each step, discounted");
  }

  @Override
  public Set<String> lists() {
    return Set.of("reward");
  }

  @Override
  public Findings run(Arguments arguments, Optional<Task> task, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("return_ascent");
    DecisionProcess process =
        ProcessArgument.read(
            arguments, "process", ProcessArgument.component("chain", Map.of()), random);
    double[][] reward = ProcessArgument.reward(arguments, "reward", "goal", process);
    String outer = arguments.word("outer", List.of("identity", "distance")).orElse("distance");
    double target = arguments.real("target", 0, -Double.MAX_VALUE, Double.MAX_VALUE);
    double rate = arguments.above("rate", 1, 0);
    int steps = arguments.integer("steps", 200, 1, 100_000);
    double scale = arguments.real("start", 1, 0, 100);
    arguments.requireAllRead();

    double total = 1 / (1 - process.discount());
    OccupancyFunctional expected = OccupancyFunctional.expected(reward);
    OccupancyFunctional functional =
        outer.equals("identity")
            ? expected.through(x -> x * total, x -> total)
            : expected.through(
                x -> -(x * total - target) * (x * total - target),
                x -> -2 * (x * total - target) * total);
    double[][] logits = Draws.normals(random, process.states(), process.actions(), scale);
    double[] objective = new double[steps + 1];
    double[] returns = new double[steps + 1];
    for (int step = 0; step <= steps; step++) {
      Studies.nextRound();
      double[][] policy = Tables.softmax(logits);
      returns[step] = Evaluation.expectedReturn(process, policy, reward);
      objective[step] =
          outer.equals("identity")
              ? returns[step]
              : -(returns[step] - target) * (returns[step] - target);
      double[][] gradient = OccupancyGradient.exact(process, logits, functional);
      for (int s = 0; s < logits.length; s++) {
        for (int a = 0; a < logits[s].length; a++) {
          logits[s][a] += rate * gradient[s][a];
        }
      }
    }
    return new Findings(Map.of("objective", objective, "expected_return", returns));
  }
}
