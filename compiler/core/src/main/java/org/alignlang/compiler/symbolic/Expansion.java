package org.alignlang.compiler.symbolic;

import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * A generalised power series at an end of (0, infinity): sum of c v^k (log v)^m, up to an error of
 * order v^order, where v = u at 0 and v = 1 / u at infinity, so that v tends to 0 from above.
 */
final class Expansion {
  /** v^power (log v)^logs; ordered from large to small as v tends to 0. */
  private record Monomial(double power, double logs) implements Comparable<Monomial> {
    @Override
    public int compareTo(Monomial other) {
      int byPower = Double.compare(power, other.power);
      return byPower != 0 ? byPower : Double.compare(other.logs, logs);
    }

    Monomial times(Monomial other) {
      return new Monomial(
          Numbers.snapSum(power + other.power, Math.abs(power) + Math.abs(other.power)),
          Numbers.snapSum(logs + other.logs, Math.abs(logs) + Math.abs(other.logs)));
    }
  }

  /** How far beyond the leading power terms are kept. */
  private static final double WINDOW = 8;

  private static final int MAX_TERMS = 80;
  private static final int MAX_SERIES = 40;

  private final TreeMap<Monomial, double[]> terms;
  private final double order;

  private Expansion(double order) {
    this.terms = new TreeMap<>();
    this.order = order;
  }

  static Optional<Expansion> of(Sum sum, Limit.End end) {
    Expansion total = new Expansion(Double.POSITIVE_INFINITY);
    for (Term term : sum.terms()) {
      Optional<Expansion> product = Optional.of(constant(term.coefficient()));
      for (Factor factor : term.factors()) {
        Optional<Expansion> next = of(factor.atom(), end).flatMap(e -> e.power(factor.exponent()));
        if (product.isEmpty() || next.isEmpty()) {
          return Optional.empty();
        }
        product = Optional.of(product.get().times(next.get()));
      }
      total = total.plus(product.orElseThrow());
    }
    return Optional.of(total);
  }

  private static Optional<Expansion> of(Atom atom, Limit.End end) {
    return switch (atom) {
      case Atom.U() -> Optional.of(single(1, end == Limit.End.ZERO ? 1 : -1, 0));
      case Atom.Group(Sum base) -> of(base, end);
      case Atom.Log(Sum argument) -> of(argument, end).flatMap(Expansion::log);
      case Atom.Exp(Sum argument) -> of(argument, end).flatMap(Expansion::exp);
      case Atom.Abs(Sum argument) ->
          of(argument, end).flatMap(e -> e.sign().map(sign -> e.times(constant(sign))));
      case Atom.Sign(Sum argument) ->
          of(argument, end).flatMap(Expansion::sign).map(Expansion::constant);
    };
  }

  /** The limit for v to 0, or empty where it lies beyond the error. */
  Optional<Double> limit() {
    if (terms.isEmpty()) {
      return order > 0 ? Optional.of(0.0) : Optional.empty();
    }
    Monomial leading = terms.firstKey();
    if (leading.power() >= order) {
      return Optional.empty();
    }
    if (leading.power() > 0 || (leading.power() == 0 && leading.logs() < 0)) {
      return Optional.of(0.0);
    }
    if (leading.power() == 0 && leading.logs() == 0) {
      return order > 0 ? Optional.of(Numbers.snap(leadingCoefficient())) : Optional.empty();
    }
    return sign().map(sign -> sign * Double.POSITIVE_INFINITY);
  }

  private static Expansion constant(double value) {
    return single(value, 0, 0);
  }

  private static Expansion single(double coefficient, double power, double logs) {
    Expansion result = new Expansion(Double.POSITIVE_INFINITY);
    result.put(new Monomial(power, logs), coefficient, Math.abs(coefficient));
    return result;
  }

  private void put(Monomial monomial, double coefficient, double size) {
    double[] entry = terms.computeIfAbsent(monomial, _ -> new double[2]);
    entry[0] += coefficient;
    entry[1] += size;
  }

  /**
   * Drops what cancelled, what is smaller than the error, and what is too far from the leading
   * term.
   */
  private Expansion cleaned() {
    terms.values().removeIf(entry -> Math.abs(entry[0]) <= 1e-13 * entry[1]);
    double bound = order;
    if (!terms.isEmpty()) {
      double window = Math.max(terms.firstKey().power(), 0) + WINDOW;
      if (terms.lastKey().power() > window) {
        bound = Math.min(bound, window);
      }
    }
    Expansion result = new Expansion(bound);
    for (Map.Entry<Monomial, double[]> entry : terms.entrySet()) {
      if (entry.getKey().power() < bound) {
        if (result.terms.size() >= MAX_TERMS) {
          Expansion shorter = new Expansion(Math.min(bound, entry.getKey().power()));
          result.terms.forEach((monomial, value) -> {
            if (monomial.power() < shorter.order) {
              shorter.terms.put(monomial, value);
            }
          });
          return shorter;
        }
        // Size starts anew at the value: what cancelled later is measured against what is left.
        result.put(entry.getKey(), entry.getValue()[0], entry.getValue()[1]);
      }
    }
    return result;
  }

  private double lead() {
    return terms.isEmpty() ? order : terms.firstKey().power();
  }

  private double leadingCoefficient() {
    return terms.firstEntry().getValue()[0];
  }

  private Optional<Double> sign() {
    if (terms.isEmpty()) {
      return Optional.empty();
    }
    Monomial leading = terms.firstKey();
    if (!Numbers.isInteger(leading.logs())) {
      return Optional.empty();
    }
    // log v is negative.
    double sign = Math.signum(leadingCoefficient());
    return Optional.of(Numbers.isEven(leading.logs()) ? sign : -sign);
  }

