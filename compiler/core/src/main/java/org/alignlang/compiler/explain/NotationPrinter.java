package org.alignlang.compiler.explain;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Sets mathematics as Unicode text or in LaTeX that KaTeX understands. */
final class NotationPrinter {
  private static final int WIDTH = 92;

  /** How tightly a written piece holds together. */
  private enum Strength {
    RELATION,
    SUM,
    PRODUCT,
    /** A function with an argument without parentheses, as in log u. */
    APPLICATION,
    POWER,
    ATOM
  }

  private final boolean latex;

  private NotationPrinter(boolean latex) {
    this.latex = latex;
  }

  static String unicode(Notation notation) {
    return new NotationPrinter(false).print(notation);
  }

  static String latex(Notation notation) {
    return new NotationPrinter(true).print(notation);
  }

  /** The lines of {@code left = right} in Unicode, a long sum broken before its signs. */
  static List<String> lines(Notation left, String relation, Notation right) {
    NotationPrinter printer = new NotationPrinter(false);
    String start = printer.print(left);
    String head = (start.isEmpty() ? "" : start + " ") + relation + (relation.isEmpty() ? "" : " ");
    String whole = head + printer.print(right);
    if (!(right instanceof Notation.Total total) || width(whole) <= WIDTH) {
      return List.of(whole);
    }
    String indent = " ".repeat(Math.min(12, width(head)));
    List<String> lines = new ArrayList<>();
    String line = head;
    boolean first = true;
    for (Notation term : total.terms()) {
      boolean minus = term instanceof Notation.Negated;
      Notation inner = term instanceof Notation.Negated n ? n.operand() : term;
      String sign = first ? (minus ? "−" : "") : minus ? "− " : "+ ";
      String text = sign + printer.atLeast(inner, Strength.PRODUCT);
      if (!first && width(line) + 1 + width(text) > WIDTH) {
        lines.add(line);
        line = indent + text;
      } else {
        line += (first ? "" : " ") + text;
      }
      first = false;
    }
    lines.add(line);
    return lines;
  }

  private static int width(String text) {
    return text.codePointCount(0, text.length());
  }

  private String atLeast(Notation notation, Strength least) {
    String written = print(notation);
    return strength(notation).compareTo(least) >= 0 ? written : parentheses(written);
  }

  private String parentheses(String written) {
    return latex ? "\\left(" + written + "\\right)" : "(" + written + ")";
  }

  private Strength strength(Notation notation) {
    return switch (notation) {
      case Notation.Relation _ -> Strength.RELATION;
      case Notation.Total _, Notation.Negated _ -> Strength.SUM;
      case Notation.Product _, Notation.Large _ -> Strength.PRODUCT;
      case Notation.Quotient _ -> latex ? Strength.POWER : Strength.PRODUCT;
      case Notation.Applied _ -> Strength.APPLICATION;
      case Notation.Power _ -> Strength.POWER;
      case Notation.Row _, Notation.Words _ -> Strength.RELATION;
      case Notation.Number n ->
          number(n.value()).contains(latex ? "\\cdot" : "·") ? Strength.PRODUCT : Strength.ATOM;
      case Notation.Root _,
          Notation.Symbol _,
          Notation.Called _,
          Notation.Enclosed _,
          Notation.Cases _ ->
          Strength.ATOM;
    };
  }

  private String print(Notation notation) {
    return switch (notation) {
      case Notation.Number n -> number(n.value());
      case Notation.Symbol s -> latex ? s.latex() : s.unicode();
      case Notation.Words words ->
          latex ? "\\text{" + words.text().replace("_", "\\_") + "}" : words.text();
      case Notation.Total total -> total(total);
      case Notation.Negated n -> minus() + atLeast(n.operand(), Strength.PRODUCT);
      case Notation.Product product -> product(product);
      case Notation.Quotient q ->
          latex
              ? "\\frac{" + print(q.over()) + "}{" + print(q.under()) + "}"
              : overText(q.over()) + "/" + atLeast(q.under(), Strength.POWER);
      case Notation.Power p ->
          latex
              ? base(p.base()) + "^{" + print(p.exponent()) + "}"
              : superscript(p)
                  .orElseGet(() -> base(p.base()) + "^" + atLeast(p.exponent(), Strength.ATOM));
      case Notation.Applied a -> {
        boolean plain =
            a.argument() instanceof Notation.Called
                || a.argument() instanceof Notation.Symbol
                || a.argument() instanceof Notation.Number
                || a.argument() instanceof Notation.Enclosed
                || a.argument() instanceof Notation.Applied
                || (latex && a.argument() instanceof Notation.Quotient);
        String argument = print(a.argument());
        yield print(a.function())
            + (plain
                ? (latex && argument.startsWith("\\left") ? "" : " ") + argument
                : parentheses(argument));
      }
      case Notation.Called c -> print(c.function()) + parentheses(joined(c.arguments()));
      case Notation.Enclosed e ->
          latex
              ? opening(e.open()) + print(e.content()) + closing(e.close())
              : e.open().unicode() + print(e.content()) + e.close().unicode();
      case Notation.Large large ->
          print(large.operator()) + " " + atLeast(large.body(), Strength.PRODUCT);
      case Notation.Root root ->
          latex ? "\\sqrt{" + print(root.operand()) + "}" : "√(" + print(root.operand()) + ")";
      case Notation.Relation r ->
          print(r.left()) + " " + print(r.relation()) + " " + print(r.right());
      case Notation.Cases c ->
          latex
              ? "\\begin{cases}"
                  + print(c.yes())
                  + " & \\text{if } "
                  + print(c.condition())
                  + " \\\\ "
                  + print(c.no())
                  + " & \\text{otherwise}\\end{cases}"
              : "{"
                  + print(c.yes())
                  + " if "
                  + print(c.condition())
                  + ", else "
                  + print(c.no())
                  + "}";
      case Notation.Row row -> {
        StringBuilder written = new StringBuilder();
        for (Notation piece : row.pieces()) {
          boolean comma = piece.equals(Symbols.COMMA);
          written.append(written.isEmpty() || comma ? "" : " ").append(print(piece));
        }
        yield written.toString();
      }
    };
  }

