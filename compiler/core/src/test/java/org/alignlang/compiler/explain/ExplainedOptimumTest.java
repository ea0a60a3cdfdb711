package org.alignlang.compiler.explain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Expression;
import org.alignlang.compiler.check.Divergence;
import org.alignlang.compiler.check.DivergenceRegistry;
import org.alignlang.compiler.check.Scope;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.symbolic.DerivedDivergence;
import org.alignlang.compiler.symbolic.DivergenceCalculus;
import org.alignlang.compiler.symbolic.Inverse;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The optimum that an explanation prints, {@code pi = ref (f')^-1(max(f'(0), (r - nu) / beta))},
 * computed from the printed formula and held against a search over all policies.
 */
class ExplainedOptimumTest {
  private static final double[] REFERENCE = {0.5, 0.2, 0.3};

  /** Far apart, so that the worst response is left out where it can be. */
  private static final double[] REWARDS = {1, 4, -9};

  private static final double BETA = 1.5;

  private static final Scope SCOPE =
      Compiler.compile(
              new SourceFile(
                  "own.align",
                  """
                  divergence le_cam { f(u) = (u - 1)^2 / (u + 1) }
                  divergence cubic { f(u) = u^3 - 3 * u + 2 }
                  """),
              CompilerOptions.defaults())
          .scope();

  static Stream<String> divergences() {
    return Stream.of(
        "reverse_kl",
        "KL",
        "forward_kl",
        "jensen_shannon",
        "alpha",
        "alpha(0.3)",
        "alpha(2)",
        "alpha(-0.5)",
        "alpha(-1)",
        "alpha(-2)",
        "chi_squared",
        "reverse_chi_squared",
        "squared_hellinger",
        "le_cam",
        "cubic");
  }

  private static Expression parsed(String text) {
    return AlignSyntax.parseExpression(new SourceFile("formula", text), new DiagnosticSink())
        .orElseThrow();
  }

  private static Divergence divergence(String text) {
    return DivergenceRegistry.find(parsed(text), SCOPE, new DiagnosticSink()).orElseThrow();
  }

  @ParameterizedTest
  @MethodSource("divergences")
  void isTheBestOfAllPolicies(String name) {
    Divergence divergence = divergence(name);
    DerivedDivergence derived = DivergenceCalculus.derive(divergence.f());
    DoubleUnaryOperator inverse =
        switch (derived.inverse()) {
          case Inverse.Closed closed -> y -> value(parsed(closed.formula().text()), y);
          case Inverse.Numeric numeric -> y -> Math.exp(numeric.logAt(y));
          case Inverse.None none -> throw new AssertionError(none.reason());
        };
    double least = derived.range().atZero().value();
    boolean bounded = Double.isFinite(least);

    double[] printed = printed(y -> inverse.applyAsDouble(Math.max(least, y)), derived);
    double[] best = best(divergence);

    for (int i = 0; i < best.length; i++) {
      assertThat(printed[i]).as("response %d", i).isCloseTo(best[i], within(2e-4));
    }
    assertThat(best[2] < 1e-6).as("the worst response is left out").isEqualTo(bounded);
    String text = DivergenceExplainer.explain(divergence, "").render(Explanation.Format.UNICODE);
    assertThat(text.contains("(f′)⁻¹(max(")).isEqualTo(bounded);
    assertThat(text.contains("get no probability")).isEqualTo(bounded);
  }

  /** The normalised formula, with nu found by bisection. */
  private static double[] printed(DoubleUnaryOperator ratio, DerivedDivergence derived) {
    double top = derived.range().atInfinity().value();
    double low = Double.isFinite(top) ? 4 - BETA * top : -100;
    double high = low + 200;
    double[] probabilities = new double[REWARDS.length];
    for (int step = 0; step < 200; step++) {
      double nu = (low + high) / 2;
      double sum = 0;
      for (int i = 0; i < REWARDS.length; i++) {
        probabilities[i] = REFERENCE[i] * ratio.applyAsDouble((REWARDS[i] - nu) / BETA);
        sum += probabilities[i];
      }
      if (sum > 1) {
        low = nu;
      } else {
        high = nu;
      }
    }
    return probabilities;
  }

