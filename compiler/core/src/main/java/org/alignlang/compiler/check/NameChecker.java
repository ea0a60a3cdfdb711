package org.alignlang.compiler.check;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.diagnostic.Suggestions;

/**
 * Checks the names of a function that is not called yet. Its kinds and levels are those of its
 * arguments, so they are checked where it is called.
 */
final class NameChecker {
  private static final Set<String> WORDS =
      Set.of(
          "E",
          "token",
          "vocab",
          "step",
          "sequence",
          "pair",
          "group",
          "batch",
          "member",
          "rank",
          "exact",
          "k1",
          "k2",
          "k3",
          "loss",
          "reward",
          "ratio",
          "none",
          "y",
          "pi",
          "ref",
          "old");

  private final Scope scope;
  private final DiagnosticSink sink;
  private final Set<String> local = new HashSet<>();

  private NameChecker(Scope scope, DiagnosticSink sink) {
    this.scope = scope;
    this.sink = sink;
  }

  static void check(Declaration.FunctionDeclaration function, Scope scope, DiagnosticSink sink) {
    NameChecker checker = new NameChecker(scope, sink);
    function.parameters().forEach(p -> checker.local.add(p.name()));
    for (Statement.Let let : function.lets()) {
      let.parameters().ifPresent(ps -> ps.forEach(p -> checker.local.add(p.name())));
      checker.visit(let.value());
      checker.local.add(let.name());
    }
    checker.visit(function.body());
  }

  private void visit(Expression expression) {
    switch (expression) {
      case Expression.NameReference name -> name(name);
      case Expression.Index index when isReduction(index.target()) ->
          index.indices().forEach(this::visit);
      default -> expression.children().forEach(this::visit);
    }
  }

  /** Whether a name before brackets is no name of the scope: {@code E} or a reduction. */
  private static boolean isReduction(Expression target) {
    return target instanceof Expression.NameReference name
        && (name.name().equals("E") || BuiltinFunctions.REDUCTIONS.contains(name.name()));
  }

  private void name(Expression.NameReference name) {
    if (local.contains(name.name())
        || WORDS.contains(name.name())
        || BuiltinFunctions.NAMES.contains(name.name())
        || scope.find(name.name()).isPresent()) {
      return;
    }
    List<String> known = new ArrayList<>(scope.visible());
    known.addAll(local);
    known.addAll(BuiltinFunctions.NAMES);
    Diagnostic diagnostic =
        Diagnostic.of(
            DiagnosticCode.UNKNOWN_NAME,
            name.span(),
            "there is no thing called `" + name.name() + "`");
    sink.report(Suggestions.meant(diagnostic, name.name(), known));
  }
}
