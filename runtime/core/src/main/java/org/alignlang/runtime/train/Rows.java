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
 */
record Rows(List<String> sequences, List<List<Response>> responses, int[] groups, double[] labels) {
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
