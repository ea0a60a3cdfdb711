package org.alignlang.compiler.explain;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.alignlang.compiler.explain.Notation.Symbol;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.source.Span;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Values of a graph as mathematics. Sums and differences of log-probabilities are set as logarithms
 * of probabilities; what the spec names, or what is long and used twice, gets a name.
 */
final class GraphNotation {
  private static final int WORTH_A_NAME = 6;

  /** How many values an equation may have, and how deeply they may be nested. */
  private static final int LONGEST = 3_000;

  private static final int DEEPEST = 100;
  private static final Symbol RETURN = Notation.symbol("R(y)", "R(y)");

  private final Map<String, Symbol> actors;
  private final List<String> sequences;
  private final Symbol row;

  /** Names of values; a value that is the logarithm of a probability is named by that. */
  private final Map<Node, Symbol> names = new HashMap<>();

  private final Map<Node, Integer> sizes = new HashMap<>();
  private final Set<Node> named = new LinkedHashSet<>();

  /** Whether what is set is not differentiated, so that it does not matter what is detached. */
  private boolean detached;

  private int depth;
  private int left;

  /**
   * @param actors how actors are set
   * @param given names that the spec gives to values, by the place of the value
   * @param returned where the return is made that an estimator weighs
   * @param forward the value in which those are looked for
   * @param roots everything that will be set
   */
  GraphNotation(
      Map<String, Symbol> actors,
      List<String> sequences,
      Map<Span, Symbol> given,
      Optional<Span> returned,
      Node forward,
      List<Node> roots) {
    this.actors = actors;
    this.sequences = sequences;
    row = Symbols.row(sequences);
    Map<Span, Node> last = new HashMap<>();
    for (Node node : ObjectiveProgram.reachable(List.of(forward))) {
      if (given.containsKey(node.origin()) && !isTransparent(node)) {
        last.put(node.origin(), node);
      }
    }
    Map<Node, Symbol> wanted = new HashMap<>();
    last.forEach((span, node) -> {
      Symbol symbol = given.get(span);
      if (symbol != null) {
        wanted.put(node, symbol);
      }
    });
    combinedReturn(returned, forward).ifPresent(node -> wanted.put(node, RETURN));
    Map<Node, Integer> uses = uses(roots);
    int next = 1;
    for (Node node : ObjectiveProgram.reachable(roots)) {
      int size = size(node);
      Symbol symbol = wanted.get(node);
      boolean repeated =
          uses.getOrDefault(node, 0) > 1 && size >= WORTH_A_NAME && !isTransparent(node);
      boolean ratio =
          probability(node, false).filter(Notation.Quotient.class::isInstance).isPresent();
      if (symbol != null && (size >= 2 || ratio)) {
        names.put(node, atLevel(symbol, node.domain()));
      } else if (repeated && !roots.contains(node) && probability(node, false).isEmpty()) {
        names.put(
            node, atLevel(Notation.symbol("c" + below(next), "c_{" + next + "}"), node.domain()));
        next++;
      }
      if (names.containsKey(node)) {
        sizes.put(node, 1);
      }
    }
  }

  /** Without names. */
  static GraphNotation plain(Map<String, Symbol> actors, Node value) {
    return new GraphNotation(
        actors, List.of("chosen", "rejected"), Map.of(), Optional.empty(), value, List.of());
  }

  /** What an estimator is given: made where the objective stands, one number per sequence. */
  private static Optional<Node> combinedReturn(Optional<Span> place, Node forward) {
    return ObjectiveProgram.reachable(List.of(forward)).stream()
        .filter(n -> place.filter(n.origin()::equals).isPresent())
        .filter(n -> n.domain().level() == Level.SEQUENCE && !n.active() && !isTransparent(n))
        .reduce((before, after) -> after);
  }

  private static String below(int number) {
    StringBuilder written = new StringBuilder();
    for (char digit : Integer.toString(number).toCharArray()) {
      written.append("₀₁₂₃₄₅₆₇₈₉".charAt(digit - '0'));
    }
    return written.toString();
  }

  private static Symbol atLevel(Symbol symbol, Domain domain) {
    if (domain.level() == Level.TOKEN) {
      String latex = symbol.latex();
      return Notation.symbol(
          symbol.unicode() + "ₜ",
          latex.endsWith("}") && latex.contains("_{")
              ? latex.substring(0, latex.length() - 1) + ",t}"
              : latex + "_t");
    }
    return symbol;
  }

