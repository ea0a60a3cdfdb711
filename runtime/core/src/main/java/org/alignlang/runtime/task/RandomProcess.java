package org.alignlang.runtime.task;

import java.nio.file.Path;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.DecisionProcess;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.random.CounterRandom;

/**
 * Task {@code random_process}: transitions from a symmetric Dirichlet distribution, and for each
 * state and action a reward, uniform from 0 to 1. Episodes start in state 0. Scores beside those of
 * every process: {@code score} and {@code return}.
 *
 * <p>Arguments: {@code states} (8), {@code actions} (3), {@code concentration} (0.2), {@code
 * horizon} (64), {@code discount} (0.95), and what every process takes.
 */
public final class RandomProcess implements TaskProvider {
  @Override
  public String name() {
    return "random_process";
  }

  @Override
  public String summary() {
    return "random transitions and rewards";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("random process");
    DecisionProcess process =
        Processes.random(
                arguments.integer("states", 8, 2, 1 << 8),
                arguments.integer("actions", 3, 2, 1 << 6),
                arguments.above("concentration", 0.2, 0),
                0,
                random.stream("transitions"))
            .withHorizon(ProcessTask.horizon(arguments))
            .withDiscount(ProcessTask.discount(arguments));
    CounterRandom rewards = random.stream("rewards");
    double[][] reward = new double[process.states()][process.actions()];
    for (double[] row : reward) {
      for (int a = 0; a < row.length; a++) {
        row[a] = rewards.nextDouble();
      }
    }
    return new ProcessTask.Builder("random_process", process)
        .score("score", (s, a, next) -> reward[s][a])
        .build(arguments, random);
  }
}