  /** The best policy: mass is moved between pairs of responses until nothing is gained by it. */
  private static double[] best(Divergence divergence) {
    double[] p = REFERENCE.clone();
    DoubleUnaryOperator f = divergence.integrand();
    for (int round = 0; round < 60; round++) {
      for (int i = 0; i < p.length; i++) {
        int from = i;
        int to = (i + 1) % p.length;
        double both = p[from] + p[to];
        double low = 0;
        double high = both;
        for (int step = 0; step < 50; step++) {
          double first = low + (high - low) / 3;
          double second = high - (high - low) / 3;
          if (value(f, p, from, to, first, both) < value(f, p, from, to, second, both)) {
            low = first;
          } else {
            high = second;
          }
        }
        p[to] = (low + high) / 2;
        p[from] = both - p[to];
      }
    }
    return p;
  }

  private static double value(
      DoubleUnaryOperator f, double[] p, int from, int to, double moved, double both) {
    double[] q = p.clone();
    q[to] = moved;
    q[from] = both - moved;
    double value = 0;
    for (int i = 0; i < q.length; i++) {
      double logRatio = Math.log(Math.max(q[i], 1e-12) / REFERENCE[i]);
      value += q[i] * REWARDS[i] - BETA * REFERENCE[i] * f.applyAsDouble(logRatio);
    }
    return value;
  }

  /** The value of a printed formula in y. */
  private static double value(Expression formula, double y) {
    return switch (formula) {
      case Expression.NumberLiteral number -> number.value();
      case Expression.NameReference _ -> y;
      case Expression.Negated negated -> -value(negated.operand(), y);
      case Expression.Binary binary -> {
        double left = value(binary.left(), y);
        double right = value(binary.right(), y);
        yield switch (binary.operator()) {
          case PLUS -> left + right;
          case MINUS -> left - right;
          case TIMES -> left * right;
          case DIVIDE -> left / right;
          case POWER -> Math.pow(left, right);
          default -> throw new AssertionError(binary.operator());
        };
      }
      case Expression.Call call -> {
        double argument = value(call.arguments().getFirst().value(), y);
        yield switch (call.function().span().text()) {
          case "exp" -> Math.exp(argument);
          case "log" -> Math.log(argument);
          case "sqrt" -> Math.sqrt(argument);
          default -> throw new AssertionError(call.function().span().text());
        };
      }
      default -> throw new AssertionError(formula.toString());
    };
  }

  static List<String> objectives() {
    return List.of("chi_squared", "alpha(-0.5)", "jensen_shannon", "reverse_kl");
  }

  @ParameterizedTest
  @MethodSource("objectives")
  void isThatOfAnObjective(String name) {
    String spec =
        """
        objective Held(beta: Real = 0.5) {
          policy    pi
          reference ref
          reward    r: sequence
          maximize E[r] - beta * %s(pi || ref)
          estimate with rloo()
        }
        """;
    var compiled =
        Compiler.compile(
            new SourceFile(
                "own.align",
                name.contains("(")
                    ? spec.formatted(name.replaceFirst("\\(.*", ""))
                        .replace("ref)", "ref, a = -0.5)")
                    : spec.formatted(name)),
            CompilerOptions.defaults());
    String text =
        ObjectiveExplainer.explain(compiled.objectives().getFirst(), compiled.scope())
            .render(Explanation.Format.UNICODE);
    boolean bounded =
        Double.isFinite(DivergenceCalculus.derive(divergence(name).f()).range().atZero().value());

    assertThat(text.contains("(f′)⁻¹(max(−2, (r(y) − ν)/β))")).as(text).isEqualTo(bounded);
    assertThat(text.contains("get no probability")).isEqualTo(bounded);
  }
}
