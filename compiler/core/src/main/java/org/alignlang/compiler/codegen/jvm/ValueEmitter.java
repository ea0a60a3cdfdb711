package org.alignlang.compiler.codegen.jvm;

import static org.alignlang.compiler.codegen.jvm.WorkspaceFields.DOUBLES;
import static org.alignlang.compiler.codegen.jvm.WorkspaceFields.INTS;

import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.TypeName;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Domain;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.ObjectiveProgram;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.EvaluationException;
import org.alignlang.kernel.Functions;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Ordering;
import org.alignlang.kernel.Reductions;
import org.alignlang.kernel.Signature;
import org.alignlang.kernel.Sweeps;

/**
 * Writes the values of a plan, one statement each where they need a name, into the frames of the
 * loops that compute them, and reads those that were kept.
 */
public final class ValueEmitter {
  private final Plan plan;
  private final ObjectiveProgram program;
  private final WorkspaceFields fields;
  private final ValueNames names;
  private final Uses uses;
  private final InnerLoops loops;

  /** Under which a method keeps the name of its {@link #selection}. */
  private static final String SELECTION = "a selection";

  /** Under which a method keeps the name of its {@link #orders}. */
  private static final String ORDERS = "orders of entries";

  private final Set<Node> lengthsWritten = new HashSet<>();

  /** Per body of a token loop, the values of the taken token's entry. */
  private final Map<Frame, Frame> entries = new HashMap<>();

  /** Per body of a token loop, how many rows of values it has room for. */
  private final Map<Frame, Integer> rooms = new HashMap<>();

  /** Per body of a token loop, the keys by which entries are in order already. */
  private final Map<Frame, Map<Node, Integer>> orderings = new HashMap<>();

  ValueEmitter(Plan plan, WorkspaceFields fields, ValueNames names, InnerLoops loops) {
    this.loops = loops;
    this.plan = plan;
    this.program = plan.program();
    this.fields = fields;
    this.names = names;
    this.uses = new Uses(plan);
  }

  public static Scope scope(Node node) {
    return Scope.of(node.domain().level());
  }

  // Values.

  /** The expression of a value that is used in a frame. */
  public Term use(Node node, Frame frame) {
    Node value = Plan.base(node);
    if (value.operation() instanceof Operation.Constant constant) {
      return Expressions.literal(constant.value());
    }
    Optional<Term> known = frame.find(value);
    return known.isPresent() ? known.get() : load(value, frame);
  }

  /** The frame in which a value does not change: that of its rows for one of their group. */
  private static Frame place(Scope scope, Frame frame) {
    return switch (scope) {
      case BATCH -> frame.start();
      case GROUP -> frame.at(frame.scope() == Scope.GROUP ? Scope.GROUP : Scope.ROW);
      case ROW, TOKEN, VOCAB -> frame.at(scope);
    };
  }

  /** Reads a value that was kept, in the frame where it does not change. */
  private Term load(Node value, Frame frame) {
    Scope scope = scope(value);
    if (Planner.isOrderOfEntries(value)) {
      return Term.whole("$L[$L]", row(value, frame.at(Scope.TOKEN)), frame.index());
    }
    if (scope == Scope.VOCAB) {
      throw new IllegalStateException("not computed: " + value);
    }
    Frame place = place(scope, frame);
    if (value.operation() instanceof Operation.Input input) {
      return define(value, read(input, place), place, uses.of(value).size() == 1);
    }
    if (value.operation() instanceof Operation.Count count && scope == Scope.ROW) {
      return define(value, Term.number(count(count, value, place), Binding.PREFIX), place, false);
    }
    CodeBlock read =
        switch (scope) {
          case BATCH ->
              switch (value.operation()) {
                case Operation.Parameter _, Operation.Multiplier _ ->
                    CodeBlock.of("this.$L", fields.scalar(value));
                default -> CodeBlock.of("this.$L", fields.field(value));
              };
          case GROUP ->
              CodeBlock.of("$L[$L]", array(fields.field(value), DOUBLES, frame), group(place));
          case ROW, TOKEN ->
              CodeBlock.of("$L[$L]", array(fields.field(value), DOUBLES, frame), place.index());
          case VOCAB -> throw new IllegalStateException("not computed: " + value);
        };
    return define(value, Term.number(read, Binding.WHOLE), place, false);
  }

