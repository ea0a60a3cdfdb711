package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.alignlang.compiler.ast.Declaration;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.ir.GraphBuilder;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.symbolic.DerivedDivergence;
import org.alignlang.compiler.symbolic.DivergenceCalculus;
import org.alignlang.compiler.symbolic.Inverse;
import org.alignlang.compiler.symbolic.Sum;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What is derived from a divergence's f, against the same function written in Java, differentiated,
 * inverted and maximised numerically.
 */
class DivergencesTest {

  /**
   * A divergence.
   *
   * @param text f as the spec writes it
   * @param f the same in Java
   * @param smooth whether f'' exists everywhere and f' has an inverse
   */
  record Case(String text, DoubleUnaryOperator f, boolean smooth) {
    @Override
    public String toString() {
      return text;
    }
  }

  static List<Case> library() {
    return List.of(
        new Case("u * log(u)", u -> u * Math.log(u), true),
        new Case("-log(u)", u -> -Math.log(u), true),
        new Case(
            "u * log(u) - (u + 1) * log((u + 1) / 2)",
            u -> u * Math.log(u) - (u + 1) * Math.log((u + 1) / 2),
            true),
        new Case(
            "(u^(1 - 0.5) - (1 - 0.5) * u - 0.5) / (0.5 * (0.5 - 1))",
            u -> (Math.sqrt(u) - 0.5 * u - 0.5) / -0.25,
            true),
        new Case("(u - 1)^2", u -> (u - 1) * (u - 1), true),
        new Case("(1 - u)^2 / u", u -> (1 - u) * (1 - u) / u, true),
        new Case("(sqrt(u) - 1)^2", u -> Math.pow(Math.sqrt(u) - 1, 2), true),
        new Case("abs(u - 1) / 2", u -> Math.abs(u - 1) / 2, false));
  }

  static List<Case> odd() {
    return List.of(
        new Case(
            "2 * u * log(u) + 0.5 * (u - 1)^2",
            u -> 2 * u * Math.log(u) + 0.5 * (u - 1) * (u - 1),
            true),
        // Le Cam and triangular discrimination.
        new Case("(1 - u)^2 / (2 * u + 2)", u -> (1 - u) * (1 - u) / (2 * u + 2), true),
        new Case("(u - 1)^2 / (u + 1)", u -> (u - 1) * (u - 1) / (u + 1), true),
        new Case("exp(u - 1) - u", u -> Math.exp(u - 1) - u, true),
        new Case("u^3 - 3 * u + 2", u -> u * u * u - 3 * u + 2, true),
        // Jeffreys.
        new Case("(u - 1) * log(u)", u -> (u - 1) * Math.log(u), true),
        // Skewed Jensen-Shannon.
        new Case("u * log(u / (0.3 * u + 0.7))", u -> u * Math.log(u / (0.3 * u + 0.7)), true),
        new Case("1 / u + u - 2", u -> 1 / u + u - 2, true),
        new Case("1 - sqrt(u)", u -> 1 - Math.sqrt(u), true),
        new Case("u - 1 - log(u)", u -> u - 1 - Math.log(u), true),
        new Case("4 * (1 - u^0.25) + u - 1", u -> 4 * (1 - Math.pow(u, 0.25)) + u - 1, true),
        new Case("abs(u - 1) + (u - 1)^2", u -> Math.abs(u - 1) + (u - 1) * (u - 1), false),
        new Case("max(1 - u, 0)", u -> Math.max(1 - u, 0), false),
        // The hockey stick, flat around 1.
        new Case("max(u - 2, 0)", u -> Math.max(u - 2, 0), false));
  }

  static List<Case> all() {
    return Stream.concat(library().stream(), odd().stream()).toList();
  }

  static List<Case> smooth() {
    return all().stream().filter(Case::smooth).toList();
  }

  private static Compilation compile(String f) {
    return Compiler.compile(
        new SourceFile("d.align", "divergence d { f(u) = " + f + " }"), CompilerOptions.defaults());
  }

  private static Sum f(Case c) {
    Compilation compilation = compile(c.text());
    assertThat(compilation.diagnostics()).isEmpty();
    var declaration =
        (Declaration.DivergenceDeclaration) compilation.module().declarations().get(0);
    return DivergenceFunctions.convert(
        new CheckContext(
            new GraphBuilder(declaration.span(), true), new DiagnosticSink(), Set.of()),
        declaration,
        Map.of());
  }

  private static final double[] RATIOS = {1e-3, 0.02, 0.3, 0.8, 1.3, 2.6, 7, 40, 300};

  private static double slope(DoubleUnaryOperator f, double u) {
    double h = 1e-5 * u;
    // Fourth order, so that the truncation lies below the round-off.
    return (8 * (f.applyAsDouble(u + h) - f.applyAsDouble(u - h))
            - (f.applyAsDouble(u + 2 * h) - f.applyAsDouble(u - 2 * h)))
        / (12 * h);
  }

