package org.alignlang.runtime.batch;

import java.util.Optional;
import java.util.Set;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.runtime.linear.Head;
import org.alignlang.runtime.linear.LinearLogits;

/**
 * Logits that a batch gives as hidden states and the head that makes logits of them: {@code hidden}
 * and {@code head} in place of {@code logits}, {@code chosen.ref.hidden} and {@code ref.head} in
 * place of {@code chosen.ref.logits}. A head belongs to an actor, whatever the sequence.
 *
 * @param logits the name of the logits
 * @param hidden the name of the hidden states
 * @param head the name of the head
 */
public record HiddenStates(String logits, String hidden, String head) {

  /** How many tokens' logits are in memory at a time. */
  static final int CHUNK = 128;

  /** The logits that were made of them, and with which head. */
  public record Made(HiddenStates names, LinearLogits logits, Head head) {}

  /** What a batch with tensors of these names gives in place of logits, if it does. */
  static Optional<HiddenStates> of(Input input, Set<String> given) {
    if (input.role() != Role.LOGITS || given.contains(input.name())) {
      return Optional.empty();
    }
    HiddenStates states = named(input);
    return given.contains(states.hidden) ? Optional.of(states) : Optional.empty();
  }

  private static HiddenStates named(Input input) {
    String prefix = input.name().substring(0, input.name().length() - "logits".length());
    String sequence = input.sequence() + ".";
    String actor = prefix.startsWith(sequence) ? prefix.substring(sequence.length()) : prefix;
    return new HiddenStates(input.name(), prefix + "hidden", actor + "head");
  }
}
