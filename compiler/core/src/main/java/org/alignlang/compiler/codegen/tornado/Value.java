package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.Optional;
import java.util.function.Supplier;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.Term.Binding;

/**
 * A Java expression in a kernel. Truth values are numbers, 1 and 0.
 *
 * @param code its text
 * @param binding how tightly its outermost operator binds
 * @param kind its type, and whether it may be rounded to single precision
 * @param narrowed the same in single precision
 * @param rest what that leaves of the value, in single precision; for values with a name
 */
record Value(
    CodeBlock code,
    Binding binding,
    Kind kind,
    Supplier<CodeBlock> narrowed,
    Optional<Supplier<CodeBlock>> rest) {

  enum Kind {
    /** A number of the spec. */
    LITERAL,
    /** Single precision: what is made of logits. */
    SINGLE,
    /** Double precision, and the same for all logits that are at hand. */
    COARSE,
    /** Double precision. */
    DOUBLE
  }

  static Value of(Kind kind, CodeBlock code, Binding binding) {
    return new Value(
        code,
        binding,
        kind,
        () ->
            kind == Kind.SINGLE
                ? code
                : CodeBlock.of("(float) $L", at(code, binding, Binding.WHOLE)),
        Optional.empty());
  }

  static Value whole(Kind kind, String format, Object... arguments) {
    return of(kind, CodeBlock.of(format, arguments), Binding.WHOLE);
  }

  /** A number that both precisions can hold. */
  static Value literal(double number) {
    CodeBlock text = JavaText.number(number);
    Binding binding = number < 0 || 1 / number < 0 ? Binding.PREFIX : Binding.WHOLE;
    return new Value(
        text, binding, Kind.LITERAL, () -> CodeBlock.of("$Lf", text), Optional.empty());
  }

  /** Whether single precision holds a number, and kernels may have it as a literal. */
  static boolean isLiteral(double number) {
    double size = Math.abs(number);
    return number == 0 || (size <= Float.MAX_VALUE && size >= Float.MIN_NORMAL);
  }

  /** The text where an operand of at least this binding is needed. */
  CodeBlock at(Binding needed) {
    return at(code, binding, needed);
  }

  /** The text in single precision where an operand of at least this binding is needed. */
  CodeBlock singleAt(Binding needed) {
    return switch (kind) {
      case SINGLE -> at(needed);
      case LITERAL -> at(narrowed.get(), binding, needed);
      // A name, or a cast.
      case COARSE, DOUBLE -> at(narrowed.get(), Binding.PREFIX, needed);
    };
  }

  private static CodeBlock at(CodeBlock text, Binding binding, Binding needed) {
    return binding.compareTo(needed) >= 0 ? text : CodeBlock.of("($L)", text);
  }

  boolean isSingle() {
    return kind == Kind.SINGLE;
  }

  boolean isShort() {
    return code.toString().length() <= 48;
  }
}
