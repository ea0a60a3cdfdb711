package org.alignlang.compiler.ir;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.kernel.Signature;

/**
 * An objective, checked, estimated and differentiated: what back ends lower.
 *
 * @param signature what its kernel reads and writes
 * @param documentation the {@code ///} text of the spec
 * @param loss the minimised scalar
 * @param metrics one batch-level value per {@link Signature#metrics()}
 * @param violations one batch-level value per {@link Signature#constraints()}
 * @param gradients the gradient of the loss for every trained input, at the input's domain
 * @param forward how many nodes there were before differentiation: what has a higher number belongs
 *     to the gradient alone
 */
public record ObjectiveProgram(
    Signature signature,
    String documentation,
    Node loss,
    List<Node> metrics,
    List<Node> violations,
    Map<Signature.Input, Node> gradients,
    int forward) {

  public ObjectiveProgram {
    metrics = List.copyOf(metrics);
    violations = List.copyOf(violations);
    gradients = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(gradients));
    if (!loss.domain().equals(Domain.BATCH)) {
      throw new IllegalArgumentException("loss at " + loss.domain());
    }
  }

  /** All values that the kernel writes. */
  public List<Node> outputs() {
    java.util.ArrayList<Node> all = new java.util.ArrayList<>();
    all.add(loss);
    all.addAll(metrics);
    all.addAll(violations);
    all.addAll(gradients.values());
    return all;
  }

  /** The outputs and all that they are made of, operands first. */
  public static List<Node> reachable(List<Node> outputs) {
    java.util.TreeMap<Integer, Node> found = new java.util.TreeMap<>();
    java.util.ArrayDeque<Node> stack = new java.util.ArrayDeque<>(outputs);
    while (!stack.isEmpty()) {
      Node node = stack.pop();
      if (found.put(node.number(), node) == null) {
        stack.addAll(node.operands());
      }
    }
    return List.copyOf(found.values());
  }
}
