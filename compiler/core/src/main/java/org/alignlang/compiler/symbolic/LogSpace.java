package org.alignlang.compiler.symbolic;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * How to compute an expression at u = exp(x) from x, without overflow and cancellation that can be
 * avoided.
 *
 * <p>log u is x; log(u + 1) is softplus(x); the logarithm of any sum of positive terms is a chain
 * of softplus; x - softplus(x) is log-sigmoid(x); u^k - c is an expm1; powers of positive groups
 * are exponentials of their logarithms.
 */
public final class LogSpace {
  private LogSpace() {}

  /** An expression in x = log u. */
  public sealed interface Tree {

    /** x itself. */
    record X() implements Tree {}

    record Constant(double value) implements Tree {}

    /** log(1 + exp(argument)). */
    record Softplus(Tree argument) implements Tree {}

    /** argument - softplus(argument) = -log(1 + exp(-argument)). */
    record LogSigmoid(Tree argument) implements Tree {}

    /** The natural logarithm; not a number where the argument is negative. */
    record Log(Tree argument) implements Tree {}

    record Abs(Tree argument) implements Tree {}

    /** -1, 0 or 1. */
    record Sign(Tree argument) implements Tree {}

    record Power(Tree base, double exponent) implements Tree {}

    record Exp(Tree argument) implements Tree {}

    /** exp(argument) - 1. */
    record Expm1(Tree argument) implements Tree {}

    record Plus(List<Tree> addends) implements Tree {
      public Plus {
        addends = List.copyOf(addends);
      }
    }

    record Times(List<Tree> factors) implements Tree {
      public Times {
        factors = List.copyOf(factors);
      }
    }
  }

  /**
   * coefficient * exp(exponent * x) * rest.
   *
   * <p>Under a weight q, q exp(k x) is exp(log q + k x): q itself for k = 0, and p for k = 1.
   *
   * @param coefficient a number that is not 0
   * @param exponent the power of u
   * @param rest the other factors; {@code Constant(1)} where there are none
   */
  public record LogTerm(double coefficient, double exponent, Tree rest) {
    /** Whether the term is a multiple of a power of u. */
    public boolean isPower() {
      return rest.equals(ONE);
    }
  }

  /** A sum of terms. */
  public record LogForm(List<LogTerm> terms) {
    public LogForm {
      terms = List.copyOf(terms);
    }

    /** The value at u = exp(x) for finite x. */
    public double at(double x) {
      return LogEvaluator.sum(this, x, Math.exp(x));
    }

    /** The value at u with x = log u; a limit of the original at the ends. */
    double at(double x, double u, Sum original) {
      if (Double.isNaN(x)) {
        return Double.NaN;
      }
      if (Double.isInfinite(x)) {
        return Limit.of(original, x < 0 ? Limit.End.ZERO : Limit.End.INFINITY).value();
      }
      return LogEvaluator.sum(this, x, u);
    }

    /** The sum of the sizes of the terms, by which round-off scales. */
    public double sizeAt(double x) {
      return LogEvaluator.size(this, x);
    }
  }

  static final Tree ONE = new Tree.Constant(1);
  private static final Tree X = new Tree.X();

  /** The steps that compute a sum. */
  public static LogForm lower(Sum sum) {
    return new LogForm(withLogSigmoid(sum));
  }

  // Terms.

  private static LogTerm lower(Term term) {
    List<Tree> factors = new ArrayList<>();
    for (Factor factor : term.factors()) {
      if (!(factor.atom() instanceof Atom.U)) {
        factors.add(lower(factor));
      }
    }
    return new LogTerm(term.coefficient(), term.exponent(), times(factors));
  }

  private static Tree lower(Factor factor) {
    double exponent = factor.exponent();
    return switch (factor.atom()) {
      case Atom.U() -> exp(scaled(exponent, X));
      case Atom.Exp(Sum argument) -> exp(scaled(exponent, tree(argument)));
      case Atom.Group(Sum base) ->
          logOfPositive(base)
              .<Tree>map(log -> exp(scaled(exponent, log)))
              .orElseGet(() -> power(tree(base), exponent));
      case Atom.Log(Sum argument) -> power(log(argument), exponent);
      case Atom.Abs(Sum argument) -> power(new Tree.Abs(tree(argument)), exponent);
      case Atom.Sign(Sum argument) -> new Tree.Sign(tree(argument));
    };
  }