  /** What only repeats or guards its operand. */
  private static boolean isTransparent(Node node) {
    return switch (node.operation()) {
      case Operation.Broadcast _, Operation.Lift _, Operation.Checked _, Operation.Stop _ -> true;
      default -> false;
    };
  }

  private static Map<Node, Integer> uses(List<Node> roots) {
    Map<Node, Integer> uses = new HashMap<>();
    TreeMap<Integer, Node> descending = new TreeMap<>((a, b) -> Integer.compare(b, a));
    ObjectiveProgram.reachable(roots).forEach(n -> descending.put(n.number(), n));
    roots.forEach(r -> uses.merge(r, 1, Integer::sum));
    for (Node node : descending.values()) {
      int weight = isTransparent(node) ? uses.getOrDefault(node, 0) : 1;
      for (Node operand : new LinkedHashSet<>(node.operands())) {
        uses.merge(operand, weight, Integer::sum);
      }
    }
    return uses;
  }

  /** How much there is to set for a value. */
  private int size(Node node) {
    Integer known = sizes.get(node);
    if (known != null) {
      return known;
    }
    int size = isTransparent(node) ? 0 : 1;
    if (probability(node, false).isEmpty()) {
      for (Node operand : node.operands()) {
        size = Math.min(1000, size + size(operand));
      }
    }
    sizes.put(node, size);
    return size;
  }

  /** Equations for the names that were used so far, and for those used in them. */
  List<Explanation.Equation> definitions() {
    TreeMap<Integer, Explanation.Equation> equations = new TreeMap<>();
    Set<Node> done = new LinkedHashSet<>();
    while (done.size() < named.size()) {
      for (Node node : List.copyOf(named)) {
        Symbol symbol = names.get(node);
        if (done.add(node) && symbol != null) {
          names.remove(node);
          detached = !node.active();
          Notation right = probability(node, false).orElseGet(() -> of(node));
          names.put(node, symbol);
          detached = false;
          equations.put(node.number(), new Explanation.Equation(symbol, Symbols.EQUALS, right));
        }
      }
    }
    return List.copyOf(equations.values());
  }

  private Optional<Symbol> nameOf(Node node) {
    Symbol symbol = names.get(node);
    if (symbol != null) {
      named.add(node);
    }
    return Optional.ofNullable(symbol);
  }

  /** A value that is not differentiated. */
  Notation detached(Node node) {
    detached = true;
    Notation notation = of(node);
    detached = false;
    return notation;
  }

  /** A value; dots where nobody could read it any more. */
  Notation of(Node node) {
    if (!enter()) {
      return Notation.symbol("…", "\\ldots");
    }
    try {
      Optional<Notation> probability = probability(node, false);
      if (probability.isPresent()) {
        return Symbols.log(probability.get());
      }
      Optional<Symbol> name = nameOf(node);
      return name.isPresent() ? name.get() : expanded(node);
    } finally {
      depth--;
    }
  }

  /**
   * Goes one value deeper, unless the equation is too deep or too long already: a few lines of
   * {@code let a2 = a1 * a1} are a formula that fills no memory.
   */
  private boolean enter() {
    if (depth == 0) {
      left = LONGEST;
    }
    if (depth >= DEEPEST || left <= 0) {
      return false;
    }
    depth++;
    left--;
    return true;
  }

