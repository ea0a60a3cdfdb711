package org.alignlang.compiler.plan;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/**
 * Turns a program into loop nests.
 *
 * <p>Every value is placed at the earliest site at which its operands are known; a reduction ends
 * the loop that it reduces. Then the outputs are asked for, last loop first: what is asked for at
 * another site than its own is kept in an array if it took work, and computed again there if it is
 * cheaper than a trip to memory. Vocabulary values are never kept: an array of them would be as
 * large as the logits.
 */
public final class Planner {
  /**
   * The most values of one site: methods of generated code must stay below the JIT's size limit.
   */
  static final int MAXIMUM_VALUES = 250;

  private final ObjectiveProgram program;
  private final GraphBuilder graph;
  private final Map<Node, Site> homes = new HashMap<>();
  private final Map<Site, Integer> placed = new HashMap<>();
  private final NavigableMap<Site, Plan.Block> blocks = new TreeMap<>();
  private final Set<Node> kept = new HashSet<>();
  private final Set<Node> accumulated = new HashSet<>();

  /** Values of the vocabulary that are in another order, or made of such. */
  private final Set<Node> ordered = new HashSet<>();

  private final Map<Integer, Integer> rowValues = new HashMap<>();
  private final Map<Site, Set<Node>> entries = new HashMap<>();

  private Planner(ObjectiveProgram program, GraphBuilder graph) {
    this.program = program;
    this.graph = graph;
  }

  /**
   * The loop nests of a program.
   *
   * @param graph the builder of the program, which stays as it is
   */
  public static Plan plan(ObjectiveProgram program, GraphBuilder graph) {
    GraphBuilder own = graph.copy();
    ObjectiveProgram means = SoftmaxMeans.in(program, own);
    return new Planner(CommonWeights.in(means, own), own).run();
  }

  private Plan run() {
    for (Node node : ObjectiveProgram.reachable(program.outputs())) {
      Site site = place(node);
      homes.put(node, site);
      placed.merge(site, 1, Integer::sum);
      if (site.scope() == Scope.ROW) {
        rowValues.merge(site.pass(), 1, Integer::sum);
      }
    }
    List<Node> scalars = new ArrayList<>(List.of(program.loss()));
    scalars.addAll(program.metrics());
    scalars.addAll(program.violations());
    for (Node scalar : scalars) {
      Node base = Plan.base(scalar);
      compute(base, home(base));
    }
    program
        .gradients()
        .forEach((input, gradient) -> {
          Site site = written(gradient);
          block(site).written().add(new Plan.Output(input.name(), gradient));
          require(gradient, site);
        });
    settle();
    int passes =
        blocks.keySet().stream()
            .filter(s -> s.scope().compareTo(Scope.ROW) >= 0)
            .mapToInt(s -> s.pass() + 1)
            .max()
            .orElse(0);
    Set<Integer> splits = new HashSet<>();
    for (int pass = 0; pass < passes; pass++) {
      if (split(pass)) {
        splits.add(pass);
      }
    }
    return new Plan(
        program,
        graph,
        passes,
        blocks,
        Set.copyOf(kept),
        Set.copyOf(splits),
        Set.copyOf(ObjectiveProgram.reachable(scalars)));
  }

  /** Where a gradient is written: what is laid out between passes, in the pass that follows. */
  private Site written(Node gradient) {
    Site home = home(gradient);
    Scope scope = Scope.of(gradient.domain());
    return isLaid(Plan.base(gradient)) && home.scope() != scope
        ? new Site(scope, home.pass() + 1, 0, gradient.domain().owner(), 0)
        : home;
  }

  private boolean split(int pass) {
    return rowValues.getOrDefault(pass, 0) > MAXIMUM_VALUES;
  }

  private Site home(Node node) {
    Site site = homes.get(node);
    if (site == null) {
      throw new IllegalStateException("not placed: " + node);
    }
    return site;
  }

  private Plan.Block block(Site site) {
    return blocks.computeIfAbsent(
        site,
        _ ->
            new Plan.Block(
                new TreeSet<>(Comparator.comparingInt(Node::number)),
                new TreeSet<>(Comparator.comparingInt(Node::number)),
                new ArrayList<>()));
  }

  // Placing.

