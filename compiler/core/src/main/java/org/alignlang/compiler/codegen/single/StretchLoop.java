package org.alignlang.compiler.codegen.single;

import com.palantir.javapoet.CodeBlock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Frame;
import org.alignlang.compiler.codegen.jvm.Term;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.codegen.jvm.ValueEmitter;
import org.alignlang.compiler.codegen.jvm.WorkspaceFields;
import org.alignlang.compiler.codegen.single.SingleLoops.Context;
import org.alignlang.compiler.codegen.single.SingleLoops.Row;
import org.alignlang.compiler.codegen.single.SingleLoops.Softmax;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.Functions;

/**
 * One loop of a plan over the vocabulary at a token, or over the tokens of a row: a static method
 * for a stretch of it, and in the frame around it the calls that cover it block by block, with sums
 * in double precision from block to block.
 *
 * <p>An exponential of logits is {@code 2^(x log2(e) - shift)} with a whole shift, so that a change
 * of the shift loses nothing. The shift is guessed from the first numbers; if the guess turns out
 * to be too far from the largest, the loop is run again with the right one.
 */
final class StretchLoop implements Elements.Leaves {
  private final SingleLoops loops;
  private final Context context;
  private final Scope scope;
  private final Site site;
  private final Plan.Block block;
  private final Frame outer;
  private final String length;
  private final LoopBody body;
  private final Elements elements;

  /** Logits whose normaliser this loop makes up, with what it sums under their softmax. */
  private final Map<Node, Group> groups = new LinkedHashMap<>();

  /** Shifted logits in base 2, by logits. */
  private final Map<Node, String> shifted = new HashMap<>();

  private final Map<Node, String> weights = new HashMap<>();

  /** Shifted logits that are finite where their weight is 0, by weight. */
  private final Map<String, String> clamped = new HashMap<>();

  private String taken = "";

  /** Whether the loop keeps values of tokens. */
  private boolean keeps;

  /** Sums of this loop, in the order of their results. */
  private final List<Total> totals = new ArrayList<>();

  private record Total(String name, int index, Reduction reduction) {}

  private static final class Group {
    private final String shift;
    private final String total;
    private final List<Node> normalisers = new ArrayList<>();
    private final List<Node> means = new ArrayList<>();
    private final Map<Node, Term> results = new LinkedHashMap<>();
    private Optional<Row> stored = Optional.empty();

    Group(String shift, String total) {
      this.shift = shift;
      this.total = total;
    }
  }

  StretchLoop(
      SingleLoops loops,
      Context context,
      Scope scope,
      Site site,
      Plan.Block block,
      Frame outer,
      String length) {
    this.loops = loops;
    this.context = context;
    this.scope = scope;
    this.site = site;
    this.block = block;
    this.outer = outer;
    this.length = length;
    body = loops.body();
    elements = new Elements(body, scope, outer, context.values(), this);
  }

  // Leaves.

  @Override
  public boolean reads(Node node) {
    return node.operation() instanceof Operation.Input || !block.computed().contains(node);
  }

  @Override
  public Form read(Node node) {
    if (shift(node).isPresent()) {
      return logits(node);
    }
    return Form.variable(load(node));
  }

  private String load(Node node) {
    String wanted = context.names().wanted(node);
    if (node.operation() instanceof Operation.Input input) {
      if (scope == Scope.VOCAB) {
        Row row = loops.row(input.input(), outer);
        return body.load(wanted, element(row));
      }
      String column =
          ValueEmitter.array(context.fields().column(input.input().name()), LoopBody.FLOATS, outer);
      return body.load(wanted, element(new Row(column, "first")));
    }
    if (scope == Scope.VOCAB) {
      throw new IllegalStateException("not computed: " + node);
    }
    return body.load(wanted, element(kept(node)));
  }

  private Row kept(Node node) {
    return new Row(
        ValueEmitter.array(context.fields().field(node), LoopBody.FLOATS, outer), "first");
  }

  private String element(Row row) {
    return body.array(row.array(), row.array(), CodeBlock.of("$L", row.first()));
  }

  private Row gradient(String input) {
    if (scope == Scope.VOCAB) {
      return loops.gradientRow(input, outer);
    }
    String array = ValueEmitter.array(context.fields().gradient(input), LoopBody.FLOATS, outer);
    return new Row(array, "first");
  }

