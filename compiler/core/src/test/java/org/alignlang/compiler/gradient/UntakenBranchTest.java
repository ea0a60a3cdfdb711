package org.alignlang.compiler.gradient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import org.alignlang.compiler.check.CheckedObjective;
import org.alignlang.compiler.codegen.BackEnds;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.reference.Interpreter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.SourceResolver;
import org.alignlang.kernel.Batch;
import org.alignlang.kernel.Evaluation;
import org.alignlang.kernel.Workers;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * An adjoint that is 0 because a branch was not taken stays 0, whatever the derivative behind it
 * is; with and without simplification, on both back ends, and by dual numbers.
 */
class UntakenBranchTest {
  /** Two rows of one token: `log pi` is the second column, `old`, `ref` and `x` the next ones. */
  private static final double[] POLICY = {-1, -2};

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      value = {
        // A ratio above e^709, cut on the side that the advantage pushes to.
        "min(ratio * x, clamp(ratio, 0.8, 1.2) * x) | -900 | 0.5 | 0",
        // The same ratio without an advantage.
        "ratio * x | -900 | 0 | 0",
        // Not cut on the other side, where it is small.
        "min(ratio * x, clamp(ratio, 0.8, 1.2) * x) | -1 | 0.5 | 0.5",
        // A logarithm of nothing, and of a negative number, that a condition excludes.
        "if x > 0 then log(x) * h else h | -1 | 0 | 1",
        "if h < -3 then sigmoid(log(h)) else 2 * h | -1 | 0 | 2",
        "if h < -3 then log(h) * sqrt(h) + h^0.3 else 2 * h | -1 | 0 | 2",
        // A column that is not a number where it is not used.
        "if x > 0 then x * h else 3 * h | -1 | NaN | 3",
        // Branches that are added up before the derivative that leaves the doubles.
        "relu(1 - ratio) + min(ratio, 2) | -900 | 1 | 0",
        // A power of a ratio, and a quotient of exponentials.
        "clamp(ratio^3 * x, -1, 1) | -500 | 2 | 0",
        "min(exp(-900 * h) / (1 + x^2), 3) | -1 | 1 | 0",
        // The spread of equal values.
        "h + sqrt((h - stop(h))^2) | -1 | 1 | 1",
      })
  void stays(String term, double old, double x, double slope) {
    String text =
        """
        objective Tried {
          policy   pi
          behavior old
          feature  x: sequence
          let h = log(pi(y))
          let ratio = pi(y) / old(y)
          minimize mean[sequence](%s)
          metric   read = mean[sequence](log(ratio) + x)
        }
        """
            .formatted(term);
    for (boolean simplify : new boolean[] {true, false}) {
      Compilation compilation =
          Compiler.compile(
              new SourceFile("tried.align", text),
              new CompilerOptions(SourceResolver.none(), simplify, false));
      assertThat(compilation.hasErrors()).as("%s", compilation.diagnostics()).isFalse();
      CheckedObjective objective = compilation.objectives().getFirst();
      Batch.Builder builder =
          Batch.builder(2).sequence("y", new int[] {0, 1, 2}).column("logp", POLICY.clone());
      builder.column("old.logp", new double[] {old, -1000});
      builder.column("feature.x", new double[] {x, x});
      Batch batch = builder.build();
      for (var backEnd : BackEnds.all()) {
        String what = "%s, simplified: %s, %s".formatted(term, simplify, backEnd.name());
        var kernel = backEnd.kernel(objective);
        Evaluation result = new Evaluation(kernel.signature(), batch);
        kernel.evaluate(batch, new double[0], new double[0], result, Workers.serial());
        double[] gradient = result.gradient("logp");
        assertThat(2 * gradient[0]).as(what).isCloseTo(slope, within(1e-12));
        assertThat(gradient[1]).as(what).isNotNaN();
        Interpreter interpreter = new Interpreter(batch, new double[0], new double[0]);
        double tangent =
            interpreter.tangent(objective.program().loss(), Map.of("logp", new double[] {1, 0}))[0];
        assertThat(2 * tangent).as(what).isCloseTo(slope, within(1e-12));
      }
    }
  }
}