  private Site place(Node node) {
    if (node.operation() instanceof Operation.Stop || node.operation() instanceof Operation.Lift) {
      // The same values in the same places: sorted rows are there before the next pass, too.
      return home(node.operand(0));
    }
    boolean betweenPasses = isLaid(node);
    Scope scope = betweenPasses ? Scope.BATCH : Scope.of(node.domain());
    boolean inRow = scope.compareTo(Scope.ROW) >= 0;
    int pass = inRow ? 0 : -1;
    if (reducesData(node)) {
      return new Site(scope, pass, 0, "", 0);
    }
    for (Node operand : node.operands()) {
      Site site = home(operand);
      boolean reducedBefore = inRow && site.scope().compareTo(Scope.ROW) < 0;
      pass = Math.max(pass, reducedBefore ? site.pass() + 1 : site.pass());
    }
    int rowStep = 0;
    for (Node operand : node.operands()) {
      Site site = home(operand);
      boolean sameSide = inRow == (site.scope().compareTo(Scope.ROW) >= 0);
      if (site.pass() == pass && sameSide) {
        boolean ends =
            (scope == Scope.ROW && site.scope().compareTo(Scope.ROW) > 0)
                || (scope == Scope.BATCH && site.scope() == Scope.GROUP);
        rowStep = Math.max(rowStep, site.rowStep() + (ends ? 1 : 0));
      }
      // What is laid out between passes is summed by a loop over the tokens that reads it.
      boolean read = Scope.of(operand.domain()) == Scope.TOKEN && site.scope() == Scope.BATCH;
      if (scope == Scope.ROW && read) {
        rowStep = Math.max(rowStep, 1);
      }
    }
    String owner = scope.compareTo(Scope.ROW) > 0 ? node.domain().owner() : "";
    if (scope == Scope.VOCAB && readsEntries(node)) {
      ordered.add(node);
    }
    if (alongTokens(node)) {
      // Made before the token loops of its step, from the values of the step before.
      for (Node operand : node.operands()) {
        Site site = home(operand);
        if (site.pass() == pass && site.scope() == Scope.TOKEN) {
          rowStep = Math.max(rowStep, site.rowStep() + 1);
        }
      }
      return new Site(scope, pass, rowStep, owner, 0);
    }
    while (true) {
      int tokenStep = 0;
      if (scope.compareTo(Scope.ROW) > 0) {
        for (Node operand : node.operands()) {
          Site loop = new Site(Scope.VOCAB, pass, rowStep, owner, 0);
          boolean ends = node.operation() instanceof Operation.Reduce || isOrderOfEntries(node);
          tokenStep = Math.max(tokenStep, step(operand, loop, new HashMap<>()) + (ends ? 1 : 0));
        }
      }
      Site site = new Site(scope, pass, rowStep, owner, tokenStep);
      // A reduction of the vocabulary belongs to the loop that it ends.
      boolean bound = scope == Scope.TOKEN && node.operation() instanceof Operation.Reduce;
      if (bound || placed.getOrDefault(site, 0) < MAXIMUM_VALUES) {
        return site;
      }
      rowStep++;
    }
  }

  /** Whether the vocabulary entries of a value are put in order, or made of such that are. */
  private boolean readsEntries(Node node) {
    return isOrderOfEntries(node)
        || node.operands().stream().map(Plan::base).anyMatch(ordered::contains);
  }

  /**
   * The first step of a loop over tokens at which a value can be used there. Values of the
   * vocabulary are computed in each loop that uses them, and put in order there, too.
   */
  private int step(Node node, Site loop, Map<Node, Integer> known) {
    Site site = home(node);
    if (site.scope().compareTo(Scope.ROW) > 0 && site.sameTokenLoop(loop)) {
      return site.tokenStep();
    }
    Node value = Plan.base(node);
    if (!ordered.contains(value)) {
      return 0;
    }
    Integer before = known.get(value);
    if (before != null) {
      return before;
    }
    int step = 0;
    for (Node operand : value.operands()) {
      step = Math.max(step, step(operand, loop, known) + (isOrderOfEntries(value) ? 1 : 0));
    }
    known.put(value, step);
    return step;
  }

  // Asking.

  /** A value is used at a site. */
  private void require(Node node, Site from) {
    Node value = Plan.base(node);
    Site home = home(value);
    switch (home.scope()) {
      case BATCH -> {
        compute(value, home);
        if (isLaid(value)) {
          kept.add(value);
        }
      }
      case GROUP -> {
        compute(value, home);
        if (!from.equals(home) || value.operation() instanceof Operation.Reduce) {
          kept.add(value);
        }
      }
      case ROW -> {
        if (readable(value)) {
          return;
        }
        compute(value, home);
        boolean together =
            from.equals(home)
                || (from.scope() == Scope.ROW && from.pass() == home.pass() && !split(from.pass()));
        if (!together) {
          kept.add(value);
        }
      }
      case TOKEN -> {
        Site here =
            from.scope() == Scope.VOCAB
                ? new Site(Scope.TOKEN, from.pass(), from.rowStep(), from.owner(), from.tokenStep())
                : from;
        if (home.sameTokenLoop(here)) {
          compute(value, home);
        } else if (cheap(value)) {
          compute(value, here);
        } else {
          compute(value, home);
          kept.add(value);
        }
      }
      case VOCAB -> compute(value, from);
    }
  }

