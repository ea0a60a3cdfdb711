package org.alignlang.compiler.ir;

import static org.alignlang.compiler.ir.Binary.ADD;
import static org.alignlang.compiler.ir.Binary.DIVIDE;
import static org.alignlang.compiler.ir.Binary.EXP_TIMES;
import static org.alignlang.compiler.ir.Binary.LOG_ADD_EXP;
import static org.alignlang.compiler.ir.Binary.MULTIPLY;
import static org.alignlang.compiler.ir.Binary.POWER;
import static org.alignlang.compiler.ir.Binary.SUBTRACT;
import static org.alignlang.compiler.ir.Unary.EXP;
import static org.alignlang.compiler.ir.Unary.EXPM1;
import static org.alignlang.compiler.ir.Unary.LOG;
import static org.alignlang.compiler.ir.Unary.LOG1MEXP;
import static org.alignlang.compiler.ir.Unary.LOG_SIGMOID;
import static org.alignlang.compiler.ir.Unary.NEGATE;
import static org.alignlang.compiler.ir.Unary.SIGMOID;
import static org.alignlang.compiler.ir.Unary.SOFTPLUS;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * The one door through which graphs are built. It aligns levels by explicit broadcasts, refuses
 * operands that cannot meet, makes equal nodes once, keeps work at the coarsest level that it can,
 * and (unless told not to) rewrites into the numerically stable form. Each rewrite is an identity
 * of real numbers; those in log space are listed in {@code docs/numerics.md} with the reason.
 */
public final class GraphBuilder {
  private final boolean simplify;
  private final Map<Key, Node> interned = new HashMap<>();
  private final Map<Node, String> names = new HashMap<>();
  private Span origin;
  private int next;
  private int height;

  private record Key(Operation operation, List<Node> operands, Domain domain) {}

  /**
   * @param origin where nodes come from until {@link #at} says otherwise
   * @param simplify whether to rewrite; without it the graph is exactly what was asked for
   */
  public GraphBuilder(Span origin, boolean simplify) {
    this.origin = origin;
    this.simplify = simplify;
  }

  /** A builder that goes on from the same nodes; what one makes from now on the other has not. */
  public GraphBuilder copy() {
    GraphBuilder copy = new GraphBuilder(origin, simplify);
    copy.interned.putAll(interned);
    copy.names.putAll(names);
    copy.next = next;
    return copy;
  }

  /** Sets the origin of the nodes made from now on, and gives the previous one. */
  public Span at(Span span) {
    Span before = origin;
    origin = span;
    return before;
  }

  /** How many nodes have been made. */
  public int size() {
    return next;
  }

  /** The height of the highest node. */
  public int height() {
    return height;
  }

  /** Gives a node the name it has in the spec, for generated code; the first name stays. */
  public void name(Node node, String name) {
    names.putIfAbsent(base(node), name);
  }

  /** The name of a node in the spec, empty without one. */
  public String nameOf(Node node) {
    return names.getOrDefault(base(node), "");
  }

  private Node node(Operation operation, List<Node> operands, Domain domain, boolean active) {
    Node node =
        interned.computeIfAbsent(
            new Key(operation, List.copyOf(operands), domain),
            key -> new Node(next++, operation, key.operands, domain, active, origin));
    height = Math.max(height, node.height());
    return node;
  }

  // Leaves.

  public Node constant(double value) {
    return node(new Operation.Constant(value), List.of(), Domain.BATCH, false);
  }

  public Node parameter(int index, String name) {
    return node(new Operation.Parameter(index, name), List.of(), Domain.BATCH, false);
  }

  public Node multiplier(int index, String name) {
    return node(new Operation.Multiplier(index, name), List.of(), Domain.BATCH, false);
  }

  /** A column, or a member of it; active if the input is trained. */
  public Node input(Signature.Input input, int member) {
    Domain domain =
        switch (input.level()) {
          case BATCH -> Domain.BATCH;
          case GROUP -> Domain.GROUP;
          case PAIR -> Domain.PAIR;
          case SEQUENCE, TOKEN, VOCAB -> new Domain(input.level(), input.sequence());
        };
    return node(new Operation.Input(input, member), List.of(), domain, input.trained());
  }

  /** The number of tokens, rows or groups (domain {@code from}) in each element of {@code to}. */
  public Node count(Domain from, Domain to) {
    Domain parent = step(from, to);
    Node count = node(new Operation.Count(from), List.of(), parent, false);
    return parent.equals(to) ? count : sumTo(count, to);
  }

