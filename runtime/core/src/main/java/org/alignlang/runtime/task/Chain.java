package org.alignlang.runtime.task;

import java.nio.file.Path;
import org.alignlang.runtime.argument.Arguments;
import org.alignlang.runtime.process.Processes;
import org.alignlang.runtime.random.CounterRandom;

/**
 * Task {@code chain}: a corridor with the actions {@code left} and {@code right}, whose last state
 * ends an episode. With probability {@code slip} the other direction is taken. Scores beside those
 * of every process: {@code score}, 1 where the last state was entered, {@code success} and {@code
 * return}.
 *
 * <p>Arguments: {@code states} (8), {@code start} (0), {@code slip} (0), {@code horizon} (64),
 * {@code discount} (0.95), and what every process takes.
 */
public final class Chain implements TaskProvider {
  @Override
  public String name() {
    return "chain";
  }

  @Override
  public String summary() {
    return "a corridor with a goal at its end";
  }

  @Override
  public Task create(Arguments arguments, Path dataDirectory, long seed) {
    int states = arguments.integer("states", 8, 2, 1 << 10);
    int last = states - 1;
    ProcessTask.StepScore goal = (s, a, next) -> next == last ? 1 : 0;
    return new ProcessTask.Builder(
            "chain",
            Processes.chain(
                    states,
                    arguments.integer("start", 0, 0, last - 1),
                    arguments.real("slip", 0, 0, 1),
                    0)
                .withHorizon(ProcessTask.horizon(arguments))
                .withDiscount(ProcessTask.discount(arguments)))
        .score("score", goal)
        .reached("success", goal)
        .build(arguments, CounterRandom.of(seed).stream("chain"));
  }
}
