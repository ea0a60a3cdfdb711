package org.alignlang.compiler.check;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.ExpressionWalk;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * The loss of an objective as it was written, without rewriting, with what {@link GraphRules} ask
 * of its nodes.
 */
final class WrittenGraph {
  /** The probability of a sequence or its tokens under an actor, detached or not. */
  record Likelihood(String actor, Statement.Role role, String sequence, boolean stopped) {}

  /**
   * A weighted sum of log-probabilities, which is what stands in the exponent of a likelihood
   * ratio.
   *
   * @param weights the weight of each log-probability
   * @param summed whether it is a sum over tokens, which grows with the length of the sequence
   */
  record Exponent(Map<Likelihood, Double> weights, boolean summed) {
    static final Exponent ZERO = new Exponent(Map.of(), false);

    Exponent plus(Exponent other, double factor) {
      Map<Likelihood, Double> all = new HashMap<>(weights);
      other.weights.forEach((key, weight) -> all.merge(key, factor * weight, Double::sum));
      all.values().removeIf(weight -> weight == 0);
      return new Exponent(Map.copyOf(all), summed || other.summed);
    }

    Exponent times(double factor) {
      return new Exponent(Map.of(), summed).plus(this, factor);
    }

    /** The weight of an actor's log-probabilities, without regard to sequence and gradient. */
    double weight(Statement.Role role) {
      return weights.entrySet().stream()
          .filter(e -> e.getKey().role() == role)
          .mapToDouble(Map.Entry::getValue)
          .sum();
    }

    boolean has(Statement.Role role) {
      return weights.keySet().stream().anyMatch(k -> k.role() == role);
    }

    /** Whether a gradient flows through it. */
    boolean active() {
      return weights.keySet().stream()
          .anyMatch(k -> k.role() == Statement.Role.POLICY && !k.stopped());
    }

    /** The sequences whose likelihoods it is made of. */
    Set<String> sequences() {
      Set<String> names = new HashSet<>();
      weights.keySet().forEach(key -> names.add(key.sequence()));
      return names;
    }

    /** What it has of one sequence. */
    Exponent of(String sequence) {
      Map<Likelihood, Double> own = new HashMap<>(weights);
      own.keySet().removeIf(key -> !key.sequence().equals(sequence));
      return new Exponent(Map.copyOf(own), summed);
    }

    /** Whether both are made of the likelihood of one sequence. */
    boolean meets(Exponent other) {
      return sequences().stream().anyMatch(other.sequences()::contains);
    }

    /** Whether this is the log-ratio of the policy to what sampled the data. */
    boolean isImportance() {
      return weight(Statement.Role.POLICY) > 0 && weight(Statement.Role.BEHAVIOR) < 0;
    }
  }

  private final CheckContext context;
  private final Node loss;
  private final List<Node> roots;
  private final List<Statement> statements;
  private final List<Node> nodes;
  private final Map<Node, Double> chosen = new HashMap<>();
  private final Set<Node> parametric = new HashSet<>();
  private final Map<Node, Exponent> exponents = new HashMap<>();

  /**
   * @param context what the objective was checked with
   * @param loss the minimised scalar
   * @param value what is optimised, before estimators stand for its expectations
   * @param statements what the objective is written in
   */
  WrittenGraph(CheckContext context, Node loss, Node value, List<Statement> statements) {
    this.statements = statements;
    this.context = context;
    this.loss = loss;
    this.roots = List.of(loss, value);
    this.nodes = ObjectiveProgram.reachable(roots);
    for (Node node : nodes) {
      compute(node);
    }
  }

  Node loss() {
    return loss;
  }

  /** The loss and what is optimised. */
  List<Node> roots() {
    return roots;
  }

  /** All that the loss and what is optimised are made of, operands first. */
  List<Node> nodes() {
    return nodes;
  }

  CheckContext context() {
    return context;
  }

  /** Whether the loss is over pairs. */
  boolean paired() {
    return context.paired;
  }

  /** Whether the loss is over responses with labels. */
  boolean labelled() {
    return context.inputs.containsKey("label");
  }

  /** Whether the data is sampled from the policy, or from what it was. */
  boolean sampled() {
    boolean behavior =
        context.inputs.values().stream()
            .anyMatch(i -> !i.actor().isEmpty() && role(i.actor()) == Statement.Role.BEHAVIOR);
    return !paired() && !labelled() && (behavior || !context.expectations.isEmpty());
  }

