package org.alignlang.compiler.codegen.single;

import static org.alignlang.compiler.codegen.single.VectorBody.OPERATORS;

import com.palantir.javapoet.CodeBlock;
import java.util.HashMap;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.alignlang.kernel.Blocks;
import org.jspecify.annotations.Nullable;

/**
 * Elementary functions in single precision, written out in a loop, since a vector must not cross a
 * call. Polynomials are minimax fits of this project (by iteratively reweighted least squares);
 * {@code docs/numerics.md} states the error of each function and tests hold it to that.
 */
final class VectorFunctions {
  /** log2(e), rounded; {@link #NATS} is the inverse of this number, not of log2(e). */
  static final float LOG2E = 1.44269504f;

  /** One unit of a base-2 logarithm in nats, exactly as {@link #LOG2E} has it. */
  static final double NATS = 1 / (double) LOG2E;

  /** 1.5 * 2^23: adding it rounds to a whole number, which then stands in the lowest bits. */
  private static final float ROUND = 12582912f;

  private static final float SMALLEST = 1.17549435e-38f;

  private final VectorBody body;

  /** What has been computed, by function and operand: a softplus and its slope share their exp. */
  private final Map<String, String> known = new HashMap<>();

  VectorFunctions(VectorBody body) {
    this.body = body;
  }

  /**
   * An exponential of shifted logits.
   *
   * @param isZero the mask of where the value is 0
   */
  record Weight(LoopBody.Power power, String isZero) {}

  /**
   * {@code 2^t} for {@code t < 128}, where a weight below 2^-126 is exactly 0: of the degree-5
   * polynomial the error is 9.1e-8 relative. NaN stays NaN.
   */
  Weight weight(String wanted, String t) {
    String small = body.mask("isSmall", "$L.compare($T.LT, -126f)", t, OPERATORS);
    String x =
        body.vector("exponent", "$L.blend($L, $L)", t, body.constant(-127f, "lowest"), small);
    String round = body.constant(ROUND, "round");
    String n = body.vector("whole", "$L.add($L)", x, round);
    String f = body.vector("fraction", "$L.sub($L.sub($L))", x, n, round);
    String p =
        polynomial(
            "power",
            f,
            0.00132647273f,
            0.00967151299f,
            0.0555073359f,
            0.240222424f,
            0.693147004f,
            1f);
    return new Weight(new LoopBody.Power(scaled(wanted, p, n), x), small);
  }

  /** {@code p * 2^n}, with n in the lowest bits of a float that was rounded. */
  private String scaled(String wanted, String p, String n) {
    return body.vector(
        wanted,
        "$L.reinterpretAsInts().add($L.reinterpretAsInts().lanewise($T.LSHL, 23))"
            + ".reinterpretAsFloats()",
        p,
        n,
        OPERATORS);
  }

  /** By Horner's rule, the highest coefficient first. */
  private String polynomial(String wanted, String x, float... coefficients) {
    String value = body.constant(coefficients[0], "c" + (coefficients.length - 1));
    for (int i = 1; i < coefficients.length; i++) {
      String c = body.constant(coefficients[i], "c" + (coefficients.length - 1 - i));
      value = body.vector(wanted, "$L.fma($L, $L)", value, x, c);
    }
    return value;
  }

  /**
   * The parts of an exponential, {@code exp(x) = 2^n (1 + q)}, where it is a float; anything where
   * {@link #ends} does not look at them.
   */
  private record Exponential(String n, String q) {}

  private Exponential reduced(String x) {
    String round = body.constant(ROUND, "round");
    String n = body.vector("whole", "$L.fma($L, $L)", x, body.constant(LOG2E, "log2e"), round);
    String k = body.vector("wholeValue", "$L.sub($L)", n, round);
    String f =
        body.vector(
            "fraction",
            "$L.fma($L, $L.fma($L, $L))",
            k,
            body.constant(2.12194440e-4f, "ln2Low"),
            k,
            body.constant(-0.693359375f, "minusLn2High"),
            x);
    String p =
        polynomial(
            "power",
            f,
            0.0013882393250241876f,
            0.008367180824279785f,
            0.04166722297668457f,
            0.16666539013385773f,
            0.4999999701976776f);
    String square = body.vector("square", "$L.mul($L)", f, f);
    return new Exponential(n, body.vector("power", "$L.fma($L, $L)", p, square, f));
  }

  private String once(String function, String x, UnaryOperator<String> write) {
    String key = function + " " + x;
    String value = known.get(key);
    if (value == null) {
      value = write.apply(x);
      known.put(key, value);
    }
    return value;
  }

  /** {@code exp(x)}; 0 below -87, infinity above 88.7. */
  String exp(String x) {
    return once("exp", x, this::writeExp);
  }

  private String writeExp(String x) {
    Exponential e = reduced(x);
    String one = body.constant(1f, "one");
    String p = body.vector("power", "$L.add($L)", e.q(), one);
    String value = scaled("exp", p, e.n());
    return ends(value, x, "0f");
  }

