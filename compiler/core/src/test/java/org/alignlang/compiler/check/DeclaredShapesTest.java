package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Levels and members that a type says are held to. */
class DeclaredShapesTest {
  private static List<Diagnostic> findings(String text) {
    return Compiler.compile(new SourceFile("shapes.align", text), CompilerOptions.defaults())
        .diagnostics();
  }

  private static String objective(String reward, String value) {
    return """
    fun per_token(x: Real at token) = sum[token](x)
    fun of_five(x: Real[5]) = mean[member](x)
    objective Shapes {
      policy pi
      reward %s
      maximize E[%s]
      estimate with rloo()
    }
    """
        .formatted(reward, value);
  }

  @Test
  void whatFitsIsClean() {
    assertThat(findings(objective("r: token", "per_token(r)"))).isEmpty();
    assertThat(findings(objective("r: sequence[5]", "of_five(r)"))).isEmpty();
    assertThat(findings(objective("r: sequence = length(y)", "r"))).isEmpty();
    assertThat(findings(objective("r: sequence = 1", "r * length(y)"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "r: sequence / per_token(r)",
        "r: sequence[4] / of_five(r)",
        "r: sequence / of_five(r)",
        "r: sequence = pi(y.token) / sum[token](r)",
        "r: sequence[2] = length(y) / r",
      })
  void whatDoesNotFitIsRefused(String parts) {
    String[] both = parts.split(" / ");
    assertThat(findings(objective(both[0], both[1])))
        .isNotEmpty()
        .allSatisfy(d -> assertThat(d.code()).isEqualTo(DiagnosticCode.WRONG_ARGUMENTS));
  }

  @Test
  void parametersOfObjectivesAreSingleNumbers() {
    assertThat(
            findings(
                "objective O(b: Real at token = 1) { policy pi minimize b * mean[batch](pi(y)) }"))
        .extracting(Diagnostic::code)
        .containsExactly(DiagnosticCode.WRONG_ARGUMENTS);
  }

  @Test
  void returnsAreSingleNumbers() {
    assertThat(findings("estimator e() for r: sequence[3] { surrogate mean[batch](r * pi(y)) }"))
        .extracting(Diagnostic::code)
        .containsExactly(DiagnosticCode.BAD_ESTIMATOR);
  }
}