  /** Whether responses come with rewards, or in groups: they are sampled from something. */
  boolean rewarded() {
    return !paired()
        && !labelled()
        && (context.grouped
            || statements.stream()
                .anyMatch(s ->
                    s instanceof Statement.Column c && c.role() == Statement.ColumnRole.REWARD));
  }

  /** The number that a node is with the objective's parameters as they are, if it is one. */
  OptionalDouble chosen(Node node) {
    Double value = chosen.get(node);
    return value == null ? OptionalDouble.empty() : OptionalDouble.of(value);
  }

  /** Whether a node is made of numbers and parameters alone, be their values known or not. */
  boolean isParametric(Node node) {
    return parametric.contains(node);
  }

  /** Whether a parameter of the objective or of its estimator has this name. */
  boolean isParameter(String name) {
    return context.parameterValues.keySet().stream()
            .anyMatch(n -> n.operation() instanceof Operation.Parameter p && p.name().equals(name))
        || context.estimator.stream()
            .flatMap(e -> e.parameters().stream())
            .anyMatch(p -> p.name().equals(name));
  }

  /** The sum of log-probabilities that a node is, if it is one. */
  Optional<Exponent> exponent(Node node) {
    return Optional.ofNullable(exponents.get(node));
  }

  /** The expression of a kind that a value was written as, in the objective or its estimator. */
  <E extends Expression> Optional<E> written(Node node, Class<E> kind) {
    return Stream.concat(
            ExpressionWalk.of(statements).stream(),
            context.estimator.stream().flatMap(e -> ExpressionWalk.of(e.statements()).stream()))
        .filter(e -> e.span().equals(node.origin()))
        .filter(kind::isInstance)
        .map(kind::cast)
        .findFirst();
  }

  /** The call of a function that a value was written as. */
  Optional<Expression.Call> call(Node node, String function) {
    return written(node, Expression.Call.class)
        .filter(c ->
            c.function() instanceof Expression.NameReference name && name.name().equals(function));
  }

  /** What a name stands for that a {@code let} gives it. */
  Optional<Expression> named(Expression expression) {
    return expression instanceof Expression.NameReference name
        ? statements.stream()
            .filter(Statement.Let.class::isInstance)
            .map(Statement.Let.class::cast)
            .filter(l -> l.name().equals(name.name()) && l.parameters().isEmpty())
            .map(Statement.Let::value)
            .findFirst()
        : Optional.empty();
  }

  /** The name of the trained policy, if the objective has one. */
  Optional<String> policy() {
    return context.actors.values().stream()
        .filter(a -> a.role() == Statement.Role.POLICY)
        .map(CheckContext.Actor::name)
        .findFirst();
  }

  /** The role of an actor, by name. */
  Statement.Role role(String actor) {
    CheckContext.Actor found = context.actors.get(actor);
    return found == null ? Statement.Role.REFERENCE : found.role();
  }

  /** A node without broadcasts and lifts around it. */
  static Node plain(Node node) {
    Node current = node;
    while (current.operation() instanceof Operation.Broadcast
        || current.operation() instanceof Operation.Lift) {
      current = current.operand(0);
    }
    return current;
  }

  static boolean is(Node node, Unary function) {
    return node.operation() instanceof Operation.Apply apply && apply.function() == function;
  }

  static boolean is(Node node, Binary function) {
    return node.operation() instanceof Operation.Combine combine && combine.function() == function;
  }

  /** Whether a node is the number of tokens of each sequence. */
  static boolean isTokenCount(Node node) {
    Node current = plain(node);
    if (current.operation() instanceof Operation.Checked) {
      current = plain(current.operand(0));
    }
    if (is(current, Binary.MAXIMUM)) {
      // Guarded: `max(length(y), 1)`.
      current =
          plain(
              plain(current.operand(0)).operation() instanceof Operation.Constant
                  ? current.operand(1)
                  : current.operand(0));
    }
    return current.operation() instanceof Operation.Count count
        && count.from().level() == Level.TOKEN
        && current.domain().level() == Level.SEQUENCE;
  }

