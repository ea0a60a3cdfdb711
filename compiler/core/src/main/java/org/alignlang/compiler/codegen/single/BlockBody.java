package org.alignlang.compiler.codegen.single;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import org.alignlang.kernel.Blocks;

/**
 * A static method that goes over a stretch of arrays block by block and does one step after the
 * other on a whole block: a function of {@link Blocks}, or a loop of its own for up to {@value
 * #MOST} operations of plain arithmetic. It needs no module beside the JDK's own, and takes three
 * to four times as long as {@link VectorBody} on logits.
 *
 * <p>A value of the loop is a variable that holds a block; several variables that are not needed at
 * once share one, and what is only needed in one loop has none.
 */
final class BlockBody extends LoopBody {
  static final ClassName BLOCKS = ClassName.get(Blocks.class);

  private static final TypeName INTS = ArrayTypeName.of(TypeName.INT);
  private static final Set<String> OWN =
      Set.of("from", "n", "i", "count", "sums", "blocks", "LANES", "NATS", "BLOCK", "SAMPLE");

  /** How many operations a loop has at most: loops with a large body stay scalar. */
  private static final int MOST = 4;

  /** Operations of plain arithmetic, which may stand in one loop, with their operands as $. */
  private static final Map<String, String> ARITHMETIC =
      Map.ofEntries(
          Map.entry("fill", "$"),
          Map.entry("negate", "-$"),
          Map.entry("abs", "Math.abs($)"),
          Map.entry("sqrt", "(float) Math.sqrt($)"),
          Map.entry("add", "$ + $"),
          Map.entry("subtract", "$ - $"),
          Map.entry("multiply", "$ * $"),
          Map.entry("divide", "$ / $"),
          Map.entry("min", "Math.min($, $)"),
          Map.entry("max", "Math.max($, $)"),
          Map.entry("fma", "Math.fma($, $, $)"),
          Map.entry("exponent", "Math.min(Math.max($, -127f), 127f)"));

  /** What is the same for all elements. */
  private final Set<String> scalars = new HashSet<>();

  private final List<Step> steps = new ArrayList<>();
  private final List<String> accumulators = new ArrayList<>();
  private final CodeBlock.Builder before = CodeBlock.builder();
  private final List<CodeBlock> after = new ArrayList<>();

  /** Results of functions, by function and operands: a value is computed once. */
  private final Map<String, String> known = new HashMap<>();

  private String comment = "";
  private String commented = "";
  private int blocks;
  private int masks;

  private enum Kind {
    NUMBERS,
    TRUTH,
    NOTHING
  }

  /**
   * A statement of the loop.
   *
   * @param result the variable that it gives a block to, empty if there is none
   * @param used the variables that it reads
   * @param arithmetic what it does to each number, if that may stand in a loop with others
   */
  private record Step(
      String comment,
      String result,
      Kind kind,
      Set<String> used,
      CodeBlock statement,
      Optional<Arithmetic> arithmetic) {}

  /**
   * An operation on each number of blocks.
   *
   * @param into the variable or accumulator that it gives a value to
   * @param expression with its operands as $
   */
  private record Arithmetic(String into, String expression, List<String> operands) {
    String text() {
      StringBuilder text = new StringBuilder();
      int next = 0;
      for (int at = 0; at < expression.length(); at++) {
        char c = expression.charAt(at);
        if (c == '$') {
          text.append(operands.get(next++));
        } else {
          text.append(c);
        }
      }
      return text.toString();
    }
  }

  BlockBody() {
    super(OWN, "from");
  }

  @Override
  String parameter(CodeBlock argument, String wanted) {
    String name = name(wanted);
    addParameter(name, argument);
    scalars.add(name);
    return name;
  }

  @Override
  String constant(float value, String wanted) {
    String text =
        Float.isInfinite(value)
            ? "Float." + (value > 0 ? "POSITIVE" : "NEGATIVE") + "_INFINITY"
            : literal(value).toString();
    scalars.add(text);
    return text;
  }

  // Statements.

  @Override
  void comment(String text) {
    if (!text.equals(commented)) {
      comment = text;
      commented = text;
    }
  }

