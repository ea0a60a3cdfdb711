package org.alignlang.compiler.check;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.driver.Compilation;
import org.alignlang.compiler.driver.Compiler;
import org.alignlang.compiler.driver.CompilerOptions;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.UnreadableSourceException;
import org.junit.jupiter.api.Test;

/** What is found where: {@code // error: ALN2001} on a line announces it. */
class FindingsTest {
  private static final Pattern ANNOUNCED = Pattern.compile("// (error|warning|note): (ALN\\d{4})");

  private static List<Diagnostic> findings(String text) {
    return compile(Map.of("main.align", text)).diagnostics();
  }

  private static Compilation compile(Map<String, String> files) {
    CompilerOptions options =
        CompilerOptions.defaults()
            .withResolver(path -> {
              String text = files.get(path);
              if (text == null) {
                throw new UnreadableSourceException("there is no file `" + path + "`");
              }
              return new SourceFile(path, text);
            });
    return Compiler.compile(
        new SourceFile("main.align", String.valueOf(files.get("main.align"))), options);
  }

  @Test
  void findingsAreThoseAnnounced() throws IOException {
    String text =
        Files.readString(Path.of("src/test/resources/org/alignlang/compiler/check/findings.align"));
    List<String> expected = new ArrayList<>();
    String[] lines = text.split("\n");
    for (int i = 0; i < lines.length; i++) {
      Matcher announced = ANNOUNCED.matcher(lines[i]);
      while (announced.find()) {
        expected.add((i + 1) + " " + announced.group(1) + " " + announced.group(2));
      }
    }
    List<String> actual =
        findings(text).stream()
            .map(d ->
                d.span().source().line(d.span().start())
                    + " "
                    + d.severity().word()
                    + " "
                    + d.code().code())
            .toList();
    assertThat(actual).containsExactlyInAnyOrderElementsOf(expected);
  }

  private static String help(String text) {
    return findings(text).stream()
        .flatMap(d -> d.help().stream())
        .reduce((a, b) -> a + "; " + b)
        .orElse("");
  }

  @Test
  void whatWasProbablyMeantIsSuggested() {
    assertThat(help("fun f(x) = log_sigmiod(x)")).isEqualTo("did you mean `log_sigmoid`?");
    assertThat(help("import align.losses.dpp")).isEqualTo("did you mean `align.losses.dpo`?");
    assertThat(help("objective A {\n policy pi\n reward r: sequense\n maximize E[r]\n}"))
        .contains("did you mean `sequence`?");
    assertThat(
            help(
                "objective A {\n policy pi\n reward r: sequence\n maximize E[r]\n estimate with"
                    + " rlo()\n}"))
        .contains("did you mean `rloo`?");
    assertThat(
            help(
                "objective A {\n policy pi\n reward r: sequence\n maximize E[r]\n estimate with"
                    + " grpo(clp = 0.1)\n}"))
        .contains("did you mean `clip`?");
  }

  @Test
  void importsFormNoCycle() {
    Compilation compiled =
        compile(
            Map.of(
                "main.align", "import \"a.align\"\nfun m() = 1\n",
                "a.align", "import \"b.align\"\nfun a() = 1\n",
                "b.align", "import \"a.align\"\nfun b() = 1\n"));
    assertThat(compiled.diagnostics())
        .extracting(d -> d.code().code() + " " + d.span().source().path())
        .containsExactly("ALN2004 b.align");
  }

  @Test
  void aFileThatImportsItselfIsACycle() {
    assertThat(compile(Map.of("main.align", "import \"main.align\"\n")).diagnostics())
        .extracting(d -> d.code().code())
        .containsExactly("ALN2004");
  }

  @Test
  void oneFileMayBeImportedOnTwoWays() {
    assertThat(
            compile(
                    Map.of(
                        "main.align", "import \"a.align\"\nimport \"b.align\"\nfun m() = c()\n",
                        "a.align", "import \"c.align\"\nfun a() = c()\n",
                        "b.align", "import \"c.align\"\nfun b() = c()\n",
                        "c.align", "fun c() = 1\n"))
                .diagnostics())
        .extracting(Diagnostic::message)
        .containsExactly("there is no thing called `c`");
  }

  @Test
  void whatIsSpelledAsElsewhereIsToldHowItIsSpelledHere() {
    String objective =
        """
        objective Regularised {
          policy    pi
          reference ref
          reward    r: sequence
          maximize E[%s] - 0.1 * %s(pi || ref)
          estimate with rloo()
        }
        """;
    assertThat(compile(Map.of("main.align", objective.formatted("r", "chi2"))).diagnostics())
        .extracting(d -> d.help().orElse(""))
        .containsExactly("write `chi_squared(p || q)`");
    assertThat(compile(Map.of("main.align", objective.formatted("sum(r)", "KL"))).diagnostics())
        .extracting(Diagnostic::message)
        .containsExactly("`sum` does not say over what");
  }

