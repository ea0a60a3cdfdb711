package org.alignlang.runtime.task;

import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;

/**
 * A fixed policy that spells a word: at position {@code t} its letter with probability {@code
 * skill}, whatever was written before, and another one with the probability that the base policy
 * gives it among the wrong ones. Behind the word it is the base policy.
 */
final class SpellingExpert implements Policy {
  private final Policy base;
  private final int[] word;
  private final double skill;

  SpellingExpert(Policy base, int[] word, double skill) {
    this.base = base;
    this.word = word.clone();
    this.skill = skill;
  }

  @Override
  public int vocabulary() {
    return base.vocabulary();
  }

  @Override
  public double[] parameters() {
    return new double[0];
  }

  @Override
  public void logits(int prompt, int[] tokens, int length, double[] logits) {
    base.logits(prompt, tokens, length, logits);
    if (length >= word.length) {
      return;
    }
    logits[word[length]] = Double.NEGATIVE_INFINITY;
    double wrong = Responses.logSumExp(logits);
    for (int v = 0; v < logits.length; v++) {
      logits[v] += Math.log1p(-skill) - wrong;
    }
    logits[word[length]] = Math.log(skill);
  }

  @Override
  public void backward(
      int prompt, int[] tokens, int length, double[] logitGradient, double[] parameterGradient) {
    // Nothing is trained here, so the gradient ends.
  }

  /** Returns this policy: it never changes. */
  @Override
  public Policy copy() {
    return this;
  }
}
