package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.List;

/** A piece of mathematics, as it is set and not as it is computed. */
sealed interface Notation {

  /** A number. */
  record Number(double value) implements Notation {}

  /** A name or sign, in both spellings. */
  record Symbol(String unicode, String latex) implements Notation {}

  /** {@code a + b - c}: terms with a minus sign are {@link Negated}. */
  record Total(List<Notation> terms) implements Notation {
    public Total {
      terms = List.copyOf(terms);
    }
  }

  record Negated(Notation operand) implements Notation {}

  record Product(List<Notation> factors) implements Notation {
    public Product {
      factors = List.copyOf(factors);
    }
  }

  record Quotient(Notation over, Notation under) implements Notation {}

  record Power(Notation base, Notation exponent) implements Notation {}

  /** A function without parentheses where its argument needs none: {@code log x}. */
  record Applied(Symbol function, Notation argument) implements Notation {}

  /** A function with parentheses: {@code min(a, b)}. */
  record Called(Notation function, List<Notation> arguments) implements Notation {
    public Called {
      arguments = List.copyOf(arguments);
    }
  }

  /** Something between brackets of its own, as {@code |y|} or {@code 𝔼[x]}. */
  record Enclosed(Symbol open, Notation content, Symbol close) implements Notation {}

  /** A large operator before all that follows in its product: a sum over tokens. */
  record Large(Symbol operator, Notation body) implements Notation {}

  /** {@code left RELATION right}. */
  record Relation(Notation left, Symbol relation, Notation right) implements Notation {}

  /** One value where a condition holds, and another elsewhere. */
  record Cases(Notation condition, Notation yes, Notation no) implements Notation {}

  record Root(Notation operand) implements Notation {}

  /** Pieces side by side. */
  record Row(List<Notation> pieces) implements Notation {
    public Row {
      pieces = List.copyOf(pieces);
    }
  }

  /** Words among mathematics. */
  record Words(String text) implements Notation {}

  static Symbol symbol(String unicode, String latex) {
    return new Symbol(unicode, latex);
  }

  static Notation number(double value) {
    return value < 0 ? new Negated(new Number(-value)) : new Number(value);
  }

  static boolean is(Notation notation, double value) {
    return notation instanceof Number n && n.value() == value;
  }

  static Notation sum(Notation a, Notation b) {
    if (is(a, 0)) {
      return b;
    }
    if (is(b, 0)) {
      return a;
    }
    List<Notation> terms = new ArrayList<>(a instanceof Total t ? t.terms() : List.of(a));
    terms.addAll(b instanceof Total t ? t.terms() : List.of(b));
    return new Total(terms);
  }

  static Notation difference(Notation a, Notation b) {
    return sum(a, negated(b));
  }

  static Notation negated(Notation x) {
    return switch (x) {
      case Negated n -> n.operand();
      case Number n when n.value() == 0 -> n;
      case Total t -> new Total(t.terms().stream().map(Notation::negated).toList());
      default -> new Negated(x);
    };
  }

  static Notation product(Notation a, Notation b) {
    if (a instanceof Negated n) {
      return negated(product(n.operand(), b));
    }
    if (b instanceof Negated n) {
      return negated(product(a, n.operand()));
    }
    if (is(a, 1)) {
      return b;
    }
    if (is(b, 1)) {
      return a;
    }
    List<Notation> over = new ArrayList<>();
    List<Notation> under = new ArrayList<>();
    List<Notation> large = new ArrayList<>();
    for (Notation side : List.of(a, b)) {
      for (Notation factor : factors(side)) {
        switch (factor) {
          case Quotient q -> {
            over.addAll(factors(q.over()));
            under.addAll(factors(q.under()));
          }
          case Large l -> large.add(l);
          default -> over.add(factor);
        }
      }
    }
    Notation front = under.isEmpty() ? joined(over) : quotient(joined(over), joined(under));
    if (large.isEmpty()) {
      return front;
    }
    List<Notation> all = new ArrayList<>();
    if (!is(front, 1)) {
      all.addAll(factors(front));
    }
    all.addAll(large);
    return all.size() == 1 ? all.getFirst() : new Product(all);
  }

  private static List<Notation> factors(Notation x) {
    return x instanceof Product p ? p.factors() : List.of(x);
  }

  /** Numbers stand first, then letters; a factor 1 is left out. */
  private static Notation joined(List<Notation> factors) {
    List<Notation> all = new ArrayList<>(factors);
    all.removeIf(f -> is(f, 1));
    all.sort((x, y) -> Integer.compare(place(x), place(y)));
    return all.isEmpty() ? new Number(1) : all.size() == 1 ? all.getFirst() : new Product(all);
  }

  private static int place(Notation factor) {
    return switch (factor) {
      case Number _ -> 0;
      case Quotient q when q.over() instanceof Number -> 1;
      case Symbol _ -> 2;
      case Applied _ -> 4;
      case Large _ -> 5;
      default -> 3;
    };
  }

  static Notation quotient(Notation over, Notation under) {
    if (over instanceof Negated n) {
      return negated(quotient(n.operand(), under));
    }
    if (is(under, 1)) {
      return over;
    }
    if (over instanceof Quotient q) {
      return quotient(q.over(), product(q.under(), under));
    }
    if (under instanceof Quotient q) {
      return quotient(product(over, q.under()), q.over());
    }
    if (over instanceof Large) {
      return new Product(List.of(new Quotient(new Number(1), under), over));
    }
    if (over instanceof Product p && p.factors().getLast() instanceof Large) {
      List<Notation> before = new ArrayList<>(p.factors());
      Notation large = before.removeLast();
      Notation factor = before.size() == 1 ? before.getFirst() : new Product(before);
      return new Product(List.of(quotient(factor, under), large));
    }
    return new Quotient(over, under);
  }
}