  /** A power of a function or quotient needs parentheses. */
  private String base(Notation base) {
    return base instanceof Notation.Quotient || base instanceof Notation.Power
        ? parentheses(print(base))
        : atLeast(base, Strength.ATOM);
  }

  private java.util.Optional<String> superscript(Notation.Power p) {
    if (p.exponent() instanceof Notation.Number n
        && n.value() == Math.rint(n.value())
        && n.value() >= 0
        && n.value() < 10) {
      return java.util.Optional.of(base(p.base()) + "⁰¹²³⁴⁵⁶⁷⁸⁹".charAt((int) n.value()));
    }
    return java.util.Optional.empty();
  }

  private String overText(Notation over) {
    String written = print(over);
    return strength(over).compareTo(Strength.PRODUCT) >= 0
            && !(over instanceof Notation.Quotient)
            && !(over instanceof Notation.Large)
        ? written
        : parentheses(written);
  }

  private String opening(Notation.Symbol open) {
    String text = open.latex();
    return text.length() == 1 || text.startsWith("\\l") && !text.startsWith("\\left")
        ? "\\left" + text
        : text;
  }

  private String closing(Notation.Symbol close) {
    return "\\right" + close.latex();
  }

  private String joined(List<Notation> arguments) {
    return arguments.stream().map(this::print).collect(Collectors.joining(", "));
  }

  private String minus() {
    return latex ? "-" : "−";
  }

  private String total(Notation.Total total) {
    StringBuilder written = new StringBuilder();
    for (Notation term : positiveFirst(total.terms())) {
      boolean negative = term instanceof Notation.Negated;
      Notation inner = term instanceof Notation.Negated n ? n.operand() : term;
      if (written.isEmpty()) {
        written.append(negative ? minus() : "");
      } else {
        written.append(negative ? " " + minus() + " " : " + ");
      }
      written.append(atLeast(inner, Strength.PRODUCT));
    }
    return written.toString();
  }

  /** A sum of two does not start with a minus sign if it can be helped. */
  private static List<Notation> positiveFirst(List<Notation> terms) {
    return terms.size() == 2
            && terms.get(0) instanceof Notation.Negated
            && !(terms.get(1) instanceof Notation.Negated)
        ? List.of(terms.get(1), terms.get(0))
        : terms;
  }

  private String product(Notation.Product product) {
    StringBuilder written = new StringBuilder();
    Notation before = product.factors().getFirst();
    for (int i = 0; i < product.factors().size(); i++) {
      Notation factor = product.factors().get(i);
      boolean last = i == product.factors().size() - 1;
      // What has no end of its own takes parentheses unless it stands last.
      boolean open = factor instanceof Notation.Large || factor instanceof Notation.Quotient;
      String next =
          open && !last && !(latex && factor instanceof Notation.Quotient)
              ? parentheses(print(factor))
              : atLeast(factor, open && last ? Strength.PRODUCT : Strength.APPLICATION);
      if (i > 0) {
        boolean dot =
            before instanceof Notation.Applied
                || next.charAt(0) >= '0' && next.charAt(0) <= '9'
                || (factor instanceof Notation.Quotient && !latex);
        written.append(dot ? (latex ? " \\cdot " : " · ") : latex ? " \\, " : " ");
      }
      written.append(next);
      before = factor;
    }
    return written.toString();
  }

  private String number(double value) {
    if (Double.isInfinite(value)) {
      return latex ? "\\infty" : "∞";
    }
    double size = Math.abs(value);
    if (size != 0 && (size < 1e-3 || size >= 1e7)) {
      int exponent = (int) Math.floor(Math.log10(size) + 1e-12);
      double mantissa = Math.rint(value / Math.pow(10, exponent) * 1e12) / 1e12;
      String power = latex ? "10^{" + exponent + "}" : "10" + raised(exponent);
      if (mantissa == 1) {
        return power;
      }
      return plain(mantissa) + (latex ? " \\cdot " : "·") + power;
    }
    return plain(value);
  }

  private static String plain(double value) {
    return new BigDecimal(Double.toString(value)).stripTrailingZeros().toPlainString();
  }

  private static String raised(int exponent) {
    StringBuilder written = new StringBuilder(exponent < 0 ? "⁻" : "");
    for (char digit : Integer.toString(Math.abs(exponent)).toCharArray()) {
      written.append("⁰¹²³⁴⁵⁶⁷⁸⁹".charAt(digit - '0'));
    }
    return written.toString();
  }
}