  /** The group of the row of a frame. */
  private String group(Frame frame) {
    if (frame.scope() == Scope.GROUP) {
      return frame.index();
    }
    fields.groupOf();
    return fields.groupOf() + "[" + frame.index() + "]";
  }

  /** A field that holds an array, as a local variable of the method. */
  public static String array(String field, TypeName type, Frame frame) {
    Frame start = frame.start();
    return start
        .arrays()
        .computeIfAbsent(
            field,
            name -> {
              String local = JavaText.unique(name, start.taken());
              start.code().addStatement("final $T $L = this.$L", type, local, name);
              return local;
            });
  }

  /** Gives an expression a name in a frame. */
  public Term define(Node value, Term term, Frame frame, boolean mayInline) {
    if (mayInline && term.isShort()) {
      frame.terms().put(value, term);
      return term;
    }
    String name = JavaText.unique(names.wanted(value), frame.taken());
    frame
        .code()
        .addStatement("final $L $L = $L", term.truth() ? "boolean" : "double", name, term.code());
    Term named =
        term.truth() ? Term.truth(CodeBlock.of("$L", name), Binding.WHOLE) : Term.whole("$L", name);
    frame.terms().put(value, named);
    return named;
  }

  /** Computes a value of a site. */
  void compute(Node node, Site site, Frame frame) {
    if (Planner.isLaid(node)) {
      lay(node, frame);
      return;
    }
    if (Planner.alongTokens(node)) {
      sweep(node, frame);
      return;
    }
    boolean fixed =
        node.operation() instanceof Operation.Constant
            || node.operation() instanceof Operation.Parameter
            || node.operation() instanceof Operation.Multiplier;
    if (fixed) {
      if (plan.kept().contains(node)) {
        keep(node, use(node, frame), frame);
      }
      return;
    }
    Term term =
        switch (node.operation()) {
          case Operation.Input input -> read(input, frame);
          case Operation.Count count -> Term.number(count(count, node, frame), Binding.PREFIX);
          case Operation.OneHot _ ->
              Term.truth(
                  CodeBlock.of(
                      "$L == $L",
                      frame.index(),
                      taken(node.domain().owner(), frame.at(Scope.TOKEN))),
                  Binding.EQUALITY);
          case Operation.Checked checked -> {
            Term operand = use(node.operand(0), frame);
            check(checked, node, operand, frame);
            yield operand;
          }
          case Operation.Position _ ->
              Term.number(
                  CodeBlock.of(
                      "(double) ($L - $L[row])",
                      frame.index(),
                      array(fields.offsets(node.domain().owner()), INTS, frame)),
                  Binding.PREFIX);
          case Operation.Taken _ -> entry(node.operand(0), frame);
          case Operation.Largest _ ->
              Term.whole(
                  "$L.largest($L, $L, $L)",
                  selection(frame),
                  use(node.operand(1), frame).asNumber().code(),
                  wholeRow((Operation.Input) node.operand(0).operation(), frame),
                  fields.vocabulary());
          case Operation.Reduce reduce -> Term.number(reduced(reduce, node, frame), Binding.WHOLE);
          case Operation.Combine combine when combine.function() == Binary.EXP_TIMES ->
              Term.whole(
                  "$T.weighted($L, $L)",
                  Functions.class,
                  exponential(node.operand(0), frame),
                  use(node.operand(1), frame).asNumber().code());
          case Operation.Apply apply when apply.function() == Unary.EXP ->
              Term.whole("$L", exponential(node.operand(0), frame));
          case Operation.Apply _,
              Operation.Combine _,
              Operation.Select _,
              Operation.Stop _,
              Operation.Broadcast _,
              Operation.Lift _ ->
              Expressions.of(node, operand -> use(operand, frame));
          case Operation.Constant _,
              Operation.Parameter _,
              Operation.Multiplier _,
              Operation.Reorder _,
              Operation.Matching _,
              Operation.Beside _,
              Operation.Scan _,
              Operation.Shift _,
              Operation.Expectation _ ->
              throw new IllegalStateException("not computed in a frame: " + node);
        };
    boolean kept = outlives(node, site);
    boolean alias =
        node.operation() instanceof Operation.Checked && !plan.kept().contains(node) && !kept;
    if (alias) {
      frame.terms().put(node, term);
      return;
    }
    boolean inline = !kept && !names.given(node) && uses.once(node, site);
    if (!inline) {
      frame.comment(origin(node));
    }
    Term named = define(node, term, frame, inline);
    if (kept) {
      keep(node, named, frame);
    }
  }

