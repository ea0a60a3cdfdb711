package org.alignlang.compiler.codegen.tornado;

import com.palantir.javapoet.CodeBlock;
import java.util.List;
import java.util.function.Function;
import org.alignlang.compiler.codegen.JavaText;
import org.alignlang.compiler.codegen.jvm.SignatureText;
import org.alignlang.kernel.Level;
import org.alignlang.tornado.DeviceLayout;

/** A layout as the Java expression that makes it. */
final class LayoutText {
  private LayoutText() {}

  static CodeBlock of(DeviceLayout layout) {
    return CodeBlock.of(
        "new $T($>$>\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L,\n$L)$<$<",
        DeviceLayout.class,
        SignatureText.of(layout.signature()),
        list(layout.columns(), LayoutText::slot),
        list(layout.constants(), JavaText::number),
        layout.batchValues(),
        layout.groupValues(),
        layout.rowValues(),
        list(layout.tokenValues(), count -> CodeBlock.of("$L", count)),
        result(layout.loss()),
        list(layout.metrics(), LayoutText::result),
        list(layout.violations(), LayoutText::result),
        list(layout.gradients(), LayoutText::slot),
        list(
            layout.checks(),
            check ->
                CodeBlock.of(
                    "new $T($L, $L, $T.$L, $L, $L)",
                    DeviceLayout.Check.class,
                    JavaText.text(check.place()),
                    JavaText.text(check.what()),
                    Level.class,
                    check.level().name(),
                    JavaText.text(check.sequence()),
                    check.slot())),
        list(
            layout.tasks(),
            task ->
                CodeBlock.of(
                    "new $T($S, $T.$L, $L)",
                    DeviceLayout.Task.class,
                    task.name(),
                    Level.class,
                    task.level().name(),
                    JavaText.text(task.sequence()))));
  }

  private static CodeBlock slot(DeviceLayout.Slot slot) {
    return CodeBlock.of(
        "new $T($L, $T.$L, $L, $L, $L)",
        DeviceLayout.Slot.class,
        JavaText.text(slot.input()),
        Level.class,
        slot.level().name(),
        JavaText.text(slot.sequence()),
        slot.slot(),
        slot.members());
  }

  private static CodeBlock result(DeviceLayout.Result result) {
    return CodeBlock.of("new $T($L, $L)", DeviceLayout.Result.class, result.given(), result.slot());
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
