package org.alignlang.compiler.explain;

import java.util.ArrayList;
import java.util.List;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.explain.Explanation.Equation;
import org.alignlang.compiler.symbolic.Conjugate;
import org.alignlang.compiler.symbolic.Convexity;
import org.alignlang.compiler.symbolic.DerivedDivergence;
import org.alignlang.compiler.symbolic.DivergenceCalculus;
import org.alignlang.compiler.symbolic.Formula;
import org.alignlang.compiler.symbolic.GradientWeight;
import org.alignlang.compiler.symbolic.Inverse;
import org.alignlang.compiler.symbolic.Limit;
import org.alignlang.compiler.symbolic.Sum;

/** A divergence and what was derived from its generator. */
public final class DivergenceExplainer {
  private static final Notation.Symbol U = Notation.symbol("u", "u");
  private static final Notation.Symbol Y = Notation.symbol("y", "y");

  private DivergenceExplainer() {}

  /**
   * Explains a divergence.
   *
   * @param documentation its {@code ///} text
   */
  public static Explanation explain(Divergence divergence, String documentation) {
    DerivedDivergence d = DivergenceCalculus.derive(divergence.f());
    Explanation out = new Explanation();
    out.heading(1, "divergence " + divergence.name());
    out.documentation(documentation);
    out.equation(
        new Notation.Called(
            Notation.symbol("D", "D"),
            List.of(
                WrittenNotation.relation(
                    Notation.symbol("p", "p"), "‖", "\\,\\|\\,", Notation.symbol("q", "q")))),
        Symbols.EQUALS,
        new Notation.Enclosed(
            Notation.symbol("𝔼_q[", "\\mathbb{E}_{q}\\left["),
            of("f", Notation.symbol("p/q", "p/q")),
            Symbols.BRACKET_CLOSE));

    out.heading(2, "Derived from f");
    List<Equation> equations = new ArrayList<>();
    equations.add(new Equation(of("f", U), Symbols.EQUALS, sum(d.f())));
    equations.add(new Equation(of("f′", U), Symbols.EQUALS, sum(d.derivative())));
    equations.add(new Equation(of("f″", U), Symbols.EQUALS, sum(d.secondDerivative())));
    equations.add(new Equation(of("u f(1/u)"), Symbols.EQUALS, sum(d.dual())));
    out.equations(equations);
    out.paragraph(
        switch (d.convexity()) {
          case Convexity.Proved _ -> "f is convex: f″ is a sum of terms that cannot be negative.";
          case Convexity.Checked(double low, double high) ->
              "f is convex on a grid of log u from "
                  + plain(low)
                  + " to "
                  + plain(high)
                  + "; that is checked and not proved.";
          case Convexity.Violated(double u, double value) ->
              "f is not convex: f″(" + plain(u) + ") = " + plain(value) + ".";
        },
        " f(1) = ",
        Notation.number(d.valueAtOne()),
        ", f″(1) = ",
        Notation.number(d.curvatureAtOne()),
        "; the last is its weight beside the KL close to equality. ",
        "u f(1/u) generates the divergence with its arguments exchanged.");

    out.heading(2, "In an objective");
    List<Equation> uses = new ArrayList<>();
    uses.add(new Equation(of("link", U), Symbols.EQUALS, sum(divergence.link())));
    for (GradientWeight.Estimator k : GradientWeight.Estimator.values()) {
      uses.add(
          new Equation(
              of("k" + "₁₂₃".charAt(k.ordinal()), U),
              Symbols.EQUALS,
              sum(divergence.estimator(k))));
    }
    out.equations(uses);
    out.paragraph(
        "The link is f′ without its constant: the implicit reward of a preference loss is β"
            + " link(π(y)/π_ref(y)), up to a constant per prompt"
            + (isLogarithm(divergence)
                ? ", which is the logarithm of the normaliser."
                : "; losses must depend on differences of links only, so that it cancels.")
            + " k₁, k₂ and k₃ are sample estimators with u = π/π_ref, samples from π: k₁ has the"
            + " mean D, k₃ too and is never negative, k₂ agrees to second order.");

    out.heading(2, "Optimum");
    out.paragraph(
        "f′ takes the values from ",
        limit(d.range().atZero()),
        " to ",
        limit(d.range().atInfinity()),
        d.zeroInDomainOfDerivative()
            ? ". It is finite at 0, so the optimum may give some responses no probability."
            : ". It is unbounded at 0, so the optimum gives every response some probability.");
    List<Equation> optimum = new ArrayList<>();
    switch (d.inverse()) {
      case Inverse.Closed closed -> {
        optimum.add(new Equation(of("(f′)⁻¹", Y), Symbols.EQUALS, formula(closed.formula())));
        conjugate(d.conjugate(), optimum);
        out.equations(optimum);
        if (d.zeroInDomainOfDerivative()) {
          out.paragraph(
              "for y from f′(0) = ",
              limit(d.range().atZero()),
              d.conjugate().formula().isPresent()
                  ? "; below it, these are 0 and −f(0)."
                  : "; below it, this is 0.");
        }
      }
      case Inverse.Numeric _ -> {
        conjugate(d.conjugate(), optimum);
        out.equations(optimum);
        out.paragraph("(f′)⁻¹ has no closed form; each value is found as a root.");
      }
      case Inverse.None(String reason) ->
          out.paragraph("f′ has no inverse (" + reason + "), so there is no closed-form optimum.");
    }
    if (!(d.inverse() instanceof Inverse.None)) {
      out.paragraph(
          isLogarithm(divergence)
              ? "With it, the maximum of 𝔼[r] − β D(π ‖ π_ref) is the reference tilted by the"
                  + " exponential of the reward:"
              : "With it, the maximum of 𝔼[r] − β D(π ‖ π_ref) is, with ν so that the sum is 1"
                  + " for every prompt:");
      out.equation(
          Notation.symbol("π*(y)", "\\pi^{*}(y)"),
          isLogarithm(divergence) ? Notation.symbol("∝", "\\propto") : Symbols.EQUALS,
          isLogarithm(divergence)
              ? (Notation)
                  Notation.symbol(
                      "π_ref(y) exp(r(y)/"
                          + (scale(divergence).equals("1") ? "β" : "(" + scale(divergence) + "β)")
                          + ")",
                      "\\pi_{\\mathrm{ref}}(y) \\, \\exp\\left(\\frac{r(y)}{"
                          + (scale(divergence).equals("1") ? "" : scale(divergence) + " ")
                          + "\\beta}\\right)")
              : Notation.product(
                  Notation.symbol("π_ref(y)", "\\pi_{\\mathrm{ref}}(y)"),
                  inverse(
                      d,
                      Notation.quotient(
                          Notation.difference(Notation.symbol("r(y)", "r(y)"), Symbols.name("nu")),
                          Symbols.name("beta")))));
      zeros(d, out);
    }
    return out;
  }