  private Notation expanded(Node node) {
    List<Node> x = node.operands();
    return switch (node.operation()) {
      case Operation.Constant constant -> Notation.number(constant.value());
      case Operation.Parameter parameter -> Symbols.name(parameter.name());
      case Operation.Multiplier multiplier -> Symbols.name(multiplier.name());
      case Operation.Input input -> input(input.input(), input.member());
      case Operation.Count count -> count(count.from(), node.domain());
      case Operation.OneHot _ -> taken(node.domain());
      case Operation.Reorder reorder -> {
        String word = reorder.inverse() ? "unsort" : "sort";
        // A value is sorted by itself, or carried along with the key that is.
        yield x.get(0) == x.get(1)
            ? Symbols.call(word, of(x.get(0)))
            : Symbols.call(word, of(x.get(0)), of(x.get(1)));
      }
      case Operation.Largest _ -> Symbols.call("largest", of(x.get(0)), of(x.get(1)));
      case Operation.Matching _ -> Symbols.call("matching", of(x.get(0)), of(x.get(1)));
      case Operation.Beside _ -> Symbols.call("beside", of(x.get(0)));
      case Operation.Position _ -> Symbols.name("position");
      case Operation.Scan scan ->
          Symbols.call(scan.backwards() ? "togo" : "cumsum", of(x.get(0)), of(x.get(1)));
      case Operation.Shift shift -> Symbols.call(shift.next() ? "next" : "previous", of(x.get(0)));
      case Operation.Checked _, Operation.Broadcast _, Operation.Lift _ -> of(x.get(0));
      case Operation.Stop _ ->
          x.get(0).active() && !detached ? Symbols.stopped(of(x.get(0))) : of(x.get(0));
      case Operation.Apply apply -> apply(apply.function(), x.get(0));
      case Operation.Combine combine -> combine(combine, x.get(0), x.get(1));
      case Operation.Select _ -> select(x.get(0), x.get(1), x.get(2));
      case Operation.Reduce reduce -> reduce(reduce.reduction(), x.get(0), node.domain());
      case Operation.Taken _ ->
          new Notation.Row(List.of(of(x.get(0)), Notation.symbol("|v=yₜ", "\\big|_{v = y_t}")));
      case Operation.Expectation _ ->
          Symbols.expectation(actors.getOrDefault("", Symbols.actor("pi", true)), of(x.get(0)));
    };
  }

  /** What is zero on one side is set with the indicator of the other. */
  private Notation select(Node condition, Node yes, Node no) {
    if (isZero(no)) {
      return Notation.product(of(yes), indicator(condition));
    }
    if (isZero(yes)) {
      return Notation.product(of(no), indicator(opposite(of(condition))));
    }
    return new Notation.Cases(of(condition), of(yes), of(no));
  }

  private static boolean isZero(Node node) {
    return node.isConstant(0) || isTransparent(node) && isZero(node.operand(0));
  }

  private Notation indicator(Node condition) {
    return condition.operation() instanceof Operation.OneHot
        ? taken(condition.domain())
        : indicator(of(condition));
  }

  private static Notation indicator(Notation condition) {
    return new Notation.Enclosed(
        Notation.symbol("𝟙[", "\\mathbb{1}\\left["), condition, Symbols.BRACKET_CLOSE);
  }

  private static Notation opposite(Notation condition) {
    if (condition instanceof Notation.Relation(Notation a, Symbol relation, Notation b)) {
      switch (relation.unicode()) {
        case "≤" -> {
          return WrittenNotation.relation(a, ">", ">", b);
        }
        case "<" -> {
          return WrittenNotation.relation(a, "≥", "\\ge", b);
        }
        case "=" -> {
          return WrittenNotation.relation(a, "≠", "\\ne", b);
        }
        default -> {}
      }
    }
    return new Notation.Applied(Notation.symbol("¬", "\\lnot"), condition);
  }

  /** {@code P(a > b)} of two sequences of a row, or of one and an actor. */
  private Notation preference(Signature.Input input, Symbol sequence) {
    List<String> parts =
        List.of(input.name().substring(input.name().indexOf("preference.")).split("\\."));
    Symbol function = Symbols.function(parts.get(1));
    Optional<String> opponent = Signature.opponent(input);
    if (opponent.isPresent()) {
      Symbol actor = actors.getOrDefault(opponent.get(), Symbols.actor(opponent.get(), false));
      return Symbols.preferred(function, sequence, actor);
    }
    List<String> compared = parts.size() == 4 ? parts.subList(2, 4) : sequences.subList(0, 2);
    return Symbols.preferred(
        function, Symbols.sequence(compared.get(0)), Symbols.sequence(compared.get(1)));
  }

  /** How much more often the policy is in a state and takes an action there than another actor. */
  private static Notation occupancies(Signature.Input input) {
    List<Notation> place =
        List.of(
            Notation.symbol("sₜ", "s_t"),
            Symbols.token(Symbols.sequence(input.sequence().isEmpty() ? "y" : input.sequence())));
    return Notation.quotient(
        new Notation.Called(Symbols.occupancy("", true), place),
        new Notation.Called(Symbols.occupancy(Signature.opponent(input).orElse(""), false), place));
  }

  private static Notation taken(Domain domain) {
    Symbol token = Symbols.token(Symbols.sequence(domain.owner()));
    return indicator(WrittenNotation.relation(Symbols.VOCAB, "=", "=", token));
  }

