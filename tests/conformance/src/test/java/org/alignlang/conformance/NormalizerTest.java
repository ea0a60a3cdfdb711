package org.alignlang.conformance;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A link of another divergence than the reverse KL is known up to a number per prompt. */
class NormalizerTest {
  private static List<String> codes(String data, String divergence, String loss) {
    return Compiler.compile(
            new SourceFile(
                "link.align",
                """
                objective Linked(beta: Real = 0.1) {
                  policy pi  reference ref
                  %s
                  let u(s) = %s.link(pi(s) / ref(s))
                  minimize %s
                }
                """
                    .formatted(data, divergence, loss)),
            CompilerOptions.defaults())
        .diagnostics()
        .stream()
        .map(d -> d.code().code())
        .toList();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "mean[pair](-log_sigmoid(beta * (u(chosen) - u(rejected))))",
        "mean[pair](relu(1 - beta * u(chosen) + beta * u(rejected)))",
        "mean[pair]((u(chosen) - u(rejected) - 1 / (2 * beta))^2)",
        "mean[pair](-log_sigmoid(u(chosen) - u(rejected)) - beta * log_sigmoid(u(rejected) -"
            + " u(chosen)))"
      })
  void aFunctionOfTheDifferenceIsClean(String loss) {
    for (String divergence : List.of("jensen_shannon", "forward_kl", "alpha(0.3)", "chi_squared")) {
      assertThat(codes("pairs chosen > rejected", divergence, loss)).as(divergence).isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "mean[pair](-log_sigmoid(beta * u(chosen)) - log_sigmoid(-beta * u(rejected)))",
        "mean[pair]((u(chosen) - beta)^2 + (u(rejected) + beta)^2)",
        "mean[pair](-log_sigmoid(beta * (u(chosen) - u(rejected)))) - mean[pair](u(chosen))",
        "mean[pair](-log_sigmoid(beta * (u(chosen) - 2 * u(rejected))))"
      })
  void whatIsNoFunctionOfTheDifferenceIsRefused(String loss) {
    assertThat(codes("pairs chosen > rejected", "jensen_shannon", loss)).containsExactly("ALN4009");
    assertThat(codes("pairs chosen > rejected", "reverse_kl", loss)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"jensen_shannon, ALN4009", "KL, ''"})
  void unpairedLabelsHaveNoDifference(String divergence, String code) {
    assertThat(
            String.join(
                ",",
                codes(
                    "labelled y: Bool",
                    divergence,
                    "mean[sequence](if label then sigmoid(-beta * u(y)) else sigmoid(beta *"
                        + " u(y)))")))
        .isEqualTo(code);
  }
}
