package org.alignlang.compiler.plan;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.ir.Substitution;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Level;
import org.jspecify.annotations.Nullable;

/**
 * Takes normalisers out of sums over the vocabulary. A sum {@code sum(p v)}, with {@code log p = x
 * - logsumexp(x)}, could be computed only after a visit to the row for the normaliser. The same
 * number is the mean of {@code v} under the distribution with logits {@code x}, which one visit
 * computes together with the normaliser; and what {@code v} takes from the token, such as
 * normalisers of its own, comes out of a mean by linearity. A Kullback-Leibler term with entropy
 * and log-probability then visits each row of logits twice: for its sums, and for its gradient.
 */
final class SoftmaxMeans {
  private final GraphBuilder graph;
  private final Substitution substitution;

  /** Whether a value is known before the first visit to a row. */
  private final Map<Node, Boolean> known = new HashMap<>();

  private SoftmaxMeans(GraphBuilder graph) {
    this.graph = graph;
    substitution = new Substitution(graph, Map.of());
  }

  /**
   * The program with means in place of sums wherever that saves a visit.
   *
   * @param graph where new values are made; the program's own builder, or a copy of it
   */
  static ObjectiveProgram in(ObjectiveProgram program, GraphBuilder graph) {
    return new SoftmaxMeans(graph).rewrite(program);
  }

  private ObjectiveProgram rewrite(ObjectiveProgram program) {
    boolean changed = false;
    for (Node node : ObjectiveProgram.reachable(program.outputs())) {
      Optional<Node> mean = mean(node);
      if (mean.isPresent()) {
        substitution.replace(node, mean.get());
        changed = true;
      }
    }
    if (!changed) {
      return program;
    }
    Map<org.alignlang.kernel.Signature.Input, Node> gradients = new LinkedHashMap<>();
    program
        .gradients()
        .forEach((input, node) ->
            gradients.put(input, graph.broadcast(substitution.apply(node), node.domain())));
    return new ObjectiveProgram(
        program.signature(),
        program.documentation(),
        substitution.apply(program.loss()),
        program.metrics().stream().map(substitution::apply).toList(),
        program.violations().stream().map(substitution::apply).toList(),
        gradients,
        program.forward());
  }

  private Optional<Node> mean(Node sum) {
    if (!(sum.operation() instanceof Operation.Reduce reduce)
        || reduce.reduction() != Reduction.SUM
        || sum.operand(0).domain().level() != Level.VOCAB
        || !is(sum.operand(0), Binary.EXP_TIMES)) {
      return Optional.empty();
    }
    Node weighted = sum.operand(0);
    Optional<Node> logits = logits(weighted.operand(0));
    if (logits.isEmpty()) {
      return Optional.empty();
    }
    graph.at(sum.origin());
    return parts(weighted.operand(1)).map(parts -> total(parts, logits.get(), sum.domain()));
  }

  /** The logits whose log-softmax a value is, if they are known before the first visit. */
  private Optional<Node> logits(Node node) {
    if (is(node, Binary.SUBTRACT)
        && Plan.base(node.operand(1)).operation() instanceof Operation.Reduce reduce
        && reduce.reduction() == Reduction.LOG_SUM_EXP
        && Plan.base(node.operand(1)).operand(0) == node.operand(0)
        && isKnown(node.operand(0))) {
      return Optional.of(node.operand(0));
    }
    return Optional.empty();
  }

  /**
   * A value as the sum of something at the vocabulary that is known before the first visit, of
   * multiples of other such sums, and of a value of the token.
   */
  private record Parts(@Nullable Node entry, List<Multiple> multiples, @Nullable Node rest) {}

  private record Multiple(Node factor, Parts parts) {}

  private Node total(Parts parts, Node logits, Domain token) {
    Node total =
        parts.entry() == null ? graph.constant(0) : graph.softmaxMean(logits, parts.entry());
    for (Multiple multiple : parts.multiples()) {
      total =
          graph.add(
              total,
              graph.multiply(
                  substitution.apply(multiple.factor()), total(multiple.parts(), logits, token)));
    }
    Node rest = parts.rest();
    return graph.broadcast(
        rest == null ? total : graph.add(total, substitution.apply(rest)), token);
  }

