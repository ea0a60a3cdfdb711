package org.alignlang.compiler.symbolic;

import java.util.Comparator;
import java.util.List;

/** The fixed order of factors in a term and of terms in a sum. */
final class Order {
  static final Comparator<Factor> FACTORS = Order::compareFactors;
  static final Comparator<Term> TERMS = Order::compareTerms;

  private Order() {}

  /** Higher powers of u first, then products before single atoms, numbers last. */
  private static int compareTerms(Term a, Term b) {
    int byPower = Double.compare(b.exponent(), a.exponent());
    if (byPower != 0) {
      return byPower;
    }
    int bySize = Integer.compare(b.factors().size(), a.factors().size());
    return bySize != 0 ? bySize : compareLists(a.factors(), b.factors());
  }

  private static int compareLists(List<Factor> a, List<Factor> b) {
    for (int i = 0; i < Math.min(a.size(), b.size()); i++) {
      int comparison = compareFactors(a.get(i), b.get(i));
      if (comparison != 0) {
        return comparison;
      }
    }
    return Integer.compare(b.size(), a.size());
  }

  private static int compareFactors(Factor a, Factor b) {
    int byAtom = compareAtoms(a.atom(), b.atom());
    return byAtom != 0 ? byAtom : Double.compare(b.exponent(), a.exponent());
  }

  private static int compareAtoms(Atom a, Atom b) {
    int byKind = Integer.compare(rank(a), rank(b));
    return byKind != 0 ? byKind : compareSums(content(a), content(b));
  }

  static int compareSums(Sum a, Sum b) {
    int bySize = Integer.compare(a.terms().size(), b.terms().size());
    if (bySize != 0) {
      return bySize;
    }
    for (int i = 0; i < a.terms().size(); i++) {
      int comparison = compareTerms(a.terms().get(i), b.terms().get(i));
      if (comparison == 0) {
        comparison = Double.compare(b.terms().get(i).coefficient(), a.terms().get(i).coefficient());
      }
      if (comparison != 0) {
        return comparison;
      }
    }
    return 0;
  }

  private static int rank(Atom atom) {
    return switch (atom) {
      case Atom.U() -> 0;
      case Atom.Group(Sum base) -> 1;
      case Atom.Exp(Sum argument) -> 2;
      case Atom.Log(Sum argument) -> 3;
      case Atom.Abs(Sum argument) -> 4;
      case Atom.Sign(Sum argument) -> 5;
    };
  }

  /** The sum inside an atom; 0 for u. */
  static Sum content(Atom atom) {
    return switch (atom) {
      case Atom.U() -> Sum.ZERO;
      case Atom.Group(Sum base) -> base;
      case Atom.Exp(Sum argument) -> argument;
      case Atom.Log(Sum argument) -> argument;
      case Atom.Abs(Sum argument) -> argument;
      case Atom.Sign(Sum argument) -> argument;
    };
  }
}
