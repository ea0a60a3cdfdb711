package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Builds sums in normal form; every operation of {@link Sum} ends here. */
final class Normaliser {
  /** The largest number of terms of a sum. */
  static final int MAX_TERMS = 2000;

  /** The largest number of sums inside each other. */
  static final int MAX_DEPTH = 24;

  /** The largest number of coefficients in a sum and everything inside it. */
  private static final int MAX_SIZE = 20_000;

  /** The largest number of products of terms that one multiplication may form. */
  private static final long MAX_PRODUCTS = 100_000;

  /** Integer powers of sums up to this one are expanded. */
  private static final int MAX_EXPANDED_POWER = 4;

  private Normaliser() {}

  static Sum add(Sum a, Sum b) {
    List<Term> terms = new ArrayList<>(a.terms());
    terms.addAll(b.terms());
    return reduced(terms);
  }

  static Sum scale(Sum sum, double factor) {
    if (factor == 0) {
      return Sum.ZERO;
    }
    List<Term> terms = new ArrayList<>();
    for (Term term : sum.terms()) {
      double coefficient = Numbers.snap(term.coefficient() * factor);
      if (coefficient != 0) {
        terms.add(new Term(coefficient, term.factors()));
      }
    }
    return new Sum(terms);
  }

  static Sum multiply(Sum a, Sum b) {
    return reduced(products(a, b));
  }

  /** The product without the search for common denominators, which itself multiplies. */
  static Sum multiplyWithoutReduction(Sum a, Sum b) {
    return new Sum(merged(products(a, b)));
  }

  /** The sum plus a number, as plain merging of terms. */
  static Sum withoutReduction(Sum sum, double number) {
    List<Term> terms = new ArrayList<>(sum.terms());
    terms.add(new Term(number, List.of()));
    return new Sum(merged(terms));
  }

  private static List<Term> products(Sum a, Sum b) {
    long count = (long) a.terms().size() * b.terms().size();
    if (count > MAX_PRODUCTS) {
      throw tooLarge();
    }
    List<Term> terms = new ArrayList<>();
    for (Term left : a.terms()) {
      for (Term right : b.terms()) {
        double coefficient = left.coefficient() * right.coefficient();
        if (left.isConstant() || right.isConstant()) {
          addTerm(terms, coefficient, left.isConstant() ? right.factors() : left.factors());
        } else {
          List<Factor> factors = new ArrayList<>(left.factors());
          factors.addAll(right.factors());
          terms.addAll(product(coefficient, factors).terms());
        }
        if (terms.size() > MAX_PRODUCTS) {
          throw tooLarge();
        }
      }
    }
    return terms;
  }

  private static void addTerm(List<Term> terms, double coefficient, List<Factor> factors) {
    double snapped = Numbers.snap(coefficient);
    if (snapped != 0) {
      terms.add(new Term(snapped, factors));
    }
  }

  /** Merges like terms, brings fractions together and checks the bounds. */
  static Sum reduced(List<Term> terms) {
    return checked(Fractions.reduce(new Sum(merged(terms))));
  }

  /** Merges like terms and sorts. */
  static List<Term> merged(List<Term> terms) {
    if (terms.size() < 2) {
      return terms;
    }
    Map<List<Factor>, double[]> totals = new LinkedHashMap<>();
    for (Term term : terms) {
      double[] total = totals.computeIfAbsent(term.factors(), _ -> new double[2]);
      total[0] += term.coefficient();
      total[1] += Math.abs(term.coefficient());
    }
    List<Term> result = new ArrayList<>();
    totals.forEach((factors, total) -> {
      double coefficient = Numbers.snapSum(total[0], total[1]);
      if (coefficient != 0) {
        result.add(new Term(coefficient, factors));
      }
    });
    result.sort(Order.TERMS);
    if (result.size() > MAX_TERMS) {
      throw tooLarge();
    }
    return result;
  }

  private static Sum checked(Sum sum) {
    if (sum.terms().size() > MAX_TERMS || size(sum, 0, 0) > MAX_SIZE) {
      throw tooLarge();
    }
    return sum;
  }

  private static int size(Sum sum, int depth, int before) {
    if (depth > MAX_DEPTH) {
      throw new SymbolicException(
          "This expression is nested more than " + MAX_DEPTH + " levels deep.");
    }
    int size = before;
    for (Term term : sum.terms()) {
      size++;
      for (Factor factor : term.factors()) {
        if (!(factor.atom() instanceof Atom.U)) {
          size = size(Order.content(factor.atom()), depth + 1, size);
        }
      }
      if (size > MAX_SIZE) {
        throw tooLarge();
      }
    }
    return size;
  }

  private static SymbolicException tooLarge() {
    return new SymbolicException(
        "This expression expands to more than " + MAX_TERMS + " terms; write it in simpler form.");
  }