  private static Tree log(Sum argument) {
    return logOfPositive(argument).orElseGet(() -> new Tree.Log(tree(argument)));
  }

  /**
   * log of a sum of positive terms: log(a + b) = log a + softplus(log b - log a), from the highest
   * power on.
   */
  private static Optional<Tree> logOfPositive(Sum sum) {
    List<Tree> logs = new ArrayList<>();
    for (int i = sum.terms().size() - 1; i >= 0; i--) {
      Optional<Tree> log = logOfPositive(sum.terms().get(i));
      if (log.isEmpty()) {
        return Optional.empty();
      }
      logs.add(log.get());
    }
    Tree total = logs.get(0);
    for (Tree next : logs.subList(1, logs.size())) {
      total = plus(List.of(total, new Tree.Softplus(plus(List.of(next, scaled(-1, total))))));
    }
    return Optional.of(total);
  }

  private static Optional<Tree> logOfPositive(Term term) {
    if (term.coefficient() <= 0) {
      return Optional.empty();
    }
    List<Tree> addends = new ArrayList<>();
    if (term.coefficient() != 1) {
      addends.add(new Tree.Constant(Math.log(term.coefficient())));
    }
    for (Factor factor : term.factors()) {
      Optional<Tree> log =
          switch (factor.atom()) {
            case Atom.U() -> Optional.of(X);
            case Atom.Exp(Sum argument) -> Optional.of(tree(argument));
            case Atom.Group(Sum base) -> logOfPositive(base);
            case Atom.Log(Sum _), Atom.Abs(Sum _), Atom.Sign(Sum _) -> Optional.empty();
          };
      if (log.isEmpty()) {
        return Optional.empty();
      }
      addends.add(scaled(factor.exponent(), log.get()));
    }
    return Optional.of(plus(addends));
  }

  /** A whole sum as one tree. */
  private static Tree tree(Sum sum) {
    Optional<Tree> difference = powerMinusConstant(sum);
    if (difference.isPresent()) {
      return difference.get();
    }
    List<Tree> addends = new ArrayList<>();
    for (LogTerm term : withLogSigmoid(sum)) {
      List<Tree> factors = new ArrayList<>();
      if (term.exponent() != 0) {
        factors.add(exp(scaled(term.exponent(), X)));
      }
      factors.add(term.rest());
      addends.add(scaled(term.coefficient(), times(factors)));
    }
    return plus(addends);
  }

  /** c u^k - d with c d > 0 is d expm1(k x - log(d / c)). */
  private static Optional<Tree> powerMinusConstant(Sum sum) {
    if (sum.terms().size() != 2) {
      return Optional.empty();
    }
    Term high = sum.terms().get(0);
    Term low = sum.terms().get(1);
    Term power = high.isConstant() ? low : high;
    double constant = sum.constantTerm();
    if (!power.rest().isEmpty() || constant == 0 || power.coefficient() * constant >= 0) {
      return Optional.empty();
    }
    Tree exponent =
        plus(
            List.of(
                scaled(power.exponent(), X),
                new Tree.Constant(-Math.log(-constant / power.coefficient()))));
    return Optional.of(scaled(-constant, new Tree.Expm1(exponent)));
  }