  /** Something that is still to be asked for; a deep graph must not become a deep call. */
  private record Demand(Node value, Site site, boolean entry) {}

  private final Deque<Demand> demands = new ArrayDeque<>();

  private void settle() {
    while (!demands.isEmpty()) {
      Demand demand = demands.pop();
      Node value = demand.value();
      if (demand.entry()) {
        requireTaken(value, demand.site());
      } else if (value.operation() instanceof Operation.Taken) {
        requireTaken(value.operand(0), demand.site());
      } else {
        value.operands().forEach(operand -> require(operand, demand.site()));
      }
    }
  }

  private void compute(Node value, Site site) {
    if (isLaid(value) && !value.operands().isEmpty()) {
      if (block(site).computed().add(value)) {
        value.operands().forEach(operand -> array(laidOperand(operand)));
      }
      return;
    }
    if (isOrderOfEntries(value)) {
      // The loop that computes a row's values ends with their order, as with a sum.
      int step = step(value, site, new HashMap<>());
      Site before = new Site(Scope.VOCAB, site.pass(), site.rowStep(), site.owner(), step - 1);
      if (block(before).reduced().add(value)) {
        operands(value).forEach(operand -> require(operand, before));
      }
      return;
    }
    if (value.operation() instanceof Operation.Largest) {
      // It reads the logits as they lie, and not the values of a loop.
      if (block(site).computed().add(value)) {
        require(value.operand(1), site);
      }
      return;
    }
    if (alongTokens(value)) {
      if (kept.add(value)) {
        Site home = home(value);
        Site before = new Site(Scope.ROW, home.pass(), home.rowStep(), "", 0);
        block(before).computed().add(value);
        Node x = tokens(value.operand(0));
        compute(x, home(x));
        kept.add(x);
        value.operands().stream().skip(1).forEach(operand -> require(operand, before));
      }
      return;
    }
    if (value.operation() instanceof Operation.Reduce) {
      if (site.scope().compareTo(Scope.ROW) >= 0) {
        accumulate(value);
        return;
      }
      if (block(site).computed().add(value)) {
        array(reduced(value));
      }
      return;
    }
    if (block(site).computed().add(value)) {
      demands.push(new Demand(value, site, false));
    }
  }

  /** A value is needed as an array, to be reduced or reordered. */
  private void array(Node value) {
    if (isLength(value)) {
      kept.add(value);
    } else if (!isColumn(value)) {
      compute(value, home(value));
      kept.add(value);
    }
  }

  /** Whether a value is made by one sweep along all tokens of a row. */
  public static boolean alongTokens(Node node) {
    return node.operation() instanceof Operation.Scan
        || node.operation() instanceof Operation.Shift
        || node.operation() instanceof Operation.Beside;
  }

  /** What a sweep goes along: a token's value, or the coarser value's repetition. */
  public static Node tokens(Node operand) {
    Node base = Plan.base(operand);
    return Scope.of(base.domain()) == Scope.TOKEN ? base : operand;
  }

  /**
   * Whether a value of the rows, or of the tokens, is computed for all of them at once, between two
   * passes.
   */
  public static boolean isLaid(Node node) {
    return switch (node.operation()) {
      case Operation.Reorder _ -> !isOrderOfEntries(node);
      case Operation.Matching _ -> true;
      case Operation.Position position ->
          node.domain().isRow() || position.within().level() != Level.SEQUENCE;
      default -> false;
    };
  }

  /** Whether a value is a row of the vocabulary in another order, made whole for each token. */
  public static boolean isOrderOfEntries(Node node) {
    return node.operation() instanceof Operation.Reorder && node.domain().level() == Level.VOCAB;
  }

  /** What a reordering goes over: the value of a row or token, or the coarser one's repetition. */
  public static Node laidOperand(Node operand) {
    Node base = Plan.base(operand);
    return Scope.of(base.domain()) == Scope.of(operand.domain()) ? base : operand;
  }

  /** A reduction inside a row is made up by the loop over what it reduces. */
  private void accumulate(Node reduction) {
    if (!accumulated.add(reduction)) {
      return;
    }
    List<Node> operands = operands(reduction);
    Site end = home(reduction);
    Site site =
        operands.stream()
            .map(operand ->
                isLaid(operand)
                    ? new Site(
                        Scope.TOKEN, end.pass(), end.rowStep() - 1, operand.domain().owner(), 0)
                    : home(operand))
            .max(Comparator.naturalOrder())
            .orElseThrow();
    if (site.scope() == Scope.TOKEN) {
      kept.add(reduction);
    }
    block(site).reduced().add(reduction);
    for (Node operand : operands) {
      if (isLaid(operand)) {
        require(operand, site);
      } else {
        compute(operand, site);
      }
    }
  }