  /** Logits as shifted logits in nats and the shift. */
  private Form logits(Node node) {
    String t = shiftedLogits(node);
    return Form.of(new Form.Product(null, t), Scalar.of(VectorFunctions.NATS))
        .plus(Form.constant(nats(shift(node).orElseThrow())));
  }

  private static Scalar nats(String shift) {
    return Scalar.of(Term.number(CodeBlock.of("NATS * $L", shift), Binding.PRODUCT));
  }

  /** {@code x log2(e) - shift}; negative infinity where lanes are missing. */
  private String shiftedLogits(Node node) {
    String known = shifted.get(node);
    if (known != null) {
      return known;
    }
    Scalar shift = Scalar.of(Term.whole("$L", shift(node).orElseThrow()));
    String name = "t" + context.names().suffix(node);
    String t;
    if (node.operation() instanceof Operation.Input) {
      t =
          body.paddedFma(
              name,
              load(node),
              body.constant(VectorFunctions.LOG2E, "log2e"),
              body.broadcast(shift.times(-1), "minusShift"));
    } else {
      Form x = elements.form(node);
      Form base2 = x.times(Scalar.of(1 / VectorFunctions.NATS)).minus(Form.constant(shift));
      t = body.padded(name, elements.vector(base2));
    }
    shifted.put(node, t);
    return t;
  }

  /** The shift of logits whose normaliser is known or made up here. */
  private Optional<String> shift(Node logits) {
    Group group = groups.get(logits);
    return group != null ? Optional.of(group.shift) : softmaxOf(logits).map(Softmax::shift);
  }

  /** What is known about the softmax of logits: from a loop before this one, or its normaliser. */
  private Optional<Softmax> softmaxOf(Node logits) {
    Softmax known = loops.softmaxes(outer).get(logits);
    if (known == null && scope == Scope.VOCAB) {
      Optional<Node> normaliser = normaliserUsed(logits);
      if (normaliser.isPresent()) {
        String sum = elements.scalar(normaliser.get()).term().code().toString();
        String suffix = context.names().suffix(logits);
        String shift = JavaText.unique("shift" + suffix, outer.taken());
        String total = JavaText.unique("total" + suffix, outer.taken());
        outer
            .code()
            .addStatement("final float $L = $T.exponentShift($L)", shift, Functions.class, sum)
            .addStatement(
                "final double $L = $T.exp($L - NATS * $L)", total, Math.class, sum, shift);
        known = new Softmax(shift, total, Optional.empty());
        loops.softmaxes(outer).put(logits, known);
      }
    }
    return Optional.ofNullable(known);
  }

  /** The normaliser of logits, if this loop uses it. */
  private Optional<Node> normaliserUsed(Node logits) {
    return block.computed().stream()
        .flatMap(node -> node.operands().stream())
        .map(Plan::base)
        .filter(node -> isNormaliser(node, logits) && Scope.of(node.domain().level()) != scope)
        .findFirst();
  }

  private static boolean isNormaliser(Node node, Node logits) {
    return node.operation() instanceof Operation.Reduce reduce
        && reduce.reduction() == Reduction.LOG_SUM_EXP
        && Plan.base(node.operand(0)) == logits;
  }

  @Override
  public Optional<Elements.Weight> softmax(Node logProbability) {
    if (!(logProbability.operation() instanceof Operation.Combine combine)
        || combine.function() != Binary.SUBTRACT) {
      return Optional.empty();
    }
    Node logits = Plan.base(logProbability.operand(0));
    if (!isNormaliser(Plan.base(logProbability.operand(1)), logits)) {
      return Optional.empty();
    }
    return softmaxOf(logits)
        .map(softmax ->
            new Elements.Weight(
                weight(logits, softmax.stored()),
                Scalar.ONE.over(Scalar.of(Term.whole("$L", softmax.total())))));
  }

  /** {@code 2^t}: read where it was stored, computed elsewhere. */
  private String weight(Node logits, Optional<Row> stored) {
    String known = weights.get(logits);
    if (known == null) {
      String name = "e" + context.names().suffix(logits);
      if (stored.isPresent()) {
        known = body.load(name, element(stored.get()));
      } else {
        LoopBody.Power power = body.weight(name, shiftedLogits(logits));
        known = power.value();
        clamped.put(known, power.exponent());
      }
      weights.put(logits, known);
    }
    return known;
  }