  /** {@code exp(x) - 1}, without cancellation near 0. */
  String expm1(String x) {
    return once("expm1", x, this::writeExpm1);
  }

  private String writeExpm1(String x) {
    Exponential e = reduced(x);
    // Half of it first: twice the scale of the largest results is infinite.
    String half = body.constant(0.5f, "half");
    String scale = scaled("scale", half, e.n());
    String value =
        body.vector("expm1", "$L.fma($L, $L.sub($L)).mul(2f)", e.q(), scale, scale, half);
    return ends(value, x, "-1f");
  }

  private String ends(String value, String x, String bottom) {
    return body.vector(
        "exp",
        "$L.blend($L, $L.compare($T.LT, -87f)).blend($T.POSITIVE_INFINITY, $L.compare($T.GT,"
            + " 88.7f))",
        value,
        bottom,
        x,
        OPERATORS,
        Float.class,
        x,
        OPERATORS);
  }

  /**
   * {@code log(x)}; negative infinity at 0, NaN below; what is smaller than 1.2e-38 counts as that.
   */
  String log(String x) {
    return once("log", x, y -> log(y, null));
  }

  /** {@code log(x) + correction}, the correction being less than a unit in the last place of x. */
  private String log(String x, @Nullable String correction) {
    String positive = body.vector("positive", "$L.max($L)", x, body.constant(SMALLEST, "smallest"));
    String bits = body.name("exponentBits");
    body.add(
        CodeBlock.of(
            "final $T $L = $L.reinterpretAsInts().sub(0x3f3504f3).and(0xff800000)",
            VectorBody.INTS,
            bits,
            positive));
    String m =
        body.vector(
            "mantissa", "$L.reinterpretAsInts().sub($L).reinterpretAsFloats()", positive, bits);
    String k =
        body.vector(
            "exponent",
            "($T) $L.lanewise($T.ASHR, 23).convert($T.I2F, 0)",
            VectorBody.VECTOR,
            bits,
            OPERATORS,
            OPERATORS);
    String f = body.vector("fraction", "$L.sub($L)", m, body.constant(1f, "one"));
    String p =
        polynomial(
            "series",
            f,
            -0.07634429633617401f,
            0.12761549651622772f,
            -0.131601944565773f,
            0.14201761782169342f,
            -0.16623356938362122f,
            0.20001226663589478f,
            -0.250008225440979f,
            0.3333333134651184f);
    String square = body.vector("square", "$L.mul($L)", f, f);
    String cubed = body.vector("series", "$L.mul($L).mul($L)", p, square, f);
    String small =
        body.vector(
            "small",
            "$L.fma($L, $L)",
            k,
            body.constant(-2.12194440e-4f, "minusLn2Low"),
            correction == null ? cubed : body.vector("series", "$L.add($L)", cubed, correction));
    String rest =
        body.vector("rest", "$L.fma($L, $L)", square, body.constant(-0.5f, "minusHalf"), small);
    String value =
        body.vector(
            "log", "$L.fma($L, $L.add($L))", k, body.constant(0.693359375f, "ln2High"), rest, f);
    return body.vector(
        "log",
        "$L.blend($T.POSITIVE_INFINITY, $L.compare($T.EQ, $T.POSITIVE_INFINITY))"
            + ".blend($T.NEGATIVE_INFINITY, $L.compare($T.EQ, 0f))"
            + ".blend($T.NaN, $L.compare($T.GE, 0f).not())",
        value,
        Float.class,
        x,
        OPERATORS,
        Float.class,
        Float.class,
        x,
        OPERATORS,
        Float.class,
        x,
        OPERATORS);
  }

  /** {@code log(1 + x)}, without cancellation near 0: what 1 + x loses is put back. */
  String log1p(String x) {
    return once("log1p", x, this::writeLog1p);
  }

  private String writeLog1p(String x) {
    String one = body.constant(1f, "one");
    String u = body.vector("oneMore", "$L.add($L)", x, one);
    String lost = body.vector("lost", "$L.sub($L.sub($L))", x, u, one);
    String plain =
        body.mask(
            "isPlain",
            "$L.compare($T.GT, 0f).and($L.compare($T.LT, 1e8f))",
            u,
            OPERATORS,
            u,
            OPERATORS);
    String correction =
        body.vector(
            "correction", "$L.blend($L.div($L), $L)", body.constant(0f, "zero"), lost, u, plain);
    return log(u, correction);
  }

  private String minusSize(String x) {
    return once("minusSize", x, y -> body.vector("minusSize", "$L.abs().neg()", y));
  }

  /** {@code 1 / (1 + exp(-x))}. */
  String sigmoid(String x) {
    String e = exp(minusSize(x));
    String one = body.constant(1f, "one");
    String top = body.vector("top", "$L.blend($L, $L.compare($T.LT, 0f))", one, e, x, OPERATORS);
    return body.vector("sigmoid", "$L.div($L.add($L))", top, e, one);
  }

  /** {@code log(1 + exp(x))}. */
  String softplus(String x) {
    String e = exp(minusSize(x));
    return body.vector("softplus", "$L.max(0f).add($L)", x, log1p(e));
  }

