package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Brings terms over powers of one group together, cancels, and keeps the shortest form.
 *
 * <p>Terms that differ only in powers of u and whole powers of a group G are N(u) G^e. N is divided
 * by G as often as that goes without rest; then of N G^e, written out, and of the quotient and rest
 * of one more division, the one with fewer terms stays. For example u / (u + 1) + 1 / (u + 1) = 1,
 * 1 / u - 1 / (u + 1) = 1 / (u (u + 1)) and (u^2 - 2 u + 1) / (u + 1) = u - 3 + 4 / (u + 1).
 */
final class Fractions {
  private static final int MAX_PASSES = 4;
  private static final int MAX_SPREAD = 8;
  private static final int MAX_LENGTH = 400;

  private Fractions() {}

  static Sum reduce(Sum sum) {
    Sum current = sum;
    for (int pass = 0; pass < MAX_PASSES; pass++) {
      Sum next = onePass(current);
      if (next.equals(current)) {
        return next;
      }
      current = next;
    }
    return current;
  }

  private static Sum onePass(Sum sum) {
    if (sum.terms().size() < 2 && !sum.isZero() && sum.terms().get(0).factors().size() < 2) {
      return sum;
    }
    Set<Atom.Group> groups = new LinkedHashSet<>();
    for (Term term : sum.terms()) {
      for (Factor factor : term.factors()) {
        if (factor.atom() instanceof Atom.Group group) {
          groups.add(group);
        }
      }
    }
    Sum current = sum;
    for (Atom.Group group : groups) {
      current = reduce(current, group);
    }
    return current;
  }

  /** What terms must share to be brought over one power of the group. */
  private record Kind(List<Factor> rest, double fraction) {}

  private static Sum reduce(Sum sum, Atom.Group group) {
    Map<Double, Double> base = laurent(group.base());
    if (base == null) {
      return cancelWhole(sum, group);
    }
    Map<Kind, List<Term>> kinds = new LinkedHashMap<>();
    for (Term term : sum.terms()) {
      double exponent = exponent(term, group);
      List<Factor> rest =
          term.rest().stream().filter(factor -> !factor.atom().equals(group)).toList();
      double fraction = Numbers.snap(exponent - Math.floor(exponent));
      kinds
          .computeIfAbsent(new Kind(rest, fraction == 1 ? 0 : fraction), _ -> new ArrayList<>())
          .add(term);
    }
    List<Term> result = new ArrayList<>();
    boolean changed = false;
    for (Map.Entry<Kind, List<Term>> entry : kinds.entrySet()) {
      List<Term> replaced =
          shortest(entry.getValue(), entry.getKey().rest(), group, new TreeMap<>(base));
      changed |= replaced != null;
      result.addAll(replaced == null ? entry.getValue() : replaced);
    }
    return changed ? new Sum(Normaliser.merged(result)) : sum;
  }

  private static double exponent(Term term, Atom.Group group) {
    for (Factor factor : term.factors()) {
      if (factor.atom().equals(group)) {
        return factor.exponent();
      }
    }
    return 0;
  }

  /** Powers of u with their coefficients, or null where a sum holds anything else. */
  private static @Nullable TreeMap<Double, Double> laurent(Sum sum) {
    TreeMap<Double, Double> powers = new TreeMap<>();
    for (Term term : sum.terms()) {
      if (!term.rest().isEmpty()) {
        return null;
      }
      powers.put(term.exponent(), term.coefficient());
    }
    return powers;
  }