  private static double size(DoubleUnaryOperator f, double u) {
    return 1 + Math.abs(f.applyAsDouble(u)) / u;
  }

  @ParameterizedTest
  @MethodSource("all")
  void valueAndDerivativesAreRight(Case c) {
    DerivedDivergence d = DivergenceCalculus.derive(f(c));
    for (double u : RATIOS) {
      assertThat(d.f().evaluate(u))
          .isCloseTo(c.f().applyAsDouble(u), within(1e-12 * size(c.f(), u) * Math.max(1, u)));
      assertThat(d.derivative().evaluate(u))
          .as("f'(%s)", u)
          .isCloseTo(
              slope(c.f(), u),
              within(2e-9 * (size(c.f(), u) + Math.abs(d.derivative().evaluate(u)))));
      DoubleUnaryOperator first = d.derivative()::evaluate;
      assertThat(d.secondDerivative().evaluate(u))
          .as("f''(%s)", u)
          .isCloseTo(
              slope(first, u),
              within(1e-9 * (size(first, u) + Math.abs(d.secondDerivative().evaluate(u)))));
      assertThat(d.dual().evaluate(u))
          .as("dual(%s)", u)
          .isCloseTo(
              u * c.f().applyAsDouble(1 / u),
              within(1e-11 * (1 + Math.abs(u * c.f().applyAsDouble(1 / u)))));
    }
    assertThat(d.vanishesAtOne()).isTrue();
    assertThat(d.normalised().derivative().evaluate(1)).isCloseTo(0, within(1e-12));
  }

