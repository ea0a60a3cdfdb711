package org.alignlang.compiler.symbolic;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Writes sums as Align text, as Unicode mathematics and in LaTeX. */
final class SumPrinter {
  private enum Syntax {
    TEXT,
    UNICODE,
    LATEX
  }

  /** What is written for u. */
  sealed interface Variable {
    /** A name. */
    record Named(String name) implements Variable {}

    /** exp of an expression in y. */
    record ExponentialOf(Sum inner) implements Variable {}

    /** An expression in y itself. */
    record Value(Sum inner) implements Variable {}

    /** The Wright omega function of an expression in y. */
    record OmegaOf(Sum inner) implements Variable {}
  }

  /** How tightly a written piece holds together. */
  private enum Strength {
    SUM,
    PRODUCT,
    /** A function with an argument without parentheses, as in log u. */
    APPLICATION,
    POWER,
    ATOM
  }

  private record Piece(String written, Strength strength) {}

  /** A coefficient as numerator / denominator * log(logarithm of). */
  private record Coefficient(double numerator, int denominator, int logarithmOf) {}

  private static final Variable Y = new Variable.Named("y");
  private static final Variable U = new Variable.Named("u");
  private static final int BRIEF = 80;
  private static final int MAX_DENOMINATOR = 1000;
  private static final int[] LOGARITHMS = {2, 3, 5, 6, 7, 10};

  private final Syntax syntax;
  private final Variable variable;

  private SumPrinter(Syntax syntax, Variable variable) {
    this.syntax = syntax;
    this.variable = variable;
  }

  static String text(Sum sum) {
    return new SumPrinter(Syntax.TEXT, U).sum(sum);
  }

  static String unicode(Sum sum) {
    return new SumPrinter(Syntax.UNICODE, U).sum(sum);
  }

  static String latex(Sum sum) {
    return new SumPrinter(Syntax.LATEX, U).sum(sum);
  }

  /** A sum in some quantity w plus a sum in y itself. */
  static Formula formula(Sum inW, Variable w, Sum inY) {
    return new Formula(
        formula(Syntax.TEXT, inW, w, inY),
        formula(Syntax.UNICODE, inW, w, inY),
        formula(Syntax.LATEX, inW, w, inY));
  }

  private static String formula(Syntax syntax, Sum inW, Variable w, Sum inY) {
    String first = new SumPrinter(syntax, w).sum(inW);
    String second = new SumPrinter(syntax, Y).sum(inY);
    if (inY.isZero()) {
      return first;
    }
    if (inW.isZero()) {
      return second;
    }
    String minus = syntax == Syntax.UNICODE ? "−" : "-";
    if (first.startsWith(minus) && !second.startsWith(minus)) {
      return second + " " + minus + " " + first.substring(minus.length());
    }
    return second.startsWith(minus)
        ? first + " " + minus + " " + second.substring(minus.length())
        : first + " + " + second;
  }

  /** The text for use inside a message. */
  static String brief(Sum sum) {
    if (sum.terms().size() > BRIEF) {
      return "a sum of " + sum.terms().size() + " terms";
    }
    String text = text(sum);
    return text.length() <= BRIEF ? text : text.substring(0, BRIEF - 3) + "...";
  }

  /** A number as Align text. */
  static String number(double value) {
    return new SumPrinter(Syntax.TEXT, U).sum(constant(value));
  }

  private static Sum constant(double value) {
    return value == 0 ? Sum.ZERO : new Sum(List.of(new Term(value, List.of())));
  }

  // Sums.

  private String sum(Sum sum) {
    if (sum.isZero()) {
      return "0";
    }
    List<Term> terms = new ArrayList<>(sum.terms().stream().map(this::withoutMinusBelow).toList());
    // A sum does not start with a minus sign if it can be helped.
    if (terms.get(0).coefficient() < 0) {
      for (int i = 1; i < terms.size(); i++) {
        if (terms.get(i).coefficient() > 0) {
          terms.add(0, terms.remove(i));
          break;
        }
      }
    }
    String minus = syntax == Syntax.UNICODE ? "−" : "-";
    StringBuilder written = new StringBuilder();
    for (Term term : terms) {
      boolean negative = term.coefficient() < 0;
      if (written.isEmpty()) {
        written.append(negative ? minus : "");
      } else {
        written.append(' ').append(negative ? minus : "+").append(' ');
      }
      written.append(atLeast(term(Math.abs(term.coefficient()), term.factors()), Strength.PRODUCT));
    }
    return written.toString();
  }

