package org.alignlang.compiler.check;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.source.Span;

/** Checks what is declared for others to use, by using it once. */
public final class LibraryChecker {
  private LibraryChecker() {}

  /** Checks an estimator on the plainest objective: {@code maximize E[r]}. */
  public static void check(
      Declaration.EstimatorDeclaration estimator, Scope scope, DiagnosticSink sink) {
    if (estimator.parameters().stream().anyMatch(p -> p.defaultValue().isEmpty())) {
      return;
    }
    Span span = estimator.nameSpan();
    Expression reward = new Expression.NameReference(span, "r");
    Declaration.ObjectiveDeclaration plain =
        new Declaration.ObjectiveDeclaration(
            span,
            span,
            "Plain",
            "",
            List.of(),
            List.of(
                new Statement.Actor(span, Statement.Role.POLICY, span, "pi", Optional.empty()),
                new Statement.Actor(span, Statement.Role.REFERENCE, span, "ref", Optional.empty()),
                new Statement.Column(
                    span,
                    true,
                    span,
                    "r",
                    Optional.of(
                        new Declaration.TypeExpression(span, "sequence", 0, Optional.empty())),
                    Optional.empty()),
                new Statement.Sense(
                    span,
                    true,
                    new Expression.Index(
                        span, new Expression.NameReference(span, "E"), List.of(reward))),
                new Statement.EstimateWith(
                    span, new Expression.NameReference(span, estimator.name()))));
    DiagnosticSink own = new DiagnosticSink();
    ObjectiveChecker.check(plain, scope, Map.of(), Set.of(), true, own);
    for (Diagnostic diagnostic : own.sorted()) {
      // The reference is there for estimators that use one.
      if (diagnostic.code() != DiagnosticCode.UNUSED_DATA) {
        sink.report(diagnostic);
      }
    }
  }

  /** Derives a divergence, if all its parameters have defaults. */
  public static void check(
      Declaration.DivergenceDeclaration divergence, Scope scope, DiagnosticSink sink) {
    if (divergence.parameters().stream().anyMatch(p -> p.defaultValue().isEmpty())) {
      return;
    }
    CheckContext context =
        new CheckContext(new GraphBuilder(divergence.nameSpan(), true), sink, Set.of());
    try {
      new ExpressionChecker(context)
          .divergences()
          .instance(
              new Meaning.DivergenceFamily(divergence, scope),
              List.of(),
              divergence.nameSpan(),
              scope);
    } catch (Abandoned _) {
      return;
    }
  }

  /** Finds names in a function's body that mean nothing. */
  public static void check(
      Declaration.FunctionDeclaration function, Scope scope, DiagnosticSink sink) {
    NameChecker.check(function, scope, sink);
  }
}