  /** How an input is set, with what it is of. */
  Notation input(Signature.Input input, int member) {
    Symbol sequence = Symbols.sequence(input.sequence().isEmpty() ? "y" : input.sequence());
    Symbol actor = actors.getOrDefault(input.actor(), Symbols.actor(input.actor(), false));
    return switch (input.role()) {
      case LOG_PROBABILITY ->
          Symbols.log(new Notation.Called(actor, List.of(Symbols.token(sequence))));
      case LOGITS -> {
        Symbol logits =
            input.trained()
                ? Notation.symbol("zₜ", "z_t")
                : Notation.symbol(
                    "z_" + input.actor() + ",t", "z_{\\mathrm{" + input.actor() + "},t}");
        yield new Notation.Called(logits, List.of(Symbols.VOCAB));
      }
      case TOKENS -> Symbols.token(sequence);
      case COLUMN, LEARNED -> {
        if (Signature.isOccupancy(input)) {
          yield Symbols.log(occupancies(input));
        }
        if (input.name().contains("preference.")) {
          yield preference(input, sequence);
        }
        String name = input.name().substring(input.name().lastIndexOf('.') + 1);
        Symbol symbol = Symbols.function(name);
        if (!input.actor().isEmpty()) {
          // What a trained block gave when the data was sampled.
          symbol =
              Notation.symbol(
                  symbol.unicode() + "_" + input.actor(),
                  symbol.latex() + "_{\\mathrm{" + input.actor() + "}}");
        }
        if (input.members() > 0) {
          symbol =
              Notation.symbol(
                  symbol.unicode() + below(member + 1), symbol.latex() + "_{" + (member + 1) + "}");
        }
        yield switch (input.level()) {
          case TOKEN, VOCAB -> new Notation.Called(symbol, List.of(Symbols.token(sequence)));
          case SEQUENCE -> new Notation.Called(symbol, List.of(sequence));
          case PAIR, GROUP, BATCH -> symbol;
        };
      }
    };
  }

  private static Notation count(Domain from, Domain to) {
    return switch (from.level()) {
      case VOCAB -> Notation.symbol("|V|", "\\lvert V \\rvert");
      case TOKEN -> Symbols.length(Symbols.sequence(from.owner()));
      case SEQUENCE, PAIR -> to.level() == Level.GROUP ? Notation.symbol("K", "K") : Symbols.ROWS;
      case GROUP, BATCH -> Notation.symbol("G", "G");
    };
  }

  static Notation root(Notation x) {
    return new Notation.Root(x);
  }

  private Notation apply(Unary function, Node operand) {
    Notation one = new Notation.Number(1);
    return switch (function) {
      case NEGATE -> Notation.negated(of(operand));
      case EXP -> exponential(operand);
      case LOG -> Symbols.log(of(operand));
      case EXPM1 -> Notation.difference(exponential(operand), one);
      case LOG1P -> Symbols.log(Notation.sum(one, of(operand)));
      case SIGMOID -> new Notation.Called(Symbols.SIGMOID, List.of(of(operand)));
      case LOG_SIGMOID -> Symbols.logSigmoid(of(operand));
      case SOFTPLUS -> Symbols.call("softplus", of(operand));
      case LOG1MEXP -> Symbols.log(Notation.difference(one, exponential(operand)));
      case TANH -> new Notation.Called(Notation.symbol("tanh", "\\tanh"), List.of(of(operand)));
      case ARCTAN ->
          new Notation.Called(Notation.symbol("arctan", "\\arctan"), List.of(of(operand)));
      case ABS -> Symbols.absolute(of(operand));
      case SQRT -> root(of(operand));
      case SIGN -> Symbols.call("sign", of(operand));
      case FLOOR ->
          new Notation.Enclosed(
              Notation.symbol("⌊", "\\lfloor "), of(operand), Notation.symbol("⌋", "\\rfloor "));
      case NOT -> new Notation.Applied(Notation.symbol("¬", "\\lnot"), of(operand));
    };
  }