  public Node oneHot(String owner) {
    return node(new Operation.OneHot(), List.of(), Domain.vocab(owner), false);
  }

  // Levels.

  /** The coarsest domain at which both values can be used. */
  public static Domain join(Domain a, Domain b) {
    if (a.equals(b) || b.broadcastsTo(a)) {
      // A pair-level value beside one of its sequences stays at pair level: they are one to one.
      return a.level() == Level.SEQUENCE && b.level() == Level.PAIR ? b : a;
    }
    if (a.broadcastsTo(b)) {
      return b.level() == Level.SEQUENCE && a.level() == Level.PAIR ? a : b;
    }
    if (a.level() == Level.SEQUENCE && b.level() == Level.SEQUENCE) {
      return Domain.PAIR;
    }
    throw new LevelException(a, b);
  }

  /** The value at a finer domain, or at another row level of the same pair. */
  public Node broadcast(Node value, Domain to) {
    if (value.domain().equals(to)) {
      return value;
    }
    if (value.operation() instanceof Operation.Broadcast) {
      return broadcast(value.operand(0), to);
    }
    if (value.domain().isRow() && to.isRow()) {
      if (value.operation() instanceof Operation.Lift && value.operand(0).domain().equals(to)) {
        return value.operand(0);
      }
      return node(new Operation.Lift(), List.of(value), to, value.active());
    }
    if (!value.domain().broadcastsTo(to)) {
      throw new LevelException(value.domain(), to);
    }
    return node(new Operation.Broadcast(), List.of(value), to, value.active());
  }

  /** The next coarser domain on the way from one to another. */
  private static Domain step(Domain from, Domain to) {
    return switch (from.level()) {
      case VOCAB -> Domain.token(from.owner());
      case TOKEN -> Domain.sequence(from.owner());
      case SEQUENCE, PAIR -> to.level() == Level.GROUP ? Domain.GROUP : Domain.BATCH;
      case GROUP, BATCH -> Domain.BATCH;
    };
  }

  /** Reduces a value to a coarser domain, step by step. */
  public Node reduce(Reduction reduction, Node value, Domain to) {
    Node current = value;
    while (!current.domain().equals(to)) {
      if (current.domain().isRow() && to.isRow()) {
        current = broadcast(current, to);
        continue;
      }
      if (current.domain().level().compareTo(to.level()) <= 0) {
        throw new LevelException(current.domain(), to);
      }
      current = reduceOnce(reduction, current, step(current.domain(), to));
    }
    return current;
  }

  private Node reduceOnce(Reduction reduction, Node value, Domain parent) {
    if (simplify && value.operation() instanceof Operation.Broadcast) {
      Node base = value.operand(0);
      boolean coarser = base.domain().level().compareTo(parent.level()) <= 0;
      if (coarser && reduction == Reduction.SUM) {
        return multiply(base, count(value.domain(), parent));
      }
    }
    if (simplify
        && reduction == Reduction.SUM
        && value.operation() instanceof Operation.Combine c) {
      // A factor that is the same for all elements of the sum is taken out of the loop.
      if (c.function() == MULTIPLY) {
        for (int i = 0; i < 2; i++) {
          Node factor = value.operand(i);
          if (factor.operation() instanceof Operation.Broadcast
              && factor.operand(0).domain().level().compareTo(parent.level()) <= 0) {
            return multiply(factor.operand(0), reduceOnce(reduction, value.operand(1 - i), parent));
          }
        }
      }
    }
    if (simplify && reduction == Reduction.SUM && value.domain().level() == Level.VOCAB) {
      Node simpler = sumOverVocabulary(value, parent);
      if (simpler != null) {
        return broadcast(simpler, parent);
      }
    }
    if (simplify && reduction == Reduction.SUM && isNegation(value)) {
      return negate(reduceOnce(reduction, value.operand(0), parent));
    }
    return node(new Operation.Reduce(reduction), List.of(value), parent, value.active());
  }