  /** Room to look for the largest entries of a row in, which the method borrows. */
  private String selection(Frame frame) {
    Frame start = frame.start();
    return start
        .arrays()
        .computeIfAbsent(SELECTION, _ -> JavaText.unique("selection", start.taken()));
  }

  /** The name of the room that a method needs to borrow, if it needs one. */
  static Optional<String> selectionOf(Frame start) {
    return Optional.ofNullable(start.arrays().get(SELECTION));
  }

  /** Room for orders of the vocabulary's entries, which the method borrows. */
  private String orders(Frame frame) {
    Frame start = frame.start();
    return start.arrays().computeIfAbsent(ORDERS, _ -> JavaText.unique("entries", start.taken()));
  }

  /** The name of the room for orders that a method needs to borrow, if it needs one. */
  static Optional<String> ordersOf(Frame start) {
    return Optional.ofNullable(start.arrays().get(ORDERS));
  }

  /** The array with a value's entries at a token, after {@link #orderEntries}. */
  private static String row(Node value, Frame token) {
    String row = token.arrays().get("ordered " + value.number());
    if (row == null) {
      throw new IllegalStateException("not in order: " + value);
    }
    return row;
  }

  /** Makes room for a row of values at a token. */
  private String room(String key, Node value, Frame token) {
    return token
        .arrays()
        .computeIfAbsent(
            key,
            _ -> {
              String name = JavaText.unique(names.wanted(value) + "Row", token.taken());
              int index = rooms.merge(token, 1, Integer::sum) - 1;
              token
                  .code()
                  .addStatement("final $T $L = $L.row($L)", DOUBLES, name, orders(token), index);
              return name;
            });
  }

  /** Lays the values that are put in order out, and the keys of an order that is not known yet. */
  void layEntries(Node order, Frame entry, Frame token) {
    List<Node> operands = Planner.operands(order);
    Map<Node, Integer> known = orderings.computeIfAbsent(token, _ -> new HashMap<>());
    List<Node> laid =
        known.containsKey(operands.get(1)) ? operands.subList(0, 1) : List.copyOf(operands);
    for (Node value : new LinkedHashSet<>(laid)) {
      boolean first = !token.arrays().containsKey("laid " + value.number());
      String row = room("laid " + value.number(), value, token);
      if (first) {
        entry
            .code()
            .addStatement("$L[$L] = $L", row, entry.index(), use(value, entry).asNumber().code());
      }
    }
  }

  /** Puts a row of values at a token into the order of its keys, or back. */
  void orderEntries(Node order, Frame token) {
    Node value = Planner.operands(order).get(0);
    Node key = Planner.operands(order).get(1);
    Map<Node, Integer> known = orderings.computeIfAbsent(token, _ -> new HashMap<>());
    String entries = orders(token);
    token.comment(origin(order));
    if (!known.containsKey(key)) {
      known.put(key, known.size());
      token
          .code()
          .addStatement(
              "$L.sort($L, $L)", entries, known.get(key), room("laid " + key.number(), key, token));
    }
    token
        .code()
        .addStatement(
            "$L.$L($L, $L, $L)",
            entries,
            ((Operation.Reorder) order.operation()).inverse() ? "scatter" : "gather",
            known.get(key),
            room("laid " + value.number(), value, token),
            room("ordered " + order.number(), order, token));
  }

  /** The row of a column of logits at a token: an array and where the row begins. */
  private CodeBlock wholeRow(Operation.Input input, Frame frame) {
    Frame token = frame.at(Scope.TOKEN);
    return loops.columnType(input.input()).equals(InnerLoops.COLUMN)
        ? loops.wholeRow(input.input(), token)
        : CodeBlock.of(
            "$L, $L", array(fields.column(input.input().name()), DOUBLES, token), first(token));
  }

  /** The exponential of a value, computed once in a frame. */
  private String exponential(Node node, Frame frame) {
    Node value = Plan.base(node);
    Frame place = place(scope(value), frame);
    return place
        .exponentials()
        .computeIfAbsent(
            value,
            x -> {
              Term term = use(x, place);
              String name = JavaText.unique("exp" + names.suffix(x), place.taken());
              place
                  .code()
                  .addStatement(
                      "final double $L = $T.exp($L)", name, Math.class, term.asNumber().code());
              return name;
            });
  }

