package org.alignlang.compiler.codegen.jvm;

import static org.alignlang.compiler.codegen.jvm.WorkspaceFields.DOUBLES;
import static org.alignlang.compiler.codegen.jvm.WorkspaceFields.INTS;
import static org.alignlang.compiler.codegen.jvm.WorkspaceFields.RESERVED;
import static org.alignlang.compiler.codegen.jvm.WorkspaceFields.plural;

import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.lang.model.SourceVersion;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.EntryOrders;
import org.alignlang.kernel.Functions;
import org.alignlang.kernel.Reductions;
import org.alignlang.kernel.Selection;

/**
 * Writes the loops of a plan as methods of the workspace: one per pass over the rows, one per loop
 * over a row's tokens with the vocabulary loops inside it, and one per step between passes.
 */
final class LoopEmitter {
  private final Plan plan;
  private final WorkspaceFields fields;
  private final ValueNames names;
  private final ValueEmitter values;
  private final InnerLoops inner;
  private final List<MethodSpec> methods = new ArrayList<>();
  private final List<String> rowTasks = new ArrayList<>();
  private final List<CodeBlock> calls = new ArrayList<>();

  LoopEmitter(
      Plan plan, WorkspaceFields fields, ValueNames names, ValueEmitter values, InnerLoops inner) {
    this.inner = inner;
    this.plan = plan;
    this.fields = fields;
    this.names = names;
    this.values = values;
  }

  /** Writes all loops. */
  void emit() {
    for (int pass = -1; pass < plan.passes(); pass++) {
      if (pass >= 0) {
        emitRows(pass);
      }
      emitBetween(pass);
    }
  }

  /** The methods written. */
  List<MethodSpec> methods() {
    return methods;
  }

  /** The methods that are given to the workers, which take a range of rows. */
  List<String> rowTasks() {
    return rowTasks;
  }

  /** What a call of the kernel does, in order. */
  List<CodeBlock> calls() {
    return calls;
  }

