package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.Severity;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.ir.Node;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Signature;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The table of estimators and placements, by exact enumeration: all sequences of a small
 * autoregressive policy, the expected gradient of each combination as the compiler lowers it,
 * against the gradient of each candidate divergence by finite differences; and what the compiler
 * says of it.
 */
class DivergenceTableTest {
  private static final int VOCABULARY = 3;
  private static final int LENGTH = 2;
  private static final int STATES = 1 + VOCABULARY;
  private static final int SIZE = STATES * VOCABULARY;
  private static final double[] POLICY = logits(1);
  private static final double[] REFERENCE = logits(2);
  private static final List<int[]> SEQUENCES = sequences();

  private static double[] logits(long seed) {
    return RandomBatches.direction(SIZE, seed);
  }

  private static List<int[]> sequences() {
    List<int[]> all = new ArrayList<>();
    for (int a = 0; a < VOCABULARY; a++) {
      for (int b = 0; b < VOCABULARY; b++) {
        all.add(new int[] {a, b});
      }
    }
    return all;
  }

  /** The state before token t: 0 at the start, then one per first token. */
  private static int state(int[] sequence, int t) {
    return t == 0 ? 0 : 1 + sequence[0];
  }

  private static double[] logSoftmax(double[] logits, int state) {
    double[] own = Arrays.copyOfRange(logits, state * VOCABULARY, (state + 1) * VOCABULARY);
    double total = Math.log(Arrays.stream(own).map(Math::exp).sum());
    return Arrays.stream(own).map(x -> x - total).toArray();
  }

  private static double[] tokenLogs(double[] logits, int[] sequence) {
    double[] logs = new double[LENGTH];
    for (int t = 0; t < LENGTH; t++) {
      logs[t] = logSoftmax(logits, state(sequence, t))[sequence[t]];
    }
    return logs;
  }

  private static double probability(double[] logits, int[] sequence) {
    return Math.exp(Arrays.stream(tokenLogs(logits, sequence)).sum());
  }

  // Candidates: divergences as functions of the policy's logits.

  /** {@code sum over sequences of d(pi(y), ref(y))}. */
  private static double[] sequenceGradient(DoubleBinaryOperator d) {
    return difference(logits ->
        SEQUENCES.stream()
            .mapToDouble(y -> d.applyAsDouble(probability(logits, y), probability(REFERENCE, y)))
            .sum());
  }

  /** The divergence of each state, weighed by how often the policy as it is visits it. */
  private static double[] frozenGradient(DoubleBinaryOperator d) {
    double[] first = logSoftmax(POLICY, 0);
    return difference(logits -> {
      double total = 0;
      for (int s = 0; s < STATES; s++) {
        double visits = s == 0 ? 1 : Math.exp(first[s - 1]);
        double[] p = logSoftmax(logits, s);
        double[] q = logSoftmax(REFERENCE, s);
        for (int v = 0; v < VOCABULARY; v++) {
          total += visits * d.applyAsDouble(Math.exp(p[v]), Math.exp(q[v]));
        }
      }
      return total;
    });
  }

  private static double[] difference(Function<double[], Double> function) {
    double[] gradient = new double[SIZE];
    double h = 1e-5;
    for (int i = 0; i < SIZE; i++) {
      double[] above = POLICY.clone();
      double[] below = POLICY.clone();
      above[i] += h;
      below[i] -= h;
      gradient[i] = (function.apply(above) - function.apply(below)) / (2 * h);
    }
    return gradient;
  }

  /** What a combination descends. */
  enum Cell {
    ZERO,
    REVERSE_FROZEN,
    FORWARD_FROZEN,
    REVERSE,
    FORWARD,
    NOTHING
  }

  private static double[] candidate(Cell cell) {
    DoubleBinaryOperator reverse = (p, q) -> p * Math.log(p / q);
    DoubleBinaryOperator forward = (p, q) -> q * Math.log(q / p);
    return switch (cell) {
      case ZERO, NOTHING -> new double[SIZE];
      case REVERSE -> sequenceGradient(reverse);
      case FORWARD -> sequenceGradient(forward);
      case REVERSE_FROZEN -> frozenGradient(reverse);
      case FORWARD_FROZEN -> frozenGradient(forward);
    };
  }

