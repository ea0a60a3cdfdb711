package org.alignlang.compiler.codegen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JavaTextTest {

  @ParameterizedTest
  @CsvSource({
    "chosen.ref.logp, chosenRefLogp",
    "reward.harm, rewardHarm",
    "λ, λ",
    "log_ratio, logRatio",
    "y', yPrime",
    "_, v",
    "Beta, beta",
    "9lives, v9lives"
  })
  void makesVariables(String name, String expected) {
    assertThat(JavaText.variable(name.replace("''", "'"))).isEqualTo(expected);
  }

  @Test
  void avoidsWordsOfJavaAndKotlinAndNamesThatAreTaken() {
    Set<String> taken = new HashSet<>(Set.of("a"));
    assertThat(JavaText.unique("a", taken)).isEqualTo("a2");
    assertThat(JavaText.unique("class", taken)).isEqualTo("class2");
    assertThat(JavaText.unique("when", taken)).isEqualTo("when2");
    assertThat(JavaText.unique("b", taken)).isEqualTo("b");
  }

  @Test
  void writesNumbersThatJavaReadsBackAsTheyWere() {
    assertThat(JavaText.number(Double.NaN)).hasToString("java.lang.Double.NaN");
    assertThat(JavaText.number(Double.NEGATIVE_INFINITY))
        .hasToString("java.lang.Double.NEGATIVE_INFINITY");
    assertThat(JavaText.number(-0.0)).hasToString("-0.0");
    assertThat(JavaText.number(3)).hasToString("3.0");
    assertThat(JavaText.number(1e-300)).hasToString("1.0E-300");
  }

  @Test
  void leavesNoWayOutOfAComment() {
    String hostile = "end */ int x; /* \\u000a @since <script> {@code \u2028 \u0007";
    assertThat(JavaText.javadoc(hostile))
        .doesNotContain("*/")
        .doesNotContain("\\")
        .doesNotContain("@")
        .doesNotContain("<script>");
    assertThat(JavaText.comment("a\nb\rc\u2028d\\u000ae"))
        .doesNotContain("\n", "\r", "\u2028", "\\");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a..b", "a.class", "../evil", "a/b", "1a", "a.b c", "."})
  void refusesPackagesThatAreNone(String name) {
    assertThatThrownBy(() -> JavaText.checkPackage(name))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not the name of a package");
  }

  @Test
  void takesPackages() {
    JavaText.checkPackage("");
    JavaText.checkPackage("com.example.objectives");
  }
}