  private Notation combine(Operation.Combine combine, Node a, Node b) {
    return switch (combine.function()) {
      case ADD -> Notation.sum(of(a), of(b));
      case SUBTRACT, LOG_RATIO -> Notation.difference(of(a), of(b));
      case MULTIPLY ->
          a == b
              ? new Notation.Power(of(a), new Notation.Number(2))
              : Notation.product(of(a), of(b));
      case DIVIDE -> isMean(a, b) ? mean(a.operand(0)) : Notation.quotient(of(a), of(b));
      case POWER -> new Notation.Power(of(a), of(b));
      case MINIMUM -> {
        boolean clip =
            !b.active()
                && a.operation() instanceof Operation.Combine inner
                && inner.function() == org.alignlang.compiler.ir.Binary.MAXIMUM
                && !a.operand(1).active()
                && a.operand(0).active()
                && !names.containsKey(a);
        yield clip
            ? Symbols.call("clip", of(a.operand(0)), of(a.operand(1)), of(b))
            : new Notation.Called(Notation.symbol("min", "\\min"), List.of(of(a), of(b)));
      }
      case MAXIMUM -> new Notation.Called(Notation.symbol("max", "\\max"), List.of(of(a), of(b)));
      case LOG_ADD_EXP -> Symbols.log(Notation.sum(exponential(a), exponential(b)));
      case EXP_TIMES -> Notation.product(exponential(a), of(b));
      case LESS -> WrittenNotation.relation(of(a), "<", "<", of(b));
      case LESS_EQUAL -> WrittenNotation.relation(of(a), "≤", "\\le", of(b));
      case EQUAL -> WrittenNotation.relation(of(a), "=", "=", of(b));
      case AND -> WrittenNotation.relation(of(a), "∧", "\\land", of(b));
      case OR -> WrittenNotation.relation(of(a), "∨", "\\lor", of(b));
    };
  }

  /** A sum over the number of its terms. */
  private boolean isMean(Node sum, Node count) {
    Node plain = isTransparent(count) ? count.operand(0) : count;
    return sum.operation() instanceof Operation.Reduce reduce
        && reduce.reduction() == Operation.Reduction.SUM
        && !names.containsKey(sum)
        && probability(sum, false).isEmpty()
        && sum.domain().level() == Level.GROUP
        && plain.operation() instanceof Operation.Count counted
        && counted.from().equals(sum.operand(0).domain());
  }

  private Notation mean(Node x) {
    return new Notation.Called(
        Notation.symbol("mean_x", "\\operatorname{mean}_{x}"), List.of(of(x)));
  }

  private Notation reduce(Operation.Reduction reduction, Node x, Domain to) {
    Symbol sequence = Symbols.sequence(x.domain().owner().isEmpty() ? "y" : x.domain().owner());
    Symbol sum =
        to.level() == Level.GROUP
            ? Notation.symbol("∑_y∈x", "\\sum_{y \\in x}")
            : x.domain().level() == Level.PAIR
                ? Symbols.sumOver(row)
                : Symbols.sumOver(x.domain().level(), sequence);
    return switch (reduction) {
      case SUM -> new Notation.Large(sum, of(x));
      case LOG_SUM_EXP -> Symbols.log(new Notation.Large(sum, exponential(x)));
      case SOFTMAX_MEAN -> throw new IllegalArgumentException("a plan's value, not a program's");
      case MAXIMUM, MINIMUM -> {
        String word = reduction.word();
        yield new Notation.Large(
            Notation.symbol(
                sum.unicode().replace("∑", word), sum.latex().replace("\\sum", "\\" + word)),
            of(x));
      }
    };
  }

  /** The exponential of a value: a probability where the value is the logarithm of one. */
  private Notation exponential(Node node) {
    Optional<Notation> probability = probability(node, false);
    if (probability.isPresent()) {
      return probability.get();
    }
    if (names.containsKey(node)) {
      return Symbols.exp(of(node));
    }
    if (node.operation() instanceof Operation.Broadcast
        || node.operation() instanceof Operation.Lift) {
      return exponential(node.operand(0));
    }
    if (node.operation() instanceof Operation.Combine combine) {
      switch (combine.function()) {
        case MULTIPLY -> {
          for (int i = 0; i < 2; i++) {
            Optional<Notation> base = probability(node.operand(i), false);
            if (base.isPresent()) {
              return new Notation.Power(base.get(), of(node.operand(1 - i)));
            }
          }
        }
        case ADD -> {
          return Notation.product(exponential(node.operand(0)), exponential(node.operand(1)));
        }
        case SUBTRACT, LOG_RATIO -> {
          Optional<List<Notation>> ratio = both(node.operands(), false);
          if (ratio.isPresent()) {
            return Notation.quotient(ratio.get().get(0), ratio.get().get(1));
          }
        }
        default -> {}
      }
    }
    return Symbols.exp(of(node));
  }

