package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.CodeBlock;

/**
 * A Java expression.
 *
 * @param code its text
 * @param binding how tightly its outermost operator binds
 * @param truth whether it is a {@code boolean} and not a {@code double}
 */
public record Term(CodeBlock code, Binding binding, boolean truth) {

  /** Java's operators that are emitted, loosest first. */
  public enum Binding {
    CONDITIONAL,
    OR,
    AND,
    EQUALITY,
    RELATION,
    SUM,
    PRODUCT,
    PREFIX,
    WHOLE
  }

  public static Term number(CodeBlock code, Binding binding) {
    return new Term(code, binding, false);
  }

  public static Term whole(String format, Object... arguments) {
    return number(CodeBlock.of(format, arguments), Binding.WHOLE);
  }

  public static Term truth(CodeBlock code, Binding binding) {
    return new Term(code, binding, true);
  }

  /** The text where an operand of at least this binding is needed. */
  public CodeBlock at(Binding needed) {
    return binding.compareTo(needed) >= 0 ? code : CodeBlock.of("($L)", code);
  }

  /** As a number: 1 for true, 0 for false. */
  public Term asNumber() {
    return truth
        ? number(CodeBlock.of("$L ? 1.0 : 0.0", at(Binding.OR)), Binding.CONDITIONAL)
        : this;
  }

  /** As a truth value: what is not 0 is true. */
  public Term asTruth() {
    return truth ? this : truth(CodeBlock.of("$L != 0.0", at(Binding.RELATION)), Binding.EQUALITY);
  }

  boolean isShort() {
    return code.toString().replace("org.alignlang.kernel.", "").length() <= 48;
  }
}