  @Override
  public String taken() {
    if (taken.isEmpty()) {
      String owner = site.owner();
      String wanted = context.values().taken(owner, outer);
      String place = body.integer("taken", CodeBlock.of("$L", wanted), false);
      String begin = body.integer("begin", CodeBlock.of("0"), true);
      taken = body.oneHot(place, begin);
    }
    return taken;
  }

  // The loop.

  void write() {
    List<Node> plain = new ArrayList<>();
    for (Node reduction : block.reduced()) {
      switch (((Operation.Reduce) reduction.operation()).reduction()) {
        case LOG_SUM_EXP -> group(reduction).normalisers.add(reduction);
        case SOFTMAX_MEAN -> group(reduction).means.add(reduction);
        case SUM, MAXIMUM, MINIMUM -> plain.add(reduction);
      }
    }
    Optional<Search> search = groups.isEmpty() ? Optional.empty() : Optional.of(search());
    groups.forEach(this::sums);
    OptionalInt highest =
        groups.isEmpty()
            ? OptionalInt.empty()
            : body.highest(groups.keySet().stream().map(this::shiftedLogits).toList());
    Map<Node, Term> results = new LinkedHashMap<>();
    plain.forEach(reduction -> results.put(reduction, sum(reduction)));
    keep();
    Map<String, Scalar> atTaken = new LinkedHashMap<>();
    block.written().forEach(output -> write(output, atTaken));
    if (body.results() == 0 && block.written().isEmpty() && !keeps) {
      return;
    }
    String method = context.fields().member(name(block.written().isEmpty() ? "visit" : "write"));
    loops.add(method, body, documentation());
    run(method, search, highest);
    atTaken.forEach((input, factor) ->
        outer
            .code()
            .addStatement(
                "$L[$L + $L] += (float) $L",
                gradient(input).array(),
                gradient(input).first(),
                context.values().taken(site.owner(), outer),
                factor.term().at(Binding.WHOLE)));
    groups.forEach((logits, group) -> {
      loops.softmaxes(outer).put(logits, new Softmax(group.shift, group.total, group.stored));
      results.putAll(group.results);
    });
    results.forEach(this::define);
  }

  private Group group(Node reduction) {
    Node logits = Plan.base(reduction.operand(0));
    return groups.computeIfAbsent(
        logits,
        x -> {
          String suffix = context.names().suffix(x);
          return new Group(
              JavaText.unique("shift" + suffix, outer.taken()),
              JavaText.unique("total" + suffix, outer.taken()));
        });
  }

  /**
   * The method that finds the largest of each softmax's logits.
   *
   * @param peaks which result is which group's
   */
  private record Search(String method, LoopBody body, Map<Group, Integer> peaks) {}

  private Search search() {
    StretchLoop loop = new StretchLoop(loops, context, scope, site, block, outer, length);
    Map<Group, Integer> peaks = new LinkedHashMap<>();
    groups.forEach((logits, group) ->
        peaks.put(
            group, loop.body.peak(context.names().wanted(logits), loop.elements.vector(logits))));
    String method = context.fields().member(name("peak"));
    loops.add(method, loop.body, "The largest of the logits in a stretch.");
    return new Search(method, loop.body, peaks);
  }

