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
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.compiler.plan.Site;
import org.alignlang.compiler.plan.Site.Scope;
import org.alignlang.kernel.Reductions;

/**
 * Writes the loops of a plan as methods of the workspace: one per pass over the rows, one per loop
 * over a row's tokens with the vocabulary loops inside it, and one per step between passes.
 */
final class LoopEmitter {
  private final Plan plan;
  private final WorkspaceFields fields;
  private final ValueNames names;
  private final ValueEmitter values;
  private final List<MethodSpec> methods = new ArrayList<>();
  private final List<String> rowTasks = new ArrayList<>();
  private final List<CodeBlock> calls = new ArrayList<>();

  LoopEmitter(Plan plan, WorkspaceFields fields, ValueNames names, ValueEmitter values) {
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
        }
      }
      TreeMap<String, TreeMap<Site, Plan.Block>> owners = new TreeMap<>();
      sites.forEach((site, block) -> {
        if (site.scope().compareTo(Scope.ROW) > 0) {
          owners.computeIfAbsent(site.owner(), _ -> new TreeMap<>()).put(site, block);
        }
      });
      owners.forEach(
          (owner, loops) -> row.code().addStatement("$L(row)", emitTokens(owner, pass, loops)));
    });
    methods.add(
        MethodSpec.methodBuilder(method)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "from")
            .addParameter(TypeName.INT, "to")
            .addCode(start.code().build())
            .beginControlFlow("for (int row = from; row < to; row++)")
            .addCode(row.code().build())
            .endControlFlow()
            .build());
  }

  private String emitRowStep(Site site, Plan.Block block) {
    String name = fields.member("row" + site.pass() + "Step" + site.rowStep());
    Frame start = Frame.method(JavaText.inner(RESERVED));
    Frame row = start.inner(Scope.ROW, "row");
    block.computed().forEach(node -> values.compute(node, site, row));
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
    methods.add(
        MethodSpec.methodBuilder(name)
            .addModifiers(Modifier.PRIVATE)
            .addParameter(TypeName.INT, "row")
            .addCode(start.code().build())
            .addCode(row.code().build())
            .addCode(before.build())
            .beginControlFlow(
                "for (int t = $L[row], end = $L[row + 1]; t < end; t++)", bounds, bounds)
            .addCode(token.code().build())
            .endControlFlow()
            .addCode(after.build())
            .build());
    return name;
  }

  private void emitVocabulary(Site site, Plan.Block block, Frame token) {
    String index = JavaText.unique("w", token.taken());
    Frame entry = token.inner(Scope.VOCAB, index);
    CodeBlock.Builder before = CodeBlock.builder();
    block.computed().forEach(node -> values.compute(node, site, entry));
    Map<Node, CodeBlock> results = new LinkedHashMap<>();
    for (Node reduction : block.reduced()) {
      results.put(reduction, accumulate(reduction, entry, before).result());
    }
    write(block, entry);
    token
        .code()
        .add(before.build())
        .beginControlFlow(
            "for (int $L = 0; $L < $L; $L++)", index, index, fields.vocabulary(), index)
        .add(entry.code().build())
        .endControlFlow();
    results.forEach((reduction, result) -> {
      Term named = values.define(reduction, Term.number(result, Binding.SUM), token, false);
      if (plan.kept().contains(reduction)) {
        values.keep(reduction, named, token);
      }
    });
  }

  private void write(Plan.Block block, Frame frame) {
    for (Plan.Output output : block.written()) {
      String name = fields.gradient(output.input());
      String index =
          frame.scope() == Scope.VOCAB
              ? values.first(frame) + " + " + frame.index()
              : frame.index();
      frame.comment("The gradient of the loss for " + JavaText.comment(output.input()) + ".");
      frame
          .code()
          .addStatement(
              "$L[$L] = $L",
              ValueEmitter.array(name, DOUBLES, frame),
              index,
              values.use(output.value(), frame).asNumber().code());
    }
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