  // Products of atoms.

  /** A product in normal form: like atoms merged, signs resolved, small powers of sums expanded. */
  static Sum product(double coefficient, List<Factor> factors) {
    Map<Atom, Double> exponents = new LinkedHashMap<>();
    for (Factor factor : factors) {
      exponents.merge(factor.atom(), factor.exponent(), Normaliser::addExponents);
    }
    return product(coefficient, exponents);
  }

  private static double addExponents(double a, double b) {
    return Numbers.snapSum(a + b, Math.abs(a) + Math.abs(b));
  }

  private static Sum product(double coefficient, Map<Atom, Double> exponents) {
    Sum exponential = Sum.ZERO;
    boolean exponentialChanges = false;
    int exponentials = 0;
    Sum expanded = Sum.ONE;
    resolveSigns(exponents);
    List<Factor> kept = new ArrayList<>();
    for (Map.Entry<Atom, Double> entry : exponents.entrySet()) {
      Atom atom = entry.getKey();
      double exponent = entry.getValue();
      if (exponent == 0) {
        continue;
      }
      switch (atom) {
        case Atom.Exp(Sum argument) -> {
          exponential = add(exponential, argument.times(exponent));
          exponentials++;
          exponentialChanges |= exponent != 1;
        }
        case Atom.Group(Sum base) -> {
          if (Numbers.isInteger(exponent) && exponent > 0 && exponent <= MAX_EXPANDED_POWER) {
            expanded = multiplyWithoutReduction(expanded, repeated(base, (int) exponent));
          } else {
            kept.add(new Factor(atom, exponent));
          }
        }
        case Atom.Abs(Sum argument) -> {
          if (Numbers.isEven(exponent)) {
            expanded = multiplyWithoutReduction(expanded, power(argument, exponent));
          } else {
            kept.add(new Factor(atom, exponent));
          }
        }
        case Atom.U(), Atom.Log(Sum _), Atom.Sign(Sum _) -> kept.add(new Factor(atom, exponent));
      }
    }
    if (exponentials > 1 || exponentialChanges) {
      expanded = multiplyWithoutReduction(expanded, exp(exponential));
    } else if (exponentials == 1) {
      kept.add(new Factor(new Atom.Exp(exponential), 1));
    }
    kept.sort(Order.FACTORS);
    double snapped = Numbers.snap(coefficient);
    if (snapped == 0) {
      return Sum.ZERO;
    }
    Sum rest = new Sum(List.of(new Term(snapped, kept)));
    return expanded.equals(Sum.ONE) ? rest : multiplyWithoutReduction(rest, expanded);
  }

  /** sign^2 = 1, sign(s) |s| = s and |s| / s = sign(s), almost everywhere. */
  private static void resolveSigns(Map<Atom, Double> exponents) {
    for (Atom atom : List.copyOf(exponents.keySet())) {
      if (atom instanceof Atom.Abs(Sum argument)) {
        double n = exponents.getOrDefault(atom, 0.0);
        Atom base = baseAtom(argument);
        double m = exponents.getOrDefault(base, 0.0);
        if (Numbers.isInteger(n) && Numbers.isInteger(m) && m < 0) {
          // |s|^n s^m is |s|^(n + m), times sign(s) for odd m.
          exponents.put(atom, addExponents(n, m));
          exponents.put(base, 0.0);
          if (!Numbers.isEven(m)) {
            exponents.merge(new Atom.Sign(argument), 1.0, Normaliser::addExponents);
          }
        }
      }
    }
    for (Atom atom : List.copyOf(exponents.keySet())) {
      if (atom instanceof Atom.Sign(Sum argument)) {
        boolean present = !Numbers.isEven(exponents.getOrDefault(atom, 0.0));
        exponents.put(atom, present ? 1.0 : 0.0);
        Atom absolute = new Atom.Abs(argument);
        Atom base = baseAtom(argument);
        double n = exponents.getOrDefault(absolute, 0.0);
        double m = exponents.getOrDefault(base, 0.0);
        if (present && Numbers.isInteger(n) && n != 0) {
          exponents.put(atom, 0.0);
          exponents.put(absolute, addExponents(n, -1));
          exponents.merge(base, 1.0, Normaliser::addExponents);
        } else if (present && m < 0 && Numbers.isInteger(m) && !Numbers.isEven(m)) {
          exponents.put(atom, 0.0);
          exponents.put(base, 0.0);
          exponents.put(absolute, addExponents(n, m));
        }
      }
    }
  }

