package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A sum as a product: a number, the atoms that all terms share, and what is left, itself split
 * where it is a polynomial in a power of u with simple roots.
 *
 * @param coefficient the number
 * @param parts bases with their exponents; a base with several terms has leading coefficient 1 and
 *     no common factor
 */
record Factorisation(double coefficient, List<Part> parts) {
  /** A base, in normal form, and its exponent. */
  record Part(Sum base, double exponent) {}

  private static final int MAX_DEGREE = 8;

  /** Roots that are tried by division. */
  private static final double[] SIMPLE_ROOTS = {
    1, -1, 2, -2, 3, -3, 4, -4, 0.5, -0.5, 1.0 / 3, -1.0 / 3, 0.25, -0.25
  };

  static Factorisation of(Sum sum) {
    List<Part> parts = new ArrayList<>();
    Map<Atom, Double> content = content(sum);
    content.forEach((atom, exponent) -> parts.add(new Part(single(atom), exponent)));
    Sum rest = strip(sum, content);
    double coefficient = rest.terms().get(0).coefficient();
    if (rest.terms().size() == 1) {
      // Content does not cover atoms whose exponents were left in place, such as odd roots.
      for (Factor factor : rest.terms().get(0).factors()) {
        parts.add(new Part(single(factor.atom()), factor.exponent()));
      }
      return new Factorisation(coefficient, List.copyOf(parts));
    }
    parts.addAll(roots(Normaliser.scale(rest, 1 / coefficient)));
    return new Factorisation(coefficient, List.copyOf(parts));
  }

  /** An atom as a sum; a group as the sum that it holds. */
  private static Sum single(Atom atom) {
    return atom instanceof Atom.Group(Sum base)
        ? base
        : new Sum(List.of(new Term(1, List.of(new Factor(atom, 1)))));
  }

  /**
   * The smallest exponent over all terms, with 0 where an atom is missing: what is left has no
   * negative exponents of these atoms. Atoms whose sign is unknown take part with whole exponents
   * only.
   */
  private static Map<Atom, Double> content(Sum sum) {
    Map<Atom, Double> smallest = new LinkedHashMap<>();
    Map<Atom, Integer> occurrences = new LinkedHashMap<>();
    for (Term term : sum.terms()) {
      for (Factor factor : term.factors()) {
        smallest.merge(factor.atom(), factor.exponent(), Math::min);
        occurrences.merge(factor.atom(), 1, Integer::sum);
      }
    }
    Map<Atom, Double> content = new LinkedHashMap<>();
    smallest.forEach((atom, exponent) -> {
      boolean everywhere = occurrences.getOrDefault(atom, 0) == sum.terms().size();
      double common = everywhere ? exponent : Math.min(exponent, 0);
      if (common == 0) {
        return;
      }
      boolean exact =
          switch (atom) {
            case Atom.U() -> true;
            case Atom.Exp(Sum _) -> everywhere;
            case Atom.Group(Sum _) ->
                sum.terms().size() == 1
                    || Signs.of(atom) == Signs.POSITIVE
                    || Numbers.isInteger(common);
            case Atom.Log(Sum _), Atom.Abs(Sum _), Atom.Sign(Sum _) ->
                sum.terms().size() == 1 || (everywhere && Numbers.isInteger(common));
          };
      if (exact) {
        content.put(atom, common);
      }
    });
    return content;
  }

  private static Sum strip(Sum sum, Map<Atom, Double> content) {
    if (content.isEmpty()) {
      return sum;
    }
    List<Factor> inverse = new ArrayList<>();
    content.forEach((atom, exponent) -> inverse.add(new Factor(atom, -exponent)));
    List<Term> stripped = new ArrayList<>();
    for (Term term : sum.terms()) {
      List<Factor> factors = new ArrayList<>(term.factors());
      factors.addAll(inverse);
      stripped.addAll(Normaliser.product(term.coefficient(), factors).terms());
    }
    Sum result = new Sum(Normaliser.merged(stripped));
    return result.isZero() ? sum : result;
  }

  /** Splits a polynomial in a power of u, with leading coefficient 1, by its simple roots. */
  private static List<Part> roots(Sum sum) {
    Polynomial polynomial = Polynomial.of(sum);
    if (polynomial == null || polynomial.degree() < 2 || polynomial.degree() > MAX_DEGREE) {
      return List.of(new Part(sum, 1));
    }
    List<Part> parts = new ArrayList<>();
    Polynomial rest = polynomial;
    for (double root : candidates(polynomial)) {
      int multiplicity = 0;
      while (rest.degree() >= 1 && rest.hasRoot(root)) {
        rest = rest.withoutRoot(root);
        multiplicity++;
      }
      if (multiplicity > 0) {
        parts.add(new Part(polynomial.linear(root).toSum(), multiplicity));
      }
    }
    if (rest.degree() >= 1) {
      parts.add(new Part(rest.toSum(), 1));
    }
    return parts;
  }

  /**
   * Simple numbers; -a/n, the only root of (v + b)^n; and the roots of a square polynomial if
   * simple.
   */
  private static List<Double> candidates(Polynomial polynomial) {
    List<Double> candidates = new ArrayList<>();
    double[] c = polynomial.coefficients();
    int degree = polynomial.degree();
    candidates.add(Numbers.snap(-c[degree - 1] / degree));
    if (degree == 2) {
      double discriminant = c[1] * c[1] - 4 * c[0];
      if (discriminant > 0) {
        double root = Math.sqrt(discriminant);
        for (double candidate : new double[] {(-c[1] + root) / 2, (-c[1] - root) / 2}) {
          double simple = Math.rint(candidate * 1000) / 1000;
          if (Numbers.close(simple, candidate)) {
            candidates.add(simple);
          }
        }
      }
    }
    for (double root : SIMPLE_ROOTS) {
      candidates.add(root);
    }
    return candidates.stream().filter(root -> root != 0).distinct().toList();
  }
}
