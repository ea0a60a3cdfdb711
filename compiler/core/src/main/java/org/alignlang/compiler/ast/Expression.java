package org.alignlang.compiler.ast;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.alignlang.compiler.source.Span;

/** An expression as written. */
public sealed interface Expression {

  Span span();

  /** The expressions that this one is directly made of, in the order written. */
  default List<Expression> children() {
    return switch (this) {
      case Negated e -> List.of(e.operand());
      case Not e -> List.of(e.operand());
      case Binary e -> List.of(e.left(), e.right());
      case Conditional e -> List.of(e.condition(), e.yes(), e.no());
      case Gated e -> List.of(e.value(), e.condition());
      case Member e -> List.of(e.target());
      case Call e -> {
        List<Expression> parts = new ArrayList<>(List.of(e.function()));
        for (Argument argument : e.arguments()) {
          parts.add(argument.value());
          argument.against().ifPresent(parts::add);
        }
        yield parts;
      }
      case Index e -> {
        List<Expression> parts = new ArrayList<>(List.of(e.target()));
        parts.addAll(e.indices());
        yield parts;
      }
      case ListLiteral e -> e.elements();
      case Accepted e -> List.of(e.value());
      case NumberLiteral _, TextLiteral _, TruthLiteral _, NameReference _ -> List.of();
    };
  }

  /** A number; {@code 1%} has the value 0.01 and is marked as a percentage. */
  record NumberLiteral(Span span, double value, boolean percent) implements Expression {}

  record TextLiteral(Span span, String value) implements Expression {}

  record TruthLiteral(Span span, boolean value) implements Expression {}

  record NameReference(Span span, String name) implements Expression {}

  record ListLiteral(Span span, List<Expression> elements) implements Expression {
    public ListLiteral {
      elements = List.copyOf(elements);
    }
  }

  record Negated(Span span, Expression operand) implements Expression {}

  record Not(Span span, Expression operand) implements Expression {}

  record Binary(Span span, Operator operator, Expression left, Expression right)
      implements Expression {}

  record Conditional(Span span, Expression condition, Expression yes, Expression no)
      implements Expression {}

  /** {@code value when condition}: the value where the condition is true, and 0 elsewhere. */
  record Gated(Span span, Expression value, Expression condition) implements Expression {}

  /** {@code target.name}. */
  record Member(Span span, Expression target, String name) implements Expression {}

  /** {@code function(arguments)}. */
  record Call(Span span, Expression function, List<Argument> arguments) implements Expression {
    public Call {
      arguments = List.copyOf(arguments);
    }
  }

  /** {@code target[indices]}, as in {@code mean[token, sequence]} and {@code E[x]}. */
  record Index(Span span, Expression target, List<Expression> indices) implements Expression {
    public Index {
      indices = List.copyOf(indices);
    }
  }

  /** {@code value accept slug "reason"}: a diagnostic that the writer takes responsibility for. */
  record Accepted(Span span, Expression value, String slug, Optional<String> reason)
      implements Expression {}

  /**
   * An argument of a call.
   *
   * @param name the parameter it is for, if written
   * @param value the value
   * @param against the right side of {@code p || q}
   */
  record Argument(
      Span span, Optional<String> name, Expression value, Optional<Expression> against) {}

  /** Binary operators with their spelling. */
  enum Operator {
    POWER("^"),
    TIMES("*"),
    DIVIDE("/"),
    PLUS("+"),
    MINUS("-"),
    LESS("<"),
    LESS_EQUAL("<="),
    GREATER(">"),
    GREATER_EQUAL(">="),
    EQUAL("=="),
    NOT_EQUAL("!="),
    AND("and"),
    OR("or");

    private final String symbol;

    Operator(String symbol) {
      this.symbol = symbol;
    }

    public String symbol() {
      return symbol;
    }

    /** Whether the result is a truth value of two numbers. */
    public boolean comparison() {
      return ordinal() >= LESS.ordinal() && ordinal() <= NOT_EQUAL.ordinal();
    }
  }
}
