package org.alignlang.compiler.check;

import static org.alignlang.compiler.check.WrittenGraph.is;
import static org.alignlang.compiler.check.WrittenGraph.plain;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.ACTIVE_WEIGHT;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.CLIP_BELOW_ONE;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.INERT_RATIO;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.LONG_RATIO;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.REPEATED_RATIO;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.UNEVEN_RATIO;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.check.GraphRules.Finding;
import org.alignlang.compiler.check.WrittenGraph.Exponent;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;

/**
 * Importance ratios and other weights made of probabilities: where their bounds lie, how often they
 * enter, and whether a gradient flows through them.
 */
final class RatioRules {
  static final Set<DiagnosticCode> CODES =
      Set.of(CLIP_BELOW_ONE, INERT_RATIO, REPEATED_RATIO, ACTIVE_WEIGHT, LONG_RATIO, UNEVEN_RATIO);

  private RatioRules() {}

  static List<Finding> findings(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    found.addAll(bounds(graph));
    found.addAll(chosenBounds(graph));
    found.addAll(uneven(graph));
    found.addAll(repeated(graph));
    found.addAll(activeWeights(graph));
    return found;
  }

  /** Bounds on importance ratios: where 1 lies, and what grows with the length. */
  private static List<Finding> bounds(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (!(node.operation() instanceof Operation.Combine combine) || !bounds(combine.function())) {
        continue;
      }
      for (int i = 0; i < 2; i++) {
        Node bound = node.operand(i);
        Node bounded = node.operand(1 - i);
        if (!graph.isParametric(bound)) {
          continue;
        }
        Optional<Exponent> ratio = ratio(graph, bounded);
        OptionalDouble value = graph.chosen(bound);
        boolean upper = combine.function() == Binary.MINIMUM;
        boolean lower = combine.function() == Binary.MAXIMUM;
        if ((upper || lower) && isOne(graph, bounded)) {
          found.add(
              new Finding(
                  node,
                  Diagnostic.of(
                          INERT_RATIO,
                          node.origin(),
                          "this ratio is always 1, so bounding it has no effect")
                      .withHelp(
                          "divide by `old`, the policy that sampled the data, or leave the bound"
                              + " out")));
        }
        // In the exponent 1 is 0: `exp(min(log_ratio, bound))`.
        Optional<Exponent> logarithm = unbounded(graph, bounded).flatMap(graph::exponent);
        double one = ratio.isPresent() ? 1 : 0;
        if (ratio.or(() -> logarithm).filter(Exponent::isImportance).isPresent()
            && value.isPresent()
            && (upper && value.getAsDouble() < one || lower && value.getAsDouble() > one)) {
          found.add(
              new Finding(
                  node,
                  GraphRules.fixed(
                      Diagnostic.of(
                              CLIP_BELOW_ONE,
                              node.origin(),
                              "the %s bound of this ratio is %s, which leaves 1 outside: on fresh samples"
                                      .formatted(
                                          upper ? "upper" : "lower", number(value.getAsDouble()))
                                  + " every ratio is cut to the bound")
                          .withHelp(
                              one == 0
                                  ? "the logarithm of 1 is 0: bound it on the other side"
                                  : "write the bound around 1, as in `1 %s %s`"
                                      .formatted(
                                          upper ? "+" : "-",
                                          upper ? number(value.getAsDouble()) : "0.2")),
                      upper && one == 1 ? aroundOne(graph, node) : Optional.empty())));
        }
        Optional<Exponent> product =
            ratio
                .or(() -> graph.exponent(withoutSign(bounded)))
                .filter(e -> e.isImportance() || e.times(-1).isImportance())
                .filter(Exponent::summed);
        if (product.isPresent() && unbounded(bounded)) {
          found.add(
              new Finding(
                  node,
                  Diagnostic.of(
                          LONG_RATIO,
                          node.origin(),
                          "this ratio is a product over all tokens, so its spread grows with the"
                              + " length and a constant bound cuts long sequences more than short"
                              + " ones")
                      .withHelp(
                          "bound the geometric mean, `exp(mean[token](log(pi(y.token) /"
                              + " old(y.token))))`, or each token's ratio")));
        }
      }
    }
    return found;
  }

  private static Node withoutSign(Node node) {
    Node value = plain(node);
    return is(value, Unary.ABS) || is(value, Unary.NEGATE) ? plain(value.operand(0)) : value;
  }

  /** Whether a value is the ratio of the policy to its own copy. */
  private static boolean isOne(WrittenGraph graph, Node node) {
    return ratio(graph, node)
        .filter(e -> Math.abs(e.weight(Statement.Role.POLICY)) < 1e-12)
        .filter(e -> e.weights().keySet().stream().allMatch(k -> k.role() == Statement.Role.POLICY))
        .filter(_ ->
            ObjectiveProgram.reachable(List.of(node)).stream()
                .anyMatch(n -> n.operation() instanceof Operation.Input i && i.input().trained()))
        .isPresent();
  }

  /** Bounds that are written as a choice: {@code if ratio > bound then bound else ratio}. */
  private static List<Finding> chosenBounds(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (!(node.operation() instanceof Operation.Select)
          || !is(plain(node.operand(0)), Binary.LESS)
              && !is(plain(node.operand(0)), Binary.LESS_EQUAL)) {
        continue;
      }
      Node comparison = plain(node.operand(0));
      for (int i = 0; i < 2; i++) {
        OptionalDouble bound = graph.chosen(comparison.operand(i));
        Node ratio = plain(comparison.operand(1 - i));
        // What is taken where the comparison holds, and which side it is on.
        int kept = plain(node.operand(1)) == ratio ? 1 : plain(node.operand(2)) == ratio ? 2 : 0;
        if (bound.isEmpty()
            || kept == 0
            || !graph.chosen(node.operand(3 - kept)).equals(bound)
            || ratio(graph, ratio).filter(Exponent::isImportance).isEmpty()) {
          continue;
        }
        boolean keptBelow = kept == 1 == (i == 1);
        if (keptBelow ? bound.getAsDouble() < 1 : bound.getAsDouble() > 1) {
          found.add(
              new Finding(
                  node,
                  Diagnostic.of(
                          CLIP_BELOW_ONE,
                          node.origin(),
                          "this choice bounds the ratio at "
                              + number(bound.getAsDouble())
                              + ", which leaves 1 outside: on fresh samples every ratio is cut to"
                              + " the bound")
                      .withHelp("write the bound around 1, as in `1 + 0.2`")));
        }
      }
    }
    return found;
  }

  /** Ratios whose sides are raised to different powers, as by a temperature after the softmax. */
  private static List<Finding> uneven(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (!is(node, Unary.EXP) && !is(node, Binary.EXP_TIMES)) {
        continue;
      }
      Optional<Exponent> exponent = unbounded(graph, node.operand(0)).flatMap(graph::exponent);
      boolean sampler =
          exponent
              .filter(Exponent::isImportance)
              .filter(e ->
                  e.weights().keySet().stream()
                      .allMatch(k ->
                          k.role() == Statement.Role.POLICY || k.role() == Statement.Role.BEHAVIOR))
              .isPresent();
      if (!sampler) {
        continue;
      }
      double policy = exponent.get().weight(Statement.Role.POLICY);
      double behavior = -exponent.get().weight(Statement.Role.BEHAVIOR);
      if (Math.abs(policy - behavior) > 1e-9) {
        found.add(
            new Finding(
                node,
                Diagnostic.of(
                        UNEVEN_RATIO,
                        node.origin(),
                        "the two sides of this ratio have different powers, "
                            + number(policy)
                            + " and "
                            + number(behavior)
                            + ": it is not 1 where the policies are the same, and a power of a"
                            + " probability is no probability at another temperature")
                    .withHelp(
                        "hand over log-probabilities of one temperature for both, or make the"
                            + " distribution: `normalize[vocab](pi(y.vocab)^(1 / t))`")));
      }
    }
    return found;
  }

  /** What stands within bounds that are made of numbers and parameters. */
  private static Optional<Node> unbounded(WrittenGraph graph, Node node) {
    Node current = plain(node);
    while (is(current, Binary.MINIMUM) || is(current, Binary.MAXIMUM)) {
      if (graph.isParametric(current.operand(1))) {
        current = plain(current.operand(0));
      } else if (graph.isParametric(current.operand(0))) {
        current = plain(current.operand(1));
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(current);
  }

  /** Whether a value has not been bounded already: of `clamp` the inner bound is reported. */
  private static boolean unbounded(Node node) {
    Node value = plain(node);
    return !is(value, Binary.MINIMUM) && !is(value, Binary.MAXIMUM);
  }

  private static boolean bounds(Binary function) {
    return switch (function) {
      case MINIMUM, MAXIMUM, LESS, LESS_EQUAL -> true;
      case ADD,
          SUBTRACT,
          MULTIPLY,
          DIVIDE,
          POWER,
          LOG_ADD_EXP,
          EXP_TIMES,
          LOG_RATIO,
          EQUAL,
          AND,
          OR ->
          false;
    };
  }

  /** The exponent of a ratio, through bounds that are made of numbers and parameters. */
  private static Optional<Exponent> ratio(WrittenGraph graph, Node node) {
    return unbounded(graph, node)
        .filter(n -> is(n, Unary.EXP))
        .flatMap(n -> unbounded(graph, n.operand(0)))
        .flatMap(graph::exponent);
  }

  /** Products in which the same importance ratio stands twice. */
  private static List<Finding> repeated(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    Map<Node, Exponent> products = new HashMap<>();
    for (Node node : graph.nodes()) {
      Optional<Exponent> first = Optional.empty();
      Optional<Exponent> second = Optional.empty();
      switch (node.operation()) {
        case Operation.Apply apply -> {
          switch (apply.function()) {
            case EXP -> first = graph.exponent(node.operand(0));
            case NEGATE -> first = Optional.ofNullable(products.get(node.operand(0)));
            default -> {}
          }
        }
        case Operation.Broadcast _,
            Operation.Lift _,
            Operation.Stop _,
            Operation.Checked _,
            Operation.Reduce _ ->
            first = Optional.ofNullable(products.get(node.operand(0)));
        case Operation.Combine combine -> {
          Optional<Exponent> a = Optional.ofNullable(products.get(node.operand(0)));
          Optional<Exponent> b = Optional.ofNullable(products.get(node.operand(1)));
          switch (combine.function()) {
            case MULTIPLY -> {
              first = a;
              second = b;
            }
            case EXP_TIMES -> {
              first = graph.exponent(node.operand(0));
              second = b;
            }
            case DIVIDE -> first = a;
            case MINIMUM, MAXIMUM -> first = a.equals(b) || b.isEmpty() ? a : a.isEmpty() ? b : a;
            default -> {}
          }
          // Products of probabilities are sums in the exponent.
          if (combine.function() == Binary.ADD) {
            first = graph.exponent(node.operand(0));
            second = graph.exponent(node.operand(1));
          }
        }
        default -> {}
      }
      boolean twice =
          first.filter(Exponent::isImportance).isPresent()
                  && second.filter(Exponent::isImportance).isPresent()
                  // What corrects for one draw does not correct for another.
                  && first.orElseThrow().meets(second.orElseThrow())
              || (is(node, Binary.EXP_TIMES) || is(node, Unary.EXP))
                  && first.filter(RatioRules::isSquare).isPresent()
                  && found.stream().noneMatch(f -> f.node() == plain(node.operand(0)));
      if (twice) {
        found.add(
            new Finding(
                node,
                Diagnostic.of(
                        REPEATED_RATIO,
                        node.origin(),
                        "two importance ratios to the same sampler are multiplied: one corrects for"
                            + " what sampled the data, and a second corrects again")
                    .withHelp("keep one of them, per token or per sequence")));
        continue;
      }
      boolean sum = is(node, Binary.ADD);
      if (!sum && (first.isPresent() || second.isPresent())) {
        products.put(node, first.orElse(Exponent.ZERO).plus(second.orElse(Exponent.ZERO), 1));
      }
    }
    return found;
  }

  /** Weights that carry a gradient although what they weigh carries its own. */
  private static List<Finding> activeWeights(WrittenGraph graph) {
    List<Finding> found = new ArrayList<>();
    for (Node node : graph.nodes()) {
      if (node.domain().level() == Level.VOCAB
          || !is(node, Binary.MULTIPLY) && !is(node, Binary.EXP_TIMES)) {
        continue;
      }
      for (int i = 0; i < (is(node, Binary.EXP_TIMES) ? 1 : 2); i++) {
        Node weighed = node.operand(1 - i);
        if (!weighed.active()) {
          continue;
        }
        List<Exponent> weights =
            is(node, Binary.EXP_TIMES)
                ? unbounded(graph, node.operand(0)).flatMap(graph::exponent).stream().toList()
                : weights(graph, node.operand(i));
        boolean policyAlone =
            factors(weighed).stream()
                .anyMatch(f -> graph.exponent(f).filter(RatioRules::isPolicyAlone).isPresent());
        boolean importance =
            policyAlone && weights.stream().anyMatch(w -> w.isImportance() && w.active());
        boolean confidence =
            graph.paired()
                && factors(weighed).stream().anyMatch(f -> isWeighed(graph, f))
                && weights.stream()
                    .anyMatch(w -> isPolicyAlone(w) && w.weight(Statement.Role.POLICY) > 0);
        if (importance || confidence) {
          found.add(
              new Finding(
                  node,
                  GraphRules.fixed(
                      Diagnostic.of(
                              ACTIVE_WEIGHT,
                              node.origin(),
                              importance
                                  ? "the gradient of this product has a part through the ratio"
                                      + " itself, log pi times the ratio's gradient, which no"
                                      + " policy gradient has"
                                  : "this weight is a probability under the trained policy, so the"
                                      + " loss can also be lowered by making the weight small")
                          .withHelp("detach the weight: `stop(...)`"),
                      detached(graph, node, node.operand(i)))));
        }
      }
    }
    return found;
  }

  /** An upper bound as an offset around 1, where the call is written. */
  private static Optional<Fix> aroundOne(WrittenGraph graph, Node node) {
    Optional<Expression> bound =
        graph
            .call(node, "clamp")
            .filter(c -> c.arguments().size() == 3)
            .map(c -> c.arguments().get(2).value())
            .or(() ->
                graph
                    .call(node, "min")
                    .filter(c -> c.arguments().size() == 2)
                    .flatMap(c ->
                        c.arguments().stream()
                            .map(Expression.Argument::value)
                            .filter(v ->
                                v instanceof Expression.NumberLiteral
                                    || v instanceof Expression.NameReference name
                                        && graph.isParameter(name.name()))
                            .findFirst()));
    return bound.map(
        b -> Fix.suggested("write `1 + " + b.span().text() + "`", Edit.before(b.span(), "1 + ")));
  }

  /** Cuts the gradient of the probability among the factors of a weight, where it is written. */
  private static Optional<Fix> detached(WrittenGraph graph, Node product, Node weight) {
    if (is(product, Binary.EXP_TIMES)) {
      return GraphRules.around(product, weight, "stop(", ")");
    }
    List<Node> probabilities =
        factors(weight).stream()
            .filter(f -> is(f, Binary.EXP_TIMES) || ratio(graph, f).isPresent())
            .toList();
    if (probabilities.size() != 1) {
      return Optional.empty();
    }
    Node probability = probabilities.getFirst();
    Span span =
        is(probability, Binary.EXP_TIMES)
            ? GraphRules.within(probability, probability.operand(0)).orElse(probability.origin())
            : probability.origin();
    return span.source().equals(product.origin().source())
        ? Optional.of(
            Fix.suggested("write `stop(...)`", Edit.before(span, "stop("), Edit.behind(span, ")")))
        : Optional.empty();
  }

  /** The exponents of the probabilities among the factors of a product. */
  private static List<Exponent> weights(WrittenGraph graph, Node product) {
    List<Exponent> weights = new ArrayList<>();
    for (Node factor : factors(product)) {
      ratio(graph, factor).ifPresent(weights::add);
      if (is(factor, Binary.EXP_TIMES)) {
        unbounded(graph, factor.operand(0)).flatMap(graph::exponent).ifPresent(weights::add);
      }
    }
    return weights;
  }

  /** Whether a factor carries a gradient and is no weight itself. */
  private static boolean isWeighed(WrittenGraph graph, Node factor) {
    return factor.active() && !isProduct(factor) && ratio(graph, factor).isEmpty();
  }

  private static boolean isProduct(Node node) {
    return is(node, Binary.MULTIPLY)
        || is(node, Binary.EXP_TIMES)
        || is(node, Binary.DIVIDE)
        || is(node, Unary.NEGATE);
  }

  /** Whether it is a whole power of a ratio, which weighs by it more than once. */
  private static boolean isSquare(Exponent exponent) {
    return exponent.sequences().stream()
        .map(exponent::of)
        .anyMatch(one -> {
          double policy = one.weight(Statement.Role.POLICY);
          return policy >= 2
              && policy == Math.rint(policy)
              && policy == -one.weight(Statement.Role.BEHAVIOR);
        });
  }

  private static boolean isPolicyAlone(Exponent exponent) {
    return exponent.has(Statement.Role.POLICY)
        && exponent.active()
        && exponent.weights().keySet().stream().allMatch(k -> k.role() == Statement.Role.POLICY);
  }

  /** The factors of a product. */
  private static List<Node> factors(Node node) {
    List<Node> factors = new ArrayList<>();
    List<Node> open = new ArrayList<>(List.of(node));
    Set<Node> seen = new HashSet<>();
    while (!open.isEmpty()) {
      Node next = plain(open.remove(open.size() - 1));
      if (!seen.add(next)) {
        continue;
      }
      factors.add(next);
      if (is(next, Binary.MULTIPLY)) {
        open.addAll(next.operands());
      } else if (is(next, Binary.EXP_TIMES)) {
        open.add(next.operand(1));
      } else if (is(next, Unary.NEGATE) || is(next, Binary.DIVIDE)) {
        open.add(next.operand(0));
      }
    }
    return factors;
  }

  static String number(double value) {
    double rounded = Math.round(value * 1e6) / 1e6;
    return rounded == Math.rint(rounded) && Math.abs(rounded) < 1e9
        ? Long.toString((long) rounded)
        : Double.toString(rounded);
  }
}
