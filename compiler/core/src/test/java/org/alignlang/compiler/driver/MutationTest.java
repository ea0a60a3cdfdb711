package org.alignlang.compiler.driver;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.alignlang.compiler.diagnostic.Diagnostic;
import org.alignlang.compiler.diagnostic.DiagnosticCode;
import org.alignlang.compiler.diagnostic.FullRenderer;
import org.alignlang.compiler.diagnostic.Palette;
import org.alignlang.compiler.format.Formatter;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.compiler.syntax.AlignSyntax;
import org.alignlang.compiler.syntax.Lexeme;
import org.junit.jupiter.api.Test;

/**
 * Broken specs, by the thousand and the same each time: whatever a text holds, the compiler says
 * what is wrong with it and never fails.
 */
class MutationTest {
  private static final int MUTANTS = 2_500;

  /** Texts longer than this are cut, so that no mutant takes long. */
  private static final int LONGEST = 1_400;

  private static final String[] POISON = {
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "||",
    "~",
    "-",
    "^",
    "*",
    ".",
    "%",
    "<=",
    "\"",
    "0",
    "1e308",
    "1e-320",
    "9999999999",
    "0.5%",
    "if",
    "then",
    "else",
    "not",
    "and",
    "accept",
    "E[",
    "mean[token](",
    "mean[member](",
    "std[group](",
    "sum[vocab](",
    "pi(y.vocab)",
    "y.token",
    "y",
    "pi",
    "ref",
    "old",
    "chosen",
    "rejected",
    "stop(",
    "normalize[vocab](",
    "KL(pi || pi)",
    "KL(ref || ref)",
    "alpha(0)",
    "alpha(1)",
    "D.link",
    "log(0)",
    "0 / 0",
    "true",
    "\"text\"",
    "multiplier",
    "subject to",
    "estimate with exact()",
    "target p(y) ~ ref(y)",
    "group by prompt",
    "pairs chosen > rejected",
    "labelled y: Bool",
    "reward r: token[3]",
    "import \"x.align\"",
    "\u0000",
    "\uD83D\uDE00",
    "\uD800",
    "é",
    "//",
    "///",
    "\n",
    "\r",
    "@",
    "#",
    "'",
    "\\"
  };

  private static List<String> specs() {
    List<String> specs = new ArrayList<>();
    for (String path : StandardLibrary.paths()) {
      String text = StandardLibrary.source(path).orElseThrow();
      // Declarations a few at a time: a mutant should break one and leave its neighbours.
      StringBuilder part = new StringBuilder();
      for (String declaration : text.split("(?m)(?<=^\\}\\n)")) {
        if (part.length() + declaration.length() > LONGEST / 2 && !part.isEmpty()) {
          specs.add(part.toString());
          part.setLength(0);
        }
        part.append(declaration);
      }
      specs.add(part.substring(0, Math.min(part.length(), LONGEST)));
    }
    specs.add(
        """
        objective Tried(beta: Real = 0.1) {
          policy    pi
          reference ref
          reward    r: sequence
          maximize   E[r] - beta * KL(pi || ref)
          subject to E[r * r] <= 1  multiplier lambda(init = 0, rate = 0.05)
          estimate   with rloo()
        }

        experiment Try {
          task   bandit(arms = 8)
          train  Tried(beta = [0.1, 0.2])
          steps  100
          record score = E[r], kl = KL(pi || ref)
          plot   score against kl  by beta  "title"
          expect final(kl) within 1% of exact(kl)  where beta == 0.1  "why"
        }
        """);
    return specs;
  }

  private static String mutated(List<Lexeme> lexemes, String text, Random random) {
    StringBuilder out = new StringBuilder(text);
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes; i++) {
      Lexeme lexeme = lexemes.get(random.nextInt(lexemes.size()));
      int start = Math.min(lexeme.start(), out.length());
      int end = Math.min(lexeme.end(), out.length());
      switch (random.nextInt(7)) {
        case 0 -> out.delete(start, end);
        case 1 -> out.insert(end, " " + lexeme.text());
        case 2 -> out.replace(start, end, POISON[random.nextInt(POISON.length)]);
        case 3 -> out.insert(start, POISON[random.nextInt(POISON.length)] + " ");
        case 4 -> {
          Lexeme other = lexemes.get(random.nextInt(lexemes.size()));
          out.replace(start, end, other.text());
        }
        case 5 -> out.insert(Math.min(out.length(), start + 1), (char) random.nextInt(0x250));
        default -> {
          Lexeme other = lexemes.get(random.nextInt(lexemes.size()));
          int from = Math.min(start, Math.min(other.start(), out.length()));
          out.delete(from, Math.min(out.length(), from + random.nextInt(60)));
        }
      }
    }
    return out.toString();
  }

  @Test
  void noTextMakesTheCompilerFail() {
    Random random = new Random(17);
    List<String> specs = specs();
    List<List<Lexeme>> lexemes =
        specs.stream().map(s -> AlignSyntax.lexemes(new SourceFile("m.align", s))).toList();
    FullRenderer renderer = new FullRenderer(Palette.PLAIN);
    int broken = 0;
    for (int i = 0; i < MUTANTS; i++) {
      int which = random.nextInt(specs.size());
      String text = mutated(lexemes.get(which), specs.get(which), random);
      SourceFile source = new SourceFile("m.align", text);
      List<Diagnostic> found;
      try {
        found = Compiler.compile(source, CompilerOptions.defaults()).diagnostics();
        renderer.render(found);
        Formatter.format(source);
      } catch (RuntimeException | StackOverflowError e) {
        throw new AssertionError("mutant " + i + ":\n" + text, e);
      }
      for (Diagnostic diagnostic : found) {
        assertThat(diagnostic.code()).as(text).isNotEqualTo(DiagnosticCode.INTERNAL);
        assertThat(diagnostic.span().end())
            .as("%s in\n%s", diagnostic, text)
            .isLessThanOrEqualTo(diagnostic.span().source().text().length());
      }
      broken += found.isEmpty() ? 0 : 1;
    }
    assertThat(broken).isGreaterThan(MUTANTS / 2);
  }
}
