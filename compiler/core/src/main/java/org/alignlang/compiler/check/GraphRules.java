package org.alignlang.compiler.check;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Statement;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Operation;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.Span;

/**
 * The mistakes that training libraries have shipped, looked for in an objective's whole graph as it
 * was written. {@code docs/rules.md} lists them with where each was seen.
 */
final class GraphRules {
  /** The codes that are reported from here, and accepted here. */
  static final Set<DiagnosticCode> CODES =
      Stream.of(
              RatioRules.CODES,
              PenaltyRules.CODES,
              BoundednessRules.CODES,
              RowWeightRules.CODES,
              Set.of(DiagnosticCode.UNUSED_LET))
          .flatMap(Set::stream)
          .collect(Collectors.toUnmodifiableSet());

  /**
   * What a rule found.
   *
   * @param node the value that it is about
   * @param diagnostic what there is to say, with the place where the value was written
   */
  record Finding(Node node, Diagnostic diagnostic) {}

  private GraphRules() {}

  /**
   * Where a value is written within another, if both are written in one place of one file: values
   * that are named, or come from a library, have no place of their own there.
   */
  static Optional<Span> within(Node whole, Node part) {
    Node value = part;
    while (!strictlyWithin(whole, value)
        && (value.operation() instanceof Operation.Broadcast
            || value.operation() instanceof Operation.Lift)) {
      value = value.operand(0);
    }
    return strictlyWithin(whole, value) ? Optional.of(value.origin()) : Optional.empty();
  }

  private static boolean strictlyWithin(Node whole, Node part) {
    return whole.origin().contains(part.origin()) && !part.origin().contains(whole.origin());
  }

  /** A finding with a change, if there is one. */
  static Diagnostic fixed(Diagnostic diagnostic, Optional<Fix> fix) {
    return fix.map(diagnostic::withFix).orElse(diagnostic);
  }

  /** Puts a call around a value, if it has a place of its own within another. */
  static Optional<Fix> around(Node whole, Node part, String before, String behind) {
    return within(whole, part)
        .map(span ->
            Fix.suggested(
                "write `" + before + "..." + behind + "`",
                Edit.before(span, before),
                Edit.behind(span, behind)));
  }

  /**
   * Applies every rule.
   *
   * @param objective the objective, checked without rewriting
   * @param context what it was checked with
   * @param place where a finding is reported that lies in another file
   * @param pedantic whether findings are reported that are often no mistakes
   */
  static List<Diagnostic> findings(
      CheckedObjective objective, CheckContext context, Span place, boolean pedantic) {
    WrittenGraph graph =
        new WrittenGraph(
            context,
            objective.program().loss(),
            objective.value(),
            objective.declaration().statements());
    List<Finding> found = new ArrayList<>();
    found.addAll(RatioRules.findings(graph));
    found.addAll(PenaltyRules.findings(graph, objective.value()));
    found.addAll(BoundednessRules.findings(graph, place));
    found.addAll(RowWeightRules.findings(graph));
    for (Statement.Let let : context.unusedLets) {
      found.add(
          new Finding(
              graph.loss(),
              Diagnostic.of(
                      DiagnosticCode.UNUSED_LET,
                      let.span(),
                      "`" + let.name() + "` is computed and nothing uses it")
                  .withHelp("use it where it was meant to count, or remove it")
                  .withFix(
                      Fix.safe("remove `" + let.name() + "`", Edit.removeStatement(let.span())))));
    }

    SourceFile own = objective.declaration().span().source();
    Set<CheckContext.AcceptedPart> used = new HashSet<>();
    List<Diagnostic> reported = new ArrayList<>();
    for (Finding finding : found) {
      Diagnostic diagnostic = finding.diagnostic();
      Diagnostic moved = here(diagnostic, own, place);
      Optional<CheckContext.AcceptedPart> accepted =
          context.acceptedParts.stream()
              .filter(p -> p.covers(diagnostic, finding.node()) || p.covers(moved, finding.node()))
              .findFirst();
      accepted.ifPresent(used::add);
      if (!pedantic && diagnostic.code().isPedantic()) {
        continue;
      }
      reported.add(accepted.isPresent() ? CheckContext.accepted(moved) : moved);
    }
    for (CheckContext.AcceptedPart part : context.acceptedParts) {
      Span span = part.expression().span();
      if (!context.severalForms
          && objective.declaration().span().contains(span)
          && used.stream().noneMatch(p -> p.expression().equals(part.expression()))) {
        reported.add(AcceptClause.of(part.expression()).unused());
      }
    }
    return reported;
  }

  /** A finding at a place of this file: one in a library is reported where the library is used. */
  private static Diagnostic here(Diagnostic diagnostic, SourceFile own, Span place) {
    if (diagnostic.span().source().equals(own)) {
      return diagnostic;
    }
    Diagnostic moved =
        Diagnostic.of(diagnostic.code(), place, diagnostic.message())
            .withLabel(diagnostic.span(), "here");
    // What mends it there would mend it for everyone who uses that library.
    return diagnostic.help().map(moved::withHelp).orElse(moved);
  }
}