  /** The sums under one softmax. */
  private void sums(Node logits, Group group) {
    String t = shiftedLogits(logits);
    String e = weight(logits, Optional.empty());
    elements.know(logits, logits(logits));
    group.stored = storage(logits);
    group.stored.ifPresent(row -> body.store(e, element(row)));
    totals.add(new Total(group.total, body.sumOfWeights("total" + suffix(t), e), Reduction.SUM));
    for (Node mean : group.means) {
      Form value = elements.underWeight(mean.operand(1), logits);
      Scalar constant = value.constant();
      Term term;
      if (value.without(Form.Product.NOTHING).terms().isEmpty()) {
        term = constant.term();
      } else {
        Elements.Scaled scaled = elements.scaled(value);
        String wanted = context.names().wanted(mean);
        String name = JavaText.unique(wanted + "SoFar", outer.taken());
        String exponent = clamped.get(e);
        int index =
            exponent != null && scaled.vector().equals(t)
                ? body.sumOfProducts(wanted, e, exponent)
                : body.sumUnderWeight(wanted, e, scaled.vector());
        totals.add(new Total(name, index, Reduction.SUM));
        Scalar average =
            Scalar.of(Term.whole("$L", name)).over(Scalar.of(Term.whole("$L", group.total)));
        term = average.times(scaled.factor()).plus(constant).term();
      }
      group.results.put(mean, term);
    }
    for (Node normaliser : group.normalisers) {
      group.results.put(
          normaliser,
          Term.number(
              CodeBlock.of("NATS * $L + $T.log($L)", group.shift, Math.class, group.total),
              Binding.SUM));
    }
  }

  private static String suffix(String t) {
    return t.substring(1);
  }

  /**
   * Where the numerators of a softmax are stored for a later visit to this token: in the gradient
   * that this visit will write.
   */
  private Optional<Row> storage(Node logits) {
    if (scope != Scope.VOCAB || !(logits.operation() instanceof Operation.Input input)) {
      return Optional.empty();
    }
    String name = input.input().name();
    boolean written =
        context.plan().sites().entrySet().stream()
            .anyMatch(entry ->
                entry.getKey().scope() == Scope.VOCAB
                    && entry.getKey().sameTokenLoop(site)
                    && entry.getKey().tokenStep() > site.tokenStep()
                    && entry.getValue().written().stream().anyMatch(o -> o.input().equals(name)));
    return written ? Optional.of(gradient(name)) : Optional.empty();
  }

  private Term sum(Node reduction) {
    Reduction kind = ((Operation.Reduce) reduction.operation()).reduction();
    String wanted = context.names().wanted(reduction);
    String x = elements.vector(Planner.reduced(reduction));
    int index =
        kind == Reduction.SUM
            ? body.sum(wanted, x)
            : body.extreme(wanted, x, kind == Reduction.MAXIMUM);
    String name = JavaText.unique(wanted + "SoFar", outer.taken());
    totals.add(new Total(name, index, kind));
    return Term.whole("$L", name);
  }

  /** Keeps values of tokens for other loops. */
  private void keep() {
    if (scope != Scope.TOKEN) {
      return;
    }
    for (Node node : block.computed()) {
      if (context.plan().kept().contains(node) && isHome(node)) {
        body.store(elements.vector(node), element(kept(node)));
        keeps = true;
      }
    }
  }

  private boolean isHome(Node node) {
    return context.plan().sites().entrySet().stream()
        .filter(entry ->
            entry.getKey().scope() == Scope.TOKEN && entry.getValue().computed().contains(node))
        .map(Map.Entry::getKey)
        .findFirst()
        .equals(Optional.of(site));
  }

  private void write(Plan.Output output, Map<String, Scalar> atTaken) {
    Form form = elements.form(output.value());
    Scalar taken = form.terms().get(Form.Product.TAKEN);
    if (taken != null) {
      atTaken.put(output.input(), taken);
    }
    body.comment("The gradient of the loss for " + JavaText.comment(output.input()) + ".");
    body.store(
        elements.vector(form.without(Form.Product.TAKEN)), element(gradient(output.input())));
  }

  private String name(String verb) {
    String what = scope == Scope.VOCAB ? "Logits" : "Tokens";
    String sequence = WorkspaceFields.plural(site.owner(), what);
    return verb + Character.toUpperCase(sequence.charAt(0)) + sequence.substring(1);
  }

  private String documentation() {
    String over = scope == Scope.VOCAB ? "the logits of a token" : "the tokens of a row";
    return block.written().isEmpty()
        ? "Adds up a stretch of " + over + "."
        : "Writes the gradient of a stretch of " + over + ".";
  }

