package org.alignlang.compiler.codegen.single;

import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import org.alignlang.kernel.Functions;

/**
 * A static method that goes over a stretch of arrays, one vector at a time, with straight-line code
 * in the loop. No vector leaves the method: one that crossed a call that is not inlined would be an
 * object. What does not fill a vector at the end is done once more under a mask.
 */
final class VectorBody extends LoopBody {
  private static final String PACKAGE = "jdk.incubator.vector";
  static final ClassName VECTOR = ClassName.get(PACKAGE, "FloatVector");
  static final ClassName INTS = ClassName.get(PACKAGE, "IntVector");
  static final ClassName OPERATORS = ClassName.get(PACKAGE, "VectorOperators");
  static final ClassName SPECIES = ClassName.get(PACKAGE, "VectorSpecies");
  static final TypeName MASK =
      ParameterizedTypeName.get(ClassName.get(PACKAGE, "VectorMask"), ClassName.get(Float.class));

  private static final Set<String> OWN =
      Set.of("i", "count", "sums", "inside", "outside", "SPECIES", "INT_SPECIES", "LANES");

  private final CodeBlock.Builder before = CodeBlock.builder();
  private final CodeBlock.Builder main = CodeBlock.builder();
  private final CodeBlock.Builder tail = CodeBlock.builder();
  private final List<CodeBlock> results = new ArrayList<>();
  private final VectorFunctions functions = new VectorFunctions(this);

  /** Vectors with the same number in all lanes. */
  private final Set<String> numbers = new HashSet<>();

  /** Where weights are 0, and where they are not. */
  private final Map<String, String> zeros = new HashMap<>();

  private final Map<String, String> others = new HashMap<>();
  private String comment = "";

  VectorBody() {
    super(OWN, "i");
  }

  @Override
  String parameter(CodeBlock argument, String wanted) {
    String name = name(wanted + "Value");
    addParameter(name, argument);
    String vector = name(wanted);
    before.addStatement("final $T $L = $T.broadcast(SPECIES, $L)", VECTOR, vector, VECTOR, name);
    numbers.add(vector);
    return vector;
  }

  @Override
  String constant(float value, String wanted) {
    return hoisted.computeIfAbsent(
        List.of("constant", Float.floatToRawIntBits(value)),
        _ -> {
          String vector = name(wanted);
          before.addStatement(
              "final $T $L = $T.broadcast(SPECIES, $L)", VECTOR, vector, VECTOR, literal(value));
          numbers.add(vector);
          return vector;
        });
  }

  // The loop.

  @Override
  void comment(String text) {
    if (!text.isEmpty() && !text.equals(comment)) {
      main.add("// $L\n", text);
      comment = text;
    }
  }

  /** A statement that is the same in the loop and at the end. */
  void add(CodeBlock statement) {
    add(statement, statement);
  }

  /** A statement of the loop, and what stands in its place at the end, where lanes are missing. */
  void add(CodeBlock inLoop, CodeBlock atEnd) {
    main.addStatement(inLoop);
    tail.addStatement(atEnd);
  }

  /** A vector of the loop. */
  String vector(String wanted, String format, Object... arguments) {
    String name = name(wanted);
    add(CodeBlock.of("final $T $L = $L", VECTOR, name, CodeBlock.of(format, arguments)));
    return name;
  }

  /** A mask of the loop. */
  String mask(String wanted, String format, Object... arguments) {
    String name = name(wanted);
    add(CodeBlock.of("final $T $L = $L", MASK, name, CodeBlock.of(format, arguments)));
    return name;
  }

  @Override
  String load(String wanted, String element) {
    String name = name(wanted);
    CodeBlock start =
        CodeBlock.of("final $T $L = $T.fromArray(SPECIES, $L", VECTOR, name, VECTOR, element);
    add(CodeBlock.of("$L)", start), CodeBlock.of("$L, inside)", start));
    return name;
  }

  @Override
  void store(String vector, String element) {
    add(
        CodeBlock.of("$L.intoArray($L)", vector, element),
        CodeBlock.of("$L.intoArray($L, inside)", vector, element));
  }

  @Override
  String padded(String wanted, String value) {
    return padded(wanted, CodeBlock.of("$L", value));
  }

  @Override
  String paddedFma(String wanted, String x, String y, String z) {
    return padded(wanted, CodeBlock.of("$L.fma($L, $L)", x, y, z));
  }

  private String padded(String wanted, CodeBlock value) {
    String name = name(wanted);
    add(
        CodeBlock.of("final $T $L = $L", VECTOR, name, value),
        CodeBlock.of(
            "final $T $L = $L.blend($T.NEGATIVE_INFINITY, outside)",
            VECTOR,
            name,
            value,
            Float.class));
    return name;
  }

  // Arithmetic.

  @Override
  String neg(String wanted, String x) {
    return vector(wanted, "$L.neg()", x);
  }

  @Override
  String abs(String wanted, String x) {
    return vector(wanted, "$L.abs()", x);
  }

  @Override
  String sqrt(String wanted, String x) {
    return vector(wanted, "$L.sqrt()", x);
  }

