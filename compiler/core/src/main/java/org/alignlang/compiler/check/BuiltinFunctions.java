package org.alignlang.compiler.check;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.MISSING_DDOF;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_ARGUMENTS;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_KIND;
import static org.alignlang.compiler.diagnostic.DiagnosticCode.WRONG_REDUCTION;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BinaryOperator;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.jspecify.annotations.Nullable;

/** The functions of the language itself: elementwise ones, and reductions. */
final class BuiltinFunctions {
  private static final Map<String, Unary> ELEMENTWISE =
      Map.ofEntries(
          Map.entry("expm1", Unary.EXPM1),
          Map.entry("log1p", Unary.LOG1P),
          Map.entry("sigmoid", Unary.SIGMOID),
          Map.entry("log_sigmoid", Unary.LOG_SIGMOID),
          Map.entry("softplus", Unary.SOFTPLUS),
          Map.entry("log1mexp", Unary.LOG1MEXP),
          Map.entry("tanh", Unary.TANH),
          Map.entry("arctan", Unary.ARCTAN),
          Map.entry("abs", Unary.ABS),
          Map.entry("sqrt", Unary.SQRT),
          Map.entry("sign", Unary.SIGN),
          Map.entry("floor", Unary.FLOOR));

  /** Names that can be followed by levels in brackets. */
  static final Set<String> REDUCTIONS =
      new TreeSet<>(
          Set.of(
              "sum",
              "mean",
              "max",
              "min",
              "logsumexp",
              "std",
              "var",
              "count",
              "normalize",
              "sort",
              "quantile",
              "cvar",
              "rank",
              "top",
              "togo",
              "cumsum"));

  /** Reductions that go by the order of the values. */
  private static final Set<String> ORDERED = Set.of("sort", "quantile", "cvar", "rank");

  /** Reductions that can go over the elements with one key. */
  private static final Set<String> MATCHING = Set.of("sum", "mean", "count", "var", "std");

  /** Sums along the members of an ensemble. */
  private static final Set<String> RUNNING = Set.of("togo", "cumsum");

  /** The most members that are put in order, pair by pair. */
  private static final int MOST_SORTED = 32;

  /** Functions that run along the tokens of a sequence. */
  private static final Set<String> ALONG_TOKENS =
      Set.of("togo", "cumsum", "next", "previous", "position");

  /** Every builtin name. */
  static final Set<String> NAMES = names();

  private final CheckContext context;
  private final ExpressionChecker checker;
  private final GraphBuilder b;

  BuiltinFunctions(CheckContext context, ExpressionChecker checker) {
    this.context = context;
    this.checker = checker;
    this.b = context.builder;
  }

  private static Set<String> names() {
    Set<String> names = new TreeSet<>(ELEMENTWISE.keySet());
    names.addAll(
        List.of(
            "log",
            "exp",
            "max",
            "min",
            "relu",
            "clamp",
            "stop",
            "length",
            "entropy",
            "logits",
            "beside",
            "occupancy"));
    names.addAll(ALONG_TOKENS);
    return names;
  }

