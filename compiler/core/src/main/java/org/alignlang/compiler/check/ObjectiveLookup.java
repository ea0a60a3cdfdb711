package org.alignlang.compiler.check;

import java.util.Optional;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;

/** Finds the objective that a name stands for. */
public final class ObjectiveLookup {
  private ObjectiveLookup() {}

  /** An objective with what its module sees. */
  public record Found(Declaration.ObjectiveDeclaration declaration, Scope scope) {}

  /** The objective called {@code Name} or, in an import with {@code as}, {@code module.Name}. */
  public static Optional<Found> find(Expression expression, Scope scope) {
    Optional<Meaning> meaning =
        switch (expression) {
          case Expression.NameReference name -> scope.find(name.name());
          case Expression.Member member
              when member.target() instanceof Expression.NameReference module
                  && scope.find(module.name()).orElse(null)
                      instanceof Meaning.ModuleName imported ->
              imported.scope().own(member.name());
          default -> Optional.empty();
        };
    return meaning
        .filter(Meaning.ObjectiveName.class::isInstance)
        .map(Meaning.ObjectiveName.class::cast)
        .map(o -> new Found(o.declaration(), o.scope()));
  }
}