  @Override
  String add(String wanted, String x, String y) {
    return vector(wanted, "$L.add($L)", x, y);
  }

  @Override
  String sub(String wanted, String x, String y) {
    return vector(wanted, "$L.sub($L)", x, y);
  }

  @Override
  String mul(String wanted, String x, String y) {
    return vector(wanted, "$L.mul($L)", x, y);
  }

  @Override
  String div(String wanted, String x, String y) {
    return vector(wanted, "$L.div($L)", x, y);
  }

  @Override
  String min(String wanted, String x, String y) {
    return bound(wanted, "min", "LT", x, y);
  }

  @Override
  String max(String wanted, String x, String y) {
    return bound(wanted, "max", "GT", x, y);
  }

  /**
   * The larger or smaller of two vectors. That of floats takes five instructions for the sake of
   * NaN and of the sign of 0; where one of them is the same number everywhere, two do.
   */
  private String bound(String wanted, String word, String beyond, String x, String y) {
    if (!numbers.contains(x) && !numbers.contains(y)) {
      return vector(wanted, "$L.$L($L)", x, word, y);
    }
    String limit = numbers.contains(y) ? y : x;
    String value = numbers.contains(y) ? x : y;
    return vector(
        wanted,
        "$L.blend($L, $L.compare($T.$L, $L))",
        value,
        limit,
        limit,
        OPERATORS,
        beyond,
        value);
  }

  @Override
  String fma(String wanted, String x, String y, String z) {
    return vector(wanted, "$L.fma($L, $L)", x, y, z);
  }

  @Override
  String weigh(String weight, String x) {
    String isZero = zeros.get(weight);
    if (isZero != null) {
      return vector("weighted", "$L.mul($L).blend(0f, $L)", weight, x, isZero);
    }
    String counts =
        others.computeIfAbsent(weight, w -> mask("counts", "$L.compare($T.NE, 0f)", w, OPERATORS));
    return vector("weighted", "$L.lanewise($T.MUL, $L, $L)", weight, OPERATORS, x, counts);
  }

  @Override
  String weighBoth(String weight, String x) {
    return vector(
        "weighted",
        "$L.mul($L).blend(0f, $L.or($L.compare($T.EQ, 0f)))",
        weight,
        x,
        isZero(weight),
        x,
        OPERATORS);
  }

  /** Where a weight is 0. */
  private String isZero(String weight) {
    return zeros.computeIfAbsent(
        weight, w -> mask("isZero", "$L.compare($T.EQ, 0f)", w, OPERATORS));
  }

  // Truth.

  @Override
  String compare(String wanted, Comparison comparison, String x, String y) {
    return mask(wanted, "$L.compare($T.$L, $L)", x, OPERATORS, comparison, y);
  }

  @Override
  String not(String wanted, String x) {
    return mask(wanted, "$L.not()", x);
  }

  @Override
  String and(String wanted, String x, String y) {
    return mask(wanted, "$L.and($L)", x, y);
  }

  @Override
  String or(String wanted, String x, String y) {
    return mask(wanted, "$L.or($L)", x, y);
  }

  @Override
  String oneHot(String taken, String begin) {
    return mask(
        "isTaken",
        "$T.zero(INT_SPECIES).addIndex(1).add($L + i).compare($T.EQ, $L).cast(SPECIES)",
        INTS,
        begin,
        OPERATORS,
        taken);
  }

  @Override
  String select(String wanted, String condition, String yes, String no) {
    return vector(wanted, "$L.blend($L, $L)", no, yes, condition);
  }

  // Functions.

  @Override
  Power weight(String wanted, String t) {
    VectorFunctions.Weight weight = functions.weight(wanted, t);
    zeros.put(weight.power().value(), weight.isZero());
    return weight.power();
  }

  @Override
  String exp(String x) {
    return functions.exp(x);
  }

  @Override
  String expm1(String x) {
    return functions.expm1(x);
  }

  @Override
  String log(String x) {
    return functions.log(x);
  }

  @Override
  String log1p(String x) {
    return functions.log1p(x);
  }

  @Override
  String sigmoid(String x) {
    return functions.sigmoid(x);
  }

  @Override
  String softplus(String x) {
    return functions.softplus(x);
  }

  @Override
  String log1mExp(String x) {
    return functions.log1mExp(x);
  }

  @Override
  String logAddExp(String a, String b) {
    return functions.logAddExp(a, b);
  }

  @Override
  String logRatio(String a, String b) {
    return functions.logRatio(a, b);
  }

  @Override
  String tanh(String x) {
    return functions.tanh(x);
  }

  @Override
  String arctan(String x) {
    return functions.arctan(x);
  }

  @Override
  String sign(String x) {
    return functions.sign(x);
  }

  @Override
  String floor(String x) {
    return functions.floor(x);
  }

  @Override
  String power(String x, double p) {
    return functions.power(x, p);
  }

  // Sums.