  @Test
  void importsThatDeclareTheSameNameClash() {
    assertThat(
            compile(
                    Map.of(
                        "main.align", "import \"a.align\"\nimport \"b.align\"\n",
                        "a.align", "fun same() = 1\n",
                        "b.align", "fun same() = 2\n"))
                .diagnostics())
        .extracting(d -> d.code().code() + " " + d.message())
        .containsExactly("ALN2002 two imports declare `same` too");
  }

  @Test
  void importsStayInTheirFolder() {
    for (String path :
        List.of("../up.align", "/etc/passwd.align", "a/../../up.align", "C:x.align")) {
      assertThat(findings("import \"" + path + "\"\n"))
          .as(path)
          .extracting(Diagnostic::message)
          .containsExactly("an import must stay inside the folder of the spec");
    }
    assertThat(findings("import \"data.json\"\n"))
        .extracting(Diagnostic::message)
        .containsExactly("an import names an `.align` file");
  }

  @Test
  void definitionsThatDoubleAreBounded() {
    StringBuilder text = new StringBuilder("fun f0(x) = x + x\n");
    for (int i = 1; i < 60; i++) {
      text.append("fun f%d(x) = f%d(f%d(x))%n".formatted(i, i - 1, i - 1));
    }
    text.append("objective A {\n policy pi\n minimize f59(mean[sequence](log(pi(y))))\n}\n");
    assertThat(findings(text.toString()))
        .extracting(d -> d.code().code())
        .containsExactly("ALN1004");
  }

  private static String constrained(String form) {
    return """
    objective A(b: Real = 0.1) {
      policy pi
      reward r: sequence
      maximize E[r]
      subject to E[length(y)] <= b multiplier lambda(form = %s)
      estimate with rloo()
    }
    """
        .formatted(form);
  }

  @Test
  void fewNamesAreAllTold() {
    assertThat(help(constrained("pid(p = 0.1)"))).isEqualTo("there is `kd`, `ki`, `kp`");
    assertThat(findings(constrained("pid(0.1)")).getFirst().message())
        .isEqualTo("this is given by name, as in `kp = 0.1`");
    assertThat(help(constrained("pid(kpp = 0.1)"))).contains("did you mean `kp`?");
  }

  @Test
  void valuesPerEntryAreReducedBeforeTheyMeet() {
    String pairs = "objective A { policy pi teacher t pairs chosen > rejected minimize %s }";
    String distributions =
        pairs.formatted(
            "mean[pair](sum[token](sum[vocab](pi(chosen.vocab) * log(t(rejected.vocab)))))");
    String beside =
        pairs.formatted("mean[pair](sum[token](sum[vocab](beside(pi(chosen.vocab), rejected))))");
    String sequences = pairs.formatted("mean[pair](beside(log(pi(chosen)), rejected))");

    assertThat(help(distributions)).contains("beside(sum[vocab](...), sequence)");
    assertThat(help(beside))
        .isEqualTo("reduce it over the vocabulary first:" + " `beside(sum[vocab](...), rejected)`");
    assertThat(help(sequences)).contains("meet at the pair without it");
  }

  @Test
  void countsAreWhole() {
    String top =
        """
        objective A(k: %s) {
          policy pi
          teacher t
          minimize -mean[token, sequence](sum[vocab](t(y.vocab) * log(pi(y.vocab)) when top[vocab](pi(y.vocab), k)))
        }
        """;
    assertThat(findings(top.formatted("Int = 2"))).isEmpty();
    assertThat(findings(top.formatted("Int = 2.5")).getFirst().message())
        .isEqualTo("`k` is an Int, and 2.5 is no whole number");
    assertThat(findings(top.formatted("Real = 2.5")).getFirst().message())
        .isEqualTo("`top` takes a whole number of entries, and this is 2.5");
    assertThat(help(top.formatted("Real = 2.5"))).contains("k: Int = 20");
  }

  private static String penalised(String terms) {
    return """
    objective A(beta: Real = 0.1) {
      policy    mu
      reference sft
      reward    r: sequence
      %s
      estimate  with rloo()
    }
    """
        .formatted(terms);
  }

  @Test
  void helpOnBiasedTermsNamesWhatIsRight() {
    assertThat(help(penalised("maximize E[r] - beta * KL(mu || sft, by = k3, in = loss)")))
        .isEqualTo(
            "`k3` estimates the value, but samples are drawn from the policy, so that its gradient"
                + " is another: leave `by` and `in` out, or use `by = k2, in = loss` or `by = k1,"
                + " in = reward` for that of KL(mu || sft), or write `accept biased` behind the"
                + " term to keep it");
    // Of another divergence only what is weighed by the ratio is right.
    assertThat(help(penalised("maximize E[r] - beta * chi_squared(mu || sft, by = k2, in = loss)")))
        .contains(
            "use `by = k1, in = loss, weight = ratio` or `by = k3, in = loss, weight = ratio`")
        .doesNotContain("reverse KL");
    // Of a third nothing is.
    assertThat(
            help(
                penalised("maximize E[r] - beta * total_variation(mu || sft, by = k2, in = loss)")))
        .contains("leave `by` and `in` out for that of total_variation(mu || sft)");
  }

