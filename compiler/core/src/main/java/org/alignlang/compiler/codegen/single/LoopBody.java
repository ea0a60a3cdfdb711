package org.alignlang.compiler.codegen.single;

import com.palantir.javapoet.ArrayTypeName;
import com.palantir.javapoet.CodeBlock;
import com.palantir.javapoet.MethodSpec;
import com.palantir.javapoet.TypeName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import javax.lang.model.element.Modifier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;

/**
 * A static method that goes over a stretch of arrays, and what stands in its loop. A value of the
 * loop is the name of a variable; what is the same for all elements is known before the loop.
 */
abstract class LoopBody {
  static final TypeName FLOATS = ArrayTypeName.of(TypeName.FLOAT);

  private final Set<String> taken;
  private final String index;
  final Map<String, Parameter> parameters = new LinkedHashMap<>();
  final Map<Object, String> hoisted = new HashMap<>();
  private int results;

  record Parameter(TypeName type, CodeBlock argument, boolean advances) {}

  /** How two values are compared, by its name in the Vector API. */
  enum Comparison {
    LT,
    LE,
    EQ,
    NE
  }

  /**
   * An exponential of shifted logits.
   *
   * @param value {@code 2^t}
   * @param exponent t, and -127 where the value is 0: a product with it needs no mask
   */
  record Power(String value, String exponent) {}

  /**
   * @param own names that the method has in any case
   * @param index what counts the elements that the loop has gone over
   */
  LoopBody(Set<String> own, String index) {
    taken = new HashSet<>(own);
    this.index = index;
  }

  // Parameters, and what is the same for all elements.

  /** An array and where the stretch begins in it, as parameters; gives the text of an element. */
  final String array(String wanted, String argument, CodeBlock first) {
    Object key = List.of("array", argument);
    String known = hoisted.get(key);
    if (known != null) {
      return known;
    }
    String name = JavaText.unique(wanted, taken);
    String begin = JavaText.unique(wanted + "First", taken);
    parameters.put(name, new Parameter(FLOATS, CodeBlock.of("$L", argument), false));
    parameters.put(begin, new Parameter(TypeName.INT, first, true));
    String element = name + ", " + begin + " + " + index;
    hoisted.put(key, element);
    return element;
  }

  /** A whole number, as a parameter. */
  final String integer(String wanted, CodeBlock argument, boolean advances) {
    return hoisted.computeIfAbsent(
        List.of("integer", argument.toString()),
        _ -> {
          String name = JavaText.unique(wanted, taken);
          parameters.put(name, new Parameter(TypeName.INT, argument, advances));
          return name;
        });
  }

  /** A number that all elements have: a constant, or a parameter of the method. */
  final String broadcast(Scalar value, String wanted) {
    if (value.factor() == null) {
      return constant((float) value.number(), wanted);
    }
    CodeBlock text = value.term().at(Binding.WHOLE);
    return hoisted.computeIfAbsent(
        List.of("scalar", text.toString()), _ -> parameter(text, wanted));
  }

  /** A number that is only known when the method runs. */
  abstract String parameter(CodeBlock argument, String wanted);

  /** A known number. */
  abstract String constant(float value, String wanted);

  /** Adds a parameter of the method. */
  final void addParameter(String name, CodeBlock argument) {
    parameters.put(
        name, new Parameter(TypeName.FLOAT, CodeBlock.of("(float) $L", argument), false));
  }

  static CodeBlock literal(float value) {
    if (Float.isInfinite(value)) {
      return CodeBlock.of("$T.$L_INFINITY", Float.class, value > 0 ? "POSITIVE" : "NEGATIVE");
    }
    return value == (int) value && Math.abs(value) < 1e7f
        ? CodeBlock.of("$Lf", (int) value)
        : CodeBlock.of("$Lf", Float.toString(value));
  }

  /** A name that nothing in the method has. */
  final String name(String wanted) {
    return JavaText.unique(wanted, taken);
  }

  // The loop.

  /** Says what the next statements are for. */
  abstract void comment(String text);

  /** The numbers of an array. */
  abstract String load(String wanted, String element);

  /** Puts a value into an array. */
  abstract void store(String value, String element);

  /** {@code -x}. */
  abstract String neg(String wanted, String x);

  /** {@code |x|}. */
  abstract String abs(String wanted, String x);

  abstract String sqrt(String wanted, String x);

  abstract String add(String wanted, String x, String y);

  abstract String sub(String wanted, String x, String y);

  abstract String mul(String wanted, String x, String y);

  abstract String div(String wanted, String x, String y);

  abstract String min(String wanted, String x, String y);

  abstract String max(String wanted, String x, String y);