  private void compute(Node node) {
    switch (node.operation()) {
      case Operation.Constant constant -> {
        chosen.put(node, constant.value());
        parametric.add(node);
        exponents.put(node, Exponent.ZERO);
      }
      case Operation.Parameter _ -> {
        parametric.add(node);
        Double value = context.parameterValues.get(node);
        if (value != null && !value.isNaN()) {
          chosen.put(node, value);
        }
      }
      case Operation.Input input -> {
        if (input.input().role() == Signature.Role.LOG_PROBABILITY) {
          exponents.put(node, likelihood(input.input()));
        }
      }
      case Operation.Taken _ -> {
        // log softmax of the logits, at the taken token
        Node distribution = plain(node.operand(0));
        if (is(distribution, Binary.SUBTRACT)
            && distribution.operand(0).operation() instanceof Operation.Input input
            && input.input().role() == Signature.Role.LOGITS) {
          exponents.put(node, likelihood(input.input()));
        }
      }
      case Operation.Stop _ -> {
        Exponent x = exponents.get(node.operand(0));
        if (x != null) {
          Map<Likelihood, Double> stopped = new HashMap<>();
          x.weights()
              .forEach((key, weight) ->
                  stopped.merge(
                      new Likelihood(key.actor(), key.role(), key.sequence(), true),
                      weight,
                      Double::sum));
          exponents.put(node, new Exponent(Map.copyOf(stopped), x.summed()));
        }
        passOn(node);
      }
      case Operation.Broadcast _, Operation.Lift _, Operation.Checked _ -> {
        Exponent x = exponents.get(node.operand(0));
        if (x != null) {
          exponents.put(node, x);
        }
        passOn(node);
      }
      case Operation.Reduce reduce -> {
        Exponent x = exponents.get(node.operand(0));
        if (x != null
            && reduce.reduction() == Operation.Reduction.SUM
            && node.domain().level() == Level.SEQUENCE) {
          exponents.put(node, new Exponent(x.weights(), true));
        }
      }
      case Operation.Apply apply -> {
        Exponent x = exponents.get(node.operand(0));
        if (apply.function() == Unary.NEGATE && x != null) {
          exponents.put(node, x.times(-1));
        }
        Double value = chosen.get(node.operand(0));
        if (value != null) {
          chosen.put(node, apply.function().value(value));
        }
        passOnParametric(node);
      }
      case Operation.Combine combine -> {
        Double a = chosen.get(node.operand(0));
        Double b = chosen.get(node.operand(1));
        if (a != null && b != null) {
          chosen.put(node, combine.function().value(a, b));
        }
        passOnParametric(node);
        exponent(combine.function(), node);
      }
      case Operation.Select _ -> passOnParametric(node);
      case Operation.Multiplier _,
          Operation.Count _,
          Operation.OneHot _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Position _,
          Operation.Scan _,
          Operation.Shift _,
          Operation.Expectation _ -> {}
    }
  }

  private Exponent likelihood(Signature.Input input) {
    return new Exponent(
        Map.of(new Likelihood(input.actor(), role(input.actor()), input.sequence(), false), 1.0),
        false);
  }

  private void exponent(Binary function, Node node) {
    Exponent x = exponents.get(node.operand(0));
    Exponent y = exponents.get(node.operand(1));
    switch (function) {
      case ADD, SUBTRACT, LOG_RATIO -> {
        if (x != null && y != null) {
          exponents.put(node, x.plus(y, function == Binary.ADD ? 1 : -1));
        }
      }
      case MULTIPLY -> {
        Double a = chosen.get(node.operand(0));
        Double b = chosen.get(node.operand(1));
        if (b != null && x != null) {
          exponents.put(node, x.times(b));
        } else if (a != null && y != null) {
          exponents.put(node, y.times(a));
        }
      }
      case DIVIDE -> {
        Double b = chosen.get(node.operand(1));
        if (x != null && b != null && b != 0) {
          exponents.put(node, x.times(1 / b));
        } else if (x != null && isTokenCount(node.operand(1))) {
          exponents.put(node, new Exponent(x.weights(), false));
        }
      }
      case POWER, MINIMUM, MAXIMUM, LOG_ADD_EXP, EXP_TIMES, LESS, LESS_EQUAL, EQUAL, AND, OR -> {}
    }
  }

  private void passOn(Node node) {
    Double value = chosen.get(node.operand(0));
    if (value != null) {
      chosen.put(node, value);
    }
    passOnParametric(node);
  }

  private void passOnParametric(Node node) {
    if (parametric.containsAll(node.operands())) {
      parametric.add(node);
    }
  }
}