  @Test
  void helpOnWrittenPenaltiesSpeaksOfTheirActors() {
    String loss =
        penalised(
            "let x = log(mu(y.token) / sft(y.token))"
                + " maximize E[r] - beta * mean[token, sequence](exp(-x) - 1 + x)");
    String reward =
        penalised("let u = sft(y) / mu(y) reward q = r - beta * (u - 1 - log(u)) maximize E[q]");

    assertThat(findings(loss).getFirst().message())
        .isEqualTo(
            "this estimates the value of KL(mu || sft), but differentiated on samples of the"
                + " policy it has the gradient of KL(sft || mu)");
    assertThat(help(loss))
        .startsWith("write `KL(mu || sft)` in place of it and of the mean around it")
        .contains("accept written_divergence");
    assertThat(help(reward))
        .startsWith("take it out of the reward and subtract `KL(mu || sft)`")
        .contains("accept written_divergence");
  }

  /** What a newcomer writes who knows papers and training libraries, and what helps. */
  @Test
  void helpForNewcomers() {
    String likely = "objective A { policy pi %s }";
    assertThat(help(likely.formatted("minimize -mean(log(pi(y)))")))
        .isEqualTo("say over what: `mean[sequence](...)`, `mean[token, sequence](...)`");
    assertThat(help(likely.formatted("minimize -log(pi(y)).mean()")))
        .contains("stands in front, with what it goes over: `mean[sequence](...)`");
    assertThat(help(likely.formatted("minimize -log(pi(y)).exponential()"))).isEmpty();
    assertThat(help(likely.formatted("minimize -top(pi(y.vocab), 2)")))
        .isEqualTo("say over what: `top[vocab](...)`");
    assertThat(help(likely.formatted("minimize -mean[sequence](pi.logp(y))")))
        .contains("`pi(y)` is its probability of the response");
    assertThat(help(likely.formatted("minimize mean[token, sequence](entropy(pi))")))
        .contains("`pi(y.vocab)` its whole distribution");
    assertThat(help(likely.formatted("minimize mean[sequence](detach(1) - log(pi(y)))")))
        .isEqualTo("write `stop(x)`");
    assertThat(help(likely.formatted("minimize mean[sequence](quality * log(pi(y)))")))
        .startsWith("declare it: as data of the batch, `reward quality: sequence`");
    assertThat(help(likely.formatted("\n  loss = -mean[sequence](log(pi(y)))")))
        .contains("what is optimised stands behind `minimize`");
    assertThat(help("objective A { policy pi pairs chosen, rejected }"))
        .contains("`pairs chosen > rejected`");
    String student = "objective A { policy pi teacher t minimize mean[token, sequence](%s) }";
    assertThat(help(student.formatted("KL(pi(y.vocab), t(y.vocab))")))
        .isEqualTo("write `KL(p || q)`");
    assertThat(help(student.formatted("JSD(pi(y.vocab) || t(y.vocab))")))
        .isEqualTo("write `jensen_shannon(p || q)`");
  }

  /** Rewards have no gradient: their mean over the batch is not what `E` is. */
  @Test
  void meansOfRewardsTeachNothing() {
    String mean = penalised("maximize mean[sequence](r) - beta * KL(mu || sft)");
    String length =
        penalised("maximize E[r] - 0.1 * mean[sequence](length(y)) - beta * KL(mu || sft)");

    for (String spec : List.of(mean, length)) {
      assertThat(findings(spec))
          .singleElement()
          .satisfies(found -> {
            assertThat(found.code().code()).isEqualTo("ALN4023");
            assertThat(found.message()).contains("have no gradient");
            assertThat(found.help().orElse("")).contains("`E[...]`");
          });
    }
    assertThat(findings(penalised("maximize E[r - 0.1 * length(y)] - beta * KL(mu || sft)")))
        .isEmpty();
  }

  /** A mask may stand anywhere in a product with what can be infinite. */
  @Test
  void masksOfLongProducts() {
    String product =
        """
        objective A {
          policy  pi
          feature ok: token
          let x = log(pi(y.token))
          minimize -mean[sequence](sum[token](%s))
        }
        """;
    assertThat(findings(product.formatted("(if ok > 0 then 1 else 0) * x * log(1 - pi(y.token))")))
        .extracting(d -> d.code().code())
        .contains("ALN4027");
    assertThat(findings(product.formatted("(if ok > 0 then 1 else 0) * x * ok"))).isEmpty();
  }
}