  // What the compiler makes of a term.

  private static Compilation compile(String term) {
    return Compiler.compile(
        new SourceFile(
            "term.align",
            """
            estimator score() for r: sequence { surrogate mean[sequence](log(pi(y)) * r) }
            objective Term {
              policy pi
              reference ref
              minimize %s
              %s
            }
            """
                .formatted(
                    term,
                    term.contains("in = reward") || !term.contains("by = ")
                        ? "estimate with score()"
                        : "")),
        CompilerOptions.defaults());
  }

  /** The expected gradient of a term with respect to the logits: over one row for each sequence. */
  private static double[] expectedGradient(CheckedObjective objective) {
    double[] expected = new double[SIZE];
    for (int[] y : SEQUENCES) {
      Batch.Builder batch =
          Batch.builder(1)
              .sequence("y", new int[] {0, LENGTH})
              .groupBy(new int[] {0})
              .tokens("y", y)
              .vocabulary(VOCABULARY);
      for (Signature.Input input : objective.signature().inputs()) {
        double[] logits = input.trained() ? POLICY : REFERENCE;
        if (input.role() == Signature.Role.LOG_PROBABILITY) {
          batch.column(input.name(), tokenLogs(logits, y));
        } else if (input.role() == Signature.Role.LOGITS) {
          double[] values = new double[LENGTH * VOCABULARY];
          for (int t = 0; t < LENGTH; t++) {
            System.arraycopy(logits, state(y, t) * VOCABULARY, values, t * VOCABULARY, VOCABULARY);
          }
          batch.column(input.name(), values);
        }
      }
      Interpreter interpreter = new Interpreter(batch.build(), new double[0], new double[0]);
      double weight = probability(POLICY, y);
      for (Map.Entry<Signature.Input, Node> entry : objective.program().gradients().entrySet()) {
        double[] gradient = interpreter.value(entry.getValue());
        for (int t = 0; t < LENGTH; t++) {
          int state = state(y, t);
          double[] logs = logSoftmax(POLICY, state);
          for (int v = 0; v < VOCABULARY; v++) {
            expected[state * VOCABULARY + v] +=
                weight
                    * (entry.getKey().role() == Signature.Role.LOGITS
                        ? gradient[t * VOCABULARY + v]
                        : gradient[t] * ((v == y[t] ? 1 : 0) - Math.exp(logs[v])));
          }
        }
      }
    }
    return expected;
  }

