package org.alignlang.tornado;

import java.util.List;
import java.util.stream.IntStream;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.EvaluationException;

/**
 * How large a batch is.
 *
 * @param rows the number of rows
 * @param groups the number of groups, 0 if rows are not grouped
 * @param tokens the number of tokens of each sequence
 * @param logits the number of logits of each sequence under one actor
 */
record DeviceSizes(int rows, int groups, List<Integer> tokens, List<Integer> logits) {

  DeviceSizes {
    tokens = List.copyOf(tokens);
    logits = List.copyOf(logits);
  }

  /**
   * The sizes of a batch.
   *
   * @throws EvaluationException if there are more logits than an array can hold
   */
  static DeviceSizes of(Batch batch, List<String> sequences) {
    List<Integer> tokens =
        sequences.stream().map(sequence -> batch.offsets(sequence)[batch.rows()]).toList();
    List<Integer> logits =
        tokens.stream()
            .map(count -> {
              long all = (long) count * batch.vocabulary();
              if (all > Integer.MAX_VALUE - 8) {
                throw new EvaluationException(
                    all + " logits are more than one array of a device can hold");
              }
              return (int) all;
            })
            .toList();
    return new DeviceSizes(batch.rows(), batch.groups(), tokens, logits);
  }

  /** Whether a batch of these sizes fits into room for this one. */
  boolean holds(DeviceSizes other) {
    return other.rows <= rows
        && other.groups <= groups
        && holds(tokens, other.tokens)
        && holds(logits, other.logits);
  }

  private static boolean holds(List<Integer> room, List<Integer> wanted) {
    return IntStream.range(0, room.size()).allMatch(i -> wanted.get(i) <= room.get(i));
  }

  /**
   * Room for batches of both sizes; for at least one of everything, as a device has no empty array.
   */
  DeviceSizes and(DeviceSizes other) {
    return new DeviceSizes(
        Math.max(1, Math.max(rows, other.rows)),
        Math.max(1, Math.max(groups, other.groups)),
        larger(tokens, other.tokens),
        larger(logits, other.logits));
  }

  private static List<Integer> larger(List<Integer> some, List<Integer> others) {
    return IntStream.range(0, some.size())
        .mapToObj(i -> Math.max(1, Math.max(some.get(i), others.get(i))))
        .toList();
  }
}