  private Expansion plus(Expansion other) {
    Expansion result = new Expansion(Math.min(order, other.order));
    terms.forEach((monomial, entry) -> result.put(monomial, entry[0], entry[1]));
    other.terms.forEach((monomial, entry) -> result.put(monomial, entry[0], entry[1]));
    return result.cleaned();
  }

  private Expansion times(Expansion other) {
    Expansion result = new Expansion(Math.min(order + other.lead(), other.order + lead()));
    terms.forEach((a, x) ->
        other.terms.forEach((b, y) -> {
          Monomial product = a.times(b);
          if (product.power() < result.order) {
            result.put(
                product, x[0] * y[0], Math.max(x[1] * Math.abs(y[0]), y[1] * Math.abs(x[0])));
          }
        }));
    return result.cleaned();
  }

  private Optional<Expansion> power(double exponent) {
    if (exponent == 1) {
      return Optional.of(this);
    }
    if (terms.isEmpty()) {
      return Optional.empty();
    }
    if (Numbers.isInteger(exponent) && exponent > 0 && exponent <= 8) {
      Expansion result = this;
      for (int i = 1; i < exponent; i++) {
        result = result.times(this);
      }
      return Optional.of(result);
    }
    double coefficient = leadingCoefficient();
    Monomial leading = terms.firstKey();
    boolean negative = coefficient < 0;
    if (negative && !Numbers.isInteger(exponent)) {
      return Optional.empty();
    }
    if (leading.logs() != 0 && !Numbers.isInteger(exponent)) {
      return Optional.empty();
    }
    return relativeRest()
        .map(rest ->
            rest.series(binomial(exponent))
                .times(
                    single(
                        Math.pow(coefficient, exponent),
                        leading.power() * exponent,
                        leading.logs() * exponent)));
  }

  /** r in c v^k (1 + r), if r is a true rest: only positive powers. */
  private Optional<Expansion> relativeRest() {
    Monomial leading = terms.firstKey();
    if (leading.power() >= order) {
      return Optional.empty();
    }
    Expansion scaled = times(single(1 / leadingCoefficient(), -leading.power(), -leading.logs()));
    Expansion rest = scaled.plus(constant(-1));
    return rest.lead() > 0 && rest.order > 0 ? Optional.of(rest) : Optional.empty();
  }

  /** log(c v^k (1 + r)) = log c + k log v + log(1 + r). */
  private Optional<Expansion> log() {
    if (terms.isEmpty() || terms.firstKey().logs() != 0 || leadingCoefficient() <= 0) {
      return Optional.empty();
    }
    double coefficient = Math.log(leadingCoefficient());
    double power = terms.firstKey().power();
    double[] logarithm = new double[MAX_SERIES];
    for (int n = 1; n < MAX_SERIES; n++) {
      logarithm[n] = (n % 2 == 1 ? 1.0 : -1.0) / n;
    }
    return relativeRest()
        .map(rest -> {
          Expansion result = rest.series(logarithm);
          if (coefficient != 0) {
            result = result.plus(constant(coefficient));
          }
          return power == 0 ? result : result.plus(single(power, 0, 1));
        });
  }

  private Optional<Expansion> exp() {
    if (terms.isEmpty()) {
      return order > 0 ? Optional.of(constant(1)) : Optional.empty();
    }
    Monomial leading = terms.firstKey();
    if (leading.power() >= order || order <= 0) {
      return Optional.empty();
    }
    if (leading.power() < 0 || (leading.power() == 0 && leading.logs() > 0)) {
      boolean vanishes = leading.power() < 0 && sign().map(sign -> sign < 0).orElse(false);
      // exp(-1/v) is smaller than any power.
      return vanishes ? Optional.of(new Expansion(Double.POSITIVE_INFINITY)) : Optional.empty();
    }
    double constant = leading.power() == 0 && leading.logs() == 0 ? leadingCoefficient() : 0;
    Expansion rest = plus(constant(-constant));
    if (rest.lead() <= 0) {
      return Optional.empty();
    }
    double[] exponential = new double[MAX_SERIES];
    double factorial = 1;
    for (int n = 0; n < MAX_SERIES; n++) {
      exponential[n] = 1 / factorial;
      factorial *= n + 1;
    }
    return Optional.of(rest.series(exponential).times(constant(Math.exp(constant))));
  }

  private static double[] binomial(double exponent) {
    double[] result = new double[MAX_SERIES];
    double value = 1;
    for (int n = 0; n < MAX_SERIES; n++) {
      result[n] = value;
      value *= (exponent - n) / (n + 1);
    }
    return result;
  }

  /** The sum of c_n r^n, where r = this has positive powers only. */
  private Expansion series(double[] coefficients) {
    Expansion sum = constant(coefficients[0]).cleaned();
    if (terms.isEmpty() && order == Double.POSITIVE_INFINITY) {
      return sum;
    }
    Expansion power = this;
    for (int n = 1; n < coefficients.length; n++) {
      sum = sum.plus(power.times(constant(coefficients[n])));
      power = power.times(this);
      if (power.terms.isEmpty() || power.lead() > WINDOW) {
        break;
      }
    }
    return sum.upTo(power.lead());
  }

  private Expansion upTo(double bound) {
    Expansion result = new Expansion(Math.min(order, bound));
    terms.forEach((monomial, entry) -> {
      if (monomial.power() < result.order) {
        result.put(monomial, entry[0], entry[1]);
      }
    });
    return result;
  }
}
