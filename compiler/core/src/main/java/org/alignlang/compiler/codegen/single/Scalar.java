package org.alignlang.compiler.codegen.single;

import com.palantir.javapoet.CodeBlock;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term;
import org.alignlang.compiler.codegen.jvm.Term.Binding;
import org.jspecify.annotations.Nullable;

/**
 * A number that is the same for all elements of a loop, in double precision.
 *
 * @param number a factor that is known now
 * @param factor the rest, as a Java expression; nothing is 1
 */
record Scalar(double number, @Nullable Term factor) {
  static final Scalar ZERO = new Scalar(0, null);
  static final Scalar ONE = new Scalar(1, null);

  static Scalar of(double number) {
    return new Scalar(number, null);
  }

  static Scalar of(Term term) {
    return new Scalar(1, term);
  }

  /** Whether this is a known number. */
  boolean is(double value) {
    return factor == null && number == value;
  }

  Scalar times(double by) {
    return by == 0 ? ZERO : new Scalar(number * by, factor);
  }

  Scalar times(Scalar by) {
    if (factor == null) {
      return by.times(number);
    }
    if (by.factor == null) {
      return times(by.number);
    }
    CodeBlock product =
        CodeBlock.of("$L * $L", factor.at(Binding.PRODUCT), by.factor.at(Binding.PREFIX));
    return new Scalar(number * by.number, Term.number(product, Binding.PRODUCT));
  }

  Scalar over(Scalar by) {
    if (by.factor == null) {
      return times(1 / by.number);
    }
    CodeBlock quotient =
        factor == null
            ? CodeBlock.of("1 / $L", by.factor.at(Binding.PREFIX))
            : CodeBlock.of("$L / $L", factor.at(Binding.PRODUCT), by.factor.at(Binding.PREFIX));
    return new Scalar(number / by.number, Term.number(quotient, Binding.PRODUCT));
  }

  Scalar plus(Scalar by) {
    if (is(0)) {
      return by;
    }
    if (by.is(0)) {
      return this;
    }
    if (factor == null && by.factor == null) {
      return of(number + by.number);
    }
    if (factor != null && factor.equals(by.factor)) {
      return number + by.number == 0 ? ZERO : new Scalar(number + by.number, factor);
    }
    boolean minus = by.number < 0;
    Term other = (minus ? by.times(-1) : by).term();
    CodeBlock sum =
        CodeBlock.of(
            "$L $L $L", term().at(Binding.SUM), minus ? "-" : "+", other.at(Binding.PRODUCT));
    return new Scalar(1, Term.number(sum, Binding.SUM));
  }

  /** As a Java expression. */
  Term term() {
    if (factor == null) {
      return Term.number(JavaText.number(number), number < 0 ? Binding.PREFIX : Binding.WHOLE);
    }
    if (number == 1) {
      return factor;
    }
    if (number == -1) {
      return Term.number(CodeBlock.of("-$L", factor.at(Binding.WHOLE)), Binding.PREFIX);
    }
    return Term.number(
        CodeBlock.of("$L * $L", JavaText.number(number), factor.at(Binding.PREFIX)),
        Binding.PRODUCT);
  }
}
