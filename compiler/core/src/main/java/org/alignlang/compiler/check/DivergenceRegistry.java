package org.alignlang.compiler.check;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.source.Span;

/** The divergences that a module can call by name without arguments. */
public final class DivergenceRegistry {
  private DivergenceRegistry() {}

  /** The divergence that an expression stands for, such as {@code KL} or {@code alpha(0.3)}. */
  public static Optional<Divergence> find(Expression expression, Scope scope, DiagnosticSink sink) {
    CheckContext context =
        new CheckContext(new GraphBuilder(expression.span(), true), sink, Set.of());
    ExpressionChecker checker = new ExpressionChecker(context);
    try {
      Meaning meaning = checker.check(expression, scope);
      return switch (meaning) {
        case Meaning.DivergenceFamily family ->
            Optional.of(
                checker.divergences().instance(family, List.of(), expression.span(), scope));
        case Meaning.DivergenceName name -> Optional.of(name.divergence());
        case Meaning other ->
            throw context.fail(
                DiagnosticCode.WRONG_THING,
                expression.span(),
                "expected a divergence, found " + other.what());
      };
    } catch (Abandoned _) {
      return Optional.empty();
    }
  }

  /** The divergences that a module can call by name without arguments, by that name. */
  public static Map<String, Divergence> named(Scope scope, Span span) {
    Map<String, Divergence> named = new LinkedHashMap<>();
    for (String name : scope.visible()) {
      if (scope.find(name).orElseThrow() instanceof Meaning.DivergenceFamily family
          && family.declaration().parameters().isEmpty()) {
        // A faulty divergence is reported where it is used.
        CheckContext quiet =
            new CheckContext(new GraphBuilder(span, true), new DiagnosticSink(), Set.of());
        try {
          named.put(
              name,
              new DivergenceTerms(quiet, new ExpressionChecker(quiet))
                  .instance(family, List.of(), family.declaration().span(), scope));
        } catch (Abandoned _) {
          continue;
        }
      }
    }
    return named;
  }
}
