package org.alignlang.compiler.codegen.vector;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.ClassName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.ParameterizedTypeName;
import com.palantir.javapoet.TypeName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.alignlang.kernel.Functions;

/**
 * A static method that goes over a stretch of arrays, one vector at a time, with straight-line code
 * in the loop. No vector leaves the method: one that crossed a call that is not inlined would be an
 * object. What does not fill a vector at the end is done once more under a mask.
 */
final class LoopBody {
  private static final String PACKAGE = "jdk.incubator.vector";
  static final ClassName VECTOR = ClassName.get(PACKAGE, "FloatVector");
  static final ClassName INTS = ClassName.get(PACKAGE, "IntVector");
  static final ClassName OPERATORS = ClassName.get(PACKAGE, "VectorOperators");
  static final ClassName SPECIES = ClassName.get(PACKAGE, "VectorSpecies");
  static final TypeName MASK =
      ParameterizedTypeName.get(ClassName.get(PACKAGE, "VectorMask"), ClassName.get(Float.class));
  static final TypeName FLOATS = ArrayTypeName.of(TypeName.FLOAT);

  private static final Set<String> OWN =
      Set.of("i", "count", "sums", "inside", "outside", "SPECIES", "INT_SPECIES", "LANES");

  private final Set<String> taken = new HashSet<>(OWN);
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  private final Map<Object, String> hoisted = new HashMap<>();
  private final CodeBlock.Builder before = CodeBlock.builder();
  private final CodeBlock.Builder main = CodeBlock.builder();
  private final CodeBlock.Builder tail = CodeBlock.builder();
  private final List<CodeBlock> results = new ArrayList<>();
  private String comment = "";

  private record Parameter(TypeName type, CodeBlock argument, boolean advances) {}

  // Parameters and what is computed before the loop.

  /** An array and where the stretch begins in it, as parameters; gives the text of an element. */
  String array(String wanted, String argument, CodeBlock first) {
    Object key = List.of("array", argument);
    String known = hoisted.get(key);
    if (known != null) {
      return known;
    }
    String name = JavaText.unique(wanted, taken);
    String begin = JavaText.unique(wanted + "First", taken);
    parameters.put(name, new Parameter(FLOATS, CodeBlock.of("$L", argument), false));
    parameters.put(begin, new Parameter(TypeName.INT, first, true));
    String element = name + ", " + begin + " + i";
    hoisted.put(key, element);
    return element;
  }

  /** A whole number, as a parameter. */
  String integer(String wanted, CodeBlock argument, boolean advances) {
    return hoisted.computeIfAbsent(
        List.of("integer", argument.toString()),
        _ -> {
          String name = JavaText.unique(wanted, taken);
          parameters.put(name, new Parameter(TypeName.INT, argument, advances));
          return name;
        });
  }

  /** A number in all lanes: a constant, or a parameter of the method. */
  String broadcast(Scalar value, String wanted) {
    if (value.factor() == null) {
      return constant((float) value.number(), wanted);
    }
    CodeBlock text = value.term().at(Binding.WHOLE);
    return hoisted.computeIfAbsent(
        List.of("scalar", text.toString()),
        _ -> {
          String name = JavaText.unique(wanted + "Value", taken);
          parameters.put(
              name, new Parameter(TypeName.FLOAT, CodeBlock.of("(float) $L", text), false));
          String vector = JavaText.unique(wanted, taken);
          before.addStatement(
              "final $T $L = $T.broadcast(SPECIES, $L)", VECTOR, vector, VECTOR, name);
          return vector;
        });
  }

  /** A known number in all lanes. */
  String constant(float value, String wanted) {
    return hoisted.computeIfAbsent(
        List.of("constant", Float.floatToRawIntBits(value)),
        _ -> {
          String vector = JavaText.unique(wanted, taken);
          before.addStatement(
              "final $T $L = $T.broadcast(SPECIES, $L)", VECTOR, vector, VECTOR, literal(value));
          return vector;
        });
  }

  static CodeBlock literal(float value) {
    if (Float.isInfinite(value)) {
      return CodeBlock.of("$T.$L_INFINITY", Float.class, value > 0 ? "POSITIVE" : "NEGATIVE");
    }
    return value == (int) value && Math.abs(value) < 1e7f
        ? CodeBlock.of("$Lf", (int) value)
        : CodeBlock.of("$Lf", Float.toString(value));
  }

  // The loop.

  /** A name that nothing in the method has. */
  String name(String wanted) {
    return JavaText.unique(wanted, taken);
  }

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

