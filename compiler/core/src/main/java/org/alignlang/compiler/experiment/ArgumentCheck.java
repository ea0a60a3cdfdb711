package org.alignlang.compiler.experiment;

import static org.alignlang.compiler.diagnostic.DiagnosticCode.BAD_SETTING;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.ExperimentStatement;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.Span;
import org.alignlang.runtime.experiment.ExperimentException;
import org.alignlang.runtime.experiment.ExperimentPlan;
import org.alignlang.runtime.experiment.ExperimentRunner;

/** Judges the arguments of what an experiment names, which the runtime alone knows. */
final class ArgumentCheck {
  private final Declaration.ExperimentDeclaration declaration;
  private final DiagnosticSink sink;
  private final Set<String> said = new HashSet<>();

  ArgumentCheck(Declaration.ExperimentDeclaration declaration, DiagnosticSink sink) {
    this.declaration = declaration;
    this.sink = sink;
  }

  /** Judges an experiment and its controls; what is wrong in both is said once. */
  void judge(ExperimentPlan plan) {
    try {
      ExperimentRunner.judge(plan);
    } catch (ExperimentException e) {
      report(plan, String.valueOf(e.getMessage()));
    }
    plan.controls().forEach(control -> judge(control.plan()));
  }

  private void report(ExperimentPlan plan, String message) {
    if (!said.add(message)) {
      return;
    }
    Optional<Span> at =
        declaration.statements().stream()
            .flatMap(ArgumentCheck::values)
            .flatMap(ArgumentCheck::components)
            .filter(span -> message.startsWith(span.place() + ": "))
            .findFirst();
    String source = plan.source() + ": ";
    String sentence =
        at.map(span -> message.substring(span.place().length() + 2))
            .orElse(message.startsWith(source) ? message.substring(source.length()) : message);
    sink.report(Diagnostic.of(BAD_SETTING, at.orElse(declaration.nameSpan()), sentence));
  }

  private static Stream<Expression> values(ExperimentStatement statement) {
    return switch (statement) {
      case ExperimentStatement.Setting setting -> Stream.of(setting.value());
      case ExperimentStatement.Control control ->
          control.settings().stream().map(ExperimentStatement.Setting::value);
      case ExperimentStatement.Record _, ExperimentStatement.Plot _, ExperimentStatement.Expect _ ->
          Stream.of();
    };
  }

  /** What may be a task, a policy, an optimiser, a block or a study, outermost first. */
  private static Stream<Span> components(Expression expression) {
    return switch (expression) {
      case Expression.NameReference name -> Stream.of(name.span());
      case Expression.ListLiteral list ->
          list.elements().stream().flatMap(ArgumentCheck::components);
      case Expression.Call call -> {
        List<Span> inner =
            call.arguments().stream().flatMap(argument -> components(argument.value())).toList();
        yield Stream.concat(Stream.of(call.span()), inner.stream());
      }
      default -> Stream.of();
    };
  }
}