  /** In a formula in y, -1 / (w - 1) is written as 1 / (1 - w): w is mostly below. */
  private Term withoutMinusBelow(Term term) {
    if (variable.equals(U) || term.coefficient() > 0) {
      return term;
    }
    for (int i = 0; i < term.factors().size(); i++) {
      Factor factor = term.factors().get(i);
      if (factor.atom() instanceof Atom.Group(Sum base)
          && factor.exponent() < 0
          && Numbers.isInteger(factor.exponent())
          && !Numbers.isEven(factor.exponent())
          && base.terms().stream().anyMatch(inner -> inner.coefficient() < 0)) {
        List<Factor> factors = new ArrayList<>(term.factors());
        factors.set(i, new Factor(new Atom.Group(Normaliser.scale(base, -1)), factor.exponent()));
        return new Term(-term.coefficient(), factors);
      }
    }
    return term;
  }

  private Piece piece(Sum sum) {
    if (sum.terms().size() == 1 && sum.terms().get(0).coefficient() > 0) {
      Term term = sum.terms().get(0);
      return term(term.coefficient(), term.factors());
    }
    return new Piece(sum(sum), sum.isZero() ? Strength.ATOM : Strength.SUM);
  }

  // Terms.

  private Piece term(double size, List<Factor> factors) {
    Coefficient coefficient = coefficient(size);
    List<Piece> above = new ArrayList<>();
    List<Piece> below = new ArrayList<>();
    for (Factor factor : factors) {
      if (factor.exponent() < 0 && !isExponential(factor.atom())) {
        below.add(power(factor.atom(), -factor.exponent()));
      } else {
        above.add(power(factor.atom(), factor.exponent()));
      }
    }
    if (coefficient.logarithmOf() > 0) {
      above.add(log(new Piece(digits(coefficient.logarithmOf()), Strength.ATOM)));
    }
    if (coefficient.numerator() != 1 || above.isEmpty()) {
      above.add(0, new Piece(digits(coefficient.numerator()), Strength.ATOM));
    }
    if (coefficient.denominator() != 1) {
      below.add(0, new Piece(digits(coefficient.denominator()), Strength.ATOM));
    }
    Piece numerator = product(above);
    if (below.isEmpty()) {
      return numerator;
    }
    Piece denominator = product(below);
    return switch (syntax) {
      case TEXT ->
          new Piece(
              atLeast(numerator, Strength.PRODUCT) + " / " + atLeast(denominator, Strength.POWER),
              Strength.PRODUCT);
      case UNICODE ->
          new Piece(
              (numerator.written().contains(" ")
                      ? atLeast(numerator, Strength.POWER)
                      : numerator.written())
                  + "/"
                  + atLeast(denominator, Strength.POWER),
              Strength.PRODUCT);
      case LATEX ->
          new Piece(
              "\\frac{" + numerator.written() + "}{" + denominator.written() + "}",
              Strength.PRODUCT);
    };
  }

  /** Whether an atom is written as an exponential, whose exponent may be negative. */
  private boolean isExponential(Atom atom) {
    return atom instanceof Atom.Exp
        || (atom instanceof Atom.U && variable instanceof Variable.ExponentialOf);
  }