  /** {@code x y + z}, rounded once. */
  abstract String fma(String wanted, String x, String y, String z);

  /** {@code weight * x}, and 0 where the weight is 0, whatever x is. */
  abstract String weigh(String weight, String x);

  /** {@code weight * x}, and 0 where one of them is 0, whatever the other is. */
  abstract String weighBoth(String weight, String x);

  // Truth.

  abstract String compare(String wanted, Comparison comparison, String x, String y);

  abstract String not(String wanted, String x);

  abstract String and(String wanted, String x, String y);

  abstract String or(String wanted, String x, String y);

  /** Which element is the taken one, if the stretch has it. */
  abstract String oneHot(String taken, String begin);

  /** {@code condition ? yes : no}. */
  abstract String select(String wanted, String condition, String yes, String no);

  // Functions of one value, with the errors that docs/numerics.md states.

  /** {@code 2^t} for {@code t < 128}, where a weight below 2^-126 is 0. */
  abstract Power weight(String wanted, String t);

  /** {@code exp(x)}. */
  abstract String exp(String x);

  /** {@code exp(x) - 1}. */
  abstract String expm1(String x);

  /** {@code log(x)}. */
  abstract String log(String x);

  /** {@code log(1 + x)}. */
  abstract String log1p(String x);

  /** {@code 1 / (1 + exp(-x))}. */
  abstract String sigmoid(String x);

  /** {@code log(1 + exp(x))}. */
  abstract String softplus(String x);

  /** {@code log(1 - exp(x))} for {@code x <= 0}. */
  abstract String log1mExp(String x);

  /** {@code log(exp(a) + exp(b))}. */
  abstract String logAddExp(String a, String b);

  /** {@code a - b}, 0 where both are negative infinity. */
  abstract String logRatio(String a, String b);

  abstract String tanh(String x);

  abstract String arctan(String x);

  abstract String sign(String x);

  abstract String floor(String x);

  /** {@code x^p} for a known p. */
  abstract String power(String x, double p);

  /** {@code x y + z}; negative infinity where elements are missing. */
  abstract String paddedFma(String wanted, String x, String y, String z);

  /** A value; negative infinity where elements are missing. */
  abstract String padded(String wanted, String value);

  // Results.

  /** Adds up a value over the stretch; gives the index of the result in {@code sums}. */
  abstract int sum(String wanted, String value);

  /** Adds up a product whose first factor is 0 where elements are missing. */
  abstract int sumOfProducts(String wanted, String weight, String value);

  /** Adds up {@code weight * value} where the weight, 0 where elements are missing, is not 0. */
  abstract int sumUnderWeight(String wanted, String weight, String value);

  /** Adds up a value that is 0 where elements are missing. */
  abstract int sumOfWeights(String wanted, String weight);

  /** The largest or smallest element. */
  abstract int extreme(String wanted, String value, boolean largest);

  /** The largest element, by the quickest way. */
  abstract int peak(String wanted, String value);

  /**
   * The largest of the exponents of weights as far as they are positive, one for the method: what
   * shows that a shift was too small. Empty if the sum of the weights shows it.
   */
  abstract OptionalInt highest(List<String> exponents);

  /** Makes room for a result and gives its index. */
  final int result() {
    return results++;
  }

  /** Where a result stands: each has as much room as a vector. */
  static CodeBlock slot(int result) {
    return result == 0
        ? CodeBlock.of("0")
        : result == 1 ? CodeBlock.of("LANES") : CodeBlock.of("$L * LANES", result);
  }

  /** How many results there are. */
  final int results() {
    return results;
  }

  // The method.

  /** The call for a stretch: {@code length} elements from {@code begin} on. */
  final CodeBlock call(String method, CodeBlock begin, CodeBlock length) {
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
    if (results > 0) {
      arguments.add(CodeBlock.of("scratch.sums"));
    }
    arguments.addAll(room());
    return CodeBlock.of("$L($L)", method, CodeBlock.join(arguments, ", "));
  }

  /** Arguments for room that the method needs. */
  List<CodeBlock> room() {
    return List.of();
  }

  /** The head of the method. */
  final MethodSpec.Builder head(String name, String documentation) {
    MethodSpec.Builder method =
        MethodSpec.methodBuilder(name)
            .addJavadoc("$L\n", documentation)
            .addModifiers(Modifier.PRIVATE, Modifier.STATIC);
    parameters.forEach((parameter, p) -> method.addParameter(p.type(), parameter));
    method.addParameter(TypeName.INT, "count");
    if (results > 0) {
      method.addParameter(FLOATS, "sums");
    }
    return method;
  }

  /** The method, and what it calls. */
  abstract List<MethodSpec> methods(String name, String documentation);
}