  private void step(String result, Kind kind, CodeBlock statement, String... used) {
    step(result, kind, statement, Optional.empty(), used);
  }

  private void step(
      String result,
      Kind kind,
      CodeBlock statement,
      Optional<Arithmetic> arithmetic,
      String... used) {
    Set<String> variables = new LinkedHashSet<>(List.of(used));
    variables.removeAll(scalars);
    steps.add(new Step(comment, result, kind, variables, statement, arithmetic));
    comment = "";
  }

  /** Adds to an accumulator. */
  private void accumulate(
      String total, String expression, List<String> operands, CodeBlock statement, String... used) {
    step(
        "",
        Kind.NOTHING,
        statement,
        Optional.of(new Arithmetic(total, expression, operands)),
        used);
  }

  /** An operation that gives numbers. */
  private String numbers(String wanted, String operation, String... operands) {
    return operation(wanted, Kind.NUMBERS, operation, operands);
  }

  private String operation(String wanted, Kind kind, String operation, String... operands) {
    String[] used = operands.clone();
    if (Stream.of(used).allMatch(scalars::contains)) {
      used[0] = filled(used[0]);
    }
    String text = String.join(", ", used);
    return known.computeIfAbsent(
        operation + "(" + text + ")",
        _ -> {
          String name = name(wanted);
          step(
              name,
              kind,
              CodeBlock.of("blocks.$L($L, $L, n)", operation, text, name),
              Optional.ofNullable(ARITHMETIC.get(operation))
                  .map(expression -> new Arithmetic(name, expression, List.of(used))),
              used);
          return name;
        });
  }

  /** A block with the same number everywhere. */
  private String filled(String scalar) {
    return known.computeIfAbsent(
        "fill(" + scalar + ")",
        _ -> {
          String name = name("same");
          step(
              name,
              Kind.NUMBERS,
              CodeBlock.of("blocks.fill($L, $L, n)", scalar, name),
              Optional.of(new Arithmetic(name, "$", List.of(scalar))));
          return name;
        });
  }

  private String block(String value) {
    return scalars.contains(value) ? filled(value) : value;
  }

  /** An operation whose operands may change places: a block comes first. */
  private String either(String wanted, String operation, String x, String y) {
    return scalars.contains(x)
        ? numbers(wanted, operation, y, x)
        : numbers(wanted, operation, x, y);
  }

  @Override
  String load(String wanted, String element) {
    String name = name(wanted);
    step(name, Kind.NUMBERS, CodeBlock.of("blocks.read($L, $L, n)", element, name));
    return name;
  }

  @Override
  void store(String value, String element) {
    String block = block(value);
    step("", Kind.NOTHING, CodeBlock.of("blocks.write($L, $L, n)", block, element), block);
  }

  @Override
  String neg(String wanted, String x) {
    return numbers(wanted, "negate", x);
  }

  @Override
  String abs(String wanted, String x) {
    return numbers(wanted, "abs", x);
  }

  @Override
  String sqrt(String wanted, String x) {
    return numbers(wanted, "sqrt", x);
  }

  @Override
  String add(String wanted, String x, String y) {
    return either(wanted, "add", x, y);
  }

  @Override
  String sub(String wanted, String x, String y) {
    return numbers(wanted, "subtract", x, y);
  }

  @Override
  String mul(String wanted, String x, String y) {
    return either(wanted, "multiply", x, y);
  }

  @Override
  String div(String wanted, String x, String y) {
    return numbers(wanted, "divide", x, y);
  }

  @Override
  String min(String wanted, String x, String y) {
    return either(wanted, "min", x, y);
  }

  @Override
  String max(String wanted, String x, String y) {
    return either(wanted, "max", x, y);
  }

  @Override
  String fma(String wanted, String x, String y, String z) {
    if (scalars.contains(x) && scalars.contains(y)) {
      return numbers(wanted, "fma", filled(x), y, z);
    }
    return scalars.contains(x) ? numbers(wanted, "fma", y, x, z) : numbers(wanted, "fma", x, y, z);
  }

  @Override
  String weigh(String weight, String x) {
    return numbers("weighted", "weigh", weight, block(x));
  }

  @Override
  String weighBoth(String weight, String x) {
    return numbers("weighted", "weighBoth", weight, block(x));
  }

