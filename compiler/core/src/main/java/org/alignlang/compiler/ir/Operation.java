package org.alignlang.compiler.ir;

import org.alignlang.kernel.Signature;

/** What a node computes from its operands. */
public sealed interface Operation {

  /** A number; at batch level. */
  record Constant(double value) implements Operation {}

  /** A declared parameter of the objective; at batch level. */
  record Parameter(int index, String name) implements Operation {}

  /** A constraint's multiplier, detached by construction; at batch level. */
  record Multiplier(int index, String name) implements Operation {}

  /** A column of the batch, or one member of it. */
  record Input(Signature.Input input, int member) implements Operation {}

  /** How many elements of {@code from} each element of the node's domain holds; one step. */
  record Count(Domain from) implements Operation {}

  /** 1 at the taken token of each position and 0 elsewhere; at vocabulary level. */
  record OneHot() implements Operation {}

  /** The operand, which must be positive; where it is not, evaluation fails and says why. */
  record Checked(String what, String place) implements Operation {}

  record Apply(Unary function) implements Operation {}

  record Combine(Binary function) implements Operation {}

  /** The second operand where the first is true, else the third; nothing leaks from the other. */
  record Select() implements Operation {}

  /** The operand, through which no gradient flows. */
  record Stop() implements Operation {}

  /** The operand, repeated for every element of the node's finer domain. */
  record Broadcast() implements Operation {}

  /** The operand, one step coarser. */
  record Reduce(Reduction reduction) implements Operation {}

  /** The operand's entry at the taken token: vocabulary to token level. */
  record Taken() implements Operation {}

  /**
   * The k-th largest of the first operand's entries over the vocabulary: an actor's logits, read as
   * a whole row. The second operand is k; it is rounded down and held between 1 and the number of
   * entries. No gradient flows through it.
   */
  record Largest() implements Operation {}

  /**
   * The first operand's rows or tokens in the order of the second's values, within the domain
   * {@code within}, or the vocabulary entries within their token: the i-th element of each scope
   * gets the value of the one with the i-th smallest key. The inverse gives the element with the
   * i-th smallest key the value of the i-th. Each is the adjoint of the other.
   */
  record Reorder(Domain within, boolean inverse) implements Operation {}

  /**
   * For each row or token the sum of the first operand over those of its scope {@code within} whose
   * second operand, the key, equals its own. With the same keys it is its own adjoint. A NaN equals
   * none, not even itself, but an element always counts for itself.
   */
  record Matching(Domain within) implements Operation {}

  /** The position of a row, or of a token, in its scope {@code within}, from 0. */
  record Position(Domain within) implements Operation {}

  /**
   * A discounted sum along the tokens of a sequence: {@code s_t = x_t + d s_(t-1)}, or {@code x_t +
   * d s_(t+1)} backwards. The discount is one number per sequence and carries no gradient; each
   * direction is the adjoint of the other.
   */
  record Scan(boolean backwards) implements Operation {}

  /**
   * The value of the token before, or of the next one; 0 where there is none. Each is the adjoint
   * of the other.
   */
  record Shift(boolean next) implements Operation {}

  /**
   * The operand's value at the same position of the other sequence of the pair, at the token level
   * of the node; 0 where that one has no such position. The way back is the adjoint.
   */
  record Beside() implements Operation {}

  /** The operand, between the row levels of pair data, which are one to one. */
  record Lift() implements Operation {}

  /**
   * An expectation under the policy, before an estimator has replaced it: operands are the value
   * whose mean it is and the score that weighs the gradient of the log-probability.
   */
  record Expectation(String name) implements Operation {}

  /** How many elements become one. */
  enum Reduction {
    SUM("sum"),
    MAXIMUM("max"),
    MINIMUM("min"),
    LOG_SUM_EXP("logsumexp"),
    /**
     * The mean of the second operand under the distribution whose logits are the first, over the
     * vocabulary. Only plans have it: it is what a sum of probabilities times something becomes.
     */
    SOFTMAX_MEAN("softmax_mean");

    private final String word;

    Reduction(String word) {
      this.word = word;
    }

    public String word() {
      return word;
    }
  }
}