  /** What stands for a sum as a factor of a product: its only atom, or a group. */
  private static Atom baseAtom(Sum sum) {
    if (sum.terms().size() == 1) {
      Term term = sum.terms().get(0);
      if (term.coefficient() == 1
          && term.factors().size() == 1
          && term.factors().get(0).exponent() == 1) {
        return term.factors().get(0).atom();
      }
    }
    return new Atom.Group(sum);
  }

  /** A sum that is known to be in lowest terms, to a power. */
  private static Sum atomPower(Sum base, double exponent) {
    if (exponent == 0) {
      return Sum.ONE;
    }
    Atom atom = baseAtom(base);
    Map<Atom, Double> exponents = new HashMap<>();
    exponents.put(atom, Numbers.snap(exponent));
    return product(1, exponents);
  }

  private static Sum atom(Atom atom) {
    return checked(new Sum(List.of(new Term(1, List.of(new Factor(atom, 1))))));
  }

  private static Sum repeated(Sum base, int exponent) {
    Sum result = base;
    for (int i = 1; i < exponent; i++) {
      result = multiplyWithoutReduction(result, base);
    }
    return result;
  }

  // Powers.

  static Sum power(Sum base, double exponent) {
    if (!Double.isFinite(exponent)) {
      throw new SymbolicException("An exponent in this expression is not a finite number.");
    }
    double snapped = Numbers.snap(exponent);
    if (base.isZero()) {
      if (snapped <= 0) {
        throw new SymbolicException(
            snapped == 0
                ? "0^0 has no value."
                : "This expression divides by 0, or by something that simplifies to 0.");
      }
      return Sum.ZERO;
    }
    if (snapped == 0) {
      return Sum.ONE;
    }
    if (snapped == 1) {
      return base;
    }
    boolean whole = Numbers.isInteger(snapped);
    if (base.terms().size() > 1 && whole && snapped > 0 && snapped <= MAX_EXPANDED_POWER) {
      return checked(Fractions.reduce(repeated(base, (int) snapped)));
    }
    return checked(Fractions.reduce(whole ? wholePower(base, snapped) : realPower(base, snapped)));
  }

  private static Sum wholePower(Sum base, double exponent) {
    Factorisation factorisation = Factorisation.of(base);
    Sum result = Sum.constant(Math.pow(factorisation.coefficient(), exponent));
    for (Factorisation.Part part : factorisation.parts()) {
      result = multiplyWithoutReduction(result, atomPower(part.base(), part.exponent() * exponent));
    }
    return result;
  }

  /** A power that is no whole number: only what cannot be negative leaves it. */
  private static Sum realPower(Sum base, double exponent) {
    Factorisation factorisation = Factorisation.of(base);
    Sum result = Sum.constant(Math.pow(Math.abs(factorisation.coefficient()), exponent));
    double sign = Math.signum(factorisation.coefficient());
    List<Factorisation.Part> open = new ArrayList<>();
    for (Factorisation.Part part : factorisation.parts()) {
      Signs known = Signs.of(part.base());
      double total = part.exponent() * exponent;
      if (known.atLeastZero() || !Numbers.isInteger(part.exponent())) {
        result = multiplyWithoutReduction(result, atomPower(part.base(), total));
      } else if (Numbers.isEven(part.exponent())) {
        result = multiplyWithoutReduction(result, power(abs(part.base()), total));
      } else if (known.atMostZero()) {
        result = multiplyWithoutReduction(result, power(part.base().negated(), total));
        sign = -sign;
      } else {
        open.add(part);
      }
    }
    if (open.isEmpty()) {
      if (sign < 0) {
        throw new SymbolicException(
            "The power "
                + SumPrinter.number(exponent)
                + " of `"
                + SumPrinter.brief(base)
                + "` is not a real number: the base is negative.");
      }
      return result;
    }
    if (open.size() == 1) {
      Sum only = scale(open.get(0).base(), sign);
      return multiplyWithoutReduction(result, group(only, open.get(0).exponent() * exponent));
    }
    return multiplyWithoutReduction(result, group(expand(sign, open), exponent));
  }

  private static Sum group(Sum base, double exponent) {
    double snapped = Numbers.snap(exponent);
    if (Numbers.isInteger(snapped)) {
      return power(base, snapped);
    }
    Atom atom = baseAtom(base);
    return checked(new Sum(List.of(new Term(1, List.of(new Factor(atom, snapped))))));
  }

  private static Sum expand(double coefficient, List<Factorisation.Part> parts) {
    Sum result = Sum.constant(coefficient);
    for (Factorisation.Part part : parts) {
      result = multiplyWithoutReduction(result, atomPower(part.base(), part.exponent()));
    }
    return result;
  }

  // Functions.