  /**
   * Lowers term by term; then c x + d softplus(x - b) with d of the other sign becomes (c + d) x -
   * d log-sigmoid, both under the same power and the same other factors.
   */
  private static List<LogTerm> withLogSigmoid(Sum sum) {
    Map<List<Factor>, Integer> places = new LinkedHashMap<>();
    List<Term> terms = new ArrayList<>(sum.terms());
    for (int i = 0; i < terms.size(); i++) {
      places.put(terms.get(i).factors(), i);
    }
    double[] coefficients = terms.stream().mapToDouble(Term::coefficient).toArray();
    List<LogTerm> result = new ArrayList<>();
    List<LogTerm> sigmoids = new ArrayList<>();
    for (int i = 0; i < terms.size(); i++) {
      Term term = terms.get(i);
      for (Factor factor : term.factors()) {
        if (factor.exponent() != 1
            || !(factor.atom() instanceof Atom.Log(Sum argument))
            || coefficients[i] == 0) {
          continue;
        }
        Optional<Shifted> shifted = Shifted.of(argument);
        if (shifted.isEmpty()) {
          continue;
        }
        List<Factor> others = new ArrayList<>(term.factors());
        others.remove(factor);
        Optional<Integer> partner = partner(places, others);
        if (partner.isEmpty()) {
          continue;
        }
        double power = shifted.get().exponent();
        double share = coefficients[partner.get()];
        // d log(v + b) = d v-log + ... : with z = k x - log b, log(v + b) = k x - logsigmoid(z).
        double moved = coefficients[i] * power;
        if (share * moved >= 0 || Math.abs(share) < Math.abs(moved) * (1 - 1e-12)) {
          continue;
        }
        LogTerm rest = lower(new Term(1, others));
        Tree argumentTree =
            plus(List.of(scaled(power, X), new Tree.Constant(-Math.log(shifted.get().constant()))));
        sigmoids.add(
            new LogTerm(
                -coefficients[i],
                rest.exponent(),
                times(List.of(rest.rest(), new Tree.LogSigmoid(argumentTree)))));
        coefficients[partner.get()] =
            Numbers.snapSum(share + moved, Math.abs(share) + Math.abs(moved));
        coefficients[i] = 0;
        break;
      }
    }
    for (int i = 0; i < terms.size(); i++) {
      if (coefficients[i] != 0) {
        result.add(lower(new Term(coefficients[i], terms.get(i).factors())));
      }
    }
    result.addAll(sigmoids);
    return result;
  }

  /** The place of the term that has log u where another one has log(u^k + b). */
  private static Optional<Integer> partner(Map<List<Factor>, Integer> places, List<Factor> others) {
    List<Factor> wanted = new ArrayList<>(others);
    wanted.add(new Factor(new Atom.Log(Sum.variable()), 1));
    wanted.sort(Order.FACTORS);
    return Optional.ofNullable(places.get(wanted));
  }

  /** u^exponent + constant with a positive constant. */
  record Shifted(double exponent, double constant) {
    static Optional<Shifted> of(Sum sum) {
      double constant = sum.constantTerm();
      if (sum.terms().size() != 2 || constant <= 0) {
        return Optional.empty();
      }
      Term power = sum.terms().get(0).isConstant() ? sum.terms().get(1) : sum.terms().get(0);
      return power.rest().isEmpty() && power.coefficient() == 1
          ? Optional.of(new Shifted(power.exponent(), constant))
          : Optional.empty();
    }
  }

  // Small trees.

  private static Tree plus(List<Tree> addends) {
    List<Tree> flat = new ArrayList<>();
    double constant = 0;
    for (Tree addend : addends) {
      List<Tree> parts = addend instanceof Tree.Plus(List<Tree> inner) ? inner : List.of(addend);
      for (Tree part : parts) {
        if (part instanceof Tree.Constant(double value)) {
          constant += value;
        } else {
          flat.add(part);
        }
      }
    }
    if (constant != 0 || flat.isEmpty()) {
      flat.add(new Tree.Constant(constant));
    }
    return flat.size() == 1 ? flat.get(0) : new Tree.Plus(flat);
  }

  private static Tree times(List<Tree> factors) {
    List<Tree> flat = new ArrayList<>();
    double constant = 1;
    for (Tree factor : factors) {
      List<Tree> parts = factor instanceof Tree.Times(List<Tree> inner) ? inner : List.of(factor);
      for (Tree part : parts) {
        if (part instanceof Tree.Constant(double value)) {
          constant *= value;
        } else {
          flat.add(part);
        }
      }
    }
    if (constant != 1 || flat.isEmpty()) {
      flat.add(0, new Tree.Constant(constant));
    }
    return flat.size() == 1 ? flat.get(0) : new Tree.Times(flat);
  }

  private static Tree scaled(double factor, Tree tree) {
    if (tree instanceof Tree.Plus(List<Tree> addends) && factor != 1) {
      return plus(addends.stream().map(addend -> scaled(factor, addend)).toList());
    }
    return factor == 1 ? tree : times(List.of(new Tree.Constant(factor), tree));
  }

  private static Tree exp(Tree argument) {
    return new Tree.Exp(argument);
  }

  private static Tree power(Tree base, double exponent) {
    return exponent == 1 ? base : new Tree.Power(base, exponent);
  }
}
