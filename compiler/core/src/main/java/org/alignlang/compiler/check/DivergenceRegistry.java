package org.alignlang.compiler.check;

import java.util.List;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.ir.GraphBuilder;

/** The divergences that a module can call by name without arguments. */
final class DivergenceRegistry {
  private DivergenceRegistry() {}

  /** Collects them, so that messages can say what a biased term descends instead. */
  static void namedIn(Scope scope, CheckContext context) {
    for (String name : scope.visible()) {
      if (scope.find(name).orElseThrow() instanceof Meaning.DivergenceFamily family
          && family.declaration().parameters().isEmpty()) {
        // A faulty divergence is reported where it is used.
        CheckContext quiet =
            new CheckContext(
                new GraphBuilder(family.declaration().span(), true),
                new DiagnosticSink(),
                context.logits);
        try {
          Divergence divergence =
              new DivergenceTerms(quiet, new ExpressionChecker(quiet))
                  .instance(family, List.of(), family.declaration().span(), scope);
          context.namedDivergences.put(name, divergence);
        } catch (Abandoned _) {
          continue;
        }
      }
    }
  }
}