  /**
   * What a loop computes to make a reduction up: {@link #reduced}, or logits and values of a mean.
   */
  public static List<Node> operands(Node reduction) {
    return reduction.operands().size() == 1
        ? List.of(reduced(reduction))
        : reduction.operands().stream().map(Plan::base).toList();
  }

  /** What a reduction goes over: the operand, or the coarser value's repetition. */
  public static Node reduced(Node reduction) {
    Node operand = reduction.operand(0);
    Node base = Plan.base(operand);
    return Scope.of(base.domain()) == Scope.of(operand.domain()) ? base : operand;
  }

  /** The taken token's entry of a vocabulary value is computed from the entries of its operands. */
  private void requireTaken(Node node, Site site) {
    Node value = Plan.base(node);
    if (Scope.of(value.domain()) == Scope.VOCAB) {
      if (isOrderOfEntries(value)) {
        compute(value, site);
      } else if (entries.computeIfAbsent(site, _ -> new HashSet<>()).add(value)) {
        value.operands().forEach(operand -> demands.push(new Demand(operand, site, true)));
      }
    } else {
      require(value, site);
    }
  }

  /** Whether a row's value is read from the batch wherever it is used. */
  public static boolean readable(Node node) {
    return node.operation() instanceof Operation.Input
        || node.operation() instanceof Operation.Count;
  }

  /** Whether a value is reduced from the data alone, so that no pass over the rows must precede. */
  private static boolean reducesData(Node node) {
    if (!(node.operation() instanceof Operation.Reduce)
        || Scope.of(node.domain()).compareTo(Scope.ROW) >= 0) {
      return false;
    }
    Node operand = reduced(node);
    return isColumn(operand) || isLength(operand);
  }

  /** Whether a row's value is how many tokens it has. */
  public static boolean isLength(Node node) {
    return node.operation() instanceof Operation.Count && Scope.of(node.domain()) == Scope.ROW;
  }

  /** Whether a reduction can go over a column of the batch as it is. */
  public static boolean isColumn(Node node) {
    return node.operation() instanceof Operation.Input input
        && input.input().members() <= 1
        && input.input().role() == Signature.Role.COLUMN
        && Scope.of(node.domain()) != Scope.BATCH
        && Scope.of(node.domain()).compareTo(Scope.ROW) <= 0;
  }

  /** Whether computing a token's value again costs less than writing and reading it. */
  private static boolean cheap(Node node) {
    return switch (node.operation()) {
      case Operation.Constant _,
          Operation.Parameter _,
          Operation.Multiplier _,
          Operation.Input _,
          Operation.Count _,
          Operation.Select _,
          Operation.Stop _,
          Operation.Broadcast _,
          Operation.Lift _ ->
          true;
      case Operation.Apply apply ->
          switch (apply.function()) {
            case NEGATE, ABS, SIGN, FLOOR, NOT -> true;
            case EXP,
                LOG,
                EXPM1,
                LOG1P,
                SIGMOID,
                LOG_SIGMOID,
                SOFTPLUS,
                LOG1MEXP,
                TANH,
                ARCTAN,
                SQRT ->
                false;
          };
      case Operation.Combine combine ->
          switch (combine.function()) {
            case ADD,
                SUBTRACT,
                MULTIPLY,
                MINIMUM,
                MAXIMUM,
                LOG_RATIO,
                LESS,
                LESS_EQUAL,
                EQUAL,
                AND,
                OR ->
                true;
            case DIVIDE, POWER, LOG_ADD_EXP, EXP_TIMES -> false;
          };
      case Operation.Position _ -> !isLaid(node);
      case Operation.OneHot _,
          Operation.Checked _,
          Operation.Reduce _,
          Operation.Reorder _,
          Operation.Matching _,
          Operation.Largest _,
          Operation.Beside _,
          Operation.Scan _,
          Operation.Shift _,
          Operation.Taken _,
          Operation.Expectation _ ->
          false;
    };
  }

  /** Whether a value is a truth value in every back end. */
  public static boolean truth(Node node) {
    return switch (node.operation()) {
      case Operation.Combine combine -> combine.function().truth();
      case Operation.Apply apply -> apply.function() == Unary.NOT;
      case Operation.OneHot _ -> true;
      default -> false;
    };
  }
}