  /** log(c s^k t) = log c + k log s + log t, as far as the factors cannot be negative. */
  static Sum log(Sum argument) {
    if (argument.isZero()) {
      throw new SymbolicException("The logarithm of 0 has no value.");
    }
    Factorisation factorisation = Factorisation.of(argument);
    Sum result = Sum.constant(Math.log(Math.abs(factorisation.coefficient())));
    double sign = Math.signum(factorisation.coefficient());
    List<Factorisation.Part> open = new ArrayList<>();
    for (Factorisation.Part part : factorisation.parts()) {
      Signs known = Signs.of(part.base());
      double exponent = part.exponent();
      if (known.atLeastZero() || !Numbers.isInteger(exponent)) {
        result = add(result, scale(logarithm(part.base()), exponent));
      } else if (Numbers.isEven(exponent)) {
        result = add(result, scale(log(abs(part.base())), exponent));
      } else if (known.atMostZero()) {
        result = add(result, scale(log(part.base().negated()), exponent));
        sign = -sign;
      } else {
        open.add(part);
      }
    }
    if (open.isEmpty()) {
      if (sign < 0) {
        throw new SymbolicException(
            "The logarithm of `"
                + SumPrinter.brief(argument)
                + "` is not a real number: its argument is negative.");
      }
      return checked(result);
    }
    if (open.size() == 1) {
      Factorisation.Part only = open.get(0);
      return add(result, scale(logarithm(scale(only.base(), sign)), only.exponent()));
    }
    return add(result, atom(new Atom.Log(expand(sign, open))));
  }

  private static Sum logarithm(Sum base) {
    if (base.terms().size() == 1) {
      Term term = base.terms().get(0);
      if (term.coefficient() == 1
          && term.factors().size() == 1
          && term.factors().get(0).atom() instanceof Atom.Exp(Sum inner)) {
        return scale(inner, term.factors().get(0).exponent());
      }
    }
    return atom(new Atom.Log(base));
  }

  /** exp(c + k log s + t) = e^c s^k exp(t). */
  static Sum exp(Sum argument) {
    Sum result = Sum.ONE;
    List<Term> inner = new ArrayList<>();
    for (Term term : argument.terms()) {
      if (term.isConstant()) {
        double value = Math.exp(term.coefficient());
        if (!Double.isFinite(value) || value < Double.MIN_NORMAL) {
          throw new SymbolicException(
              "exp(" + SumPrinter.number(term.coefficient()) + ") is out of the range of numbers.");
        }
        result = scale(result, value);
      } else if (term.factors().size() == 1
          && term.factors().get(0).exponent() == 1
          && term.factors().get(0).atom() instanceof Atom.Log(Sum base)) {
        result = multiplyWithoutReduction(result, power(base, term.coefficient()));
      } else {
        inner.add(term);
      }
    }
    if (!inner.isEmpty()) {
      result = multiplyWithoutReduction(result, atom(new Atom.Exp(new Sum(inner))));
    }
    return checked(Fractions.reduce(result));
  }

  static Sum abs(Sum argument) {
    Signs known = Signs.of(argument);
    if (known.atLeastZero()) {
      return argument;
    }
    if (known.atMostZero()) {
      return argument.negated();
    }
    Factorisation factorisation = Factorisation.of(argument);
    Sum result = Sum.constant(Math.abs(factorisation.coefficient()));
    for (Factorisation.Part part : factorisation.parts()) {
      Signs sign = Signs.of(part.base());
      Sum factor;
      if (sign.atLeastZero() || !Numbers.isInteger(part.exponent())) {
        factor = atomPower(part.base(), part.exponent());
      } else if (sign.atMostZero()) {
        factor = power(part.base().negated(), part.exponent());
      } else if (Numbers.isEven(part.exponent())) {
        factor = atomPower(part.base(), part.exponent());
      } else {
        factor = product(1, List.of(new Factor(new Atom.Abs(part.base()), part.exponent())));
      }
      result = multiplyWithoutReduction(result, factor);
    }
    return checked(Fractions.reduce(result));
  }

  static Sum sign(Sum argument) {
    if (argument.isZero()) {
      return Sum.ZERO;
    }
    Factorisation factorisation = Factorisation.of(argument);
    Sum result = Sum.constant(Math.signum(factorisation.coefficient()));
    for (Factorisation.Part part : factorisation.parts()) {
      Signs sign = Signs.of(part.base());
      if (sign.atLeastZero() || Numbers.isEven(part.exponent())) {
        continue;
      }
      if (sign.atMostZero()) {
        result = result.negated();
      } else {
        result =
            multiplyWithoutReduction(
                result, product(1, List.of(new Factor(signAtom(part.base()), 1))));
      }
    }
    return checked(result);
  }

  /** The sign of a sign is that sign. */
  private static Atom signAtom(Sum base) {
    return baseAtom(base) instanceof Atom.Sign sign ? sign : new Atom.Sign(base);
  }
}
