package org.alignlang.compiler.check;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.source.Span;

/** Checks what is declared for others to use, by using it once. */
public final class LibraryChecker {
  private LibraryChecker() {}

  /** Checks an estimator on the plainest objective: {@code maximize E[r]}. */
  public static void check(
      Declaration.EstimatorDeclaration estimator,
      Scope scope,
      boolean pedantic,
      DiagnosticSink sink) {
    if (estimator.parameters().stream().anyMatch(p -> p.defaultValue().isEmpty())) {
      return;
    }
    DiagnosticSink own = new DiagnosticSink();
    check(plain(estimator, true), scope, pedantic, own);
    if (own.sorted().stream().anyMatch(d -> d.code() == DiagnosticCode.UNUSED_DATA)) {
      // The reference is there for estimators that use one, and this one does not.
      own = new DiagnosticSink();
      check(plain(estimator, false), scope, pedantic, own);
    }
    own.sorted().forEach(sink::report);
  }

  private static void check(
      Declaration.ObjectiveDeclaration plain, Scope scope, boolean pedantic, DiagnosticSink sink) {
    ObjectiveChecker.check(plain, scope, Map.of(), Set.of(), true, pedantic, sink);
  }

  private static Declaration.ObjectiveDeclaration plain(
      Declaration.EstimatorDeclaration estimator, boolean withReference) {
    Span span = estimator.nameSpan();
    List<Statement> statements = new ArrayList<>();
    statements.add(new Statement.Actor(span, Statement.Role.POLICY, span, "pi", Optional.empty()));
    if (withReference) {
      statements.add(
          new Statement.Actor(span, Statement.Role.REFERENCE, span, "ref", Optional.empty()));
    }
    statements.add(
        new Statement.Column(
            span,
            Statement.ColumnRole.REWARD,
            span,
            "r",
            Optional.of(new Declaration.TypeExpression(span, "sequence", 0, Optional.empty())),
            Optional.empty()));
    statements.add(
        new Statement.Sense(
            span,
            true,
            new Expression.Index(
                span,
                new Expression.NameReference(span, "E"),
                List.of(new Expression.NameReference(span, "r")))));
    statements.add(
        new Statement.EstimateWith(span, new Expression.NameReference(span, estimator.name())));
    return new Declaration.ObjectiveDeclaration(span, span, "Plain", "", List.of(), statements);
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
