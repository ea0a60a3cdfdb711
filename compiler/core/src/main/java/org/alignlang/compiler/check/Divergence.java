package org.alignlang.compiler.check;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;
import org.alignlang.compiler.ir.Binary;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.ir.Unary;
import org.alignlang.compiler.symbolic.Atom;
import org.alignlang.compiler.symbolic.DivergenceCalculus;
import org.alignlang.compiler.symbolic.Factor;
import org.alignlang.compiler.symbolic.GradientWeight;
import org.alignlang.compiler.symbolic.GradientWeight.Estimator;
import org.alignlang.compiler.symbolic.GradientWeight.Placement;
import org.alignlang.compiler.symbolic.Inverse;
import org.alignlang.compiler.symbolic.LogSpace;
import org.alignlang.compiler.symbolic.Sum;
import org.alignlang.compiler.symbolic.Term;

/**
 * A divergence {@code D(p || q) = E_q[f(p / q)]} with all its parameters known, and how to write it
 * into a graph in log space, where {@code u = exp(x)}.
 *
 * @param name its name with its arguments, as messages show it
 * @param f the integrand, with {@code f(1) = 0}
 */
public record Divergence(String name, Sum f) {

  public Sum derivative() {
    return f.derivative();
  }

  /** {@code f~(u) = u f(1 / u)}, so that {@code D_f(p || q) = D_f~(q || p)}. */
  public Divergence dual() {
    return new Divergence(name, DivergenceCalculus.dual(f));
  }

  /** A sample estimator as an expression in the ratio of the policy to the other. */
  public Sum estimator(Estimator estimator) {
    return GradientWeight.estimator(f, estimator);
  }

  /**
   * The factor of {@code grad log pi} in the expected gradient, as a function of u. It is right if
   * it differs from {@code f'(u)} by a constant, whose expected gradient is zero.
   */
  public Sum weight(Estimator estimator, Placement placement) {
    return GradientWeight.weight(f, estimator, placement);
  }

  /** What a weight descends, given the divergences that have a name. */
  public GradientWeight.Descent descends(Sum weight, Map<String, Divergence> named) {
    Map<String, Sum> generators = new LinkedHashMap<>();
    named.forEach((each, divergence) -> generators.put(each, divergence.f()));
    return GradientWeight.classify(weight, f, generators);
  }

  /** {@code f'(u)} without its additive constant, which cancels wherever links are compared. */
  public Sum link() {
    Sum derivative = derivative();
    return derivative.minus(Sum.constant(derivative.constantTerm()));
  }

  /** The value of a sum at {@code u = exp(x)}. */
  static Node lower(GraphBuilder b, Sum sum, Node x) {
    return total(b, sum, x, Optional.empty());
  }

  /**
   * {@code q f(p / q)} from the logs of both, elementwise: every term {@code c u^k r} becomes
   * {@code c exp(log(q u^k)) r}, so that nothing overflows where p or q is tiny or 0.
   */
  Node density(GraphBuilder b, Node logP, Node logQ) {
    return total(b, f, b.combine(Binary.LOG_RATIO, logP, logQ), Optional.of(new Pair(logP, logQ)));
  }

  private record Pair(Node logP, Node logQ) {}

  private static Node total(GraphBuilder b, Sum sum, Node x, Optional<Pair> densities) {
    Node result = b.constant(0);
    List<Term> terms = sum.terms();
    boolean[] done = new boolean[terms.size()];
    for (int i = 0; i < terms.size(); i++) {
      if (done[i]) {
        continue;
      }
      Term term = terms.get(i);
      Node rest = b.constant(1);
      List<Factor> factors = term.factors();
      double coefficient = term.coefficient();
      int partner = partner(terms, i, done);
      if (partner >= 0) {
        boolean plain = beside(term, Sum.variable()).isPresent();
        coefficient = plain ? coefficient : -coefficient;
        factors = beside(plain ? term : terms.get(partner), Sum.variable()).orElseThrow();
        // c log u - c log(u + 1) = c log s(x)
        done[partner] = true;
        rest = b.apply(Unary.LOG_SIGMOID, x);
      }
      for (Factor factor : factors) {
        if (!(factor.atom() instanceof Atom.U)) {
          rest = b.multiply(rest, factor(b, factor, x));
        }
      }
      double k = term.exponent();
      Node value;
      if (densities.isPresent()) {
        Pair pair = densities.get();
        value = weighted(b, term, k, rest, x, pair);
      } else {
        value = k == 0 ? rest : b.expTimes(b.multiply(b.constant(k), x), rest);
      }
      result = b.add(result, b.multiply(b.constant(coefficient), value));
    }
    return result;
  }

  private static Node weighted(GraphBuilder b, Term term, double k, Node rest, Node x, Pair pair) {
    if (term.factors().size() == 1
        && term.factors().get(0).atom() instanceof Atom.Abs abs
        && term.factors().get(0).exponent() == 1) {
      Optional<double[]> line = linear(abs.argument());
      if (line.isPresent()) {
        // q |a u + c| = |a p + c q|, which is right where q is 0 too.
        double[] ac = line.get();
        return b.apply(
            Unary.ABS,
            b.add(
                b.multiply(b.constant(ac[0]), b.exp(pair.logP)),
                b.multiply(b.constant(ac[1]), b.exp(pair.logQ))));
      }
    }
    return b.expTimes(power(b, k, x, pair), rest);
  }