  private static double distance(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (a[i] - b[i]) * (a[i] - b[i]);
    }
    return Math.sqrt(sum);
  }

  /** The distance from the nearest multiple. */
  private static double distanceFromLine(double[] a, double[] direction) {
    double dot = 0;
    double square = 0;
    for (int i = 0; i < a.length; i++) {
      dot += a[i] * direction[i];
      square += direction[i] * direction[i];
    }
    double scale = square == 0 ? 0 : dot / square;
    return distance(a, Arrays.stream(direction).map(x -> scale * x).toArray());
  }

  record Row(String options, Cell k1, Cell k2, Cell k3) {
    Cell of(String k) {
      return switch (k) {
        case "k1" -> k1;
        case "k2" -> k2;
        default -> k3;
      };
    }
  }

  static List<Row> table() {
    return List.of(
        new Row("in = loss, per = token", Cell.ZERO, Cell.REVERSE_FROZEN, Cell.FORWARD_FROZEN),
        new Row(
            "in = loss, per = token, weight = ratio",
            Cell.REVERSE_FROZEN,
            Cell.NOTHING,
            Cell.REVERSE_FROZEN),
        new Row("in = loss", Cell.ZERO, Cell.REVERSE, Cell.FORWARD),
        new Row("in = loss, weight = ratio", Cell.REVERSE, Cell.NOTHING, Cell.REVERSE),
        new Row("in = reward", Cell.REVERSE, Cell.NOTHING, Cell.NOTHING));
  }

  @ParameterizedTest
  @MethodSource("table")
  void enumerationAndCompilerAgreeOnTheTable(Row row) {
    for (String k : List.of("k1", "k2", "k3")) {
      Cell cell = row.of(k);
      String term = "KL(pi || ref, by = %s, %s)".formatted(k, row.options());
      Compilation accepted = compile(term + " accept biased");
      double[] gradient = expectedGradient(accepted.objective("Term").orElseThrow());

      if (cell == Cell.NOTHING) {
        for (Cell other : Cell.values()) {
          assertThat(distanceFromLine(gradient, candidate(other)))
              .as("%s is no multiple of %s", term, other)
              .isGreaterThan(0.01);
        }
      } else {
        assertThat(gradient).as(term).containsExactly(candidate(cell), within(1e-8));
        for (Cell other : Cell.values()) {
          boolean same = other == cell || cell == Cell.ZERO && other == Cell.NOTHING;
          assertThat(distance(gradient, candidate(other)) < 1e-3)
              .as("%s is %s", term, other)
              .isEqualTo(same);
        }
      }

      boolean meant = cell == Cell.REVERSE || cell == Cell.REVERSE_FROZEN;
      List<Diagnostic> findings = compile(term).diagnostics();
      if (meant) {
        assertThat(findings).as(term).isEmpty();
        assertThat(accepted.diagnostics())
            .extracting(d -> d.code().code())
            .as("an accept that accepts nothing")
            .containsExactly("ALN4014");
        continue;
      }
      assertThat(findings).as(term).hasSize(1);
      assertThat(findings.get(0).code().code()).isEqualTo("ALN4004");
      assertThat(findings.get(0).severity()).isEqualTo(Severity.ERROR);
      assertThat(findings.get(0).message())
          .as(term)
          .contains(
              switch (cell) {
                case ZERO -> "gradient of zero in expectation";
                case FORWARD, FORWARD_FROZEN -> "descends forward_kl(pi || ref), not KL(pi || ref)";
                default -> "descends no divergence that has a name";
              });
      assertThat(accepted.diagnostics()).as(term).hasSize(1);
      assertThat(accepted.diagnostics().get(0).severity()).isEqualTo(Severity.NOTE);
      assertThat(accepted.diagnostics().get(0).code().code()).isEqualTo("ALN4013");
      assertThat(accepted.diagnostics().get(0).message()).endsWith(findings.get(0).message());
    }
  }

  @Test
  void theTermWithoutOptionsIsTheSequenceLevelDivergence() {
    assertThat(expectedGradient(compile("KL(pi || ref)").objective("Term").orElseThrow()))
        .containsExactly(candidate(Cell.REVERSE), within(1e-8));
    assertThat(expectedGradient(compile("KL(ref || pi)").objective("Term").orElseThrow()))
        .containsExactly(candidate(Cell.FORWARD), within(1e-8));
  }

  @Test
  void theSumOverTheVocabularyFreezesThePrefix() {
    Compilation exact = compile("KL(pi || ref, by = exact, per = token)");
    assertThat(exact.diagnostics()).isEmpty();
    assertThat(expectedGradient(exact.objective("Term").orElseThrow()))
        .containsExactly(candidate(Cell.REVERSE_FROZEN), within(1e-8));
    assertThat(compile("KL(pi || ref, by = exact)").diagnostics())
        .extracting(d -> d.code().code())
        .containsExactly("ALN4004");
  }

  @Test
  void aRewardToGoIsTheRewardOfTheSequence() {
    // What libraries do with a reward per token: each token's score weighs what comes from it on.
    for (String k : List.of("k1", "k2", "k3")) {
      double[] gradient = new double[SIZE];
      for (int[] y : SEQUENCES) {
        double[] p = tokenLogs(POLICY, y);
        double[] q = tokenLogs(REFERENCE, y);
        for (int t = 0; t < LENGTH; t++) {
          double rest = 0;
          for (int s = t; s < LENGTH; s++) {
            double x = p[s] - q[s];
            rest +=
                switch (k) {
                  case "k1" -> x;
                  case "k2" -> x * x / 2;
                  default -> Math.expm1(-x) + x;
                };
          }
          int state = state(y, t);
          double[] logs = logSoftmax(POLICY, state);
          for (int v = 0; v < VOCABULARY; v++) {
            gradient[state * VOCABULARY + v] +=
                probability(POLICY, y) * rest * ((v == y[t] ? 1 : 0) - Math.exp(logs[v]));
          }
        }
      }
      if (k.equals("k1")) {
        assertThat(gradient).containsExactly(candidate(Cell.REVERSE), within(1e-8));
      } else {
        for (Cell other : Cell.values()) {
          assertThat(distanceFromLine(gradient, candidate(other))).as(k).isGreaterThan(0.01);
        }
      }
    }
  }

  // Every other divergence: the compiler is right about whatever it says.

  private static final Map<String, Function<Double, Double>> GENERATORS =
      Map.of(
          "KL", u -> u * Math.log(u),
          "forward_kl", u -> -Math.log(u),
          "jensen_shannon", u -> u * Math.log(u) - (u + 1) * Math.log((u + 1) / 2),
          "alpha", u -> (Math.sqrt(u) - 0.5 * u - 0.5) / (-0.25),
          "chi_squared", u -> (u - 1) * (u - 1),
          "reverse_chi_squared", u -> (1 - u) * (1 - u) / u,
          "squared_hellinger", u -> Math.pow(Math.sqrt(u) - 1, 2));

  private static DoubleBinaryOperator integrand(String name, boolean policyOnTheLeft) {
    Function<Double, Double> f = GENERATORS.get(name);
    return policyOnTheLeft ? (p, q) -> q * f.apply(p / q) : (p, q) -> p * f.apply(q / p);
  }

  static List<String> divergences() {
    return GENERATORS.keySet().stream().sorted().toList();
  }

  @ParameterizedTest
  @MethodSource("divergences")
  void whatTheCompilerSaysOfAnyDivergenceIsTrue(String name) {
    Pattern another =
        Pattern.compile("descends (?:([0-9.]+) times )?(\\w+)\\(pi \\|\\| ref\\), not");
    int clean = 0;
    for (String sides : List.of("pi || ref", "ref || pi")) {
      boolean left = sides.startsWith("pi");
      for (Row row : table()) {
        boolean perToken = row.options().contains("per = token");
        for (String k : List.of("k1", "k2", "k3")) {
          String term = "%s(%s, by = %s, %s)".formatted(name, sides, k, row.options());
          List<Diagnostic> findings = compile(term).diagnostics();
          double[] gradient =
              expectedGradient(compile(term + " accept biased").objective("Term").orElseThrow());
          double[] meant =
              perToken
                  ? frozenGradient(integrand(name, left))
                  : sequenceGradient(integrand(name, left));
          if (findings.isEmpty()) {
            assertThat(gradient).as(term).containsExactly(meant, within(1e-7));
            clean++;
            continue;
          }
          assertThat(findings).extracting(d -> d.code().code()).containsExactly("ALN4004");
          String message = findings.get(0).message();
          Matcher matcher = another.matcher(message);
          if (matcher.find()) {
            double scale = matcher.group(1) == null ? 1 : Double.parseDouble(matcher.group(1));
            String found = matcher.group(2).equals("reverse_kl") ? "KL" : matcher.group(2);
            double[] said =
                perToken
                    ? frozenGradient(integrand(found, true))
                    : sequenceGradient(integrand(found, true));
            double[] scaled = Arrays.stream(said).map(x -> scale * x).toArray();
            assertThat(gradient).as(term + ": " + message).containsExactly(scaled, within(1e-7));
          } else if (message.contains("zero in expectation")) {
            assertThat(gradient).as(term).containsExactly(new double[SIZE], within(1e-12));
          } else {
            assertThat(message).as(term).contains("descends no divergence that has a name");
            assertThat(distance(gradient, meant)).as(term).isGreaterThan(1e-3);
            for (String other : GENERATORS.keySet()) {
              double[] candidate =
                  perToken
                      ? frozenGradient(integrand(other, true))
                      : sequenceGradient(integrand(other, true));
              assertThat(distance(gradient, candidate)).as(term + " " + other).isGreaterThan(1e-3);
            }
          }
        }
      }
      // The term without options has the gradient of the divergence, whichever it is.
      assertThat(
              expectedGradient(
                  compile("%s(%s)".formatted(name, sides)).objective("Term").orElseThrow()))
          .as(name + sides)
          .containsExactly(sequenceGradient(integrand(name, left)), within(1e-7));
    }
    assertThat(clean).isPositive();
  }
}