  private Piece product(List<Piece> pieces) {
    if (pieces.size() == 1) {
      return pieces.get(0);
    }
    StringBuilder written = new StringBuilder();
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      String next = atLeast(piece, Strength.APPLICATION);
      if (i > 0) {
        written.append(
            switch (syntax) {
              case TEXT -> " * ";
              case UNICODE -> between(pieces.get(i - 1), next, "", " ", " · ");
              case LATEX -> between(pieces.get(i - 1), next, " ", " ", " \\cdot ");
            });
      }
      written.append(next);
    }
    return new Piece(written.toString(), Strength.PRODUCT);
  }

  /** 2u, u log u and log u · log(u + 1): nothing, a space, or a dot. */
  private static String between(Piece before, String next, String none, String space, String dot) {
    char first = next.charAt(0);
    if (before.strength() == Strength.APPLICATION || Character.isDigit(first)) {
      return dot;
    }
    boolean number = before.written().chars().allMatch(c -> Character.isDigit(c) || c == '.');
    boolean simple = next.length() == 1 || (!next.contains(" ") && first != 'l' && first != 'e');
    return number && simple ? none : space;
  }

  // Factors.

  private Piece power(Atom atom, double exponent) {
    if (isExponential(atom)) {
      Sum inner =
          atom instanceof Atom.Exp(Sum argument)
              ? argument
              : ((Variable.ExponentialOf) variable).inner();
      SumPrinter printer = atom instanceof Atom.Exp ? this : new SumPrinter(syntax, Y);
      String argument = printer.sum(Normaliser.scale(inner, exponent));
      return syntax == Syntax.LATEX
          ? new Piece("e^{" + argument + "}", Strength.POWER)
          : new Piece("exp(" + argument + ")", Strength.ATOM);
    }
    return power(atom(atom), exponent);
  }

  private Piece power(Piece base, double exponent) {
    if (exponent == 1) {
      return base;
    }
    if (exponent == 0.5) {
      return switch (syntax) {
        case TEXT -> new Piece("sqrt(" + base.written() + ")", Strength.ATOM);
        case UNICODE -> new Piece("√" + atLeast(base, Strength.ATOM), Strength.POWER);
        case LATEX -> new Piece("\\sqrt{" + base.written() + "}", Strength.ATOM);
      };
    }
    String held = atLeast(base, Strength.ATOM);
    return new Piece(
        switch (syntax) {
          case TEXT -> held + "^" + atLeast(piece(constant(exponent)), Strength.POWER);
          case UNICODE ->
              Numbers.isInteger(exponent)
                  ? held + superscript(digits(exponent))
                  : held + "^" + atLeast(piece(constant(exponent)), Strength.POWER);
          case LATEX -> held + "^{" + sum(constant(exponent)) + "}";
        },
        Strength.POWER);
  }

  private Piece atom(Atom atom) {
    return switch (atom) {
      case Atom.U() -> variable();
      case Atom.Group(Sum base) -> piece(base);
      case Atom.Log(Sum argument) -> log(argument);
      case Atom.Exp(Sum argument) -> power(atom, 1);
      case Atom.Abs(Sum argument) ->
          switch (syntax) {
            case TEXT -> call("abs", argument);
            case UNICODE -> new Piece("|" + sum(argument) + "|", Strength.ATOM);
            case LATEX -> new Piece("\\left|" + sum(argument) + "\\right|", Strength.ATOM);
          };
      case Atom.Sign(Sum argument) ->
          switch (syntax) {
            case TEXT -> call("sign", argument);
            case UNICODE -> call("sgn", argument);
            case LATEX ->
                new Piece("\\operatorname{sgn}\\left(" + sum(argument) + "\\right)", Strength.ATOM);
          };
    };
  }

  private Piece variable() {
    return switch (variable) {
      case Variable.Named(String name) -> new Piece(name, Strength.ATOM);
      case Variable.ExponentialOf(Sum inner) -> power(new Atom.U(), 1);
      case Variable.Value(Sum inner) -> new SumPrinter(syntax, Y).piece(inner);
      case Variable.OmegaOf(Sum inner) -> {
        String argument = new SumPrinter(syntax, Y).sum(inner);
        yield switch (syntax) {
          case TEXT -> new Piece("wright_omega(" + argument + ")", Strength.ATOM);
          case UNICODE -> new Piece("ω(" + argument + ")", Strength.ATOM);
          case LATEX -> new Piece("\\omega\\left(" + argument + "\\right)", Strength.ATOM);
        };
      }
    };
  }

  private Piece log(Sum argument) {
    if (variable instanceof Variable.ExponentialOf(Sum inner) && argument.equals(Sum.variable())) {
      return new SumPrinter(syntax, Y).piece(inner);
    }
    return log(piece(argument));
  }

  private Piece log(Piece argument) {
    boolean simple = argument.strength() == Strength.ATOM && argument.written().length() <= 2;
    return switch (syntax) {
      case TEXT -> new Piece("log(" + argument.written() + ")", Strength.ATOM);
      case UNICODE ->
          simple
              ? new Piece("log " + argument.written(), Strength.APPLICATION)
              : new Piece("log(" + argument.written() + ")", Strength.ATOM);
      case LATEX ->
          simple
              ? new Piece("\\log " + argument.written(), Strength.APPLICATION)
              : new Piece("\\log\\left(" + argument.written() + "\\right)", Strength.ATOM);
    };
  }

  private Piece call(String name, Sum argument) {
    return new Piece(name + "(" + sum(argument) + ")", Strength.ATOM);
  }

  private String atLeast(Piece piece, Strength strength) {
    if (piece.strength().compareTo(strength) >= 0) {
      return piece.written();
    }
    return syntax == Syntax.LATEX
        ? "\\left(" + piece.written() + "\\right)"
        : "(" + piece.written() + ")";
  }

  // Numbers.

  private static Coefficient coefficient(double size) {
    if (isShort(size)) {
      return new Coefficient(size, 1, 0);
    }
    Optional<Coefficient> fraction = fraction(size, 0);
    if (fraction.isPresent()) {
      return fraction.get();
    }
    for (int base : LOGARITHMS) {
      double ratio = Numbers.snap(size / Math.log(base));
      Optional<Coefficient> multiple =
          isShort(ratio) ? Optional.of(new Coefficient(ratio, 1, base)) : fraction(ratio, base);
      if (multiple.isPresent()
          && Math.abs(value(multiple.get()) - size) <= 2 * Math.ulp(size)
          && multiple.get().denominator() <= 12
          && multiple.get().numerator() <= 100) {
        return multiple.get();
      }
    }
    return new Coefficient(size, 1, 0);
  }

  private static double value(Coefficient coefficient) {
    return coefficient.numerator()
        / coefficient.denominator()
        * Math.log(coefficient.logarithmOf());
  }

  private static Optional<Coefficient> fraction(double value, int logarithmOf) {
    for (int denominator = 2; denominator <= MAX_DENOMINATOR; denominator++) {
      double numerator = Math.rint(value * denominator);
      if (numerator > 0 && numerator < 1e6 && numerator / denominator == value) {
        return Optional.of(new Coefficient(numerator, denominator, logarithmOf));
      }
    }
    return Optional.empty();
  }

  /** Whether a number is written with few digits. */
  static boolean isShort(double value) {
    // Small whole numbers, which most are, need no decimal arithmetic.
    boolean small = value == Math.rint(value) && Math.abs(value) < 1e5;
    return small
        || Double.isInfinite(value)
        || new BigDecimal(Double.toString(value)).precision() <= 6;
  }

  private String digits(double value) {
    if (Double.isInfinite(value)) {
      return syntax == Syntax.UNICODE ? "∞" : syntax == Syntax.LATEX ? "\\infty" : "infinity";
    }
    if (value == Math.rint(value) && Math.abs(value) < 1e15) {
      return Long.toString((long) value);
    }
    String written = Double.toString(value);
    int mark = written.indexOf('E');
    if (mark < 0) {
      return written;
    }
    String mantissa = written.substring(0, mark);
    if (mantissa.endsWith(".0")) {
      mantissa = mantissa.substring(0, mantissa.length() - 2);
    }
    String exponent = written.substring(mark + 1);
    return syntax == Syntax.LATEX
        ? mantissa + " \\cdot 10^{" + exponent + "}"
        : mantissa + "e" + exponent;
  }

  private static String superscript(String digits) {
    StringBuilder raised = new StringBuilder();
    for (char c : digits.toCharArray()) {
      raised.append("⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(c - '0'));
    }
    return raised.toString();
  }
}