  /**
   * What a value is the logarithm of, if that is made of probabilities.
   *
   * @param whole whether the value is summed over the tokens of its sequence
   */
  private Optional<Notation> probability(Node node, boolean whole) {
    if (!enter()) {
      return Optional.empty();
    }
    try {
      return probabilityOf(node, whole);
    } finally {
      depth--;
    }
  }

  private Optional<Notation> probabilityOf(Node node, boolean whole) {
    List<Node> x = node.operands();
    Optional<Notation> found =
        switch (node.operation()) {
          case Operation.Input input when input.input().role() == Signature.Role.LOG_PROBABILITY ->
              Optional.of(of(input.input().actor(), node.domain(), whole));
          case Operation.Input input when Signature.isOccupancy(input.input()) && !whole ->
              Optional.of(occupancies(input.input()));
          case Operation.Reduce reduce
              when reduce.reduction() == Operation.Reduction.SUM
                  && x.get(0).domain().level() == Level.TOKEN
                  && !whole ->
              probability(x.get(0), true);
          case Operation.Taken _ ->
              distribution(x.get(0)).map(actor -> of(actor, node.domain(), whole));
          case Operation.Broadcast _, Operation.Lift _, Operation.Checked _ ->
              whole ? Optional.empty() : probability(x.get(0), false);
          case Operation.Stop _ ->
              probability(x.get(0), whole)
                  .map(p -> x.get(0).active() && !detached ? Symbols.stopped(p) : p);
          case Operation.Apply apply when apply.function() == Unary.NEGATE ->
              probability(x.get(0), whole).map(p -> Notation.quotient(new Notation.Number(1), p));
          case Operation.Combine combine ->
              switch (combine.function()) {
                case ADD -> both(x, whole).map(p -> Notation.product(p.get(0), p.get(1)));
                case SUBTRACT, LOG_RATIO -> {
                  Optional<Notation> vocab =
                      whole
                          ? Optional.empty()
                          : distribution(node)
                              .map(a ->
                                  Symbols.distribution(
                                      actors.getOrDefault(a, Symbols.actor(a, false))));
                  yield vocab.isPresent()
                      ? vocab
                      : both(x, whole)
                          .filter(p -> whole || !areRatios(p))
                          .map(p -> Notation.quotient(p.get(0), p.get(1)));
                }
                default -> Optional.empty();
              };
          default -> Optional.empty();
        };
    if (found.isPresent() && !whole && names.containsKey(node)) {
      return nameOf(node).map(s -> s);
    }
    return found;
  }

  /**
   * The difference of two log-ratios is set as that, and not as the logarithm of a fraction of
   * fractions.
   */
  private static boolean areRatios(List<Notation> p) {
    return p.stream().allMatch(Notation.Quotient.class::isInstance);
  }

  private Optional<List<Notation>> both(List<Node> x, boolean whole) {
    Optional<Notation> a = probability(x.get(0), whole);
    Optional<Notation> b = probability(x.get(1), whole);
    return a.isPresent() && b.isPresent()
        ? Optional.of(List.of(a.get(), b.get()))
        : Optional.empty();
  }

  private Notation of(String actor, Domain domain, boolean whole) {
    Symbol sequence = Symbols.sequence(domain.owner());
    return new Notation.Called(
        actors.getOrDefault(actor, Symbols.actor(actor, false)),
        List.of(whole ? sequence : Symbols.token(sequence)));
  }

  /** The actor whose whole distribution this is: logits less their log-sum-exp. */
  private static Optional<String> distribution(Node node) {
    if (node.operation() instanceof Operation.Combine
        && node.operand(0).operation() instanceof Operation.Input input
        && input.input().role() == Signature.Role.LOGITS
        && node.operand(1).operation() instanceof Operation.Broadcast
        && node.operand(1).operand(0).operation() instanceof Operation.Reduce reduce
        && reduce.reduction() == Operation.Reduction.LOG_SUM_EXP
        && node.operand(1).operand(0).operand(0) == node.operand(0)) {
      return Optional.of(input.input().actor());
    }
    return Optional.empty();
  }
}