  private void emitRows(int pass) {
    TreeMap<Integer, TreeMap<Site, Plan.Block>> steps = new TreeMap<>();
    plan.sites()
        .forEach((site, block) -> {
          if (site.pass() == pass && site.scope().compareTo(Scope.ROW) >= 0) {
            steps.computeIfAbsent(site.rowStep(), _ -> new TreeMap<>()).put(site, block);
          }
        });
    if (steps.isEmpty()) {
      return;
    }
    String method = fields.member("rows" + pass);
    rowTasks.add(method);
    calls.add(CodeBlock.of("workers.run(rows, $L)", method + "Task"));
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    boolean split = plan.split().contains(pass);
    steps.forEach((step, sites) -> {
      Site rowSite = new Site(Scope.ROW, pass, step, "", 0);
      Plan.Block rowBlock = sites.get(rowSite);
      if (rowBlock != null) {
        if (split) {
          row.code().addStatement("$L(row)", emitRowStep(rowSite, rowBlock));
        } else {
          rowBlock.computed().forEach(node -> values.compute(node, rowSite, row));
          write(rowBlock, row);
        }
      }
      TreeMap<String, TreeMap<Site, Plan.Block>> owners = new TreeMap<>();
      sites.forEach((site, block) -> {
        if (site.scope().compareTo(Scope.ROW) > 0) {
          owners.computeIfAbsent(site.owner(), _ -> new TreeMap<>()).put(site, block);
        }
      });
      owners.forEach((owner, loops) ->
          row.code()
              .addStatement(
                  inner.scratch().isPresent() ? "$L(row, scratch)" : "$L(row)",
                  emitTokens(owner, pass, loops)));
    });
    CodeBlock loop =
        CodeBlock.builder()
            .beginControlFlow("for (int row = from; row < to; row++)")
            .add(row.code().build())
            .endControlFlow()
            .build();
    methods.add(
        MethodSpec.methodBuilder(method)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "from")
            .addParameter(TypeName.INT, "to")
            .addCode(start.code().build())
            .addCode(borrowing(loop))
            .build());
  }

  /** Code that has room of its own while it runs, if inner loops want it. */
  private CodeBlock borrowing(CodeBlock code) {
    return inner
        .scratch()
        .map(type ->
            CodeBlock.builder()
                .addStatement("final $T scratch = scratches.take()", type)
                .beginControlFlow("try")
                .add(code)
                .nextControlFlow("finally")
                .addStatement("scratches.give(scratch)")
                .endControlFlow()
                .build())
        .orElse(code);
  }

  private String emitRowStep(Site site, Plan.Block block) {
    String name = fields.member("row" + site.pass() + "Step" + site.rowStep());
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    block.computed().forEach(node -> values.compute(node, site, row));
    write(block, row);
    methods.add(
        MethodSpec.methodBuilder(name)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "row")
            .addCode(start.code().build())
            .addCode(row.code().build())
            .build());
    return name;
  }

  private String emitTokens(String owner, int pass, TreeMap<Site, Plan.Block> sites) {
    String name = fields.member(plural(owner, "Tokens") + pass);
    if (inner.singleTokens(owner)) {
      methods.add(inner.tokens(name, owner, sites));
      return name;
    }
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    Frame token = row.inner(Scope.TOKEN, "t");
    token.taken().add("t");
    CodeBlock.Builder before = CodeBlock.builder();
    CodeBlock.Builder after = CodeBlock.builder();
    sites.forEach((site, block) -> {
      if (site.scope() == Scope.TOKEN) {
        block.computed().forEach(node -> values.compute(node, site, token));
        for (Node reduction : block.reduced()) {
          Accumulator accumulator = accumulate(reduction, token, before);
          after.addStatement(
              "$L[row] = $L",
              ValueEmitter.array(fields.field(reduction), DOUBLES, row),
              accumulator.result());
        }
        write(block, token);
      } else {
        emitVocabulary(site, block, token);
      }
    });
    String bounds = ValueEmitter.array(fields.offsets(owner), INTS, row);
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(name)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "row");
    inner.scratch().ifPresent(type -> method.addParameter(type, "scratch"));
    CodeBlock loop =
        CodeBlock.builder()
            .beginControlFlow(
                "for (int t = $L[row], end = $L[row + 1]; t < end; t++)", bounds, bounds)
            .add(token.code().build())
            .endControlFlow()
            .build();
    methods.add(
        method
            .addCode(start.code().build())
            .addCode(row.code().build())
            .addCode(before.build())
            .addCode(selecting(start, loop))
            .addCode(after.build())
            .build());
    return name;
  }

  /**
   * A loop that has room to look for the largest entries of a row, or for orders of its entries.
   */
  private CodeBlock selecting(Frame start, CodeBlock loop) {
    CodeBlock selecting =
        ValueEmitter.selectionOf(start)
            .map(name -> borrowing(Selection.class, name, fields.selections(), loop))
            .orElse(loop);
    return ValueEmitter.ordersOf(start)
        .map(name -> borrowing(EntryOrders.class, name, fields.orders(), selecting))
        .orElse(selecting);
  }

  private static CodeBlock borrowing(Class<?> type, String name, String pool, CodeBlock loop) {
    return CodeBlock.builder()
        .addStatement("final $T $L = this.$L.take()", type, name, pool)
        .beginControlFlow("try")
        .add(loop)
        .nextControlFlow("finally")
        .addStatement("this.$L.give($L)", pool, name)
        .endControlFlow()
        .build();
  }

  private void emitVocabulary(Site site, Plan.Block block, Frame token) {
    if (inner.vocabulary(site, block, token)) {
      return;
    }
    String index = JavaText.unique("w", token.taken());
    Frame entry = token.inner(Scope.VOCAB, index);
    CodeBlock.Builder before = CodeBlock.builder();
    block.computed().forEach(node -> values.compute(node, site, entry));
    Map<Node, CodeBlock> results = new LinkedHashMap<>();
    Map<Node, Softmax> softmaxes = new LinkedHashMap<>();
    List<Node> orders = block.reduced().stream().filter(Planner::isOrderOfEntries).toList();
    orders.forEach(order -> values.layEntries(order, entry, token));
    for (Node reduction : block.reduced()) {
      if (orders.contains(reduction)) {
        continue;
      }
      switch (((Operation.Reduce) reduction.operation()).reduction()) {
        case LOG_SUM_EXP, SOFTMAX_MEAN ->
            softmaxes
                .computeIfAbsent(Plan.base(reduction.operand(0)), _ -> new Softmax())
                .add(reduction);
        case SUM, MAXIMUM, MINIMUM ->
            results.put(reduction, accumulate(reduction, entry, before).result());
      }
    }
    softmaxes.forEach(
        (logits, softmax) -> results.putAll(accumulate(logits, softmax, entry, before)));
    write(block, entry);
    token
        .code()
        .add(before.build())
        .beginControlFlow(
            "for (int $L = 0; $L < $L; $L++)", index, index, fields.vocabulary(), index)
        .add(entry.code().build())
        .endControlFlow();
    orders.forEach(order -> values.orderEntries(order, token));
    results.forEach((reduction, result) -> {
      Term named = values.define(reduction, Term.number(result, Binding.SUM), token, false);
      if (plan.kept().contains(reduction)) {
        values.keep(reduction, named, token);
      }
    });
  }

  private void write(Plan.Block block, Frame frame) {
    for (Plan.Output output : block.written()) {
      frame.comment("The gradient of the loss for " + JavaText.comment(output.input()) + ".");
      frame
          .code()
          .addStatement(
              "$L = $L",
              gradient(output.input(), frame),
              inner.singleGradients()
                  ? CodeBlock.of(
                      "(float) $L", values.use(output.value(), frame).asNumber().at(Binding.WHOLE))
                  : values.use(output.value(), frame).asNumber().code());
    }
  }

  /** Where an entry of a gradient is written. */
  private CodeBlock gradient(String input, Frame frame) {
    if (frame.scope() == Scope.VOCAB && inner.singleGradients()) {
      return inner.gradientEntry(input, frame);
    }
    String index =
        frame.scope() == Scope.VOCAB
            ? values.first(frame) + " + " + frame.index()
            : frame.scope() == Scope.BATCH ? "0" : frame.index();
    String array = ValueEmitter.array(fields.gradient(input), fields.gradientType(input), frame);
    return CodeBlock.of("$L[$L]", array, index);
  }

  /** A reduction in progress: the expression of its result after the loop. */
  private record Accumulator(CodeBlock result) {}

  private Accumulator accumulate(Node reduction, Frame frame, CodeBlock.Builder before) {
    Operation.Reduce reduce = (Operation.Reduce) reduction.operation();
    Term x = values.use(Planner.reduced(reduction), frame).asNumber();
    String name = JavaText.unique(names.wanted(reduction) + "SoFar", frame.taken());
    CodeBlock.Builder code = frame.code();
    switch (reduce.reduction()) {
      case SUM -> {
        before.addStatement("double $L = 0", name);
        code.addStatement("$L += $L", name, x.code());
      }
      case MAXIMUM -> {
        before.addStatement("double $L = $T.NEGATIVE_INFINITY", name, Double.class);
        code.addStatement("$L = $T.max($L, $L)", name, Math.class, name, x.code());
      }
      case MINIMUM -> {
        before.addStatement("double $L = $T.POSITIVE_INFINITY", name, Double.class);
        code.addStatement("$L = $T.min($L, $L)", name, Math.class, name, x.code());
      }
      case SOFTMAX_MEAN -> throw new IllegalStateException("a mean over tokens: " + reduction);
      case LOG_SUM_EXP -> {
        // The largest term so far is taken out, so that nothing overflows.
        String largest = JavaText.unique("largest", frame.taken());
        before.addStatement("double $L = $T.NEGATIVE_INFINITY", largest, Double.class);
        before.addStatement("double $L = 0", name);
        CodeBlock term = x.at(Binding.WHOLE);
        code.beginControlFlow("if ($L > $L)", term, largest)
            .addStatement("$L = $L * $T.exp($L - $L) + 1", name, name, Math.class, largest, term)
            .addStatement("$L = $L", largest, term)
            .nextControlFlow("else")
            .addStatement(
                "$L += $L == $L ? 1 : $T.exp($L - $L)",
                name,
                term,
                largest,
                Math.class,
                term,
                largest)
            .endControlFlow();
        return new Accumulator(CodeBlock.of("$L + $T.log($L)", largest, Math.class, name));
      }
    }
    return new Accumulator(CodeBlock.of("$L", name));
  }

  /** What one loop makes up of the same logits: their normaliser, and means under their softmax. */
  private static final class Softmax {
    private final List<Node> normalisers = new ArrayList<>();
    private final List<Node> means = new ArrayList<>();

    void add(Node reduction) {
      boolean normaliser =
          ((Operation.Reduce) reduction.operation()).reduction() == Operation.Reduction.LOG_SUM_EXP;
      (normaliser ? normalisers : means).add(reduction);
    }
  }

  /** Sums over a softmax without its normaliser: the largest logit so far is taken out. */
  private Map<Node, CodeBlock> accumulate(
      Node logits, Softmax softmax, Frame frame, CodeBlock.Builder before) {
    CodeBlock.Builder code = frame.code();
    Term used = values.use(logits, frame).asNumber();
    boolean named = SourceVersion.isIdentifier(used.code().toString());
    String x = (named ? used : values.define(logits, used, frame, false)).code().toString();
    String suffix = names.suffix(logits);
    String largest = JavaText.unique("largest" + suffix, frame.taken());
    String total = JavaText.unique("total" + suffix, frame.taken());
    before.addStatement("double $L = $T.NEGATIVE_INFINITY", largest, Double.class);
    before.addStatement("double $L = 0", total);
    Map<Node, String> sums = new LinkedHashMap<>();
    Map<Node, CodeBlock> averaged = new LinkedHashMap<>();
    for (Node mean : softmax.means) {
      String sum = JavaText.unique(names.wanted(mean) + "SoFar", frame.taken());
      before.addStatement("double $L = 0", sum);
      sums.put(mean, sum);
      averaged.put(mean, values.use(mean.operand(1), frame).asNumber().code());
    }
    String scale = JavaText.unique("scale" + suffix, frame.taken());
    String weight = JavaText.unique("weight" + suffix, frame.taken());
    code.beginControlFlow("if ($L > $L)", x, largest)
        .addStatement("final double $L = $T.exp($L - $L)", scale, Math.class, largest, x)
        .addStatement("$L = $L * $L + 1", total, total, scale)
        .addStatement("$L = $L", largest, x);
    sums.forEach((mean, sum) ->
        code.addStatement(
            "$L = $T.weighted($L, $L) + $L", sum, Functions.class, scale, sum, averaged.get(mean)));
    code.nextControlFlow("else if ($L != $T.NEGATIVE_INFINITY)", x, Double.class)
        .addStatement(
            "final double $L = $L == $L ? 1 : $T.exp($L - $L)",
            weight,
            x,
            largest,
            Math.class,
            x,
            largest)
        .addStatement("$L += $L", total, weight);
    sums.forEach((mean, sum) ->
        code.addStatement(
            "$L += $T.weighted($L, $L)", sum, Functions.class, weight, averaged.get(mean)));
    code.endControlFlow();
    Map<Node, CodeBlock> results = new LinkedHashMap<>();
    for (Node normaliser : softmax.normalisers) {
      results.put(normaliser, CodeBlock.of("$L + $T.log($L)", largest, Math.class, total));
    }
    sums.forEach((mean, sum) -> results.put(mean, CodeBlock.of("$L / $L", sum, total)));
    return results;
  }

  // Between passes.

  private void emitBetween(int pass) {
    TreeMap<Integer, TreeMap<Site, Plan.Block>> steps = new TreeMap<>();
    plan.sites()
        .forEach((site, block) -> {
          if (site.pass() == pass && site.scope().compareTo(Scope.ROW) < 0) {
            steps.computeIfAbsent(site.rowStep(), _ -> new TreeMap<>()).put(site, block);
          }
        });
    steps.forEach((step, sites) -> {
      Frame start = Frame.method(JavaText.inner(RESERVED));
      sites.forEach((site, block) -> {
        if (site.scope() == Scope.BATCH) {
          block.computed().forEach(node -> values.compute(node, site, start));
          write(block, start);
        } else {
          emitGroups(site, block, start);
        }
      });
      CodeBlock code = start.code().build();
      if (code.isEmpty()) {
        return;
      }
      String name = fields.member(pass < 0 ? "before" : "after" + pass);
      calls.add(CodeBlock.of("$L()", name));
      methods.add(
          MethodSpec.methodBuilder(name).addModifiers(Modifier.PRIVATE).addCode(code).build());
    });
  }

  private void emitGroups(Site site, Plan.Block block, Frame start) {
    fields.groupOf();
    List<Node> elementwise = new ArrayList<>();
    for (Node node : block.computed()) {
      if (node.operation() instanceof Operation.Count) {
        start
            .code()
            .addStatement(
                "$T.count(groupOf, $L)",
                Reductions.class,
                ValueEmitter.array(fields.field(node), DOUBLES, start));
      } else if (node.operation() instanceof Operation.Reduce reduce) {
        values.lengths(Planner.reduced(node), start);
        String rows = ValueEmitter.array(fields.field(Planner.reduced(node)), DOUBLES, start);
        String result = ValueEmitter.array(fields.field(node), DOUBLES, start);
        start.comment(values.origin(node));
        switch (reduce.reduction()) {
          case SUM, LOG_SUM_EXP -> {
            fields.spare();
            start
                .code()
                .addStatement(
                    "$T.$L($L, groupOf, $L, spare)",
                    Reductions.class,
                    ValueEmitter.word(reduce),
                    rows,
                    result);
          }
          case SOFTMAX_MEAN -> throw new IllegalStateException("a mean over rows: " + node);
          case MAXIMUM, MINIMUM ->
              start
                  .code()
                  .addStatement(
                      "$T.$L($L, groupOf, $L)",
                      Reductions.class,
                      ValueEmitter.word(reduce),
                      rows,
                      result);
        }
      } else {
        elementwise.add(node);
      }
    }
    if (elementwise.isEmpty()) {
      return;
    }
    Frame group = start.inner(Scope.GROUP, "group");
    elementwise.forEach(node -> values.compute(node, site, group));
    start
        .code()
        .beginControlFlow("for (int group = 0; group < groups; group++)")
        .add(group.code().build())
        .endControlFlow();
  }
}