  private static @Nullable List<Term> shortest(
      List<Term> terms, List<Factor> rest, Atom.Group group, TreeMap<Double, Double> base) {
    double lowest = Double.POSITIVE_INFINITY;
    double highest = Double.NEGATIVE_INFINITY;
    for (Term term : terms) {
      lowest = Math.min(lowest, exponent(term, group));
      highest = Math.max(highest, exponent(term, group));
    }
    boolean whole = Numbers.isInteger(lowest);
    if ((whole && lowest >= 0) || highest - lowest > MAX_SPREAD) {
      return null;
    }
    TreeMap<Double, Double> numerator = new TreeMap<>();
    for (Term term : terms) {
      TreeMap<Double, Double> product = new TreeMap<>();
      product.put(term.exponent(), term.coefficient());
      for (long i = Math.round(exponent(term, group) - lowest); i > 0; i--) {
        product = times(product, base);
        if (product.size() > MAX_LENGTH) {
          return null;
        }
      }
      product.forEach((exponent, coefficient) -> addTo(numerator, exponent, coefficient));
    }
    dropCancelled(numerator);
    if (numerator.isEmpty()) {
      return List.of();
    }
    double exponent = lowest;
    TreeMap<Double, Double> current = numerator;
    while (!whole || exponent < 0) {
      Division division = divide(current, base);
      if (division == null || !division.rest().isEmpty()) {
        break;
      }
      current = division.quotient();
      exponent = Numbers.snapSum(exponent + 1, Math.abs(exponent) + 1);
    }
    List<Term> together = written(current, exponent, rest, group);
    List<Term> apart = apart(current, exponent, rest, group, base);
    List<Term> best = apart.size() <= together.size() ? apart : together;
    best = Normaliser.merged(best);
    return best.size() <= terms.size() && !new Sum(best).equals(new Sum(Normaliser.merged(terms)))
        ? best
        : null;
  }

  /** Quotient and rest of divisions by the group, until no quotient is left. */
  private static List<Term> apart(
      TreeMap<Double, Double> numerator,
      double exponent,
      List<Factor> rest,
      Atom.Group group,
      TreeMap<Double, Double> base) {
    List<Term> terms = new ArrayList<>();
    TreeMap<Double, Double> current = numerator;
    double power = exponent;
    while (!current.isEmpty()) {
      Division division = power == 0 ? null : divide(current, base);
      if (division == null || terms.size() > MAX_LENGTH) {
        terms.addAll(written(current, power, rest, group));
        return terms;
      }
      terms.addAll(written(division.rest(), power, rest, group));
      current = division.quotient();
      power = Numbers.snapSum(power + 1, Math.abs(power) + 1);
    }
    return terms;
  }

  private static List<Term> written(
      TreeMap<Double, Double> numerator, double exponent, List<Factor> rest, Atom.Group group) {
    List<Term> terms = new ArrayList<>();
    numerator.forEach((power, coefficient) -> {
      List<Factor> factors = new ArrayList<>(rest);
      if (power != 0) {
        factors.add(new Factor(new Atom.U(), power));
      }
      if (exponent != 0) {
        factors.add(new Factor(group, exponent));
      }
      factors.sort(Order.FACTORS);
      // A positive whole power of the group is multiplied out here.
      terms.addAll(Normaliser.product(coefficient, factors).terms());
    });
    return terms;
  }

  private record Division(TreeMap<Double, Double> quotient, TreeMap<Double, Double> rest) {}

  /** Division from the highest power down; null where there is no quotient. */
  private static @Nullable Division divide(
      TreeMap<Double, Double> numerator, TreeMap<Double, Double> base) {
    TreeMap<Double, Double> rest = new TreeMap<>(numerator);
    TreeMap<Double, Double> quotient = new TreeMap<>();
    double size = numerator.values().stream().mapToDouble(Math::abs).max().orElse(0);
    // A Laurent polynomial is divided like the polynomial that it is times a power of u.
    double shift = Math.min(numerator.firstKey(), 0);
    double divisorPower = base.lastKey();
    double divisor = base.lastEntry().getValue();
    for (int step = 0; step < MAX_LENGTH && !rest.isEmpty(); step++) {
      double power =
          Numbers.snapSum(rest.lastKey() - divisorPower, Math.abs(rest.lastKey()) + divisorPower);
      if (power < Math.min(shift, 0)) {
        break;
      }
      double coefficient = rest.lastEntry().getValue() / divisor;
      rest.pollLastEntry();
      quotient.put(power, Numbers.snap(coefficient));
      for (Map.Entry<Double, Double> entry : base.headMap(divisorPower, false).entrySet()) {
        addTo(rest, power + entry.getKey(), -coefficient * entry.getValue());
      }
      double bound = Numbers.CANCELLED * size;
      rest.values().removeIf(value -> Math.abs(value) <= bound);
    }
    if (quotient.isEmpty()) {
      return null;
    }
    if (!rest.isEmpty() && shift < 0) {
      // With a rest, negative powers stay in it.
      return divideProper(numerator, base);
    }
    return new Division(quotient, rest);
  }

