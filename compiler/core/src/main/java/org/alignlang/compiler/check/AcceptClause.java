package org.alignlang.compiler.check;

import java.util.Arrays;
import java.util.List;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.Edit;
import org.alignlang.compiler.diagnostic.Fix;
import org.alignlang.compiler.diagnostic.Suggestions;
import org.alignlang.compiler.source.Span;

/**
 * The {@code accept slug "reason"} behind an expression.
 *
 * @param expression the expression with it
 * @param span the clause alone
 * @param slug what is accepted
 */
record AcceptClause(Expression.Accepted expression, Span span, Span slug) {
  private static final String WORD = "accept";

  static AcceptClause of(Expression.Accepted expression) {
    Span whole = expression.span();
    String text = whole.source().text();
    int at = expression.value().span().end();
    // Between the value and the word there are parentheses, space and comments.
    while (!text.startsWith(WORD, at) && at < whole.end()) {
      int line = text.startsWith("//", at) ? text.indexOf('\n', at) : -1;
      at = line < 0 ? at + 1 : line;
    }
    int slug = Math.max(at, text.indexOf(expression.slug(), at + WORD.length()));
    return new AcceptClause(
        expression,
        whole.source().span(Math.min(at, whole.end()), whole.end()),
        whole.source().span(slug, slug + expression.slug().length()));
  }

  /** That nothing needs it. */
  Diagnostic unused() {
    String text = span.source().text();
    int start = span.start();
    while (start > 0 && text.charAt(start - 1) == ' ') {
      start--;
    }
    return Diagnostic.of(
            DiagnosticCode.UNUSED_ACCEPT,
            expression.span(),
            "nothing here needs `accept " + expression.slug() + "`")
        .withHelp("remove it")
        .withFix(
            Fix.safe(
                "remove `accept " + expression.slug() + "`",
                Edit.remove(span.source().span(start, span.end()))));
  }

  /** That there is no such finding. */
  Diagnostic unknown() {
    boolean dashes = expression.slug().contains("-");
    List<String> known =
        Arrays.stream(DiagnosticCode.values())
            .map(DiagnosticCode::slug)
            .map(s -> dashes ? s : s.replace('-', '_'))
            .toList();
    return Suggestions.meant(
        Diagnostic.of(
            DiagnosticCode.UNKNOWN_NAME,
            slug,
            "there is no diagnostic `" + expression.slug() + "` to accept"),
        expression.slug(),
        known);
  }
}