  /**
   * {@code (f')^-1} at an argument. Where f' is finite at 0 no argument may be below it: the
   * multiplier of {@code pi(y) >= 0} takes up the rest, and the probability is 0.
   */
  static Notation inverse(DerivedDivergence d, Notation argument) {
    return new Notation.Called(
        Notation.symbol("(f′)⁻¹", "(f')^{-1}"),
        List.of(
            d.zeroInDomainOfDerivative()
                ? new Notation.Called(
                    Notation.symbol("max", "\\max"), List.of(limit(d.range().atZero()), argument))
                : argument));
  }

  /** Says which responses an optimum with {@link #inverse} leaves out, if it may leave any. */
  static void zeros(DerivedDivergence d, Explanation out) {
    if (d.zeroInDomainOfDerivative()) {
      out.paragraph(
          "f′(0) = ",
          limit(d.range().atZero()),
          ", and (f′)⁻¹ is 0 there: responses whose reward is low enough for the maximum to take"
              + " effect get no probability, since a policy cannot give less than 0.");
    }
  }

  /** Whether the link is a multiple of the logarithm, as that of the KL is. */
  static boolean isLogarithm(Divergence divergence) {
    Sum link = divergence.link();
    double scale = link.derivative().evaluate(1);
    return scale != 0 && link.minus(Sum.variable().log().times(scale)).isConstant();
  }

  private static String scale(Divergence divergence) {
    return plain(divergence.link().derivative().evaluate(1));
  }

  private static String plain(double value) {
    return NotationPrinter.unicode(Notation.number(value));
  }

  private static void conjugate(Conjugate conjugate, List<Equation> equations) {
    conjugate
        .formula()
        .ifPresent(f -> equations.add(new Equation(of("f*", Y), Symbols.EQUALS, formula(f))));
  }

  static Notation limit(Limit limit) {
    return Double.isFinite(limit.value())
        ? sum(Sum.constant(limit.value()))
        : Notation.number(limit.value());
  }

  static Notation sum(Sum sum) {
    return Notation.symbol(sum.toUnicode(), sum.toLatex());
  }

  static Notation formula(Formula formula) {
    return Notation.symbol(formula.unicode(), formula.latex());
  }

  private static Notation of(String function, Notation... arguments) {
    String latex =
        switch (function) {
          case "f′" -> "f'";
          case "f″" -> "f''";
          case "f*" -> "f^{*}";
          case "(f′)⁻¹" -> "(f')^{-1}";
          case "link" -> "\\operatorname{link}";
          case "u f(1/u)" -> "u \\, f(1/u)";
          case "k₁" -> "k_1";
          case "k₂" -> "k_2";
          case "k₃" -> "k_3";
          default -> function;
        };
    Notation.Symbol symbol = Notation.symbol(function, latex);
    return arguments.length == 0 ? symbol : new Notation.Called(symbol, List.of(arguments));
  }
}