  Meaning call(String name, Expression.Call call, Scope scope) {
    if (ALONG_TOKENS.contains(name)) {
      return alongTokens(name, call, scope);
    }
    if (name.equals("occupancy")) {
      return occupancy(call, scope);
    }
    if (name.equals("beside")) {
      return beside(call, scope);
    }
    List<Meaning.Value> values = new ArrayList<>();
    if (!name.equals("length")) {
      for (Expression.Argument argument : call.arguments()) {
        if (argument.name().isPresent() || argument.against().isPresent()) {
          throw context.fail(WRONG_ARGUMENTS, argument.span(), "`" + name + "` takes plain values");
        }
        values.add(checker.value(checker.check(argument.value(), scope), argument.value().span()));
      }
    }
    Unary elementwise = ELEMENTWISE.get(name);
    if (elementwise != null) {
      Meaning.Value x = checker.real(one(name, values, call), call.span());
      return checker.map(x, n -> b.apply(elementwise, n), Kind.REAL);
    }
    return switch (name) {
      case "log" -> {
        Meaning.Value x = one(name, values, call);
        yield x.kind() == Kind.PROB
            ? new Meaning.Value(Kind.REAL, x.nodes(), x.ensemble())
            : checker.map(checker.real(x, call.span()), b::log, Kind.REAL);
      }
      case "exp" -> {
        Meaning.Value x = checker.real(one(name, values, call), call.span());
        yield new Meaning.Value(Kind.PROB, x.nodes(), x.ensemble());
      }
      case "stop" -> {
        Meaning.Value x = one(name, values, call);
        yield checker.map(x, b::stop, x.kind());
      }
      case "relu" -> {
        Meaning.Value x = checker.real(one(name, values, call), call.span());
        // At 0 the derivative is 0.
        yield checker.map(x, n -> b.combine(Binary.MAXIMUM, b.constant(0), n), Kind.REAL);
      }
      case "max" -> fold(name, values, call, (x, y) -> b.combine(Binary.MAXIMUM, x, y));
      case "min" -> fold(name, values, call, (x, y) -> b.combine(Binary.MINIMUM, x, y));
      case "clamp" -> {
        if (values.size() != 3) {
          throw context.fail(WRONG_ARGUMENTS, call.span(), "`clamp` takes a value and two bounds");
        }
        Meaning.Value x = checker.real(values.get(0), call.span());
        Meaning.Value low = checker.real(values.get(1), call.span());
        Meaning.Value high = checker.real(values.get(2), call.span());
        Meaning.Value above =
            checker.zip(x, low, (n, l) -> b.combine(Binary.MAXIMUM, n, l), Kind.REAL, call.span());
        yield checker.zip(
            above, high, (n, h) -> b.combine(Binary.MINIMUM, n, h), Kind.REAL, call.span());
      }
      case "length" -> {
        if (call.arguments().size() != 1
            || !(checker.check(call.arguments().get(0).value(), scope)
                instanceof Meaning.SequenceName sequence)) {
          throw context.fail(
              WRONG_ARGUMENTS, call.span(), "`length` takes a sequence, such as `length(y)`");
        }
        yield Meaning.Value.of(
            Kind.REAL, b.count(Domain.token(sequence.name()), Domain.sequence(sequence.name())));
      }
      case "entropy" -> {
        Meaning.Value p = distribution(one(name, values, call), call.span());
        // -sum p log p, where p log p is 0 at p = 0.
        Node term = b.negate(b.expTimes(p.node(), p.node()));
        yield Meaning.Value.of(Kind.REAL, b.sumTo(term, Domain.token(p.domain().owner())));
      }
      case "logits" -> {
        Meaning.Value p = distribution(one(name, values, call), call.span());
        Node logits = logits(p, "logits", call);
        yield Meaning.Value.of(Kind.REAL, p.node().active() ? logits : b.stop(logits));
      }
      default -> throw new IllegalStateException("builtin " + name);
    };
  }