  // Truth.

  @Override
  String compare(String wanted, Comparison comparison, String x, String y) {
    return switch (comparison) {
      case LT -> operation(wanted, Kind.TRUTH, "less", x, y);
      case LE -> operation(wanted, Kind.TRUTH, "lessOrEqual", x, y);
      case EQ ->
          scalars.contains(x)
              ? operation(wanted, Kind.TRUTH, "equal", y, x)
              : operation(wanted, Kind.TRUTH, "equal", x, y);
      case NE -> not(wanted, compare("isEqual", Comparison.EQ, x, y));
    };
  }

  @Override
  String not(String wanted, String x) {
    return operation(wanted, Kind.TRUTH, "not", x);
  }

  @Override
  String and(String wanted, String x, String y) {
    return operation(wanted, Kind.TRUTH, "and", x, y);
  }

  @Override
  String or(String wanted, String x, String y) {
    return operation(wanted, Kind.TRUTH, "or", x, y);
  }

  @Override
  String oneHot(String taken, String begin) {
    String name = name("isTaken");
    step(name, Kind.TRUTH, CodeBlock.of("blocks.mark($L - $L - from, $L, n)", taken, begin, name));
    return name;
  }

  @Override
  String select(String wanted, String condition, String yes, String no) {
    return numbers(wanted, "select", condition, yes, no);
  }

  // Functions.

  @Override
  Power weight(String wanted, String t) {
    String exponent = numbers("exponent", "exponent", t);
    return new Power(numbers(wanted, "power2", exponent), exponent);
  }

  @Override
  String exp(String x) {
    return numbers("exp", "exp", x);
  }

  @Override
  String expm1(String x) {
    return numbers("expm1", "expm1", x);
  }

  @Override
  String log(String x) {
    return numbers("log", "log", x);
  }

  @Override
  String log1p(String x) {
    return numbers("log", "log1p", x);
  }

  @Override
  String sigmoid(String x) {
    return numbers("sigmoid", "sigmoid", x);
  }

  @Override
  String softplus(String x) {
    return numbers("softplus", "softplus", x);
  }

  @Override
  String log1mExp(String x) {
    return numbers("log1mExp", "log1mExp", x);
  }

  @Override
  String logAddExp(String a, String b) {
    return numbers("logTotal", "logAddExp", block(a), block(b));
  }

  @Override
  String logRatio(String a, String b) {
    return numbers("logRatio", "logRatio", block(a), block(b));
  }

  @Override
  String tanh(String x) {
    return numbers("tanh", "tanh", x);
  }

  @Override
  String arctan(String x) {
    return numbers("arctan", "arctan", x);
  }

  @Override
  String sign(String x) {
    return numbers("sign", "sign", x);
  }

  @Override
  String floor(String x) {
    return numbers("floor", "floor", x);
  }

  @Override
  String power(String x, double p) {
    String exponent = Double.toString(p);
    scalars.add(exponent);
    return numbers("power", "power", block(x), exponent);
  }

  @Override
  String paddedFma(String wanted, String x, String y, String z) {
    return fma(wanted, x, y, z);
  }

  @Override
  String padded(String wanted, String value) {
    return block(value);
  }

  // Results.

  private String accumulator(String wanted, String neutral) {
    String name = name(wanted);
    before.addStatement("final float[] $L = blocks.values($L)", name, accumulators.size());
    before.addStatement("blocks.begin($L, $L, count)", name, neutral);
    accumulators.add(name);
    return name;
  }

  private int folded(String total) {
    int result = result();
    after.add(CodeBlock.of("blocks.fold($L, count, sums, $L)", total, slot(result)));
    return result;
  }

  @Override
  int sum(String wanted, String value) {
    String total = accumulator(wanted, "0f");
    String block = block(value);
    accumulate(
        total,
        "$ + $",
        List.of(total, block),
        CodeBlock.of("blocks.addTo($L, $L, n)", total, block),
        block);
    return folded(total);
  }

