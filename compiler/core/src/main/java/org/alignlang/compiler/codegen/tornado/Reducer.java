package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.DoubleFunction;
import java.util.stream.IntStream;
import javax.lang.model.SourceVersion;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.compiler.codegen.jvm.ValueNames;
import org.alignlang.compiler.codegen.tornado.Value.Kind;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.ir.Operation.Reduction;
import org.alignlang.compiler.plan.Plan;
import org.alignlang.compiler.plan.Planner;
import org.alignlang.tornado.DeviceException;
import org.alignlang.tornado.DeviceMath;

/**
 * The reductions of one loop: variables before it, what the loop does to them, and after it the
 * results. Sums are in double precision.
 *
 * <p>Everything over the same logits shares an exponential: {@code log(sum(exp(x)))} and means
 * under the softmax of x are sums relative to the largest x so far.
 */
final class Reducer {
  /** Threads of a group share this many numbers each at most: 48 KiB are there on every device. */
  private static final int MAXIMUM_SHARED = 22;

  private final Frame each;
  private final Frame outer;
  private final ValueNames names;
  private final Map<Node, Value> plain = new LinkedHashMap<>();
  private final Map<Node, Softmax> softmaxes = new LinkedHashMap<>();
  private final Map<Node, String> variables = new LinkedHashMap<>();

  /** What one loop makes up of the same exponents. */
  private static final class Softmax {
    private final Value x;
    private final String largest;
    private final String total;
    private final List<Node> normalisers = new ArrayList<>();
    private final Map<Node, Value> means = new LinkedHashMap<>();

    Softmax(Value x, String largest, String total) {
      this.x = x;
      this.largest = largest;
      this.total = total;
    }
  }

  /**
   * Nothing to reduce so far.
   *
   * @param each the body of the loop
   * @param outer where the loop stands
   */
  Reducer(Frame each, Frame outer, ValueNames names) {
    this.each = each;
    this.outer = outer;
    this.names = names;
  }

  /** Adds a reduction of an expression of the loop's body. */
  void add(Node reduction, Value x) {
    if (kind(reduction) == Reduction.LOG_SUM_EXP) {
      softmax(Planner.reduced(reduction), x).normalisers.add(reduction);
    } else {
      plain.put(reduction, x);
    }
  }

  /** Adds a mean of an expression under the softmax of another. */
  void addMean(Node reduction, Value logits, Value x) {
    softmax(Plan.base(reduction.operand(0)), logits).means.put(reduction, x);
  }

  private Softmax softmax(Node logits, Value x) {
    return softmaxes.computeIfAbsent(
        Plan.base(logits),
        node -> {
          String suffix = names.suffix(node);
          return new Softmax(x, unique("largest" + suffix), unique("total" + suffix));
        });
  }

  /** How a reduction goes; that to the k-th largest logit is to the largest of some. */
  private static Reduction kind(Node reduction) {
    return reduction.operation() instanceof Operation.Reduce reduce
        ? reduce.reduction()
        : Reduction.MAXIMUM;
  }

  private String unique(String wanted) {
    return JavaText.unique(wanted, each.taken());
  }

  /**
   * Writes the variables before the loop, and what its body does to them.
   *
   * @param infinity the expression of minus or plus infinity
   */
  void write(DoubleFunction<CodeBlock> infinity) {
    plain.forEach((reduction, x) -> {
      String name = unique(names.wanted(reduction) + "SoFar");
      variables.put(reduction, name);
      switch (kind(reduction)) {
        case SUM -> {
          outer.code().addStatement("double $L = 0.0", name);
          each.code().addStatement("$L += $L", name, x.code());
        }
        case MAXIMUM -> {
          outer
              .code()
              .addStatement("double $L = $L", name, infinity.apply(Double.NEGATIVE_INFINITY));
          each.code()
              .addStatement("$L = $T.larger($L, $L)", name, DeviceMath.class, name, x.code());
        }
        case MINIMUM -> {
          outer
              .code()
              .addStatement("double $L = $L", name, infinity.apply(Double.POSITIVE_INFINITY));
          each.code()
              .addStatement("$L = $T.smaller($L, $L)", name, DeviceMath.class, name, x.code());
        }
        case LOG_SUM_EXP, SOFTMAX_MEAN ->
            throw new IllegalStateException("not reduced by itself: " + reduction);
      }
    });
    softmaxes.forEach(this::write);
  }