  /** {@code beside(x, s)}: the values of one sequence at the positions of another. */
  private Meaning beside(Expression.Call call, Scope scope) {
    List<Expression.Argument> arguments = call.arguments();
    boolean plain =
        arguments.size() == 2
            && arguments.stream().allMatch(a -> a.name().isEmpty() && a.against().isEmpty());
    if (!plain
        || !(checker.check(arguments.get(1).value(), scope)
            instanceof Meaning.SequenceName sequence)) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`beside` takes a value per token and a sequence, as in `beside(score(rejected),"
              + " chosen)`");
    }
    Expression first = arguments.get(0).value();
    Meaning.Value x = checker.real(checker.check(first, scope), first.span());
    if (x.domain().level() != Level.TOKEN) {
      throw context.fail(
          WRONG_REDUCTION,
          first.span(),
          "`beside` takes a value per token, and this is at " + x.domain().describe(),
          x.domain().level() == Level.VOCAB
              ? "reduce it over the vocabulary first: `beside(sum[vocab](...), %s)`"
                  .formatted(sequence.name())
              : "values per sequence meet at the pair without it, as in `h(chosen) - h(rejected)`");
    }
    return checker.map(x, n -> b.beside(n, sequence.name()), Kind.REAL);
  }

  /** {@code occupancy(pi)}, which divergences compare. */
  private Meaning occupancy(Expression.Call call, Scope scope) {
    List<Expression.Argument> arguments = call.arguments();
    if (arguments.size() == 1
        && arguments.getFirst().name().isEmpty()
        && arguments.getFirst().against().isEmpty()
        && checker.check(arguments.getFirst().value(), scope) instanceof Meaning.ActorName actor) {
      return new Meaning.OccupancyMeasure(actor);
    }
    throw context.fail(
        WRONG_ARGUMENTS,
        call.span(),
        "`occupancy` takes an actor, as in `KL(occupancy(pi) || occupancy(ref))`");
  }

  /**
   * {@code togo(x, discount)} and {@code cumsum(x, discount)}, {@code next(x)} and {@code
   * previous(x)}, {@code position(y)}.
   */
  private Meaning alongTokens(String name, Expression.Call call, Scope scope) {
    boolean sums = name.equals("togo") || name.equals("cumsum");
    List<Expression.Argument> arguments = call.arguments();
    boolean shape =
        !arguments.isEmpty()
            && arguments.size() <= (sums ? 2 : 1)
            && arguments.stream().allMatch(a -> a.against().isEmpty())
            && arguments.get(0).name().isEmpty()
            && arguments.stream()
                .skip(1)
                .allMatch(a -> a.name().orElse("discount").equals("discount"));
    if (!shape) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          sums
              ? "`%s` takes a value per token and a discount, as in `%s(r, 0.99)`"
                  .formatted(name, name)
              : "`%s` takes one %s"
                  .formatted(name, name.equals("position") ? "sequence" : "value per token"));
    }
    Expression first = arguments.get(0).value();
    Meaning meaning = checker.check(first, scope);
    if (name.equals("position") && meaning instanceof Meaning.SequenceName sequence) {
      return Meaning.Value.of(
          Kind.REAL, b.position(Domain.token(sequence.name()), Domain.sequence(sequence.name())));
    }
    Meaning.Value x = checker.real(meaning, first.span());
    Domain tokens = x.domain();
    if (tokens.level() != Level.TOKEN) {
      throw context.fail(
          WRONG_REDUCTION,
          first.span(),
          "`" + name + "` runs along tokens, and this is at " + tokens.describe(),
          "it takes one number per token, such as `reward hit: token` or `log(pi(y.token))`");
    }
    return switch (name) {
      case "position" ->
          Meaning.Value.of(Kind.REAL, b.position(tokens, Domain.sequence(tokens.owner())));
      case "next", "previous" -> checker.map(x, n -> b.shift(n, name.equals("next")), Kind.REAL);
      default -> {
        Meaning.Value discount =
            arguments.size() == 1
                ? Meaning.Value.of(Kind.REAL, b.constant(1))
                : checker.real(
                    checker.check(arguments.get(1).value(), scope), arguments.get(1).span());
        if (discount.domain().level().compareTo(Level.SEQUENCE) > 0
            || discount.nodes().stream().anyMatch(Node::active)) {
          throw context.fail(
              WRONG_ARGUMENTS,
              arguments.get(1).span(),
              "a discount is one number per sequence at most, and does not depend on the policy",
              "write `stop(...)` around it, or reduce it to its sequence");
        }
        yield checker.zip(
            x,
            discount,
            (n, d) -> b.scan(n, d, tokens, name.equals("togo")),
            Kind.REAL,
            call.span());
      }
    };
  }

  private Meaning.Value one(String name, List<Meaning.Value> values, Expression.Call call) {
    if (values.size() != 1) {
      throw context.fail(WRONG_ARGUMENTS, call.span(), "`" + name + "` takes one value");
    }
    return values.get(0);
  }

  /** A whole next-token distribution. */
  Meaning.Value distribution(Meaning.Value value, Span span) {
    if (value.kind() != Kind.PROB || value.ensemble() || value.domain().level() != Level.VOCAB) {
      throw context.fail(
          WRONG_KIND, span, "expected a next-token distribution", "write it as `pi(y.vocab)`");
    }
    return value;
  }

  private Meaning fold(
      String name,
      List<Meaning.Value> values,
      Expression.Call call,
      BinaryOperator<Node> function) {
    if (values.size() < 2) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`" + name + "` takes two or more values",
          "to reduce one value write the level: `" + name + "[member](...)`");
    }
    Meaning.Value result = checker.real(values.get(0), call.span());
    for (Meaning.Value next : values.subList(1, values.size())) {
      result =
          checker.zip(result, checker.real(next, call.span()), function, Kind.REAL, call.span());
    }
    return result;
  }

  // Reductions.

  Meaning reduce(Meaning.ReductionName reduction, Expression.Call call, Scope scope) {
    List<Expression.Argument> arguments = call.arguments();
    if (arguments.isEmpty() || arguments.get(0).name().isPresent()) {
      throw context.fail(
          WRONG_ARGUMENTS, call.span(), "`" + reduction.name() + "[...]` takes a value");
    }
    Expression first = arguments.get(0).value();
    Meaning.Value value = checker.value(checker.check(first, scope), first.span());
    boolean members =
        reduction.levels().equals(List.of("member")) || reduction.levels().equals(List.of("rank"));
    if (RUNNING.contains(reduction.name())) {
      return running(reduction.name(), members, value, arguments.size(), call);
    }
    if (reduction.name().equals("top")) {
      return top(reduction, value, arguments.subList(1, arguments.size()), call, scope);
    }
    if (ORDERED.contains(reduction.name())) {
      if (members) {
        return orderedMembers(
            reduction.name(), value, arguments.subList(1, arguments.size()), call, scope);
      }
      return ordered(reduction, value, arguments.subList(1, arguments.size()), call, scope);
    }
    double ddof = -1;
    Expression.@Nullable Argument at = null;
    for (Expression.Argument argument : arguments.subList(1, arguments.size())) {
      if (argument.name().orElse("").equals("at") && at == null) {
        at = argument;
      } else if (argument.name().orElse("").equals("ddof")
          && (reduction.name().equals("std") || reduction.name().equals("var"))) {
        ddof = checker.fixed(checker.check(argument.value(), scope), argument.span());
      } else {
        throw context.fail(
            WRONG_ARGUMENTS,
            argument.span(),
            "`" + reduction.name() + "` does not take this argument");
      }
    }
    boolean spread = reduction.name().equals("std") || reduction.name().equals("var");
    if (spread && ddof != 0 && ddof != 1) {
      Expression.Argument last = arguments.getLast();
      Edit torch =
          last.name().orElse("").equals("ddof")
              ? Edit.replace(last.value().span(), "1")
              : Edit.behind(last.span(), ", ddof = 1");
      throw context.fail(
          Diagnostic.of(
                  MISSING_DDOF,
                  call.span(),
                  "`" + reduction.name() + "` divides by n or by n - 1: say which")
              .withHelp(
                  "write `ddof = 1` for the sample's (torch's default) or `ddof = 0` for the"
                      + " population's")
              .withFix(Fix.suggested("write `ddof = 1`", torch)));
    }
    if (at != null) {
      return matching(reduction, value, at, ddof, members, call, scope);
    }
    if (members) {
      return members(reduction.name(), value, ddof, call);
    }
    if (value.ensemble()) {
      Meaning.Value real = checker.real(value, first.span());
      double definition = ddof;
      return checker.map(
          real,
          n -> levels(reduction, Meaning.Value.of(Kind.REAL, n), definition, call).node(),
          Kind.REAL);
    }
    return levels(reduction, value, ddof, call);
  }

  /**
   * {@code mean[group](x, at = k)}: over the rows or tokens of the scope whose key is that of the
   * row or token at hand, which gets the result.
   */
  private Meaning matching(
      Meaning.ReductionName reduction,
      Meaning.Value value,
      Expression.Argument at,
      double ddof,
      boolean members,
      Expression.Call call,
      Scope scope) {
    String name = reduction.name();
    if (members || !MATCHING.contains(name)) {
      throw context.fail(
          WRONG_ARGUMENTS,
          at.span(),
          "`%s[%s]` does not take `at`; sum, mean, count, var and std over rows or tokens do"
              .formatted(name, String.join(", ", reduction.levels())));
    }
    Meaning.Value x = checker.real(value, call.span());
    Meaning.Value key = checker.real(checker.check(at.value(), scope), at.value().span());
    if (key.ensemble()) {
      throw context.fail(WRONG_ARGUMENTS, at.span(), "a key is one number per row or token");
    }
    Domain elements = GraphBuilder.join(x.domain(), key.domain());
    Domain within = scopeOfOrder(reduction, elements, call);
    Node k = key.node();
    Node count = b.matching(b.broadcast(b.constant(1), elements), k, within);
    return checker.map(
        x,
        n ->
            switch (name) {
              case "sum" -> b.matching(n, k, within);
              case "count" -> count;
              case "mean" -> b.divide(b.matching(n, k, within), count);
              default -> {
                Node distance = b.subtract(n, b.divide(b.matching(n, k, within), count));
                Node squares = b.matching(b.multiply(distance, distance), k, within);
                Node size =
                    b.combine(Binary.MAXIMUM, b.subtract(count, b.constant(ddof)), b.constant(1));
                Node variance = b.divide(squares, size);
                yield name.equals("std") ? b.apply(Unary.SQRT, variance) : variance;
              }
            },
        Kind.REAL);
  }

  /** Within what the rows or tokens of a value are put in order or compared. */
  private Domain scopeOfOrder(
      Meaning.ReductionName reduction, Domain elements, Expression.Call call) {
    if (reduction.name().equals("sort") && elements.level() == Level.VOCAB) {
      if (!reduction.levels().equals(List.of("vocab"))) {
        throw wrong(
            call,
            "the entries of a vocabulary are sorted position by position: `sort[vocab](...)`");
      }
      return Domain.token(elements.owner());
    }
    if (!elements.isRow() && elements.level() != Level.TOKEN) {
      throw context.fail(
          WRONG_REDUCTION,
          call.span(),
          "`%s` goes by the order or the keys of rows or tokens, and this is at %s"
              .formatted(reduction.name(), elements.describe()),
          elements.level() == Level.VOCAB
              ? "of the entries of a vocabulary there are `sort[vocab](x)` and `top[vocab](p, k)`;"
                  + " or reduce them to their token first"
              : "the value is the same for all rows");
    }
    return target(reduction, elements, call);
  }

  /**
   * {@code togo[rank](x)}: the sum of a member and those behind it, and {@code cumsum[rank](x)}, of
   * a member and those before it; of positive quantities the result is one.
   */
  private Meaning running(
      String name, boolean members, Meaning.Value value, int arguments, Expression.Call call) {
    if (!members) {
      throw context.fail(
          WRONG_REDUCTION,
          call.span(),
          "`" + name + "[...]` runs along the ranks of a list, or the members of an ensemble",
          "along tokens it is written without a level: `" + name + "(x)`");
    }
    if (arguments != 1) {
      throw context.fail(WRONG_ARGUMENTS, call.span(), "`" + name + "[rank]` takes one value");
    }
    requireMembers(value, call);
    Meaning.Value x = value.kind() == Kind.PROB ? value : checker.real(value, call.span());
    List<Node> nodes = new ArrayList<>(x.nodes());
    int step = name.equals("togo") ? -1 : 1;
    for (int i = step < 0 ? nodes.size() - 2 : 1; i >= 0 && i < nodes.size(); i += step) {
      Node sum = nodes.get(i - step);
      Node own = nodes.get(i);
      nodes.set(
          i, x.kind() == Kind.PROB ? b.combine(Binary.LOG_ADD_EXP, own, sum) : b.add(own, sum));
    }
    return new Meaning.Value(x.kind(), nodes, true);
  }

  /** {@code top[vocab](p, k)}: whether an entry is one of the k most probable of an actor. */
  private Meaning top(
      Meaning.ReductionName reduction,
      Meaning.Value value,
      List<Expression.Argument> rest,
      Expression.Call call,
      Scope scope) {
    if (!reduction.levels().equals(List.of("vocab"))) {
      throw context.fail(
          WRONG_REDUCTION,
          call.span(),
          "`top` takes the most probable entries of a vocabulary: `top[vocab](pi(y.vocab), 20)`",
          "the largest of rows or tokens are those with a small rank: `rank[batch](-x) < 20`");
    }
    if (rest.size() != 1 || rest.get(0).name().isPresent()) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`top[vocab]` takes a distribution and a number, as in `top[vocab](pi(y.vocab), 20)`");
    }
    Node logits = logits(distribution(value, call.span()), "top[vocab]", call);
    Span span = rest.get(0).value().span();
    Meaning.Value k = checker.real(checker.check(rest.get(0).value(), scope), span);
    if (k.ensemble() || !k.domain().equals(Domain.BATCH) || k.node().active()) {
      throw context.fail(WRONG_ARGUMENTS, span, "how many entries `top` takes is one number");
    }
    var known = FixedValues.evaluate(k.node(), context.parameterValues, new LinkedHashMap<>());
    if (known.isPresent() && !(known.getAsDouble() >= 1)) {
      throw context.fail(WRONG_ARGUMENTS, span, "`top` takes one entry or more");
    }
    if (known.isPresent() && known.getAsDouble() != Math.rint(known.getAsDouble())) {
      throw context.fail(
          WRONG_ARGUMENTS,
          span,
          "`top` takes a whole number of entries, and this is " + known.getAsDouble(),
          "a parameter that counts is an `Int`, as in `k: Int = 20`");
    }
    return Meaning.Value.of(Kind.BOOL, b.lessEqual(b.largest(logits, k.node()), logits));
  }

  /** The logits of an actor's distribution, stopped or not. */
  private Node logits(Meaning.Value p, String what, Expression.Call call) {
    Node node = p.node().operation() instanceof Operation.Stop ? p.node().operand(0) : p.node();
    Node logits = node.operands().isEmpty() ? node : node.operand(0);
    if (!(logits.operation() instanceof Operation.Input)
        || !node.equals(context.logSoftmax(logits))) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`" + what + "` takes an actor's distribution, and this one is made of others",
          "write `" + what + "(pi(y.vocab)" + (what.equals("logits") ? ")`" : ", ...)`"));
    }
    return logits;
  }

  /** {@code sort}, {@code quantile} and {@code cvar} over the members of an ensemble. */
  private Meaning orderedMembers(
      String name,
      Meaning.Value value,
      List<Expression.Argument> rest,
      Expression.Call call,
      Scope scope) {
    requireMembers(value, call);
    List<Node> sorted = new ArrayList<>(checker.real(value, call.span()).nodes());
    int size = sorted.size();
    if (size > MOST_SORTED) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          "`"
              + name
              + "[member]` orders at most "
              + MOST_SORTED
              + " members, and these are "
              + size);
    }
    // Neighbours are put in order, so often that every member comes to its place.
    for (int last = size - 1; last > 0; last--) {
      for (int i = 0; i < last; i++) {
        Node low = b.combine(Binary.MINIMUM, sorted.get(i), sorted.get(i + 1));
        Node high = b.combine(Binary.MAXIMUM, sorted.get(i), sorted.get(i + 1));
        sorted.set(i, low);
        sorted.set(i + 1, high);
      }
    }
    if (name.equals("sort")) {
      requireArguments(name, rest, call);
      return new Meaning.Value(Kind.REAL, sorted, true);
    }
    if (name.equals("rank")) {
      requireArguments(name, rest, call);
      return new Meaning.Value(Kind.REAL, ranks(checker.real(value, call.span()).nodes()), true);
    }
    Node fraction = fraction(name, rest, call, scope);
    Node result = b.constant(0);
    for (int i = 0; i < size; i++) {
      Node weight = weight(name, fraction, b.constant(i), b.constant(size));
      result = b.add(result, weighed(weight, sorted.get(i)));
    }
    return Meaning.Value.of(Kind.REAL, result);
  }

  /** How many members come before each: smaller ones, and equal ones that stand before it. */
  private List<Node> ranks(List<Node> members) {
    List<Node> ranks = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      Node rank = b.constant(0);
      for (int j = 0; j < members.size(); j++) {
        if (i != j) {
          Binary before = j < i ? Binary.LESS_EQUAL : Binary.LESS;
          Node precedes = b.combine(before, members.get(j), members.get(i));
          rank = b.add(rank, b.select(precedes, b.constant(1), b.constant(0)));
        }
      }
      ranks.add(rank);
    }
    return ranks;
  }

  private void requireMembers(Meaning.Value value, Expression.Call call) {
    if (!value.ensemble()) {
      throw context.fail(
          WRONG_REDUCTION,
          call.span(),
          "this value is no ensemble: there are no members to reduce",
          "an ensemble is declared with its size: `reward r: sequence[5]`");
    }
  }

  private void requireArguments(String name, List<Expression.Argument> rest, Expression.Call call) {
    boolean alone = name.equals("sort") || name.equals("rank");
    if (rest.size() != (alone ? 0 : 1)) {
      throw context.fail(
          WRONG_ARGUMENTS,
          call.span(),
          alone
              ? "`" + name + "` takes one value"
              : "`" + name + "` takes a value and a fraction, as in `" + name + "[batch](x, 0.8)`");
    }
  }

  /** The fraction of a quantile or of a tail: one number, positive for a tail. */
  private Node fraction(
      String name, List<Expression.Argument> rest, Expression.Call call, Scope scope) {
    requireArguments(name, rest, call);
    Span span = rest.get(0).value().span();
    Meaning.Value fraction = checker.real(checker.check(rest.get(0).value(), scope), span);
    if (fraction.ensemble()
        || !fraction.domain().equals(Domain.BATCH)
        || fraction.node().active()) {
      throw context.fail(
          WRONG_ARGUMENTS, rest.get(0).span(), "the fraction of a " + name + " is one number");
    }
    var known =
        FixedValues.evaluate(fraction.node(), context.parameterValues, new LinkedHashMap<>());
    boolean tail = name.equals("cvar");
    if (known.isPresent()
        && !(known.getAsDouble() <= 1
            && (tail ? known.getAsDouble() > 0 : known.getAsDouble() >= 0))) {
      throw context.fail(
          WRONG_ARGUMENTS,
          span,
          tail
              ? "the fraction of `cvar` is above 0 and at most 1"
              : "the fraction of a quantile is from 0 to 1");
    }
    return tail
        ? b.checked(
            new Operation.Checked("the fraction of `cvar` is not above 0", span.place()),
            fraction.node())
        : fraction.node();
  }

  /**
   * What the element at a position from 0 of {@code count} sorted ones weighs: in a quantile, the
   * two nearest to position {@code q (n - 1)}, linearly; in a lower tail, the first {@code q n},
   * the last of them in part (Acerbi and Tasche 2002).
   */
  private Node weight(String name, Node fraction, Node position, Node count) {
    if (name.equals("cvar")) {
      Node size = b.multiply(fraction, count);
      Node covered = b.subtract(size, position);
      Node share =
          b.combine(
              Binary.MINIMUM, b.combine(Binary.MAXIMUM, covered, b.constant(0)), b.constant(1));
      return b.divide(share, size);
    }
    Node at = b.multiply(fraction, b.subtract(count, b.constant(1)));
    Node distance = b.apply(Unary.ABS, b.subtract(position, at));
    return b.combine(Binary.MAXIMUM, b.subtract(b.constant(1), distance), b.constant(0));
  }

  /** A weighed value; nothing where the weight is 0, even of what is infinite. */
  private Node weighed(Node weight, Node value) {
    return b.select(
        b.combine(Binary.LESS, b.constant(0), weight), b.multiply(weight, value), b.constant(0));
  }

  /**
   * {@code sort[batch](x)}, ascending, {@code rank[batch](x)}, {@code quantile[batch](x, q)},
   * {@code cvar[batch](x, q)}; or within each group, or of tokens within each sequence.
   */
  private Meaning ordered(
      Meaning.ReductionName reduction,
      Meaning.Value value,
      List<Expression.Argument> rest,
      Expression.Call call,
      Scope scope) {
    String name = reduction.name();
    Meaning.Value real = checker.real(value, call.span());
    if (real.ensemble()) {
      throw context.fail(
          WRONG_REDUCTION,
          call.span(),
          "`" + name + "` orders one number per row or token, and this is at member level",
          "reduce the members first, or order them: `" + name + "[member](...)`");
    }
    Domain within = scopeOfOrder(reduction, real.domain(), call);
    Node x = real.node();
    if (name.equals("rank")) {
      requireArguments(name, rest, call);
      return Meaning.Value.of(
          Kind.REAL, b.reorder(b.position(x.domain(), within), x, within, true));
    }
    Node sorted = b.reorder(x, x, within, false);
    if (name.equals("sort")) {
      requireArguments(name, rest, call);
      return Meaning.Value.of(Kind.REAL, sorted);
    }
    Node fraction = fraction(name, rest, call, scope);
    Node count =
        b.checked(
            new Operation.Checked(
                name + " of no " + plural(x.domain()) + " in `" + call.span().text() + "`",
                call.span().place()),
            b.count(x.domain(), within));
    Node weight = weight(name, fraction, b.position(x.domain(), within), count);
    return Meaning.Value.of(Kind.REAL, b.sumTo(weighed(weight, sorted), within));
  }

  private Meaning.Value members(
      String name, Meaning.Value value, double ddof, Expression.Call call) {
    requireMembers(value, call);
    if (name.equals("sum") && value.kind() == Kind.PROB) {
      return new Meaning.Value(
          Kind.PROB,
          List.of(
              value.nodes().stream()
                  .reduce((m, n) -> b.combine(Binary.LOG_ADD_EXP, m, n))
                  .orElseThrow()),
          false);
    }
    Meaning.Value x = checker.real(value, call.span());
    List<Node> nodes = x.nodes();
    Node size = b.constant(nodes.size());
    Node result =
        switch (name) {
          case "sum" -> nodes.stream().reduce(b::add).orElseThrow();
          case "mean" -> b.divide(nodes.stream().reduce(b::add).orElseThrow(), size);
          case "max" ->
              nodes.stream().reduce((m, n) -> b.combine(Binary.MAXIMUM, m, n)).orElseThrow();
          case "min" ->
              nodes.stream().reduce((m, n) -> b.combine(Binary.MINIMUM, m, n)).orElseThrow();
          case "logsumexp" ->
              nodes.stream().reduce((m, n) -> b.combine(Binary.LOG_ADD_EXP, m, n)).orElseThrow();
          case "count" -> size;
          case "std", "var" -> {
            Node mean = b.divide(nodes.stream().reduce(b::add).orElseThrow(), size);
            Node squares =
                nodes.stream()
                    .map(n -> b.subtract(n, mean))
                    .map(n -> b.multiply(n, n))
                    .reduce(b::add)
                    .orElseThrow();
            Node variance = b.divide(squares, b.constant(Math.max(nodes.size() - ddof, 1)));
            yield name.equals("std") ? b.apply(Unary.SQRT, variance) : variance;
          }
          default ->
              throw context.fail(
                  WRONG_REDUCTION, call.span(), "`" + name + "` has no meaning over members");
        };
    return Meaning.Value.of(Kind.REAL, result);
  }

  private Meaning.Value levels(
      Meaning.ReductionName reduction, Meaning.Value value, double ddof, Expression.Call call) {
    Domain from = value.domain();
    Domain to = target(reduction, from, call);
    String name = reduction.name();
    if (name.equals("normalize")) {
      Meaning.Value p = distribution(value, call.span());
      Node total = b.reduce(Reduction.LOG_SUM_EXP, p.node(), to);
      return Meaning.Value.of(Kind.PROB, b.subtract(p.node(), total));
    }
    if (name.equals("sum") && value.kind() == Kind.PROB) {
      return Meaning.Value.of(Kind.PROB, b.reduce(Reduction.LOG_SUM_EXP, value.node(), to));
    }
    if (name.equals("count")) {
      return Meaning.Value.of(Kind.REAL, b.count(from, to));
    }
    Node x = checker.real(value, call.span()).node();
    String what = "mean over no " + plural(from) + " in `" + call.span().text() + "`";
    Node result =
        switch (name) {
          case "sum" -> b.sumTo(x, to);
          case "mean" -> b.meanTo(x, to, what);
          case "max" -> b.reduce(Reduction.MAXIMUM, x, to);
          case "min" -> b.reduce(Reduction.MINIMUM, x, to);
          case "logsumexp" -> b.reduce(Reduction.LOG_SUM_EXP, x, to);
          case "std", "var" -> {
            // Two passes: the mean, then the squared distances from it. Fewer than ddof + 1
            // elements have the spread 0.
            Node distance = b.subtract(x, b.meanTo(x, to, what));
            Node squares = b.sumTo(b.multiply(distance, distance), to);
            Node n =
                b.combine(
                    Binary.MAXIMUM, b.subtract(b.count(from, to), b.constant(ddof)), b.constant(1));
            Node variance = b.divide(squares, n);
            yield name.equals("std") ? b.apply(Unary.SQRT, variance) : variance;
          }
          default -> throw new IllegalStateException("reduction " + name);
        };
    return Meaning.Value.of(Kind.REAL, result);
  }

  private static String plural(Domain domain) {
    return domain.level() == Level.VOCAB ? "vocabulary entries" : domain.level().word() + "s";
  }

  /**
   * Where a reduction leads. {@code vocab, token, sequence} and {@code pair} are the axes that it
   * removes, finest first and without a gap; {@code group} and {@code batch} are the scopes within
   * which it runs over everything finer.
   */
  private Domain target(Meaning.ReductionName reduction, Domain from, Expression.Call call) {
    List<String> levels = reduction.levels();
    Domain current = from;
    for (String level : levels) {
      switch (level) {
        case "group", "batch" -> {
          if (levels.size() != 1) {
            throw wrong(call, "`" + level + "` stands alone: it is the scope of the reduction");
          }
          Domain scope = level.equals("group") ? Domain.GROUP : Domain.BATCH;
          if (level.equals("group")) {
            context.grouped = true;
          }
          if (from.level().compareTo(scope.level()) <= 0) {
            throw wrong(
                call,
                "the value is at "
                    + from.describe()
                    + ": there is nothing in a "
                    + level
                    + " to reduce");
          }
          return scope;
        }
        case "vocab" -> current = remove(Level.VOCAB, current, from, call);
        case "token", "step" -> current = remove(Level.TOKEN, current, from, call);
        case "sequence" -> current = remove(Level.SEQUENCE, current, from, call);
        case "pair" -> current = remove(Level.PAIR, current, from, call);
        case "member", "rank" ->
            throw wrong(call, "`" + level + "` stands alone: reduce it first or last");
        default ->
            throw context.unknown(
                call.function().span(),
                "level called",
                level,
                List.of("vocab", "token", "sequence", "pair", "group", "batch", "member"));
      }
    }
    return current;
  }

  private Domain remove(Level axis, Domain current, Domain from, Expression.Call call) {
    boolean row = axis == Level.SEQUENCE || axis == Level.PAIR;
    if (axis == Level.PAIR && !context.paired) {
      throw wrong(call, "there are no pairs here");
    }
    if (row ? !current.isRow() : current.level() != axis) {
      String help =
          current.level().compareTo(axis) > 0
              ? "reduce the "
                  + plural(current)
                  + " first: `"
                  + reductionName(call)
                  + "["
                  + axis.word()
                  + "](sum["
                  + current.level().word()
                  + "](...))`, or all at once: `["
                  + current.level().word()
                  + ", "
                  + axis.word()
                  + "]`"
              : "the value is the same for all of them";
      throw context.fail(
          Diagnostic.of(
                  WRONG_REDUCTION,
                  call.span(),
                  "the value is at "
                      + from.describe()
                      + ": it has no "
                      + axis.word()
                      + "s to reduce"
                      + (current.equals(from) ? "" : " after the first reduction"))
              .withHelp(help));
    }
    return switch (axis) {
      case VOCAB -> Domain.token(current.owner());
      case TOKEN -> Domain.sequence(current.owner());
      case SEQUENCE, PAIR, GROUP, BATCH -> Domain.BATCH;
    };
  }

  private static String reductionName(Expression.Call call) {
    return call.function() instanceof Expression.Index index
            && index.target() instanceof Expression.NameReference name
        ? name.name()
        : "mean";
  }

  private Abandoned wrong(Expression.Call call, String message) {
    return context.fail(WRONG_REDUCTION, call.span(), message);
  }
}