  /** The calls that cover the loop. */
  private void run(String method, Optional<Search> search, OptionalInt highest) {
    CodeBlock.Builder code = outer.code();
    CodeBlock all = CodeBlock.of("$L", length);
    if (totals.isEmpty()) {
      code.addStatement(body.call(method, CodeBlock.of("0"), all));
      return;
    }
    if (search.isEmpty()) {
      totals.forEach(total -> code.addStatement("double $L = $L", total.name(), start(total)));
      blocks(method, code, "");
      return;
    }
    shifts(search.get(), CodeBlock.of("$T.min(SAMPLE, $L)", Math.class, length), "float ");
    String whole = JavaText.unique("whole", outer.taken());
    String largest = JavaText.unique("highest", outer.taken());
    totals.forEach(total -> code.addStatement("double $L", total.name()));
    code.beginControlFlow("for (boolean $L = $L <= SAMPLE; ; $L = true)", whole, length, whole);
    totals.forEach(total -> code.addStatement("$L = $L", total.name(), start(total)));
    String also = "";
    List<String> sound = new ArrayList<>();
    if (highest.isPresent()) {
      code.addStatement("float $L = 0", largest);
      also =
          "%s = Math.max(%s, scratch.sums[%s])"
              .formatted(largest, largest, LoopBody.slot(highest.getAsInt()));
      sound.add(largest + " < 60");
    }
    blocks(method, code, also);
    groups
        .values()
        .forEach(group -> {
          if (highest.isEmpty()) {
            sound.add(group.total + " < 1e18");
          }
          sound.add(group.total + " > 1e-30");
        });
    code.beginControlFlow("if ($L || ($L))", whole, String.join(" && ", sound))
        .addStatement("break")
        .endControlFlow()
        .add("// The guess was too far from the largest: again, with that.\n");
    shifts(search.get(), all, "");
    code.endControlFlow();
  }

  /** Finds the shift of each softmax from so many of its logits. */
  private void shifts(Search search, CodeBlock count, String declaration) {
    outer.code().addStatement(search.body().call(search.method(), CodeBlock.of("0"), count));
    search
        .peaks()
        .forEach((group, result) ->
            outer
                .code()
                .addStatement(
                    "$L$L = $T.exponentShift(scratch.sums[$L])",
                    declaration,
                    group.shift,
                    Functions.class,
                    LoopBody.slot(result)));
  }

  private void blocks(String method, CodeBlock.Builder code, String also) {
    String begin = JavaText.unique("begin", outer.taken());
    CodeBlock count = CodeBlock.of("$T.min(BLOCK, $L - $L)", Math.class, length, begin);
    code.beginControlFlow("for (int $L = 0; $L < $L; $L += BLOCK)", begin, begin, length, begin)
        .addStatement(body.call(method, CodeBlock.of("$L", begin), count));
    totals.forEach(total -> {
      switch (total.reduction()) {
        case SUM ->
            code.addStatement(
                "$L += $T.sum(scratch.sums, $L, LANES)",
                total.name(),
                Functions.class,
                LoopBody.slot(total.index()));
        case MAXIMUM, MINIMUM ->
            code.addStatement(
                "$L = $T.$L($L, scratch.sums[$L])",
                total.name(),
                Math.class,
                total.reduction().word(),
                total.name(),
                LoopBody.slot(total.index()));
        case LOG_SUM_EXP, SOFTMAX_MEAN -> throw new IllegalStateException("no plain sum");
      }
    });
    if (!also.isEmpty()) {
      code.addStatement("$L", also);
    }
    code.endControlFlow();
  }

  private static CodeBlock start(Total total) {
    return switch (total.reduction()) {
      case SUM -> CodeBlock.of("0");
      case MAXIMUM -> CodeBlock.of("$T.NEGATIVE_INFINITY", Double.class);
      case MINIMUM -> CodeBlock.of("$T.POSITIVE_INFINITY", Double.class);
      case LOG_SUM_EXP, SOFTMAX_MEAN -> throw new IllegalStateException("no plain sum");
    };
  }

  /** Gives the result of a reduction its name, or its place. */
  private void define(Node reduction, Term result) {
    if (scope == Scope.TOKEN) {
      outer
          .code()
          .addStatement(
              "$L[row] = $L",
              ValueEmitter.array(context.fields().field(reduction), WorkspaceFields.DOUBLES, outer),
              result.code());
      return;
    }
    Term named = context.values().define(reduction, result, outer, false);
    if (context.plan().kept().contains(reduction)) {
      context.values().keep(reduction, named, outer);
    }
  }
}
