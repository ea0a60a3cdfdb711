package org.alignlang.compiler.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Level;
import org.jspecify.annotations.Nullable;

/**
 * Takes probabilities out of the gradients of logits. Every term of a loss leaves one of its own,
 * {@code c p u}, with {@code c} and often {@code u} the same for all logits of a token: {@code c1 p
 * u1 + c2 p u2 + c3 p = p (c1 u1 + c2 u2 + c3)} is one product with the probability, and what does
 * not depend on the logit is added up once per token, in double precision on every back end.
 *
 * <p>Where p is 0 the product is 0 whatever the sum is, as each term was.
 */
final class CommonWeights {
  private final GraphBuilder graph;

  /**
   * The terms of a sum with one weight.
   *
   * @param fine what each logit adds
   */
  private record Weighted(List<Node> fine, List<Node> coarse) {}

  private final Map<Node, Weighted> weighted = new LinkedHashMap<>();
  private final List<Node> others = new ArrayList<>();
  private int terms;

  private CommonWeights(GraphBuilder graph) {
    this.graph = graph;
  }

  /**
   * The program with probabilities taken out of its gradients of logits.
   *
   * @param graph where new values are made; the program's own builder, or a copy of it
   */
  static ObjectiveProgram in(ObjectiveProgram program, GraphBuilder graph) {
    Map<org.alignlang.kernel.Signature.Input, Node> gradients = new LinkedHashMap<>();
    program
        .gradients()
        .forEach((input, gradient) ->
            gradients.put(
                input,
                gradient.domain().level() == Level.VOCAB
                    ? new CommonWeights(graph).factored(gradient)
                    : gradient));
    return new ObjectiveProgram(
        program.signature(),
        program.documentation(),
        program.loss(),
        program.metrics(),
        program.violations(),
        gradients,
        program.forward());
  }

  private Node factored(Node gradient) {
    graph.at(gradient.origin());
    collect(gradient, false, null);
    if (terms == weighted.size()) {
      return gradient;
    }
    Node total = null;
    for (Map.Entry<Node, Weighted> entry : weighted.entrySet()) {
      // What is coarse comes first: it is one value of the token.
      List<Node> parts = new ArrayList<>(entry.getValue().coarse());
      parts.addAll(entry.getValue().fine());
      Node sum = parts.stream().reduce(graph::add).orElseThrow();
      total = plus(total, graph.expTimes(entry.getKey(), sum));
    }
    for (Node other : others) {
      total = plus(total, other);
    }
    return graph.broadcast(java.util.Objects.requireNonNull(total), gradient.domain());
  }

  private Node plus(@Nullable Node sum, Node term) {
    return sum == null ? term : graph.add(sum, term);
  }

  /**
   * Takes a sum apart.
   *
   * @param negative whether it is subtracted
   * @param factor what it is multiplied by, the same for all logits of a token, if anything
   */
  private void collect(Node node, boolean negative, @Nullable Node factor) {
    Node value = Plan.base(node);
    if (value.domain().level() == Level.VOCAB) {
      switch (value.operation()) {
        case Operation.Apply apply when apply.function() == Unary.NEGATE -> {
          collect(value.operand(0), !negative, factor);
          return;
        }
        case Operation.Apply apply when apply.function() == Unary.EXP -> {
          add(value.operand(0), graph.constant(1), negative, factor);
          return;
        }
        case Operation.Combine combine -> {
          switch (combine.function()) {
            case ADD, SUBTRACT -> {
              collect(value.operand(0), negative, factor);
              collect(value.operand(1), negative ^ (combine.function() == Binary.SUBTRACT), factor);
              return;
            }
            case MULTIPLY -> {
              for (int i = 0; i < 2; i++) {
                Node coarse = Plan.base(value.operand(i));
                if (coarse.domain().level() != Level.VOCAB) {
                  Node both = factor == null ? coarse : graph.multiply(factor, coarse);
                  collect(value.operand(1 - i), negative, both);
                  return;
                }
              }
            }
            case EXP_TIMES -> {
              add(value.operand(0), value.operand(1), negative, factor);
              return;
            }
            default -> {}
          }
        }
        default -> {}
      }
    }
    others.add(scaled(value, negative, factor));
  }

  private void add(Node logWeight, Node value, boolean negative, @Nullable Node factor) {
    terms++;
    Weighted all =
        weighted.computeIfAbsent(
            Plan.base(logWeight), _ -> new Weighted(new ArrayList<>(), new ArrayList<>()));
    Node scaled = scaled(Plan.base(value), negative, factor);
    (scaled.domain().level() == Level.VOCAB ? all.fine() : all.coarse()).add(scaled);
  }

  private Node scaled(Node value, boolean negative, @Nullable Node factor) {
    Node scaled = factor == null ? value : graph.multiply(factor, value);
    return negative ? graph.negate(scaled) : scaled;
  }
}
