package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
  /**
   * Threads of a group share this many numbers each at most: 256 threads, in double precision, in
   * the 48 KiB that are there on every device.
   */
  private static final int MAXIMUM_SHARED = 22;

  private final Frame outer;
  private final ValueNames names;
  private final Map<Node, List<Value>> plain = new LinkedHashMap<>();
  private final Map<Node, Softmax> softmaxes = new LinkedHashMap<>();
  private final Map<Node, String> variables = new LinkedHashMap<>();

  /** What one loop makes up of the same exponents. */
  private static final class Softmax {
    private final String largest;
    private final String total;
    private final Set<Node> normalisers = new LinkedHashSet<>();
    private final Map<Frame, Value> exponents = new LinkedHashMap<>();
    private final Map<Node, List<Value>> means = new LinkedHashMap<>();

    Softmax(String largest, String total) {
      this.largest = largest;
      this.total = total;
    }
  }

  /**
   * Nothing to reduce so far.
   *
   * @param outer where the loop stands
   */
  Reducer(Frame outer, ValueNames names) {
    this.outer = outer;
    this.names = names;
  }

  /**
   * Adds a reduction of an expression.
   *
   * @param each the element of the loop that the expression is for; a turn may do several
   */
  void add(Node reduction, Value x, Frame each) {
    if (kind(reduction) == Reduction.LOG_SUM_EXP) {
      softmax(Planner.reduced(reduction), x, each).normalisers.add(reduction);
    } else {
      plain.computeIfAbsent(reduction, _ -> new ArrayList<>()).add(x);
    }
  }

  /** Adds a mean of an expression under the softmax of another. */
  void addMean(Node reduction, Value logits, Value x, Frame each) {
    softmax(Plan.base(reduction.operand(0)), logits, each)
        .means
        .computeIfAbsent(reduction, _ -> new ArrayList<>())
        .add(x);
  }

  private Softmax softmax(Node logits, Value x, Frame each) {
    Softmax softmax =
        softmaxes.computeIfAbsent(
            Plan.base(logits),
            node -> {
              String suffix = names.suffix(node);
              return new Softmax(unique("largest" + suffix), unique("total" + suffix));
            });
    softmax.exponents.putIfAbsent(each, x);
    return softmax;
  }

  /** How a reduction goes; that to the k-th largest logit is to the largest of some. */
  private static Reduction kind(Node reduction) {
    return reduction.operation() instanceof Operation.Reduce reduce
        ? reduce.reduction()
        : Reduction.MAXIMUM;
  }

  private String unique(String wanted) {
    return JavaText.unique(wanted, outer.taken());
  }

  /**
   * Writes what a turn of the loop does to the variables, of all that was added since the last such
   * turn, and the variables before the loop if they are not there yet.
   *
   * @param turn the end of the turn
   * @param infinity the expression of minus or plus infinity
   */
  void write(Frame turn, DoubleFunction<CodeBlock> infinity) {
    plain.forEach((reduction, xs) -> write(reduction, xs, turn.code(), infinity));
    softmaxes.forEach((logits, softmax) -> write(logits, softmax, turn.code()));
  }

  private void write(
      Node reduction, List<Value> xs, CodeBlock.Builder code, DoubleFunction<CodeBlock> infinity) {
    Reduction kind = kind(reduction);
    CodeBlock start =
        switch (kind) {
          case SUM -> CodeBlock.of("0.0");
          case MAXIMUM -> infinity.apply(Double.NEGATIVE_INFINITY);
          case MINIMUM -> infinity.apply(Double.POSITIVE_INFINITY);
          case LOG_SUM_EXP, SOFTMAX_MEAN ->
              throw new IllegalStateException("not reduced by itself: " + reduction);
        };
    String name = variable(reduction, start);
    if (kind == Reduction.SUM) {
      code.addStatement("$L += $L", name, sum(xs));
    } else {
      String function = kind == Reduction.MAXIMUM ? "larger" : "smaller";
      xs.forEach(x ->
          code.addStatement(
              "$L = $T.$L($L, $L)", name, DeviceMath.class, function, name, x.code()));
    }
    xs.clear();
  }

  /** The variable of a reduction, written before the loop when it is first asked for. */
  private String variable(Node reduction, CodeBlock start) {
    return variables.computeIfAbsent(
        reduction,
        _ -> {
          String name = unique(names.wanted(reduction) + "SoFar");
          outer.code().addStatement("double $L = $L", name, start);
          return name;
        });
  }

  /** The sum of what the elements of a turn add: in their precision, as each was rounded to it. */
  private static CodeBlock sum(List<Value> xs) {
    return xs.size() == 1
        ? xs.getFirst().code()
        : CodeBlock.join(xs.stream().map(x -> x.at(Binding.PRODUCT)).toList(), " + ");
  }

  private void write(Node logits, Softmax softmax, CodeBlock.Builder code) {
    boolean single = softmax.exponents.values().stream().allMatch(Value::isSingle);
    String type = single ? "float" : "double";
    // What no exponent comes near; the logarithm of no sum at all is minus infinity.
    String far = single ? "3.0E38f" : "1.0E308";
    if (!variables.containsKey(logits)) {
      variables.put(logits, softmax.total);
      outer.code().addStatement("$L $L = -$L", type, softmax.largest, far);
      outer.code().addStatement("double $L = 0.0", softmax.total);
    }
    softmax.means.keySet().forEach(mean -> variable(mean, CodeBlock.of("0.0")));
    List<String> exponents = new ArrayList<>();
    for (Value exponent : softmax.exponents.values()) {
      String x = exponent.code().toString();
      if (!SourceVersion.isIdentifier(x)) {
        String name = unique(names.wanted(logits));
        code.addStatement("final $L $L = $L", type, name, x);
        x = name;
      }
      exponents.add(x);
    }
    String suffix = names.suffix(logits);
    String top = exponents.getFirst();
    for (String x : exponents.subList(1, exponents.size())) {
      String larger = unique("top" + suffix);
      code.addStatement("final $L $L = $L > $L ? $L : $L", type, larger, x, top, x, top);
      top = larger;
    }
    String scale = unique("scale" + suffix);
    code.beginControlFlow("if ($L > $L)", top, softmax.largest);
    String held = unique("held" + suffix);
    // Nothing is relative to an infinity.
    code.addStatement("final $L $L = $L < $L ? $L : $L", type, held, top, far, top, far)
        .addStatement(
            "final $L $L = $T.exp($L - $L)", type, scale, DeviceMath.class, softmax.largest, held)
        .addStatement("$L *= $L", softmax.total, scale);
    softmax
        .means
        .keySet()
        .forEach(mean ->
            code.addStatement(
                "$L = $T.weighted($L, $L)",
                variables.get(mean),
                DeviceMath.class,
                scale,
                variables.get(mean)));
    code.addStatement("$L = $L", softmax.largest, held).endControlFlow();
    List<Value> weights = new ArrayList<>();
    for (String x : exponents) {
      String weight = unique("weight" + suffix);
      code.addStatement(
          "final $L $L = $T.exp($L - $L)", type, weight, DeviceMath.class, x, softmax.largest);
      weights.add(Value.whole(single ? Kind.SINGLE : Kind.DOUBLE, "$L", weight));
    }
    code.addStatement("$L += $L", softmax.total, sum(weights));
    softmax.means.forEach((mean, xs) -> {
      List<Value> weighted = new ArrayList<>();
      for (int i = 0; i < xs.size(); i++) {
        weighted.add(DeviceExpressions.weighted(weights.get(i), xs.get(i)));
      }
      code.addStatement("$L += $L", variables.get(mean), sum(weighted));
      xs.clear();
    });
    softmax.exponents.clear();
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