  @Override
  int sum(String wanted, String vector) {
    String total = accumulator(wanted, CodeBlock.of("$T.zero(SPECIES)", VECTOR));
    add(
        CodeBlock.of("$L = $L.add($L)", total, total, vector),
        CodeBlock.of("$L = $L.add($L.blend(0f, outside))", total, total, vector));
    return lanes(total);
  }

  @Override
  int sumOfProducts(String wanted, String weight, String vector) {
    String total = accumulator(wanted, CodeBlock.of("$T.zero(SPECIES)", VECTOR));
    add(CodeBlock.of("$L = $L.fma($L, $L)", total, weight, vector, total));
    return lanes(total);
  }

  @Override
  int sumUnderWeight(String wanted, String weight, String value) {
    return sumOfProducts(
        wanted, weight, vector("weighted", "$L.blend(0f, $L)", value, isZero(weight)));
  }

  @Override
  int sumOfWeights(String wanted, String weight) {
    String total = accumulator(wanted, CodeBlock.of("$T.zero(SPECIES)", VECTOR));
    add(CodeBlock.of("$L = $L.add($L)", total, total, weight));
    return lanes(total);
  }

  @Override
  int extreme(String wanted, String vector, boolean largest) {
    float start = largest ? Float.NEGATIVE_INFINITY : Float.POSITIVE_INFINITY;
    String total =
        accumulator(wanted, CodeBlock.of("$T.broadcast(SPECIES, $L)", VECTOR, literal(start)));
    String word = largest ? "max" : "min";
    add(
        CodeBlock.of("$L = $L.$L($L)", total, total, word, vector),
        CodeBlock.of(
            "$L = $L.$L($L.blend($L, outside))", total, total, word, vector, literal(start)));
    return result(CodeBlock.of("$L.reduceLanes($T.$L)", total, OPERATORS, largest ? "MAX" : "MIN"));
  }

  /**
   * The largest element. The bits of floats are compared as whole numbers, the order of negative
   * ones turned round, and {@code Functions.atPlace} turns the result back: the maximum of floats
   * takes five times as long, for the sake of NaN and of the sign of 0.
   */
  @Override
  int peak(String wanted, String vector) {
    String highest = name("highest");
    before.addStatement(
        "$T $L = $T.broadcast(INT_SPECIES, $T.place($T.NEGATIVE_INFINITY))",
        INTS,
        highest,
        INTS,
        Functions.class,
        Float.class);
    String bits = name(wanted + "Bits");
    add(
        CodeBlock.of("final $T $L = $L.reinterpretAsInts()", INTS, bits, vector),
        CodeBlock.of(
            "final $T $L = $L.blend($T.NEGATIVE_INFINITY, outside).reinterpretAsInts()",
            INTS,
            bits,
            vector,
            Float.class));
    add(
        CodeBlock.of(
            "$L = $L.max($L.lanewise($T.ASHR, 31).lanewise($T.LSHR, 1).lanewise($T.XOR, $L))",
            highest,
            highest,
            bits,
            OPERATORS,
            OPERATORS,
            OPERATORS,
            bits));
    return result(
        CodeBlock.of("$T.atPlace($L.reduceLanes($T.MAX))", Functions.class, highest, OPERATORS));
  }

  @Override
  OptionalInt highest(List<String> exponents) {
    String highest = name("highest");
    before.addStatement(
        "$T $L = $T.broadcast(INT_SPECIES, $T.MIN_VALUE)", INTS, highest, INTS, Integer.class);
    exponents.forEach(vector ->
        add(CodeBlock.of("$L = $L.max($L.reinterpretAsInts())", highest, highest, vector)));
    return OptionalInt.of(
        result(
            CodeBlock.of(
                "$T.intBitsToFloat($L.reduceLanes($T.MAX))", Float.class, highest, OPERATORS)));
  }

  private String accumulator(String wanted, CodeBlock start) {
    String name = name(wanted);
    before.addStatement("$T $L = $L", VECTOR, name, start);
    return name;
  }

  /**
   * The lanes of a sum, which the caller adds up: in which order {@code reduceLanes} does depends
   * on whether it was compiled, and so would the bits.
   */
  private int lanes(String total) {
    int result = result();
    results.add(CodeBlock.of("$L.intoArray(sums, $L)", total, slot(result)));
    return result;
  }

  private int result(CodeBlock value) {
    int result = result();
    results.add(CodeBlock.of("sums[$L] = $L", slot(result), value));
    return result;
  }

  @Override
  List<MethodSpec> methods(String name, String documentation) {
    MethodSpec.Builder method = head(name, documentation);
    method
        .addCode(before.build())
        .addStatement("int i = 0")
        .beginControlFlow("for (; i <= count - LANES; i += LANES)")
        .addCode(main.build())
        .endControlFlow()
        .beginControlFlow("if (i < count)")
        .addStatement("final $T inside = SPECIES.indexInRange(i, count)", MASK);
    CodeBlock end = tail.build();
    if (end.toString().contains("outside")) {
      method.addStatement("final $T outside = inside.not()", MASK);
    }
    method.addCode(end).endControlFlow();
    results.forEach(method::addStatement);
    return List.of(method.build());
  }
}