  /** The numbers of an array. */
  String load(String wanted, String element) {
    String name = name(wanted);
    CodeBlock start =
        CodeBlock.of("final $T $L = $T.fromArray(SPECIES, $L", VECTOR, name, VECTOR, element);
    add(CodeBlock.of("$L)", start), CodeBlock.of("$L, inside)", start));
    return name;
  }

  /** Puts a vector into an array. */
  void store(String vector, String element) {
    add(
        CodeBlock.of("$L.intoArray($L)", vector, element),
        CodeBlock.of("$L.intoArray($L, inside)", vector, element));
  }

  /** A vector that is negative infinity where lanes are missing. */
  String padded(String wanted, String format, Object... arguments) {
    String name = name(wanted);
    CodeBlock value = CodeBlock.of(format, arguments);
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

  // Sums.

  /** Adds up a vector over the stretch; gives the index of the result in {@code sums}. */
  int sum(String wanted, String vector) {
    String total = accumulator(wanted, CodeBlock.of("$T.zero(SPECIES)", VECTOR));
    add(
        CodeBlock.of("$L = $L.add($L)", total, total, vector),
        CodeBlock.of("$L = $L.add($L.blend(0f, outside))", total, total, vector));
    return lanes(total);
  }

  /** Adds up a product whose first factor is 0 where lanes are missing. */
  int sumOfProducts(String wanted, String weight, String vector) {
    String total = accumulator(wanted, CodeBlock.of("$T.zero(SPECIES)", VECTOR));
    add(CodeBlock.of("$L = $L.fma($L, $L)", total, weight, vector, total));
    return lanes(total);
  }

  /** Adds up a vector that is 0 where lanes are missing. */
  int sumOfWeights(String wanted, String weight) {
    String total = accumulator(wanted, CodeBlock.of("$T.zero(SPECIES)", VECTOR));
    add(CodeBlock.of("$L = $L.add($L)", total, total, weight));
    return lanes(total);
  }

  /** The largest or smallest element. */
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

  /** The largest of vectors as far as they are positive; one for the method. */
  int highest(List<String> vectors) {
    String highest = name("highest");
    before.addStatement(
        "$T $L = $T.broadcast(INT_SPECIES, $T.MIN_VALUE)", INTS, highest, INTS, Integer.class);
    vectors.forEach(vector ->
        add(CodeBlock.of("$L = $L.max($L.reinterpretAsInts())", highest, highest, vector)));
    return result(
        CodeBlock.of("$T.intBitsToFloat($L.reduceLanes($T.MAX))", Float.class, highest, OPERATORS));
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
    results.add(CodeBlock.of("$L.intoArray(sums, $L)", total, slot(results.size())));
    return results.size() - 1;
  }

  private int result(CodeBlock value) {
    results.add(CodeBlock.of("sums[$L] = $L", slot(results.size()), value));
    return results.size() - 1;
  }

  /** Where a result stands: each has as much room as a vector. */
  static CodeBlock slot(int result) {
    return result == 0
        ? CodeBlock.of("0")
        : result == 1 ? CodeBlock.of("LANES") : CodeBlock.of("$L * LANES", result);
  }

  /** How many results there are. */
  int results() {
    return results.size();
  }

  // The method.

  /** The call for a stretch: {@code count} elements from {@code begin} on. */
  CodeBlock call(String method, CodeBlock begin, CodeBlock length) {
    List<CodeBlock> arguments = new ArrayList<>();
    boolean atStart = begin.toString().equals("0");
    parameters
        .values()
        .forEach(parameter ->
            arguments.add(
                !parameter.advances() || atStart
                    ? parameter.argument()
                    : parameter.argument().toString().equals("0")
                        ? begin
                        : CodeBlock.of("$L + $L", parameter.argument(), begin)));
    arguments.add(length);
    if (!results.isEmpty()) {
      arguments.add(CodeBlock.of("scratch.sums"));
    }
    return CodeBlock.of("$L($L)", method, CodeBlock.join(arguments, ", "));
  }

  MethodSpec method(String name, String documentation) {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(name)
            .addJavadoc("$L\n", documentation)
            .addModifiers(Modifier.PRIVATE, Modifier.STATIC);
    parameters.forEach((parameter, p) -> method.addParameter(p.type(), parameter));
    method.addParameter(TypeName.INT, "count");
    if (!results.isEmpty()) {
      method.addParameter(FLOATS, "sums");
    }
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
    return method.build();
  }
}