  private Optional<Parts> parts(Node value) {
    Node base = Plan.base(value);
    if (base.domain().level() != Level.VOCAB) {
      return Optional.of(new Parts(null, List.of(), base));
    }
    switch (base.operation()) {
      case Operation.Apply apply when apply.function() == Unary.NEGATE -> {
        return parts(base.operand(0)).map(this::negated);
      }
      case Operation.Combine combine when combine.function() == Binary.ADD -> {
        return merged(base, graph::add);
      }
      case Operation.Combine combine when combine.function() == Binary.SUBTRACT -> {
        return merged(base, graph::subtract);
      }
      case Operation.Combine combine when combine.function() == Binary.LOG_RATIO -> {
        return merged(base, graph::logRatio);
      }
      case Operation.Combine combine when combine.function() == Binary.MULTIPLY -> {
        for (int i = 0; i < 2; i++) {
          Node factor = Plan.base(base.operand(i));
          if (factor.domain().level() != Level.VOCAB) {
            return parts(base.operand(1 - i))
                .map(parts -> new Parts(null, List.of(new Multiple(factor, parts)), null));
          }
        }
      }
      default -> {}
    }
    return isKnown(base) ? Optional.of(new Parts(base, List.of(), null)) : Optional.empty();
  }

  private Parts negated(Parts parts) {
    Node entry = parts.entry();
    Node rest = parts.rest();
    return new Parts(
        entry == null ? null : graph.negate(entry),
        parts.multiples().stream().map(m -> new Multiple(m.factor(), negated(m.parts()))).toList(),
        rest == null ? null : graph.negate(rest));
  }

  /** A sum or difference by parts; both entries stay together, so that what cancels does. */
  private Optional<Parts> merged(Node node, BinaryOperator<Node> operator) {
    Optional<Parts> left = parts(node.operand(0));
    Optional<Parts> right = parts(node.operand(1));
    if (left.isEmpty() || right.isEmpty()) {
      return Optional.empty();
    }
    boolean adds = is(node, Binary.ADD);
    List<Multiple> multiples = new ArrayList<>(left.get().multiples());
    for (Multiple multiple : right.get().multiples()) {
      multiples.add(adds ? multiple : new Multiple(multiple.factor(), negated(multiple.parts())));
    }
    BinaryOperator<Node> ofRests = adds ? graph::add : graph::subtract;
    return Optional.of(
        new Parts(
            joined(left.get().entry(), right.get().entry(), operator, adds),
            multiples,
            joined(left.get().rest(), right.get().rest(), ofRests, adds)));
  }

  private @Nullable Node joined(
      @Nullable Node left, @Nullable Node right, BinaryOperator<Node> operator, boolean adds) {
    if (left == null || right == null) {
      return right == null || adds ? (left == null ? right : left) : graph.negate(right);
    }
    return operator.apply(left, right);
  }

  /** Whether a value is made of data, parameters and numbers alone. */
  private boolean isKnown(Node root) {
    for (Node node : ObjectiveProgram.reachable(List.of(root))) {
      known.computeIfAbsent(
          node,
          n ->
              switch (n.operation()) {
                case Operation.Constant _, Operation.Parameter _, Operation.Multiplier _ -> true;
                case Operation.Input _ -> n.domain().level() == Level.VOCAB;
                case Operation.Apply _,
                    Operation.Combine _,
                    Operation.Select _,
                    Operation.Stop _,
                    Operation.Broadcast _ ->
                    n.operands().stream().allMatch(o -> known.getOrDefault(o, false));
                case Operation.Count _,
                    Operation.OneHot _,
                    Operation.Checked _,
                    Operation.Reduce _,
                    Operation.Taken _,
                    Operation.Reorder _,
                    Operation.Matching _,
                    Operation.Largest _,
                    Operation.Beside _,
                    Operation.Position _,
                    Operation.Scan _,
                    Operation.Shift _,
                    Operation.Lift _,
                    Operation.Expectation _ ->
                    false;
              });
    }
    return known.getOrDefault(root, false);
  }

  private static boolean is(Node node, Binary function) {
    return node.operation() instanceof Operation.Combine combine && combine.function() == function;
  }
}
