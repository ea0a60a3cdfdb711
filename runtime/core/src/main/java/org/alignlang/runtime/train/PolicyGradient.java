package org.alignlang.runtime.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Signature.Input;
import org.alignlang.kernel.Signature.Role;
import org.alignlang.kernel.Workers;
import org.alignlang.runtime.policy.Policy;
import org.alignlang.runtime.policy.Responses;
import org.alignlang.runtime.task.Task.Response;

/**
 * Carries a kernel's gradient back to the policy's parameters: {@code d logp(y_t) / d logits =
 * onehot(y_t) - softmax(logits)}, and logits as they are.
 *
 * <p>Rows are cut into a number of chunks that depends on the rows and the parameters alone; each
 * has its own accumulator, and these are added in order. So the result has the same bits for any
 * number of threads.
 */
final class PolicyGradient {
  private static final int MAXIMUM_CHUNKS = 32;

  /** The most numbers in all accumulators together, unless one alone has more: 32 MiB. */
  private static final int MAXIMUM_ACCUMULATED = 1 << 22;

  private final Policy policy;
  private final List<Input> trained;
  private final double[][] accumulators;
  private final double[] gradient;

  /**
   * Allocates the accumulators.
   *
   * @param trained the trained inputs, all of this policy
   */
  PolicyGradient(Policy policy, List<Input> trained) {
    this.policy = policy;
    this.trained = trained;
    int size = policy.parameters().length;
    int chunks = Math.clamp(MAXIMUM_ACCUMULATED / Math.max(1, size), 1, MAXIMUM_CHUNKS);
    gradient = new double[size];
    accumulators = new double[chunks][0];
  }

  /** The gradient with respect to the parameters; the array is reused by the next call. */
  double[] compute(Batch batch, Rows rows, Evaluation evaluation, Workers workers) {
    int chunks = Math.min(rows.count(), accumulators.length);
    workers.run(
        chunks,
        (from, to) -> {
          for (int chunk = from; chunk < to; chunk++) {
            int first = (int) ((long) rows.count() * chunk / chunks);
            int end = (int) ((long) rows.count() * (chunk + 1) / chunks);
            accumulate(chunk, first, end, batch, rows, evaluation);
          }
        });
    workers.run(
        gradient.length,
        (from, to) -> {
          System.arraycopy(accumulators[0], from, gradient, from, to - from);
          for (int chunk = 1; chunk < chunks; chunk++) {
            double[] part = accumulators[chunk];
            for (int i = from; i < to; i++) {
              gradient[i] += part[i];
            }
          }
        });
    return gradient;
  }

  private void accumulate(
      int chunk, int first, int end, Batch batch, Rows rows, Evaluation evaluation) {
    if (accumulators[chunk].length == 0) {
      accumulators[chunk] = new double[gradient.length];
    } else {
      Arrays.fill(accumulators[chunk], 0);
    }
    for (Input input : trained) {
      String sequence = BatchAssembler.sequence(input);
      List<Response> responses = rows.of(sequence);
      int[] offsets = batch.offsets(sequence);
      double[] column = evaluation.gradient(input.name());
      if (input.role() == Role.LOGITS) {
        ofLogits(first, end, responses, offsets, column, accumulators[chunk]);
      } else {
        ofLogProbabilities(first, end, responses, offsets, column, accumulators[chunk]);
      }
    }
  }

  private void ofLogits(
      int first,
      int end,
      List<Response> responses,
      int[] offsets,
      double[] column,
      double[] accumulator) {
    int vocabulary = policy.vocabulary();
    double[] logitGradient = new double[vocabulary];
    for (int row = first; row < end; row++) {
      Response response = responses.get(row);
      for (int t = 0; t < response.length(); t++) {
        int position = offsets[row] + t;
        System.arraycopy(column, position * vocabulary, logitGradient, 0, vocabulary);
        policy.backward(
            response.promptAt(t),
            response.tokens(),
            response.seenAt(t),
            logitGradient,
            accumulator);
      }
    }
  }

  /**
   * Neighbouring rows that are in the same state are gone back from together: with {@code c_i} the
   * gradient of their log-probabilities {@code sum of c_i onehot(y_i) - (sum of c_i) softmax}.
   */
  private void ofLogProbabilities(
      int first,
      int end,
      List<Response> responses,
      int[] offsets,
      double[] column,
      double[] accumulator) {
    List<OpenState> path = new ArrayList<>();
    for (int row = first; row < end; row++) {
      Response response = responses.get(row);
      if (row > first) {
        Response before = responses.get(row - 1);
        close(path, Responses.sharedStates(before, response), before, accumulator);
      }
      for (int t = 0; t < response.length(); t++) {
        if (t == path.size()) {
          path.add(new OpenState(policy.vocabulary()));
        }
        path.get(t).add(response.tokens()[t], column[offsets[row] + t]);
      }
    }
    if (end > first) {
      close(path, 0, responses.get(end - 1), accumulator);
    }
  }

  /** Goes back from the states of a response at position {@code from} and later. */
  private void close(List<OpenState> path, int from, Response response, double[] accumulator) {
    for (int t = response.length() - 1; t >= from; t--) {
      OpenState state = path.get(t);
      if (state.touched) {
        state.spread(Responses.nextToken(policy, response, t));
        policy.backward(
            response.promptAt(t),
            response.tokens(),
            response.seenAt(t),
            state.gradient,
            accumulator);
        state.clear();
      }
    }
  }

  /** The gradients at a state that rows have been in. */
  private static final class OpenState {
    private final double[] gradient;
    private double total;
    private boolean touched;

    OpenState(int vocabulary) {
      gradient = new double[vocabulary];
    }

    void add(int token, double value) {
      if (value != 0) {
        gradient[token] += value;
        total += value;
        touched = true;
      }
    }

    void spread(double[] logProbabilities) {
      for (int v = 0; v < gradient.length; v++) {
        gradient[v] -= total * Math.exp(logProbabilities[v]);
      }
    }

    void clear() {
      Arrays.fill(gradient, 0);
      total = 0;
      touched = false;
    }
  }
}