  /** Whether a value is kept in a field. */
  private boolean outlives(Node node, Site site) {
    if (site.scope() == Scope.BATCH) {
      return isOutput(node)
          || uses.of(node).stream()
              .anyMatch(s -> !s.scope().equals(Scope.BATCH) || !together(s, site));
    }
    return plan.kept().contains(node)
        && !site.scope().equals(Scope.VOCAB)
        && (site.scope() != Scope.TOKEN || homeOf(node, site));
  }

  private static boolean together(Site a, Site b) {
    return a.pass() == b.pass() && a.rowStep() == b.rowStep();
  }

  /** A token's value that is computed again elsewhere is kept only at its first place. */
  private boolean homeOf(Node node, Site site) {
    for (Map.Entry<Site, Plan.Block> entry : plan.sites().entrySet()) {
      if (entry.getKey().scope() == Scope.TOKEN && entry.getValue().computed().contains(node)) {
        return entry.getKey().equals(site);
      }
    }
    return true;
  }

  private boolean isOutput(Node node) {
    return Plan.base(program.loss()) == node
        || program.metrics().stream().anyMatch(n -> Plan.base(n) == node)
        || program.violations().stream().anyMatch(n -> Plan.base(n) == node);
  }

  public void keep(Node node, Term term, Frame frame) {
    if (scope(node) == Scope.BATCH) {
      frame.code().addStatement("this.$L = $L", fields.field(node), term.asNumber().code());
    } else {
      frame
          .code()
          .addStatement(
              "$L[$L] = $L",
              array(fields.field(node), DOUBLES, frame),
              frame.index(),
              term.asNumber().code());
    }
  }

  private Term read(Operation.Input input, Frame frame) {
    Signature.Input contract = input.input();
    if (contract.role() == Signature.Role.TOKENS) {
      String tokens = fields.takenTokens(contract.sequence());
      return Term.whole("$L[$L]", array(tokens, INTS, frame), frame.index());
    }
    if (loops.columnType(contract).equals(InnerLoops.COLUMN)) {
      return loops.entry(contract, frame);
    }
    String column = fields.column(contract.name());
    String index =
        switch (contract.level()) {
          case BATCH -> "0";
          case GROUP -> group(frame);
          case PAIR, SEQUENCE, TOKEN -> frame.index();
          case VOCAB -> first(frame) + " + " + frame.index();
        };
    if (contract.members() > 1) {
      index =
          (index.equals("0") ? "" : index + " * " + contract.members() + " + ") + input.member();
    }
    return Term.whole("$L[$L]", array(column, DOUBLES, frame), index);
  }

  /** The position of the first vocabulary entry of a token. */
  public String first(Frame frame) {
    Frame token = frame.at(Scope.TOKEN);
    return token
        .arrays()
        .computeIfAbsent(
            "first",
            _ -> {
              String name = JavaText.unique("first", token.taken());
              token
                  .code()
                  .addStatement("final int $L = $L * $L", name, token.index(), fields.vocabulary());
              return name;
            });
  }

  /** The taken token of a position. */
  public String taken(String sequence, Frame token) {
    return token
        .arrays()
        .computeIfAbsent(
            "taken " + sequence,
            _ -> {
              String tokens = fields.takenTokens(sequence);
              String name = JavaText.unique("takenToken", token.taken());
              token
                  .code()
                  .addStatement(
                      "final int $L = $L[$L]", name, array(tokens, INTS, token), token.index());
              return name;
            });
  }

  private CodeBlock count(Operation.Count count, Node node, Frame frame) {
    return switch (scope(node)) {
      case BATCH -> {
        if (count.from().level() == Level.GROUP) {
          fields.groupOf();
          yield CodeBlock.of("(double) groups");
        }
        yield CodeBlock.of("(double) rows");
      }
      case GROUP -> throw new IllegalStateException("counted at once: " + node);
      case ROW -> {
        String sequence = count.from().owner();
        String name = array(fields.offsets(sequence), INTS, frame);
        yield CodeBlock.of(
            "(double) ($L[$L + 1] - $L[$L])", name, frame.index(), name, frame.index());
      }
      case TOKEN -> CodeBlock.of("(double) $L", fields.vocabulary());
      case VOCAB -> throw new IllegalStateException("nothing is finer than " + node);
    };
  }