  private static @Nullable Division divideProper(
      TreeMap<Double, Double> numerator, TreeMap<Double, Double> base) {
    TreeMap<Double, Double> high = new TreeMap<>(numerator.tailMap(0.0, true));
    if (high.isEmpty()) {
      return null;
    }
    Division division = divide(high, base);
    if (division == null) {
      return null;
    }
    TreeMap<Double, Double> rest = new TreeMap<>(division.rest());
    rest.putAll(numerator.headMap(0.0, false));
    return new Division(division.quotient(), rest);
  }

  private static TreeMap<Double, Double> times(
      TreeMap<Double, Double> a, TreeMap<Double, Double> b) {
    TreeMap<Double, Double> result = new TreeMap<>();
    a.forEach((p, c) -> b.forEach((q, d) -> addTo(result, p + q, c * d)));
    return result;
  }

  private static void addTo(TreeMap<Double, Double> sum, double exponent, double coefficient) {
    double power = Math.abs(exponent) < 1e-13 ? 0 : Numbers.snap(exponent);
    Double before = sum.get(power);
    if (before == null) {
      sum.put(power, coefficient);
    } else {
      sum.put(
          power, Numbers.snapSum(before + coefficient, Math.abs(before) + Math.abs(coefficient)));
    }
  }

  private static void dropCancelled(TreeMap<Double, Double> sum) {
    double size = sum.values().stream().mapToDouble(Math::abs).max().orElse(0);
    sum.values().removeIf(value -> Math.abs(value) <= Numbers.CANCELLED * size);
  }

  /**
   * Other groups: terms over one power of the group cancel if together they are a multiple of it.
   */
  private static Sum cancelWhole(Sum sum, Atom.Group group) {
    Map<Double, List<Term>> byExponent = new TreeMap<>(Comparator.naturalOrder());
    for (Term term : sum.terms()) {
      byExponent.computeIfAbsent(exponent(term, group), _ -> new ArrayList<>()).add(term);
    }
    List<Term> result = new ArrayList<>();
    boolean changed = false;
    int length = group.base().terms().size();
    for (Map.Entry<Double, List<Term>> entry : byExponent.entrySet()) {
      double exponent = entry.getKey();
      List<Term> terms = entry.getValue();
      if (exponent == 0 || Numbers.isInteger(exponent) && exponent > 0 || terms.size() != length) {
        result.addAll(terms);
        continue;
      }
      Term multiple = quotient(terms, group);
      if (multiple == null) {
        result.addAll(terms);
        continue;
      }
      changed = true;
      List<Factor> factors = new ArrayList<>(multiple.factors());
      factors.add(new Factor(group, 1));
      result.addAll(Normaliser.product(multiple.coefficient(), factors).terms());
    }
    return changed ? new Sum(Normaliser.merged(result)) : sum;
  }

  /** The term t with terms = t * base, or null. */
  private static @Nullable Term quotient(List<Term> terms, Atom.Group group) {
    List<Term> sorted = Normaliser.merged(terms);
    Term leading = group.base().terms().get(0);
    List<Factor> inverse = new ArrayList<>();
    for (Factor factor : leading.factors()) {
      inverse.add(new Factor(factor.atom(), -factor.exponent()));
    }
    for (Term candidate : sorted) {
      List<Factor> factors = new ArrayList<>(candidate.factors());
      factors.addAll(inverse);
      List<Term> ratio = Normaliser.product(candidate.coefficient(), factors).terms();
      if (ratio.size() != 1) {
        continue;
      }
      Term multiple = ratio.get(0);
      List<Term> products = new ArrayList<>();
      for (Term term : group.base().terms()) {
        List<Factor> combined = new ArrayList<>(term.factors());
        combined.addAll(multiple.factors());
        products.addAll(
            Normaliser.product(term.coefficient() * multiple.coefficient(), combined).terms());
      }
      if (Normaliser.merged(products).equals(sorted)) {
        return multiple;
      }
    }
    return null;
  }
}