  /**
   * A sum over the vocabulary by parts: what a gradient sums is then made of the sums that the
   * value already has, and the vocabulary is visited once less.
   */
  private @org.jspecify.annotations.Nullable Node sumOverVocabulary(Node value, Domain parent) {
    if (is(value, ADD) || is(value, SUBTRACT)) {
      Node first = reduceOnce(Reduction.SUM, value.operand(0), parent);
      Node second = reduceOnce(Reduction.SUM, value.operand(1), parent);
      return is(value, ADD) ? add(first, second) : subtract(first, second);
    }
    if (is(value, EXP_TIMES)) {
      Node logWeight = value.operand(0);
      Node x = value.operand(1);
      if (base(x).domain().level().compareTo(parent.level()) <= 0) {
        return multiply(
            base(x), reduceOnce(Reduction.SUM, broadcast(exp(logWeight), x.domain()), parent));
      }
      if (is(x, MULTIPLY)) {
        for (int i = 0; i < 2; i++) {
          Node factor = base(x.operand(i));
          if (factor.domain().level().compareTo(parent.level()) <= 0) {
            Node rest = expTimes(logWeight, x.operand(1 - i));
            return multiply(factor, reduceOnce(Reduction.SUM, broadcast(rest, x.domain()), parent));
          }
        }
      }
    }
    if (is(value, EXP) && is(value.operand(0), SUBTRACT)) {
      // The probabilities exp(z - logsumexp(z)) sum to 1.
      Node total = base(value.operand(0).operand(1));
      if (total.operation() instanceof Operation.Reduce reduce
          && reduce.reduction() == Reduction.LOG_SUM_EXP
          && total.operand(0) == value.operand(0).operand(0)) {
        return constant(1);
      }
    }
    if (value.operation() instanceof Operation.Select
        && base(value.operand(0)).operation() instanceof Operation.OneHot
        && is(value.operand(2), 0)) {
      return taken(value.operand(1));
    }
    return null;
  }

  /** The mean of a value under the distribution with the given logits, over the vocabulary. */
  public Node softmaxMean(Node logits, Node value) {
    Domain vocabulary = join(logits.domain(), value.domain());
    return node(
        new Operation.Reduce(Reduction.SOFTMAX_MEAN),
        List.of(broadcast(logits, vocabulary), broadcast(value, vocabulary)),
        Domain.token(vocabulary.owner()),
        logits.active() || value.active());
  }

  public Node sumTo(Node value, Domain to) {
    return reduce(Reduction.SUM, value, to);
  }

  /**
   * The mean over all elements of the value's domain within each element of {@code to}; evaluation
   * fails with the given words where there are none.
   */
  public Node meanTo(Node value, Domain to, String what) {
    Node count = count(value.domain(), to);
    Node positive = checked(new Operation.Checked(what, origin.place()), count);
    return divide(sumTo(value, to), positive);
  }

  /** The value, which must be positive when it is evaluated. */
  public Node checked(Operation.Checked check, Node value) {
    return node(check, List.of(value), value.domain(), value.active());
  }

  /**
   * The rows, tokens or vocabulary entries of a value in the order of a key, or back; see {@link
   * Operation.Reorder}.
   */
  public Node reorder(Node value, Node key, Domain within, boolean inverse) {
    return keyed(new Operation.Reorder(within, inverse), value, key, within);
  }

  /**
   * The sum over the rows or tokens of a scope with the same key; see {@link Operation.Matching}.
   */
  public Node matching(Node value, Node key, Domain within) {
    return keyed(new Operation.Matching(within), value, key, within);
  }

  private Node keyed(Operation operation, Node value, Node key, Domain within) {
    Domain elements = join(value.domain(), key.domain());
    boolean fits =
        elements.level() == Level.VOCAB
            ? operation instanceof Operation.Reorder
                && within.equals(Domain.token(elements.owner()))
            : (elements.isRow() || elements.level() == Level.TOKEN)
                && within.level().compareTo(elements.level()) < 0;
    if (!fits) {
      throw new LevelException(elements, within);
    }
    return node(
        operation,
        List.of(broadcast(value, elements), broadcast(stop(key), elements)),
        elements,
        value.active());
  }

  /** A token's value at the same position of another sequence; see {@link Operation.Beside}. */
  public Node beside(Node x, String owner) {
    if (x.domain().level() != Level.TOKEN) {
      throw new IllegalArgumentException("beside of a value at " + x.domain());
    }
    return x.domain().owner().equals(owner)
        ? x
        : node(new Operation.Beside(), List.of(x), Domain.token(owner), x.active());
  }

  /** The position of each row, or of each token, in its scope. */
  public Node position(Domain elements, Domain within) {
    return node(new Operation.Position(within), List.of(), elements, false);
  }