  private void check(Operation.Checked checked, Node node, Term operand, Frame frame) {
    frame.code().beginControlFlow("if ($L <= 0)", operand.asNumber().at(Binding.SUM));
    Scope scope = scope(node);
    if (scope == Scope.BATCH) {
      frame
          .code()
          .addStatement(
              "throw $T.at($L, $L)",
              EvaluationException.class,
              JavaText.text(checked.place()),
              JavaText.text(checked.what()));
    } else {
      Level level =
          scope == Scope.TOKEN || scope == Scope.VOCAB ? Level.SEQUENCE : node.domain().level();
      String index = scope == Scope.GROUP ? frame.index() : frame.at(Scope.ROW).index();
      frame
          .code()
          .addStatement(
              "throw $T.at($L, $L, $T.$L, $L)",
              EvaluationException.class,
              JavaText.text(checked.place()),
              JavaText.text(checked.what()),
              Level.class,
              level.name(),
              index);
    }
    frame.code().endControlFlow();
  }

  /** The taken token's entry of a vocabulary value, computed for that entry alone. */
  private Term entry(Node node, Frame token) {
    Node wanted = Plan.base(node);
    if (scope(wanted) != Scope.VOCAB) {
      return use(wanted, token);
    }
    Frame entry = entries.get(token);
    if (entry == null) {
      entry = token.inner(Scope.VOCAB, taken(wanted.domain().owner(), token));
      entries.put(token, entry);
    }
    for (Node value : entryValues(wanted, entry)) {
      entry.terms().put(value, entryTerm(value, entry, token));
    }
    return use(wanted, entry);
  }

  /** The vocabulary values that an entry is made of and that it does not have yet. */
  private static List<Node> entryValues(Node wanted, Frame entry) {
    TreeMap<Integer, Node> found = new TreeMap<>();
    ArrayDeque<Node> stack = new ArrayDeque<>(List.of(wanted));
    while (!stack.isEmpty()) {
      Node value = Plan.base(stack.pop());
      if (scope(value) == Scope.VOCAB
          && !Planner.isOrderOfEntries(value)
          && !entry.terms().containsKey(value)
          && found.put(value.number(), value) == null) {
        stack.addAll(value.operands());
      }
    }
    return List.copyOf(found.values());
  }

  private Term entryTerm(Node value, Frame entry, Frame token) {
    Term term =
        switch (value.operation()) {
          case Operation.OneHot _ -> Term.truth(CodeBlock.of("true"), Binding.WHOLE);
          case Operation.Input input -> read(input, entry);
          case Operation.Combine _ when loops.singleGradients() && isLogProbability(value) ->
              Term.whole(
                  "$T.logProbability($L, $L)",
                  Functions.class,
                  use(value.operand(0), entry).asNumber().code(),
                  use(value.operand(1), entry).asNumber().code());
          default -> Expressions.of(value, operand -> use(operand, entry));
        };
    if (term.isShort()) {
      return term;
    }
    // Written into the token's own code: the entry is no loop.
    String name = JavaText.unique(names.wanted(value) + "Taken", token.taken());
    token
        .code()
        .addStatement("final $L $L = $L", term.truth() ? "boolean" : "double", name, term.code());
    return term.truth()
        ? Term.truth(CodeBlock.of("$L", name), Binding.WHOLE)
        : Term.whole("$L", name);
  }

  /** Whether a value is a logit without the normaliser of its logits. */
  private static boolean isLogProbability(Node value) {
    if (!(value.operation() instanceof Operation.Combine combine)
        || combine.function() != Binary.SUBTRACT) {
      return false;
    }
    Node normaliser = Plan.base(value.operand(1));
    return normaliser.operation() instanceof Operation.Reduce reduce
        && reduce.reduction() == Reduction.LOG_SUM_EXP
        && Plan.base(normaliser.operand(0)) == Plan.base(value.operand(0));
  }

  /** The line of the spec that a value comes from. */
  public String origin(Node node) {
    SourceFile source = node.origin().source();
    if (node.origin().end() > source.text().length()) {
      return "";
    }
    String line = JavaText.comment(source.lineText(source.line(node.origin().start())));
    String text = line.length() > 80 ? line.substring(0, 77) + "..." : line;
    return plan.isForward(node) ? text : "Gradient: " + text;
  }

  /** A reduction of rows or groups to the batch. */
  private CodeBlock reduced(Operation.Reduce reduce, Node node, Frame frame) {
    Node operand = Planner.reduced(node);
    lengths(operand, frame);
    String count = scope(operand) == Scope.GROUP ? "groups" : "rows";
    return CodeBlock.of(
        "$T.$L($L, $L)",
        Reductions.class,
        word(reduce),
        array(fields.field(operand), DOUBLES, frame),
        count);
  }

