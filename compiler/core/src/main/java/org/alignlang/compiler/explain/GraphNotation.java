package org.alignlang.compiler.explain;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.alignlang.compiler.explain.Notation.Symbol;
import org.alignlang.compiler.ir.Binary;
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
  private static final Symbol X = Notation.symbol("x", "x");

  private final Map<String, Symbol> actors;
  private final List<String> sequences;
  private final Symbol row;

  /** Names of values; a value that is the logarithm of a probability is named by that. */
  private final Map<Node, Symbol> names = new HashMap<>();

  /** Named values that are held as their logarithm: the name is that of the value itself. */
  private final Set<Node> densities = new HashSet<>();

  private final Map<Node, Integer> sizes = new HashMap<>();
  private final Set<Node> named = new LinkedHashSet<>();

  /** What the functions mean that were used so far, in the order of their first use. */
  private final Map<String, List<Object>> meanings = new LinkedHashMap<>();

  /** Whether what is set is not differentiated, so that it does not matter what is detached. */
  private boolean detached;

  private int depth;
  private int left;

  /**
   * @param actors how actors are set
   * @param given names that the spec gives to values, by the place of the value
   * @param held places of values that are held as their logarithm
   * @param returned where the return is made that an estimator weighs
   * @param forward the value in which those are looked for
   * @param roots everything that will be set
   */
  GraphNotation(
      Map<String, Symbol> actors,
      List<String> sequences,
      Map<Span, Symbol> given,
      Set<Span> held,
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
        if (held.contains(span)) {
          densities.add(node);
        }
      }
    });
    combinedReturn(returned, forward).ifPresent(node -> wanted.put(node, RETURN));
    Map<Node, Integer> uses = uses(roots);
    Set<Symbol> taken = new HashSet<>();
    int next = 1;
    for (Node node : ObjectiveProgram.reachable(roots)) {
      int size = size(node);
      Symbol symbol = wanted.get(node);
      boolean repeated =
          uses.getOrDefault(node, 0) > 1 && size >= WORTH_A_NAME && !isTransparent(node);
      boolean ratio =
          probability(node, false).filter(Notation.Quotient.class::isInstance).isPresent();
      // An estimator and an objective may call different values alike; the second goes without.
      if (symbol != null && (size >= 2 || ratio) && taken.add(atLevel(symbol, node.domain()))) {
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
    // So far values were looked at, and none was set.
    named.clear();
    meanings.clear();
  }

  /** Without names. */
  static GraphNotation plain(Map<String, Symbol> actors, Node value) {
    return new GraphNotation(
        actors,
        List.of("chosen", "rejected"),
        Map.of(),
        Set.of(),
        Optional.empty(),
        value,
        List.of());
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
    if (domain.level() != Level.TOKEN && domain.level() != Level.VOCAB) {
      return symbol;
    }
    String latex = symbol.latex();
    String entry = domain.level() == Level.VOCAB ? "(v)" : "";
    return Notation.symbol(
        symbol.unicode() + "ₜ" + entry,
        (latex.endsWith("}") && latex.contains("_{")
                ? latex.substring(0, latex.length() - 1) + ",t}"
                : latex + "_t")
            + entry);
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
          Notation right =
              probability(node, false)
                  .orElseGet(() -> densities.contains(node) ? exponential(node) : of(node));
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
      case Operation.Reorder reorder -> reordered(reorder, x.get(0), x.get(1));
      case Operation.Largest _ ->
          means(
              Symbols.call("largest", of(x.get(0)), of(x.get(1))),
              Symbols.call("largest", X, Symbols.name("k")),
              " is the k-th largest of x over the vocabulary");
      case Operation.Matching matching -> {
        Symbol sum = scoped("sum", matching.within(), node.domain());
        yield means(
            new Notation.Called(sum, List.of(by(of(x.get(0)), "at", key(x.get(1))))),
            new Notation.Called(sum, List.of(by(X, "at", Symbols.name("k")))),
            " is the sum of x over "
                + scope(matching.within(), node.domain())
                + " that have the same k as the one at hand");
      }
      case Operation.Beside _ ->
          means(
              Symbols.call("beside", of(x.get(0))),
              Symbols.call("beside", X),
              " is x of the other sequence at the same position, and 0 where that has no token");
      case Operation.Position _ -> Symbols.name("position");
      case Operation.Scan scan -> {
        String word = scan.backwards() ? "togo" : "cumsum";
        yield means(
            Symbols.call(word, of(x.get(0)), of(x.get(1))),
            Symbols.call(word, X, Symbols.name("gamma")),
            scan.backwards()
                ? " is x of a token plus γ times the same of the next token"
                : " is x of a token plus γ times the same of the token before");
      }
      case Operation.Shift shift -> {
        String word = shift.next() ? "next" : "previous";
        yield means(
            Symbols.call(word, of(x.get(0))),
            Symbols.call(word, X),
            " is x of the " + word + " token, and 0 where there is none");
      }
      case Operation.Checked _, Operation.Broadcast _, Operation.Lift _ -> of(x.get(0));
      case Operation.Stop _ ->
          x.get(0).active() && !detached ? stopped(of(x.get(0))) : of(x.get(0));
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

  /** A value in the order of a key, or back: by itself, or carried along with the key. */
  private Notation reordered(Operation.Reorder reorder, Node value, Node key) {
    Domain elements = value.domain();
    Symbol sort = scoped("sort", reorder.within(), elements);
    String over = scope(reorder.within(), elements);
    boolean itself = value == key || bare(value) == bare(key);
    Symbol c = Symbols.name("c");
    if (reorder.inverse()) {
      Symbol unsort = scoped("unsort", reorder.within(), elements);
      return means(
          new Notation.Called(unsort, List.of(by(of(value), "by", key(key)))),
          new Notation.Called(unsort, List.of(by(c, "by", X))),
          " has the i-th c where x is the i-th smallest over "
              + over
              + ": so a gradient comes back through a sort");
    }
    return itself
        ? means(
            new Notation.Called(sort, List.of(of(value))),
            new Notation.Called(sort, List.of(X)),
            " is x in ascending order over " + over)
        : means(
            new Notation.Called(sort, List.of(by(of(value), "by", key(key)))),
            new Notation.Called(sort, List.of(by(c, "by", X))),
            " is c in the order in which x ascends over " + over);
  }

  /** A value without what only repeats, guards or detaches it. */
  private static Node bare(Node node) {
    return isTransparent(node) ? bare(node.operand(0)) : node;
  }

  /** A key: what orders or matches is never differentiated, and need not be said to be. */
  private Notation key(Node node) {
    boolean before = detached;
    detached = true;
    Notation notation =
        probability(node, false).map(p -> (Notation) Symbols.log(p)).orElseGet(() -> of(node));
    detached = before;
    return notation;
  }

  private static Notation by(Notation value, String word, Notation key) {
    return new Notation.Row(List.of(value, Notation.symbol(word, "\\text{ " + word + " }"), key));
  }

  /** A function with the level that it goes over, as it is written in a spec. */
  private static Symbol scoped(String word, Domain within, Domain elements) {
    String level = levelOf(within, elements);
    return Notation.symbol(
        word + "_" + level, "\\operatorname{" + word + "}_{\\text{" + level + "}}");
  }

  private static String levelOf(Domain within, Domain elements) {
    return switch (within.level()) {
      case GROUP -> "group";
      case BATCH -> "batch";
      case VOCAB, TOKEN -> "vocab";
      case SEQUENCE, PAIR -> elements.level() == Level.VOCAB ? "vocab" : "token";
    };
  }

  private static String scope(Domain within, Domain elements) {
    if (elements.level() == Level.VOCAB) {
      return "the vocabulary at each position";
    }
    String what = elements.level() == Level.TOKEN ? "the tokens" : "the rows";
    return switch (within.level()) {
      case GROUP -> what + " of each prompt";
      case BATCH -> what + " of the batch";
      case VOCAB, TOKEN, SEQUENCE, PAIR -> what + " of each response";
    };
  }

  /** Remembers what a function means that the equation uses. */
  private Notation means(Notation notation, Notation of, String meaning) {
    meanings.putIfAbsent(NotationPrinter.unicode(of), List.of(of, meaning));
    return notation;
  }

  /**
   * What the functions mean that a text uses, a sentence in pieces each.
   *
   * @param text equations in Unicode
   */
  List<List<Object>> meanings(String text) {
    return meanings.entrySet().stream()
        .filter(e -> text.contains(head(e.getKey())))
        .map(Map.Entry::getValue)
        .toList();
  }

  /** A function's name with its opening bracket. */
  private static String head(String applied) {
    return applied.split("(?<=[(\\[])", 2)[0];
  }

  private Notation stopped(Notation notation) {
    return means(
        Symbols.stopped(notation), Symbols.stopped(X), " is x, taken as a constant: no gradient");
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
                && inner.function() == Binary.MAXIMUM
                && !a.operand(1).active()
                && a.operand(0).active()
                && !names.containsKey(a);
        yield clip
            ? means(
                Symbols.call("clip", of(a.operand(0)), of(a.operand(1)), of(b)),
                Symbols.call("clip", X, Symbols.name("a"), Symbols.name("b")),
                " is x, held between a and b")
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

  /** The sign of a sum over what a value reduces. */
  private Symbol sumSign(Node x, Domain to) {
    Symbol sequence = Symbols.sequence(x.domain().owner().isEmpty() ? "y" : x.domain().owner());
    return to.level() == Level.GROUP
        ? Notation.symbol("∑_y∈x", "\\sum_{y \\in x}")
        : x.domain().level() == Level.PAIR
            ? Symbols.sumOver(row)
            : Symbols.sumOver(x.domain().level(), sequence);
  }

  private Notation reduce(Operation.Reduction reduction, Node x, Domain to) {
    Symbol sum = sumSign(x, to);
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
    if (node.operation() instanceof Operation.Constant constant) {
      return Notation.number(rounded(Math.exp(constant.value())));
    }
    if (node.operation() instanceof Operation.Apply apply && apply.function() == Unary.LOG) {
      return of(node.operand(0));
    }
    if (node.operation() instanceof Operation.Reduce reduce
        && reduce.reduction() == Operation.Reduction.LOG_SUM_EXP) {
      return new Notation.Large(
          sumSign(node.operand(0), node.domain()), exponential(node.operand(0)));
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
          if (isLogarithm(node.operand(0)) || isLogarithm(node.operand(1))) {
            return Notation.quotient(exponential(node.operand(0)), exponential(node.operand(1)));
          }
        }
        case LOG_ADD_EXP -> {
          return Notation.sum(exponential(node.operand(0)), exponential(node.operand(1)));
        }
        default -> {}
      }
    }
    return Symbols.exp(of(node));
  }

  /** Whether the exponential of a value can be set without one. */
  private boolean isLogarithm(Node node) {
    if (probability(node, false).isPresent()) {
      return true;
    }
    return !names.containsKey(node)
        && switch (node.operation()) {
          case Operation.Broadcast _, Operation.Lift _ -> isLogarithm(node.operand(0));
          case Operation.Apply apply -> apply.function() == Unary.LOG;
          case Operation.Reduce reduce -> reduce.reduction() == Operation.Reduction.LOG_SUM_EXP;
          case Operation.Combine combine -> combine.function() == Binary.LOG_ADD_EXP;
          default -> false;
        };
  }

  /** A number to twelve digits, so that what was a logarithm looks as it was written. */
  private static double rounded(double value) {
    return value == 0 || !Double.isFinite(value)
        ? value
        : new BigDecimal(value).round(new MathContext(12)).doubleValue();
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
    if (!whole && densities.contains(node) && names.containsKey(node)) {
      return nameOf(node).map(s -> s);
    }
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
                  .map(p -> x.get(0).active() && !detached ? stopped(p) : p);
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
