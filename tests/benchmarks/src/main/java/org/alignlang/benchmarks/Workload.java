package org.alignlang.benchmarks;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Column;
import org.alignlang.runtime.bench.SyntheticBatch;
import org.alignlang.runtime.bench.SyntheticBatch.Shape;

/**
 * An objective and data for it.
 *
 * @param kind which objective
 * @param shape how large the data is
 * @param objective compiled
 * @param batch random, in single precision
 */
record Workload(Kind kind, Shape shape, CheckedObjective objective, Batch batch) {

  /** The objectives that are timed. */
  enum Kind {
    /** Log-probability of the taken token, exact reverse KL and entropy, all from logits. */
    POLICY(
        """
        objective Policy(beta: Real = 0.1, alpha: Real = 0.01) {
          policy    pi
          reference ref
          feature   a: token
          minimize mean[token, sequence](
              -a * log(pi(y.token)) + beta * KL(pi(y.vocab) || ref(y.vocab))
              - alpha * entropy(pi(y.vocab)))
        }
        """),
    /** Clipped policy gradient with the k3 penalty, from log-probabilities. */
    GRPO(
        """
        objective Grpo(eps: Real = 0.2, beta: Real = 0.04) {
          policy    pi
          behavior  old
          reference ref
          feature   a: token
          let ratio = pi(y.token) / old(y.token)
          let d = log(ref(y.token)) - log(pi(y.token))
          minimize mean[token, sequence](
              -min(ratio * a, clamp(ratio, 1 - eps, 1 + eps) * a) + beta * (exp(d) - d - 1))
        }
        """),
    /** Clipped policy gradient, from log-probabilities. */
    PPO(
        """
        objective Ppo(eps: Real = 0.2) {
          policy   pi
          behavior old
          feature  a: token
          let ratio = pi(y.token) / old(y.token)
          minimize mean[token, sequence](-min(ratio * a, clamp(ratio, 1 - eps, 1 + eps) * a))
        }
        """),
    /** Preferences, from log-probabilities of both responses. */
    DPO(
        """
        objective Dpo(beta: Real = 0.1) {
          policy     pi
          reference  ref
          pairs      chosen > rejected
          let h(s) = log(pi(s) / ref(s))
          minimize mean[pair](-log_sigmoid(beta * (h(chosen) - h(rejected))))
        }
        """);

    private final String text;

    Kind(String text) {
      this.text = text;
    }
  }

  static Workload of(Kind kind, Shape shape) {
    CheckedObjective objective =
        Compiler.compile(kind.name().toLowerCase(java.util.Locale.ROOT) + ".align", kind.text)
            .objectives()
            .getFirst();
    return new Workload(
        kind,
        shape,
        objective,
        SyntheticBatch.of(objective.signature(), shape, Column.Type.F32, 1));
  }

  /** The values of the objective's parameters. */
  double[] parameters() {
    return objective.signature().parameters().stream()
        .mapToDouble(parameter -> parameter.defaultValue())
        .toArray();
  }

  double parameter(String name) {
    return objective.signature().parameters().stream()
        .filter(parameter -> parameter.name().equals(name))
        .findFirst()
        .orElseThrow()
        .defaultValue();
  }

  /** The inputs that have a gradient. */
  List<String> trained() {
    List<String> names = new ArrayList<>();
    objective.program().gradients().keySet().forEach(input -> names.add(input.name()));
    return names;
  }

  float[] floats(String column) {
    return batch.data(column).toFloats();
  }

  int tokens() {
    return shape.rows() * shape.tokens();
  }

  long elements() {
    return SyntheticBatch.elements(objective.signature(), batch);
  }

  long bytes() {
    return SyntheticBatch.bytes(objective.signature(), batch);
  }

  /** Such as {@code [512, 32000]}. */
  String size() {
    return kind == Kind.POLICY
        ? "[%d, %d]".formatted(tokens(), shape.vocabulary())
        : "[%d, %d]".formatted(shape.rows(), shape.tokens());
  }
}
