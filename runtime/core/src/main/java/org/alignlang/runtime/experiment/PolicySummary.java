package org.alignlang.runtime.experiment;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.random.CounterRandom;
import org.alignlang.runtime.task.Task;
import org.alignlang.runtime.task.Task.Response;

/**
 * What a policy says most often, beside what its task's base policy says.
 *
 * @param prompts the first few prompts; none where states follow at random
 */
public record PolicySummary(List<Prompt> prompts) {
  private static final int PROMPTS = 4;
  private static final int RESPONSES = 5;
  private static final int ENUMERATED = 4096;
  private static final int SAMPLED = 256;

  public PolicySummary {
    prompts = List.copyOf(prompts);
  }

  /**
   * The most probable responses to one prompt.
   *
   * @param prompt the prompt's number
   * @param text the prompt as the task shows it
   * @param responses in descending probability under the policy
   * @param before the same for the base policy, in descending probability under it
   * @param exhaustive whether all responses were looked at, or only a sample
   */
  public record Prompt(
      int prompt, String text, List<Top> responses, List<Top> before, boolean exhaustive) {
    public Prompt {
      responses = List.copyOf(responses);
      before = List.copyOf(before);
    }
  }

  /**
   * A response.
   *
   * @param text as the task shows it
   * @param probability under the policy
   * @param baseProbability under the task's base policy
   */
  public record Top(String text, double probability, double baseProbability) {}

  /** Summarises a policy on a task. */
  public static PolicySummary of(Policy policy, Task task, long seed) {
    List<Prompt> prompts = new ArrayList<>();
    for (int prompt = 0; prompt < Math.min(PROMPTS, task.prompts()); prompt++) {
      List<Response> all = task.responses(prompt, ENUMERATED);
      if (all.isEmpty() && !task.deterministic()) {
        // A trajectory's probability is not the policy's alone.
        continue;
      }
      prompts.add(
          new Prompt(
              prompt,
              task.showPrompt(prompt),
              top(policy, policy, task, all.isEmpty() ? sample(policy, task, prompt, seed) : all),
              top(
                  task.base(),
                  policy,
                  task,
                  all.isEmpty() ? sample(task.base(), task, prompt, seed) : all),
              !all.isEmpty()));
    }
    return new PolicySummary(prompts);
  }

  /** The responses that are most probable under {@code ranking}. */
  private static List<Top> top(Policy ranking, Policy policy, Task task, List<Response> responses) {
    double[] rank = Responses.logProbabilities(ranking, responses);
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < rank.length; i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingDouble((Integer i) -> -rank[i]));
    List<Response> best =
        order.subList(0, Math.min(RESPONSES, order.size())).stream().map(responses::get).toList();
    double[] own = Responses.logProbabilities(policy, best);
    double[] base = Responses.logProbabilities(task.base(), best);
    List<Top> top = new ArrayList<>();
    for (int i = 0; i < own.length; i++) {
      top.add(new Top(task.show(best.get(i)), Math.exp(own[i]), Math.exp(base[i])));
    }
    return top;
  }

  private static List<Response> sample(Policy policy, Task task, int prompt, long seed) {
    CounterRandom random = CounterRandom.of(seed).stream("summary").stream(prompt);
    Map<List<Integer>, Response> distinct = new LinkedHashMap<>();
    for (int i = 0; i < SAMPLED; i++) {
      Response response = Responses.sample(policy, task, prompt, random.stream(i));
      distinct.putIfAbsent(
          Arrays.stream(response.tokens(), 0, response.length()).boxed().toList(), response);
    }
    return List.copyOf(distinct.values());
  }
}