  /**
   * A discounted sum along the tokens; see {@link Operation.Scan}.
   *
   * @param x at a token level, or coarser and then the same at every token of {@code tokens}
   * @param discount at sequence level or coarser; no gradient flows through it
   */
  public Node scan(Node x, Node discount, Domain tokens, boolean backwards) {
    Node perRow = broadcast(stop(discount), Domain.sequence(tokens.owner()));
    return node(
        new Operation.Scan(backwards), List.of(broadcast(x, tokens), perRow), tokens, x.active());
  }

  /** The value of the next token, or of the one before; see {@link Operation.Shift}. */
  public Node shift(Node x, boolean next) {
    if (x.domain().level() != Level.TOKEN) {
      throw new IllegalArgumentException("shift of a value at " + x.domain());
    }
    return node(new Operation.Shift(next), List.of(x), x.domain(), x.active());
  }

  /** The k-th largest logit at each token; see {@link Operation.Largest}. */
  public Node largest(Node logits, Node k) {
    if (!(logits.operation() instanceof Operation.Input)
        || logits.domain().level() != Level.VOCAB
        || !k.domain().equals(Domain.BATCH)) {
      throw new IllegalArgumentException("largest of " + logits + " by " + k);
    }
    return node(
        new Operation.Largest(),
        List.of(logits, stop(k)),
        Domain.token(logits.domain().owner()),
        false);
  }

  /** The entry of the taken token. */
  public Node taken(Node value) {
    if (value.domain().level() != Level.VOCAB) {
      return value;
    }
    if (simplify && value.operation() instanceof Operation.Broadcast) {
      return broadcast(value.operand(0), Domain.token(value.domain().owner()));
    }
    return node(
        new Operation.Taken(),
        List.of(value),
        Domain.token(value.domain().owner()),
        value.active());
  }

  /** The value without its gradient. */
  public Node stop(Node value) {
    return value.active()
        ? node(new Operation.Stop(), List.of(value), value.domain(), false)
        : value;
  }

  public Node expectation(String name, Node value, Node score) {
    return node(new Operation.Expectation(name), List.of(value, score), Domain.BATCH, true);
  }

  // Elementwise functions.

  public Node apply(Unary function, Node x) {
    if (simplify && x.operation() instanceof Operation.Broadcast) {
      return broadcast(apply(function, x.operand(0)), x.domain());
    }
    if (simplify) {
      Node simpler = simplifyUnary(function, x);
      if (simpler != null) {
        return simpler;
      }
    }
    return node(
        new Operation.Apply(function),
        List.of(x),
        x.domain(),
        x.active() && function.differentiable());
  }

  public Node combine(Binary function, Node a, Node b) {
    Domain domain = join(a.domain(), b.domain());
    if (simplify) {
      Node baseA = base(a);
      Node baseB = base(b);
      Domain coarser = join(baseA.domain(), baseB.domain());
      if (coarser.level().compareTo(domain.level()) < 0) {
        return broadcast(combine(function, baseA, baseB), domain);
      }
      Node simpler = simplifyBinary(function, a, b, domain);
      if (simpler != null) {
        return broadcast(simpler, domain);
      }
    }
    Node left = broadcast(a, domain);
    Node right = broadcast(b, domain);
    return node(
        new Operation.Combine(function),
        List.of(left, right),
        domain,
        !function.truth() && (left.active() || right.active()));
  }

  /** {@code yes} where the condition is true, {@code no} elsewhere. */
  public Node select(Node condition, Node yes, Node no) {
    OptionalDouble known = constantValue(condition);
    Domain domain = join(join(yes.domain(), no.domain()), condition.domain());
    if (simplify && known.isPresent()) {
      return broadcast(known.getAsDouble() != 0 ? yes : no, domain);
    }
    if (simplify && base(yes) == base(no)) {
      return broadcast(yes, domain);
    }
    Node first = broadcast(condition, domain);
    Node second = broadcast(yes, domain);
    Node third = broadcast(no, domain);
    return node(
        new Operation.Select(),
        List.of(first, second, third),
        domain,
        second.active() || third.active());
  }

  public Node add(Node a, Node b) {
    return combine(ADD, a, b);
  }

  public Node subtract(Node a, Node b) {
    return combine(SUBTRACT, a, b);
  }