  /**
   * {@code log(q u^k)}, from what is infinite on no more than one side where p or q is 0: {@code
   * log q + k log u} would be the difference of infinities there.
   */
  private static Node power(GraphBuilder b, double k, Node x, Pair pair) {
    if (k == 0) {
      return pair.logQ;
    }
    if (k == 1) {
      return pair.logP;
    }
    if (k < 0) {
      return b.add(pair.logQ, b.multiply(b.constant(k), x));
    }
    if (k > 1) {
      return b.add(pair.logP, b.multiply(b.constant(k - 1), x));
    }
    return b.add(b.multiply(b.constant(1 - k), pair.logQ), b.multiply(b.constant(k), pair.logP));
  }

  /** {@code a} and {@code c} of {@code a u + c}. */
  private static Optional<double[]> linear(Sum sum) {
    double a = 0;
    double c = 0;
    for (Term term : sum.terms()) {
      if (term.isConstant()) {
        c = term.coefficient();
      } else if (term.factors().size() == 1 && term.exponent() == 1) {
        a = term.coefficient();
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(new double[] {a, c});
  }

  /** The term that joins another to {@code c (log u - log(u + 1))} times what both have beside. */
  private static int partner(List<Term> terms, int index, boolean[] done) {
    Term term = terms.get(index);
    Sum more = Sum.variable().plus(Sum.ONE);
    boolean plain = beside(term, Sum.variable()).isPresent();
    Optional<List<Factor>> others = beside(term, plain ? Sum.variable() : more);
    if (others.isEmpty()) {
      return -1;
    }
    for (int j = index + 1; j < terms.size(); j++) {
      Term candidate = terms.get(j);
      if (!done[j]
          && candidate.coefficient() == -term.coefficient()
          && beside(candidate, plain ? more : Sum.variable()).equals(others)) {
        return j;
      }
    }
    return -1;
  }

  /** The factors beside the logarithm of a sum, if the term has it. */
  private static Optional<List<Factor>> beside(Term term, Sum argument) {
    List<Factor> others = new ArrayList<>(term.factors());
    return others.remove(new Factor(new Atom.Log(argument), 1))
        ? Optional.of(others)
        : Optional.empty();
  }

  private static Node factor(GraphBuilder b, Factor factor, Node x) {
    double e = factor.exponent();
    Node base =
        switch (factor.atom()) {
          case Atom.U _ -> b.exp(x);
          case Atom.Log log -> logOf(b, log.argument(), x);
          case Atom.Abs abs -> b.apply(Unary.ABS, lower(b, abs.argument(), x));
          case Atom.Sign sign -> b.sign(lower(b, sign.argument(), x));
          case Atom.Exp exp -> b.exp(lower(b, exp.argument(), x));
          case Atom.Group group -> {
            if (isPositive(group.base())) {
              yield b.exp(b.multiply(b.constant(e), logOf(b, group.base(), x)));
            }
            yield b.power(lower(b, group.base(), x), b.constant(e));
          }
        };
    if (factor.atom() instanceof Atom.Group || e == 1) {
      return base;
    }
    return b.power(base, b.constant(e));
  }

  private static boolean isPositive(Sum sum) {
    return sum.terms().stream()
        .allMatch(t ->
            t.coefficient() > 0 && t.factors().stream().allMatch(f -> f.atom() instanceof Atom.U));
  }

  /** The log of a sum; of positive powers of u without leaving log space. */
  private static Node logOf(GraphBuilder b, Sum sum, Node x) {
    if (!isPositive(sum)) {
      return b.log(lower(b, sum, x));
    }
    Node result = null;
    for (Term term : sum.terms()) {
      // Without u no multiple of x may enter, as 0 times log 0 is no number.
      Node constant = b.constant(Math.log(term.coefficient()));
      Node log =
          term.exponent() == 0
              ? constant
              : b.add(constant, b.multiply(b.constant(term.exponent()), x));
      result = result == null ? log : b.combine(Binary.LOG_ADD_EXP, log, result);
    }
    return result == null ? b.log(b.constant(0)) : result;
  }

  /** {@code x -> f(exp x)}. */
  public DoubleUnaryOperator integrand() {
    return LogSpace.lower(f)::at;
  }

  /**
   * {@code y -> log((f')^-1(y))}, the log-ratio at which {@code f'} is y: negative infinity below
   * the range of {@code f'}, positive infinity above it. Empty where {@code f'} has no inverse.
   */
  public Optional<DoubleUnaryOperator> inverse() {
    return switch (DivergenceCalculus.derive(f).inverse()) {
      case Inverse.Closed closed -> Optional.of(closed::logAt);
      case Inverse.Numeric numeric -> Optional.of(numeric::logAt);
      case Inverse.None _ -> Optional.empty();
    };
  }
}