  /**
   * {@code log(1 - exp(x))} for {@code x <= 0}, where what is above 0 by an error of rounding, as
   * the logarithm of a probability of 1 may be, counts as 0.
   */
  String log1mExp(String above) {
    String x =
        body.vector(
            "atMostZero",
            "$L.blend(0f, $L.compare($T.GT, 0f).and($L.compare($T.LT, $L)))",
            above,
            above,
            OPERATORS,
            above,
            OPERATORS,
            LoopBody.literal(Blocks.SLACK));
    String near = log(body.vector("less", "$L.neg()", expm1(x)));
    String far = log1p(body.vector("less", "$L.neg()", exp(x)));
    return body.vector(
        "log1mExp", "$L.blend($L, $L.compare($T.GT, -0.6931472f))", far, near, x, OPERATORS);
  }

  /** {@code log(exp(a) + exp(b))}. */
  String logAddExp(String a, String b) {
    String high = body.vector("high", "$L.max($L)", a, b);
    String low = body.vector("low", "$L.min($L)", a, b);
    String ratio = exp(body.vector("difference", "$L.sub($L)", low, high));
    String value = body.vector("logTotal", "$L.add($L)", high, log1p(ratio));
    return body.vector(
        "logTotal",
        "$L.blend($L, $L.abs().compare($T.EQ, $T.POSITIVE_INFINITY))",
        value,
        high,
        high,
        OPERATORS,
        Float.class);
  }

  /** {@code a - b}, 0 where both are negative infinity. */
  String logRatio(String a, String b) {
    return body.vector(
        "logRatio",
        "$L.sub($L).blend(0f, $L.max($L).compare($T.EQ, $T.NEGATIVE_INFINITY))",
        a,
        b,
        a,
        b,
        OPERATORS,
        Float.class);
  }

  String tanh(String x) {
    String m = expm1(body.vector("minusTwice", "$L.abs().mul(-2f)", x));
    String size = body.vector("tanh", "$L.abs().div($L.add(2f))", m, m);
    return body.vector(
        "tanh", "$L.blend($L.neg(), $L.compare($T.LT, 0f))", size, size, x, OPERATORS);
  }

  String arctan(String x) {
    String one = body.constant(1f, "one");
    String size = body.vector("size", "$L.abs()", x);
    String outer = body.mask("isOuter", "$L.compare($T.GT, 1f)", size, OPERATORS);
    String y = body.vector("inner", "$L.blend($L.div($L), $L)", size, one, size, outer);
    String square = body.vector("square", "$L.mul($L)", y, y);
    String p =
        polynomial(
            "series",
            square,
            0.002849851967766881f,
            -0.016068479046225548f,
            0.04269127547740936f,
            -0.0750427395105362f,
            0.10640924423933029f,
            -0.14203642308712006f,
            0.1999261975288391f,
            -0.3333307206630707f,
            1f);
    String angle = body.vector("angle", "$L.mul($L)", p, y);
    String quarter = body.constant((float) (Math.PI / 2), "quarter");
    String whole = body.vector("angle", "$L.blend($L.sub($L), $L)", angle, quarter, angle, outer);
    return body.vector(
        "arctan", "$L.blend($L.neg(), $L.compare($T.LT, 0f))", whole, whole, x, OPERATORS);
  }

  String sign(String x) {
    return body.vector(
        "sign",
        "$L.blend(1f, $L.compare($T.GT, 0f)).blend(-1f, $L.compare($T.LT, 0f))",
        x,
        x,
        OPERATORS,
        x,
        OPERATORS);
  }

  /** The largest whole number not above x; numbers of 2^23 and more are whole themselves. */
  String floor(String x) {
    String inner =
        body.vector(
            "inner",
            "($T) $L.convert($T.F2I, 0).convert($T.I2F, 0)",
            VectorBody.VECTOR,
            x,
            OPERATORS,
            OPERATORS);
    String below =
        body.vector(
            "below",
            "$L.sub($L.blend(1f, $L.compare($T.GT, $L)))",
            inner,
            body.constant(0f, "zero"),
            inner,
            OPERATORS,
            x);
    return body.vector(
        "floor", "$L.blend($L, $L.abs().compare($T.LT, 8388608f).not())", below, x, x, OPERATORS);
  }

  /** {@code x^p} for a known p: repeated multiplication where p is a small whole number. */
  String power(String x, double p) {
    if (p == Math.rint(p) && Math.abs(p) <= 16 && p != 0) {
      int n = (int) Math.abs(p);
      String value = "";
      String square = x;
      for (int bits = n; bits > 0; bits >>= 1) {
        if ((bits & 1) == 1) {
          value = value.isEmpty() ? square : body.vector("power", "$L.mul($L)", value, square);
        }
        if (bits > 1) {
          square = body.vector("square", "$L.mul($L)", square, square);
        }
      }
      return p > 0 ? value : body.vector("power", "$L.div($L)", body.constant(1f, "one"), value);
    }
    return exp(
        body.vector("logPower", "$L.mul($L)", log(x), body.constant((float) p, "exponentOf")));
  }
}
