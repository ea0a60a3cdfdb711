package org.alignlang.runtime.train;

import java.util.List;
import org.alignlang.runtime.task.Task.Response;

/**
 * The responses that the rows of a batch are about.
 *
 * @param sequences the names of the sequences of a row
 * @param responses per sequence, one response per row
 * @param groups the group of each row; empty if rows are not grouped
 * @param labels 1 for a desirable row, 0 for an undesirable one; empty without labels
 * @param pairs the number of each row's pair among the task's, from 0; empty where rows are no
 *     pairs of the task
 */
record Rows(
    List<String> sequences,
    List<List<Response>> responses,
    int[] groups,
    double[] labels,
    int[] pairs) {
  Rows(List<String> sequences, List<List<Response>> responses, int[] groups, double[] labels) {
    this(sequences, responses, groups, labels, new int[0]);
  }

  static Rows of(List<Response> responses, int[] groups) {
    return new Rows(List.of("y"), List.of(responses), groups, new double[0]);
  }

  int count() {
    return responses.getFirst().size();
  }

  List<Response> of(String sequence) {
    return responses.get(sequences.indexOf(sequence));
  }
}
