package org.alignlang.compiler.syntax;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.alignlang.compiler.diagnostic.DiagnosticSink;
import org.alignlang.compiler.source.SourceFile;
import org.alignlang.compiler.source.StandardLibrary;
import org.alignlang.grammar.AlignParser;
import org.antlr.v4.runtime.atn.PredictionMode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What is predicted by the next token is what ANTLR predicts by simulation. */
class OperatorPredictionTest {
  static List<String> paths() {
    return StandardLibrary.paths();
  }

  private static List<AlignToken> tokens(String text) {
    return Lexing.of(new SourceFile("test.align", text), new DiagnosticSink()).visible();
  }

  private static void assertSameTree(String text) {
    SyntaxParser quick = SyntaxParser.of(tokens(text));
    SyntaxParser full = SyntaxParser.of(tokens(text));
    SyntaxParser.Outcome quickly = quick.run(PredictionMode.SLL);
    SyntaxParser.Outcome fully = full.run(PredictionMode.LL);
    // What fails quickly is parsed again; what does not must be right.
    if (quickly instanceof SyntaxParser.Outcome.Tree tree) {
      assertThat(fully).as(text).isInstanceOf(SyntaxParser.Outcome.Tree.class);
      assertThat(tree.module().toStringTree(quick))
          .isEqualTo(((SyntaxParser.Outcome.Tree) fully).module().toStringTree(full));
    }
  }

  private static AlignParser.ModuleContext quickTree(String text) {
    SyntaxParser.Outcome outcome = SyntaxParser.of(tokens(text)).run(PredictionMode.SLL);
    assertThat(outcome).as(text).isInstanceOf(SyntaxParser.Outcome.Tree.class);
    return ((SyntaxParser.Outcome.Tree) outcome).module();
  }

  @ParameterizedTest
  @MethodSource("paths")
  void theLibraryIsReadQuicklyAndRight(String path) {
    String text = StandardLibrary.source(path).orElseThrow();
    quickTree(text);
    assertSameTree(text);
  }

  @Test
  void randomExpressionsAreReadAlike() {
    Random random = new Random(17);
    for (int i = 0; i < 400; i++) {
      String text = "fun f(a, b, c) = " + expression(random, 5) + "\n";
      quickTree(text);
      assertSameTree(text);
    }
  }

  @Test
  void randomSequencesOfTokensAreNeverReadDifferently() {
    Random random = new Random(18);
    String[] words = {
      "a",
      "b",
      "1",
      "(",
      ")",
      "[",
      "]",
      "+",
      "-",
      "*",
      "^",
      "<=",
      "==",
      "and",
      "or",
      "not",
      "if",
      "then",
      "else",
      ".",
      ",",
      "accept x",
      "\n",
      "||",
      "=",
      "\"text\"",
      "multiplier l",
      "[]",
      "%"
    };
    for (int i = 0; i < 3000; i++) {
      StringBuilder text = new StringBuilder("objective O { policy p subject to a");
      for (int n = random.nextInt(12); n >= 0; n--) {
        text.append(' ').append(words[random.nextInt(words.length)]);
      }
      assertSameTree(text.append(" }\n").toString());
    }
  }

  private static String expression(Random random, int depth) {
    if (depth == 0) {
      return List.of("a", "b", "c", "1.5", "2%", "\"t\"", "true").get(random.nextInt(7));
    }
    String left = expression(random, random.nextInt(depth));
    String right = expression(random, random.nextInt(depth));
    List<String> forms = new ArrayList<>();
    for (String operator :
        new String[] {"+", "-", "*", "/", "^", "<", "<=", ">", ">=", "==", "!=", "and", "or"}) {
      forms.add(left + " " + operator + " " + right);
    }
    forms.add("-" + left);
    forms.add("not " + left);
    forms.add("(" + left + ")");
    forms.add("if " + left + " then " + right + " else " + left);
    forms.add("a.token");
    forms.add("b(" + left + ", c = " + right + ")");
    forms.add("KL(" + left + " || " + right + ")");
    forms.add("mean[token, " + left + "](" + right + ")");
    forms.add("[" + left + ", " + right + "]");
    forms.add(left + " accept biased \"reason\"");
    return forms.get(random.nextInt(forms.size()));
  }
}