  private void write(Node logits, Softmax softmax) {
    boolean single = softmax.x.isSingle();
    String type = single ? "float" : "double";
    String x = softmax.x.code().toString();
    if (!SourceVersion.isIdentifier(x)) {
      String name = unique(names.wanted(logits));
      each.code().addStatement("final $L $L = $L", type, name, x);
      x = name;
    }
    // What no exponent comes near; the logarithm of no sum at all is minus infinity.
    String nothing = single ? "-3.0E38f" : "-1.0E308";
    outer.code().addStatement("$L $L = $L", type, softmax.largest, nothing);
    outer.code().addStatement("double $L = 0.0", softmax.total);
    softmax
        .means
        .keySet()
        .forEach(mean -> {
          String name = unique(names.wanted(mean) + "SoFar");
          variables.put(mean, name);
          outer.code().addStatement("double $L = 0.0", name);
        });
    String suffix = names.suffix(logits);
    String scale = unique("scale" + suffix);
    String weight = unique("weight" + suffix);
    CodeBlock.Builder code = each.code();
    code.beginControlFlow("if ($L > $L)", x, softmax.largest)
        .addStatement(
            "final $L $L = $T.exp($L - $L)", type, scale, DeviceMath.class, softmax.largest, x)
        .addStatement("$L = $L * $L + 1.0", softmax.total, softmax.total, scale);
    softmax.means.forEach((mean, v) ->
        code.addStatement(
            "$L = $T.weighted($L, $L) + $L",
            variables.get(mean),
            DeviceMath.class,
            scale,
            variables.get(mean),
            v.at(Binding.PRODUCT)));
    code.addStatement("$L = $L", softmax.largest, x)
        .nextControlFlow("else")
        .addStatement(
            "final $L $L = $T.exp($L - $L)", type, weight, DeviceMath.class, x, softmax.largest)
        .addStatement("$L += $L", softmax.total, weight);
    softmax.means.forEach((mean, v) ->
        code.addStatement(
            "$L += $L",
            variables.get(mean),
            DeviceExpressions.weighted(
                    Value.whole(single ? Kind.SINGLE : Kind.DOUBLE, "$L", weight), v)
                .code()));
    code.endControlFlow();
  }

  /**
   * Writes, after the loop, what puts the threads' shares together.
   *
   * @param objective the objective's name, for messages
   * @param settle gets each reduction with the expression of its result
   * @return how many numbers each thread shares
   */
  int together(String objective, BiConsumer<Node, Value> settle) {
    int most = 0;
    Tree tree = new Tree();
    List<Runnable> results = new ArrayList<>();
    for (Node reduction : plain.keySet()) {
      if (tree.size() + 1 > MAXIMUM_SHARED) {
        most = Math.max(most, finish(tree, results));
        tree = new Tree();
      }
      int at = tree.size();
      switch (kind(reduction)) {
        case SUM -> tree.addSum(variable(reduction));
        case MAXIMUM -> tree.addLargest(variable(reduction));
        case MINIMUM -> tree.addSmallest(variable(reduction));
        case LOG_SUM_EXP, SOFTMAX_MEAN ->
            throw new IllegalStateException("not reduced by itself: " + reduction);
      }
      results.add(() -> settle.accept(reduction, named(Tree.result(at))));
    }
    for (Softmax softmax : softmaxes.values()) {
      int size = 2 + softmax.means.size();
      if (size > MAXIMUM_SHARED) {
        throw new DeviceException(
            "`%s` takes %d means over the vocabulary at once; a kernel has room for %d"
                .formatted(objective, size - 2, MAXIMUM_SHARED - 2));
      }
      if (tree.size() + size > MAXIMUM_SHARED) {
        most = Math.max(most, finish(tree, results));
        tree = new Tree();
      }
      int at = tree.size();
      List<String> sums = new ArrayList<>(List.of(softmax.total));
      softmax.means.keySet().forEach(mean -> sums.add(variable(mean)));
      tree.addSoftmax(softmax.largest, sums);
      results.add(() ->
          settle(
              softmax,
              Tree.result(at),
              IntStream.range(0, sums.size()).mapToObj(i -> Tree.result(at + 1 + i)).toList(),
              settle));
    }
    return Math.max(most, finish(tree, results));
  }

  private int finish(Tree tree, List<Runnable> results) {
    if (!tree.isEmpty()) {
      outer.code().add(tree.code(outer.taken()));
      results.forEach(Runnable::run);
      // Nobody may write there again before all have read.
      outer.code().addStatement("context.localBarrier()");
      results.clear();
    }
    return tree.size();
  }

  /** The results of a loop that each thread goes through alone; see {@link #together}. */
  void alone(BiConsumer<Node, Value> settle) {
    plain.keySet().forEach(reduction -> settle.accept(reduction, named(variable(reduction))));
    softmaxes
        .values()
        .forEach(softmax -> settle(softmax, softmax.largest, List.of(softmax.total), settle));
  }

  /** The results of sums relative to the largest exponent. */
  private static void settle(
      Softmax softmax, String largest, List<String> sums, BiConsumer<Node, Value> settle) {
    String total = sums.getFirst();
    for (Node normaliser : softmax.normalisers) {
      settle.accept(
          normaliser,
          Value.of(Kind.DOUBLE, CodeBlock.of("$L + Math.log($L)", largest, total), Binding.SUM));
    }
    int next = 1;
    for (Node mean : softmax.means.keySet()) {
      settle.accept(
          mean,
          Value.of(Kind.DOUBLE, CodeBlock.of("$L / $L", sums.get(next), total), Binding.PRODUCT));
      next++;
    }
  }

  private String variable(Node reduction) {
    return variables.getOrDefault(reduction, "");
  }

  private static Value named(String code) {
    return Value.whole(Kind.DOUBLE, "$L", code);
  }
}