  static String word(Operation.Reduce reduce) {
    return switch (reduce.reduction()) {
      case SUM -> "sum";
      case MAXIMUM -> "max";
      case MINIMUM -> "min";
      case LOG_SUM_EXP -> "logSumExp";
      case SOFTMAX_MEAN -> throw new IllegalStateException("a mean over rows");
    };
  }

  /** Computes a value of all tokens of a row at once. */
  private void sweep(Node node, Frame row) {
    TypeName stored = fields.keptType(node);
    String x = array(fields.field(Planner.tokens(node.operand(0))), stored, row);
    String result = array(fields.field(node), stored, row);
    String offsets = array(fields.offsets(node.domain().owner()), INTS, row);
    CodeBlock span = CodeBlock.of("$L[row], $L[row + 1], $L", offsets, offsets, result);
    row.comment(origin(node));
    switch (node.operation()) {
      case Operation.Scan scan ->
          row.code()
              .addStatement(
                  "$T.$L($L, $L, $L)",
                  Sweeps.class,
                  scan.backwards() ? "toGo" : "cumulative",
                  x,
                  use(node.operand(1), row).asNumber().code(),
                  span);
      case Operation.Beside _ -> {
        String other = array(fields.offsets(node.operand(0).domain().owner()), INTS, row);
        row.code()
            .addStatement(
                "$T.beside($L, $L[row], $L[row + 1], $L)", Sweeps.class, x, other, other, span);
      }
      case Operation.Shift shift ->
          row.code()
              .addStatement(
                  "$T.$L($L, $L)", Sweeps.class, shift.next() ? "next" : "previous", x, span);
      default -> throw new IllegalStateException("not along tokens: " + node);
    }
  }

  /** Computes a value of all rows, or of all tokens, at once. */
  private void lay(Node node, Frame start) {
    String result = array(fields.field(node), DOUBLES, start);
    start.comment(origin(node));
    switch (node.operation()) {
      case Operation.Position position ->
          start
              .code()
              .addStatement(
                  "$T.positions($L$L)",
                  Ordering.class,
                  scopes(node.domain(), position.within(), start, false),
                  result);
      case Operation.Reorder reorder ->
          lay(node, reorder.within(), reorder.inverse() ? "scatter" : "gather", result, start);
      case Operation.Matching matching ->
          lay(node, matching.within(), "sumMatching", result, start);
      default -> throw new IllegalStateException("not laid: " + node);
    }
  }

  /** Computes a value from the order of the rows or tokens by a key. */
  private void lay(Node node, Domain within, String method, String result, Frame start) {
    Node key = Planner.laidOperand(node.operand(1));
    Node value = Planner.laidOperand(node.operand(0));
    lengths(key, start);
    lengths(value, start);
    boolean known = fields.isOrdered(key, within);
    String ordering = fields.ordering(key, within);
    String keys = array(fields.field(key), DOUBLES, start);
    if (!known) {
      start
          .code()
          .addStatement("$L.by($L$L)", ordering, scopes(node.domain(), within, start, true), keys);
    }
    String values = array(fields.field(value), DOUBLES, start);
    String arguments =
        node.operation() instanceof Operation.Matching ? keys + ", " + values : values;
    start.code().addStatement("$L.$L($L, $L)", ordering, method, arguments, result);
  }

  /** The arguments, before others, that say which rows or tokens are of one scope. */
  private String scopes(Domain elements, Domain within, Frame start, boolean groups) {
    boolean tokens = elements.level() == Level.TOKEN;
    String offsets = tokens ? array(fields.offsets(elements.owner()), INTS, start) + ", " : "";
    return switch (within.level()) {
      case GROUP -> offsets + fields.groupOf() + (groups ? ", groups, " : ", ");
      case BATCH -> "";
      default -> offsets;
    };
  }

  /** Lays the rows' lengths out for a reduction over them. */
  void lengths(Node operand, Frame start) {
    if (Planner.isLength(operand) && lengthsWritten.add(operand)) {
      String sequence = ((Operation.Count) operand.operation()).from().owner();
      start
          .code()
          .addStatement(
              "$T.lengths($L, $L)",
              Reductions.class,
              array(fields.offsets(sequence), INTS, start),
              array(fields.field(operand), DOUBLES, start));
    }
  }
}