  public Node multiply(Node a, Node b) {
    return combine(MULTIPLY, a, b);
  }

  public Node divide(Node a, Node b) {
    return combine(DIVIDE, a, b);
  }

  public Node negate(Node a) {
    return apply(NEGATE, a);
  }

  public Node exp(Node a) {
    return apply(EXP, a);
  }

  public Node log(Node a) {
    return apply(LOG, a);
  }

  public Node power(Node a, Node b) {
    return combine(POWER, a, b);
  }

  public Node lessEqual(Node a, Node b) {
    return combine(Binary.LESS_EQUAL, a, b);
  }

  public Node sigmoid(Node a) {
    return apply(SIGMOID, a);
  }

  public Node expm1(Node a) {
    return apply(EXPM1, a);
  }

  public Node sign(Node a) {
    return apply(Unary.SIGN, a);
  }

  /** {@code a - b} of log-probabilities, 0 where both are -infinity. */
  public Node logRatio(Node a, Node b) {
    return combine(Binary.LOG_RATIO, a, b);
  }

  /** {@code exp(logWeight) * value}, 0 where the weight is 0. */
  public Node expTimes(Node logWeight, Node value) {
    return combine(EXP_TIMES, logWeight, value);
  }

  // Rewriting.

  private static Node base(Node node) {
    return node.operation() instanceof Operation.Broadcast ? node.operand(0) : node;
  }

  /** The number that a node is, if it is one. */
  public static OptionalDouble constantValue(Node node) {
    return base(node).operation() instanceof Operation.Constant constant
        ? OptionalDouble.of(constant.value())
        : OptionalDouble.empty();
  }

  private static boolean is(Node node, double value) {
    return base(node).isConstant(value);
  }

  private static boolean is(Node node, Unary function) {
    return node.operation() instanceof Operation.Apply apply && apply.function() == function;
  }

  private static boolean is(Node node, Binary function) {
    return node.operation() instanceof Operation.Combine combine && combine.function() == function;
  }

  private static boolean isNegation(Node node) {
    return is(node, NEGATE);
  }

  private @org.jspecify.annotations.Nullable Node simplifyUnary(Unary function, Node x) {
    OptionalDouble known = constantValue(x);
    if (known.isPresent()) {
      double value = function.value(known.getAsDouble());
      return Double.isNaN(value) ? null : broadcast(constant(value), x.domain());
    }
    return switch (function) {
      case NEGATE -> {
        if (isNegation(x)) {
          yield x.operand(0);
        }
        if (is(x, SUBTRACT)) {
          yield subtract(x.operand(1), x.operand(0));
        }
        // -softplus(-x) = log s(x)
        yield is(x, SOFTPLUS) ? apply(LOG_SIGMOID, negate(x.operand(0))) : null;
      }
      case EXP -> {
        if (is(x, LOG)) {
          yield x.operand(0);
        }
        if (is(x, LOG_SIGMOID)) {
          yield apply(SIGMOID, x.operand(0));
        }
        if (is(x, SOFTPLUS)) {
          yield add(constant(1), exp(x.operand(0)));
        }
        yield is(x, LOG_ADD_EXP) ? add(exp(x.operand(0)), exp(x.operand(1))) : null;
      }
      case LOG -> {
        if (is(x, EXP)) {
          yield x.operand(0);
        }
        if (is(x, SIGMOID)) {
          yield apply(LOG_SIGMOID, x.operand(0));
        }
        // log(-expm1(x)) = log(1 - exp(x))
        if (isNegation(x) && is(x.operand(0), EXPM1)) {
          yield apply(LOG1MEXP, x.operand(0).operand(0));
        }
        if (is(x, ADD)) {
          // log(1 + exp(x)) = softplus(x), log(exp(a) + exp(b)) without overflow
          Node a = x.operand(0);
          Node b = x.operand(1);
          if (is(a, 1) && is(b, EXP)) {
            yield apply(SOFTPLUS, b.operand(0));
          }
          if (is(b, 1) && is(a, EXP)) {
            yield apply(SOFTPLUS, a.operand(0));
          }
          if (is(a, EXP) && is(b, EXP)) {
            yield combine(LOG_ADD_EXP, a.operand(0), b.operand(0));
          }
        }
        yield null;
      }
      case ABS -> is(x, Unary.ABS) ? x : null;
      case SQRT,
          EXPM1,
          LOG1P,
          SIGMOID,
          LOG_SIGMOID,
          SOFTPLUS,
          LOG1MEXP,
          TANH,
          ARCTAN,
          SIGN,
          FLOOR ->
          null;
      case NOT -> is(x, Unary.NOT) ? x.operand(0) : null;
    };
  }

