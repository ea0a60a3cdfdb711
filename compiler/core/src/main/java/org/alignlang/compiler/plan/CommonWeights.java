package org.alignlang.compiler.plan;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

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
   * @param coarse what is the same for all logits of a token
   */
  private record Weighted(List<Node> fine, List<Node> coarse) {}

  private final Map<Node, Weighted> weighted = new LinkedHashMap<>();
  private final List<Node> others = new ArrayList<>();
  private int terms;

  /**
   * What the parts of the sum that are still to be looked at are multiplied by, the same for all
   * logits of a token. A part comes after all that it is a part of, and so once.
   */
  private final TreeMap<Integer, Part> open = new TreeMap<>();

  private record Part(Node value, Node factor) {}

  private CommonWeights(GraphBuilder graph) {
    this.graph = graph;
  }

  /**
   * The program with probabilities taken out of its gradients of logits.
   *
   * @param graph where new values are made; the program's own builder, or a copy of it
   */
  static ObjectiveProgram in(ObjectiveProgram program, GraphBuilder graph) {
    Map<Signature.Input, Node> gradients = new LinkedHashMap<>();
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
    add(gradient, graph.constant(1));
    while (!open.isEmpty()) {
      Part part = open.pollLastEntry().getValue();
      take(part.value(), part.factor());
    }
    if (terms == weighted.size()) {
      return gradient;
    }
    List<Node> total = new ArrayList<>();
    weighted.forEach((logWeight, parts) -> {
      // What is coarse comes first: it is one value of the token.
      List<Node> all = new ArrayList<>(parts.coarse());
      all.addAll(parts.fine());
      total.add(graph.expTimes(logWeight, all.stream().reduce(graph::add).orElseThrow()));
    });
    total.addAll(others);
    return graph.broadcast(total.stream().reduce(graph::add).orElseThrow(), gradient.domain());
  }

  /** Adds a part to the sum. */
  private void add(Node part, Node factor) {
    Node value = Plan.base(part);
    open.merge(
        value.number(),
        new Part(value, factor),
        (known, more) -> new Part(value, graph.add(known.factor(), more.factor())));
  }

  /** Takes a part of the sum apart. */
  private void take(Node value, Node factor) {
    if (value.domain().level() == Level.VOCAB) {
      switch (value.operation()) {
        case Operation.Apply apply when apply.function() == Unary.NEGATE -> {
          add(value.operand(0), graph.negate(factor));
          return;
        }
        case Operation.Apply apply when apply.function() == Unary.EXP -> {
          addWeighted(value.operand(0), graph.constant(1), factor);
          return;
        }
        case Operation.Combine combine -> {
          switch (combine.function()) {
            case ADD, SUBTRACT -> {
              add(value.operand(0), factor);
              add(
                  value.operand(1),
                  combine.function() == Binary.ADD ? factor : graph.negate(factor));
              return;
            }
            case MULTIPLY -> {
              for (int i = 0; i < 2; i++) {
                Node coarse = Plan.base(value.operand(i));
                if (coarse.domain().level() != Level.VOCAB) {
                  add(value.operand(1 - i), graph.multiply(factor, coarse));
                  return;
                }
              }
            }
            case EXP_TIMES -> {
              addWeighted(value.operand(0), value.operand(1), factor);
              return;
            }
            default -> {}
          }
        }
        default -> {}
      }
    }
    others.add(graph.multiply(factor, value));
  }

  private void addWeighted(Node logWeight, Node value, Node factor) {
    terms++;
    Weighted all =
        weighted.computeIfAbsent(
            Plan.base(logWeight), _ -> new Weighted(new ArrayList<>(), new ArrayList<>()));
    Node scaled = graph.multiply(factor, Plan.base(value));
    (scaled.domain().level() == Level.VOCAB ? all.fine() : all.coarse()).add(scaled);
  }
}