  @ParameterizedTest
  @MethodSource("smooth")
  void theInverseOfTheDerivativeInvertsIt(Case c) {
    DerivedDivergence d = DivergenceCalculus.derive(f(c));
    for (double x = -8; x <= 5; x += 0.37) {
      double y = d.derivative().evaluateLog(x);
      double back =
          switch (d.inverse()) {
            case Inverse.Closed closed -> closed.logAt(y);
            case Inverse.Numeric numeric -> numeric.logAt(y);
            case Inverse.None none -> throw new AssertionError(none.reason());
          };
      // Where f' hardly moves, y does not hold x to more digits than this.
      double lost = 1e-15 * (1 + Math.abs(y)) / (Math.exp(x) * d.secondDerivative().evaluateLog(x));
      assertThat(back).as("x = %s", x).isCloseTo(x, within(1e-9 + 20 * lost));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void theConjugateIsTheSupremum(Case c) {
    DerivedDivergence d = DivergenceCalculus.derive(f(c));
    for (double x : new double[] {-3, -1, -0.2, 0.3, 1.1, 2}) {
      double y = d.derivative().evaluateLog(x);
      double best = Double.NEGATIVE_INFINITY;
      for (double z = -12; z <= 8; z += 1e-3) {
        best = Math.max(best, y * Math.exp(z) - c.f().applyAsDouble(Math.exp(z)));
      }
      assertThat(d.conjugate().at(y))
          .as("y = %s", y)
          .isCloseTo(best, within(1e-4 * (1 + Math.abs(best))));
      // The supremum lies above every one of its candidates.
      assertThat(d.conjugate().at(y)).isGreaterThanOrEqualTo(best - 1e-9 * (1 + Math.abs(best)));
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void theDerivativeNeverFalls(Case c) {
    Sum derivative = f(c).derivative();
    double last = Double.NEGATIVE_INFINITY;
    for (double x = -20; x <= 5; x += 0.1) {
      double next = derivative.evaluateLog(x);
      assertThat(next).isGreaterThanOrEqualTo(last - 1e-12 * (1 + Math.abs(last)));
      last = next;
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void theGraphComputesLinkAndDensityInLogSpace(Case c) {
    Divergence d = new Divergence("d", f(c));
    Compilation compilation = compile(c.text());
    for (double x : new double[] {-50, -7, -0.5, 0.4, 3, 5}) {
      GraphBuilder b = new GraphBuilder(compilation.module().declarations().get(0).span(), true);
      double link = value(Divergence.lower(b, d.link(), b.constant(x)));
      double slope = d.derivative().evaluateLog(x) - d.derivative().constantTerm();
      assertThat(link).as("link at %s", x).isCloseTo(slope, within(1e-10 * (1 + Math.abs(slope))));
      double logQ = -3;
      double density = value(d.density(b, b.constant(logQ + x), b.constant(logQ)));
      double expected = Math.exp(logQ) * d.f().evaluateLog(x);
      assertThat(density)
          .as("density at %s", x)
          .isCloseTo(expected, within(1e-10 * (1 + Math.abs(expected))));
    }
  }

  private static double value(Node node) {
    return GraphBuilder.constantValue(node).orElseThrow();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "u * log(u)           ; 0",
        "(u - 1)^2            ; 0.1353352832366127",
        "(sqrt(u) - 1)^2      ; 0.1353352832366127",
        "abs(u - 1) / 2       ; 0.06766764161830635",
        "u * log(u) - (u + 1) * log((u + 1) / 2) ; 0.09380727000573973"
      })
  void aTokenThatThePolicyExcludesCostsWhatItShould(String text, double expected) {
    // p = 0, q = exp(-2): q f(0).
    Divergence d = new Divergence("d", f(new Case(text, u -> u, true)));
    GraphBuilder b = new GraphBuilder(compile(text).module().declarations().get(0).span(), true);

    double density = value(d.density(b, b.constant(Double.NEGATIVE_INFINITY), b.constant(-2)));

    assertThat(density).isCloseTo(expected, within(1e-15));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "-(u - 1)^2                  ; ALN5001",
        "u * log(u) - (u - 1)^2      ; ALN5001",
        "sqrt(u) - 1                 ; ALN5001",
        "min(u, 1) - 1               ; ALN5001",
        "(u - 1)^3                   ; ALN5001",
        "(u - 1)^2 - 3 * abs(u - 1)  ; ALN5001",
        "u * log(u) + 1              ; ALN5002",
        "(u - 2)^2                   ; ALN5002",
        "exp(u)                      ; ALN5002",
        "log(u - 2)                  ; ALN5003",
        "sqrt(u - 1)                 ; ALN5003",
        "2^u - 2                     ; ALN5003",
        "sin(u - 1)                  ; ALN5003",
        "if u > 1 then u - 1 else 0  ; ALN5003"
      })
  void whatIsNoDivergenceIsRefusedWithItsCode(String text, String code) {
    List<Diagnostic> findings = compile(text).diagnostics();

    assertThat(findings).extracting(d -> d.code().code()).as(text).containsExactly(code);
  }

  @Test
  void anOptimumHasAClosedFormOnlyWhereZeroIsOutsideTheDomainOfTheDerivative() {
    // Wang et al. 2024, theorem 1: 0 must not lie in the domain of f'.
    assertThat(derive("u * log(u)").zeroInDomainOfDerivative()).isFalse();
    assertThat(derive("-log(u)").zeroInDomainOfDerivative()).isFalse();
    assertThat(derive("(sqrt(u) - 1)^2").zeroInDomainOfDerivative()).isFalse();
    assertThat(derive("u * log(u) - (u + 1) * log((u + 1) / 2)").zeroInDomainOfDerivative())
        .isFalse();
    assertThat(derive("(u - 1)^2").zeroInDomainOfDerivative()).isTrue();
    assertThat(derive("abs(u - 1) / 2").zeroInDomainOfDerivative()).isTrue();
  }

  private static DerivedDivergence derive(String text) {
    return DivergenceCalculus.derive(f(new Case(text, u -> u, true)));
  }

  @ParameterizedTest
  @MethodSource("readable")
  void formulasAreReadable(String f, String derivative, String inverse, String conjugate) {
    DerivedDivergence d = derive(f);

    assertThat(d.derivative().toUnicode()).isEqualTo(derivative);
    assertThat(
            switch (d.inverse()) {
              case Inverse.Closed closed -> closed.formula().unicode();
              case Inverse.Numeric _ -> "numeric";
              case Inverse.None none -> none.reason();
            })
        .isEqualTo(inverse);
    assertThat(d.conjugate().formula().map(formula -> formula.unicode()).orElse("none"))
        .isEqualTo(conjugate);
  }

  static List<Arguments> readable() {
    return List.of(
        arguments("u * log(u)", "log u + 1", "exp(y − 1)", "exp(y − 1)"),
        arguments("-log(u)", "−1/u", "−1/y", "−log(−y) − 1"),
        arguments(
            "u * log(u) - (u + 1) * log((u + 1) / 2)",
            "log u − log(u + 1) + log 2",
            "exp(y)/(2 − exp(y))",
            "−log(2 − exp(y))"),
        arguments(
            "(u^(1 - 0.5) - (1 - 0.5) * u - 0.5) / (0.5 * (0.5 - 1))",
            "2 − 2/√u",
            "4/(y − 2)²",
            "2y/(2 − y)"),
        arguments("(u - 1)^2", "2u − 2", "0.5y + 1", "0.25y² + y"),
        arguments("(1 - u)^2 / u", "1 − 1/u²", "1/√(1 − y)", "2 − 2 √(1 − y)"),
        arguments("(sqrt(u) - 1)^2", "1 − 1/√u", "1/(y − 1)²", "y/(1 − y)"),
        arguments("abs(u - 1) / 2", "0.5 sgn(u − 1)", "f' jumps from -0.5 to 0.5 at u = 1", "none"),
        arguments(
            "(1 - u)^2 / (2 * u + 2)",
            "0.5 − 2/(u + 1)²",
            "1/√(0.25 − 0.5y) − 1",
            "2 − y − 4 √(0.25 − 0.5y)"),
        arguments(
            "(u - 1) * log(u)", "log u + 1 − 1/u", "1/ω(1 − y)", "1/ω(1 − y) − log(ω(1 − y)) − 1"));
  }
}
