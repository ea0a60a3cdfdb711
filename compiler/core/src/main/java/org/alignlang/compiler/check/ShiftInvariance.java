package org.alignlang.compiler.check;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;

/**
 * Whether a value stays the same when the links {@code f'(pi / ref)} of all responses of a prompt
 * shift by the same amount. Then the normaliser of the optimum, which is such a shift, cancels.
 *
 * <p>Follows the derivative with respect to the shift, as an exact sum of products, through what is
 * linear. What is not linear must not see the shift at all: a loss that is invariant in some other
 * way is taken for one that is not.
 */
final class ShiftInvariance {
  /** A product of nodes over a product of nodes. */
  private record Monomial(List<Node> factors, List<Node> divisors) {
    static final Monomial ONE = new Monomial(List.of(), List.of());

    Monomial times(Node factor) {
      return new Monomial(with(factors, factor), divisors);
    }

    Monomial over(Node divisor) {
      return new Monomial(factors, with(divisors, divisor));
    }

    private static List<Node> with(List<Node> nodes, Node node) {
      List<Node> all = new ArrayList<>(nodes);
      all.add(node);
      all.sort((a, b) -> Integer.compare(a.number(), b.number()));
      return List.copyOf(all);
    }
  }

  /** How many products a derivative may have, and a product factors, before it is given up. */
  private static final int LIMIT = 64;

  private final Set<Node> links;

  /** The derivative of each value with respect to the shift; empty where it is not followed. */
  private final Map<Node, Optional<Map<Monomial, Double>>> slopes = new HashMap<>();

  private ShiftInvariance(Set<Node> links) {
    this.links = links;
  }

  /** Whether a value does not see a shift of the links. */
  static boolean holds(Set<Node> links, Node value) {
    ShiftInvariance invariance = new ShiftInvariance(links);
    for (Node node : ObjectiveProgram.reachable(List.of(value))) {
      invariance.slopes.put(node, invariance.compute(node).filter(ShiftInvariance::isFollowed));
    }
    return invariance.slope(value).filter(Map::isEmpty).isPresent();
  }

  private static boolean isFollowed(Map<Monomial, Double> slope) {
    return slope.size() <= LIMIT
        && slope.keySet().stream().allMatch(m -> m.factors().size() + m.divisors().size() <= LIMIT);
  }

  private Optional<Map<Monomial, Double>> slope(Node node) {
    return slopes.getOrDefault(node, Optional.empty());
  }

  private Optional<Map<Monomial, Double>> compute(Node node) {
    if (links.contains(node)) {
      return Optional.of(Map.of(Monomial.ONE, 1.0));
    }
    return switch (node.operation()) {
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Position _,
          Operation.Expectation _ ->
          Optional.of(Map.of());
      case Operation.Stop _, Operation.Broadcast _, Operation.Lift _, Operation.Checked _ ->
          slope(node.operand(0));
      case Operation.Apply apply ->
          apply.function() == Unary.NEGATE
              ? slope(node.operand(0)).map(s -> scaled(s, -1))
              : unseen(node);
      case Operation.Combine combine -> combine(combine, node);
      case Operation.Select _ -> {
        boolean decided = slope(node.operand(0)).filter(Map::isEmpty).isPresent();
        Optional<Map<Monomial, Double>> yes = slope(node.operand(1));
        yield decided && yes.equals(slope(node.operand(2))) ? yes : Optional.empty();
      }
      case Operation.Reduce _,
          Operation.Taken _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Scan _,
          Operation.Shift _ ->
          unseen(node);
    };
  }

  private Optional<Map<Monomial, Double>> combine(Operation.Combine combine, Node node) {
    Node first = node.operand(0);
    Node second = node.operand(1);
    Optional<Map<Monomial, Double>> a = slope(first);
    Optional<Map<Monomial, Double>> b = slope(second);
    if (a.isEmpty() || b.isEmpty()) {
      return Optional.empty();
    }
    return switch (combine.function()) {
      case ADD -> Optional.of(sum(a.get(), b.get()));
      case SUBTRACT, LOG_RATIO -> Optional.of(sum(a.get(), scaled(b.get(), -1)));
      case MULTIPLY -> {
        if (!a.get().isEmpty() && !b.get().isEmpty()) {
          yield Optional.empty();
        }
        yield Optional.of(sum(times(a.get(), second), times(b.get(), first)));
      }
      case DIVIDE ->
          b.get().isEmpty()
              ? Optional.of(mapped(a.get(), m -> m.over(plain(second))))
              : Optional.empty();
      case LESS, LESS_EQUAL, EQUAL, MINIMUM, MAXIMUM ->
          !a.equals(b) ? Optional.empty() : combine.function().truth() ? Optional.of(Map.of()) : a;
      case POWER, LOG_ADD_EXP, EXP_TIMES, AND, OR -> unseen(node);
    };
  }

  /** No slope, if none of the operands has one. */
  private Optional<Map<Monomial, Double>> unseen(Node node) {
    boolean all = node.operands().stream().allMatch(o -> slope(o).filter(Map::isEmpty).isPresent());
    return all ? Optional.of(Map.of()) : Optional.empty();
  }

  /** A node without the broadcasts around it: the same factor for both responses of a pair. */
  private static Node plain(Node node) {
    return switch (node.operation()) {
      case Operation.Broadcast _, Operation.Lift _, Operation.Stop _ -> plain(node.operand(0));
      default -> node;
    };
  }

  private static Map<Monomial, Double> times(Map<Monomial, Double> slope, Node factor) {
    Node plain = plain(factor);
    return plain.operation() instanceof Operation.Constant constant
        ? scaled(slope, constant.value())
        : mapped(slope, m -> m.times(plain));
  }

  private static Map<Monomial, Double> mapped(
      Map<Monomial, Double> slope, java.util.function.UnaryOperator<Monomial> change) {
    Map<Monomial, Double> result = new HashMap<>();
    slope.forEach(
        (monomial, coefficient) -> result.merge(change.apply(monomial), coefficient, Double::sum));
    return result;
  }

  private static Map<Monomial, Double> scaled(Map<Monomial, Double> slope, double factor) {
    Map<Monomial, Double> result = new HashMap<>();
    slope.forEach((monomial, coefficient) -> result.put(monomial, coefficient * factor));
    return result;
  }

  private static Map<Monomial, Double> sum(Map<Monomial, Double> a, Map<Monomial, Double> b) {
    Map<Monomial, Double> result = new HashMap<>(a);
    b.forEach((monomial, coefficient) -> result.merge(monomial, coefficient, Double::sum));
    result.values().removeIf(coefficient -> coefficient == 0);
    return result;
  }
}