  @Override
  int sumOfProducts(String wanted, String weight, String value) {
    String total = accumulator(wanted, "0f");
    String block = block(value);
    accumulate(
        total,
        "Math.fma($, $, $)",
        List.of(weight, block, total),
        CodeBlock.of("blocks.addTo($L, $L, $L, n)", total, weight, block),
        weight,
        block);
    return folded(total);
  }

  @Override
  int sumUnderWeight(String wanted, String weight, String value) {
    String total = accumulator(wanted, "0f");
    String block = block(value);
    step(
        "",
        Kind.NOTHING,
        CodeBlock.of("blocks.addUnder($L, $L, $L, n)", total, weight, block),
        weight,
        block);
    return folded(total);
  }

  @Override
  int sumOfWeights(String wanted, String weight) {
    return sum(wanted, weight);
  }

  @Override
  int extreme(String wanted, String value, boolean largest) {
    String total =
        accumulator(wanted, "Float." + (largest ? "NEGATIVE" : "POSITIVE") + "_INFINITY");
    String block = block(value);
    String function = largest ? "max" : "min";
    accumulate(
        total,
        "Math." + function + "($, $)",
        List.of(total, block),
        CodeBlock.of("blocks.$L($L, $L, $L, n)", function, total, block, total),
        block);
    int result = result();
    after.add(
        CodeBlock.of(
            "sums[$L] = blocks.$L($L, count)",
            slot(result),
            largest ? "largest" : "smallest",
            total));
    return result;
  }

  @Override
  int peak(String wanted, String value) {
    return extreme(wanted, value, true);
  }

  @Override
  OptionalInt highest(List<String> exponents) {
    return OptionalInt.empty();
  }

  // The method.

  /** How many blocks of numbers the method needs, once it is written. */
  int blocks() {
    return blocks;
  }

  /** How many blocks of truth values the method needs, once it is written. */
  int masks() {
    return masks;
  }

  @Override
  List<CodeBlock> room() {
    return List.of(CodeBlock.of("scratch.blocks"));
  }

  /** Steps in the order in which they are done; several are one loop. */
  private List<List<Step>> schedule() {
    Set<String> needed = new HashSet<>();
    List<Step> waiting = new ArrayList<>();
    for (Step step : steps.reversed()) {
      if (step.kind() == Kind.NOTHING || needed.contains(step.result())) {
        needed.addAll(step.used());
        waiting.addFirst(step);
      }
    }
    Set<String> known = new HashSet<>();
    List<List<Step>> order = new ArrayList<>();
    while (!waiting.isEmpty()) {
      for (Optional<Step> next = call(waiting, known);
          next.isPresent();
          next = call(waiting, known)) {
        Step step = next.get();
        order.add(List.of(step));
        known.add(step.result());
        waiting.remove(step);
      }
      List<Step> loop = new ArrayList<>();
      for (Step step : List.copyOf(waiting)) {
        if (step.arithmetic().isPresent() && loop.size() < MOST && known.containsAll(step.used())) {
          loop.add(step);
          known.add(step.result());
          waiting.remove(step);
        }
      }
      if (!loop.isEmpty()) {
        order.add(loop);
      }
    }
    return order;
  }

  /** The first step that is no plain arithmetic and whose operands are known. */
  private static Optional<Step> call(List<Step> waiting, Set<String> known) {
    return waiting.stream()
        .filter(step -> step.arithmetic().isEmpty() && known.containsAll(step.used()))
        .findFirst();
  }

