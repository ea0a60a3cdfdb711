package org.alignlang.runtime.train;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;

/**
 * Lists of responses as annotators would rank them: draws of the task's base policy in the model of
 * Plackett and Luce, in which each next place goes to a remaining response with probability
 * proportional to {@code exp(utility)}. That is the order of utilities with independent Gumbel
 * noise (Yellott 1977).
 *
 * @param utility what the ranking goes by
 * @param size how many responses a list has
 */
record RankedResponses(Task task, ToDoubleFunction<Response> utility, int size) {
  private static final int LISTS = 512;

  private record Drawn(Response response, double noisy) {}

  /** Draws the lists, the best response first; prompts are visited in turn. */
  List<List<Response>> sample(CounterRandom random) {
    List<List<Response>> lists = new ArrayList<>();
    for (int i = 0; i < LISTS; i++) {
      CounterRandom own = random.stream(i);
      List<Drawn> drawn = new ArrayList<>();
      for (int k = 0; k < size; k++) {
        Response response = Responses.sample(task.base(), task, i % task.prompts(), own.stream(k));
        double gumbel = -Math.log(-Math.log(1 - own.nextDouble()));
        drawn.add(new Drawn(response, utility.applyAsDouble(response) + gumbel));
      }
      drawn.sort(Comparator.comparingDouble(Drawn::noisy).reversed());
      lists.add(drawn.stream().map(Drawn::response).toList());
    }
    return List.copyOf(lists);
  }
}