  private @org.jspecify.annotations.Nullable Node simplifyBinary(
      Binary function, Node a, Node b, Domain domain) {
    OptionalDouble knownA = constantValue(a);
    OptionalDouble knownB = constantValue(b);
    if (knownA.isPresent() && knownB.isPresent()) {
      double value = function.value(knownA.getAsDouble(), knownB.getAsDouble());
      return Double.isNaN(value) ? null : constant(value);
    }
    return switch (function) {
      case ADD -> {
        if (is(a, 0)) {
          yield b;
        }
        if (is(b, 0)) {
          yield a;
        }
        if (isNegation(b)) {
          yield subtract(a, b.operand(0));
        }
        if (isNegation(a)) {
          yield subtract(b, a.operand(0));
        }
        // exp(x) + (-1) = expm1(x)
        yield is(b, -1) && is(a, EXP) ? apply(EXPM1, a.operand(0)) : null;
      }
      case SUBTRACT -> {
        if (is(b, 0)) {
          yield a;
        }
        if (is(a, 0)) {
          yield negate(b);
        }
        if (isNegation(b)) {
          yield add(a, b.operand(0));
        }
        if (base(a) == base(b)) {
          yield constant(0);
        }
        // x - softplus(x) = log s(x)
        if (is(b, SOFTPLUS) && b.operand(0) == a) {
          yield apply(LOG_SIGMOID, a);
        }
        if (is(b, 1) && is(a, EXP)) {
          yield apply(EXPM1, a.operand(0));
        }
        yield is(a, 1) && is(b, EXP) ? negate(apply(EXPM1, b.operand(0))) : null;
      }
      case MULTIPLY -> {
        if (is(a, 1)) {
          yield b;
        }
        if (is(b, 1)) {
          yield a;
        }
        if (is(a, 0) || is(b, 0)) {
          yield constant(0);
        }
        if (is(a, -1)) {
          yield negate(b);
        }
        if (is(b, -1)) {
          yield negate(a);
        }
        if (isNegation(a) && isNegation(b)) {
          yield multiply(a.operand(0), b.operand(0));
        }
        if (isNegation(a)) {
          yield negate(multiply(a.operand(0), b));
        }
        if (isNegation(b)) {
          yield negate(multiply(a, b.operand(0)));
        }
        yield null;
      }
      case DIVIDE -> {
        if (is(b, 1)) {
          yield a;
        }
        if (is(a, 0)) {
          yield constant(0);
        }
        if (isNegation(a)) {
          yield negate(divide(a.operand(0), b));
        }
        // x / exp(y) = exp(-y) x
        yield is(b, EXP) ? expTimes(negate(b.operand(0)), a) : null;
      }
      case POWER -> {
        if (is(b, 0)) {
          yield constant(1);
        }
        if (is(b, 1)) {
          yield a;
        }
        if (is(b, 2)) {
          yield multiply(a, a);
        }
        if (is(b, 0.5)) {
          yield apply(Unary.SQRT, a);
        }
        if (is(b, -1)) {
          yield divide(constant(1), a);
        }
        yield is(a, EXP) ? exp(multiply(b, a.operand(0))) : null;
      }
      case LOG_ADD_EXP -> {
        // log(exp(0) + exp(x)) = softplus(x)
        if (is(a, 0)) {
          yield apply(SOFTPLUS, b);
        }
        yield is(b, 0) ? apply(SOFTPLUS, a) : null;
      }
      case EXP_TIMES -> {
        if (is(a, 0)) {
          yield b;
        }
        if (is(b, 0)) {
          yield constant(0);
        }
        if (isNegation(b)) {
          yield negate(expTimes(a, b.operand(0)));
        }
        yield is(b, 1) ? exp(a) : null;
      }
      case MINIMUM, MAXIMUM -> base(a) == base(b) ? a : null;
      case AND -> is(a, 1) ? b : is(b, 1) ? a : null;
      case OR -> is(a, 0) ? b : is(b, 0) ? a : null;
      case LOG_RATIO, LESS, LESS_EQUAL, EQUAL -> null;
    };
  }
}