  @Override
  List<MethodSpec> methods(String name, String documentation) {
    MethodSpec.Builder method = head(name, documentation).addParameter(BLOCKS, "blocks");
    method
        .addCode(before.build())
        .beginControlFlow("for (int from = 0; from < count; from += $T.SIZE)", BLOCKS)
        .addStatement("final int n = $T.min($T.SIZE, count - from)", Math.class, BLOCKS);
    List<List<Step>> order = schedule();
    Map<String, Integer> lastUse = new HashMap<>();
    for (int i = 0; i < order.size(); i++) {
      for (Step step : order.get(i)) {
        for (String used : step.used()) {
          lastUse.put(used, i);
        }
      }
    }
    Slots numbers = new Slots(accumulators.size());
    Slots truth = new Slots(0);
    Map<String, Runnable> held = new HashMap<>();
    List<MethodSpec> all = new ArrayList<>();
    for (int i = 0; i < order.size(); i++) {
      List<Step> together = order.get(i);
      List<String> results = new ArrayList<>();
      for (Step step : together) {
        if (step.kind() != Kind.NOTHING
            && (together.size() == 1 || Objects.requireNonNull(lastUse.get(step.result())) > i)) {
          boolean isNumbers = step.kind() == Kind.NUMBERS;
          Slots slots = isNumbers ? numbers : truth;
          int slot = slots.take();
          method.addStatement(
              "final $T $L = blocks.$L($L)",
              isNumbers ? FLOATS : INTS,
              step.result(),
              isNumbers ? "values" : "mask",
              slot);
          held.put(step.result(), () -> slots.give(slot));
          results.add(step.result());
        }
      }
      if (together.size() == 1) {
        Step step = together.getFirst();
        if (!step.comment().isEmpty()) {
          method.addCode("// $L\n", step.comment());
        }
        method.addStatement(step.statement());
      } else {
        all.add(loop(name + "Part" + (all.size() + 1), together, results, method));
      }
      for (Step step : together) {
        for (String used : step.used()) {
          if (Objects.requireNonNull(lastUse.get(used)) == i && held.containsKey(used)) {
            Objects.requireNonNull(held.remove(used)).run();
          }
        }
      }
    }
    method.endControlFlow();
    after.forEach(method::addStatement);
    blocks = numbers.most;
    masks = truth.most;
    all.addFirst(method.build());
    return all;
  }

  /**
   * A method with a loop that does several operations, and the call of it.
   *
   * @param results which values are needed after it
   */
  private MethodSpec loop(
      String name, List<Step> together, List<String> results, MethodSpec.Builder caller) {
    Set<String> inside = new HashSet<>();
    Set<String> written = new LinkedHashSet<>(results);
    Set<String> read = new LinkedHashSet<>();
    Set<String> same = new LinkedHashSet<>();
    CodeBlock.Builder body = CodeBlock.builder();
    for (Step step : together) {
      Arithmetic arithmetic = step.arithmetic().orElseThrow();
      for (String operand : arithmetic.operands()) {
        if (parameters.containsKey(operand)) {
          same.add(operand);
        } else if (!scalars.contains(operand) && !inside.contains(operand)) {
          read.add(operand);
        }
      }
      if (!step.comment().isEmpty()) {
        body.add("// $L\n", step.comment());
      }
      boolean accumulates = step.kind() == Kind.NOTHING;
      body.addStatement(
          accumulates ? "$L = $L" : "final float $L = $L", arithmetic.into(), arithmetic.text());
      if (accumulates) {
        written.add(arithmetic.into());
      } else {
        inside.add(arithmetic.into());
      }
    }
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(name).addModifiers(Modifier.PRIVATE, Modifier.STATIC);
    List<String> arguments = new ArrayList<>();
    Map<String, String> arrays = new HashMap<>();
    Set<String> all = new LinkedHashSet<>(read);
    all.addAll(written);
    for (String value : all) {
      String array = name(value + "Block");
      arrays.put(value, array);
      method.addParameter(FLOATS, array);
      arguments.add(value);
    }
    for (String scalar : same) {
      method.addParameter(TypeName.FLOAT, scalar);
      arguments.add(scalar);
    }
    method.addParameter(TypeName.INT, "n").beginControlFlow("for (int i = 0; i < n; i++)");
    for (String value : read) {
      method.addStatement(
          written.contains(value) ? "float $L = $L[i]" : "final float $L = $L[i]",
          value,
          arrays.get(value));
    }
    method.addCode(body.build());
    for (String value : written) {
      method.addStatement("$L[i] = $L", arrays.get(value), value);
    }
    arguments.add("n");
    caller.addStatement("$L($L)", name, String.join(", ", arguments));
    return method.endControlFlow().build();
  }

  /** Which blocks are in use. */
  private static final class Slots {
    private final Deque<Integer> free = new ArrayDeque<>();
    private int most;

    Slots(int taken) {
      most = taken;
    }

    int take() {
      return free.isEmpty() ? most++ : free.pop();
    }

    void give(int slot) {
      free.push(slot);
    }
  }
}
