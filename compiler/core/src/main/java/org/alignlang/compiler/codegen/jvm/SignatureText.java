package org.alignlang.compiler.codegen.jvm;

import com.palantir.javapoet.CodeBlock;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.kernel.Level;
import org.alignlang.kernel.Signature;

/** A signature as the Java expression that makes it. */
public final class SignatureText {
  private SignatureText() {}

  /** The expression of a signature. */
  public static CodeBlock of(Signature signature) {
    return CodeBlock.of(
        "new $T($>$>\n$S,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L)$<$<",
        Signature.class,
        signature.objective(),
        JavaText.text(signature.source()),
        list(signature.sequences(), s -> CodeBlock.of("$S", s)),
        list(signature.inputs(), SignatureText::input),
        list(
            signature.parameters(),
            p ->
                CodeBlock.of(
                    "new $T($S, $L, $L)",
                    Signature.Parameter.class,
                    p.name(),
                    JavaText.number(p.defaultValue()),
                    p.integer())),
        list(signature.constraints(), SignatureText::constraint),
        list(signature.metrics(), s -> CodeBlock.of("$S", s)),
        list(
            signature.states(),
            s ->
                CodeBlock.of(
                    "new $T($S, $L)",
                    Signature.State.class,
                    s.name(),
                    JavaText.number(s.initial()))),
        signature.measured(),
        signature.grouped(),
        signature.enumerated(),
        discounts(signature.discounts()));
  }

  private static CodeBlock discounts(Map<String, Double> discounts) {
    return CodeBlock.of(
        "$T.of($L)",
        Map.class,
        CodeBlock.join(
            new TreeMap<>(discounts)
                .entrySet().stream()
                    .map(e -> CodeBlock.of("$S, $L", e.getKey(), JavaText.number(e.getValue())))
                    .toList(),
            ", "));
  }

  private static CodeBlock input(Signature.Input input) {
    return CodeBlock.of(
        "new $T($S, $T.$L, $S, $S, $T.$L, $L, $L)",
        Signature.Input.class,
        input.name(),
        Signature.Role.class,
        input.role().name(),
        input.actor(),
        input.sequence(),
        Level.class,
        input.level().name(),
        input.members(),
        input.trained());
  }

  private static CodeBlock constraint(Signature.Constraint constraint) {
    return CodeBlock.of(
        "new $T($S, $S, $S, $T.$L, $L, $L, $L, $L, $L, $L)",
        Signature.Constraint.class,
        constraint.name(),
        constraint.multiplier(),
        constraint.relation(),
        Signature.DualForm.class,
        constraint.form().name(),
        JavaText.number(constraint.initial()),
        JavaText.number(constraint.rate()),
        JavaText.number(constraint.kp()),
        JavaText.number(constraint.ki()),
        JavaText.number(constraint.kd()),
        JavaText.number(constraint.maximum()));
  }

  private static <T> CodeBlock list(List<T> elements, Function<T, CodeBlock> text) {
    if (elements.isEmpty()) {
      return CodeBlock.of("$T.of()", List.class);
    }
    return CodeBlock.of(
        "$T.of($>$>\n$L)$<$<",
        List.class,
        CodeBlock.join(elements.stream().map(text).toList(), ",\n"));
  }
}
