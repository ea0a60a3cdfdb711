package org.alignlang.compiler.format;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.alignlang.compiler.ast.Expression;

/**
 * Lays expressions out. Operators begin the lines that they break, since a line that begins with a
 * parenthesis would not continue the line before.
 */
final class ExpressionLayout {
  private static final Doc SPACE = Doc.text(" ");

  private final TokenCursor tokens;

  ExpressionLayout(TokenCursor tokens) {
    this.tokens = tokens;
  }

  /** An expression with the parentheses around it, which the tree does not hold. */
  Doc expression(Expression e) {
    if (tokens.peek().start() < e.span().start()) {
      Doc open = tokens.take("(");
      Doc inner = expression(e);
      return Doc.group(open, Doc.nest(2, Doc.softLine(), inner), Doc.softLine(), tokens.take(")"));
    }
    return switch (e) {
      case Expression.NumberLiteral _,
          Expression.TextLiteral _,
          Expression.TruthLiteral _,
          Expression.NameReference _ ->
          tokens.takeUntil(e.span().end());
      case Expression.ListLiteral list -> bracketed("[", list.elements(), "]");
      case Expression.Negated negated -> Doc.sequence(tokens.take(), expression(negated.operand()));
      case Expression.Not not -> Doc.sequence(tokens.take("not"), SPACE, expression(not.operand()));
      case Expression.Binary binary -> binary(binary);
      case Expression.Conditional c ->
          Doc.group(
              tokens.take("if"),
              SPACE,
              expression(c.condition()),
              Doc.nest(
                  2,
                  Doc.line(),
                  tokens.take("then"),
                  SPACE,
                  expression(c.yes()),
                  Doc.line(),
                  tokens.take("else"),
                  SPACE,
                  expression(c.no())));
      case Expression.Gated gated ->
          Doc.group(
              expression(gated.value()),
              Doc.nest(2, Doc.line(), tokens.take("when"), SPACE, expression(gated.condition())));
      case Expression.Member member ->
          Doc.sequence(expression(member.target()), tokens.take("."), tokens.take());
      case Expression.Call call ->
          Doc.sequence(expression(call.function()), arguments(call.arguments()));
      case Expression.Index index ->
          Doc.sequence(expression(index.target()), bracketed("[", index.indices(), "]"));
      case Expression.Accepted accepted -> {
        List<Doc> parts = new ArrayList<>(List.of(expression(accepted.value()), SPACE));
        parts.add(tokens.take("accept"));
        parts.add(SPACE);
        parts.add(tokens.take());
        if (accepted.reason().isPresent()) {
          parts.add(SPACE);
          parts.add(tokens.take());
        }
        yield Doc.sequence(parts);
      }
    };
  }

  private Doc bracketed(String open, List<Expression> elements, String close) {
    Doc opened = tokens.take(open);
    List<Doc> items = new ArrayList<>();
    for (Expression element : elements) {
      items.add(withComma(expression(element)));
    }
    Doc closed = tokens.take(close);
    return elements.stream().allMatch(ExpressionLayout::isNumber)
        ? filled(opened, items, closed)
        : enclosed(opened, items, closed);
  }

  private static boolean isNumber(Expression expression) {
    return expression instanceof Expression.NumberLiteral
        || expression instanceof Expression.Negated negated && isNumber(negated.operand());
  }

  /** The arguments of a call in their parentheses. */
  Doc arguments(List<Expression.Argument> arguments) {
    Doc opened = tokens.take("(");
    List<Doc> items = new ArrayList<>();
    for (Expression.Argument argument : arguments) {
      List<Doc> parts = new ArrayList<>();
      if (argument.name().isPresent()) {
        parts.addAll(List.of(tokens.take(), SPACE, tokens.take("="), SPACE));
      }
      parts.add(expression(argument.value()));
      if (argument.against().isPresent()) {
        Doc bar = tokens.take();
        parts.add(
            Doc.nest(2, Doc.line(), bar, SPACE, expression(argument.against().orElseThrow())));
      }
      items.add(withComma(Doc.group(Doc.sequence(parts))));
    }
    return enclosed(opened, items, tokens.take(")"));
  }

  /** An item of a list, with the comma if one follows. */
  Doc withComma(Doc item) {
    return tokens.peek().text().equals(",") ? Doc.sequence(item, tokens.take()) : item;
  }

  /** Numbers in brackets: on one line, or as many on each as fit. */
  private static Doc filled(Doc open, List<Doc> items, Doc close) {
    List<Doc> parts = new ArrayList<>();
    for (Doc item : items) {
      parts.add(parts.isEmpty() ? item : Doc.group(Doc.line(), item));
    }
    return enclosed(open, parts.isEmpty() ? items : List.of(Doc.sequence(parts)), close);
  }

  /** Items in brackets: on one line, or each on its own. */
  static Doc enclosed(Doc open, List<Doc> items, Doc close) {
    if (items.isEmpty()) {
      return Doc.sequence(open, close);
    }
    return Doc.group(
        open,
        Doc.nest(2, Doc.softLine(), Doc.sequence(Doc.separated(items, Doc.line()))),
        Doc.softLine(),
        close);
  }

  /** A chain of operators of one precedence, broken before each of them. */
  private Doc binary(Expression.Binary binary) {
    if (binary.operator() == Expression.Operator.POWER) {
      return Doc.sequence(expression(binary.left()), tokens.take("^"), expression(binary.right()));
    }
    Deque<Expression.Binary> chain = new ArrayDeque<>();
    Expression first = binary;
    while (first instanceof Expression.Binary link
        && precedence(link.operator()) == precedence(binary.operator())
        && link.span().start() == binary.span().start()) {
      chain.push(link);
      first = link.left();
    }
    Doc head = expression(first);
    List<Doc> rest = new ArrayList<>();
    for (Expression.Binary link : chain) {
      rest.add(Doc.line());
      rest.add(tokens.take());
      rest.add(SPACE);
      rest.add(expression(link.right()));
    }
    return Doc.group(head, new Doc.Nest(2, Doc.sequence(rest)));
  }

  static int precedence(Expression.Operator operator) {
    return switch (operator) {
      case OR -> 0;
      case AND -> 1;
      case LESS, LESS_EQUAL, GREATER, GREATER_EQUAL, EQUAL, NOT_EQUAL -> 2;
      case PLUS, MINUS -> 3;
      case TIMES, DIVIDE -> 4;
      case POWER -> 5;
    };
  }
}
