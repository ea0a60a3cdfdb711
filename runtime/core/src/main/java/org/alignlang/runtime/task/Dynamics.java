package org.alignlang.runtime.task;

import java.util.Arrays;
import java.util.List;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task.Response;

/**
 * How the states of a decision process follow each other, for sums over states in place of samples.
 * States are numbered as policies see them ({@link Response#promptAt}).
 */
public final class Dynamics {
  private final double[] start;
  private final int horizon;
  private final List<Response> steps;
  private final double[] probabilities;
  private final int[] from;

  /** Receives the probabilities of all steps at one time. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * Takes the law of one time.
     *
     * @param time the number of steps before
     * @param law {@code P(s_t = s, a_t = a, s_(t+1) = s')} for each step, in the order of {@link
     *     #steps}; reused by the next call
     */
    void at(int time, double[] law);
  }

  /**
   * The parts of a process.
   *
   * @param start the probability of each state at the beginning
   * @param horizon the most steps of an episode
   * @param steps every state, action and successor of positive probability, as responses of one
   *     token, in the order of their states; a state that ends an episode has none
   * @param probabilities {@code P(s' | s, a)} of each step
   */
  Dynamics(double[] start, int horizon, List<Response> steps, double[] probabilities) {
    this.start = start;
    this.horizon = horizon;
    this.steps = List.copyOf(steps);
    this.probabilities = probabilities;
    from = new int[start.length + 1];
    for (Response step : steps) {
      from[step.promptAt(0) + 1]++;
    }
    Arrays.parallelPrefix(from, Integer::sum);
  }

  /** Every state, action and successor, as responses of one token. */
  public List<Response> steps() {
    return steps;
  }

  /** Goes through the times of an episode under a policy. */
  public void follow(Policy policy, Visitor visitor) {
    double[] law = new double[steps.size()];
    double[] now = start.clone();
    double[][] actions = new double[start.length][];
    for (int time = 0; time < horizon; time++) {
      double[] next = new double[now.length];
      boolean alive = false;
      Arrays.fill(law, 0);
      for (int s = 0; s < now.length; s++) {
        if (now[s] == 0 || from[s] == from[s + 1]) {
          continue;
        }
        alive = true;
        if (actions[s] == null) {
          actions[s] =
              Arrays.stream(Responses.nextToken(policy, s, new int[1], 0)).map(Math::exp).toArray();
        }
        for (int i = from[s]; i < from[s + 1]; i++) {
          Response step = steps.get(i);
          law[i] = now[s] * actions[s][step.tokens()[0]] * probabilities[i];
          next[step.promptAt(1)] += law[i];
        }
      }
      if (!alive) {
        return;
      }
      visitor.at(time, law);
      now = next;
    }
  }

  /** {@code sum over t of discount^t P(s_t = s)} for each state in which an action is drawn. */
  public double[] visits(Policy policy, double discount) {
    double[] visits = new double[start.length];
    follow(
        policy,
        (time, law) -> {
          double factor = Math.pow(discount, time);
          for (int i = 0; i < law.length; i++) {
            if (law[i] > 0) {
              visits[steps.get(i).promptAt(0)] += factor * law[i];
            }
          }
        });
    return visits;
  }
}
